"""Benchmarks for asv (airspeed velocity) as workloads: each function or method with each
combination of its parameters is a case.

asv itself need not be installed.
"""

import contextlib
import copy
import functools
import importlib
import importlib.machinery
import importlib.util
import inspect
import itertools
import math
import os
import re
import resource
import sys
import tempfile
import textwrap
import threading
import types
from collections import Counter
from itertools import repeat

from ftbench_worker.failure import ContractError, Skipped
from ftbench_worker.programs import describe_end, environment, spawn
from ftbench_worker.share import SelfTimed, clock_ns
from ftbench_worker.workload import module_of_file

# Its group that matched is the kind. asv takes both spellings, for functions and for methods.
_KIND = re.compile(
    r"(?P<time>time_.|Time[A-Z_].)|(?P<timeraw>timeraw_.|Timeraw[A-Z_].)"
    r"|(?P<track>track_.|Track[A-Z_].)|(?P<peakmem>peakmem_.|PeakMem[A-Z_].)"
    r"|(?P<mem>mem_.|Mem[A-Z_].)"
)

# In the repr of functions, of instances and of what contains them.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")


def names(path):
    """The names of a file's cases."""
    return _names(_module(path))


def functions(path, case):
    """The contract's functions for a case."""
    return _functions(*_found(_module(path), os.path.basename(path), case))


def _names(module):
    return [
        name
        for benchmark in _benchmarks(module)
        for name, _, is_skipped in _cases_or_name(benchmark)
        if not is_skipped
    ]


@functools.cache
def _found(module, file, case):
    """The benchmark of a case, its parameters, and the objects that may have its attributes.

    It is looked up once in a process: a benchmark may change parameters, and so their repr.
    """
    for benchmark in _benchmarks(module):
        if case is not None and case.startswith(benchmark.name):
            _, sources = benchmark.bound()
            for name, parameters, is_skipped in benchmark.cases(sources):
                if name == case and is_skipped:
                    raise Skipped(f"{file} skips '{case}' with a decorator or 'skip_params'")
                if name == case:
                    return benchmark, parameters, sources
    found = ", ".join(_names(module)) or "none"
    if case is None:
        raise ContractError(f"name a benchmark of {file} as {file}::NAME; it has {found}")
    raise ContractError(f"{file} has no benchmark '{case}'; it has {found}")


def _module(path):
    """The file as a module of its package, if it is in one, so that its relative imports work.

    As with asv, the folder above the package does not come on `sys.path`: it may hold the source
    tree of the project, which is not what is to be measured. Neither does the package's own folder,
    whose modules may have names of the standard library.
    """
    _provide_marks()
    own, file = os.path.split(os.path.abspath(path))
    name = os.path.splitext(file)[0]
    parts = [] if name == "__init__" else [name]
    folder = own
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    if folder == own:
        return module_of_file(name, path)
    if own in sys.path:
        sys.path.remove(own)

    def find_spec(name, path, target=None):
        if name == parts[0]:
            return importlib.machinery.PathFinder.find_spec(name, [folder])
        return None

    finder = types.SimpleNamespace(find_spec=find_spec)
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(".".join(parts))
    finally:
        sys.meta_path.remove(finder)


def _provide_marks():
    """Make `asv_runner.benchmarks.mark` importable where asv_runner is not installed."""
    if "asv_runner" in sys.modules or importlib.util.find_spec("asv_runner"):
        return
    from ftbench_worker import asv_marks

    runner = types.ModuleType("asv_runner")
    runner.benchmarks = types.ModuleType("asv_runner.benchmarks")
    runner.benchmarks.mark = asv_marks
    sys.modules["asv_runner"] = runner
    sys.modules["asv_runner.benchmarks"] = runner.benchmarks
    sys.modules["asv_runner.benchmarks.mark"] = asv_marks


