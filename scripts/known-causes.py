#!/usr/bin/env python3
"""Explains workloads whose cause is known, and controls that share nothing.

    scripts/known-causes.py [--ftbench PATH] [-p TAG ...] [-n N] [--controls N] [NAME ...]

Prints whether `ftbench explain` names each cause first or second, how long an explanation takes,
what it costs the workers, and how much of their time has an unknown cause. Exit status 1 when more
than 3 of 28 causes are missed, or anything is named in a control.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from commands import output_of, print_table, say

ROOT = pathlib.Path(__file__).resolve().parent.parent

BEGINNING = """
import copy, gc, queue, random, threading, warnings


class Shared:
    def __init__(self):
        self.number = 1

    def method(self):
        return None


class Node:
    pass


"""

# For each cause: how each unit of work uses what is shared, and what is to be named. `object` and
# `part` describe an element of `contended`, `category` and `detail` a row of `time`.
CAUSES = {
    "bound_method": (
        """
ONE = Shared()
METHOD = ONE.method


def work(data, units):
    for _ in range(units):
        for _ in range(1000):
            METHOD()
""",
        [{"object": "ONE"}, {"object": "METHOD"}],
    ),
    "list_read": (
        """
LIST = [object()]


def work(data, units):
    for _ in range(units):
        for _ in range(1000):
            LIST[0]
""",
        [{"object": "LIST", "part": "shared reference count"}],
    ),
    "dict_written": (
        """
TABLE = {}


def work(data, units):
    for _ in range(units):
        for number in range(200):
            TABLE[number] = None
""",
        [{"object": "TABLE", "part": "object lock"}],
    ),
    "queue": (
        """
QUEUE = queue.Queue()


def work(data, units):
    for _ in range(units):
        for _ in range(20):
            QUEUE.put(None)
            QUEUE.get()
""",
        [{"object": "QUEUE"}],
    ),
    "lock": (
        """
LOCK = threading.Lock()


def work(data, units):
    for _ in range(units):
        for _ in range(10):
            with LOCK:
                sum(range(20))
""",
        [{"object": "LOCK"}],
    ),
    "random": (
        """
def work(data, units):
    for _ in range(units):
        for _ in range(200):
            random.random()
""",
        [{"object": "random._inst"}],
    ),
    "attributes": (
        """
POINT = Shared()


def work(data, units):
    for _ in range(units):
        for _ in range(200):
            POINT.number = POINT.number
""",
        [{"object": "POINT"}],
    ),
    "closure": (
        """
def closure():
    content = [0]

    def inner(units):
        for _ in range(units):
            for _ in range(1000):
                content

    return inner


INNER = closure()


def work(data, units):
    INNER(units)
""",
        [{"object": "INNER"}],
    ),
    "class_creation": (
        """
def work(data, units):
    for _ in range(units):
        type("Made", (), {})
""",
        [{"part": "PyType_Ready"}, {"category": "CPython's locks"}, {"category": "stopping"}],
    ),
    "deep_copies": (
        """
ITEMS = {"a": [1, 2, 3], "b": (4, 5)}


def work(data, units):
    for _ in range(units):
        copy.deepcopy(ITEMS)
""",
        [{"object": "copy."}],
    ),
    "warnings": (
        """
warnings.simplefilter("ignore")


def work(data, units):
    for _ in range(units):
        for _ in range(10):
            warnings.warn("not shown", UserWarning)
""",
        [{"object": "warnings."}, {"part": "warnings"}, {"category": "CPython's locks"}],
    ),
    "gil_from_import": (
        """
import needs_gil


def work(data, units):
    for _ in range(units):
        x = 1
        for _ in range(1000):
            x = (7 * x + 1) & 255
""",
        [{"category": "waiting for the GIL"}],
    ),
    "allocation": (
        """
def work(data, units):
    for _ in range(units):
        bytearray(1 << 22)
""",
        [
            {"category": "operating system"},
            {"category": "system calls"},
            {"category": "allocation"},
        ],
    ),
    "cyclic_garbage": (
        """
def work(data, units):
    for _ in range(units):
        for _ in range(100):
            node = Node()
            node.itself = node
