#!/usr/bin/env bash
# Speed on PostgreSQL, each with its baseline in the same run on the same machine: bench/run-postgres.sh [seconds a measurement] [rounds].
# Needs wrk and PostgreSQL's server programs (Debian: apt-get install wrk postgresql); it starts a server of its own, with fsync.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} rounds=${2:-3}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
command -v wrk >/dev/null && [ -n "$bin" ] || { echo "wrk or PostgreSQL's server is missing (on Debian: apt-get install wrk postgresql)." >&2; exit 2; }

work=$(mktemp -d) pids=()
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
cleanup() { for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done; as "$bin/pg_ctl" -D "$work/pg/data" -m fast stop >/dev/null 2>&1 || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

dotnet publish src/TrackMate -c Release -o "$work/trackmate" --nologo -v quiet
dotnet publish bench/TrackMate.Bench -c Release -o "$work/bench" --nologo -v quiet

chmod 755 "$work"; mkdir "$work/pg"; [ "$(id -u)" = 0 ] && chown postgres "$work/pg"
( cd "$work/pg"
  as "$bin/initdb" -D "$work/pg/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null
  as "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -o "-p 5490 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=512MB -c max_wal_size=4GB" -w start >/dev/null )
database="Host=127.0.0.1;Port=5490;Username=postgres;Database=postgres"

key=bench_key_0123456789012345678901234567
for port in 5091 5093; do
  TRACKMATE_DATABASE=$database TRACKMATE_DATA="$work/data" TRACKMATE_URLS=http://127.0.0.1:$port TRACKMATE_COMPANY=TM-BENCH TRACKMATE_API_KEY=$key \
    TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=off "$work/trackmate/trackmate" serve >"$work/server$port.log" 2>&1 &
  pids+=("$!")
  for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/health/live" && break; sleep 0.1; done
done

load() { BATCH=$2 wrk -t "${4:-2}" -c "$3" -d "${seconds}s" -s bench/ingest.lua "$1" | tail -n 1; }

echo "warming up …"
load http://127.0.0.1:5091 1 64 >/dev/null

echo; echo "batches of 100, 8 connections: events/s"
for round in $(seq "$rounds"); do
  bare=$("$work/bench/TrackMate.Bench" copy "$database" "$seconds"); ours=($(load http://127.0.0.1:5091 100 8))
  echo "  bare binary COPY $bare   TrackMate $((ours[0]*100)) (p99 ${ours[2]} ms, failed ${ours[3]})   $(awk "BEGIN{printf \"%.0f %%\", 100*${ours[0]}*100/$bare}")"
done

echo; echo "single events, 64 connections: requests/s, median ms, p99 ms, failed; one server, and two on the same two cores"
for round in $(seq "$rounds"); do
  one=($(load http://127.0.0.1:5091 1 64))
  load http://127.0.0.1:5091 1 32 1 >"$work/a" & a=$!; SALT=1000000 load http://127.0.0.1:5093 1 32 1 >"$work/b"; wait "$a"
  left=($(cat "$work/a")); right=($(cat "$work/b"))
  echo "  one server ${one[*]}   two servers $((left[0]+right[0])) (p99 ${left[2]} and ${right[2]} ms, failed $((left[3]+right[3])))"
done

echo; echo "of one company, 64 connections: requests/s, median ms, p99 ms, failed; events of browsers, payments that name a known customer twice, identifies of new customers"
KIND=webhook KEY=$key load http://127.0.0.1:5091 1 64 >/dev/null
for round in $(seq "$rounds"); do
  echo "  events $(load http://127.0.0.1:5091 1 64)   payments $(KIND=webhook KEY=$key load http://127.0.0.1:5091 1 64)   identifies $(KIND=identify load http://127.0.0.1:5091 1 64)"
done

echo; "$work/bench/TrackMate.Bench" cost http://127.0.0.1:5091 $key 1000000
