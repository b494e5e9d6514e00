#!/usr/bin/env python3
"""Shows about which workloads that start threads or processes `ftbench run` warns.

    scripts/thread-cases.py [-p PYTHON ...] [-m MODEL ...] [--cases NAME ...] [--numpy]

Measures small workloads that start threads in different ways or not at all, and prints what was
recorded about them and whether there was a warning of the kind `starts_threads`. Exit status 1 when
a case with several threads at once has no warning, or a harmless case has one.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

from commands import print_table, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
KIND = "starts_threads"

# The beginning of every case: a unit of work, which computes for about 1 ms.
BEGINNING = """# /// script
# dependencies = [{dependencies}]
# ///
import asyncio, concurrent.futures, ctypes, gc, logging, logging.handlers, multiprocessing
import os, pathlib, queue, subprocess, sys, tempfile, threading, time

HERE = pathlib.Path(__file__).parent


def burn(units):
    total = 0
    for number in range(20_000 * units):
        total += number * number
    return total


"""

# Several threads or processes want to run at once. Those of Python functions take turns on a GIL
# build, so that only the free-threaded build's figures may be affected.
AT_ONCE = {
    "pool_of_2": """
def work(data, units):
    for _ in range(units):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(burn, [2] * 2))
""",
    "pool_of_4": """
def work(data, units):
    for _ in range(units):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(burn, [2] * 4))
""",
    "pool_of_8": """
def work(data, units):
    for _ in range(units):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(burn, [2] * 8))
""",
    "threads_joined": """