class _Benchmark:
    """A function or method that is a benchmark. `owner` is the class of a method, else None."""

    def __init__(self, name, kind, module, owner, attribute):
        self.name = name
        self.kind = kind
        self.owner = owner
        self._module = module
        self._attribute = attribute

    def bound(self):
        """The function, of a new instance if it is a method, and the objects that may have its
        attributes, the first of them first.
        """
        if self.owner is None:
            function = getattr(self._module, self._attribute)
            return function, [function, self._module]
        instance = self.owner()
        method = getattr(instance, self._attribute)
        return method, [method, instance, self._module]

    def cases(self, sources):
        """Its cases: name, parameters, and whether asv skips it."""
        lists = list(_first(sources, "params", []))
        if lists and not isinstance(lists[0], (list, tuple)):
            lists = [lists]
        skipped = list(_first(sources, "skip_params", []))
        is_skipped = any(
            getattr(each, "skip_benchmark", False) for each in (sources[0], self.owner)
        )
        texts = itertools.product(*map(_texts, lists))
        for parameters, shown in zip(itertools.product(*lists), texts):
            name = f"{self.name}({', '.join(shown)})" if lists else self.name
            yield name, parameters, is_skipped or parameters in skipped


def _benchmarks(module):
    """The benchmarks of a module."""
    found = []
    # A `benchmark_name` often begins with this, which is in every name that asv shows.
    module_prefix = module.__name__.partition(".")[2] + "."
    for name, owner, attribute, function in _functions_in(module):
        shown = getattr(function, "benchmark_name", name).removeprefix(module_prefix)
        kind = _KIND.match(shown.rpartition(".")[2])
        if kind:
            found.append(_Benchmark(shown, kind.lastgroup, module, owner, attribute))
    for benchmark, name in zip(found, _unique([each.name for each in found])):
        benchmark.name = name
    return found


def _functions_in(module):
    """The functions and methods among which asv looks for benchmarks: name, class or None, name of
    the attribute, function.
    """
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        if inspect.isfunction(value):
            yield name, None, name, value
        elif inspect.isclass(value) and not inspect.isabstract(value):
            for attribute, method in inspect.getmembers(value):
                if inspect.isfunction(method) or inspect.ismethod(method):
                    yield f"{name}.{attribute}", value, attribute, method


def _cases_or_name(benchmark):
    """Its cases, or its name alone where they cannot be listed; measuring it says why."""
    try:
        return list(benchmark.cases(benchmark.bound()[1]))
    except Exception:
        return [(benchmark.name, (), False)]


def _first(sources, name, default):
    """The attribute of the first source that has it."""
    values = (getattr(source, name, None) for source in sources)
    return next((value for value in values if value is not None), default)


def _all(sources, name):
    """The functions of this name, in small or capital letters, one of each source that has it."""
    for source in sources:
        spelled = [each for each in dir(source) if each.lower() == name]
        if len(spelled) > 1:
            raise ContractError(f"{source!r} has {' and '.join(spelled)}; asv takes one of them")
        for each in spelled:
            if getattr(source, each) is not None:
                yield getattr(source, each)


def _texts(values):
    """The parameters as asv shows them, each in one line and different from the others."""
    texts = [_ADDRESS.sub("", repr(value)) for value in values]
    return _unique([" ".join(line.strip() for line in text.splitlines()) for text in texts])


def _unique(texts):
    """The texts, those that occur several times with their number of occurrence behind them."""
    counts, seen = Counter(texts), Counter()
    different = []
    for text in texts:
        different.append(f"{text} ({seen[text]})" if counts[text] > 1 else text)
        seen[text] += 1
    return different


