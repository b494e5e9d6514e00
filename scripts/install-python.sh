#!/usr/bin/env bash
# Installs CPython builds for ftbench: ready-made through uv, else built from the distribution's own source package.
#
# This file is embedded in the ftbench binary (`ftbench python install` runs it), so it depends on no other file. All
# code is in functions, so that bash reads the whole script before it starts, even from standard input.
set -uo pipefail

readonly FIRST_FREE_THREADED_MINOR=13
# The packages that a build of CPython with its usual standard library needs, by their names in Debian and Ubuntu.
readonly BUILD_PACKAGES="build-essential pkgconf xz-utils libssl-dev zlib1g-dev libffi-dev libbz2-dev liblzma-dev \
libzstd-dev libsqlite3-dev libreadline-dev libncurses-dev uuid-dev"
readonly SMOKE_TEST_MODULES="ssl sqlite3 zlib ctypes lzma bz2 hashlib multiprocessing readline uuid ensurepip"
# How long uv may wait for data from the network, in seconds. It limits each pause, so a slow download continues.
readonly UV_SILENCE_S=15

# The same locations as in ftbench.
readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench"
readonly NO_UV="there is no uv on the PATH, nor in $CACHE/tools."
readonly BUILT_FOLDER="$CACHE/python"
readonly UV_FOLDER="${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}"
# On the same file system as BUILT_FOLDER, so that a finished build appears there by one rename.
readonly WORK_FOLDER="$CACHE/python-build"

usage() {
  cat <<'END'
Install CPython builds for ftbench, free-threaded ones included.

usage: install-python.sh TAG...
       install-python.sh --newest-pair

  TAG              3.14, 3.14t (free-threaded), or an exact version: 3.14.2, 3.14.2t, 3.15.0rc1
  --newest-pair    a GIL and a free-threaded build of the same version: the newest pair that is installed already, else
                   the newest release that uv or the distribution's sources list, else the one before it, and so on
  --build-packages print the Debian packages that a build from source needs
  -h, --help       print this

uv is asked first. Where it cannot deliver, Debian and Ubuntu build from their own source package (about 5 minutes of
one core for each build) into ~/.cache/ftbench/python. Installed builds are left alone. Progress goes to stderr; the
last line for each tag, on stdout, is the tag and the path of its executable.

A tag such as 3.15 means a pre-release only as long as no release of it is listed, and --newest-pair never does. An
exact version, such as 3.15.0rc1, means that version.

Exit status: 0 all are installed; 1 a build cannot be installed; 2 a wrong tag or option; 130 interrupted.
END
}

# --- Messages ---------------------------------------------------------------------------------------------------------

fail() { printf 'install-python: %s\n' "$*" >&2; }

say() { printf '%s  %s\n' "$1" "$2" >&2; } # tag, message

