"""Scripts for pyperf as workloads: each benchmark that a script gives to its Runner is a case.

Such a script is a program that names its benchmarks while it runs, and may clean up behind them. It
gets a module `pyperf` that has what scripts use; pyperf itself need not be installed.
"""

import argparse
import builtins
import functools
import importlib
import os
import platform
import shlex
import sys
import time
import timeit
import types
from itertools import repeat

from ftbench_worker.failure import ContractError
from ftbench_worker.offering import Offering
from ftbench_worker.share import SelfTimed

# How long a script may take to end after its benchmark was measured, in seconds.
_END_LIMIT_S = 5.0


def functions(path, case, *arguments):
    """The contract's functions for a benchmark of a script."""

    def run(offer):
        found = []

        def offer_case(name, functions):
            found.append(name)
            if name == case:
                offer(functions)

        run_script(path, arguments, offer_case)
        missing = f"{os.path.basename(path)} has no benchmark '{case}'"
        raise ContractError(f"{missing}; it has {', '.join(found) or 'none'}")

    return Offering(run, _END_LIMIT_S).functions()


def names(path, *arguments):
    """The names of a script's benchmarks, none of which is run."""
    found = []
    try:
        run_script(path, arguments, lambda name, functions: found.append(name))
    except BaseException:
        # What fails behind a benchmark does not concern it.
        if not found:
            raise
    return list(dict.fromkeys(found))


def run_script(path, arguments, offer):
    """Run a script as a program, and call `offer(name, functions)` with each of its benchmarks."""
    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__builtins__ = builtins
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.modules["pyperf"] = _module(offer)
    own, sys.argv = sys.argv, [path, *arguments]
    parsers_own, argparse.ArgumentParser.error = argparse.ArgumentParser.error, _refuse_arguments
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        if error.code not in (None, 0):
            how = f"exit status {error.code}" if isinstance(error.code, int) else f"'{error.code}'"
            raise ContractError(f"{os.path.basename(path)} ended with {how}") from None
    finally:
        sys.argv, argparse.ArgumentParser.error = own, parsers_own


def _module(offer):
    """The module `pyperf`: what scripts use of it. The rest is that of the installed package."""
    module = types.ModuleType("pyperf")
    module.perf_counter = time.perf_counter
    module.python_implementation = lambda: platform.python_implementation().lower()
    module.Runner = type("Runner", (_Runner,), {"_offer": staticmethod(offer)})
    module.__getattr__ = functools.partial(_installed, module)
    return module


def _installed(module, name):
    del sys.modules["pyperf"]
    try:
        return getattr(importlib.import_module("pyperf"), name)
    except ImportError:
        raise _NotInstalled(
            f"the script uses pyperf.{name}; install pyperf for it with --with pyperf"
        ) from None
    finally:
        sys.modules["pyperf"] = module


class _NotInstalled(ContractError, AttributeError):
    """An attribute that only the installed package has."""


def _refuse_arguments(parser, message):
    raise ContractError(f"the script needs other arguments, see --script-args: {message}")


class _Runner:
    """A Runner that offers benchmarks instead of measuring them.

    It ignores how long pyperf would measure, and in which processes: ftbench decides that.
    """

    def __init__(
        self, values=None, processes=None, loops=0, min_time=0.1, metadata=None, **options
    ):
        self.metadata = dict(metadata or {})
        self.argparser = argparse.ArgumentParser()
        self.args = None

    def parse_args(self, args=None):
        if self.args is None or args is not None:
            self.args = self.argparser.parse_args(args)
        return self.args

    def is_worker(self):
        return True

    def bench_func(self, name, func, *args, inner_loops=None, metadata=None):
        func = _bound(func, args)

        def work(data, units):
            for _ in repeat(None, units):
                func()

        self._bench(name, {"work": work})

    def bench_time_func(self, name, time_func, *args, inner_loops=None, metadata=None):
        def work(data, units):
            return SelfTimed(time_func(units, *args))

        self._bench(name, {"work": work})

    def bench_async_func(
        self, name, func, *args, inner_loops=None, metadata=None, loop_factory=None
    ):
        import asyncio

        func = _bound(func, args)

        async def work_async(data, units):
            start = time.perf_counter()
            for _ in repeat(None, units):
                await func()
            return SelfTimed(time.perf_counter() - start)

        def work(data, units):
            if loop_factory is None:
                return asyncio.run(work_async(data, units))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(work_async(data, units))

        self._bench(name, {"work": work, "work_async": work_async})

    def timeit(  # noqa: PLR0913 - the parameters are pyperf's
        self,
        name,
        stmt=None,
        setup="pass",
        teardown="pass",
        inner_loops=None,
        duplicate=None,
        metadata=None,
        globals=None,
    ):
        inner = _timed_loop(setup, name if stmt is None else stmt, teardown, globals)

        def work(data, units):
            return SelfTimed(inner(units, time.perf_counter))

        self._bench(name, {"work": work})

    def bench_command(self, name, command):
        from ftbench_worker.commands import Command

        facts = {"line": shlex.join(command), "expected_output": None}
        run = Command(os.getcwd(), facts).work

        def work(data, units):
            for _ in repeat(None, units):
                run(data, 1, 1)

        self._bench(name, {"work": work})

    def _bench(self, name, functions):
        self.parse_args()
        self._offer(name, {**functions, "work": _without_own_processes(functions["work"])})


def _without_own_processes(work):
    """The function, with a reason where it sends what the script defines to processes of its own.

    They would look for it in the module `__main__`, which is the worker's and not the script.
    """

    def guarded(data, units):
        try:
            return work(data, units)
        except Exception as error:
            # Of pickle, which is not imported here: scripts choose one of its implementations.
            is_of_pickle = type(error).__name__ in ("PicklingError", "AttributeError")
            if not is_of_pickle or "__main__" not in str(error):
                raise
            raise ContractError(
                "it starts workers itself, which do not find what the script defines; measure it "
                f"whole with --command ({error})"
            ) from None

    return guarded


# As in timeit, with a teardown that sees the names of the setup.
_TIMED_LOOP = """
def inner(_units, _timer):
    {setup}
    _start = _timer()
    for _ in range(_units):
        {stmt}
    _end = _timer()
    {teardown}
    return _end - _start
"""


def _timed_loop(setup, stmt, teardown, names):
    """A function that executes the statements; each argument is a text or a list of texts."""
    setup, stmt, teardown = (
        timeit.reindent(text if isinstance(text, str) else "\n".join(text), indent)
        for text, indent in ((setup, 4), (stmt, 8), (teardown, 4))
    )
    source = _TIMED_LOOP.format(setup=setup, stmt=stmt, teardown=teardown)
    functions = {}
    exec(compile(source, "<timeit>", "exec"), {} if names is None else names, functions)
    return functions["inner"]


def _bound(func, args):
    return functools.partial(func, *args) if args else func
