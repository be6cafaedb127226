#!/usr/bin/env bash
# Installs what the tests need, runs all of them, and prints one closing line: N passed, N failed, N skipped.
# ./test.sh --long tries thirty times as many random histories; whatever else is given goes to the test runner.
set -uo pipefail
cd "$(dirname "$0")"
if [ "${1:-}" = --long ]; then shift; export TRACKMATE_LONG=1; fi

# Debian keeps the programs of PostgreSQL's server off the PATH.
has() { command -v "$1" >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null; }
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
from_debian() { # package
  has apt-get || return
  root apt-get install -y -qq "$1" >/dev/null 2>&1 || { root apt-get update -qq && root apt-get install -y -qq "$1" >/dev/null; }
}
need() { # command, Debian package
  has "$1" && return
  echo "Installing $2 …"
  from_debian "$2"
  has "$1" || { echo "The tests need $1. Install it (on Debian: apt-get install $2) and run ./test.sh again." >&2; exit 2; }
}

need dotnet dotnet-sdk-10.0
need node nodejs
need npm npm
# The headless shell is Chromium without its windows, and needs half the processor time. Where it cannot be had, or only with a password, chromium does as well.
if ! has chromium-headless-shell; then
  { [ "$(id -u)" != 0 ] && has chromium; } || from_debian chromium-headless-shell 2>/dev/null
  has chromium-headless-shell || { need chromium chromium; echo "There is no chromium-headless-shell: the tests use chromium, which takes longer."; }
fi
if ! has initdb && has apt-get; then # Debian would start a server of its own with it, on a port that others may want.
  root mkdir -p /etc/postgresql-common/createcluster.d
  echo "create_main_cluster = false" | root tee /etc/postgresql-common/createcluster.d/none.conf >/dev/null
fi
need initdb postgresql

# The proxies of docs/first-party.md, as programs only: installed, Debian would start a server with each.
proxies() {
  has nginx && has caddy && return
  has apt-get && [ ! -d clients/browser/node_modules/.proxies ] || return 0
  local folder; folder=$(mktemp -d)
  ( cd "$folder" && apt-get download -qq nginx caddy >/dev/null 2>&1 && for each in *.deb; do dpkg -x "$each" out; done ) && mv "$folder/out" clients/browser/node_modules/.proxies
  rm -rf "$folder"
}

passed=0 failed=0 skipped=0
add() { # what a runner ended with, and how many it says succeeded, failed and were skipped
  local code=$1 good=${2:-0} bad=${3:-0}
  # One that crashed may say nothing, or that all is well, and so does one that found nothing to run.
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$good" -eq 0 ]; }; then
    bad=1
    echo "The test runner ended with $code after $good tests and names none that failed: that counts as a failure." >&2
  fi
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + ${4:-0}))
}

echo "Browser SDK …"
( cd clients/browser && { [ -d node_modules ] || npm ci --no-audit --no-fund --silent; } && npm run --silent check && npm run --silent build ) || { echo "The browser SDK does not build." >&2; exit 1; }
proxies
sdk=$(mktemp)
( cd clients/browser && npx vitest run --reporter=json --outputFile="$sdk" )
code=$?
count() { node -p "JSON.parse(require('fs').readFileSync('$sdk')).num$1Tests" 2>/dev/null; }
add "$code" "$(count Passed)" "$(count Failed)" "$(count Pending)"

# What is tested is what is shipped, and random histories are many.
echo "Server …"
log=$(mktemp)
dotnet build TrackMate.slnx -c Release --nologo -v quiet || { echo "The server does not build." >&2; exit 1; }
total() { sed -nE "s/^ *$1: ([0-9]+).*/\1/p" "$log" | tail -n 1; }
run() { # what the test runner is told
  dotnet test --solution TrackMate.slnx -c Release --no-build "$@" 2>&1 | tee "$log"
  local code=${PIPESTATUS[0]}
  if [ "$code" -eq 8 ] && [ -n "$may_be_none" ]; then return; fi
  add "$code" "$(total succeeded)" "$(total failed)" "$(total skipped)"
}
may_be_none=
# What is about one PostgreSQL server only is said by name (PlainPostgres).
plain=(); [ -z "${TRACKMATE_TEST_CITUS:-}" ] || plain=(--filter-not-trait Database=plain)
run "${plain[@]}" "$@"

# What a store does is the same on PostgreSQL; what is left out there is said by name in the tests (EmbeddedOnly, OwnStore, NoStore), or has no store in it.
echo "Server on PostgreSQL …"
export TRACKMATE_TEST_STORE=postgres
if [ $# -gt 0 ]; then may_be_none=yes; fi # Of the tests that somebody chose; all of them were in the first run.
run --filter-not-trait Store=embedded --filter-not-trait Store=own --filter-not-trait Store=none $(printf -- '--filter-namespace TrackMate.Tests.%s ' Bind Http Receive Store Show Transfer Manage Journeys Host.Commands) "${plain[@]}" "$@"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
