"""Benchmarks for asv: every form, in every model."""

import json
import os
import subprocess
import sys
import unittest

from support import MODELS, PROCESS_MODELS, WORKER_FOLDER, WorkerTestCase

# Each function notes what is called, and in which order, beside the file.
FILE = """
import os

def note(text):
    with open(__file__ + ".notes", "a") as file: file.write(text)

def setup(*args): note("M")
def teardown(*args): note("m")

def time_plain(): note("f")

def of_function(n, word): note("F%d%s" % (n, word))
def time_params(n, word): note("f")
time_params.params = ([1, 2], ["a", "b"])
time_params.param_names = ["n", "word"]
time_params.setup = of_function
time_params.teardown = lambda n, word: note("t")

def TimeCamel(): note("C")

class Base:
    text = "b"
    def time_inherited(self): note(self.text)

class Suite(Base):
    text = "i"
    def setup(self): self.set_up_by = id(self); note("S")
    def tearDown(self): assert self.set_up_by == id(self); note("s")

    def time_method(self): note("x")
    def TimeMethod(self): note("y")
    def track_value(self): note("v"); return 3
    def peakmem_list(self): note("p")

class Numbered:
    def setup(self): self.number = 2; self.left = 2; note("[")
    def teardown(self): note("]")
    def time_numbered(self): self.left -= 1; assert self.left >= 0; note("n")

class Cached:
    def setup_cache(self): note("K"); open("cached", "w").close(); self.lost = 1; return [7]
    def setup(self, cached, n): assert os.path.exists("cached"); note("k")
    def time_cached(self, cached, n):
        assert cached == [7] and not hasattr(self, "lost"); note(str(n))
Cached.params = [5]

class Raw:
    def timeraw_code(self):
        note("r"); return f"open({__file__ + '.notes'!r}, 'a').write('w'); print(1)", "x = 1"

class _Hidden:
    def time_hidden(self): pass
def time(): pass
def helper(): pass
"""
# What three units write in `serial`, with the teardown after them.
NOTES = {
    "time_plain": "Mfffm",
    "time_params(1, 'a')": "MF1affftm",
    "time_params(1, 'b')": "MF1bffftm",
    "time_params(2, 'a')": "MF2affftm",
    "time_params(2, 'b')": "MF2bffftm",
    "TimeCamel": "MCCCm",
    "Base.time_inherited": "Mbbbm",
    "Suite.TimeMethod": "MSyyysm",
    "Suite.peakmem_list": "MSpppsm",
    "Suite.time_inherited": "MSiiism",
    "Suite.time_method": "MSxxxsm",
    "Suite.track_value": "MSvvvsm",
    "Numbered.time_numbered": "M[nn]mM[n]m",
    "Cached.time_cached(5)": "MKMk555m",
    "Raw.timeraw_code": "Mrwrwrwm",
}


