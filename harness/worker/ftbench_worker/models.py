"""How workers run. Each model's module is loaded only where the model is used: start-up counts.

A model is made for a loaded workload and a number of workers, and has these methods:

    start()             create the workers and wait until each has reported once; returns them
    set_up(units)       call `setup` where it has not been called yet, wait for all; returns the
                        workers again, since `setup` may have changed the GIL's state
    collect()           collect garbage in every process and interpreter
    run(inputs, units)  the timed section: hand out one share per worker, wait for all; inputs and
                        units are lists with one entry per worker, inputs may be None; returns
                        `Handed`
    close()             end the workers in good order
    kill()              end them at once, whatever they do, and never fail

`start_method` is that of a process pool, None for the others. `works_here` is whether `work` runs
in this interpreter, and so imports its modules here.
"""

import gc
import sys
from collections import namedtuple
from functools import partial

from ftbench_worker.failure import ContractError
from ftbench_worker.share import clock_ns, do_share, this_worker

# What the timed section gave: when the first share was handed out, when the last result was back,
# by `clock_ns`, and the shares in order.
Handed = namedtuple("Handed", "start_ns end_ns shares")


def of_name(name):
    """What makes the model of this name: called with the workload and the number of workers."""
    if name == "serial":
        return Serial
    if name == "threads":
        if is_embedded():
            from ftbench_worker.embedded import Threads
        else:
            from ftbench_worker.threads import Threads

        return Threads
    if name == "asyncio":
        from ftbench_worker.event_loops import Asyncio

        return Asyncio
    if name == "asyncio-threads":
        from ftbench_worker.event_loops import AsyncioThreads

        return AsyncioThreads
    if name == "interpreters":
        return _interpreters()
    family, _, start_method = name.partition(":")
    if family == "processes":
        from ftbench_worker.processes import Processes

        return partial(Processes, start_method=start_method or None)
    raise ContractError(f"this worker knows no model '{name}'")


def _interpreters():
    try:
        from ftbench_worker.interpreters import Interpreters
    except ImportError:
        version = "{}.{}.{}".format(*sys.version_info)
        raise ContractError(
            "the model 'interpreters' needs concurrent.futures.InterpreterPoolExecutor, which came "
            f"with CPython 3.14; this is {sys.implementation.name}, Python {version}"
        ) from None
    return Interpreters


def is_embedded():
    """Whether this runs inside the embedded host, a Rust program with threads of its own."""
    return "ftbench_embed" in sys.builtin_module_names


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

    def collect(self):
        """Collect garbage."""
        gc.collect()

    def inputs_of_workers(self, inputs):
        """One input per worker: what `split` gave, else this process's data for each."""
        return [self.workload.data] * self.workers if inputs is None else inputs

    def kill(self):
        """Nothing to do: the workers end with this process."""


class Serial(InOneProcess):
    """`work` on the main thread."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work = workload.work()
        if workers != 1:
            raise ContractError(f"the model 'serial' has one worker, not {workers}")

    def start(self):
        self._started = [this_worker()]
        return self._started

    def run(self, inputs, units):
        (data,) = self.inputs_of_workers(inputs)
        start_ns = clock_ns()
        share = do_share(self._work, data, units[0])
        end_ns = clock_ns()
        return Handed(start_ns, end_ns, [share])

    def close(self):
        pass