duration() { # seconds -> "2 min 14 s"
  if (($1 >= 60)); then printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

child=""
line_open=false

# Runs a command as one step, with its output in a log and one line of progress. It runs in the background, because bash
# handles a signal only between commands, or while it waits. `failure` in the environment is the message when it fails.
step() { # tag, label, log, command...
  local tag=$1 label=$2 log=$3 started=$SECONDS status
  shift 3
  printf '%s  %s ... ' "$tag" "$label" >&2
  line_open=true
  "$@" >>"$log" 2>&1 &
  child=$!
  wait "$child"
  status=$?
  child=""
  line_open=false
  if ((status == 0)); then
    printf '%s\n' "$(duration $((SECONDS - started)))" >&2
  else
    printf '%s\n' "${failure:-failed after $(duration $((SECONDS - started)))}" >&2
  fi
  return "$status"
}

# shellcheck disable=SC2329 # the trap calls it
interrupted() {
  [[ -n $child ]] && kill -TERM "$child" 2>/dev/null && wait "$child" 2>/dev/null
  $line_open && printf '\n' >&2
  fail "interrupted. Finished builds are kept; run the same command again to continue."
  exit 130
}

# --- Tags -------------------------------------------------------------------------------------------------------------

# Splits a tag into the globals `version` ("3.13" or "3.13.15"), `series` ("3.13") and `suffix` ("t" or "").
parse_tag() {
  version=${1%t}
  suffix=${1#"$version"}
  series=$(printf '%s' "$version" | cut -d. -f1,2)
}

check_tag() {
  if [[ $1 == *+gil || $1 == *+jit ]]; then
    fail "'$1' is a build run with a switch, not a build of its own. Install ${1%+*}."
    return 2
  fi
  if [[ ! $1 =~ ^3\.([0-9]+)(\.[0-9]+((a|b|rc)[0-9]+)?)?t?$ ]]; then
    fail "'$1' is not a tag that can be installed. Give one like 3.14, 3.14t, 3.14.2t or 3.15.0rc1."
    return 2
  fi
  if [[ $1 == *t ]] && ((BASH_REMATCH[1] < FIRST_FREE_THREADED_MINOR)); then
    fail "'$1': CPython has free-threaded builds from 3.$FIRST_FREE_THREADED_MINOR on; ask for ${1%t}, or for no tag \
to get the newest pair."
    return 2
  fi
}

# --- Releases and pre-releases ----------------------------------------------------------------------------------------

# Sorts lines that begin with versions from new to old: 3.15.0, then 3.15.0rc1, 3.15.0b1 and 3.15.0a1.
newest_first() { sed -E 's/^([0-9.]+)(a|b|rc)/\1~\2/' | sort -rV -u | sed -E 's/^([0-9.]+)~/\1/'; }

# Keeps the lines that begin with a version that is a release.
releases() { grep -E '^[0-9]+(\.[0-9]+)+( |$)'; }

is_pre_release() { [[ $1 =~ [0-9](a|b|rc)[0-9] ]]; } # version or tag

only_releases=false # whether pre-releases of the requested series are excluded
listed=""           # the best that uv or the archive lists of it: "", "pre-release" or "release"

note_listed() { # lines that begin with versions
  if releases <<<"$1" >/dev/null; then listed=release; elif [[ -n $1 && -z $listed ]]; then listed=pre-release; fi
}

# --- Installed builds -------------------------------------------------------------------------------------------------

# Prints the version of an executable, if it works and is a build of the requested kind.
answering_version() { # path, suffix
  "$1" -I -c 'import sys, sysconfig
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
sys.exit(1) if free_threaded != (sys.argv[1] == "t") else print(sys.version.split()[0].rstrip("+"))' "$2" 2>/dev/null
}

# Prints "version origin path" for each installed build of a tag, newest version first.
list_there() { # tag
  local version series suffix folder path origin answer
  parse_tag "$1"
  for folder in "$UV_FOLDER"/cpython-"$series".* "$BUILT_FOLDER/$series".*; do
    path="$folder/bin/python$series$suffix"
    case "$folder" in
      */cpython-*+freethreaded-*) [[ $suffix == t ]] || continue ;;
      */cpython-*+*) continue ;; # a debug build
      */cpython-* | *[!t]) [[ -z $suffix ]] || continue ;;
      *) [[ $suffix == t ]] || continue ;;
    esac
    [[ -x $path ]] || continue
    origin=built
    [[ $folder == "$UV_FOLDER"/* ]] && origin=uv
    answer=$(answering_version "$path" "$suffix") || continue
    [[ $version == "$series" || $version == "$answer" ]] || continue
    printf '%s %s %s\n' "$answer" "$origin" "$path"
  done | newest_first
}

# The installed builds of a tag, without pre-releases while these are excluded.
list_wanted_there() { # tag
  if $only_releases; then list_there "$1" | releases; else list_there "$1"; fi
}

# Prints the path of the newest installed build of a tag.
path_there() { list_wanted_there "$1" | head -n 1 | cut -d ' ' -f 3- | grep .; }

# Prints the series with installed builds that can be free-threaded, newest first.
list_series_there() {
  local folder
  for folder in "$UV_FOLDER"/cpython-3.* "$BUILT_FOLDER"/3.*; do
    printf '%s\n' "${folder##*/}"
  done | sed -nE 's/^(cpython-)?(3\.[0-9]+)\..*/\2/p' | can_be_free_threaded
}

# Keeps versions, or series, that have free-threaded builds; newest first.
can_be_free_threaded() { awk -F '[. ]' -v first="$FIRST_FREE_THREADED_MINOR" '$2 >= first' | newest_first; }

