#!/usr/bin/env bash
# Installs what ftbench needs to be built, run and tested: on Debian and Ubuntu through apt, elsewhere it names what to
# install. Prints one line and changes nothing when everything is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench"
readonly TOOLS="$CACHE/tools"
readonly REQUIREMENTS="scripts/tools-requirements.txt"

usage() {
  cat <<'END'
Install what ftbench needs to be built, run and tested.

usage: scripts/set-up.sh [packages] [rust] [tools] [browser] [slurm]      default: the first three

  packages   hwloc and udev headers, a C compiler, what CPython needs to build (apt; elsewhere: names what to install)
  rust       cargo with rustfmt and clippy, of at least the rust-version in Cargo.toml
  tools      uv, ruff, shellcheck, check-jsonschema and codespell from the Python index, in ~/.cache/ftbench/tools
  browser    Chromium and chromedriver, which the tests of the report drive (apt; elsewhere: names what to install)
  slurm      Slurm and MUNGE, which the tests of fleets start on the loopback address (apt; elsewhere: names them)
  -h, --help print this

Exit status: 0 everything is installed; 1 something is missing and the message says how to get it; 2 a wrong argument.
END
}

fail() {
  printf 'set-up: %s\n' "$*" >&2
  exit 1
}

say() { printf 'set-up: %s\n' "$*" >&2; }

is_there() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, or fails when that needs a password and there is no terminal to type it on.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo --non-interactive "$@"
  fi
}

apt_install() { # packages...
  local command="apt-get update && apt-get install --yes $*"
  if ((EUID != 0)) && ! is_there sudo; then
    fail "packages are missing and only root may install them. Run as root: $command"
  fi
  say "installing with apt: $*"
  {
    as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends "$@" >&2
  } || fail "apt could not install them. See its message above, then run as root: $command"
}

check_system() {
  local system
  system=$(uname -s)
  [[ $system == Linux ]] ||
    fail "ftbench runs on Linux only, and this is $system. Use a Linux machine or a virtual machine; on Windows, WSL 2."
}

# --- packages ---------------------------------------------------------------------------------------------------------

set_up_packages() {
  if is_there apt-get && is_there dpkg-query; then
    set_up_debian_packages
  else
    check_packages_elsewhere
  fi
}

set_up_debian_packages() {
  local wanted missing
  wanted=$(printf '%s\n' libhwloc-dev libudev-dev ca-certificates curl git python3 python3-venv)
  wanted+=$'\n'$(bash scripts/install-python.sh --build-packages | tr ' ' '\n')
  # shellcheck disable=SC2086 # a list of words
  missing=$(comm -23 <(sort <<<"$wanted") <(
    dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii *//p' | sort
  ))
  # shellcheck disable=SC2086 # a list of words
  [[ -z $missing ]] || apt_install $missing
}

check_packages_elsewhere() {
  local missing="" program libraries="hwloc libudev"
  for program in cc make pkg-config git python3; do
    is_there "$program" || missing+=" $program"
  done
  # shellcheck disable=SC2086 # a list of words
  if is_there pkg-config && ! pkg-config --exists $libraries; then
    missing+=" the headers of $libraries"
  fi
  [[ -z $missing ]] || fail "missing:$missing. Install these and run this again:
  Fedora           sudo dnf install gcc make pkgconf-pkg-config hwloc-devel systemd-devel git python3
  Arch             sudo pacman -S --needed base-devel hwloc systemd-libs git python"
}

# --- browser ----------------------------------------------------------------------------------------------------------

set_up_browser() {
  if [[ -n ${FTBENCH_SKIP_BROWSER_TESTS:-} ]]; then
    say "no browser, because FTBENCH_SKIP_BROWSER_TESTS is set: the tests of the report will be skipped"
    return
  fi
  local browser="" program
  for program in chromium chromium-browser google-chrome-stable google-chrome; do
    if is_there "$program"; then browser=$program; fi
  done
  if [[ -n $browser ]] && is_there chromedriver; then return; fi
  # Ubuntu's packages of these names install snaps, which a container cannot run.
  if is_there apt-get && ! grep -qs '^ID=ubuntu' /etc/os-release; then
    apt_install chromium chromium-driver
  else
    fail "missing: Chromium or Chrome with the chromedriver of the same version, for the tests of the report. Install them:
  Fedora           sudo dnf install chromium chromedriver
  Arch             sudo pacman -S --needed chromium
  elsewhere        https://googlechromelabs.github.io/chrome-for-testing/
  or set FTBENCH_SKIP_BROWSER_TESTS=1 and leave these tests to CI"
  fi
}

