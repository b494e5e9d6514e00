#!/usr/bin/env python3
"""Measures the time and the peak memory of collecting and reporting a large fleet.

Writes synthetic runs of one fleet, with summaries as full as those of real runs, and times
`ftbench fleet collect` and `ftbench report`. Exit status 1 when both together take longer, or
either more memory, than the design allows, or when a machine is missing from the results.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import fixture_run
from commands import measured, output_of

MAX_SECONDS = 10.0
MAX_BYTES = 1e9

# Kinds of machines, by their number of cores.
CORES = (8, 16, 32, 64)


def cell_of_machine(key, factor):
    """A cell with the figures that a fleet shows."""
    made = fixture_run.cell(key, factor)
    made["units_per_s"] = fixture_run.estimate(1280 * key[3] / factor)
    if key[1] == "native":
        made["ceiling_fraction"] = None
    return made


def run_of(number, machines, wanted, random_source):
    """The manifest and the summary of one machine's run."""
    cores = CORES[number * len(CORES) // machines]
    machine = {**fixture_run.machine(cores), "hostname": f"node{number:03}"}
    interpreters = [fixture_run.interpreter(tag) for tag in fixture_run.INTERPRETERS]
    ceiling = {"kernel": "integer", "units": 64}
    names = sorted({key[0] for key in wanted})
    workloads = [{**fixture_run.workload(name), "ceiling": ceiling} for name in names]
    stopping = {"fewest_rounds": 10, "most_rounds": 10, "precision": None, "budget_s": None}
    common = random_source.gauss(0, 0.02) + 0.2 * CORES.index(cores)
    times = {
        "started_at": "2026-11-30T08:00:00Z",
        "ended_at": "2026-11-30T09:00:00Z",
        "status": "complete",
        "ftbench_version": "0.2.0",
        "seed": 7,
    }
    manifest = {
        "schema": 1,
        **times,
        "command_line": ["ftbench", "run", "--plan", "shard.json"],
        "stopped_by": "rounds",
        "machine": machine,
        "interpreters": interpreters,
        "workloads": workloads,
        "fleet": {
            "fleet": "0123456789abcdef",
            "shape": "same",
            "shard": number,
            "shards": machines,
            "node": machine["hostname"],
        },
        "plan": {
            "settings": {
                "profile": "standard",
                "stopping": stopping,
                "warmups": 1,
                "samples": 6,
                "target_sample_s": 0.1,
                "step_time_limit_s": 60.0,
                "scaling": "strong",
                "pin": "cores",
            },
            "baseline": "3.13",
            "cells": [fixture_run.place(key) for key in wanted],
        },
        "environment": {},
        "warnings": [],
    }
    summary = {
        "schema": 1,
        "run": {
            **times,
            "name": machine["hostname"],
            "profile": "standard",
            "scaling": "strong",
            "baseline": "3.13",
        },
        "machine": machine,
        "interpreters": interpreters,
        "workloads": workloads,
        "stopped_by": "rounds",
        "warnings": [],
        "cells": [
            cell_of_machine(key, 2.718281828459045 ** (common + random_source.gauss(0, 0.02)))
            for key in wanted
        ],
    }
    return manifest, summary


def write_runs(folder, machines, cells):
    random_source = random.Random(1)
    wanted = fixture_run.keys(cells)
    for number in range(machines):
        run = folder / f"node{number:03}"
        run.mkdir(parents=True)
        manifest, summary = run_of(number, machines, wanted, random_source)
        (run / "run.json").write_text(json.dumps(manifest, indent=2) + "\n")
        (run / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        (run / "trials.jsonl").write_text("")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ftbench", type=Path, help="the program, built with optimisations")
    parser.add_argument("--machines", type=int, default=200, help="number of machines")
    parser.add_argument("--cells", type=int, default=300, help="number of cells of each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs, fleet = Path(temporary, "runs"), Path(temporary, "fleet")
        write_runs(runs, arguments.machines, arguments.cells)
        collect = measured([arguments.ftbench, "fleet", "collect", runs, "--out", fleet, "-q"])
        report = measured([arguments.ftbench, "report", fleet, "-q"])
        shown = json.loads(output_of([arguments.ftbench, "show", fleet, "--format", "json"]))
        page_bytes = (fleet / "report.html").stat().st_size
    seconds = collect[0] + report[0]
    memory_bytes = max(collect[1], report[1])
    print(f"collect             {collect[0]:8.2f} s   {collect[1] / 1e6:8.1f} MB")
    print(f"report              {report[0]:8.2f} s   {report[1] / 1e6:8.1f} MB")
    print(f"both                {seconds:8.2f} s   target {MAX_SECONDS} s, 1 GB")
    print(f"page                {page_bytes / 1e6:8.1f} MB")
    complete = len(shown["machines"]) == arguments.machines
    print(f"machines in the results: {len(shown['machines'])} of {arguments.machines}")
    sys.exit(0 if complete and seconds <= MAX_SECONDS and memory_bytes <= MAX_BYTES else 1)


if __name__ == "__main__":
    main()