# Prints "tag path" for both builds of the newest installed pair: releases of the same version and origin.
list_pair_there() {
  local series answer origin path twin
  while read -r series; do
    while read -r answer origin path; do
      twin=$(list_there "${answer}t" |
        awk -v origin="$origin" '$2 == origin { sub(/^[^ ]+ [^ ]+ /, ""); print; exit }')
      if [[ -n $twin ]]; then
        printf '%s %s\n%st %s\n' "$series" "$path" "$series" "$twin"
        return 0
      fi
    done < <(list_there "$series" | releases)
  done < <(list_series_there)
  return 1
}

# --- Through uv -------------------------------------------------------------------------------------------------------

uv_verdict="" # the reason why uv cannot reach what it needs; uv is not tried again then
reason=""     # why the last attempt failed

find_uv() {
  local candidate
  for candidate in uv "$CACHE/tools/bin/uv"; do
    "$candidate" --version >/dev/null 2>&1 && printf '%s' "$candidate" && return 0
  done
  return 1
}

# Prints the versions that uv lists for this machine, newest first, each followed by a t for its free-threaded build.
# The list comes with uv and needs no network. An old uv may not know the option; then nothing is listed.
list_uv() {
  local uv
  uv=$(find_uv) || return 1
  "$uv" python list --only-downloads --color never 2>/dev/null |
    sed -nE 's/^cpython-(3\.[0-9]+\.[0-9]+((a|b|rc)[0-9]+)?)(\+freethreaded)?-[^+ ]*( .*)?$/\1 \4/p' |
    sed 's/+freethreaded/t/' | newest_first
}

# Prints the releases of which uv lists both builds, newest first.
list_uv_pairs() {
  local listed
  listed=$(list_uv | releases)
  comm -12 <(awk '$2 == "" { print $1 }' <<<"$listed" | sort -u) \
    <(awk '$2 == "t" { print $1 }' <<<"$listed" | sort -u) | can_be_free_threaded
}

get_through_uv() { # tag
  local version series suffix uv log request listed_here
  if [[ -n $uv_verdict ]]; then
    reason=$uv_verdict
    return 1
  fi
  if ! uv=$(find_uv); then
    uv_verdict=$NO_UV
    reason=$uv_verdict
    return 1
  fi
  parse_tag "$1"
  request="$version"
  if [[ $version == "$series" ]]; then
    listed_here=$(list_uv |
      awk -v series="$series." -v suffix="$suffix" 'index($1, series) == 1 && $2 == suffix { print $1 }')
    note_listed "$listed_here"
    if $only_releases && [[ $listed == pre-release ]]; then
      reason="it lists only pre-releases of $1: ${listed_here//$'\n'/, }."
      return 1
    fi
    # uv gets the whole version, because an installed pre-release would satisfy a series.
    $only_releases && listed_here=$(releases <<<"$listed_here")
    [[ -z $listed_here ]] || request=${listed_here%%$'\n'*}
  fi
  [[ $suffix == t ]] && request+="+freethreaded"
  log="$WORK_FOLDER/uv.$$.log"
  { mkdir -p "$WORK_FOLDER" && : >"$log"; } || { reason="cannot write in $WORK_FOLDER."; return 1; }
  if step "$1" "asking uv" "$log" env UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-0}" \
    UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-$UV_SILENCE_S}" \
    UV_HTTP_CONNECT_TIMEOUT="${UV_HTTP_CONNECT_TIMEOUT:-$UV_SILENCE_S}" \
    "$uv" python install --no-bin --no-progress --color never "$request"; then
    rm -f "$log"
    path_there "$1" >/dev/null && return 0
    reason="uv says that it installed $request, but no working build is in $UV_FOLDER."
    return 1
  fi
  # uv's outermost error says what, its innermost cause says why.
  reason=$(awk '/^error:/ { sub(/^error: */, ""); what = $0 } /^ +(cause|Caused by):/ { sub(/^ +[^:]+: */, ""); why = $0 }
    END { print what (why == "" ? "" : ": " why) }' "$log")
  [[ -n $reason ]] || reason=$(tail -n 1 "$log")
  grep -qi 'no download found' "$log" || uv_verdict=$reason
  rm -f "$log"
  say "$1" "uv cannot deliver it: $reason"
  return 1
}