# --- slurm ------------------------------------------------------------------------------------------------------------

set_up_slurm() {
  if [[ -n ${FTBENCH_SKIP_SLURM_TESTS:-} ]]; then
    say "no Slurm, because FTBENCH_SKIP_SLURM_TESTS is set: the tests of fleets on Slurm will be skipped"
    return
  fi
  local path="$PATH:/usr/sbin:/sbin" program missing=""
  for program in sbatch slurmctld slurmd munged; do
    PATH=$path is_there "$program" || missing+=" $program"
  done
  [[ -n $missing ]] || return 0
  if is_there apt-get; then
    apt_install slurm-wlm munge
  else
    fail "missing:$missing, for the tests of fleets on Slurm. Install them:
  Fedora           sudo dnf install slurm slurm-slurmctld slurm-slurmd munge
  or set FTBENCH_SKIP_SLURM_TESTS=1 and leave these tests to CI"
  fi
}

# --- rust -------------------------------------------------------------------------------------------------------------

set_up_rust() {
  local wanted found
  export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin" # a fresh rustup is not on the PATH yet
  wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
  is_there cargo || install_rust "$wanted"
  found=$(cargo --version | cut -d ' ' -f 2)
  if [[ $(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1) != "$wanted" ]]; then
    fail "cargo is $found, ftbench needs $wanted or newer. Run 'rustup update stable', or install Rust from https://rustup.rs"
  fi
  if ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    { is_there rustup && rustup component add rustfmt clippy; } ||
      fail "cargo has no rustfmt or no clippy. Install both; with rustup: rustup component add rustfmt clippy"
  fi
}

install_rust() { # version wanted
  local advice="Install Rust $1 or newer from https://rustup.rs and run this again."
  is_there rustup || { is_there apt-cache && apt-cache show rustup >/dev/null 2>&1 && apt_install rustup; } ||
    fail "there is no cargo. $advice"
  say "installing the stable Rust toolchain with rustup"
  rustup default stable || fail "rustup could not install a toolchain (see above). $advice"
  is_there cargo || fail "rustup put no cargo on the PATH or in ~/.cargo/bin. $advice"
}

# --- tools ------------------------------------------------------------------------------------------------------------

set_up_tools() {
  local stamp="$TOOLS/requirements.txt" python=python3 candidate
  # The stamp is written last, so an interrupted installation does not count as finished.
  if cmp -s "$REQUIREMENTS" "$stamp" && [[ -x $TOOLS/bin/uv ]]; then return; fi
  # The distribution's own Python first, because shims of version managers may fail.
  for candidate in /usr/bin/python3 python3; do
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
  say "installing into $TOOLS: $(grep -v '^#' "$REQUIREMENTS" | tr '\n' ' ')"
  mkdir -p "$CACHE"
  if is_there flock; then
    exec 9>"$CACHE/tools.lock"
    flock 9
  fi
  "$python" -m venv --clear "$TOOLS" ||
    fail "$python cannot make a virtual environment in $TOOLS. Install Python 3.9 or newer with its venv module."
  "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$REQUIREMENTS" ||
    fail "pip could not install $REQUIREMENTS. See its message above; pip uses the machine's own configuration."
  cp "$REQUIREMENTS" "$stamp"
}

# ----------------------------------------------------------------------------------------------------------------------

main() {
  local part
  (($# > 0)) || set -- packages rust tools
  for part in "$@"; do
    case "$part" in
      -h | --help) usage; exit 0 ;;
      packages | rust | tools | browser | slurm) ;;
      *) printf "set-up: '%s' is not a part. The parts are packages, rust, tools, browser and slurm; see --help.\n" "$part" >&2; exit 2 ;;
    esac
  done
  check_system
  for part in "$@"; do "set_up_$part"; done
  say "everything is installed ($*)"
}

main "$@"
