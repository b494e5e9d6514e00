"""Tests for pytest-benchmark and pytest-codspeed: every form of a benchmark, in every model."""

import json
import os
import subprocess
import sys
import unittest
from importlib.util import find_spec

from support import MODELS, PROCESS_MODELS, WORKER_FOLDER, WorkerTestCase

PYTEST = find_spec("pytest")
needs_pytest = unittest.skipUnless(PYTEST, "needs pytest")

CONFTEST = """
import pytest

@pytest.fixture
def note(request):
    def write(text):
        with open(str(request.path) + ".notes", "a") as file: file.write(text)
    yield write
    write("end")

@pytest.fixture
def measured(benchmark, note):
    return lambda text: benchmark(note, text)

def pytest_benchmark_update_json(config, benchmarks, output_json):
    raise AssertionError("ftbench makes no JSON")
"""

TESTS = """
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from pytest_codspeed.plugin import BenchmarkFixture as TheSame

def test_call(benchmark: BenchmarkFixture, note):
    def function(text, times=1):
        note(text * times)
        return text
    benchmark.extra_info["a"] = "b"
    assert not benchmark.enabled and benchmark.stats is None
    assert benchmark(function, "c", times=2) == "c"

def test_decorator(benchmark, note):
    @benchmark
    def result():
        note("d")
        return 7
    assert result == 7

def test_fixture_of_a_fixture(measured):
    measured("f")

class TestClass:
    @pytest.mark.parametrize("text", ["x", "a/b::c[]"])
    @pytest.mark.benchmark(group="texts", min_rounds=5, warmup=False)
    def test_parameter(self, codspeed_benchmark, note, text):
        assert codspeed_benchmark.group == "texts" and codspeed_benchmark.params == {"text": text}
        codspeed_benchmark(note, text)

@pytest.mark.benchmark
def test_marked(note):
    note("m")

@pytest.mark.codspeed_benchmark
def test_marked_for_codspeed(note):
    note("n")

def test_pedantic(benchmark, note):
    result = benchmark.pedantic(note, args=("p",), kwargs={}, rounds=100, iterations=10)
    assert result is None

def test_pedantic_setup(benchmark, note):
    def setup():
        note("(")
        return ("s",), {"end": "."}
    def target(text, end):
        note(text + end)
    benchmark.pedantic(target, setup=setup, teardown=lambda *_, **__: note(")"), rounds=5)

def test_pedantic_iterations(benchmark, note):
    benchmark.pedantic(note, ("i",), teardown=lambda text: note("-"), iterations=2)

def test_without(note):
    note("w")
"""

# What three units write, the call for the test's own assertions, and the end of the fixture.
NOTES = {
    "test_call": "cc" * 4,
    "test_decorator": "d" * 4,
    "test_fixture_of_a_fixture": "f" * 4,
    "TestClass::test_parameter[x]": "x" * 4,
    "TestClass::test_parameter[a/b::c[]]": "a/b::c[]" * 4,
    "test_marked": "m" * 3,
    "test_marked_for_codspeed": "n" * 3,
    "test_pedantic": "p" * 4,
    "test_pedantic_setup": "(s.)" * 4,
    "test_pedantic_iterations": "ii-i-i-",
}

# Everything here has no effect, or would prevent a measurement.
CONFIGURATION = """
[pytest]
addopts = -q -ra --strict-markers -m "not benchmark" -k nothing --junitxml={folder}/report.xml
    --benchmark-only --benchmark-json out.json --benchmark-warmup on --codspeed
required_plugins = pytest-benchmark pytest-codspeed
faulthandler_timeout = 0.001
log_file = {folder}/logged
"""


def with_pytest():
    """Where the worker and pytest are, which may be in a folder that only these tests know."""
    folders = [WORKER_FOLDER]
    if PYTEST:
        folders.append(os.path.dirname(os.path.dirname(PYTEST.origin)))
    return {"PYTHONPATH": os.pathsep.join(folders)}


