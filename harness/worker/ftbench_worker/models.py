"""The models by name, and the model `serial`.

The module of a model is loaded only when the model is used, to keep start-up short.
"""

import sys
from functools import partial

from ftbench_worker.failure import ContractError
from ftbench_worker.model import InOneProcess, TimedShares
from ftbench_worker.share import clock_ns, do_share, this_worker


def factory(name):
    """The function that creates the model of this name from a workload and a number of workers."""
    on_main_thread = {"serial": Serial, "internal": Internal}
    if name in on_main_thread:
        return on_main_thread[name]
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


class _OnMainThread(InOneProcess):
    """`work` on the main thread, called once per sample."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work = workload.work_of(workers)

    def start(self):
        self.workload.start(self.workers)
        self._started = [this_worker()]
        return self._started

    def run(self, inputs, units):
        data = self.inputs_of_workers(inputs)[0]
        start_ns = clock_ns()
        share = do_share(self._work, data, sum(units))
        end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, [share])

    def close(self):
        pass


class Serial(_OnMainThread):
    """The work of one worker."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        if workers != 1:
            raise ContractError(f"the model 'serial' has one worker, not {workers}")


class Internal(_OnMainThread):
    """The work of all workers: it divides its units itself."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        if workload.has("split"):
            raise ContractError(
                "the workload defines 'split', which gives each worker its input; "
                "with the model 'internal' there is one call for all workers"
            )
