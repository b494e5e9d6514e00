#!/usr/bin/env python3
"""Measures the time and the peak memory of `ftbench history` for a large history.

Writes a folder of synthetic runs with summaries as full as those of real runs, in which one cell
becomes slower in the middle, and times `ftbench history`. Exit status 1 when that takes longer than
the design allows, or when the change is not found.
"""

import argparse
import datetime
import hashlib
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import fixture_run
from commands import measured

MAX_SECONDS = 5.0

SLOWER = ("workload_01", "3.14t", "threads", 4)


def environments(workloads):
    """Forty packages on each interpreter."""
    packages = [{"name": f"package-{number:02}", "version": "1.2.3"} for number in range(40)]
    return [
        {
            "interpreter": tag,
            "workloads": workloads,
            "path": f"/environments/{tag}",
            "requirements": ["package-00>=1"],
            "packages": packages,
            "installer": "uv 0.9.0",
        }
        for tag in fixture_run.INTERPRETERS
    ]


def summary(number, wanted, interpreters, workloads, random_source):
    started = datetime.datetime(2021, 1, 1, 2) + datetime.timedelta(days=number)
    common = random_source.gauss(0, 0.04)
    cells = []
    for key in wanted:
        noise = random_source.gauss(0, 0.01 if key[1] == "native" else 0.02)
        step = 0.1 if key == SLOWER and number >= 1000 else 0.0
        cells.append(fixture_run.cell(key, 2.718281828459045 ** (common + noise + step)))
    return {
        "schema": 1,
        "run": {
            "name": f"night-{number:05}",
            "ftbench_version": "0.1.0",
            "started_at": started.isoformat() + "Z",
            "ended_at": started.isoformat() + "Z",
            "status": "complete",
            "seed": number,
            "profile": "standard",
            "scaling": "strong",
            "pin": "cores",
            "target_sample_s": 0.1,
            "baseline": "3.13",
            "commit": {"id": hashlib.sha256(str(number).encode()).hexdigest()[:40]},
        },
        "machine": fixture_run.machine(8),
        "interpreters": interpreters,
        "workloads": workloads,
        "environments": environments([workload["name"] for workload in workloads]),
        "sources": [],
        "quiet": None,
        "free_threading_overhead": [],
        "laws": [],
        "stopped_by": "precision",
        "warnings": [],
        "cells": cells,
    }


def write_history(folder, runs, cells):
    random_source = random.Random(1)
    wanted = fixture_run.keys(cells)
    interpreters = [fixture_run.interpreter(tag) for tag in fixture_run.INTERPRETERS]
    ceiling = {"kernel": "integer", "units": 64}
    workloads = [
        {**fixture_run.workload(name), "ceiling": ceiling}
        for name in sorted({key[0] for key in wanted})
    ]
    for number in range(runs):
        night = folder / f"night-{number:05}"
        night.mkdir(parents=True, exist_ok=True)
        made = summary(number, wanted, interpreters, workloads, random_source)
        # Indented, as ftbench writes it.
        (night / "summary.json").write_text(json.dumps(made, indent=2) + "\n")


def finds_the_change(command):
    history = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for change in history["changes"]:
        subject = history["series"][change["series"]]["subject"]
        if subject["of"] != "cell" or abs(change["first_after"] - 1000) > 1:
            continue
        if (
            subject["workload"],
            subject["interpreter"],
            subject["model"],
            subject["workers"],
        ) == SLOWER:
            return True
    return False


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ftbench", type=Path, help="the program, built with optimisations")
    parser.add_argument("--runs", type=int, default=2000, help="number of runs of the history")
    parser.add_argument("--cells", type=int, default=300, help="number of cells of each run")
    parser.add_argument(
        "--times", type=int, default=3, help="how often the history is made; the median counts"
    )
    parser.add_argument("--folder", type=Path, help="keep the synthetic history in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / f"night-{arguments.runs - 1:05}").exists():
            write_history(folder, arguments.runs, arguments.cells)
        size_bytes = sum(path.stat().st_size for path in folder.glob("*/summary.json"))
        print(f"summaries           {size_bytes / 1e6:8.1f} MB", flush=True)
        command = [arguments.ftbench, "history", "-q", folder]
        runs = sorted(measured(command) for _ in range(arguments.times))
        seconds = runs[len(runs) // 2][0]
        memory_bytes = max(memory for _, memory in runs)
        # The change is at the 1,001st run, and needs three nights.
        has_change = arguments.runs >= 1003
        found = has_change and finds_the_change([*command, "--format", "json"])
    print(f"time                {seconds:8.2f} s   target {MAX_SECONDS} s")
    print(f"peak memory         {memory_bytes / 1e6:8.1f} MB")
    if has_change:
        print(f"the slowdown of one cell was {'found' if found else 'missed'}")
    sys.exit(1 if seconds > MAX_SECONDS or found != has_change else 0)


if __name__ == "__main__":
    main()
