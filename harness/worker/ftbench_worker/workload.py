"""The user's workload: load it and call its functions."""

import importlib.machinery
import importlib.util
import math
import os
import re
import sys
import types

from ftbench_worker import formats
from ftbench_worker.failure import ContractError, failing_as
from ftbench_worker.importing import Import
from ftbench_worker.loops import Loops, function_called

# Flags of code objects, of functions with `*args` and of those made by `async def`: the values of
# `inspect.CO_VARARGS` and `inspect.CO_COROUTINE`, whose module is too slow to import for this.
_CO_VARARGS = 0x04
_CO_COROUTINE = 0x80

_PARTS = ("setup", "split", "work", "work_async", "check", "report", "teardown", "loop_factory")

MODULE_PREFIX = "ftbench_workload_"

# A workload with more figures should write a file of its own.
_MAX_FIGURES = 16


class Workload:
    """One workload in one process, with the `data` that its `setup` returned here."""

    def __init__(self, loaded_as, called, functions, loops, imported):
        # The arguments with which `load` finds it again in another process.
        self.loaded_as = loaded_as
        self.name = loaded_as["name"]
        self._module_folder = loaded_as.get("module_folder")
        # What messages call it.
        self._called = called
        self._functions = functions
        # Whether a sample lasts from the first start of a share to the last end, because `work` may
        # do more than what it times.
        self.times_itself = loaded_as.get("format") is not None
        # The `Import` of its module; None for calls, commands and scripts for other tools.
        self.imported = imported
        # Where its models get their event loops.
        self.loops = loops
        self.data = None
        self._is_set_up = False
        for part, function in functions.items():
            if not callable(function):
                raise ContractError(f"{self._called}: '{part}' is not a function")

    def has(self, part):
        """Whether the workload defines this function."""
        return part in self._functions

    def check_origin(self):
        """Raise `Failed` unless a module came from the folder whose modules come first.

        Without such a module, another version of the code was measured.
        """
        if self._module_folder is None:
            return
        folder = os.path.join(self._module_folder, "")
        with failing_as("import"):
            for name, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None) or ""
                if file.startswith(folder) and not name.startswith(MODULE_PREFIX):
                    return
            raise ContractError(
                f"{self._called} imported no module from {self._module_folder}, so this arm may "
                "be the same code as another; give the folder that holds the package"
            )

    def roots(self):
        """Where to look for the workload's objects first, by the name to show: its module, its
        data and its functions."""
        roots = {"data": self.data}
        for part, function in self._functions.items():
            roots[part] = function
            name = getattr(function, "__module__", None) or ""
            module = sys.modules.get(name)
            if name.startswith(MODULE_PREFIX) and module is not None:
                file_name = os.path.basename(module.__file__)
                roots = {os.path.splitext(file_name)[0]: module, **roots}
        return roots

    def work(self):
        """The workload's `work(data, units)`. Raises `Failed` when there is none."""
        with failing_as("import"):
            work = self._defined_work()
            if _takes_workers(work):
                raise ContractError(
                    f"{self._called}: 'work' takes the number of workers, so it divides its units "
                    "itself; measure it with the model 'internal'"
                )
            return work

    def work_of(self, workers):
        """The same with the number of workers already given to a `work(data, units, workers)`."""
        with failing_as("import"):
            work = self._defined_work()
            if not _takes_workers(work):
                return work
            return lambda data, units: work(data, units, workers)

    def _defined_work(self):
        if not self.has("work"):
            if self.has("work_async"):
                raise ContractError(
                    f"{self._called} defines 'work_async' only; this model calls 'work'"
                )
            raise ContractError(f"{self._called} defines no function 'work'")
        work = self._functions["work"]
        if _is_coroutine_function(work):
            raise ContractError(
                f"{self._called}: 'work' is a coroutine function; 'work_async' is the name for it"
            )
        if not _takes_data_and_units(work):
            raise ContractError(
                f"{self._called}: 'work' must take two arguments, work(data, units); for other "
                "functions there are --callable and --call"
            )
        return work

    def work_async(self):
        """The workload's `work_async`, or a coroutine function around its `work`."""
        if self.has("work_async"):
            return self._functions["work_async"]
        work = self.work()

        async def work_inside_task(data, units):
            return work(data, units)

        return work_inside_task

    def set_up(self, units):
        """Call `setup`, if there is one, and keep its result for this process."""
        self.data = None
        self._is_set_up = True
        if self.has("setup"):
            with failing_as("setup"):
                self.data = self._functions["setup"](units)

    def start(self, workers):
        """Call `start`, which commands have: it runs an empty program, or their server."""
        if self.has("start"):
            self._functions["start"](workers)

    def tear_down(self):
        """Call `teardown` with this process's data, if there is one and `setup` was called."""
        if self._is_set_up and self.has("teardown"):
            self._is_set_up = False
            with failing_as("teardown"):
                self._functions["teardown"](self.data)

    def split(self, workers):
        """Inputs for one sample, one per worker; None when the workload does not split."""
        if not self.has("split"):
            return None
        with failing_as("split"):
            inputs = list(self._functions["split"](self.data, workers))
            if len(inputs) != workers:
                raise ContractError(
                    f"{self._called}: 'split' gave {len(inputs)} inputs for {workers} workers"
                )
            return inputs

    def check(self, results, units):
        """Call `check`, if there is one. Raises `Failed` when it finds a wrong result."""
        if self.has("check"):
            with failing_as("check"):
                self._functions["check"](results, units)

    def report(self, results, units):
        """Call `report`, if there is one; returns figures by name. Raises `Failed`."""
        if not self.has("report"):
            return {}
        with failing_as("report"):
            figures = dict(self._functions["report"](results, units))
            for name, value in figures.items():
                if not isinstance(name, str) or not _is_finite_number(value):
                    raise ContractError(
                        f"{self._called}: 'report' gave {name!r}: {value!r}; "
                        "it gives finite numbers by name"
                    )
            if len(figures) > _MAX_FIGURES:
                raise ContractError(
                    f"{self._called}: 'report' gave {len(figures)} figures; "
                    f"it may give {_MAX_FIGURES}"
                )
            return {name: float(value) for name, value in figures.items()}


