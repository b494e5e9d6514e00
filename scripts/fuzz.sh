#!/usr/bin/env bash
# Runs the fuzz targets of harness/fuzz and prints a table with their inputs, rates, coverage and crashes.
#
#   scripts/fuzz.sh [--runs N | --seconds N] [--jobs N] [--keep FOLDER] [TARGET...]
#
#   --runs N      inputs for each target (default 20000)
#   --seconds N   time for each target, instead of a number of inputs
#   --jobs N      targets at once (default: half of the processors)
#   --keep FOLDER where new inputs, crashes and logs go (default: harness/fuzz/artifacts)
#
# Without TARGET, all targets run. Exit status: 0 no crash was found, 1 a crash was found, 2 wrong usage.
# The stable toolchain is sufficient: the code is safe Rust, so fuzzing needs coverage but no sanitizer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../harness/fuzz"

CARGO_FUZZ_VERSION=0.13.2
TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench/tools"
export PATH="$PATH:$TOOLS/bin:${CARGO_HOME:-$HOME/.cargo}/bin"

usage() {
  sed -n '2,12s/^# \{0,1\}//p' "$PWD/../../scripts/fuzz.sh" >&2
  exit 2
}

runs=20000 seconds='' jobs=$(($(nproc) / 2)) keep="$PWD/artifacts" targets=()
((jobs > 0)) || jobs=1
while (($# > 0)); do
  case $1 in
    --runs | --seconds | --jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
      case $1 in
        --runs) runs=$2 seconds='' ;;
        --seconds) seconds=$2 runs=-1 ;;
        --jobs) jobs=$2 ;;
      esac
      shift
      ;;
    --keep)
      [[ -n ${2:-} ]] || usage
      mkdir -p "$2"
      keep=$(cd "$2" && pwd)
      shift
      ;;
    -*) usage ;;
    *) targets+=("$1") ;;
  esac
  shift
done
known=()
for file in fuzz_targets/*.rs; do
  name=${file##*/}
  known+=("${name%.rs}")
done
((${#targets[@]} > 0)) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ -f fuzz_targets/$target.rs ]] || {
    echo "there is no target '$target'; the targets are: ${known[*]}" >&2
    exit 2
  }
done

if ! command -v cargo-fuzz >/dev/null; then
  echo "installing cargo-fuzz $CARGO_FUZZ_VERSION into $TOOLS" >&2
  cargo install --quiet --locked --version "$CARGO_FUZZ_VERSION" --root "$TOOLS" cargo-fuzz
fi
triple=$(rustc -vV | sed -n 's/^host: //p')
built="${CARGO_TARGET_DIR:-$PWD/target}"
# -O leaves overflow checks to the profile, which excludes hwlocality's: see Cargo.toml.
build=(cargo fuzz build -O --sanitizer none --fuzz-dir .)
# A fuzzer that traces comparisons finds the words of a language. These two have none to find: the bytes of one choose
# among values, and the other's language is parsed by libhwloc. Tracing would take half of their time.
blind=(analysis hwloc_synthetic)
is_blind() { [[ " ${blind[*]} " == *" $1 "* ]]; }
program_of() {
  local folder=$built
  ! is_blind "$1" || folder=$built/blind
  echo "$folder/$triple/release/$1"
}
for target in "${targets[@]}"; do
  if is_blind "$target"; then
    "${build[@]}" --no-trace-compares --target-dir "$built/blind" "$target" >&2
  else
    "${build[@]}" --target-dir "$built" "$target" >&2
  fi
done

# Runs one target's program, for xargs. Its log has all that the table needs.
# shellcheck disable=SC2329
fuzz_one() {
  local target=$1 program=$2
  mkdir -p "$keep/$target/found" "$keep/$target/crashes"
  # Short limits for targets that parse words, which gives ten times as many inputs in the same time.
  local longest_bytes=4096
  case $target in
    callable | options | requirement | tag) longest_bytes=192 ;;
    run_folder | summary) longest_bytes=8192 ;;
    # A byte, and EDIT_BYTES for each of MAX_EDITS (harness/fuzzing/src/edited_run.rs).
    analysis) longest_bytes=49 ;;
    command_line | foreign_text | hwloc_synthetic | installer | pattern | selection) longest_bytes=512 ;;
  esac
  # A slow input counts as a crash after 25 s.
  local limits=(-max_len="$longest_bytes" -timeout=25 -rss_limit_mb=3072 -malloc_limit_mb=1024)
  local until=(-runs="$runs")
  [[ -z $seconds ]] || until=(-max_total_time="$seconds")
  # New inputs go into the first folder; the repository's corpus is only read.
  "$program" "$keep/$target/found" "corpus/$target" "${limits[@]}" "${until[@]}" -seed=1 \
    -print_final_stats=1 -artifact_prefix="$keep/$target/crashes/" >"$keep/$target/log" 2>&1 || true
}
export -f fuzz_one
export keep runs seconds
# libhwloc would fill the logs with an error for each description, and load its plugins for each.
export HWLOC_HIDE_ERRORS=2 HWLOC_PLUGINS_PATH=/nonexistent
# The scheduling of threads is random, which a fuzzer would mistake for new coverage.
export RAYON_NUM_THREADS=1
# Some targets write their input to a file and read it back, which a disk would slow down.
if [[ -w /dev/shm ]]; then
  TMPDIR=$(mktemp -d /dev/shm/ftbench-fuzz.XXXXXX)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
# shellcheck disable=SC2016
for target in "${targets[@]}"; do
  printf '%s\0%s\0' "$target" "$(program_of "$target")"
done | xargs -0 -n 2 -P "$jobs" bash -c 'fuzz_one "$1" "$2"' fuzz_one

faults=()
printf '%-16s %12s %10s %8s %8s\n' target inputs 'inputs/s' coverage crashes
for target in "${targets[@]}"; do
  log="$keep/$target/log"
  number() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
  inputs=$(number number_of_executed_units)
  rate=$(number average_exec_per_sec)
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  crashes=$(find "$keep/$target/crashes" -type f | wc -l)
  printf '%-16s %12s %10s %8s %8s\n' "$target" "${inputs:--}" "${rate:--}" "${coverage:--}" "$crashes"
  if ((crashes > 0)); then
    faults+=("$target: see $keep/$target/crashes, and replay an input with: $(program_of "$target") FILE")
  elif [[ -z $inputs ]]; then
    faults+=("$target: see $log")
  fi
done
((${#faults[@]} == 0)) && exit 0
printf '%s\n' "${faults[@]}" >&2
exit 1
