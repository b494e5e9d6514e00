"""Processes: one ProcessPoolExecutor with as many processes as there are workers."""

import gc
import multiprocessing
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from ftbench_worker import pooled
from ftbench_worker.failure import (
    FAILED,
    Failed,
    Failure,
    describe,
    failing_as,
    not_sent,
    signal_name,
)
from ftbench_worker.model import TimedShares
from ftbench_worker.share import clock_ns
from ftbench_worker.threads import results_or_failure

# How long a pool may take to notice that its processes are dead or dying, in seconds.
_CLEAN_UP_LIMIT_S = 2.0


class Processes:
    """`work` in the processes of a pool, each with the workload loaded and set up on its own."""

    works_here = False

    def __init__(self, workload, workers, start_method):
        workload.work()
        self._workload = workload
        self._workers = workers
        self._context = multiprocessing.get_context(start_method)
        self.start_method = self._context.get_start_method()
        self._executor = None
        self._processes = []

    def start(self):
        others = multiprocessing.active_children()
        barrier = self._context.Barrier(self._workers)
        self._executor = ProcessPoolExecutor(
            self._workers,
            mp_context=self._context,
            initializer=pooled.enter,
            initargs=(barrier, self._workload.loaded_as),
        )
        with self._failing_as("start"):
            futures = [self._executor.submit(pooled.report) for _ in range(self._workers)]
            self._processes = [
                process for process in multiprocessing.active_children() if process not in others
            ]
            return pooled.workers_or_failure(results_or_failure(futures))

    def set_up(self, units):
        return self._in_each("setup", pooled.set_up, units)

    def run(self, inputs, units):
        # Without `split`, nothing is sent but the number of units.
        shares = [(each,) for each in units] if inputs is None else list(zip(units, inputs))
        submit = self._executor.submit
        with self._failing_as("work"):
            start_ns = clock_ns()
            futures = [submit(pooled.share, *share) for share in shares]
            done = results_or_failure(futures)
            end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, done)

    def tear_down(self):
        self._in_each("teardown", pooled.tear_down)

    def close(self):
        if self._executor is not None:
            self._executor.shutdown(wait=True)

    def kill(self):
        for process in multiprocessing.active_children():
            process.kill()
        if self._executor is not None:
            self._wait_for_broken_pool()
            # Releases the pool's semaphores, so that no tracker complains about them on stderr.
            self._executor = None
            gc.collect()

    def _wait_for_broken_pool(self):
        """Let the pool clean up after its processes, which may hang, as in CPython 3.12.1."""
        cleaner = threading.Thread(target=self._executor.shutdown, daemon=True)
        cleaner.start()
        cleaner.join(_CLEAN_UP_LIMIT_S)

    def _in_each(self, step, task, *arguments):
        """Run a task once in every process; returns the workers, or raises the first failure."""
        with self._failing_as(step):
            futures = [self._executor.submit(task, *arguments) for _ in range(self._workers)]
            return pooled.workers_or_failure(results_or_failure(futures))

    @contextmanager
    def _failing_as(self, step):
        with failing_as(step):
            try:
                yield
            except Failed:
                raise
            except BrokenProcessPool as error:
                raise Failed(self._describe_death(step, error)) from None
            except Exception as error:
                # `do_share` turns every exception of the workload into `Failed`, so this one is
                # the pool's own: a share or its result cannot be pickled.
                failure = not_sent(error, "processes") if step == "work" else describe(step, error)
                raise Failed(failure) from None

    def _describe_death(self, step, error):
        """Describe how a process died, if that is known.

        The pool ends the remaining processes with SIGTERM, so these are not the cause. It has
        collected every exit status once it is shut down; reading one earlier could take it away.
        """
        self._wait_for_broken_pool()
        for process in self._processes:
            status = process.exitcode
            if status is None or status == -signal.SIGTERM:
                continue
            if status >= 0:
                how = f"ended with exit status {status}"
            elif status == -signal.SIGKILL:
                how = "was killed by SIGKILL, perhaps for lack of memory,"
            else:
                how = f"was killed by {signal_name(-status)}"
            return Failure(step, FAILED, f"a process of the pool {how} during '{step}'", "")
        return describe(step, error)