def load(name, path, **code):
    """Load a workload, or find it if it is loaded. Raises `Failed` with the step `import`.

    `code` has the keys of the message `prepare`: the `case` of a file, the `format` of one for
    another tool and its `arguments`, a `callable` named `package.module:function`, a `call` with
    its setup, or a `command` with `client_pus` and `time_limit_s`, if it has a server. For all but
    files, `path` is the folder that comes first on `sys.path`. Modules in `module_folder` come
    before even that. `loop_factory` names a function that makes event loops instead of the
    workload's own.
    """
    callable_name, call, command = (code.get(key) for key in ("callable", "call", "command"))
    loops = Loops(code.get("loop_factory"))
    module_folder = code.get("module_folder")
    with failing_as("import"):
        is_file = callable_name is None and call is None and command is None
        own = os.path.dirname(os.path.abspath(path)) if is_file else path
        # Before the folder is first on `sys.path`: its modules may be named like an adapter's.
        adapter = code.get("format") and formats.adapter(code["format"])
        _put_first([own] if module_folder is None else [module_folder, own])
        imported = None
        if callable_name is not None:
            with Import() as imported:
                importlib.import_module(callable_name.partition(":")[0])
            called, functions = callable_name, _functions_of_callable(callable_name, loops)
        elif call is not None:
            from ftbench_worker.calls import Call

            called, functions = name, Call(call["call"], call["setup"], loops).functions()
        elif command is not None:
            from ftbench_worker.commands import Command

            surroundings = {key: code[key] for key in ("client_pus", "time_limit_s") if key in code}
            called, functions = name, Command(path, command, **surroundings).functions()
        elif adapter is not None:
            functions = adapter.functions(path, code["case"], *code["arguments"])
            called = os.path.basename(path)
        else:
            called = os.path.basename(path)
            with Import() as imported:
                module = module_of_file(name, path)
            functions = _functions_of_module(module, code.get("case"))
            if code.get("loop_factory") is None:
                loops = Loops(functions.get("loop_factory"))
        return Workload({"name": name, "path": path, **code}, called, functions, loops, imported)


def module_of_file(name, path):
    """The file as a module.

    It becomes the module `ftbench_workload_NAME`, so that processes find its classes when they
    unpickle them; its folder comes first on `sys.path`, as if it were run as a program.
    Its bytecode is neither read from nor written to a cache, so that the file itself is measured.
    """
    module_name = MODULE_PREFIX + re.sub(r"\W", "_", name)
    module = sys.modules.get(module_name)
    if module is None:
        loader = importlib.machinery.SourceFileLoader(module_name, path)
        spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
        module = importlib.util.module_from_spec(spec)
        code = loader.source_to_code(loader.get_data(path), path)
        sys.modules[module_name] = module
        exec(code, module.__dict__)
    return module


def _functions_of_module(module, case):
    """The functions of the contract in a module; those of the case precede those of the file."""
    functions = {}
    for part in _PARTS:
        function = getattr(module, part, None)
        if case is not None:
            function = getattr(module, f"{part}_{case}", function)
        if function is not None:
            functions[part] = function
    return functions


def _functions_of_callable(callable_name, loops):
    """Functions that call it once per unit and discard its result.

    A coroutine function is awaited. Models without an event loop run one for each share, so that
    there is a time with one worker to compare with.
    """
    target = function_called(callable_name)

    if not _is_coroutine_function(target):

        def work(data, units):
            for _ in range(units):
                target()

        return {"work": work}

    def set_up(units):
        loops.check()

    async def work_async(data, units):
        for _ in range(units):
            await target()

    def work_on_own_loop(data, units):
        loops.run(work_async(data, units))

    return {"setup": set_up, "work": work_on_own_loop, "work_async": work_async}


def _put_first(folders):
    if sys.path[: len(folders)] != folders:
        sys.path[:0] = folders


def _is_finite_number(value):
    return isinstance(value, (int, float)) and math.isfinite(value)


def _takes_workers(work):
    """Whether `work` has a third parameter, `workers`."""
    code = getattr(work, "__code__", None)
    return code is not None and "workers" in code.co_varnames[2 : code.co_argcount]


def _takes_data_and_units(work):
    """Whether a function can be called so, or also with the workers; other callables may be."""
    if not isinstance(work, types.FunctionType) or work.__code__.co_flags & _CO_VARARGS:
        return True
    taken = work.__code__.co_argcount
    given = 3 if _takes_workers(work) else 2
    return taken - len(work.__defaults__ or ()) <= given <= taken


def _is_coroutine_function(function):
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)
