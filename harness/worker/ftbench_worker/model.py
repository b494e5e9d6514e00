"""What every model has.

A model is made for a loaded workload and a number of workers, and has these methods:

    start()             create the workers and wait until each has reported once; returns them
    set_up(units)       call `setup` where it has not been called yet, wait for all; returns the
                        workers again, since `setup` may have changed the GIL's state
    run(inputs, units)  the timed section: hand out one share per worker, wait for all; inputs and
                        units are lists with one entry per worker, inputs may be None; returns
                        `Handed`
    close()             end the workers in good order
    kill()              end them at once, whatever they do, and never fail

`start_method` is that of a process pool, None for the others. `works_here` is whether `work` runs
in this interpreter, and so imports its modules here.
"""

from collections import namedtuple

from ftbench_worker.share import this_worker

# What the timed section gave: when the first share was handed out, when the last result was back,
# by `clock_ns`, and the shares in order.
Handed = namedtuple("Handed", "start_ns end_ns shares")


class InOneProcess:
    """What the models have in common whose workers all live in this interpreter."""

    start_method = None
    works_here = True

    def __init__(self, workload, workers):
        self.workload = workload
        self.workers = workers
        self._started = []

    def set_up(self, units):
        """Nothing to do: `setup` has been called in this process. The GIL's state is read again."""
        now = this_worker()
        return [
            worker._replace(gil_enabled=now.gil_enabled, gil_enabled_by=now.gil_enabled_by)
            for worker in self._started
        ]

    def inputs_of_workers(self, inputs):
        """One input per worker: what `split` gave, else this process's data for each."""
        return [self.workload.data] * self.workers if inputs is None else inputs

    def kill(self):
        """Nothing to do: the workers end with this process."""
