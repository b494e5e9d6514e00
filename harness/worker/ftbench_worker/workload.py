"""The user's file: load it by its path and call its functions."""

import importlib.machinery
import importlib.util
import os
import re
import sys

from ftbench_worker.failure import ContractError, failing_as

# Flag of code objects made by `async def`; the value of `inspect.CO_COROUTINE`, whose module is
# too slow to import for this alone.
_CO_COROUTINE = 0x80


class Workload:
    """One workload in one process, with the `data` that its `setup` returned here."""

    def __init__(self, name, path, module):
        self.name = name
        self.path = path
        self._module = module
        self._file = os.path.basename(path)
        self.data = None
        for part in ("setup", "split", "work", "work_async", "check"):
            function = getattr(module, part, None)
            if function is not None and not callable(function):
                raise ContractError(f"{self._file}: '{part}' is not a function")

    def has(self, name):
        """Whether the workload defines this function."""
        return getattr(self._module, name, None) is not None

    def work(self):
        """The workload's `work`. Raises `Failed` when there is none."""
        with failing_as("import"):
            if not self.has("work"):
                if self.has("work_async"):
                    raise ContractError(
                        f"{self._file} defines 'work_async' only; this model calls 'work'"
                    )
                raise ContractError(f"{self._file} defines no function 'work'")
            if _is_coroutine_function(self._module.work):
                raise ContractError(
                    f"{self._file}: 'work' is a coroutine function; 'work_async' is the name for it"
                )
            return self._module.work

    def work_async(self):
        """The workload's `work_async`, or its `work` made into one."""
        if self.has("work_async"):
            return self._module.work_async
        work = self.work()

        async def work_inside_task(data, units):
            return work(data, units)

        return work_inside_task

    def set_up(self, units):
        """Call `setup`, if there is one, and keep what it returns for this process."""
        self.data = None
        if self.has("setup"):
            with failing_as("setup"):
                self.data = self._module.setup(units)

    def split(self, workers):
        """Inputs for one sample, one per worker; None when the workload does not split."""
        if not self.has("split"):
            return None
        with failing_as("split"):
            inputs = list(self._module.split(self.data, workers))
            if len(inputs) != workers:
                raise ContractError(
                    f"{self._file}: 'split' gave {len(inputs)} inputs for {workers} workers"
                )
            return inputs

    def check(self, results, units):
        """Call `check`, if there is one. Raises `Failed` when it finds a wrong result."""
        if self.has("check"):
            with failing_as("check"):
                self._module.check(results, units)


def load(name, path):
    """Load the workload, or find it loaded already. Raises `Failed` with the step `import`.

    It becomes the module `ftbench_workload_NAME`, so that processes find its classes when they
    unpickle them, and its folder comes first on `sys.path`, as if it were run as a program.
    Its bytecode is neither read from nor written to a cache: the file itself is what is measured.
    """
    module_name = "ftbench_workload_" + re.sub(r"\W", "_", name)
    with failing_as("import"):
        module = sys.modules.get(module_name)
        if module is None:
            folder = os.path.dirname(os.path.abspath(path))
            if sys.path[:1] != [folder]:
                sys.path.insert(0, folder)
            loader = importlib.machinery.SourceFileLoader(module_name, path)
            spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
            module = importlib.util.module_from_spec(spec)
            code = loader.source_to_code(loader.get_data(path), path)
            sys.modules[module_name] = module
            exec(code, module.__dict__)
        return Workload(name, path, module)


def _is_coroutine_function(function):
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)
