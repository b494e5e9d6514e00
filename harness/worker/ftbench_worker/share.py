"""One worker's part of a sample, and the division of a sample's units into parts."""

import os
import threading
import time
from collections import namedtuple

from ftbench_worker import collector, gil
from ftbench_worker.failure import ContractError, Failed, describe

# CLOCK_MONOTONIC on Linux, so that time stamps of different processes can be compared.
clock_ns = time.perf_counter_ns

# The identity of a worker, the GIL's state in its process, and the garbage collections in its
# interpreter (`collector.so_far`).
Worker = namedtuple("Worker", "process_id thread_id gil_enabled gil_enabled_by collections")

# One finished part: the worker that did it, when `work` was entered and when it returned, by
# `clock_ns`, and its result.
Share = namedtuple("Share", "worker start_ns end_ns result")


# What `work` returns in place of its result when it has timed a part of itself, which is then what
# counts: the time in seconds, and the result.
SelfTimed = namedtuple("SelfTimed", "elapsed_s result", defaults=(None,))


def this_worker():
    """The calling thread as a worker."""
    return Worker(
        os.getpid(), threading.get_native_id(), gil.enabled(), gil.enabled_by(), collector.so_far()
    )


def split_units(units, workers):
    """The units of each worker: as even as possible, with one more for the first workers."""
    each, left_over = divmod(units, workers)
    return [each + 1] * left_over + [each] * (workers - left_over)


def do_share(work, data, units):
    """Do one part and time it. Turns any exception of `work` into `Failed`."""
    try:
        start_ns = clock_ns()
        result = work(data, units)
        end_ns = clock_ns()
        return _share(start_ns, end_ns, result)
    except BaseException as error:
        raise Failed(describe("work", error)) from None


async def do_share_async(work_async, data, units):
    """Do one part inside a task of an event loop."""
    try:
        start_ns = clock_ns()
        result = await work_async(data, units)
        end_ns = clock_ns()
        return _share(start_ns, end_ns, result)
    except BaseException as error:
        raise Failed(describe("work", error)) from None


def _share(start_ns, end_ns, result):
    """The finished part. One that has timed itself is taken to have done so at its end."""
    if isinstance(result, SelfTimed):
        elapsed_ns = round(result.elapsed_s * 1e9)
        if not 0 <= elapsed_ns <= end_ns - start_ns:
            raise ContractError(
                f"the benchmark reported {result.elapsed_s} s, but took {(end_ns - start_ns) / 1e9}"
            )
        start_ns, result = end_ns - elapsed_ns, result.result
    return Share(this_worker(), start_ns, end_ns, result)