def work(data, units):
    threads = [threading.Thread(target=burn, args=(units,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "pool_kept": """
pool = concurrent.futures.ThreadPoolExecutor(4)


def work(data, units):
    list(pool.map(burn, [1] * units))
""",
    "pool_started_at_import": """
def start():
    global pool
    pool = concurrent.futures.ThreadPoolExecutor(4)
    list(pool.map(time.sleep, [0.01] * 4))


start()
# Threads are not forked.
os.register_at_fork(after_in_child=start)


def work(data, units):
    list(pool.map(burn, [1] * units))
""",
    "daemon_computes": """
def for_ever():
    while True:
        burn(1)


started = []


def work(data, units):
    if not started:
        started.append(threading.Thread(target=for_ever, daemon=True))
        started[0].start()
    burn(units)
""",
    "gathered_to_thread": """
async def together(units):
    await asyncio.gather(*[asyncio.to_thread(burn, units) for _ in range(4)])


def work(data, units):
    asyncio.run(together(units))


async def work_async(data, units):
    await together(units)
""",
    "queue_consumer": """
def consume(items):
    while items.get() is not None:
        burn(1)


def work(data, units):
    items = queue.Queue(4)
    consumer = threading.Thread(target=consume, args=(items,))
    consumer.start()
    for _ in range(units):
        burn(1)
        items.put(1)
    items.put(None)
    consumer.join()
""",
    "several_popen": """
def work(data, units):
    command = [sys.executable, "-S", "-c", f"sum(n * n for n in range({20_000 * units}))"]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        process.wait()
""",
    "process_pool_kept": """
pools = []


def work(data, units):
    if not pools:
        pools.append(concurrent.futures.ProcessPoolExecutor(2))
    list(pools[0].map(burn, [units, units]))
""",
    "multiprocessing_pool": """
def work(data, units):
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(burn, [units] * 3)
""",
    "pthreads_in_c": """
library = ctypes.CDLL(str(HERE / "native.so"))


def work(data, units):
    library.with_pthreads(units)
""",
    "openmp_in_c": """
library = ctypes.CDLL(str(HERE / "native.so"))


def work(data, units):
    library.with_openmp(units)
""",
    "numpy_matrix": """
import numpy

LEFT = numpy.ones((600, 600))


def work(data, units):
    for _ in range(units):
        LEFT @ LEFT
""",
    "interpreter_pool": """
def work(data, units):
    with concurrent.futures.InterpreterPoolExecutor(3) as pool:
        list(pool.map(sum, [range(20_000 * units)] * 3))
""",
}

# One thread works while the worker waits for it. On free-threaded builds a thread that waits for
# a lock spins before it sleeps, and looks like one that computes.
IN_TURNS = {
    "one_thread_joined": """
def work(data, units):
    thread = threading.Thread(target=burn, args=(units,))
    thread.start()
    thread.join()
""",
    "one_in_the_executor": """
async def work_async(data, units):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, burn, units)


def work(data, units):
    asyncio.run(work_async(data, units))
""",
}

# Other threads or processes, if any, wait or do almost nothing, or the worker waits for them.
HARMLESS = {
    "daemon_waits": """
threading.Thread(target=threading.Event().wait, daemon=True).start()


def work(data, units):
    burn(units)
""",
    "timer_waits": """
def work(data, units):
    timer = threading.Timer(60, print)
    timer.start()
    burn(units)
    timer.cancel()
    timer.join()
""",
    "queue_listener": """
messages = queue.SimpleQueue()
logging.handlers.QueueListener(messages, logging.NullHandler()).start()


def work(data, units):
    burn(units)
    messages.put(logging.makeLogRecord({"msg": "done"}))
""",
    "look_up_a_host": """
async def work_async(data, units):
    loop = asyncio.get_running_loop()
    for _ in range(units):
        burn(10)
        await loop.getaddrinfo("localhost", 80)


def work(data, units):
    asyncio.run(work_async(data, units))
""",
    "one_popen_after_another": """
def work(data, units):
    command = [sys.executable, "-S", "-c", f"sum(n * n for n in range({20_000 * units}))"]
    for _ in range(2):
        subprocess.Popen(command).wait()
""",
    "computes": """
def work(data, units):
    burn(units)
""",
    "takes_locks": """
lock = threading.Lock()


def work(data, units):
    for _ in range(units * 5_000):
        with lock:
            pass
""",
    "makes_garbage": """
def work(data, units):
    for _ in range(units * 300):
        loop = []
        loop.append([loop] * 10)
    gc.collect()
""",
    "writes_files": """
def work(data, units):
    with tempfile.TemporaryFile() as file:
        for _ in range(units * 20):
            file.write(b"x" * 4096)
            file.flush()
""",
    "waits": """
def work(data, units):
    for _ in range(units):
        time.sleep(0.001)
""",
}

CASES = {**AT_ONCE, **IN_TURNS, **HARMLESS}

NATIVE = """
#include <pthread.h>

static double burn(long units) {
    volatile double total = 0;
    for (long number = 0; number < 200000 * units; number++)
        total += number;
    return total;
}

static void *thread(void *units) {
    burn(*(long *)units);
    return 0;
}

void with_pthreads(long units) {
    pthread_t threads[4];
    for (int each = 0; each < 4; each++)
        pthread_create(&threads[each], 0, thread, &units);
    for (int each = 0; each < 4; each++)
        pthread_join(threads[each], 0);
}

void with_openmp(long units) {
#pragma omp parallel num_threads(4)
    burn(units);
}
"""


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="ftbench-threads-") as name:
        folder = pathlib.Path(name)
        files = write_cases(folder, options)
        out = folder / "run"
        command = [options.ftbench, "run", *files, "--quiet", "--out", out, "--no-ceiling"]
        command += ["--rounds", options.rounds, "--samples", 3, "-n", options.workers]
        command += ["--pin", options.pin, "--timeout", 60, "--profile", "quick"]
        command += ["-m", ",".join(options.model), "-p", ",".join(options.python)]
        say(" ".join(map(str, command)))
        # Status 1 means that a cell failed, which the table shows.
        subprocess.run([str(word) for word in command], check=False, stdout=subprocess.DEVNULL)
        trials = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
        summary = json.loads((out / "summary.json").read_text())
    warnings = [warning for warning in summary["warnings"] if warning["kind"] == KIND]
    for warning in warnings:
        print(warning["message"])
    warned = {name for warning in warnings for name in warning["workloads"]}
    print_table(rows(trials, warned))
    good = [trial["cell"] for trial in trials if trial["status"] == "ok"]
    # OpenBLAS starts no threads when it may use only one PU.
    alone = [cell for cell in good if cell["workload"] == "numpy_matrix" and cell["workers"] == 1]
    measured = {cell["workload"] for cell in good if cell not in alone}
    wrong = sorted((set(AT_ONCE) - warned | set(HARMLESS) & warned) & measured)
    if wrong and options.pin != "none":
        sys.exit(f"not as expected: {', '.join(wrong)}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", type=pathlib.Path, default=ROOT / "target/release/ftbench")
    parser.add_argument("-p", "--python", nargs="+", default=["3.13", "3.13t"])
    parser.add_argument("-m", "--model", nargs="+", default=["serial", "threads"])
    parser.add_argument("-n", "--workers", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pin", default="cores")
    parser.add_argument("--cases", nargs="+", default=[*CASES], help="measure only these cases")
    parser.add_argument("--numpy", action="store_true", help="include the case that installs numpy")
    return parser.parse_args()


def write_cases(folder, options):
    """Write the files of the cases, and the library that some of them call."""
    (folder / "native.c").write_text(NATIVE)
    compiler = ["gcc", "-O1", "-fopenmp", "-shared", "-fPIC", "-o", folder / "native.so"]
    subprocess.run([*compiler, folder / "native.c"], check=True)
    files = []
    for name, source in CASES.items():
        needs_numpy = name == "numpy_matrix"
        if name in options.cases and (options.numpy or not needs_numpy):
            dependencies = '"numpy"' if needs_numpy else ""
            file = folder / f"{name}.py"
            file.write_text(BEGINNING.format(dependencies=dependencies) + source)
            files.append(file)
    return files


def rows(trials, warned):
    """A row of the table for each cell."""
    cells = collections.defaultdict(list)
    for trial in trials:
        cell = trial["cell"]
        cells[cell["workload"], cell["interpreter"], cell["model"], cell["workers"]].append(trial)
    table = [("case", "build", "model", "workers", "before work", "most", "CPU", "looks", "warned")]
    for key, of_cell in sorted(cells.items()):
        good = [trial for trial in of_cell if trial["status"] == "ok"]
        if not good:
            table.append((*key, "", "", "", "", of_cell[0]["reason"]))
            continue
        found = [trial["extra_threads"] for trial in good]
        samples = [s for trial in good for s in trial["samples"] if not s["warmup"]]
        made_ns = sum(s["end_ns"] - s["start_ns"] for s in samples) * len(set(good[0]["placement"]))
        extra_ns = sum(each.get("cpu_time_ns", 0) for each in found)
        seen, contended = (sum(each[k] for each in found) for k in ("looks", "contended_looks"))
        table.append(
            (
                *key,
                max(each["before_work"] for each in found),
                max(each["most"] for each in found),
                f"{extra_ns / max(made_ns, 1):.0%}",
                f"{contended} of {seen}",
                "yes" if key[0] in warned else "no",
            )
        )
    return [tuple(map(str, row)) for row in table]


if __name__ == "__main__":
    main()
