#!/usr/bin/env python3
"""Measures the time, the memory and the file size of `ftbench report` for a large run.

Writes the folder of a synthetic run, with records as full as those of a real run, lets ftbench
analyse it once as `ftbench run` does at its end, and times `ftbench report`. Exit status 1 when it
exceeds a limit of the design.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import fixture_run
from commands import measured

MAX_SECONDS = 2.0
MAX_MEMORY_BYTES = 500e6
MAX_FILE_BYTES = 5e6

WORKLOADS = ("fib", "nbody", "mandelbrot", "spectral_norm", "json_round_trip")
INTERPRETERS = ("3.13", "3.13t", "3.14", "3.14t")
MODELS = ("threads", "processes")
WORKERS = (1, 2, 4, 8, 16)
SAMPLES_OF_TRIAL = 10


def cells():
    for workload in WORKLOADS:
        for interpreter in INTERPRETERS:
            for model in ("serial", *MODELS):
                for workers in WORKERS if model != "serial" else (1,):
                    yield {
                        "interpreter": interpreter,
                        "host": "spawn",
                        "workload": workload,
                        "model": model,
                        "workers": workers,
                    }


def manifest(planned):
    stopping = {"fewest_rounds": 5, "most_rounds": 1000, "precision": None, "budget_s": None}
    settings = {
        "profile": "thorough",
        "stopping": stopping,
        "warmups": 1,
        "samples": SAMPLES_OF_TRIAL,
        "target_sample_s": 0.1,
        "step_time_limit_s": 60.0,
        "scaling": "strong",
        "pin": "cores",
    }
    plan = [{**cell, "placement": list(range(cell["workers"]))} for cell in planned]
    return {
        "schema": 1,
        "ftbench_version": "0.1.0",
        "command_line": ["ftbench", "run", "--profile", "thorough"],
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T09:00:00Z",
        "status": "complete",
        "stopped_by": "rounds",
        "seed": 1,
        "machine": fixture_run.machine(16),
        "interpreters": [fixture_run.interpreter(tag) for tag in INTERPRETERS],
        "workloads": [fixture_run.workload(name) for name in WORKLOADS],
        "plan": {"settings": settings, "baseline": "3.13", "cells": plan},
        "environment": {"PATH": "/usr/bin"},
        "sources": [],
        "sessions": [
            {
                "started_at": "2026-01-01T00:00:00Z",
                "ended_at": "2026-01-01T09:00:00Z",
                "ftbench_version": "0.1.0",
                "checksums": True,
            }
        ],
        "warnings": [],
    }


def checksummed(trial):
    body = json.dumps(trial, separators=(",", ":")).removesuffix("}")
    return f'{body},"crc32":"{zlib.crc32(body.encode()):08x}"}}\n'


def sample(number, makespan_ns, cell, disturbed):
    start_ns = 6_709_505_600_591 + number * 200_000_000
    shares = [
        {
            "worker": worker,
            "start_ns": start_ns + 40_000,
            "end_ns": start_ns + makespan_ns - 9_000,
            "pu": worker,
        }
        for worker in range(cell["workers"])
    ]
    noise = {
        "interval_ns": makespan_ns + 4_000_000,
        "pus": list(range(cell["workers"])),
        "steal_ns": 0,
        "others_ns": 96_361_801 if disturbed else 361_801,
        "others_resolution_ns": 20_000_000,
        "run_queue_ns": 83_359_414,
        "cpu_pressure_ns": 63_534_000,
        "memory_pressure_ns": 0,
        "io_pressure_ns": 0,
        "quota_throttled_periods": 0,
        "quota_throttled_ns": 0,
    }
    if disturbed:
        noise["disturbed_by"] = ["others"]
    cost = {
        "cpu_time_ns": makespan_ns,
        "voluntary_switches": 4,
        "involuntary_switches": 9,
        "minor_faults": 0,
        "major_faults": 0,
    }
    return {
        "sample": number,
        "warmup": number == 0,
        "start_ns": start_ns,
        "end_ns": start_ns + makespan_ns,
        "gil_enabled": not cell["interpreter"].endswith("t"),
        "moved": False,
        "shares": shares,
        "noise": noise,
        "cost": cost,
    }


def makespan_ns(cell, random_source):
    scales = cell["model"] == "processes" or cell["interpreter"].endswith("t")
    share = cell["workers"] ** -0.95 if scales else 1.0
    return int(1e8 * share * random_source.lognormvariate(0, 0.02))


def write_run(folder, samples):
    planned = list(cells())
    rounds = -(-samples // (len(planned) * SAMPLES_OF_TRIAL))
    (folder / "run.json").write_text(json.dumps(manifest(planned)))
    random_source = random.Random(1)
    number = 0
    with (folder / "trials.jsonl").open("w") as record:
        for round_number in range(rounds):
            for cell in planned:
                taken = [
                    sample(
                        index, makespan_ns(cell, random_source), cell, random_source.random() < 0.02
                    )
                    for index in range(SAMPLES_OF_TRIAL + 1)
                ]
                trial = {
                    "schema": 1,
                    "trial": number,
                    "round": round_number,
                    "cell": cell,
                    "placement": list(range(cell["workers"])),
                    "units": 128,
                    "started_at": "2026-01-01T00:00:00Z",
                    "duration_ns": 1_396_788_593,
                    "hash_seed": 8_717_977,
                    "status": "ok",
                    "gil_enabled": not cell["interpreter"].endswith("t"),
                    "startup_ns": 856_655,
                    "workers": [],
                    "samples": taken,
                    "memory": {
                        "processes": [{"process_id": 1, "rss_peak_bytes": 16_175_104}],
                        "pss_peak_bytes": 14_152_704,
                    },
                }
                record.write(checksummed(trial))
                number += 1
    return len(planned), number


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ftbench", type=Path, help="the program, built with optimisations")
    parser.add_argument(
        "--samples",
        type=int,
        default=1_000_000,
        help="counted samples of the run (default: 1,000,000)",
    )
    parser.add_argument(
        "--times", type=int, default=3, help="how often the report is made; the median counts"
    )
    parser.add_argument("--folder", type=Path, help="keep the synthetic run in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "run.json").exists():
            counts = write_run(folder, arguments.samples)
            print(f"{counts[0]} cells, {counts[1]} trials", flush=True)
        size_bytes = (folder / "trials.jsonl").stat().st_size
        print(f"trials.jsonl        {size_bytes / 1e6:8.1f} MB", flush=True)
        if not (folder / "summary.json").exists():
            with (folder / "summary.json").open("w") as summary:
                subprocess.run(
                    [arguments.ftbench, "show", folder, "--format", "json"],
                    stdout=summary,
                    check=True,
                )
        runs = sorted(
            measured([arguments.ftbench, "report", "-q", folder]) for _ in range(arguments.times)
        )
        seconds = runs[len(runs) // 2][0]
        memory_bytes = max(memory for _, memory in runs)
        file_bytes = (folder / "report.html").stat().st_size
    print(f"time                {seconds:8.2f} s   target {MAX_SECONDS} s")
    memory_target = f"target {MAX_MEMORY_BYTES / 1e6:.0f} MB"
    print(f"peak memory         {memory_bytes / 1e6:8.1f} MB  {memory_target}")
    print(f"report.html         {file_bytes / 1e6:8.2f} MB  target {MAX_FILE_BYTES / 1e6:.0f} MB")
    missed = seconds > MAX_SECONDS or memory_bytes > MAX_MEMORY_BYTES or file_bytes > MAX_FILE_BYTES
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
