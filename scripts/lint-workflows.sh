#!/usr/bin/env bash
# Checks what docs/ci offers to be copied: the workflows against the schema that GitHub's own is published as, with
# check-jsonschema from set-up.sh's tools, and with actionlint where that is on the PATH; the units with systemd's own
# check where there is systemd.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench/tools/bin"
readonly WORKFLOWS=(docs/ci/nightly.yml docs/ci/pull-request.yml)

"$TOOLS/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "${WORKFLOWS[@]}"
if command -v actionlint >/dev/null; then
  actionlint -config-file docs/ci/actionlint.yaml "${WORKFLOWS[@]}"
fi
if command -v systemd-analyze >/dev/null; then
  staged=$(mktemp -d)
  trap 'rm -rf "$staged"' EXIT
  # It wants the program that a unit starts to be there.
  sed "s|^ExecStart=.*|ExecStart=$PWD/docs/ci/ftbench-nightly|" docs/ci/ftbench-nightly.service >"$staged/ftbench-nightly.service"
  cp docs/ci/ftbench-nightly.timer "$staged/"
  systemd-analyze verify "$staged/ftbench-nightly.service" "$staged/ftbench-nightly.timer"
fi
