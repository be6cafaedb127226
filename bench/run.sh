#!/usr/bin/env bash
# Speed, each with its baseline in the same run on the same machine: bench/run.sh [seconds a measurement] [rounds]. Needs wrk (Debian: apt-get install wrk).
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} rounds=${2:-3}
command -v wrk >/dev/null || { echo "wrk is missing (on Debian: apt-get install wrk)." >&2; exit 2; }

work=$(mktemp -d) pids=()
cleanup() { for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

dotnet publish src/TrackMate -c Release -o "$work/trackmate" --nologo -v quiet
dotnet publish bench/TrackMate.Bench -c Release -o "$work/bench" --nologo -v quiet

key=bench_key_0123456789012345678901234567
TRACKMATE_DATA="$work/data" TRACKMATE_URLS=http://127.0.0.1:5091 TRACKMATE_COMPANY=TM-BENCH TRACKMATE_API_KEY=$key \
  TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=off "$work/trackmate/trackmate" serve >"$work/server.log" 2>&1 &
server=$!; pids+=("$server")
"$work/bench/TrackMate.Bench" kestrel http://127.0.0.1:5092 >/dev/null 2>&1 &
pids+=("$!")
for url in http://127.0.0.1:5091/health/live http://127.0.0.1:5092/; do
  for _ in $(seq 100); do curl -s -o /dev/null "$url" && break; sleep 0.1; done
done

load() { BATCH=$2 wrk -t 2 -c "$3" -d "${seconds}s" -s bench/ingest.lua "$1" | tail -n 1; }
wal() { stat -c %s "$work/data/trackmate.db-wal" 2>/dev/null || echo 0; }
rss() { awk '/VmHWM/{print int($2/1024)}' "/proc/$server/status"; }

echo "warming up …"
load http://127.0.0.1:5092 1 64 >/dev/null; load http://127.0.0.1:5091 1 64 >/dev/null

echo; echo "single events, 64 connections: requests/s, median ms, p99 ms, failed"
for round in $(seq "$rounds"); do
  bare=($(load http://127.0.0.1:5092 1 64)); ours=($(load http://127.0.0.1:5091 1 64))
  echo "  bare Kestrel ${bare[*]}   TrackMate ${ours[*]}   $(awk "BEGIN{printf \"%.0f %%\", 100*${ours[0]}/${bare[0]}}")   WAL $(($(wal)>>20)) MiB"
done

# Real sites have many visitors at once: each event is of another session than the one before it.
echo; echo "single events of 2,000 sessions that are all active, with an eventId and without: requests/s, median ms, p99 ms, failed"
for round in $(seq "$rounds"); do
  bare=($(load http://127.0.0.1:5092 1 64)); given=($(LIVE=2000 load http://127.0.0.1:5091 1 64)); made=($(LIVE=2000 IDS=none load http://127.0.0.1:5091 1 64))
  echo "  bare Kestrel ${bare[*]}   with ${given[*]}   $(awk "BEGIN{printf \"%.0f %%\", 100*${given[0]}/${bare[0]}}")   without ${made[*]}   $(awk "BEGIN{printf \"%.0f %%\", 100*${made[0]}/${bare[0]}}")   WAL $(($(wal)>>20)) MiB"
done

echo; echo "batches of 100, 8 connections: events/s"
for round in $(seq "$rounds"); do
  bare=$("$work/bench/TrackMate.Bench" sqlite "$work/bare$round" "$seconds"); ours=($(load http://127.0.0.1:5091 100 8))
  echo "  bare SQLite loop $bare   TrackMate $((ours[0]*100)) (p99 ${ours[2]} ms, failed ${ours[3]})   $(awk "BEGIN{printf \"%.0f %%\", 100*${ours[0]}*100/$bare}")   WAL $(($(wal)>>20)) MiB"
  rm -rf "$work/bare$round"
done

echo; "$work/bench/TrackMate.Bench" cost http://127.0.0.1:5091 $key
echo; "$work/bench/TrackMate.Bench" acts http://127.0.0.1:5091 $key
echo; "$work/bench/TrackMate.Bench" joins http://127.0.0.1:5091 $key
echo; "$work/bench/TrackMate.Bench" strangers http://127.0.0.1:5091 $key
echo; echo "server's peak memory: $(rss) MiB; WAL at the end: $(($(wal)>>20)) MiB; database: $(du -m "$work/data/trackmate.db" | cut -f1) MiB"
