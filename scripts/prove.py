#!/usr/bin/env python3
"""Checks ftbench's promises about its measurements on this machine.

    scripts/prove.py [--out DIR] [--experiments 20] [--pyperf-pairs 10] [--busy 20] [--ceilings 10]

Prints a Markdown table: identical arms called different, true slowdowns found, interval widths, on
a quiet machine and beside two compilers, the same for pyperf in the same minutes, free-threaded
threads as a share of the native ceiling and how well that repeats, the share of a default run's
wall time inside samples, and the CPU that the driver uses while samples run. Nothing else should
run on the machine. All figures are ftbench's and pyperf's own; nothing is estimated here.

With --out, the measurements are kept in DIR, and an interrupted call resumes where it stopped.
pyperf is installed into a virtual environment below ftbench's cache folder.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
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
COMPILERS = 2
# The source that they compile for some seconds: functions that keep an optimiser busy.
SOURCE = "".join(
    f"double f{n}(double x) {{ for (int i = 0; i < {n + 2}; i++) x = x * {n}.5 + i; return x; }}\n"
    for n in range(20000)
)


def main():
    options = arguments()
    if not FTBENCH.exists():
        sys.exit(f"{FTBENCH} is not there; build it with 'make build'")
    with tempfile.TemporaryDirectory(prefix="ftbench-proof-") as name:
        folder = options.out or pathlib.Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = experiments(options, folder)
        run = default_run(folder, options.budget)
    rows = [("what", "target", "here")]
    rows += check_rows(found)
    rows += pyperf_rows(found["pyperf"])
    rows += ceiling_rows(found["ceiling"])
    rows += run_rows(run)
    print(f"\nOn {machine()}:\n")
    print_table(rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=pathlib.Path, help="keep experiments in DIR, and resume there"
    )
    parser.add_argument(
        "--experiments", type=int, default=20, help="number of experiments of each kind"
    )
    parser.add_argument("--busy", type=int, default=20, help="experiments beside two compilers")
    parser.add_argument(
        "--pyperf-pairs", type=int, default=10, help="pairs of pyperf runs; 0 omits pyperf"
    )
    parser.add_argument("--ceilings", type=int, default=10, help="runs of 30 s against the ceiling")
    parser.add_argument("--budget", default="3m", help="time of the default run")
    return parser.parse_args()


def experiments(options, folder):
    """The experiments by kind. They are made in turns, so that all kinds meet the same state of the
    machine. Each is kept as a line of a file and not repeated."""
    kinds = {
        "identical": (options.experiments, lambda number: selfcheck(["aa"], 20, number)),
        "slowed 5%": (options.experiments, lambda number: slowed("5%", 20, number)),
        "slowed 2.5%": (options.experiments, lambda number: slowed("2.5%", 60, number)),
        "pyperf": (options.pyperf_pairs, lambda number: pyperf_pair(folder, number)),
        "ceiling": (options.ceilings, lambda number: ceiling(folder, number)),
        "busy": (options.busy, lambda number: beside_compilers(folder, number)),
    }
    kept = folder / "experiments.jsonl"
    found = {kind: [] for kind in kinds}
    if kept.exists():
        for line in kept.read_text().splitlines():
            one = json.loads(line)
            found[one["kind"]].append(one)
    for number in range(max(count for count, _ in kinds.values())):
        for kind, (count, make) in kinds.items():
            if number >= count or number < len(found[kind]):
                continue
            one = {"kind": kind, **make(number)}
            with kept.open("a") as file:
                file.write(json.dumps(one) + "\n")
            found[kind].append(one)
            say(f"{kind}, {number + 1} of {count}: {one['words']}")
    return found


def selfcheck(kind, seconds, seed):
    command = [FTBENCH, "selfcheck", *kind, "--experiments", "1", "--format", "json", "--quiet"]
    command += ["--seconds", str(seconds), "--seed", str(seed)]
    # Exit status 1 is a failed check, which is counted here.
    report = json.loads(output_of(command, allowed=(0, 1)))
    words = f"{report['median_ratio']:.4f}, within {report['median_half_width']:.2%}"
    return {**report, "words": words}


def slowed(effect, seconds, seed):
    return selfcheck(["power", "--effect", effect], seconds, seed)


def beside_compilers(folder, seed):
    """Identical arms while two compilers run with the lowest priority."""
    source = folder / "source.c"
    source.write_text(SOURCE)
    loop = f"while :; do cc -O2 -c -o /dev/null '{source}'; done"
    command = ["nice", "-n", "19", "sh", "-c", loop]
    compilers = [subprocess.Popen(command, start_new_session=True) for _ in range(COMPILERS)]
    try:
        return selfcheck(["aa"], 20, 1000 + seed)
    finally:
        for compiler in compilers:
            os.killpg(compiler.pid, 9)
            compiler.wait()


def ceiling(folder, number):
    """Two free-threaded threads against the ceiling, in 30 s."""
    out = folder / f"ceiling-{number}"
    plan = json.loads(output_of([FTBENCH, "run", "fib", "--dry-run", "--format", "json"]))
    tags = [cell["interpreter"] for cell in plan["cells"] if cell["interpreter"].endswith("t")]
    command = [FTBENCH, "run", "fib", "-p", tags[0], "-m", "threads", "-n", "2", "--out", out]
    # A run with a budget makes at least ten rounds.
    command += ["--budget", "30s", "--precision", "0.01%", "--seed", str(number)]
    summary = json.loads(output_of([*command, "--format", "json", "--quiet"]))
    cells = [cell for cell in summary["cells"] if cell["ceiling_fraction"] and cell["workers"] == 2]
    fraction = cells[0]["ceiling_fraction"]
    return {**fraction, "words": "{estimate:.1%} [{low:.1%}, {high:.1%}]".format(**fraction)}


def check_rows(found):
    rows = []
    identical = found["identical"]
    if identical:
        rows += [width_row("half-width of a ratio of two one-worker arms", "1 %", identical)]
        rows += false_rows(identical)
    if found["busy"]:
        rows += [width_row("... beside two compilers at 'nice -n 19'", "2 %", found["busy"])]
        rows += false_rows(found["busy"])
    for kind, bar in (("slowed 5%", "at least 95 %"), ("slowed 2.5%", "at least 80 %")):
        reports = found[kind]
        if reports:
            called = sum(report["called_different"] for report in reports)
            seconds = statistics.median(report["median_experiment_s"] for report in reports)
            what = f"a true slowdown of {kind.split()[1]} found in {seconds:.0f} s"
            rows.append((what, bar, f"{called} of {len(reports)}"))
    return rows


def width_row(what, bar, reports):
    width = statistics.median(report["median_half_width"] for report in reports)
    rounds = statistics.median(report["median_rounds"] for report in reports)
    seconds = statistics.median(report["median_experiment_s"] for report in reports)
    here = f"{width:.2%} in {seconds:.1f} s ({rounds:.0f} rounds), median of {len(reports)}"
    return (what, f"at most {bar} in 20 s", here)


def false_rows(reports):
    called = sum(report["called_different"] for report in reports)
    excluding = sum(report["intervals_excluding_1"] for report in reports)
    return [
        ("... identical arms called different", "at most 5 %", f"{called} of {len(reports)}"),
        ("... whose interval excludes 1", "2 to 9 %", f"{excluding} of {len(reports)}"),
    ]


def pyperf_python():
    """The Python of an environment with pyperf, made with ftbench's baseline interpreter."""
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


