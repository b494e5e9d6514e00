"""What pytest gets in place of the plugins pytest-benchmark and pytest-codspeed.

Facts about the two are from https://pytest-benchmark.readthedocs.io and
https://codspeed.io/docs/reference/pytest-codspeed.
"""

import contextlib
import functools
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import time
import types
from itertools import repeat

import pluggy
import pytest

from ftbench_worker.failure import ContractError, Skipped
from ftbench_worker.share import SelfTimed

_FIXTURES = ("benchmark", "codspeed_benchmark")
_MARKS = ("benchmark", "codspeed_benchmark")

# The names under which the two plugins may be asked for.
_REPLACED = ("benchmark", "pytest_benchmark.plugin", "codspeed", "pytest_codspeed.plugin")

# The options of the two, which a configuration may set, by the number of their arguments. They have
# no effect: ftbench decides how to measure.
_IGNORED_OPTIONS = {
    None: "benchmark-disable-gc benchmark-skip benchmark-disable benchmark-enable benchmark-only "
    "benchmark-autosave benchmark-save-data benchmark-verbose benchmark-quiet codspeed",
    1: "benchmark-min-time benchmark-max-time benchmark-min-rounds benchmark-precision "
    "benchmark-confidence benchmark-timer benchmark-calibration-precision "
    "benchmark-warmup-iterations benchmark-save benchmark-json benchmark-cprofile "
    "benchmark-cprofile-loops benchmark-cprofile-top benchmark-storage benchmark-sort "
    "benchmark-group-by benchmark-columns benchmark-name benchmark-time-unit codspeed-mode "
    "codspeed-warmup-time codspeed-max-time codspeed-max-rounds",
    "?": "benchmark-warmup benchmark-compare benchmark-cprofile-dump benchmark-netrc "
    "benchmark-histogram",
    "+": "benchmark-compare-fail",
}

# Options of pytest and its plugins that would start other processes or write files.
_OVERRIDDEN = {
    "numprocesses": None,
    "dist": "no",
    "tx": [],
    "xmlpath": None,
    "log_file": os.devnull,
}

# Plugins of pytest that would act while a benchmark is measured: the one keeps every warning, the
# other limits the time of a test, and cannot be loaded in subinterpreters. Blocked as late as here,
# their options are known.
_BLOCKED = ("warnings", "faulthandler")

# Where the code of pytest is.
_PYTEST_FOLDERS = tuple(
    os.path.join(os.path.dirname(inspect.getfile(each)), "")
    for each in (pytest.Item, pluggy.PluginManager)
)


class FixtureAlreadyUsed(ContractError):
    """A test that benchmarks twice."""


