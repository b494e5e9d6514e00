#!/usr/bin/env bash
# Prints the table of docs/nightly.md: how many rounds find how small a slowdown. By simulation, in a minute or so, and the
# same on every machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec cargo run --quiet --release --locked --package ftbench-analyse --example power_table
