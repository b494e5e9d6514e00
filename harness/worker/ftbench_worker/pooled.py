"""The tasks that run in each process or interpreter of a pool, which is one worker each.

A task that is to run once in each of them ends at the barrier, so that no worker takes a second one
before all have taken their first. A failure is returned, not raised, because the other workers
would wait at the barrier forever.
"""

from ftbench_worker import collector, gil
from ftbench_worker.failure import Failed
from ftbench_worker.share import do_share, this_worker
from ftbench_worker.workload import load

_barrier = None
_workload = None
_work = None
_failure = None


def enter(barrier, loaded_as):
    """Load the workload, because unpickling an input may need its module."""
    global _barrier, _workload, _work, _failure
    gil.watch()
    collector.watch()
    _barrier = barrier
    _failure = None
    try:
        _workload = load(**loaded_as)
        _work = _workload.work()
    except Failed as failed:
        _failure = failed.failure


def report():
    """Return this worker, and the failure of `enter` or None."""
    _barrier.wait()
    return this_worker(), _failure


def set_up(units):
    """Call `setup` in this process or interpreter."""
    return _once(_workload.set_up, units)


def tear_down():
    """Call `teardown` in this process or interpreter."""
    return _once(_workload.tear_down)


def _once(step, *arguments):
    """Do a step of the workload; returns the worker, and what went wrong, if anything did."""
    failure = None
    try:
        step(*arguments)
    except Failed as failed:
        failure = failed.failure
    _barrier.wait()
    return this_worker(), failure


def share(units, *data):
    """Do a share on `data`, or on the result of `setup` in this process without it."""
    (data,) = data or (_workload.data,)
    done = do_share(_work, data, units)
    collector.forget_longest()
    return done


def workers_or_failure(answers):
    """The workers in a task's answers, for the process of the pool. Raises the first failure."""
    for _, failure in answers:
        if failure is not None:
            raise Failed(failure)
    return [worker for worker, _ in answers]