""",
        [{"category": "garbage collection"}, {"category": "stopping the world"}],
    ),
}

# Nothing is shared. Constants are small integers, whose references are not counted.
CONTROLS = {
    "recursion": """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work(data, units):
    for _ in range(units):
        fib(12)
""",
    "integers": """
def work(data, units):
    for _ in range(units):
        x = 1
        for _ in range(1000):
            x = (7 * x + 1) & 255
""",
    "own_list": """
def work(data, units):
    own = []
    for _ in range(units):
        for number in range(200):
            own.append(number)
        own.clear()
""",
    "own_dict": """
def work(data, units):
    own = {}
    for _ in range(units):
        for number in range(200):
            own[number] = number
""",
    "own_text": """
def work(data, units):
    for _ in range(units):
        text = ""
        for number in range(100):
            text += str(number)
""",
}

# An extension module that does not say that it can do without the GIL.
NEEDS_GIL = """
#include <Python.h>
static struct PyModuleDef needs_gil = {PyModuleDef_HEAD_INIT, "needs_gil", NULL, 0, NULL};
PyMODINIT_FUNC PyInit_needs_gil(void) { return PyModule_Create(&needs_gil); }
"""

# Workers do nothing in these, so they are effects.
EFFECTS = ("no work left", "waiting for a PU")

# Workloads of the suite by which the cost of sampling is judged.
COST = ("fib", "nbody")


def main():
    options = arguments()
    code = {name: code for name, (code, _) in CAUSES.items()} | CONTROLS
    with tempfile.TemporaryDirectory(prefix="ftbench-causes-") as temporary:
        folder = pathlib.Path(temporary)
        files = {name: written(folder, name, code[name]) for name in code}
        chosen = options.names or [*CAUSES, *CONTROLS, *COST]
        taken = []
        missed = causes(options, files, folder, [name for name in CAUSES if name in chosen], taken)
        named = controls(options, files, [name for name in CONTROLS if name in chosen], taken)
        costs(options, [name for name in COST if name in chosen], taken)
    if taken:
        longest_s, what = max(taken)
        median_s = statistics.median(seconds for seconds, _ in taken)
        print(f"\nAn explanation takes {median_s:.1f} s, {longest_s:.1f} s at most ({what}).")
    sys.exit(1 if missed > 3 / 28 * len(CAUSES) * len(options.python) or named else 0)


def written(folder, name, code):
    """The path of a workload's file."""
    path = folder / f"about_{name}.py"  # not the name of a module that others import
    path.write_text(BEGINNING + code)
    return path


def causes(options, files, folder, names, taken):
    """Explains each cause on each interpreter; returns how many were missed."""
    rows = [("cause", "build", "place", "contended", "rises most", "unknown")]
    missed = 0
    for name in names:
        for tag in options.python:
            say(f"{name} on {tag}")
            if name == "gil_from_import":
                compile_extension(options, tag, folder)
            found = explained(options, files[name], tag, taken)
            if found is None:
                place, columns = None, ("(failed)", "", "")
            else:
                place, columns = place_of(CAUSES[name][1], found), described(found)
            missed += place is None
            rows.append((name, tag, str(place or "missed"), *columns))
    if names:
        print_table(rows)
        count = len(rows) - 1
        print(f"\n{count - missed} of {count} causes are named first or second.\n")
    return missed


def controls(options, files, names, taken):
    """Explains what shares nothing; returns in how many explanations something is named."""
    rows = [("control", "build", "named in", "objects")]
    named = runs = 0
    for name in names:
        for tag in options.python:
            objects = []
            say(f"{name} on {tag}, {options.controls} times")
            for _ in range(options.controls):
                found = explained(options, files[name], tag, taken)
                objects.append(
                    [words(one) for one in found["contended"]] if found else ["(failed)"]
                )
            with_objects = sum(map(bool, objects))
            named += with_objects
            runs += len(objects)
            all_objects = "; ".join(sorted({name for names in objects for name in names}))
            rows.append((name, tag, f"{with_objects} of {len(objects)}", all_objects))
    if names:
        print_table(rows)
        print(f"\nIn {named} of {runs} explanations of controls something is named.\n")
    return named


