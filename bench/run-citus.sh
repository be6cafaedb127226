#!/usr/bin/env bash
# Citus against plain PostgreSQL, in turn in one run on one machine: bench/run-citus.sh [seconds a measurement] [rounds].
# BUILT=DIR takes the programs that are published in DIR/trackmate and DIR/bench instead of publishing them.
# Needs wrk, and PostgreSQL's server programs with the extension citus. It starts servers of its own, with fsync: one plain, and a coordinator with two workers.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-5} rounds=${2:-3}
bin=$(dirname "$(dirname "$(ls /usr/lib/postgresql/*/lib/citus.so 2>/dev/null | tail -n 1)")")/bin
command -v wrk >/dev/null && [ -x "$bin/initdb" ] || { echo "wrk, or PostgreSQL with the extension citus, is missing." >&2; exit 2; }

work=$(mktemp -d) servers=()
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups env -C / "$@"; else "$@"; fi; }
cleanup() {
  for pid in "${servers[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done
  for node in plain coordinator worker1 worker2; do as "$bin/pg_ctl" -D "$work/pg/$node" -m immediate stop >/dev/null 2>&1 || true; done
  wait 2>/dev/null || true; rm -rf "$work"
}
trap cleanup EXIT

built=${BUILT:-$work}
if [ -z "${BUILT:-}" ]; then
  dotnet publish src/TrackMate -c Release -o "$built/trackmate" --nologo -v quiet
  dotnet publish bench/TrackMate.Bench -c Release -o "$built/bench" --nologo -v quiet
fi

declare -A port=([plain]=5590 [coordinator]=5591 [worker1]=5592 [worker2]=5593)
ask() { "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "${port[$1]}" -U postgres -d "$2" "${@:3}"; }
chmod 755 "$work"; mkdir "$work/pg"; [ "$(id -u)" = 0 ] && chown postgres "$work/pg"
for node in plain coordinator worker1 worker2; do
  as "$bin/initdb" -D "$work/pg/$node" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  preload=citus; [ $node = plain ] && preload=
  as "$bin/pg_ctl" -D "$work/pg/$node" -l "$work/pg/$node.log" -w start >/dev/null -o "-p ${port[$node]} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=256MB \
    -c max_wal_size=4GB -c max_connections=300 -c shared_preload_libraries=$preload -c wal_level=logical -c citus.shard_count=32 -c citus.node_conninfo=sslmode=prefer"
  ask $node postgres -c "CREATE DATABASE trackmate"
  [ $node = plain ] || ask $node trackmate -c "CREATE EXTENSION citus"
done
ask coordinator trackmate -c "SELECT citus_set_coordinator_host('127.0.0.1', ${port[coordinator]}), citus_add_node('127.0.0.1', ${port[worker1]}), citus_add_node('127.0.0.1', ${port[worker2]})" >/dev/null

key=bench_key_0123456789012345678901234567
serve() { # node, port
  TRACKMATE_DATABASE="Host=127.0.0.1;Port=${port[$1]};Username=postgres;Database=trackmate" TRACKMATE_DATA="$work/data-$1" TRACKMATE_URLS=http://127.0.0.1:$2 TRACKMATE_COMPANY=TM-BENCH \
    TRACKMATE_API_KEY=$key TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=off "$built/trackmate/trackmate" serve >"$work/server-$1.log" 2>&1 &
  servers+=("$!")
  for _ in $(seq 300); do curl -sf -o /dev/null "http://127.0.0.1:$2/health/ready" && return; sleep 0.1; done
}
serve plain 5095; serve coordinator 5096

# Ticks of the processor that a database's processes have used, those that are gone too.
ticks() {
  local postmaster; postmaster=$(head -n 1 "$work/pg/$1/postmaster.pid")
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v of="$postmaster" '{ id = $1; sub(/^.*\) /, "") } $2 == of { sum += $12 + $13 } id == of { sum += $12 + $13 + $14 + $15 } END { print sum + 0 }' || true
}
load() { BATCH=$2 wrk -t 2 -c "$3" -d "${seconds}s" -s bench/ingest.lua "http://127.0.0.1:$1" | tail -n 1; }

echo "warming up …"
for server in 5095 5096; do load $server 1 64 >/dev/null; load $server 100 8 >/dev/null; done

compare() { # what, events a request, connections
  echo; echo "$1: events/s, p99 ms, failed"
  for _ in $(seq "$rounds"); do
    plain=($(load 5095 "$2" "$3"))
    before=($(ticks coordinator) $(ticks worker1) $(ticks worker2))
    citus=($(load 5096 "$2" "$3"))
    after=($(ticks coordinator) $(ticks worker1) $(ticks worker2))
    echo "  plain $((plain[0] * $2)) ${plain[2]} ${plain[3]}   Citus $((citus[0] * $2)) ${citus[2]} ${citus[3]}   $(awk "BEGIN{printf \"%.2f\", ${citus[0]} / ${plain[0]}}")   the coordinator's part of the database's processor time $(awk "BEGIN{c = ${after[0]} - ${before[0]}; w = ${after[1]} - ${before[1]} + ${after[2]} - ${before[2]}; printf \"%.0f %%\", 100 * c / (c + w)}")"
  done
}
compare "event batches of 100, 8 connections" 100 8
compare "single events, 64 connections" 1 64

echo; echo "batches of 100 webhooks, and reading; plain PostgreSQL, then Citus"
"$built/bench/TrackMate.Bench" two http://127.0.0.1:5095 http://127.0.0.1:5096 $key