# --- From the distribution's source package ---------------------------------------------------------------------------

apt_state=""   # "", "ready", or why the source packages cannot be reached
apt_trouble="" # what apt said when it could not fetch all the indexes

distribution() { # a key of os-release -> its value
  # shellcheck disable=SC1091 # not there on every system
  (. /etc/os-release 2>/dev/null && printf '%s' "${!1:-}")
}

# Checks that a build could work here, before anything is fetched.
can_build() {
  local missing
  case "$(distribution ID)" in
    debian | ubuntu) ;;
    *)
      reason="only Debian's and Ubuntu's are known to ftbench. Give uv network access, or use pyenv, or give ftbench an \
interpreter with --python PATH."
      return 1
      ;;
  esac
  # shellcheck disable=SC2086 # a list of words
  missing=$(comm -23 <(printf '%s\n' $BUILD_PACKAGES | sort) \
    <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $BUILD_PACKAGES 2>/dev/null | sed -n 's/^ii *//p' | sort))
  if [[ -n $missing ]]; then
    reason="a build needs packages that are missing. Install them with: apt-get install ${missing//$'\n'/ }"
    return 1
  fi
}

# Points apt at a configuration of our own, so that the machine's sources and lists stay as they are. The machine's
# way to the network (proxies, certificates) is taken over; its hooks, which run after updates, are not.
configure_apt() {
  local mirror keyring suite own
  own=$(distribution VERSION_CODENAME)
  keyring="/usr/share/keyrings/$(distribution ID)-archive-keyring.gpg"
  # shellcheck disable=SC2016 # apt fills these in
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CODENAME)' 'Created-By: Packages' |
    awk -v own="$own" '$2 == own || $3 == own { print $1; exit }')
  [[ -n $mirror ]] || { apt_state="apt has no archive configured for the suite '$own'."; return 1; }
  mkdir -p "$WORK_FOLDER"/apt/{lists/partial,cache/archives/partial,empty} || return 1
  for suite in $(printf '%s\n' "$own" "${source_suites[@]}" | sort -u); do
    printf 'deb-src %s%s %s main\n' "$([[ -r $keyring ]] && printf '[signed-by=%s] ' "$keyring")" "$mirror" "$suite"
  done >"$WORK_FOLDER/apt/sources.list"
  {
    apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
    cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$WORK_FOLDER/apt/empty";
Dir::Etc::sourcelist "$WORK_FOLDER/apt/sources.list";
Dir::Etc::sourceparts "$WORK_FOLDER/apt/empty";
Dir::State::lists "$WORK_FOLDER/apt/lists";
Dir::Cache "$WORK_FOLDER/apt/cache";
Acquire::Languages "none";
Acquire::GzipIndexes "true"; // a third of the space
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
APT::Sandbox::User "root"; // the sandbox's user cannot write in a private cache folder
END
  } >"$WORK_FOLDER/apt/apt.conf"
}

private_apt() { # program, arguments...
  APT_CONFIG="$WORK_FOLDER/apt/apt.conf" "$@"
}

source_suites=()

# Fetches the indexes of the source packages, whose signatures apt verifies. Once in a call.
prepare_apt() { # tag
  [[ -z $apt_state ]] || { [[ $apt_state == ready ]]; return; }
  [[ $(distribution ID) == debian ]] && source_suites=(stable testing unstable)
  configure_apt || { reason=${apt_state:-"cannot write in $WORK_FOLDER."}; apt_state=$reason; return 1; }
  : >"$WORK_FOLDER/apt.log"
  # A missing suite makes apt fail although it fetched the others, so only the list afterwards counts.
  step "$1" "looking for source packages" "$WORK_FOLDER/apt.log" \
    env APT_CONFIG="$WORK_FOLDER/apt/apt.conf" apt-get update -qq \
    -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10
  apt_trouble=$(grep -m 1 '^[EW]:' "$WORK_FOLDER/apt.log")
  apt_state=ready
}