class Asv(WorkerTestCase):
    def of_case(self, path, case, model="serial", workers=1, units=3):
        driver = self.driver()
        ready = driver.prepare(path, model, workers, units, format="asv", case=case)
        return (ready if ready["type"] == "failed" else driver.sample()), driver

    def finish(self, driver):
        self.assertEqual(driver.finish()["type"], "finished")
        self.assertEqual(driver.wait(), 0)

    def notes(self, path):
        with open(path + ".notes") as file:
            noted = file.read()
        os.remove(path + ".notes")
        return noted

    def listed(self, path):
        """What ftbench gets when it lists the cases."""
        words = [sys.executable, "-m", "ftbench_worker.cases", "asv", path]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": WORKER_FOLDER,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        printed = subprocess.check_output(words, text=True, env=environment)
        return json.loads(printed.rpartition("ftbench-cases ")[2])

    def package(self, **files):
        """A package `benchmarks` with these modules; returns the path of `bench`."""
        folder = os.path.join(self.folder, "benchmarks")
        os.mkdir(folder)
        for name, source in {"__init__": "", **files}.items():
            self.write(source, os.path.join("benchmarks", name))
        return os.path.join(folder, "bench.py")

    def test_every_form_is_measured(self):
        path = self.write(FILE)
        for case, expected in NOTES.items():
            reply, driver = self.of_case(path, case)
            self.assertEqual(reply["type"], "sample", (case, reply))
            self.finish(driver)
            self.assertEqual(self.notes(path), expected, case)

    def test_cases_are_listed_without_running_them(self):
        path = self.write(FILE)
        self.assertEqual(self.listed(path), {"names": list(NOTES)})
        self.assertFalse(os.path.exists(path + ".notes"))

    def test_every_model_runs_it(self):
        path = self.write(FILE)
        for model in MODELS:
            workers = 1 if model == "serial" else 2
            for case in ("time_plain", "Suite.track_value", "Cached.time_cached(5)"):
                reply, driver = self.of_case(path, case, model, workers, units=4)
                self.assertEqual(reply["type"], "sample", (model, case, reply))
                self.assertEqual(len(reply["shares"]), workers, model)
                expected = {"value": 3.0} if "track" in case else {}
                self.assertEqual(reply["reported"], expected, model)
                self.finish(driver)
                noted = self.notes(path)
                self.assertEqual(sum(map(noted.count, "fv5")), 4, (model, case))

    def test_a_worker_has_an_instance_of_its_own(self):
        # Otherwise one process may do both shares before the other one begins.
        until_both_began = """note("x")
        while open(__file__ + ".notes").read().count("M") < 2: pass"""
        waiting = FILE.replace(
            'time_method(self): note("x")', f"time_method(self):\n        {until_both_began}"
        )
        self.assertNotEqual(waiting, FILE)
        for model, instances in (("serial", 1), ("threads", 2), ("processes", 2), ("asyncio", 1)):
            path = self.write(waiting if model == "processes" else FILE)
            workers = 1 if model == "serial" else 2
            _, driver = self.of_case(path, "Suite.time_method", model, workers, units=4)
            driver.sample()
            self.finish(driver)
            noted = self.notes(path)
            counts = [noted.count(letter) for letter in "MSxsm"]
            self.assertEqual(counts, [instances, instances, 8, instances, instances], model)

    def test_threads_share_the_setup_of_a_function(self):
        path = self.write(FILE)
        reply, driver = self.of_case(path, "time_params(1, 'a')", "threads", 2, units=4)
        self.assertEqual(len(reply["shares"]), 2)
        self.finish(driver)
        self.assertEqual(sorted(self.notes(path)), sorted("MF1afffftm"))

    def test_threads_begin_when_all_are_set_up(self):
        path = self.write(
            """
            from time import sleep

            class Suite:
                def setup(self):
                    with open("data", "w") as file:
                        sleep(0.2)
                        file.write("all")
                def time_read(self):
                    with open("data") as file: assert file.read() == "all"
            """
        )
        for model in ("threads", "asyncio-threads"):
            reply, _ = self.of_case(path, "Suite.time_read", model, 3, units=30)
            self.assertEqual(reply["type"], "sample", reply)

    def test_only_the_calls_count(self):
        path = self.write(
            """
            from time import perf_counter_ns

            class Numbered:
                number = 1
                def note(self):
                    with open(__file__ + ".notes", "a") as file:
                        file.write(f"{perf_counter_ns()} ")
                def setup(self): self.note()
                def time_it(self): pass
                def teardown(self): self.note()

            class Once(Numbered):
                number = 0
            """
        )
        for model in ("serial", "threads", PROCESS_MODELS[0]):
            reply, _ = self.of_case(path, "Once.time_it", model)
            self.assertGreater(reply["start_ns"], int(self.notes(path)), model)
        reply, _ = self.of_case(path, "Numbered.time_it")
        times = [int(text) for text in self.notes(path).split()]
        self.assertEqual(len(times), 6)
        between_ns = sum(end - start for start, end in zip(times[::2], times[1::2]))
        self.assertLessEqual(reply["end_ns"] - reply["start_ns"], between_ns)

    def test_a_worker_is_prepared_again(self):
        path = self.write(FILE)
        _, driver = self.of_case(path, "Cached.time_cached(5)")
        for _ in range(2):
            driver.prepare(path, "serial", format="asv", case="Cached.time_cached(5)")
            reply = driver.sample()
            self.assertEqual(reply["type"], "sample", reply)
        self.finish(driver)
        self.assertEqual(self.notes(path), "MKMk555mMKMk5mMKMk5m")

    def test_a_benchmark_may_change_its_parameters(self):
        path = self.write(
            """
            class Counter:
                n = 0
                def __repr__(self): return f"Counter({self.n})"
            def time_it(counter): counter.n += 1
            time_it.params = [Counter()]
            """
        )
        _, driver = self.of_case(path, "time_it(Counter(0))")
        driver.prepare(path, "serial", format="asv", case="time_it(Counter(0))")
        self.assertEqual(driver.sample()["type"], "sample")

    def test_files_that_a_benchmark_writes_do_not_stay(self):
        path = self.write(
            """
            def setup(): open("written", "x").close()
            def time_it(): open("written").close()
            """
        )
        for model in ("serial", "threads", "processes"):
            driver = self.driver()
            workers = 1 if model == "serial" else 2
            driver.prepare(path, model, workers, workers, format="asv", case="time_it")
            self.assertEqual(driver.sample()["type"], "sample", model)
            self.assertNotEqual(os.listdir(driver.scratch), [], model)
            self.finish(driver)
            self.assertEqual(os.listdir(driver.scratch), [], model)

    def test_a_file_in_a_package_is_imported_as_a_module_of_it(self):
        path = self.package(
            common="class Base:\n    def time_it(self): assert __name__ == 'benchmarks.common'",
            signal="raise AssertionError('this is not the module of the standard library')",
            bench="""
                import pickle
                import signal
                from importlib.util import find_spec
                from .common import Base

                class Suite(Base):
                    def time_pickled(self): pickle.loads(pickle.dumps(Suite()))

                    time_pickled.benchmark_name = "bench.Named.time_pickled"

                def time_path():
                    assert find_spec("common") is None and find_spec("beside") is None
                """,
        )
        self.write("", "beside")
        found = ["Base.time_it", "Suite.time_it", "Named.time_pickled", "time_path"]
        self.assertEqual(self.listed(path), {"names": found})
        for model in MODELS:
            workers = 1 if model == "serial" else 2
            for case in ("Named.time_pickled", "time_path"):
                reply, driver = self.of_case(path, case, model, workers)
                self.assertEqual(reply["type"], "sample", (model, reply))
                self.finish(driver)

    def test_benchmarks_of_a_package_itself(self):
        path = self.package(__init__="def time_it(): pass")
        path = os.path.join(os.path.dirname(path), "__init__.py")
        self.assertEqual(self.listed(path), {"names": ["time_it"]})
        self.assertEqual(self.of_case(path, "time_it")[0]["type"], "sample")

    def test_a_file_outside_packages_finds_those_beside_it(self):
        self.write("n = 3", "common")
        path = self.write("from common import n\ndef track_n(): return n", "bench-it")
        for model in ("serial", PROCESS_MODELS[0]):
            reply, _ = self.of_case(path, "track_n", model)
            self.assertEqual(reply["reported"], {"value": 3.0})

    def test_names_are_different_and_have_one_line(self):
        path = self.write(
            r"""
            class Lines:
                def __repr__(self): return "two\n    lines"
            def function(): pass
            def time_it(value): pass
            time_it.params = [Lines(), Lines(), function, [function], "a\nb", 1.0, 1.0]
            def time_a(): pass
            def time_b(): pass
            time_a.benchmark_name = time_b.benchmark_name = "group.time_c"
            def time_d(): pass
            time_d.pretty_name = "D"
            def time_e(): pass
            time_e.benchmark_name = "group.nothing"
            class Broken:
                params = [1, 2]
                def __init__(self): raise OSError("no instance")
                def time_it(self, n): pass
            class TimeList:
                params = []
                def time_it(self): pass
            """
        )
        found = [
            "time_it(two lines (0))",
            "time_it(two lines (1))",
            "time_it(<function function>)",
            "time_it([<function function>])",
            r"time_it('a\nb')",
            "time_it(1.0 (0))",
            "time_it(1.0 (1))",
            "group.time_c (0)",
            "group.time_c (1)",
            "time_d",
            "Broken.time_it",
            "TimeList.time_it",
        ]
        self.assertEqual(self.listed(path), {"names": found})
        for case in found:
            reply, _ = self.of_case(path, case, PROCESS_MODELS[0])
            if case == "Broken.time_it":
                self.assert_failed(reply, "import", "OSError: no instance")
            else:
                self.assertEqual(reply["type"], "sample", (case, reply))

    def test_marks_of_asv_runner(self):
        path = self.write(
            """
            import asv_runner.benchmarks.mark
            from asv_runner.benchmarks import mark
            from asv_runner.benchmarks.mark import (
                SkipNotImplemented, benchmark, parameterize, parameterize_class_with,
                parameterize_func_with, skip_benchmark, skip_benchmark_if, skip_for_params,
                skip_params_if, timeout_at, timeout_class_at, timeout_func_at,
            )

            @skip_benchmark
            def time_skipped(): pass
            @skip_benchmark_if(True)
            class Skipped:
                def time_skipped(self): pass
            @skip_benchmark_if(False)
            def time_not_skipped(): pass

            @timeout_at(9)
            @parameterize({"n": [1, 2, 3]})
            class Suite:
                @skip_for_params([(1,)])
                def time_some(self, n): assert n != 1
                @skip_params_if([(1,), (2,)], True)
                def time_one(self, n): assert n == 3
                @skip_params_if([(1,)], False)
                @benchmark(number=1, pretty_name="all")
                def time_all(self, n): raise SkipNotImplemented("not here")

            @parameterize_func_with({"a": [1, 2], "b": ["x"]})
            def time_two(a, b): pass
            """
        )
        found = [
            "time_not_skipped",
            *[f"Suite.time_all({n})" for n in (1, 2, 3)],
            "Suite.time_one(3)",
            *[f"Suite.time_some({n})" for n in (2, 3)],
            *[f"time_two({n}, 'x')" for n in (1, 2)],
        ]
        self.assertEqual(self.listed(path), {"names": found})
        for case in found:
            reply, _ = self.of_case(path, case)
            if "time_all" in case:
                self.assert_failed(reply, "work", "SkipNotImplemented: not here", "skipped")
            else:
                self.assertEqual(reply["type"], "sample", (case, reply))
        for case in ("time_skipped", "Skipped.time_skipped", "Suite.time_one(2)"):
            reply, _ = self.of_case(path, case, PROCESS_MODELS[0])
            reason = f"tried.py skips '{case}' with a decorator or 'skip_params'"
            self.assert_failed(reply, "import", reason, "skipped")

    def test_an_installed_asv_runner_is_used(self):
        os.makedirs(os.path.join(self.folder, "asv_runner", "benchmarks"))
        self.write("", os.path.join("asv_runner", "__init__"))
        self.write("", os.path.join("asv_runner", "benchmarks", "__init__"))
        self.write("marked = 5", os.path.join("asv_runner", "benchmarks", "mark"))
        path = self.write(
            """
            from asv_runner.benchmarks.mark import marked
            def track_it(): return marked
            """
        )
        self.assertEqual(self.of_case(path, "track_it")[0]["reported"], {"value": 5.0})

    def test_failures(self):
        path = self.write(
            """
            import abc

            class Suite:
                params = [1, 2, 3]
                def setup(self, n):
                    if n == 1: raise NotImplementedError("only on Tuesdays")
                    if n == 2: 1 / 0
                def time_it(self, n): pass

            async def time_async(): pass
            def time_fails(): raise NotImplementedError
            class Abstract(abc.ABC):
                @abc.abstractmethod
                def time_it(self): pass
            """
        )
        found = [f"Suite.time_it({n})" for n in (1, 2, 3)] + ["time_async", "time_fails"]
        self.assertEqual(self.listed(path), {"names": found})
        skips = "Suite.time_it skips itself: its setup raised NotImplementedError: only on Tuesdays"
        for model in ("serial", "threads", PROCESS_MODELS[0]):
            reply, _ = self.of_case(path, "Suite.time_it(1)", model)
            self.assert_failed(reply, "work", skips, "skipped")
            reply, _ = self.of_case(path, "Suite.time_it(2)", model)
            self.assert_failed(reply, "work", "ZeroDivisionError")
            reply, _ = self.of_case(path, "Suite.time_it(3)", model)
            self.assertEqual(reply["type"], "sample", reply)
        self.assert_failed(self.of_case(path, "time_fails")[0], "work", "NotImplementedError")
        for case, reason in (
            ("time_async", "time_async is a coroutine function, which asv does not await"),
            ("time_", "tried.py has no benchmark 'time_'; it has Suite.time_it(1), Suite.time_"),
            (None, "name a benchmark of tried.py as tried.py::NAME; it has Suite.time_it(1), "),
        ):
            self.assert_failed(self.of_case(path, case)[0], "import", reason)
        path = self.write("import nowhere_at_all")
        self.assertIn("ModuleNotFoundError", self.listed(path)["failure"])
        self.assert_failed(self.of_case(path, None)[0], "import", "ModuleNotFoundError")

    def test_figures(self):
        path = self.write(
            """
            def track_unit(): return 4
            track_unit.unit = "objects"
            def track_nan(): return float("nan")
            def track_text(): return "four"
            def peakmem_it(): return bytearray(50_000_000)
            def mem_it(): return []
            """
        )
        self.assertEqual(self.of_case(path, "track_unit")[0]["reported"], {"objects": 4.0})
        self.assertEqual(self.of_case(path, "track_nan")[0]["reported"], {})
        reply, _ = self.of_case(path, "track_text")
        self.assert_failed(reply, "work", "returned 'four'; a track benchmark returns a number")
        peak = self.of_case(path, "peakmem_it")[0]["reported"]["peak_bytes"]
        self.assertGreater(peak, 50_000_000)
        reply, _ = self.of_case(path, "mem_it")
        self.assert_failed(reply, "import", "mem_it needs pympler to measure objects; add --with ")

    def test_objects_are_measured_with_pympler(self):
        os.mkdir(os.path.join(self.folder, "pympler"))
        self.write("", os.path.join("pympler", "__init__"))
        sizes = "def asizeof(pair): return 1000 + 24 * len({id(each) for each in pair})"
        self.write(sizes, os.path.join("pympler", "asizeof"))
        path = self.write("def mem_it(): return [0]")
        self.assertEqual(self.of_case(path, "mem_it")[0]["reported"], {"object_bytes": 24.0})

    def test_raw_code_runs_in_an_interpreter_of_its_own(self):
        path = self.write(
            r"""
            def timeraw_fresh():
                return '''
                    import os, sys
                    assert "tried" not in sys.modules and "json" not in sys.modules
                    assert len(sys.argv) == 1 and os.environ["A"] == "1"
                    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
                    import math, beside
                    print("ftbench-second 9")
                    '''
            timeraw_fresh.env = {"A": 1}

            class Numbered:
                number = 2
                def timeraw_it(self):
                    return f"open({__file__ + '.notes'!r}, 'a').write('w')"

            def timeraw_fails(): return "x = [\n1,\n].nothing", "import sys"
            def timeraw_exits(): return "exit(3)"
            def timeraw_none(): return None
            """
        )
        self.write("", "beside")
        for model in MODELS:
            reply, _ = self.of_case(path, "timeraw_fresh", model)
            self.assertEqual(reply["type"], "sample", (model, reply))
        self.of_case(path, "Numbered.timeraw_it")
        self.assertEqual(self.notes(path), "www")
        reply, _ = self.of_case(path, "timeraw_fails")
        reason = "the code ended with exit status 1 in a fresh interpreter: AttributeError: "
        self.assert_failed(reply, "work", reason)
        reply, _ = self.of_case(path, "timeraw_exits")
        self.assert_failed(reply, "work", "the code ended with exit status 3")
        reply, _ = self.of_case(path, "timeraw_none")
        self.assert_failed(reply, "work", "returned None; a timeraw benchmark returns code as a")


if __name__ == "__main__":
    unittest.main()
