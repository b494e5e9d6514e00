#!/usr/bin/env python3
"""Measures how reliable the verdicts of `ftbench compare` are on this machine.

    scripts/compare-aa.py [--runs 7] [--pause 60] [--workloads fib nbody ...] [--slowed fib]

Makes a number of identical runs with pauses between them, compares every pair, and counts the
comparisons with a regression: at most one of twenty should have one. Then makes a run in which one
workload does 10 % more work, compares it with each of the others, and counts how often a slowdown
is found there, and elsewhere. Every comparison is made twice: alone, and with the other runs as the
history. Nothing else should run on the machine. All figures are ftbench's own; nothing is estimated
here.

The slowed workload is a copy of the suite's file of the same name whose `work` is called again for
a tenth of the units.
"""

import argparse
import itertools
import json
import pathlib
import sys
import tempfile
import time

from commands import output_of, print_table, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
EFFECT = 0.10
SLOWED = """

_work_once = work


def work(data, units):
    more = max(1, round(units * {effect}))
    _work_once(data, more)
    return _work_once(data, units)
"""


def main():
    options = arguments()
    if not options.ftbench.exists():
        sys.exit(f"{options.ftbench} is not there; build it with 'make build', or give --ftbench")
    with tempfile.TemporaryDirectory(prefix="ftbench-compare-") as name:
        folder = options.out or pathlib.Path(name)
        runs = identical_runs(options, folder)
        rows = [("what", "alone", "with the others as history")]
        rows += [identical_row(options, runs)]
        slowed = slowed_run(options, folder)
        rows += slowed_rows(options, runs, slowed)
    print_table(rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", type=pathlib.Path, default=ROOT / "target/release/ftbench")
    parser.add_argument("--runs", type=int, default=7, help="identical runs; 7 give 21 comparisons")
    parser.add_argument("--pause", type=float, default=60.0, help="seconds between two runs")
    parser.add_argument("--workloads", nargs="+", default=["fib", "nbody", "json_round_trip"])
    parser.add_argument("--slowed", default="nbody", help="the workload that gets slower")
    parser.add_argument("--options", default="--profile quick", help="further words for 'run'")
    parser.add_argument("--out", type=pathlib.Path, help="keep runs here, and reuse existing ones")
    options = parser.parse_args()
    if options.slowed not in options.workloads or options.runs < 2:
        parser.error("--slowed must be one of --workloads, and --runs must be at least 2")
    return options


def identical_runs(options, folder):
    runs = []
    for number in range(options.runs):
        runs.append(folder / f"run-{number + 1}")
        if (runs[-1] / "summary.json").exists():
            continue
        run(options, options.workloads, runs[-1])
        say(f"run {number + 1} of {options.runs} is done")
        time.sleep(options.pause)
    return runs


def slowed_run(options, folder):
    out = folder / "run-slowed"
    if (out / "summary.json").exists():
        return out
    listed = output_of([options.ftbench, "workloads", "list", "--format", "json"])
    paths = {workload["name"]: workload["path"] for workload in json.loads(listed)}
    copy = folder / "slowed" / f"{options.slowed}.py"
    copy.parent.mkdir(parents=True, exist_ok=True)
    source = pathlib.Path(paths[options.slowed]).read_text(encoding="utf-8")
    copy.write_text(source + SLOWED.format(effect=EFFECT), encoding="utf-8")
    words = [str(copy) if name == options.slowed else name for name in options.workloads]
    run(options, words, out)
    return out


def run(options, workloads, out):
    command = [
        options.ftbench,
        "run",
        *workloads,
        *options.options.split(),
        "--out",
        out,
        "--quiet",
    ]
    output_of(command)


def identical_row(options, runs):
    """Regressions among comparisons of identical runs."""
    counts = [0, 0]
    pairs = list(itertools.combinations(runs, 2))
    for base, new in pairs:
        for kind, history in enumerate(histories(runs, (base, new))):
            comparison = compare(options, base, new, history)
            counts[kind] += is_regression(comparison)
            report(base, new, kind, comparison)
    cells = [f"{count} of {len(pairs)}" for count in counts]
    return ("comparisons of identical runs with a regression (at most 1 of 20)", *cells)


def slowed_rows(options, runs, slowed):
    found, elsewhere = [0, 0], [0, 0]
    for base in runs:
        for kind, history in enumerate(histories(runs, (base,))):
            comparison = compare(options, base, slowed, history, "--anyway")
            slower = slower_workloads(comparison)
            found[kind] += options.slowed in slower
            elsewhere[kind] += bool(slower - {options.slowed})
            report(base, slowed, kind, comparison)
    return [
        (
            f"{EFFECT:.0%} more work in {options.slowed} found",
            *(f"{count} of {len(runs)}" for count in found),
        ),
        (
            "... and something else called slower",
            *(f"{count} of {len(runs)}" for count in elsewhere),
        ),
    ]


def histories(runs, compared):
    return [], [run for run in runs if run not in compared]


def compare(options, base, new, history, *words):
    command = [options.ftbench, "compare", base, new, "--format", "json", "--fail-on", "never"]
    for run in history:
        command += ["--history", run]
    return json.loads(output_of([*command, *words]))


def is_regression(comparison):
    return bool(slower_workloads(comparison)) or comparison["counts"]["broken"] > 0


def slower_workloads(comparison):
    """The workloads of which a cell, or the workload as a whole, was called slower."""
    judged = comparison["cells"] + comparison["workloads"]
    return {one["workload"] for one in judged if one["verdict"] == "slower"}


def report(base, new, kind, comparison):
    counts = ", ".join(f"{count} {name}" for name, count in comparison["counts"].items() if count)
    slower = ", ".join(sorted(slower_workloads(comparison))) or "nothing"
    computing = [one for one in comparison["drift"] if one["kernels"] == "computing"]
    drift = ", ".join(f"{one['ratio']['estimate']:.3f}" for one in computing)
    summary = f"slower: {slower}; cells: {counts}; the machine on 1 PU and more: {drift}"
    say(f"{base.name} {new.name}{' with history' if kind else ''}: {summary}")


if __name__ == "__main__":
    main()