class Pytest(WorkerTestCase):
    def setUp(self):
        super().setUp()
        self.write(CONFTEST, "conftest")

    def of_case(self, path, case, model="serial", workers=1, units=3, **others):
        driver = self.driver(with_pytest())
        ready = driver.prepare(path, model, workers, units, format="pytest", case=case, **others)
        if ready["type"] == "failed":
            return ready, driver
        return driver.sample(), driver

    def finished(self, path, case):
        """The reply to `finish`, after a sample that has not failed."""
        reply, driver = self.of_case(path, case)
        self.assertEqual(reply["type"], "sample", reply)
        return driver.finish(), driver

    def listed(self, path, keyword=None):
        """The names in a file, or the failure."""
        environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **with_pytest()}
        if keyword is not None:
            environment["FTBENCH_KEYWORD"] = keyword
        command = [sys.executable, "-m", "ftbench_worker.cases", "pytest", path]
        printed = subprocess.check_output(
            command, text=True, env=environment, stderr=subprocess.DEVNULL
        )
        found = json.loads(printed.splitlines()[-1].partition(" ")[2])
        return found.get("names", found.get("failure"))

    @needs_pytest
    def test_every_form_is_measured(self):
        path = self.write(TESTS, "test_forms")
        for case, expected in NOTES.items():
            reply, driver = self.finished(path, case)
            self.assertEqual(reply["type"], "finished", (case, reply))
            self.assertEqual(driver.wait(), 0)
            self.assert_silent(driver)
            with open(path + ".notes") as notes:
                self.assertEqual(notes.read(), expected + "end", case)
            os.remove(path + ".notes")

    @needs_pytest
    def test_setup_and_teardown_do_not_count(self):
        source = """
            import time
            now_s = 0.0
            def step(by_s):
                global now_s
                now_s += by_s
            def test_steps(benchmark):
                time.perf_counter = lambda: now_s
                benchmark.pedantic(step, (1e-9,), setup=lambda: step(1.0), teardown=step)
            """
        reply, _ = self.of_case(self.write(source, "test_steps"), "test_steps")
        self.assertEqual(reply["type"], "sample", reply)
        self.assertEqual(reply["end_ns"] - reply["start_ns"], 3)

    @needs_pytest
    def test_every_model_runs_it(self):
        path = self.write(TESTS, "test_forms")
        for model in MODELS:
            workers = 1 if model == "serial" else 2
            main_forms = ("test_call", "test_marked", "test_pedantic_setup")
            for case in main_forms if model == "threads" else main_forms[:1]:
                reply, driver = self.of_case(path, case, model, workers)
                self.assertEqual(reply["type"], "sample", (model, case, reply))
                self.assertEqual(len(reply["shares"]), workers, model)
                self.assertEqual(driver.finish()["type"], "finished", model)
                self.assertEqual(driver.wait(), 0, model)

    @needs_pytest
    def test_the_users_configuration_does_not_get_in_the_way(self):
        with open(os.path.join(self.folder, "pytest.ini"), "w") as file:
            file.write(CONFIGURATION.format(folder=self.folder))
        path = self.write(TESTS, "test_forms")
        self.assertEqual(self.listed(path), list(NOTES))
        reply, driver = self.finished(path, "test_marked")
        self.assertEqual(reply["type"], "finished", reply)
        driver.wait()
        self.assert_silent(driver)
        self.assertEqual(
            sorted(os.listdir(self.folder)),
            ["conftest.py", "pytest.ini", "test_forms.py", "test_forms.py.notes"],
        )

    @needs_pytest
    def test_the_modules_of_an_arm_come_first(self):
        project = {
            "pytest.ini": "[pytest]\npythonpath = src\n",
            "conftest.py": "import versioned\n",
            "src/versioned.py": "number = 1\n",
            "arm/versioned.py": "number = 2\n",
            "tests/test_it.py": "import versioned\n"
            "def test_number(benchmark): assert benchmark(lambda: versioned.number) == 2\n",
        }
        for name, text in project.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        arm = {"module_folder": os.path.join(self.folder, "arm")}
        for model in ("serial", PROCESS_MODELS[0]):
            reply, driver = self.of_case(path, "test_number", model, **arm)
            self.assertEqual(reply["type"], "sample", reply)
            self.assertEqual(driver.finish()["type"], "finished")

    @needs_pytest
    def test_only_pytest_puts_the_folder_of_the_tests_on_the_path(self):
        path = self.write("import beside\ndef test_a(benchmark): benchmark(int)", "test_a")
        self.write("", "beside")
        self.assertEqual(self.listed(path), ["test_a"])
        with open(os.path.join(self.folder, "pytest.ini"), "w") as file:
            file.write("[pytest]\naddopts = --import-mode=importlib\n")
        error = "ModuleNotFoundError: No module named 'beside'"
        self.assertEqual(self.listed(path), error)
        self.assert_failed(self.of_case(path, "test_a")[0], "import", error)

    @needs_pytest
    def test_benchmarks_are_listed_without_running_them(self):
        path = self.write(TESTS, "test_forms")
        self.assertEqual(self.listed(path), list(NOTES))
        self.assertEqual(
            self.listed(path, "iterations or codspeed"),
            ["test_marked_for_codspeed", "test_pedantic_iterations"],
        )
        self.assertEqual(os.path.exists(path + ".notes"), False)
        module = "import pytest\npytestmark = pytest.mark.benchmark\ndef test_a(): pass"
        self.assertEqual(self.listed(self.write(module, "test_module")), ["test_a"])
        broken = self.listed(self.write("import nowhere_at_all", "test_broken"))
        self.assertEqual(broken, "ModuleNotFoundError: No module named 'nowhere_at_all'")
        self.assertIn("pytest: Wrong expression", self.listed(path, "a b"))

    @needs_pytest
    def test_what_goes_wrong_before_the_measurement(self):
        failures = {
            "test_missing": "test_failures.py has no benchmark 'test_missing'; it has test_never, ",
            "test_never": "test_never has the fixture 'benchmark', but does not call it",
            "test_plain": "test_plain is not a benchmark",
            "Test::test_unittest": "marked as a benchmark, but pytest does not call it",
            "test_skipped": "pytest skips test_skipped: Skipped: not today",
            "test_setup": "ZeroDivisionError: division by zero",
            "test_unknown": "pytest knows no fixture 'nowhere'",
            "test_before": "AssertionError: assert 1 == 2",
            "test_weave": "ftbench does not support benchmark.weave",
            "test_async": "coroutine function",
            "test_exit": "pytest stopped: enough",
        }
        source = """
            import pytest, unittest

            def test_never(benchmark): pass
            def test_plain(): pass
            class Test(unittest.TestCase):
                @pytest.mark.benchmark
                def test_unittest(self): pass
            @pytest.mark.skip("not today")
            def test_skipped(benchmark): benchmark(int)
            @pytest.fixture
            def broken(): 1 / 0
            def test_setup(benchmark, broken): benchmark(int)
            def test_unknown(benchmark, nowhere): benchmark(int)
            def test_before(benchmark):
                assert 1 == 2
            def test_weave(benchmark_weave): benchmark_weave(int)
            async def coroutine(): pass
            def test_async(benchmark): benchmark(coroutine)
            def test_exit(benchmark): pytest.exit("enough")
            """
        path = self.write(source, "test_failures")
        for case, error in failures.items():
            reply, _ = self.of_case(path, case)
            status = "skipped" if case == "test_skipped" else "failed"
            self.assert_failed(reply, "import", error, status)
        reply, _ = self.of_case(path, "test_before", PROCESS_MODELS[0])
        self.assert_failed(reply, "import", "AssertionError: assert 1 == 2")
        self.assertIn('test_failures.py", line 16, in test_before', reply["traceback"])
        self.assertNotIn("_pytest", reply["traceback"])

    @needs_pytest
    def test_what_goes_wrong_with_the_file(self):
        reply, _ = self.of_case(self.write("import nowhere_at_all", "test_a"), "test_a")
        self.assert_failed(reply, "import", "ModuleNotFoundError: No module named 'nowhere_at_all'")
        skipped = "import pytest; pytest.importorskip('nowhere_at_all')"
        reply, _ = self.of_case(self.write(skipped, "test_b"), "test_b")
        self.assert_failed(reply, "import", "pytest skips the file: Skipped: could not", "skipped")
        path = self.write(TESTS, "test_forms")
        self.write("1 / 0", "conftest")
        reply, _ = self.of_case(path, "test_call")
        self.assert_failed(reply, "import", "ZeroDivisionError: division by zero")
        self.write("def pytest_configure(config): 1 / 0", "conftest")
        reply, _ = self.of_case(path, "test_call")
        self.assert_failed(reply, "import", "ZeroDivisionError: division by zero")
        with open(os.path.join(self.folder, "pytest.ini"), "w") as file:
            file.write("[pytest]\naddopts = --of-a-plugin\n")
        reply, _ = self.of_case(path, "test_call")
        self.assert_failed(reply, "import", "pytest: unrecognized arguments: --of-a-plugin")

    @needs_pytest
    def test_what_goes_wrong_behind_the_measurement(self):
        failures = {
            "test_result": "AssertionError: assert 7 == 8",
            "test_twice": "the test calls 'benchmark' a second time",
            "test_teardown": "ZeroDivisionError",
        }
        source = """
            import pytest
            def test_result(benchmark):
                assert benchmark(lambda: 7) == 8
            def test_twice(benchmark):
                benchmark(int)
                benchmark(int)
            @pytest.fixture
            def broken():
                yield
                1 / 0
            def test_teardown(benchmark, broken): benchmark(int)
            @pytest.mark.xfail
            def test_expected(benchmark):
                assert benchmark(lambda: 7) == 8
            """
        path = self.write(source, "test_failures")
        for case, error in failures.items():
            reply, _ = self.finished(path, case)
            self.assert_failed(reply, "teardown", error)
        self.assertEqual(self.finished(path, "test_expected")[0]["type"], "finished")

    @needs_pytest
    def test_a_failure_of_the_benchmark_is_that_of_the_work(self):
        source = "def test_a(benchmark): benchmark(lambda: 1 / 0)"
        reply, _ = self.of_case(self.write(source, "test_a"), "test_a")
        self.assert_failed(reply, "work", "ZeroDivisionError: division by zero")

    def test_without_pytest_it_says_how_to_get_it(self):
        path = self.write("def test_a(benchmark): benchmark(int)", "test_a")
        self.write("raise ModuleNotFoundError(name='pytest')", "pytest")
        error = "the file has tests for pytest, which is not installed; add --with pytest"
        driver = self.driver({"PYTHONPATH": os.pathsep.join([WORKER_FOLDER, self.folder])})
        reply = driver.prepare(path, "serial", format="pytest", case="test_a")
        self.assert_failed(reply, "import", error)


if __name__ == "__main__":
    unittest.main()