class Plugin:
    """Collects benchmarks, and runs the test of one up to its benchmark.

    `reason` is the first exception that explains why there is none.
    """

    def __init__(self, case=None, offer=None, module_folders=()):
        self.names = []
        self.reason = None
        self.has_offered = False
        # Where the report that pytest prints goes.
        self.output = None
        self._silence = contextlib.ExitStack()
        self._case = case
        self._offer_functions = offer
        self._module_folders = module_folders
        self._item = None

    def offer(self, functions):
        """Wait while these functions are measured."""
        self.has_offered = True
        self._offer_functions(functions)

    def why_none(self, file):
        """Why a run without an error has come to no benchmark."""
        item = self._item
        if item is None:
            return (
                f"{file} has no benchmark '{self._case}'; it has {', '.join(self.names) or 'none'}"
            )
        if _has_fixture(item):
            return f"{self._case} has the fixture 'benchmark', but does not call it"
        if _has_mark(item):
            return (
                f"{self._case} is marked as a benchmark, but pytest does not call it as a function"
            )
        return (
            f"{self._case} is not a benchmark: it neither has the fixture 'benchmark' nor the mark "
            "'pytest.mark.benchmark'"
        )

    # Fixtures

    @pytest.fixture
    def benchmark(self, request):
        return BenchmarkFixture(request.node, self.offer)

    @pytest.fixture
    def codspeed_benchmark(self, benchmark):
        return benchmark

    @pytest.fixture
    def benchmark_weave(self, benchmark):
        return benchmark.weave

    # Hooks: what the two plugins would define

    def pytest_addoption(self, parser, pluginmanager):
        for name in _BLOCKED:
            pluginmanager.set_blocked(name)
        # The cache is a folder of the user's project.
        pytest.Cache.set = lambda cache, key, value: None
        for name in _REPLACED:
            pluginmanager.register(types.ModuleType(name), name)
        if self._module_folders:
            pluginmanager.register(_ModulesFirst(self._module_folders))
        _provide_modules()
        group = parser.getgroup("benchmark", "ignored by ftbench")
        for count, options in _IGNORED_OPTIONS.items():
            how = {"action": "store_true"} if count is None else {"nargs": count}
            for option in options.split():
                group.addoption("--" + option, **how)

    def pytest_addhooks(self, pluginmanager):
        pluginmanager.add_hookspecs(_IgnoredHooks)

    # Hooks: keep other plugins from measuring, and from writing files

    def pytest_configure(self, config):
        for mark in (*_MARKS, "filterwarnings"):
            config.addinivalue_line("markers", mark)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self):
        self._silence.close()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_load_initial_conftests(self, early_config):
        # pytest-cov traces every call.
        early_config.known_args_namespace.cov_source = []
        yield

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item, settings):
        return True

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self, item):
        return True

    # Hooks: choose and run the test

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        self.names = [_name(item) for item in items if _has_fixture(item) or _has_mark(item)]
        items[:] = [item for item in items if _name(item) == self._case][:1]
        self._item = items[0] if items else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Measure the whole test if it is marked, and does not choose itself what to measure."""
        if _has_fixture(pyfuncitem) or not _has_mark(pyfuncitem):
            return None
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        test = _bound(pyfuncitem.obj, (), arguments)
        self.offer({"work": _repeating(test)})
        return True

    # Hooks: find the reason of a failure

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_parse(self):
        outcome = yield
        self._failed_with(outcome)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_main(self, config):
        for option, value in _OVERRIDDEN.items():
            if hasattr(config.option, option):
                setattr(config.option, option, value)
        # The terminal reporter, which other plugins expect to exist, writes to what is stdout when
        # it is made.
        with self._silence:
            self._silence.enter_context(contextlib.redirect_stdout(self.output))
            outcome = yield
        self._failed_with(outcome)

    def pytest_collectreport(self, report):
        if report.skipped:
            self._failed(Skipped(f"pytest skips the file: {_skip_reason(report)}"))

    def pytest_exception_interact(self, call):
        self._failed(call.excinfo.value)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        if report.skipped and not self.has_offered:
            self._failed(Skipped(f"pytest skips {self._case}: {_skip_reason(report)}"))
        elif report.failed:
            error = ContractError(str(report.longrepr))
            self._failed(error if call.excinfo is None else call.excinfo.value)

    def pytest_keyboard_interrupt(self, excinfo):
        self._failed(ContractError(f"pytest stopped: {excinfo.value}"))

    def pytest_internalerror(self, excinfo):
        self._failed(excinfo.value)
        return True

    def _failed_with(self, outcome):
        if outcome.excinfo is not None:
            self._failed(outcome.excinfo[1])

    def _failed(self, error):
        if self.reason is None:
            self.reason = _in_users_terms(error)


class _ModulesFirst:
    """Keeps folders of modules to compare before those that pytest puts on the path."""

    def __init__(self, folders):
        self._folders = folders

    def pytest_load_initial_conftests(self, early_config):
        sys.path[:0] = self._folders
        self._put_others_last(early_config.known_args_namespace)

    def pytest_configure(self, config):
        self._put_others_last(config.option)

    def _put_others_last(self, options):
        if options.importmode == "prepend":
            options.importmode = "append"


class _IgnoredHooks:
    """The hooks of pytest-benchmark, which a conftest.py may define. None is called."""

    def pytest_benchmark_scale_unit(  # noqa: PLR0913
        self, config, unit, benchmarks, best, worst, sort
    ): ...
    def pytest_benchmark_generate_machine_info(self, config): ...
    def pytest_benchmark_update_machine_info(self, config, machine_info): ...
    def pytest_benchmark_generate_commit_info(self, config): ...
    def pytest_benchmark_update_commit_info(self, config, commit_info): ...
    def pytest_benchmark_group_stats(self, config, benchmarks, group_by): ...
    def pytest_benchmark_generate_json(
        self, config, benchmarks, include_data, machine_info, commit_info
    ): ...
    def pytest_benchmark_update_json(self, config, benchmarks, output_json): ...
    def pytest_benchmark_compare_machine_info(
        self, config, benchmarksession, machine_info, compared_benchmark
    ): ...


class BenchmarkFixture:
    """The fixture of the two plugins. As when measuring is disabled there, it has no statistics."""

    enabled = False
    disabled = True
    stats = None

    def __init__(self, item, offer):
        self._offer = offer
        self._is_used = False
        mark = item.get_closest_marker("benchmark")
        callspec = getattr(item, "callspec", None)
        self.name = item.name
        self.fullname = item.nodeid
        self.group = mark and mark.kwargs.get("group")
        self.param = callspec and callspec.id
        self.params = callspec and callspec.params
        self.extra_info = {}

    def __repr__(self):
        return "benchmark"

    def __call__(self, function, /, *args, **kwargs):
        function = _bound(function, args, kwargs)
        self._measure(_repeating(function))
        return function()

    def pedantic(  # noqa: PLR0913 - the parameters are pytest-benchmark's
        self,
        target,
        args=(),
        kwargs=None,
        setup=None,
        teardown=None,
        rounds=1,
        warmup_rounds=0,
        iterations=1,
    ):
        if iterations < 1:
            raise ValueError("'iterations' must be at least 1")
        fixed = (args, kwargs or {})

        def set_up():
            made = setup() if setup else None
            if made and any(fixed):
                raise TypeError("'setup' returns arguments, but 'args' or 'kwargs' are given too")
            return made or fixed

        def work(data, units):
            elapsed_s = 0.0
            while units > 0:
                args, kwargs = set_up()
                function = _bound(target, args, kwargs)
                calls = min(iterations, units)
                start = time.perf_counter()
                for _ in repeat(None, calls):
                    function()
                elapsed_s += time.perf_counter() - start
                if teardown:
                    teardown(*args, **kwargs)
                units -= calls
            return SelfTimed(elapsed_s)

        plain = setup is None and teardown is None
        self._measure(_repeating(_bound(target, *fixed)) if plain else work)
        args, kwargs = set_up()
        result = target(*args, **kwargs)
        if teardown:
            teardown(*args, **kwargs)
        return result

    def weave(self, target, **options):
        self._refuse("weave")

    def patch(self, target, **options):
        self._refuse("patch")

    def _refuse(self, method):
        raise ContractError(
            f"ftbench does not support benchmark.{method}; call benchmark with the function itself"
        )

    def _measure(self, work):
        if self._is_used:
            raise FixtureAlreadyUsed(
                "the test calls 'benchmark' a second time; divide it into two tests"
            )
        self._is_used = True
        self._offer({"work": work})


def _repeating(function):
    def work(data, units):
        for _ in repeat(None, units):
            function()

    return work


def _bound(function, args, kwargs):
    if inspect.iscoroutinefunction(function):
        raise ContractError("the benchmark is a coroutine function, which ftbench does not await")
    return functools.partial(function, *args, **kwargs) if args or kwargs else function


def _name(item):
    return item.nodeid.partition("::")[2]


def _has_fixture(item):
    return any(name in _FIXTURES for name in getattr(item, "fixturenames", ()))


def _has_mark(item):
    return any(item.get_closest_marker(name) for name in _MARKS)


def _skip_reason(report):
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    return getattr(report, "wasxfail", "") or str(report.longrepr)


def _in_users_terms(error):
    """The user's exception in one of pytest's own, and its traceback from the user's code on."""
    if isinstance(error, pytest.UsageError):
        text = str(error).rpartition("error: ")[2]
        if text.startswith(("unrecognized arguments", "Error importing plugin")):
            text += "; add the plugin's package with --with"
        return ContractError(f"pytest: {text}")
    if isinstance(error, pytest.FixtureLookupError):
        return ContractError(f"pytest knows no fixture '{error.argname}'")
    wraps = isinstance(error, pytest.Collector.CollectError)
    if error.__cause__ and (wraps or type(error).__name__ == "ConftestImportFailure"):
        error = error.__cause__
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename.startswith(_PYTEST_FOLDERS):
        frames = frames.tb_next
    return error.with_traceback(frames)


def _provide_modules():
    """Let tests import the class of the fixture, for annotations, from packages they lack."""
    for package in ("pytest_benchmark", "pytest_codspeed"):
        if package in sys.modules or importlib.util.find_spec(package):
            continue
        for name in (package, f"{package}.fixture", f"{package}.plugin"):
            spec = importlib.machinery.ModuleSpec(name, None, is_package=name == package)
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            module.BenchmarkFixture = BenchmarkFixture
            module.FixtureAlreadyUsed = FixtureAlreadyUsed
