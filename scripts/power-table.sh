#!/usr/bin/env bash
# Prints the table of docs/nightly.md: the number of rounds that finds a slowdown of a given size. It is simulated in
# about a minute, and the same on every machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec cargo run --quiet --release --locked --package ftbench-analyse --example power_table
