#!/usr/bin/env bash
# Makes a release's files in dist/: a wheel that needs nothing but glibc, the source archive, and their checksums.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench"
readonly TOOLS="$CACHE/tools/bin"
# The oldest glibc that the wheel runs on: that of RHEL 8, of 2018. Zig has the symbols of every version.
readonly GLIBC=2.28
readonly MATURIN="maturin[zig]==1.16.0"
ARCHITECTURE=$(uname -m)
readonly ARCHITECTURE
readonly TARGET="$ARCHITECTURE-unknown-linux-gnu"
readonly HWLOC="$CACHE/hwloc/$TARGET-glibc$GLIBC"
# maturin installs what is there into the environment's own folder.
readonly DATA="ftbench.data/data/share"

usage() {
  cat <<'END'
Make the files of a release in dist/: the wheel, the source archive, and SHA256SUMS.

usage: scripts/dist.sh [wheel|source]...      default: both

The wheel is for this machine's architecture. It has hwloc inside, built from the source package of Debian or Ubuntu
without udev and libxml2; HWLOC_SOURCE=FILE takes another archive of hwloc's sources. The compiler is Zig, so that the
wheel also runs on systems that are older than this one.
END
}

fail() {
  printf 'dist: %s\n' "$*" >&2
  exit 1
}

tool() { # command from the package of maturin, which brings Zig...
  "$TOOLS/uv" tool run --quiet --from "$MATURIN" "$@"
}

# --- hwloc ------------------------------------------------------------------------------------------------------------

distribution() { # a key of os-release -> its value
  # shellcheck disable=SC1091 # not there on every system
  (. /etc/os-release 2>/dev/null && printf '%s' "${!1:-}")
}

# Fetches the distribution's source of hwloc, whose signature apt verifies, with lists of our own, so that the machine's
# stay as they are.
fetch_hwloc() { # folder
  local mirror keyring own
  own=$(distribution VERSION_CODENAME)
  keyring="/usr/share/keyrings/$(distribution ID)-archive-keyring.gpg"
  # shellcheck disable=SC2016 # apt fills these in
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
    awk -v own="$own" '$2 == own || $3 == own { print $1; exit }')
  [[ -n $mirror ]] || fail "apt has no archive with hwloc's sources; give them with HWLOC_SOURCE=FILE"
  mkdir -p "$1/lists/partial"
  printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$own" >"$1/sources.list"
  local options=(-qq -o "Dir::Etc::SourceList=$1/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$1/lists" -o APT::Sandbox::User=root)
  (cd "$1" && apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only hwloc) >&2 ||
    fail "apt cannot fetch hwloc's sources; give them with HWLOC_SOURCE=FILE"
  find "$1" -name 'hwloc_*.orig.tar.*' ! -name '*.asc' | grep -m 1 .
}

build_hwloc() { # folder to work in
  local work=$1 source python
  [[ ! -f $HWLOC/lib/pkgconfig/hwloc.pc ]] || return 0
  source=${HWLOC_SOURCE:-$(fetch_hwloc "$work")}
  mkdir "$work/hwloc"
  tar --extract --file "$source" --directory "$work/hwloc" --strip-components 1
  python=$(tool python -c 'import sys; print(sys.executable)')
  # configure wants commands of one word.
  printf '#!/bin/sh\nexec %q -m ziglang cc -target %s-linux-gnu.%s "$@"\n' "$python" "$ARCHITECTURE" "$GLIBC" >"$work/cc"
  printf '#!/bin/sh\nexec %q -m ziglang ar "$@"\n' "$python" >"$work/ar"
  chmod +x "$work/cc" "$work/ar"
  (
    cd "$work/hwloc"
    ./configure --quiet CC="$work/cc" AR="$work/ar" --prefix="$HWLOC" --enable-static --disable-shared \
      --disable-io --disable-libxml2 --disable-cairo --disable-readme
    make --silent -C include install
    make --silent -C hwloc install
    mkdir -p "$HWLOC/lib/pkgconfig"
    cp hwloc.pc "$HWLOC/lib/pkgconfig/"
  ) >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "hwloc cannot be built (see above)"; }
}

# --- the files --------------------------------------------------------------------------------------------------------

build_wheel() { # folder
  PKG_CONFIG_PATH="$HWLOC/lib/pkgconfig" tool maturin build --quiet --release --zig --target "$TARGET" \
    --compatibility "manylinux_${GLIBC/./_}" --out "$1"
}

# Writes the manual and the completions, which only the program itself can, to where the wheel takes them from.
write_data() { # the program
  rm -rf "${DATA%/*/*}"
  mkdir -p "$DATA"/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
  "$1" man "$DATA/man/man1"
  # By name, because the wheel may be installed anywhere.
  (exec -a ftbench "$1" completions bash) >"$DATA/bash-completion/completions/ftbench"
  (exec -a ftbench "$1" completions zsh) >"$DATA/zsh/site-functions/_ftbench"
  (exec -a ftbench "$1" completions fish) >"$DATA/fish/vendor_completions.d/ftbench.fish"
}

make_wheel() { # folder to work in
  local first="$1/first"
  build_hwloc "$1"
  build_wheel "$first"
  python3 -m zipfile --extract "$first"/ftbench-*.whl "$first"
  chmod +x "$first"/ftbench-*.data/scripts/ftbench
  write_data "$first"/ftbench-*.data/scripts/ftbench
  build_wheel dist
}

make_source() { tool maturin sdist --out dist; }

main() {
  local part
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (($# > 0)) || set -- wheel source
  for part in "$@"; do
    case "$part" in
      -h | --help) usage; exit 0 ;;
      wheel | source) ;;
      *) fail "'$part' is not a part. The parts are wheel and source; see --help." ;;
    esac
  done
  rm -rf dist
  for part in "$@"; do "make_$part" "$work"; done
  (cd dist && sha256sum -- * >SHA256SUMS)
  ls -l dist >&2
}

main "$@"
