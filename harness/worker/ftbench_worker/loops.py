"""Event loops, made by asyncio or by a factory of the user's, as `asyncio.run(loop_factory=)` has.

asyncio itself is imported only where a loop is needed, because that is slow.
"""

import importlib
import sys

from ftbench_worker.failure import ContractError, failing_as


class Loops:
    """The source of the event loops of one workload.

    `factory` is a function that returns a new loop, or its name, `package.module:function`; None
    for asyncio's own loops.
    """

    def __init__(self, factory):
        self._factory = factory

    def new(self):
        """Return a new event loop. Raises `Failed` with the step `start` when there is none."""
        import asyncio

        with failing_as("start"):
            if self._factory is None:
                return asyncio.new_event_loop()
            if isinstance(self._factory, str):
                # Only now, because loading an extension module may switch the GIL on.
                self._factory = function_called(self._factory)
            loop = self._factory()
            if not isinstance(loop, asyncio.AbstractEventLoop):
                raise ContractError(
                    f"the loop factory returned {loop!r}, which is not an event loop"
                )
            return loop

    def check(self):
        """Make a loop once, so that a factory that fails does so before the first sample."""
        if self._factory is not None:
            close(self.new())

    def run(self, coroutine):
        """Run a coroutine on a loop of its own, as `asyncio.run` does."""
        import asyncio

        if self._factory is None:
            asyncio.run(coroutine)
        elif sys.version_info >= (3, 12):
            asyncio.run(coroutine, loop_factory=self._factory)
        else:
            loop = self._factory()
            try:
                loop.run_until_complete(coroutine)
            finally:
                close(loop)


def close(loop):
    """Close a loop that no longer runs."""
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def function_called(name):
    """Import `package.module:function`, or a method of a class in the place of the function."""
    module_name, _, path = name.partition(":")
    target = importlib.import_module(module_name)
    for part in path.split("."):
        target = getattr(target, part)
    if not callable(target):
        raise ContractError(f"{name} is not callable")
    return target
