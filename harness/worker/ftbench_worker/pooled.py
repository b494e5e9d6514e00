"""What runs in each process or interpreter of a pool, one worker each.

A task that is to run once in each of them ends at the barrier: nobody takes a second one before all
have had their first. A failure is returned, not raised, so that the others need not wait at the
barrier in vain.
"""

from ftbench_worker import gil
from ftbench_worker.failure import Failed
from ftbench_worker.share import do_share, this_worker
from ftbench_worker.workload import load

_barrier = None
_workload = None
_work = None
_failure = None


def enter(barrier, loaded_as):
    """Load the workload, which must be there before any input is unpickled."""
    global _barrier, _workload, _work, _failure
    gil.watch()
    _barrier = barrier
    _failure = None
    try:
        _workload = load(*loaded_as)
        _work = _workload.work()
    except Failed as failed:
        _failure = failed.failure


def report():
    """Tell who this worker is, and what went wrong on entering, if anything did."""
    _barrier.wait()
    return this_worker(), _failure


def set_up(units):
    failure = None
    try:
        _workload.set_up(units)
    except Failed as failed:
        failure = failed.failure
    _barrier.wait()
    return this_worker(), failure


def share(units, *data):
    """Do a share; without `data`, on what `setup` made here."""
    (data,) = data or (_workload.data,)
    return do_share(_work, data, units)


def workers_or_failure(answers):
    """In the process that has the pool: the workers of a task's answers, or the first failure."""
    for _, failure in answers:
        if failure is not None:
            raise Failed(failure)
    return [worker for worker, _ in answers]
