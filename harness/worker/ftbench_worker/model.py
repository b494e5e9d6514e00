"""The interface of all models.

A model is created for a loaded workload and a number of workers, and has these methods:

    start()             create the workers and wait until each has reported once; returns them
    set_up(units)       call `setup` where it has not been called yet, wait for all; returns the
                        workers again, because `setup` may have changed the GIL's state
    run(inputs, units)  the timed section: hand out one share per worker, wait for all; inputs and
                        units are lists with one entry per worker, inputs may be None; returns
                        `TimedShares`
    tear_down()         call `teardown` wherever `setup` was called but in the main process
    close()             shut the workers down
    kill()              end them at once, whatever they do, and never fail

`start_method` is that of a process pool, None for the others. `works_here` is whether `work` runs
in this interpreter, and so imports its modules here.
"""

from collections import namedtuple

from ftbench_worker.share import this_worker

# The result of the timed section: when the first share was handed out, when the last result was
# back, both by `clock_ns`, and the shares in order.
TimedShares = namedtuple("TimedShares", "start_ns end_ns shares")


class InOneProcess:
    """The base of models whose workers all live in this interpreter."""

    start_method = None
    works_here = True

    def __init__(self, workload, workers):
        self.workload = workload
        self.workers = workers
        self._started = []

    def set_up(self, units):
        """Read the GIL's state again; `setup` has already been called in this process."""
        now = this_worker()
        return [
            worker._replace(gil_enabled=now.gil_enabled, gil_enabled_by=now.gil_enabled_by)
            for worker in self._started
        ]

    def tear_down(self):
        """Do nothing: the main process's `teardown` is the only one."""

    def inputs_of_workers(self, inputs):
        """One input per worker: those of `split`, else this process's data for each."""
        return [self.workload.data] * self.workers if inputs is None else inputs

    def kill(self):
        """Do nothing: the workers end with this process."""
