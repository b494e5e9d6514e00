"""Subinterpreters: one InterpreterPoolExecutor with as many interpreters as there are workers."""

import os
import sys
from concurrent.futures.interpreter import InterpreterPoolExecutor
from contextlib import contextmanager

from ftbench_worker import pooled
from ftbench_worker.failure import Failed, describe, failing_as, not_sent
from ftbench_worker.model import TimedShares
from ftbench_worker.share import Share, Worker, clock_ns
from ftbench_worker.threads import results_or_failure


class Interpreters:
    """`work` in interpreters of this process, each with the workload loaded and set up on its own.

    The pool runs each interpreter on a thread of its own, which is the worker.
    """

    start_method = None
    works_here = False

    def __init__(self, workload, workers):
        workload.work()
        self._workload = workload
        self._workers = workers
        self._executor = None
        self._barrier = None

    def start(self):
        self._barrier = Barrier.of(self._workers)
        self._executor = InterpreterPoolExecutor(
            self._workers,
            initializer=_enter_pool,
            initargs=(list(sys.path), self._barrier, self._workload.loaded_as),
        )
        return self._in_each("start", pooled.report)

    def set_up(self, units):
        return self._in_each("setup", pooled.set_up, units)

    def run(self, inputs, units):
        # Without `split`, nothing is sent but the number of units.
        shares = [(each,) for each in units] if inputs is None else list(zip(units, inputs))
        submit = self._executor.submit
        with _failing_as("work"):
            start_ns = clock_ns()
            futures = [submit(_do_share, *share) for share in shares]
            done = results_or_failure(futures)
            end_ns = clock_ns()
        return TimedShares(
            start_ns, end_ns, [Share(Worker(*worker), *more) for worker, *more in done]
        )

    def tear_down(self):
        self._in_each("teardown", pooled.tear_down)

    def close(self):
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._barrier.close()

    def kill(self):
        """Do nothing: the workers end with this process."""

    def _in_each(self, step, task, *arguments):
        """Run a task once in each interpreter; returns the workers, or raises the first failure."""
        with _failing_as(step):
            futures = [self._executor.submit(task, *arguments) for _ in range(self._workers)]
            return pooled.workers_or_failure(results_or_failure(futures))


@contextmanager
def _failing_as(step):
    with failing_as(step):
        try:
            yield
        except Failed:
            raise
        except Exception as error:
            # `do_share` turns every exception of the workload into `Failed`, so this one is the
            # pool's own: a share or its result cannot be sent.
            failure = not_sent(error, "interpreters") if step == "work" else describe(step, error)
            raise Failed(failure) from None


class Barrier:
    """Releases `workers` threads once all of them wait.

    It can be used again only when all have left it: a thread that came back sooner could take the
    place of one that is still waiting. That holds because the pool's next tasks are submitted when
    all of the previous ones are done.

    The locks of `threading` belong to one interpreter, and the queues of `concurrent.interpreters`
    are polled every 10 ms. A read from a pipe sleeps without the GIL, and the descriptors of a pipe
    are the same in every interpreter of the process.
    """

    def __init__(self, workers, tickets, gate):
        self._workers = workers
        self._tickets = tickets
        self._gate = gate

    @classmethod
    def of(cls, workers):
        """Create a barrier. Its descriptors are open until `close`."""
        barrier = cls(workers, os.pipe(), os.pipe())
        barrier._lay_out_tickets()
        return barrier

    def wait(self):
        """Take a ticket. The thread with the last one opens the gate for all."""
        if os.read(self._tickets[0], 1) == _LAST_TICKET:
            self._lay_out_tickets()
            _write_all(self._gate[1], _TICKET * self._workers)
        os.read(self._gate[0], 1)

    def close(self):
        """Close the descriptors. No thread may wait any more."""
        for descriptor in (*self._tickets, *self._gate):
            os.close(descriptor)

    def _lay_out_tickets(self):
        _write_all(self._tickets[1], _TICKET * (self._workers - 1) + _LAST_TICKET)


_TICKET = b"."
_LAST_TICKET = b"!"


def _write_all(descriptor, unwritten):
    while unwritten:
        unwritten = unwritten[os.write(descriptor, unwritten) :]


# The functions below run in the interpreters of the pool.


def _enter_pool(path_of_modules, barrier, loaded_as):
    """The pool's initializer.

    A new interpreter computes its module path from the command line again. It gets the path of the
    main interpreter, from which the working directory was removed, as spawned processes do.
    """
    sys.path[:] = path_of_modules
    pooled.enter(barrier, loaded_as)


def _do_share(units, *data):
    """Do a share and return it as a plain tuple, which the pool can send: the result of `work` is
    pickled only when it cannot be copied between interpreters directly."""
    try:
        share = pooled.share(units, *data)
    except Failed:
        # The process exits after a failure, which would lose this interpreter's buffered output.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        raise
    return (tuple(share.worker), share.start_ns, share.end_ns, share.result)
