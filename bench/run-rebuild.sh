#!/usr/bin/env bash
# What a changed setting of a company with many webhooks does to another company's events: bench/run-rebuild.sh [webhooks] [published trackmate].
set -euo pipefail
cd "$(dirname "$0")/.."
webhooks=${1:-450000} program=${2:-}

work=$(mktemp -d) server=
stop() { [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; server=; }
cleanup() { stop; rm -rf "$work"; }
trap cleanup EXIT

if [ -z "$program" ]; then dotnet publish src/TrackMate -c Release -o "$work/trackmate" --nologo -v quiet; program="$work/trackmate/trackmate"; fi
dotnet publish bench/TrackMate.Bench -c Release -o "$work/bench" --nologo -v quiet
"$work/bench/TrackMate.Bench" webhooks "$work/webhooks.ndjson" "$webhooks"

export TRACKMATE_DATA="$work/data" TRACKMATE_URLS=http://127.0.0.1:5097 TRACKMATE_COMPANY=TM-QUIET TRACKMATE_API_KEY=bench_key_0123456789012345678901234567 \
  TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=off
"$program" serve >"$work/server.log" 2>&1 & server=$!
for _ in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:5097/health/ready && break; sleep 0.1; done
"$program" company add TM-LARGE >/dev/null
"$program" import "$work/webhooks.ndjson" --company TM-LARGE >/dev/null
sleep 5

change() {
  "$work/bench/TrackMate.Bench" watch http://127.0.0.1:5097 TM-QUIET 5 15 >"$work/watch" & local watch=$!
  until grep -q "is measured" "$work/watch"; do sleep 0.2; done
  local began; began=$(date +%s.%N)
  "$program" company set TM-LARGE "$@" >/dev/null 2>"$work/set"
  echo "company set $*: $(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f s", b - a }')"
  wait "$watch"; tail -n 1 "$work/watch"
}

echo "$webhooks webhooks"
change --session-gap 5
change --session-gap 45
change --payment-type payment_processed --payment-type order_shipped
change --max-emails 5
change --max-new-sessions 5
"$program" doctor | grep derived
