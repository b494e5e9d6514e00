#!/usr/bin/env python3
"""Copies a run for publication: without the paths of a home folder, and with its record compressed.

usage: publish-run.py RUN DESTINATION [--home FOLDER] [--ftbench PATH]

DESTINATION gets run.json, trials.jsonl.gz, the charts of the whole run as SVG, and the report,
which is regenerated. samples.csv, summary.json and a chart for each workload are left out: `ftbench
show` and `ftbench plot` regenerate them. Host name, kernel and environment variables stay in
run.json: check it before publishing.
"""

import argparse
import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import zlib

# The end of a line of trials.jsonl: docs/format.md.
CHECKSUM = re.compile(rb',"crc32":"[0-9a-f]{8}"\}$')


def main():
    """Copy the run, then check that the home folder is not in the copy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("destination", type=pathlib.Path)
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path.home())
    parser.add_argument("--ftbench", default="ftbench", help="the program that makes the report")
    arguments = parser.parse_args()
    home = str(arguments.home).encode()
    if len(home) < 2:
        sys.exit(f"{arguments.home} is not a home folder; give --home")

    (arguments.destination / "charts").mkdir(parents=True)
    manifest = (arguments.run / "run.json").read_bytes()
    (arguments.destination / "run.json").write_bytes(without(home, manifest))
    publish_trials(home, arguments.run, arguments.destination)
    for chart in sorted((arguments.run / "charts").glob("_*.svg")):
        shutil.copy(chart, arguments.destination / "charts")
    subprocess.run([arguments.ftbench, "report", str(arguments.destination)], check=True)

    files = [path for path in arguments.destination.rglob("*") if path.is_file()]
    revealing = [path for path in files if home in contents(path)]
    if revealing:
        sys.exit(f"the home folder is still in: {', '.join(map(str, revealing))}")
    for path in sorted(files):
        print(f"{path.stat().st_size:>12,} bytes  {path}")


def without(home, text):
    """The text with `~` in place of the home folder in paths that begin with it."""
    return re.sub(re.escape(home) + rb'(?=[/":])', b"~", text)


def publish_trials(home, run, destination):
    """Compress the record. Changed lines get a new checksum, so that they stay valid."""
    with (run / "trials.jsonl").open("rb") as lines:
        record = b"".join(published(home, line.rstrip(b"\n")) + b"\n" for line in lines)
    # Without a name and a time, so that the same record gives the same bytes.
    packed = gzip.compress(record, mtime=0)
    (destination / "trials.jsonl.gz").write_bytes(packed)


def published(home, line):
    """A line of the record, with a checksum only if it had one."""
    checked = CHECKSUM.search(line)
    body = without(home, line[: checked.start()] if checked else line)
    if not checked:
        return body
    return body + b',"crc32":"%08x"}' % zlib.crc32(body)


def contents(path):
    """The bytes of a file, decompressed."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    main()
