#!/usr/bin/env python3
"""Compares the time of one worker with pyperf's own, for benchmarks of pyperformance.

    scripts/against-pyperf.py [--ftbench PATH] [-p TAG] [--pairs N] [NAME...]

Runs ftbench and pyperf in turn, both on PU 0, and prints the ratio of their times for each
benchmark with its 95 % interval over the pairs (Student's t of the logarithms), and the ratio of
their fastest samples, which other programs disturb less. Exit status 1 when an interval lies
outside [0.95, 1.05].
"""

import argparse
import csv
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Ten of the suite that need no package and take a few milliseconds or more.
NAMES = [
    "chaos",
    "deltablue",
    "fannkuch",
    "float",
    "go",
    "json_loads",
    "nqueens",
    "pidigits",
    "raytrace",
    "regex_compile",
]

# Quantiles of Student's t for 95 %, by degrees of freedom
# (https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm).
T = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

TOLERATED = (0.95, 1.05)


def main():
    options = arguments()
    outside = 0
    print("| benchmark | pyperf, per call | ftbench / pyperf | fastest samples |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="ftbench-pyperf-") as folder:
        for name in options.names or NAMES:
            pairs = [pair(name, options, pathlib.Path(folder)) for _ in range(options.pairs)]
            ratios = [math.log(ours_s / theirs_s) for (ours_s, _), (theirs_s, _) in pairs]
            middle = statistics.mean(ratios)
            half = T[len(ratios) - 1] * statistics.stdev(ratios) / math.sqrt(len(ratios))
            low, high = math.exp(middle - half), math.exp(middle + half)
            outside += high < TOLERATED[0] or low > TOLERATED[1]
            theirs_ms = statistics.median(theirs_s for _, (theirs_s, _) in pairs) * 1e3
            ratio = f"{math.exp(middle):.3f} [{low:.3f}, {high:.3f}]"
            ours_s, theirs_s = (min(fastest_s for _, fastest_s in one) for one in zip(*pairs))
            fastest = f"{ours_s / theirs_s:.3f}"
            print(f"| {name} | {theirs_ms:.4g} ms | {ratio} | {fastest} |", flush=True)
    sys.exit(1 if outside else 0)


def pair(name, options, folder):
    """The typical and the fastest time of each, in seconds for one call of the benchmark."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    words = [f"pyperformance::{name}", "-p", options.python, "-m", "serial", "-n", "1"]
    words += ["--rounds", str(options.processes), "--samples", "5", "--sample-time", "100ms"]
    words += ["--no-ceiling", "--pin", "0", "--seed", "1", "--out", run, "--quiet"]
    subprocess.run([options.ftbench, "run", *words], check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((run / "run.json").read_text())
    [workload] = manifest["workloads"]
    [cell] = json.loads((run / "summary.json").read_text())["cells"]
    with (run / "samples.csv").open() as table:
        samples = [row for row in csv.DictReader(table) if row["warmup"] == "false"]
    fastest_s = min(float(row["makespan_s"]) for row in samples)
    ours_s = cell["makespan_s"]["estimate"] / workload["units"], fastest_s / workload["units"]

    [facts] = manifest["interpreters"]
    script = pathlib.Path(workload["path"])
    packages = script.parents[4]
    results = folder / "pyperf.json"
    results.unlink(missing_ok=True)
    words = [facts["path"], script, *workload.get("arguments", []), "--affinity", "0", "--quiet"]
    words += ["-p", str(options.processes), "-n", "5", "-w", "1", "-o", results]
    words += ["--inherit-environ", "PYTHONPATH"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages)}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)
    [benchmark] = json.loads(results.read_text())["benchmarks"]
    values = [value for run in benchmark["runs"] for value in run.get("values", [])]
    metadata = {**json.loads(results.read_text())["metadata"], **benchmark.get("metadata", {})}
    inner_loops = metadata.get("inner_loops", 1)
    return ours_s, (statistics.median(values) * inner_loops, min(values) * inner_loops)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks with one case each")
    parser.add_argument("--ftbench", default=ROOT / "target/release/ftbench")
    parser.add_argument("-p", "--python", default="3.13", metavar="TAG")
    parser.add_argument("--pairs", type=int, default=5, choices=range(3, 11), metavar="3-10")
    parser.add_argument("--processes", type=int, default=3, help="of each measurement")
    return parser.parse_args()


if __name__ == "__main__":
    main()