def pyperf_pair(folder, number):
    """Two fast runs of the same code, back to back, compared with pyperf's own test."""
    python = pyperf_python()
    started = time.monotonic()
    files = [folder / f"pyperf-{number}-{arm}.json" for arm in ("a", "b")]
    for file in files:
        file.unlink(missing_ok=True)
        command = [python, "-m", "pyperf", "timeit", "--fast", "--quiet", "--affinity", "0"]
        output_of([*command, "-s", SETUP, "-o", file, STATEMENT.format(units=UNITS)])
    seconds = time.monotonic() - started
    words = output_of([python, "-m", "pyperf", "compare_to", *files]).strip().splitlines()[-1]
    return {"different": "not significant" not in words.lower(), "seconds": seconds, "words": words}


def pyperf_rows(pairs):
    if not pairs:
        return []
    different = sum(pair["different"] for pair in pairs)
    seconds = statistics.median(pair["seconds"] for pair in pairs)
    return [
        (
            "pyperf --fast: back-to-back runs of the same code called significant",
            "-",
            f"{different} of {len(pairs)}, {seconds:.1f} s each",
        )
    ]


def ceiling_rows(found):
    if not found:
        return []
    half_width = statistics.median(
        (one["high"] - one["low"]) / 2 / one["estimate"] for one in found
    )
    rows = [
        (
            "fib, two free-threaded threads, against the ceiling in 30 s: half-width",
            "at most 3 %",
            f"{half_width:.2%}, median of {len(found)}",
        ),
        (
            "... share of the ceiling",
            "at least 95 %",
            f"{statistics.median(one['estimate'] for one in found):.1%}, median",
        ),
    ]
    if len(found) > 2:
        total = sum(one["estimate"] for one in found)
        means = [(total - one["estimate"]) / (len(found) - 1) for one in found]
        held = [one["low"] <= mean <= one["high"] for one, mean in zip(found, means, strict=True)]
        what = "... intervals that contain the mean of the other runs"
        rows.append((what, "at least 90 %", f"{sum(held)} of {len(held)}"))
    return rows


def default_run(folder, budget):
    """A default run of two workloads."""
    say("a default run of fib and nbody")
    out = folder / "run"
    if not (out / "summary.json").exists():
        command = [FTBENCH, "run", "fib", "nbody", "--budget", budget, "--out", out]
        output_of([*command, "--format", "json", "--quiet"])
    manifest = json.loads((out / "run.json").read_text())
    trials = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
    return manifest, trials


def run_rows(run):
    manifest, trials = run
    samples = [sample for trial in trials for sample in trial["samples"]]
    counted_s = seconds_in(sample for sample in samples if not sample["warmup"])
    wall_s = wall_seconds(manifest)
    # Recorded only for the samples that were observed.
    known = [sample for sample in samples if "noise" in sample and not sample["warmup"]]
    driver_s = sum(sample["noise"]["driver_ns"] for sample in known) / 1e9
    return [
        (
            "share of a default run's wall time inside counted samples",
            "50 %",
            f"{counted_s / wall_s:.1%} of {wall_s:.0f} s",
        ),
        ("... with warm-ups", "65 %", f"{seconds_in(samples) / wall_s:.1%}"),
        (
            "CPU that the driver uses while counted samples run",
            "under 0.1 % of a core",
            f"{driver_s / seconds_in(known):.3%}",
        ),
    ]


def seconds_in(samples):
    return sum(sample["end_ns"] - sample["start_ns"] for sample in samples) / 1e9


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
