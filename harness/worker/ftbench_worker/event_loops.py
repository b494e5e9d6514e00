"""asyncio: tasks on one event loop, or one loop in each thread of a pool. Loops live as long as
the model, as in a program that runs under `asyncio.run`."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from ftbench_worker import loops
from ftbench_worker.model import InOneProcess, TimedShares
from ftbench_worker.share import clock_ns, do_share_async, this_worker
from ftbench_worker.threads import results_or_failure


class Asyncio(InOneProcess):
    """N tasks on one loop, on the main thread."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work_async = workload.work_async()
        self._loop = None
        # Kept, so that asyncio does not complain on stderr about tasks left over after a failure.
        self._tasks = []

    def start(self):
        self._loop = self.workload.loops.new()
        asyncio.set_event_loop(self._loop)
        self._started = self._loop.run_until_complete(self._gather(_report, [()] * self.workers))
        return self._started

    def run(self, inputs, units):
        inputs = self.inputs_of_workers(inputs)
        shares = [(self._work_async, *share) for share in zip(inputs, units)]
        return self._loop.run_until_complete(self._timed(shares))

    async def _timed(self, shares):
        """The timed section, inside a coroutine, as in a program."""
        start_ns = clock_ns()
        done = await self._gather(do_share_async, shares)
        end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, done)

    async def _gather(self, coroutine, arguments):
        """Results in order; the first failure is raised without waiting for the others."""
        self._tasks = tasks = [self._loop.create_task(coroutine(*each)) for each in arguments]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failures = [task.exception() for task in tasks if task in done and task.exception()]
        if failures:
            raise failures[0]
        self._tasks = []
        return [task.result() for task in tasks]

    def close(self):
        if self._loop is not None:
            loops.close(self._loop)


class AsyncioThreads(InOneProcess):
    """One loop in each of N threads, one task on each."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work_async = workload.work_async()
        self._executor = None
        self._loops = []
        self._of_thread = threading.local()

    def start(self):
        barrier = threading.Barrier(self.workers)
        self._executor = ThreadPoolExecutor(self.workers)
        futures = [self._executor.submit(self._enter, barrier) for _ in range(self.workers)]
        self._started = results_or_failure(futures)
        return self._started

    def run(self, inputs, units):
        inputs = self.inputs_of_workers(inputs)
        work_async = self._work_async
        submit = self._executor.submit
        start_ns = clock_ns()
        futures = [
            submit(self._on_loop, do_share_async, work_async, *share)
            for share in zip(inputs, units)
        ]
        shares = results_or_failure(futures)
        end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, shares)

    def _enter(self, barrier):
        """Give this thread of the pool its loop; returns the worker."""
        loop = self.workload.loops.new()
        asyncio.set_event_loop(loop)
        self._of_thread.loop = loop
        self._loops.append(loop)
        return self._on_loop(_report, barrier)

    def _on_loop(self, coroutine, *arguments):
        """Run a coroutine on the own loop of this thread of the pool."""
        return self._of_thread.loop.run_until_complete(coroutine(*arguments))

    def close(self):
        if self._executor is not None:
            self._executor.shutdown(wait=True)
        for loop in self._loops:
            loops.close(loop)


async def _report(barrier=None):
    """Report this worker once all tasks have started, so that each runs on a thread of its own."""
    if barrier is not None:
        barrier.wait()
    return this_worker()
