# /// script
# requires-python = ">=3.9"
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Misbehaves in most trials, at a random moment"
# models = ["serial", "threads", "processes"]
# ///
"""The file's name is the kind of misbehaviour; inject-faults.py makes one copy for each kind."""

import ctypes
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import signal
import threading
import time

KIND = pathlib.Path(__file__).stem
INJECTED = pathlib.Path(__file__).with_name("injected.jsonl")
REPLIES_FD = 4
LONG_S = 600
STEPS = 2_000
SUM = sum(i * i for i in range(STEPS))
IS_MAIN = multiprocessing.parent_process() is None
# ftbench calibrates with this hash seed; a workload that fails there is not measured at all.
IS_CALIBRATION = os.environ.get("PYTHONHASHSEED") == "1"

_random = random.SystemRandom()
_lock = threading.Lock()
_step = None
if not IS_CALIBRATION and _random.random() < 0.8:
    _step = _random.choice(("work", "work", "work", "check"))
    if KIND != "wrong_result" and _random.random() < 0.3:
        _step = _random.choice(("setup", "split"))


def setup(units):
    misbehave_if_due("setup")


def split(data, workers):
    misbehave_if_due("split")
    return [None] * workers


def work(data, units):
    fault_at = _random.randrange(max(units, 1))
    total = 0
    for unit in range(units):
        total += sum(i * i for i in range(STEPS))
        if unit == fault_at and misbehave_if_due("work") == "wrong_result":
            total += 1
    return total


def check(results, units):
    if misbehave_if_due("check") == "wrong_result":
        results = [*results, 1]
    assert sum(results) == units * SUM, "a sum is wrong"


def misbehave_if_due(step):
    """Misbehave once in a process, if this is the step for it; returns the kind if it did."""
    global _step
    with _lock:
        if _step != step:
            return None
        _step = None
    note = {"kind": KIND, "step": step, "pid": os.getpid(), "main": IS_MAIN, "at": time.time()}
    notes = os.open(INJECTED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(notes, json.dumps(note).encode() + b"\n")
    os.close(notes)
    MISBEHAVIOUR[KIND]()
    return KIND


def reply(message):
    os.write(REPLIES_FD, message)


def deadlock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def raise_error():
    raise RuntimeError("injected")


def end_in_half_a_message():
    reply(b'{"type": "sample", "sam')
    os._exit(0)


def print_without_end():
    mebibyte = b"x" * (1 << 20)
    for _ in range(1 << 10):
        os.write(1, mebibyte)


def leave_children():
    for _ in range(40):
        if os.fork() == 0:
            time.sleep(LONG_S)
            os._exit(0)


def leave_an_orphan():
    """Start a grandchild in a session of its own, whose parent exits."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(LONG_S)
        os._exit(0)
    os.waitpid(child, 0)


def sample_message(start, end):
    return (
        f'{{"type": "sample", "sample": 0, "start_ns": {start}, "end_ns": {end}, '
        '"gil_enabled": true, "gil_enabled_by": null, "shares": [], "reported": {}}\n'
    ).encode()


MISBEHAVIOUR = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(_random.randrange(256)),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stopped": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "deadlock": deadlock,
    "endless_loop": lambda: sum(itertools.repeat(1)),
    "exception": raise_error,
    "wrong_result": lambda: None,
    "children": leave_children,
    "orphan": leave_an_orphan,
    "output": print_without_end,
    "closed_channel": lambda: os.close(REPLIES_FD),
    "garbage": lambda: reply(b"\x00garbage]\n"),
    "half_message": end_in_half_a_message,
    "not_utf8": lambda: reply(b'{"type": "\xff\xfe"}\n'),
    "wrong_version": lambda: reply(
        b'{"type": "hello", "protocol": 99, "process_id": 1, "python": "", "gil_enabled": true}\n'
    ),
    "not_a_number": lambda: reply(sample_message("NaN", "Infinity")),
    "clock_backwards": lambda: reply(sample_message(2_000_000_000, 1_000_000_000)),
}
