#!/usr/bin/env python3
"""Measures five scripts that start threads of their own, as people publish them.

    scripts/own-threads.py [--ftbench PATH] [-p TAG,TAG] [--budget TIME]

Prints how each scales over the PUs that its process may use, and the share of the ceiling that it
reaches. Exit status 1 when a free-threaded build's interval lies below 90 % of the ceiling, or a
script that computes in Python scales with the GIL.
"""

import argparse
import json
import pathlib
import sys
import tempfile

from commands import output_of, print_table

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Tasks take half a millisecond or more. Handing out tasks of 25 to 60 us through an executor costs
# 3.13t a sixth of the ceiling.
SCRIPTS = {
    "hashing": """
import hashlib, os
from concurrent.futures import ThreadPoolExecutor

DATA = bytes(1_000_000)


def work(data, units):
    with ThreadPoolExecutor(int(os.environ.get("FTBENCH_WORKERS", "1"))) as pool:
        list(pool.map(hashlib.sha256, [DATA] * units))
""",
    "mandelbrot": """
import threading


def rows(first, step, count):
    total = 0
    for y in range(first, count, step):
        for x in range(40):
            c, z = complex(x / 20 - 1.5, (y % 40) / 20 - 1), 0j
            for i in range(30):
                z = z * z + c
                if abs(z) > 2:
                    break
            total += i
    return total


def work(data, units, workers):
    threads = [threading.Thread(target=rows, args=(n, workers, units)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "primes": """
from concurrent.futures import ThreadPoolExecutor


def count(bounds):
    low, high = bounds
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(low, high))


def work(data, units, workers):
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(count, [(1000, 1400)] * units))
""",
    "queue": """
import queue
import threading


def work(data, units, workers):
    todo = queue.Queue()
    for item in [2000] * units + [None] * workers:
        todo.put(item)

    def run():
        while (count := todo.get()) is not None:
            sum(i * i % 7 for i in range(count))

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "thread_pool": """
from multiprocessing.pool import ThreadPool


def sum_of(count):
    total = 0
    for i in range(count):
        total += i * i % 7
    return total


def work(data, units, workers):
    with ThreadPool(workers) as pool:
        pool.map(sum_of, [2000] * units)
""",
}

# Its C function releases the GIL.
SCALES_WITH_GIL = {"hashing"}

BAR = 0.9


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="ftbench-own-threads-") as temporary:
        folder = pathlib.Path(temporary)
        files = []
        for name, code in SCRIPTS.items():
            files.append(folder / f"own_{name}.py")
            files[-1].write_text(code)
        words = [*files, "-p", options.python, "-m", "internal", "--budget", options.budget]
        words += ["--out", folder / "run", "--quiet"]
        output_of([options.ftbench, "run", *words])
        summary = json.loads((folder / "run/summary.json").read_text())
    starts_with_gil = {one["tag"]: one["gil"] == "on" for one in summary["interpreters"]}
    cells = [cell for cell in summary["cells"] if cell["interpreter"] in starts_with_gil]
    most = max(cell["workers"] for cell in cells)
    rows = [("script", "build", f"speedup on {most} PUs", "share of the ceiling", "verdict")]
    missed = 0
    for cell in cells:
        if cell["workers"] != most or cell["model"] != "internal":
            continue
        name = cell["workload"].removeprefix("own_")
        if not starts_with_gil[cell["interpreter"]]:
            is_missed = cell["ceiling_fraction"]["high"] < BAR
        else:
            is_missed = name not in SCALES_WITH_GIL and cell["speedup"]["low"] > 1.1
        missed += is_missed
        figures = [text(cell["speedup"]), text(cell["ceiling_fraction"])]
        rows.append((name, cell["interpreter"], *figures, "missed" if is_missed else "reached"))
    print_table(rows)
    sys.exit(1 if missed else 0)


def text(estimate):
    return "{estimate:.2f} [{low:.2f}, {high:.2f}]".format(**estimate)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", default=ROOT / "target/release/ftbench")
    parser.add_argument("-p", "--python", default="3.13,3.13t", metavar="TAG,TAG")
    parser.add_argument("--budget", default="5m", metavar="TIME")
    return parser.parse_args()


if __name__ == "__main__":
    main()