class _Workers:
    """What the workers in this process need to call a benchmark, made when each first does."""

    def __init__(self, benchmark, parameters):
        self._benchmark = benchmark
        self._parameters = parameters
        # Setups run one after the other, and before any calls of workers that came together: few
        # are written to run in several threads at once, and many write the same file.
        self._lock = threading.Lock()
        self._pending = 0
        self._none_is_pending = threading.Condition()
        # By thread id: threads of the embedded host lose thread-local data after each share.
        self._callers = {}
        self._shared = None
        self._arguments = None
        # Subinterpreters have one working directory together, so it is read before any works.
        self._folder_before = os.getcwd()
        self._cleanup = contextlib.ExitStack()

    def mine(self):
        """The calling thread's `_Caller`, which is set up."""
        thread = threading.get_ident()
        if thread not in self._callers:
            with self._none_is_pending:
                self._pending += 1
            try:
                with self._lock:
                    self._callers[thread] = self._shared or self._new_caller()
            finally:
                with self._none_is_pending:
                    self._pending -= 1
                    self._none_is_pending.notify_all()
                    self._none_is_pending.wait_for(lambda: self._pending == 0)
        return self._callers[thread]

    def close(self, data):
        """Call `teardown` wherever `setup` was called."""
        self._cleanup.close()

    def _new_caller(self):
        if self._arguments is None:
            self._enter_folder()
            self._arguments = (*self._cached(), *self._parameters)
        caller = _Caller(self._benchmark, self._arguments)
        self._cleanup.callback(caller.tear_down)
        caller.set_up()
        # What a function's setup leaves are globals, which threads share anyway.
        if self._benchmark.owner is None and not caller.is_set_up_again:
            self._shared = caller
        return caller

    def _enter_folder(self):
        """As with asv, files that a benchmark writes are in an empty folder of its own."""
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="ftbench-asv-"))
        self._cleanup.callback(os.chdir, self._folder_before)
        os.chdir(folder)

    def _cached(self):
        """The result of `setup_cache`, on an instance of its own, if there is one to pass on."""
        _, sources = self._benchmark.bound()
        setup_cache = _first(sources, "setup_cache", None)
        if setup_cache is None:
            return ()
        for setup in _setups(sources):
            if not inspect.ismethod(setup) and _needs_no_arguments(setup):
                setup()
        cache = setup_cache()
        return () if cache is None else (cache,)


class _Caller:
    """A benchmark's function or method with its arguments, its setup and its teardown."""

    def __init__(self, benchmark, arguments):
        self._name = benchmark.name
        self._function, self._sources = benchmark.bound()
        self._arguments = arguments
        self._is_raw = benchmark.kind == "timeraw"
        self._is_set_up = False
        # How many calls there may be at a time, 0 if any number, and whether each time needs a
        # setup of its own. Both are known once it is set up, which may change them.
        self.number = 0
        self.is_set_up_again = False

    def call(self):
        """A function without parameters. It is a new one: threads would contend for it."""
        if not self._arguments:
            return self._function
        return functools.partial(self._function, *self._arguments)

    def set_up(self):
        """Call the setups of the module, the class and the function, unless that is done."""
        if self._is_set_up:
            return
        try:
            for setup in _setups(self._sources):
                setup(*self._arguments)
        except NotImplementedError as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Skipped(f"{self._name} skips itself: its setup raised {reason}") from None
        self._is_set_up = True
        self.number = int(_first(self._sources, "number", 1 if self._is_raw else 0))
        self.is_set_up_again = self.number > 0 and not self._is_raw

    def tear_down(self):
        """Call the teardowns of the function, the class and the module, if it is set up."""
        if self._is_set_up:
            self._is_set_up = False
            for teardown in _all(self._sources, "teardown"):
                teardown(*self._arguments)


def _setups(sources):
    return list(_all(sources, "setup"))[::-1]


def _needs_no_arguments(function):
    try:
        inspect.signature(function).bind()
    except TypeError:
        return False
    return True


