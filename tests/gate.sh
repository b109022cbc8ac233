#!/usr/bin/env bash
# The gate: every check of the project, the same by hand and in CI. Stops at the first failure, skips nothing.
# The last step is the Rust test run, so that the output ends with its summary.
set -euo pipefail
cd "$(dirname "$0")/.."

total=$SECONDS
steps=""
step() { # step "heading" command...
  local heading=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$heading"
  "$@" || { echo "anlan: FAILED: $heading" >&2; exit 1; }
  steps+=$(printf '%6d s  %s' $((SECONDS - began)) "$heading")$'\n'
}

packages() {
  local lacking=() package proof
  while read -r package proof _; do
    case "$package" in ''|'#'*) continue ;; esac
    if command -v dpkg-query >/dev/null; then
      dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || lacking+=("$package")
    elif ! command -v "$proof" >/dev/null && [ ! -e "$proof" ]; then
      lacking+=("$package")
    fi
  done < tests/needs.txt
  [ ${#lacking[@]} -eq 0 ] && { echo "all there"; return; }
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing: ${lacking[*]}"
    { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${lacking[@]}" ||
      { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${lacking[@]}"; }; } >target/apt.log 2>&1 ||
      { tail -n 20 target/apt.log; return 1; }
    return
  fi
  echo "anlan: missing for the tests: apt-get install ${lacking[*]}  (缺少测试所需软件包)" >&2
  return 1
}

peers() {
  local stamp=target/peers-venv/requirements.txt
  cmp -s tests/peers/requirements.txt "$stamp" && return
  # Chained, because a step's failure is looked at as a whole and so `set -e` rests inside it.
  rm -rf target/peers-venv &&
    python3 -m venv target/peers-venv &&
    target/peers-venv/bin/pip install --quiet --disable-pip-version-check -r tests/peers/requirements.txt &&
    cp tests/peers/requirements.txt "$stamp"
}

browser_tests() {
  local binary
  binary=$(bash deploy/tools.sh binary debug) || return 1
  [ -x "$binary" ] || { echo "anlan: $binary was not built" >&2; return 1; }
  ANLAN_BINARY=$binary node --test --test-concurrency=1 tests/browser/*.test.mjs
}

rust_tests() {
  if command -v cargo-nextest >/dev/null; then
    cargo nextest run --locked --no-fail-fast
  else
    cargo test --locked --no-fail-fast
  fi
}

mkdir -p target
step "tools 工具" bash deploy/tools.sh test
step "packages 软件包 (tests/needs.txt)" packages
step "peers 对端 (pymodbus)" peers
step "format 格式" cargo fmt --check
step "pages 页面: types, build" bash web/build.sh
step "pages 页面: unit tests" npm --prefix web test
step "lints 静态检查" cargo clippy --all-targets --locked -- -D warnings
step "build 构建" cargo test --no-run --locked
step "browser 浏览器测试" browser_tests
command -v cargo-nextest >/dev/null && step "documentation tests 文档测试" cargo test --doc --locked
printf '\n== so far 用时\n%s%6d s  total, before the Rust tests\n\n== tests 测试\n' "$steps" $((SECONDS - total))
rust_tests
