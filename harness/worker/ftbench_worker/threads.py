"""Threads: one ThreadPoolExecutor with as many threads as there are workers."""

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from ftbench_worker.model import InOneProcess, TimedShares
from ftbench_worker.share import clock_ns, do_share, this_worker


def results_or_failure(futures):
    """Wait for all futures and return their results in order, or raise the first failure.

    The others may wait for the failed one forever, so this function does not wait for them.
    """
    done, not_done = wait(futures, return_when=FIRST_EXCEPTION)
    if not_done:
        for future in done:
            future.result()
    return [future.result() for future in futures]


class Threads(InOneProcess):
    """`work` on the threads of a pool."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work = workload.work()
        self._executor = None

    def start(self):
        barrier = threading.Barrier(self.workers)
        self._executor = ThreadPoolExecutor(self.workers)
        futures = [self._executor.submit(_report, barrier) for _ in range(self.workers)]
        self._started = results_or_failure(futures)
        return self._started

    def run(self, inputs, units):
        inputs = self.inputs_of_workers(inputs)
        work = self._work
        submit = self._executor.submit
        start_ns = clock_ns()
        futures = [submit(do_share, work, *share) for share in zip(inputs, units)]
        shares = results_or_failure(futures)
        end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, shares)

    def close(self):
        if self._executor is not None:
            self._executor.shutdown(wait=True)


def _report(barrier):
    """Report this worker once all tasks have started, so that each has a thread of its own."""
    barrier.wait()
    return this_worker()