def costs(options, names, taken):
    """Prints how much longer samples of the suite's workloads take while they are looked at."""
    rows = [("workload", "build", "one worker", f"{options.workers} workers", "unknown")]
    for name in names:
        for tag in options.python:
            found = [explained(options, name, tag, taken) for _ in range(options.controls)]
            found = [one for one in found if one]
            cost = [
                together([one["cost"][key] for one in found])
                for key in ("one_worker", "all_workers")
            ]
            share = statistics.median(unknown(one) for one in found)
            rows.append((name, tag, *cost, f"{share:.1%}"))
    if names:
        print_table(rows)


def together(estimates):
    """The mean of independent ratios, weighted by the squares of their half-widths, as text."""
    weights = [1 / max(one["high"] - one["low"], 1e-9) ** 2 for one in estimates]
    mean = sum(w * one["estimate"] for w, one in zip(weights, estimates)) / sum(weights)
    half = 1 / math.sqrt(sum(weights)) / 2
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


def explained(options, workload, tag, taken):
    """What `ftbench explain` says; None when it fails."""
    command = [options.ftbench, "explain", workload, "-p", tag, "-n", str(options.workers)]
    started = time.monotonic()
    done = subprocess.run(
        [str(word) for word in [*command, "--format", "json", "--quiet"]],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        say(done.stderr.strip())
        return None
    taken.append((time.monotonic() - started, f"{pathlib.Path(workload).stem} on {tag}"))
    [explanation] = json.loads(done.stdout)["explanations"]
    return explanation


def place_of(expected, found):
    """1 or 2 when what is expected is contended first or second, or rises most or second most."""
    rising = [row for row in found["time"] if row["category"] not in EFFECTS]
    for place, (row, one) in enumerate(zip(pad(rising), pad(found["contended"])), 1):
        for wanted in expected:
            if "category" in wanted:
                if row and row["category"].startswith(wanted["category"]):
                    return place
            elif one and all(
                text in (one["object" if key == "object" else "field"] or "")
                for key, text in wanted.items()
            ):
                return place
    return None


def pad(items):
    """The first two items, None where there are fewer."""
    return [*items, None, None][:2]


def described(found):
    """The first two of what is contended and of what rises, and the share of unknown time."""
    rising = [row for row in found["time"] if row["category"] not in EFFECTS][:2]
    names = [": ".join(filter(None, (row["category"], row["detail"]))) for row in rising]
    contended = "; ".join(words(one) for one in found["contended"][:2])
    return contended, "; ".join(names), f"{unknown(found):.1%}"


def words(one):
    """A contended object in words."""
    return f"{one['object'] or one['type'] or '?'}: {one['field']}"


def unknown(found):
    """The share of all workers' time whose cause is unknown."""
    total = found["total"]["all_workers_ns"]["estimate"]
    rows = [row for row in found["time"] if row["category"] == "unknown"]
    return sum(row["all_workers_ns"]["estimate"] for row in rows) / total if total else 0.0


def compile_extension(options, tag, folder):
    """Compiles the module that switches the GIL on, for one interpreter."""
    paths = [one["path"] for one in interpreters(options) if one["tag"] == tag]
    code = "import sysconfig as s; print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'))"
    include, suffix = output_of([paths[0] if paths else tag, "-c", code]).split()
    for stale in folder.glob("needs_gil*.so"):
        stale.unlink()
    source = folder / "needs_gil.c"
    source.write_text(NEEDS_GIL)
    output_of(
        ["cc", "-shared", "-fPIC", "-I", include, "-o", folder / f"needs_gil{suffix}", source]
    )


def interpreters(options):
    """The interpreters that ftbench finds."""
    return json.loads(output_of([options.ftbench, "python", "list", "--format", "json"]))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="causes, controls, fib or nbody")
    parser.add_argument("--ftbench", default=ROOT / "target/release/ftbench")
    parser.add_argument(
        "-p",
        "--python",
        action="append",
        metavar="TAG|PATH",
        help="a free-threaded build; may be repeated [default: all that ftbench finds]",
    )
    parser.add_argument("-n", "--workers", type=int, default=2)
    parser.add_argument("--controls", type=int, default=2, help="explanations of each control")
    options = parser.parse_args()
    if not options.python:
        options.python = [one["tag"] for one in interpreters(options) if one["free_threaded"]]
    return options


if __name__ == "__main__":
    main()