def _functions(benchmark, parameters, sources):
    """The contract's functions for a benchmark with these parameters."""
    name, kind = benchmark.name, benchmark.kind
    if inspect.iscoroutinefunction(sources[0]):
        raise ContractError(
            f"{name} is a coroutine function, which asv does not await; call asyncio.run in it"
        )
    if kind == "mem" and importlib.util.find_spec("pympler") is None:
        raise ContractError(f"{name} needs pympler to measure objects; add --with pympler")
    run = _RUNS[kind]
    if kind == "timeraw":
        run = functools.partial(run, variables=_first(sources, "env", {}))
    workers = _Workers(benchmark, parameters)

    def work(data, units):
        if units == 0:
            return SelfTimed(0.0)
        caller = workers.mine()
        call = caller.call()
        elapsed_ns = 0
        while units > 0:
            caller.set_up()
            batch = min(caller.number or units, units)
            batch_ns, value = run(call, batch)
            elapsed_ns += batch_ns
            units -= batch
            if caller.is_set_up_again:
                caller.tear_down()
        figure = _FIGURES[kind](value) if kind in _FIGURES else None
        return SelfTimed(elapsed_ns / 1e9, figure)

    found = {"work": work, "teardown": workers.close}
    if kind in _FIGURES:
        unit = str(_first(sources, "unit", "") or "value")
        figure_name = {"peakmem": "peak_bytes", "mem": "object_bytes"}.get(kind, unit)
        found["report"] = functools.partial(_mean, figure_name)
    return found


def _calls(call, count):
    """Make calls; returns the time in nanoseconds, and None."""
    start_ns = clock_ns()
    for _ in repeat(None, count):
        call()
    return clock_ns() - start_ns, None


def _calls_with_value(call, count):
    """The same with the value of the last call."""
    start_ns = clock_ns()
    for _ in repeat(None, count):
        value = call()
    return clock_ns() - start_ns, value


# Only what timeit imports is there already when the code is timed, as with asv.
_PROGRAM = """
import sys, timeit
statement, setup, number = sys.argv[1:4]
sys.path[:] = sys.argv[4:]
del sys.argv[1:]
print("\\nftbench-seconds", timeit.timeit(statement, setup, number=int(number)))
"""
_SECONDS = re.compile(r"^ftbench-seconds (.+)$", re.MULTILINE)


def _programs(call, count, variables):
    """Execute the code that a call returns in a fresh interpreter, `count` times; returns the time
    that this took there in nanoseconds, and None.
    """
    code = call()
    texts = code if isinstance(code, tuple) else (code, "")
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        raise ContractError(
            f"the benchmark returned {code!r}; a timeraw benchmark returns code as a string, or a "
            "pair of code and setup"
        )
    words = [sys.executable, "-c", _PROGRAM, *map(textwrap.dedent, texts), str(count), *sys.path]
    variables = {str(name): str(value) for name, value in variables.items()}
    output = os.memfd_create("output")
    try:
        process_id = spawn(words, {**environment(), **variables}, {1: output, 2: output})
        _, status = os.waitpid(process_id, 0)
        with open(output, encoding="utf-8", errors="replace", closefd=False) as file:
            file.seek(0)
            printed = file.read()
    finally:
        os.close(output)
    seconds = _SECONDS.findall(printed)
    if status != 0 or not seconds:
        end = describe_end(os.waitstatus_to_exitcode(status))
        last_line = (printed.strip().splitlines() or ["it printed nothing"])[-1]
        raise ContractError(f"the code {end} in a fresh interpreter: {last_line}")
    return round(float(seconds[-1]) * 1e9), None


_RUNS = {
    "time": _calls,
    "timeraw": _programs,
    "track": _calls_with_value,
    "peakmem": _calls,
    "mem": _calls_with_value,
}


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ContractError(
            f"the benchmark returned {value!r}; a track benchmark returns a number"
        ) from None


def _peak_bytes(value):
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _object_bytes(value):
    """The memory that a further, shallow copy of the object takes, which is asv's measure."""
    from pympler.asizeof import asizeof

    return asizeof([value, copy.copy(value)]) - asizeof([value, value])


_FIGURES = {"track": _number, "peakmem": _peak_bytes, "mem": _object_bytes}


def _mean(name, results, units):
    """The figure of a sample: the mean of the workers' last values, if all are finite."""
    values = [result for result in results if result is not None]
    mean = sum(values) / len(values)
    return {name: mean} if math.isfinite(mean) else {}
