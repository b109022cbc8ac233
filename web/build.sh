#!/usr/bin/env bash
# Builds web/dist when something under web/ is newer than it; fetches packages when the lock file is newer than them.
set -euo pipefail
cd "$(dirname "$0")"

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
fi
newer=$(find . \( -path ./node_modules -o -path ./dist \) -prune -o -type f -newer dist/index.html -print -quit 2>/dev/null || true)
if [ ! -f dist/index.html ] || [ -n "$newer" ]; then
  npm run build
  touch dist/index.html # the builder may keep an older time on it
fi
