#!/usr/bin/env bash
# What one company's flood does to another company's events: bench/run-floods.sh [seconds a measurement] [published trackmate]. Once with the limit of requests
# per address off, and once with a single address at the default limit.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} program=${2:-}

work=$(mktemp -d) server=
stop() { [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; server=; }
cleanup() { stop; rm -rf "$work"; }
trap cleanup EXIT

if [ -z "$program" ]; then dotnet publish src/TrackMate -c Release -o "$work/trackmate" --nologo -v quiet; program="$work/trackmate/trackmate"; fi
dotnet publish bench/TrackMate.Bench -c Release -o "$work/bench" --nologo -v quiet

start() {
  TRACKMATE_DATA="$work/data$1" TRACKMATE_URLS=http://127.0.0.1:5097 TRACKMATE_COMPANY=TM-QUIET TRACKMATE_API_KEY=bench_key_0123456789012345678901234567 \
    TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=$1 "$program" serve >"$work/server$1.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:5097/health/ready && break; sleep 0.1; done
  TRACKMATE_DATA="$work/data$1" "$program" company add TM-FLOOD >/dev/null
  sleep 1
}

flood() {
  "$work/bench/TrackMate.Bench" watch http://127.0.0.1:5097 TM-QUIET "$seconds" "$seconds" >"$work/watch" & local watch=$!
  until grep -q "is measured" "$work/watch"; do sleep 0.2; done
  "$work/bench/TrackMate.Bench" flood http://127.0.0.1:5097 TM-FLOOD "$1" "$((seconds + 3))"
  wait "$watch"; tail -n 1 "$work/watch"
  echo "  server's peak memory: $(awk '/VmHWM/{print int($2/1024)}' "/proc/$server/status") MiB"
}

echo "no limit of requests per address"; start off; flood 512; stop
echo "one address at the default limit"; start 100; flood 64
