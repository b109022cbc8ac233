#!/usr/bin/env bash
# The measurements behind docs/performance.md: every `anlan bench`, then the long runs of the test suite.
# Run it on a quiet machine; results go to target/figures/, one JSON file for each measurement, with machine and version.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/figures
mkdir -p "$out"
cargo build --release --locked
anlan=$(bash deploy/tools.sh binary release)
{
  "$anlan" --version
  git rev-parse HEAD 2>/dev/null || true
  date -u +%FT%TZ
  nproc
  grep -m1 'model name' /proc/cpuinfo || true
  grep MemTotal /proc/meminfo || true
} | tee "$out/machine.txt"

failed=0
# The program itself knows what it can measure, so nothing is forgotten here.
for what in $("$anlan" bench --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on && $1 != "help" {print $1}'); do
  printf '\n== anlan bench %s --json\n' "$what"
  "$anlan" bench "$what" --json | tee "$out/$what.json" || failed=1
done

printf '\n== kill -9, 100 times; 10,000 seeds\n'
ANLAN_KILLS=100 ANLAN_SEEDS=10000 cargo test --release --locked kill9 -- --nocapture || failed=1
exit $failed
