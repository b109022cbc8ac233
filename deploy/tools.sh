#!/usr/bin/env bash
# Says in one line what is missing to build Anlan, or where cargo puts the program.
#   tools.sh run | test | pages    checks the tools of that target
#   tools.sh binary debug|release  prints the path of the built program
set -euo pipefail

missing() { echo "anlan: $1" >&2; exit 1; }

need_rust() {
  command -v cargo >/dev/null || missing "Rust is missing: install it with rustup (https://rustup.rs); the version is pinned in rust-toolchain.toml. 缺少 Rust：请用 rustup 安装。"
  command -v cc >/dev/null || missing "a C compiler is missing: apt-get install build-essential. 缺少 C 编译器。"
  cargo --version >/dev/null 2>&1 || missing "cargo does not start: run \"rustup toolchain install\" in this folder. 请在此目录运行 rustup toolchain install。"
}

need_rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 ||
    missing "rustfmt or clippy is missing: rustup component add rustfmt clippy. 缺少 rustfmt 或 clippy。"
}

need_node() {
  local asked="Node.js 20.19 or newer is missing: install it from https://nodejs.org. 缺少 Node.js（不低于 20.19）。"
  command -v node >/dev/null && command -v npm >/dev/null || missing "$asked"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    missing "$asked Found $(node --version)."
}

case "${1:-}" in
  run) need_rust; need_node ;;
  test) need_rust; need_rust_components; need_node ;;
  pages) need_node ;;
  binary)
    target=$(cargo metadata --format-version 1 --no-deps --locked |
      node -e 'let text = ""; process.stdin.on("data", d => text += d).on("end", () => console.log(JSON.parse(text).target_directory))')
    echo "$target/${2:?debug or release}/anlan" ;;
  *) missing "usage: tools.sh run|test|pages|binary debug|release" ;;
esac
