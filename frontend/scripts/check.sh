#!/usr/bin/env bash
# Every check of the web page; make test runs it. What cannot be checked for want of a program is said; in CI it fails.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

leave_out() {
    printf 'frontend: %s\n' "$*" >&2
    if [ -n "${CI:-}" ]; then exit 1; else exit 0; fi
}

command -v npm > /dev/null || leave_out "Node.js is not installed, so nothing of the web page was checked."
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error

npm run --silent check:api || {
    echo "frontend: src/api/schema.d.ts does not fit openapi.json. Write it anew: cd frontend && npm run api" >&2
    exit 1
}
npm run --silent types
npm run --silent lint
npm run --silent test
npm run --silent build
npm run --silent size

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing Chromium for the browser tests ..."
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null
fi
[ -x "$CHROMIUM" ] || leave_out "There is no $CHROMIUM, so the page was not tested in a browser. Name one: CHROMIUM=/path/to/it"
export CHROMIUM
npm run --silent e2e
