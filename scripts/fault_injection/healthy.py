# /// script
# requires-python = ">=3.9"
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Sums of squares that write their own notes of when they ran"
# models = ["serial", "threads", "processes"]
# ///
"""Runs beside workloads that misbehave; its own notes are compared with what ftbench records."""

import json
import os
import pathlib
import threading
import time

NOTES = pathlib.Path(__file__).with_name("notes.jsonl")
# More than one for each unit, so that a result shows how many units were done.
STEPS = 2_000
SUM = sum(i * i for i in range(STEPS))


def work(data, units):
    start_ns = time.perf_counter_ns()
    total = 0
    for _ in range(units):
        total += sum(i * i for i in range(STEPS))
    note = {
        "pid": os.getpid(),
        "tid": threading.get_native_id(),
        "start_ns": start_ns,
        "end_ns": time.perf_counter_ns(),
        "units": units,
    }
    # One call to the system, so that notes of several processes do not mix.
    notes = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(notes, json.dumps(note).encode() + b"\n")
    os.close(notes)
    return total


def check(results, units):
    assert sum(results) == units * SUM, "a sum is wrong"
