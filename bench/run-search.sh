#!/usr/bin/env bash
# Search among many people, on the embedded store and on PostgreSQL: bench/run-search.sh [people] [sqlite|postgres].
# PostgreSQL needs its server programs (Debian: apt-get install postgresql); a server of its own is started, with fsync.
set -euo pipefail
cd "$(dirname "$0")/.."
people=${1:-1000000} stores=${2:-sqlite postgres}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)

work=$(mktemp -d) pids=()
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
cleanup() { for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; [ -d "$work/pg" ] && as "$bin/pg_ctl" -D "$work/pg/data" -m fast stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap cleanup EXIT

dotnet publish src/TrackMate -c Release -o "$work/trackmate" --nologo -v quiet
dotnet publish bench/TrackMate.Bench -c Release -o "$work/bench" --nologo -v quiet
"$work/bench/TrackMate.Bench" people "$work/people.ndjson" "$people"

export TRACKMATE_COMPANY=TM-BENCH TRACKMATE_API_KEY=bench_key_0123456789012345678901234567 TRACKMATE_ADMIN_PASSWORD=bench_password TRACKMATE_RATE_LIMIT=off
for store in $stores; do
  export TRACKMATE_DATA="$work/$store" TRACKMATE_URLS=http://127.0.0.1:5091
  if [ "$store" = postgres ]; then
    chmod 755 "$work"; mkdir "$work/pg"; [ "$(id -u)" = 0 ] && chown postgres "$work/pg"
    ( cd "$work/pg"
      as "$bin/initdb" -D "$work/pg/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null
      as "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -o "-p 5490 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=512MB -c max_wal_size=4GB" -w start >/dev/null )
    export TRACKMATE_DATABASE="Host=127.0.0.1;Port=5490;Username=postgres;Database=postgres"
  fi

  # The company is made at a first start.
  "$work/trackmate/trackmate" serve >"$work/server.log" 2>&1 & server=$!; pids+=("$server")
  for _ in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:5091/health/live && break; sleep 0.1; done
  kill "$server"; wait "$server" 2>/dev/null || true

  started=$SECONDS
  "$work/trackmate/trackmate" import "$work/people.ndjson" --company TM-BENCH >/dev/null 2>&1
  echo "$store: imported in $((SECONDS - started)) s"
  "$work/trackmate/trackmate" serve >"$work/server.log" 2>&1 & server=$!; pids+=("$server")
  for _ in $(seq 600); do curl -s -o /dev/null http://127.0.0.1:5091/health/live && break; sleep 0.1; done
  "$work/bench/TrackMate.Bench" search http://127.0.0.1:5091 "$TRACKMATE_API_KEY" "$people"
  echo "  server's peak memory: $(awk '/VmHWM/{print int($2/1024)}' "/proc/$server/status") MiB"
  [ "$store" = postgres ] || echo "  database: $(du -m "$work/$store/trackmate.db" | cut -f1) MiB"
  kill "$server"; wait "$server" 2>/dev/null || true
done
