#!/usr/bin/env bash
# The measurements behind docs/performance.md: every `anlan bench`, then the long runs of the test suite.
# Run it on a quiet machine; results go to target/figures/, one JSON file for each measurement, with machine, version and the load
# that the machine had besides. ANLAN_RUNS: how often the stores and the broker are measured (default 5). ANLAN_ONLY: a pattern
# of the measurements to make (default: all), as in ANLAN_ONLY='ingest|open'.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/figures
runs=${ANLAN_RUNS:-5}
only=${ANLAN_ONLY:-.}
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
# measure NAME ARGUMENTS…: one `anlan bench` into NAME.json
measure() {
  local name=$1
  shift
  [[ $name =~ $only ]] || return 0
  printf '\n== anlan bench %s --json   (load %s)\n' "$*" "$(cut -d' ' -f1-3 /proc/loadavg)" | tee -a "$out/machine.txt"
  "$anlan" bench "$@" --json | tee "$out/$name.json" || failed=1
}

# Other programs, as far as they are installed: apt-get install victoria-metrics influxdb mosquitto nodejs npm python3-venv
others=()
command -v victoria-metrics >/dev/null && others+=(victoria-metrics)
command -v influxd >/dev/null && others+=(influxdb1)
against=()
[[ ${#others[@]} -gt 0 ]] && against=(--against "$(IFS=,; echo "${others[*]}")")
pollers=()
if [[ modbus =~ $only ]]; then
  [[ -x target/peers-venv/bin/python ]] ||
    { python3 -m venv target/peers-venv && target/peers-venv/bin/pip install -q -r tests/peers/requirements.txt; } || true
  [[ -d target/peers/node/node_modules/modbus-serial ]] ||
    { mkdir -p target/peers/node && npm install --silent --prefix target/peers/node modbus-serial@8.0.25; } || true
  [[ -x target/peers-venv/bin/python ]] && pollers+=(--pymodbus target/peers-venv/bin/python)
  [[ -d target/peers/node/node_modules/modbus-serial ]] && pollers+=(--node target/peers/node)
fi

# The program itself knows what it can measure, so nothing is forgotten here.
for what in $("$anlan" bench --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on && $1 != "help" {print $1}'); do
  case $what in
    ingest)
      for run in $(seq "$runs"); do
        measure "ingest-$run" ingest "${against[@]}"
        measure "ingest-late-$run" ingest --late 0.1 "${against[@]}"
        measure "ingest-noisy-$run" ingest --noisy "${against[@]}"
      done
      for run in 1 2 3; do
        measure "ingest-http-$run" ingest --through http --points 3000000 "${against[@]}"
      done
      # Killed after some seconds of writing, when every store has begun to put things on disk by itself.
      measure ingest-kill ingest --kill 5 --through library,http "${against[@]}"
      measure ingest-100000 ingest --series 100000 --points 10000000 "${against[@]}"
      ;;
    open)
      # 788 million points, about 400 MB on disk; then 100,000 series.
      measure open-year open
      measure open-100000 open --series 100000 --every-s 300 --days 1
      ;;
    mqtt)
      for values in 1 5 10; do
        measure "mqtt-$values" mqtt --values "$values" --messages 500000 --rounds "$runs"
      done
      ;;
    modbus)
      measure modbus modbus --seconds 60 "${pollers[@]}"
      # The same devices, four behind each gateway.
      measure modbus-gateways modbus --gateways 250 --units 4 --seconds 60 "${pollers[@]}"
      ;;
    *) measure "$what" "$what" ;;
  esac
done

if [[ kill9 =~ $only ]]; then
  printf '\n== kill -9, 100 times; 10,000 seeds\n'
  ANLAN_KILLS=100 ANLAN_SEEDS=10000 cargo test --release --locked kill9 -- --nocapture || failed=1
fi
exit $failed
