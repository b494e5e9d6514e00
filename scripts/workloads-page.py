#!/usr/bin/env python3
"""Writes docs/workloads.md from the workloads' own metadata, or checks that it is up to date.

usage: workloads-page.py [--check] [--ftbench PATH]

ftbench lists the metadata (`ftbench workloads list --format json`); this only lays it out.
"""

import argparse
import difflib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "workloads.md"

# Folders of the suite, in the order of the page, and what is in each.
FOLDERS = {
    "cpu": "Computes and shares nothing: what threads on a free-threaded build should scale with.",
    "memory": "Bound by memory, by the allocator or by the collector.",
    "shared": "All workers use the same object, with or without a lock.",
    "io": "Waits for files, sockets and servers.",
    "mixed": "Waits and computes, as services do.",
    "extension": "Calls in and out of an extension module in Rust, built for each interpreter.",
    "packages": "Packages from the index, installed into an environment for each interpreter.",
    "patterns": "Small patterns that ought to scale and on some builds do not.",
}

INTRODUCTION = """# The standard suite

<!-- Made by scripts/workloads-page.py from the metadata of the workloads: change those. -->

{count} workloads. `ftbench run` measures all of them, `ftbench run NAME`, `'PATTERN*'` or
`'FOLDER/*'` some; `ftbench workloads show NAME` prints one. How to write one:
[workloads/README.md](../workloads/README.md).
"""


def main():
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail when it is old")
    parser.add_argument("--ftbench", default="ftbench", help="the program that lists the metadata")
    arguments = parser.parse_args()
    listed = subprocess.run(
        [arguments.ftbench, "workloads", "list", "--format", "json"],
        check=True,
        stdout=subprocess.PIPE,
    )
    page = render(json.loads(listed.stdout))
    if not arguments.check:
        PAGE.write_text(page, encoding="utf-8")
        return
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if written != page:
        changes = difflib.unified_diff(written.splitlines(), page.splitlines(), "is", "should be")
        print("\n".join(changes), file=sys.stderr)
        sys.exit(f"{PAGE.relative_to(ROOT)} is old; make it with scripts/workloads-page.py")


def render(workloads):
    """The page as markdown."""
    parts = [INTRODUCTION.format(count=len(workloads))]
    folder_of = {each["name"]: pathlib.PurePath(each["path"]).parent.name for each in workloads}
    unknown = sorted(set(folder_of.values()) - set(FOLDERS))
    if unknown:
        sys.exit(f"say in {pathlib.Path(__file__).name} what is in the folders: {unknown}")
    for folder, description in FOLDERS.items():
        members = [each for each in workloads if folder_of[each["name"]] == folder]
        if members:
            rows = "".join(row(each) for each in sorted(members, key=lambda each: each["name"]))
            parts.append(
                f"\n## {folder}\n\n{description}\n\n"
                "| workload | what it does | what it shows | source |\n"
                f"| --- | --- | --- | --- |\n{rows}"
            )
    return "".join(parts)


def row(workload):
    """One workload's row. What limits where it runs stands with what it does."""
    summary = cell(workload["summary"])
    notes = []
    if workload["models"]:
        notes.append("models: " + ", ".join(workload["models"]))
    if workload["dependencies"]:
        notes.append("needs " + ", ".join(f"`{each}`" for each in workload["dependencies"]))
    if notes:
        summary += f"<br><sub>{'; '.join(notes)}</sub>"
    shows, source = cell(workload["shows"]), cell(workload["source"])
    return f"| `{workload['name']}` | {summary} | {shows} | {source} |\n"


def cell(text):
    """Text that stays inside its cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
