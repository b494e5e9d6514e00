#!/usr/bin/env python3
"""Shows, on the machine it runs on, what ftbench promises about its measurements.

    scripts/prove.py [--experiments 20] [--seconds 20] [--pyperf-pairs 10]

Prints a table in markdown: identical arms called different, a true slowdown found, interval
widths, the same for pyperf in the same minutes, the share of a default run's wall time inside
samples, the CPU that the driver takes while samples run, and free-threaded threads as a share of
the native ceiling. Run it with nothing else running. All figures are ftbench's and pyperf's own;
nothing is estimated here.

pyperf is installed into a virtual environment below ftbench's cache folder.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

from commands import output_of, print_table, say

PYPERF = "pyperf==2.10.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent
FTBENCH = ROOT / "target" / "release" / "ftbench"
# What ftbench's own workload `fib` does, as a statement for pyperf.
SETUP = "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)"
STATEMENT = "for _ in range({units}): fib(13)"
UNITS = 100
EFFECT = 0.05


def main():
    options = arguments()
    if not FTBENCH.exists():
        sys.exit(f"{FTBENCH} is not there; build it with 'make build'")
    rows = [("what", "bar", "here")]
    with tempfile.TemporaryDirectory(prefix="ftbench-proof-") as name:
        folder = pathlib.Path(name)
        identical, slowed, pyperf_pairs = interleaved(options, folder)
        rows += check_rows(identical, slowed)
        if pyperf_pairs:
            rows += pyperf_rows(pyperf_pairs)
        rows += run_rows(folder, options.budget)
    print(f"\nOn {machine()}:\n")
    print_table(rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=20, help="experiments of each kind")
    parser.add_argument("--seconds", type=float, default=20.0, help="wall time of each experiment")
    parser.add_argument("--pyperf-pairs", type=int, default=10, help="0 leaves pyperf out")
    parser.add_argument("--budget", default="3m", help="time of the default run")
    return parser.parse_args()


def interleaved(options, folder):
    """One experiment of each kind after the other, so that all meet the same machine."""
    pyperf = pyperf_python() if options.pyperf_pairs else None
    identical, slowed, pairs = [], [], []
    for number in range(options.experiments):
        identical.append(selfcheck(["aa"], options, number))
        slowed.append(selfcheck(["power", "--effect", f"{EFFECT:.0%}"], options, number))
        if number < options.pyperf_pairs:
            pairs.append(pyperf_pair(pyperf, folder, number))
        ratios = [reports[-1]["median_ratio"] for reports in (identical, slowed)]
        words = f", pyperf: {pairs[-1]['words']}" if number < len(pairs) else ""
        say(
            f"{number + 1} of {options.experiments}: "
            f"identical {ratios[0]:.4f}, slowed {ratios[1]:.4f}{words}"
        )
    return identical, slowed, pairs


def selfcheck(kind, options, seed):
    command = [FTBENCH, "selfcheck", *kind, "--experiments", "1", "--format", "json", "--quiet"]
    command += ["--seconds", str(options.seconds), "--seed", str(seed)]
    # Exit status 1 is a check that did not pass, which is what is counted here.
    return json.loads(output_of(command, allowed=(0, 1)))


def check_rows(identical, slowed):
    called = sum(report["called_different"] for report in identical)
    excluding = sum(report["intervals_excluding_1"] for report in identical)
    found = sum(report["called_different"] for report in slowed)
    width = statistics.median(report["median_half_width"] for report in identical)
    rounds = statistics.median(report["median_rounds"] for report in identical)
    seconds = statistics.median(report["median_experiment_s"] for report in identical)
    return [
        ("identical arms called different", "at most 5 %", f"{called} of {len(identical)}"),
        ("... whose interval excludes 1", "-", f"{excluding} of {len(identical)}"),
        (f"a true {EFFECT:.0%} slowdown found", "at least 80 %", f"{found} of {len(slowed)}"),
        (
            "median half-width of a ratio's 95 % interval",
            "at most 1 % in 20 s",
            f"{width:.2%} in {seconds:.1f} s ({rounds:.0f} rounds)",
        ),
    ]


def pyperf_python():
    """The Python of an environment with pyperf, made on the baseline that ftbench takes."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    environment = cache / "ftbench" / "proof"
    python = environment / "bin" / "python"
    if not python.exists():
        say("installing pyperf")
        found = json.loads(output_of([FTBENCH, "python", "list", "--format", "json"]))
        plan = json.loads(output_of([FTBENCH, "run", "fib", "--dry-run", "--format", "json"]))
        baseline = next(one["path"] for one in found if one["tag"] == plan["baseline"])
        output_of([baseline, "-m", "venv", environment])
        output_of([python, "-m", "pip", "install", "--quiet", PYPERF])
    return python