# Prints the series that the indexes list sources of and that have free-threaded builds, newest first. apt-cache would
# have to be given the names.
list_source_series() {
  # shellcheck disable=SC2016 # apt fills it in
  private_apt apt-get indextargets --format '$(FILENAME)' 'Created-By: Sources' 2>/dev/null |
    while read -r file; do /usr/lib/apt/apt-helper cat-file "$file"; done 2>/dev/null |
    sed -nE 's/^Package: python(3\.[0-9]+)$/\1/p' | can_be_free_threaded
}

# Prints "upstream-version sha256 file package-version" for each source of a series, newest first.
list_sources() { # series
  private_apt apt-cache showsrc --only-source "python$1" 2>/dev/null | awk '
    function flush() { if (file != "") print upstream, sum, file, package; file = "" }
    /^$/ { flush() }
    /^[^ ]/ { field = $1 }
    $1 == "Version:" { package = upstream = $2; sub(/-[^-]*$/, "", upstream); gsub(/~/, "", upstream) }
    field == "Checksums-Sha256:" && $3 ~ /\.orig\.tar\.xz$/ { sum = $1; file = $3 }
    END { flush() }' | newest_first
}

verified() { # file, sha256
  [[ -f $1 ]] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status
}

# Fetches the newest source of a tag that can be downloaded (an index may list what its archive no longer serves). The
# source that its twin was built from comes before all others, so that the two can be compared. Sets `tarball` to its
# path and `source_version` to its version.
fetch_source() { # tag
  local version series suffix twin sources sum file package downloads="$WORK_FOLDER/downloads" attempted=""
  parse_tag "$1"
  prepare_apt "$1" || { reason=$apt_state; return 1; }
  mkdir -p "$downloads/partial" || { reason="cannot write in $downloads."; return 1; }
  twin=$series
  [[ -z $suffix ]] && twin="${series}t"
  twin=$(list_there "$twin" | awk '$2 == "built" { print $1; exit }')
  sources=$(list_sources "$series")
  if $only_releases; then
    note_listed "$sources"
    sources=$(releases <<<"$sources")
  fi
  while read -r source_version sum file package; do
    [[ $version == "$series" || $version == "$source_version" ]] || continue
    tarball="$downloads/$file"
    verified "$tarball" "$sum" && return 0
    (cd "$downloads/partial" && rm -f ./*) || return 1
    failure="listed, but cannot be fetched" step "$1" "fetching the source of $source_version" "$WORK_FOLDER/apt.log" \
      env -C "$downloads/partial" APT_CONFIG="$WORK_FOLDER/apt/apt.conf" \
      apt-get source -qq --download-only --tar-only "python$series=$package"
    if verified "$downloads/partial/$file" "$sum"; then
      mv "$downloads/partial/$file" "$tarball" && return 0
    fi
    attempted="$attempted $source_version"
  done < <(awk -v twin="$twin" 'NF && $1 == twin { print; next } NF { rest = rest $0 "\n" }
    END { printf "%s", rest }' <<<"$sources")
  if [[ -n $attempted ]]; then
    reason="listed but could not be fetched:$attempted. See $WORK_FOLDER/apt.log."
  else
    reason="no source package of $version is listed in the suites $(awk '{ printf "%s ", $(NF - 1) }' \
      "$WORK_FOLDER/apt/sources.list")of the archive that apt uses.\
${apt_trouble:+ apt said: $apt_trouble}"
  fi
  return 1
}

# Imports the modules that a build may silently lack, and checks that it is the requested build.
# shellcheck disable=SC2329 # step calls it
smoke_test() { # executable, version, suffix
  [[ $(answering_version "$1" "$3") == "$2" ]] || { echo "the build does not report the version $2$3"; return 1; }
  # shellcheck disable=SC2086 # a list of words
  "$1" -I -c 'import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)' $SMOKE_TEST_MODULES
}

build_failed() { # log
  reason="the build of $source_version failed; its log is $1. The last lines:
$(tail -n 15 "$1" | sed 's/^/    /')"
  return 1
}

# Builds `tarball` and renames the result into place. Both kinds of build get the same options, save --disable-gil; the
# interpreter is not shared, because a shared libpython makes it slower.
build() { # tag; the lock is held
  local version series suffix name prefix tree stage log options cores
  # A command dies with this script even when that is killed, so it does not keep running beside the next one.
  local -a tied=(setpriv --pdeathsig KILL)
  parse_tag "$1"
  name="$source_version$suffix"
  prefix="$BUILT_FOLDER/$name"
  tree="$WORK_FOLDER/$name/tree"
  stage="$WORK_FOLDER/$name/stage"
  log="$WORK_FOLDER/$name.log"
  options=(--prefix="$prefix" --with-ensurepip=install --disable-test-modules)
  [[ $suffix == t ]] && options+=(--disable-gil)
  cores=$(nproc)
  # Files of a killed build are not reused, because a compiler killed while it writes leaves a file that looks finished.
  { rm -rf "${WORK_FOLDER:?}/$name" && mkdir -p "$tree" "$BUILT_FOLDER" && : >"$log"; } ||
    { reason="cannot write in $CACHE."; return 1; }
  unset CFLAGS CPPFLAGS LDFLAGS OPT MAKEFLAGS MAKELEVEL MFLAGS PYTHONHOME PYTHONPATH DESTDIR
  {
    step "$name" "unpacking" "$log" "${tied[@]}" tar -xf "$tarball" -C "$tree" --strip-components=1 &&
      step "$name" "configuring" "$log" env -C "$tree" "${tied[@]}" ./configure -q "${options[@]}" &&
      step "$name" "building (about $(((3 + cores) / cores)) min)" "$log" "${tied[@]}" make -C "$tree" -s -j "$cores" &&
      step "$name" "installing" "$log" "${tied[@]}" make -C "$tree" -s install DESTDIR="$stage" &&
      step "$name" "trying it" "$log" smoke_test "$stage$prefix/bin/python$series$suffix" "$source_version" "$suffix"
  } || { build_failed "$log"; return 1; }
  # An installation at this place did not work, or this build would not have been made.
  { rm -rf "$prefix" && mv -T "$stage$prefix" "$prefix"; } || { reason="cannot write in $BUILT_FOLDER."; return 1; }
  rm -rf "${WORK_FOLDER:?}/$name" "$log"
}

get_from_source() { # tag
  local status=1
  can_build || return 1
  { mkdir -p "$WORK_FOLDER" && exec 9>"$WORK_FOLDER/lock"; } || { reason="cannot write in $WORK_FOLDER."; return 1; }
  if ! flock --nonblock 9; then
    say "$1" "waiting for another build ($WORK_FOLDER/lock is held) ..."
    flock 9 &
    child=$!
    wait "$child"
    child=""
  fi
  # Another one may have built it while this one waited.
  if list_wanted_there "$1" | grep -q '^[^ ]* built ' || { fetch_source "$1" && build "$1"; }; then status=0; fi
  exec 9>&-
  return "$status"
}

# --- Requests ---------------------------------------------------------------------------------------------------------

cannot_be_installed() { # what, uv's reason, the source package's reason
  local known next
  fail "$1 cannot be installed."
  known=$({ list_uv | cut -d ' ' -f 1; [[ $apt_state == ready ]] && list_source_versions; } | releases | newest_first)
  if [[ -z $known ]]; then
    next="install uv, or a newer one (https://docs.astral.sh/uv), or give apt network access, and run this again"
  elif [[ -n $listed ]]; then
    next="give uv or apt network access and run this again, or ask for another version"
  else
    next="ask for a listed version: ${known//$'\n'/, }"
  fi
  printf '  uv: %s\n  source package: %s\n  next: %s; or give ftbench an interpreter that you have with -p PATH\n' \
    "$2" "$3" "$next" >&2
}

# Prints the versions that the indexes of source packages list.
list_source_versions() {
  local series
  while read -r series; do list_sources "$series" | cut -d ' ' -f 1; done < <(list_source_series)
}

get() { # tag; leaves the reasons in `uv_reason` and `reason`
  get_through_uv "$1" && return 0
  uv_reason=$reason
  get_from_source "$1"
}

install_tag() { # tag
  local version series suffix there uv_reason
  parse_tag "$1"
  listed=""
  only_releases=false
  there=$(list_there "$1" | head -n 1)
  if [[ $version == "$series" ]] && { [[ -z $there ]] || is_pre_release "${there%% *}"; }; then
    only_releases=true
  elif [[ -n $there ]]; then
    printf '%s  already installed: %s\n' "$1" "${there#* * }"
    return 0
  fi
  if ! get "$1"; then
    if $only_releases && [[ -n $there ]]; then
      keep_pre_release "$1" "$there"
      return
    fi
    # A pre-release is installed only when no release is listed.
    if [[ $listed != pre-release ]] || ! get_pre_release "$1"; then
      cannot_be_installed "$1" "$uv_reason" "$reason"
      return 1
    fi
  fi
  printf '%s  %s\n' "$1" "$(path_there "$1")"
}

get_pre_release() { # tag
  only_releases=false
  get "$1" || return 1
  say "$1" "is a pre-release, $(list_there "$1" | head -n 1 | cut -d ' ' -f 1): no release of it is listed yet."
}

keep_pre_release() { # tag, "version origin path"
  say "$1" \
    "${2%% *} is a pre-release, and no release can be installed. uv: $uv_reason Source package: ${reason%%$'\n'*}"
  printf '%s  already installed: %s\n' "$1" "${2#* * }"
}

# Installs both builds of a version from one origin and prints them.
get_pair() { # function that gets a tag, version
  local series=${2%.*}
  "$1" "$2" && "$1" "${2}t" || return 1
  printf '%s  %s\n%st  %s\n' "$series" "$(path_there "$2")" "$series" "$(path_there "${2}t")"
}

install_newest_pair() {
  local candidate uv_reason
  only_releases=false # the versions are exact
  if list_pair_there | sed 's/ /  already installed: /' | grep .; then
    report_newer_series
    return 0
  fi
  listed=release
  reason="it lists no release with both builds."
  find_uv >/dev/null || reason=$NO_UV
  for candidate in $(list_uv_pairs); do
    get_pair get_through_uv "$candidate" && return 0
  done
  uv_reason=$reason
  get_pair_from_sources && return 0
  cannot_be_installed "a release of CPython as both a GIL and a free-threaded build" "$uv_reason" "$reason"
  return 1
}

# An index may list what its archive no longer serves, so each version that it lists is tried, newest first.
get_pair_from_sources() {
  local candidate attempted=""
  can_build && prepare_apt newest || return 1
  reason="the archive that apt uses lists no release with a free-threaded build.${apt_trouble:+ apt said: $apt_trouble}"
  for candidate in $(list_source_versions | releases | newest_first); do
    get_pair get_from_source "$candidate" && return 0
    attempted+=$'\n'"    $candidate: ${reason//$'\n'/$'\n'    }"
  done
  [[ -z $attempted ]] || reason="none of those listed:$attempted"
  return 1
}

# The installed pair is kept, so that nothing is downloaded twice. A newer series has to be requested explicitly.
report_newer_series() {
  local there newest
  there=$(list_pair_there | head -n 1 | cut -d ' ' -f 1)
  newest=$(list_uv_pairs | head -n 1)
  newest=${newest%.*}
  if [[ -n $newest && $newest != "$there" &&
    $(printf '%s\n' "$there" "$newest" | newest_first | head -n 1) == "$newest" ]]; then
    say "$there" "is not the newest that uv lists. To get it: ftbench python install $newest ${newest}t"
  fi
}

main() {
  local tag failed=0
  case "${1:-}" in
    -h | --help) usage; return 0 ;;
    --build-packages) printf '%s\n' "$BUILD_PACKAGES"; return 0 ;;
    --newest-pair)
      (($# == 1)) || { fail "--newest-pair takes no tags."; return 2; }
      trap interrupted INT TERM HUP
      install_newest_pair
      return
      ;;
    "") fail "no tag given. Try: install-python.sh 3.14 3.14t, or --newest-pair, or --help."; return 2 ;;
  esac
  for tag in "$@"; do check_tag "$tag" || return 2; done
  trap interrupted INT TERM HUP
  for tag in "$@"; do install_tag "$tag" || failed=1; done
  return "$failed"
}

main "$@" </dev/null; exit # on one line, so that a script changed while it runs does no harm
