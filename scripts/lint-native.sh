#!/usr/bin/env bash
# Checks format and style of the Cargo packages that ftbench builds for each interpreter. Each has a workspace of its
# own, so cargo's commands for the repository's do not reach it. PyO3's build needs a Python that its newest
# series supports: PYO3_PYTHON, else the newest GIL build in the cache, else python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PACKAGES=(harness/embed workloads/extension/rust_extension)
readonly INTERPRETERS="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench/python"

newest=$(find "$INTERPRETERS" -path '*[0-9]/bin/python3.*[0-9]' 2>/dev/null | sort -V | tail -n 1 || true)
export PYO3_PYTHON="${PYO3_PYTHON:-${newest:-python3}}"

# cargo queries rustc through standard input, and clippy may mistake a file there for source code.
exec </dev/null

for package in "${PACKAGES[@]}"; do
  # Not inside the package, because the folder of the workloads' package is embedded in ftbench.
  target="${CARGO_TARGET_DIR:-$PWD/target}/native/$(basename "$package")"
  cargo fmt --manifest-path "$package/Cargo.toml" --check
  cargo clippy --manifest-path "$package/Cargo.toml" --target-dir "$target" --all-targets --locked -- -D warnings
done