def pyperf_pair(python, folder, number):
    """Two fast runs of the same code, back to back, compared with pyperf's own test."""
    started = time.monotonic()
    files = [folder / f"pyperf-{number}-{arm}.json" for arm in ("a", "b")]
    for file in files:
        command = [python, "-m", "pyperf", "timeit", "--fast", "--quiet", "--affinity", "0"]
        output_of([*command, "-s", SETUP, "-o", file, STATEMENT.format(units=UNITS)])
    seconds = time.monotonic() - started
    words = output_of([python, "-m", "pyperf", "compare_to", *files]).strip().splitlines()[-1]
    return {"different": "not significant" not in words.lower(), "seconds": seconds, "words": words}


def pyperf_rows(pairs):
    different = sum(pair["different"] for pair in pairs)
    seconds = statistics.median(pair["seconds"] for pair in pairs)
    return [
        (
            "pyperf --fast: back-to-back runs of the same code called significant",
            "-",
            f"{different} of {len(pairs)}, {seconds:.1f} s each",
        )
    ]


def run_rows(folder, budget):
    """A default run of two workloads."""
    say("a default run of fib and nbody")
    out = folder / "run"
    command = [FTBENCH, "run", "fib", "nbody", "--budget", budget, "--out", out]
    output_of([*command, "--format", "json", "--quiet"])
    manifest = json.loads((out / "run.json").read_text())
    summary = json.loads((out / "summary.json").read_text())
    trials = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
    samples = [sample for trial in trials for sample in trial["samples"]]
    spans = [(sample["end_ns"] - sample["start_ns"]) / 1e9 for sample in samples]
    counted = sum(span for span, sample in zip(spans, samples, strict=True) if not sample["warmup"])
    wall_s = wall_seconds(manifest)
    # It looks for threads while samples warm up, which are not counted.
    driver_s = sum(s["noise"]["driver_ns"] for s in samples if not s["warmup"]) / 1e9
    rows = [
        (
            "share of a default run's wall time inside counted samples",
            "75 %",
            f"{counted / wall_s:.1%} of {wall_s:.0f} s",
        ),
        ("... with warm-ups", "85 %", f"{sum(spans) / wall_s:.1%}"),
        (
            "CPU that the driver takes while counted samples run",
            "under 0.1 % of a core",
            f"{driver_s / counted:.3%}",
        ),
    ]
    return rows + ceiling_rows(summary)


def ceiling_rows(summary):
    rows = []
    for cell in summary["cells"]:
        fraction = cell.get("ceiling_fraction")
        if cell["gil"] == "off" and cell["model"] == "threads" and cell["workers"] > 1 and fraction:
            rows.append(
                (
                    f"{cell['workload']}, threads on {cell['interpreter']}, {cell['workers']} "
                    "workers, against the ceiling",
                    "at least 95 %",
                    "{estimate:.1%} [{low:.1%}, {high:.1%}]".format(**fraction),
                )
            )
    return rows


def wall_seconds(manifest):
    command = ["date", "+%s.%N", "-d"]
    started, ended = (
        float(output_of([*command, manifest[key]])) for key in ("started_at", "ended_at")
    )
    return ended - started


def machine():
    plan = json.loads(output_of([FTBENCH, "topology", "--format", "json"]))
    return f"{plan['cores']} cores, {plan['packages']} package(s)"


if __name__ == "__main__":
    main()
