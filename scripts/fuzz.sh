#!/usr/bin/env bash
# Runs the fuzz targets of harness/fuzz and prints a table of what they tried and found.
#
#   scripts/fuzz.sh [--runs N | --seconds N] [--jobs N] [--keep FOLDER] [TARGET...]
#
#   --runs N      inputs for each target (default 20000)
#   --seconds N   time for each target instead
#   --jobs N      targets at once (default: half of the processors)
#   --keep FOLDER where new inputs, crashes and logs go (default: harness/fuzz/artifacts)
#
# Without TARGET, all of them. Exit status: 0 nothing was found, 1 something was, 2 wrong usage.
# The stable toolchain will do: what is fuzzed is safe Rust, so coverage is needed and a sanitizer is not.
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
    echo "there is no target '$target'; there are: ${known[*]}" >&2
    exit 2
  }
done

if ! command -v cargo-fuzz >/dev/null; then
  echo "installing cargo-fuzz $CARGO_FUZZ_VERSION into $TOOLS" >&2
  cargo install --quiet --locked --version "$CARGO_FUZZ_VERSION" --root "$TOOLS" cargo-fuzz
fi
triple=$(rustc -vV | sed -n 's/^host: //p')
built="${CARGO_TARGET_DIR:-$PWD/target}"
# -O leaves checks of overflow to the profile, which keeps hwlocality's own out of it: see Cargo.toml.
build=(cargo fuzz build -O --sanitizer none --fuzz-dir .)
# A fuzzer that sees what is compared finds the words of a language. These two have none to find: the bytes of one
# choose among values, the language of the other is libhwloc's; and seeing takes half of their time.
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

# One target and its program, for xargs: its log tells all that the table needs.
# shellcheck disable=SC2329
fuzz_one() {
  local target=$1 program=$2
  mkdir -p "$keep/$target/found" "$keep/$target/crashes"
  # Words stay as short as words are, which makes ten times as many inputs in the same time.
  local longest_bytes=4096
  case $target in
    callable | options | requirement | tag) longest_bytes=192 ;;
    run_folder | summary) longest_bytes=8192 ;;
    # A byte, and EDIT_BYTES for each of MOST_EDITS (harness/fuzzing/src/edited_run.rs).
    analysis) longest_bytes=49 ;;
    command_line | foreign_text | hwloc_synthetic | installer | pattern | selection) longest_bytes=512 ;;
  esac
  # Those that take long are told as such.
  local limits=(-max_len="$longest_bytes" -timeout=25 -rss_limit_mb=3072 -malloc_limit_mb=1024)
  local until=(-runs="$runs")
  [[ -z $seconds ]] || until=(-max_total_time="$seconds")
  # The first folder gets new inputs, the repository's corpus is only read.
  "$program" "$keep/$target/found" "corpus/$target" "${limits[@]}" "${until[@]}" -seed=1 \
    -print_final_stats=1 -artifact_prefix="$keep/$target/crashes/" >"$keep/$target/log" 2>&1 || true
}
export -f fuzz_one
export keep runs seconds
# libhwloc would fill the logs with its opinion of each description, and load its plugins for each.
export HWLOC_HIDE_ERRORS=2 HWLOC_PLUGINS_PATH=/nonexistent
# Which thread does what is chance, which a fuzzer would take for news.
export RAYON_NUM_THREADS=1
# Some targets write their input to a file and read it back; a disk would be what is measured then.
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
