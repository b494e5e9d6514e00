"""One worker's part of a sample, and how the units of a sample become such parts."""

import gc
import os
import threading
import time
from collections import namedtuple

from ftbench_worker import gil
from ftbench_worker.failure import Failed, describe

# CLOCK_MONOTONIC on Linux, so that stamps of different processes can be compared.
clock_ns = time.perf_counter_ns

# Who a worker is, the GIL's state in its process, and collections in its interpreter so far.
Worker = namedtuple("Worker", "process_id thread_id gil_enabled gil_enabled_by collections")

# One finished part: the worker that did it, when `work` was entered and when it returned, by
# `clock_ns`, and what it returned.
Share = namedtuple("Share", "worker start_ns end_ns result")


def this_worker():
    """The thread that calls, as a worker."""
    return Worker(
        os.getpid(), threading.get_native_id(), gil.enabled(), gil.enabled_by(), collections()
    )


def collections():
    """Garbage collections in this interpreter so far, of any generation."""
    return sum(generation["collections"] for generation in gc.get_stats())


def split_units(units, workers):
    """Units of each worker: as even as can be, the first workers get one more."""
    each, left_over = divmod(units, workers)
    return [each + 1] * left_over + [each] * (workers - left_over)


def do_share(work, data, units):
    """Do one part and stamp it. Whatever `work` raises becomes `Failed`."""
    try:
        start_ns = clock_ns()
        result = work(data, units)
        end_ns = clock_ns()
    except BaseException as error:
        raise Failed(describe("work", error)) from None
    return Share(this_worker(), start_ns, end_ns, result)


async def do_share_async(work_async, data, units):
    """The same inside a task of an event loop."""
    try:
        start_ns = clock_ns()
        result = await work_async(data, units)
        end_ns = clock_ns()
    except BaseException as error:
        raise Failed(describe("work", error)) from None
    return Share(this_worker(), start_ns, end_ns, result)
