#!/usr/bin/env bash
# Checks the project's workflow, and the files in docs/ci that users copy: workflows against GitHub's published schema,
# with check-jsonschema from set-up.sh's tools, and with actionlint if that is on the PATH; the units with
# systemd-analyze if that is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/ftbench/tools/bin"
readonly WORKFLOWS=(.github/workflows/release.yml docs/ci/nightly.yml docs/ci/pull-request.yml)

"$TOOLS/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "${WORKFLOWS[@]}"
if command -v actionlint >/dev/null; then
  actionlint -config-file docs/ci/actionlint.yaml "${WORKFLOWS[@]}"
fi
if command -v systemd-analyze >/dev/null; then
  staged=$(mktemp -d)
  trap 'rm -rf "$staged"' EXIT
  # systemd-analyze requires that the program of a unit exists.
  sed "s|^ExecStart=.*|ExecStart=$PWD/docs/ci/ftbench-nightly|" docs/ci/ftbench-nightly.service >"$staged/ftbench-nightly.service"
  cp docs/ci/ftbench-nightly.timer "$staged/"
  systemd-analyze verify "$staged/ftbench-nightly.service" "$staged/ftbench-nightly.timer"
fi
