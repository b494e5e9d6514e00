#!/usr/bin/env bash
# Checks format and style of the Cargo packages that ftbench builds for each interpreter. Each has a workspace of its
# own, so cargo's commands for the repository's do not reach it. PyO3's build needs some Python that its newest
# series takes: PYO3_PYTHON, else the newest GIL build in the cache, else python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PACKAGES=(harness/embed workloads/extension/rust_extension)
readonly INTERPRETERS="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench/python"

newest=$(find "$INTERPRETERS" -path '*[0-9]/bin/python3.*[0-9]' 2>/dev/null | sort -V | tail -n 1 || true)
export PYO3_PYTHON="${PYO3_PYTHON:-${newest:-python3}}"

# cargo asks rustc about the target through standard input, which clippy may find to be a file of somebody's.
exec </dev/null

for package in "${PACKAGES[@]}"; do
  # Not below the package: the folder of the workloads' one is embedded in ftbench.
  target="${CARGO_TARGET_DIR:-$PWD/target}/native/$(basename "$package")"
  cargo fmt --manifest-path "$package/Cargo.toml" --check
  cargo clippy --manifest-path "$package/Cargo.toml" --target-dir "$target" --all-targets --locked -- -D warnings
done
