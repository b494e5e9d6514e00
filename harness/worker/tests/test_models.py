"""Every model runs every workload that supports it, and reports what the driver needs."""

import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import (
    INTERPRETERS,
    MODELS,
    WorkerTestCase,
    catalogue,
    needs_interpreters,
    start_services,
    worker_module,
    workload_path,
)

needs_no_gil = unittest.skipUnless(
    hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled(), "needs a free-threaded build"
)


class EveryModel(WorkerTestCase):
    def test_every_workload_runs(self):
        self.environment = start_services(self)
        for workload, models in catalogue():
            for model in models:
                for scaling in ("strong", "weak"):
                    workers = 1 if model == "serial" else 2
                    with self.subTest(workload=workload, model=model, scaling=scaling):
                        self.run_trial(workload_path(workload), model, workers, scaling)

    def run_trial(self, path, model, workers, scaling):
        driver = self.driver(self.environment)
        ready = driver.prepare(path, model, workers, units=3, scaling=scaling)
        self.assertEqual(ready["type"], "ready", ready)
        self.assertGreater(ready["startup_ns"], 0)
        self.assert_workers(ready["workers"], model, workers, driver.process.pid)
        last_end_ns = 0
        for number in range(2):
            reply = driver.sample(number)
            self.assertEqual((reply["type"], reply.get("sample")), ("sample", number), reply)
            self.assert_stamps(reply, last_end_ns)
            self.assertEqual(len(reply["shares"]), workers)
            known = [tuple(worker.values()) for worker in ready["workers"]]
            for share in reply["shares"]:
                self.assertIn((share["process_id"], share["thread_id"]), known)
            last_end_ns = reply["end_ns"]
        self.assertEqual(driver.finish(), {"type": "finished", "thread_pools": []})
        self.assertEqual(driver.wait(), 0)
        self.assert_silent(driver)
        self.assert_alone(driver)

    def assert_workers(self, identities, model, workers, main_process):
        self.assertEqual(len(identities), workers)
        processes = {identity["process_id"] for identity in identities}
        threads = {identity["thread_id"] for identity in identities}
        if model.startswith("processes"):
            self.assertEqual(len(processes), workers)
            self.assertNotIn(main_process, processes)
            self.assertEqual(processes, threads, "a process works on its main thread")
        else:
            self.assertEqual(processes, {main_process})
            if model in ("serial", "asyncio"):
                self.assertEqual(threads, {main_process})
            else:
                self.assertEqual(len(threads - {main_process}), workers)

    def assert_stamps(self, reply, last_end_ns):
        self.assertLess(last_end_ns, reply["start_ns"])
        for share in reply["shares"]:
            self.assertLess(reply["start_ns"], share["start_ns"])
            self.assertLess(share["start_ns"], share["end_ns"])
            self.assertLess(share["end_ns"], reply["end_ns"])


class Details(WorkerTestCase):
    def test_prepare_again(self):
        """Calibration prepares again with other units; the module is loaded once."""
        path = self.write(
            """
            import sys
            assert not hasattr(sys, "loaded_before"), "loaded twice"
            sys.loaded_before = True
            def setup(units): return units
            def work(data, units): return (data, units)
            def check(results, units): assert results[0] == (units, units), results
            """
        )
        driver = self.driver()
        models = ("serial", "threads", "processes:fork", "asyncio", "asyncio-threads")
        for model in (*models, *INTERPRETERS):
            for units in (1, 2, 4):
                ready = driver.prepare(path, model, units=units)
                self.assertEqual(ready["type"], "ready", ready)
                self.assertEqual(driver.sample()["type"], "sample")
        self.assertEqual(driver.finish()["type"], "finished")
        self.assertEqual(driver.wait(), 0)
        self.assert_silent(driver)

    def test_units(self):
        """Strong scaling divides the units evenly, as far as possible; weak gives all to each."""
        path = self.write(
            """
            def setup(units): return units
            def work(data, units): return (data, units)
            def check(results, units):
                totals, shares = zip(*results)
                assert False, f"{set(totals)} {units} {shares}"
            """
        )
        for model in ("threads", "processes:fork", *INTERPRETERS):
            reply = self.sample_of(path, model, workers=4, units=10)
            self.assert_failed(reply, "check", "{10} 10 (3, 3, 2, 2)", status="wrong_result")
            reply = self.sample_of(path, model, workers=4, units=10, scaling="weak")
            self.assert_failed(reply, "check", "{40} 40 (10, 10, 10, 10)", status="wrong_result")

    def sample_of(self, path, model, **options):
        driver = self.driver()
        ready = driver.prepare(path, model, **options)
        self.assertEqual(ready["type"], "ready", ready)
        return driver.sample()

    def test_split_is_called_for_each_sample(self):
        path = self.write(
            """
            def split(data, workers): return [[] for _ in range(workers)]
            def work(data, units):
                data.append(units)
                return data
            def check(results, units): assert results == [[2], [1]], results
            """
        )
        for model in MODELS[1:]:
            driver = self.driver()
            driver.prepare(path, model, workers=2, units=3)
            for number in range(3):
                self.assertEqual(driver.sample(number)["type"], "sample", model)

    def test_setup_is_called_once_in_every_process(self):
        path = self.write(
            """
            import os
            calls = []
            def setup(units):
                calls.append(os.getpid())
                return calls.count(os.getpid())
            def work(data, units): return data
            def check(results, units): assert results == [1, 1, 1], results
            """
        )
        for model in MODELS[1:]:
            driver = self.driver()
            self.assertEqual(driver.prepare(path, model, 3, 3)["type"], "ready")
            self.assertEqual(driver.sample()["type"], "sample", model)

    @needs_interpreters
    def test_each_worker_has_an_interpreter_and_a_thread(self):
        """Interpreters share no objects, and a worker keeps its own from sample to sample."""
        path = self.write(
            """
            import threading
            from concurrent import interpreters
            calls = []
            def me(): return interpreters.get_current().id, threading.get_native_id()
            def setup(units): return me()
            def work(data, units):
                calls.append(units)
                assert data == me(), "set up in another interpreter"
                return (*data, len(calls), b"x" * units, 2**70, {"a": [1.5]})
            def check(results, units):
                for place in range(2):
                    assert len({result[place] for result in results}) == 4, results
                assert interpreters.get_main().id not in {result[0] for result in results}
                assert all(result[5] == {"a": [1.5]} for result in results)
                print(sorted(result[2] for result in results))
            """
        )
        driver = self.driver()
        for _ in range(2):
            ready = driver.prepare(path, "interpreters", workers=4, units=8)
            self.assertEqual(ready["type"], "ready", ready)
            self.assertIsNone(ready["start_method"])
        threads = {worker["thread_id"] for worker in ready["workers"]}
        self.assertEqual(len(threads), 4)
        sample = driver.sample()
        self.assertEqual(sample["type"], "sample", sample)
        self.assertLessEqual({share["thread_id"] for share in sample["shares"]}, threads)
        driver.finish()
        self.assertEqual(driver.wait(), 0)
        self.assertEqual(driver.printed(), ["[1, 1, 1, 1]\n", ""])

    @needs_interpreters
    def test_barrier_of_interpreters(self):
        """With as many tasks as threads, no task passes the barrier before all have arrived."""
        workers = 5
        barrier = worker_module("interpreters").Barrier.of(workers)
        self.addCleanup(barrier.close)
        arrived = []

        def arrive_and_wait(number):
            arrived.append(number)
            barrier.wait()
            return len(arrived), threading.get_native_id()

        with ThreadPoolExecutor(workers) as pool:
            for _ in range(100):
                arrived.clear()
                counts, threads = zip(*pool.map(arrive_and_wait, range(workers)))
                self.assertEqual(counts, (workers,) * workers)
                self.assertEqual(len(set(threads)), workers)

    def test_own_classes_and_siblings(self):
        """Instances of own classes can be sent both ways, and sibling modules can be imported."""
        self.write("class Beside: pass", name="beside_it")
        path = self.write(
            """
            import beside_it
            class Own:
                pass
            def split(data, workers): return [(Own(), beside_it.Beside())] * workers
            def work(data, units): return data
            def check(results, units):
                for own, beside in results:
                    assert isinstance(own, Own) and isinstance(beside, beside_it.Beside)
            """,
            name="not-a.module name",
        )
        for model in MODELS[1:]:
            driver = self.driver()
            self.assertEqual(driver.prepare(path, model, 2, 2)["type"], "ready")
            self.assertEqual(driver.sample()["type"], "sample", model)

    def test_work_async_runs_on_a_running_loop(self):
        path = self.write(
            """
            import asyncio
            loops = {}
            async def work_async(data, units):
                loop = asyncio.get_running_loop()
                await asyncio.sleep(0.001)
                return loop
            def check(results, units):
                assert loops.setdefault(0, results) == results
                print(len({id(loop) for loop in results}))
            """
        )
        for model, loops in (("asyncio", 1), ("asyncio-threads", 2)):
            driver = self.driver()
            driver.prepare(path, model, 2, 2)
            self.assertEqual(driver.sample()["type"], "sample")
            driver.finish()
            driver.wait()
            self.assertEqual(driver.printed(), [f"{loops}\n", ""])

    def test_work_inside_task(self):
        path = self.write(
            """
            import asyncio
            def work(data, units): return asyncio.current_task() is not None
            def check(results, units): assert all(results)
            """
        )
        for model in ("asyncio", "asyncio-threads"):
            driver = self.driver()
            driver.prepare(path, model, 2, 2)
            self.assertEqual(driver.sample()["type"], "sample")

    def test_children_do_not_hold_the_channel(self):
        """Neither processes of a pool do, nor those that a workload forks or executes itself."""
        path = self.write(
            """
            import os, subprocess
            def held(process):
                folder = f"/proc/{process}/fd"
                names = [os.path.join(folder, name) for name in os.listdir(folder)]
                links = {os.readlink(name) for name in names if os.path.islink(name)}
                return len(links.intersection(channel))
            def split(data, workers):
                channel[:] = open("CHANNEL").read().split()
                assert held("self") == 2, "the test looks in the wrong place"
                return [list(channel)] * workers
            def work(data, units):
                channel[:] = data
                if os.getpid() != main:
                    return held("self")
                child = os.fork()
                if child == 0:
                    os._exit(held("self"))
                sleeper = subprocess.Popen(["sleep", "60"], close_fds=False)
                try:
                    return os.waitpid(child, 0)[1] + held(sleeper.pid)
                finally:
                    sleeper.kill()
                    sleeper.wait()
            def check(results, units): assert not any(results), results
            channel = []
            main = int(os.environ.setdefault("MAIN", str(os.getpid())))
            """.replace("CHANNEL", os.path.join(self.folder, "channel"))
        )
        # A subinterpreter may not fork.
        for model in [model for model in MODELS if model not in INTERPRETERS]:
            driver = self.driver()
            with open(os.path.join(self.folder, "channel"), "w", encoding="ascii") as file:
                file.write(" ".join(driver.pipes))
            self.assertEqual(driver.prepare(path, model, units=1)["type"], "ready")
            reply = driver.sample()
            self.assertEqual(reply["type"], "sample", (model, reply))

    def test_driver_gone(self):
        """The worker and the processes of its pool exit at once and silently."""
        for model in MODELS:
            driver = self.driver()
            workers = 1 if model == "serial" else 2
            driver.prepare(workload_path("cpu/fib"), model, workers)
            driver.hang_up()
            self.assertEqual(driver.wait(), 0)
            self.assert_silent(driver)
            self.assert_alone(driver)

    def test_working_directory_is_not_imported_from(self):
        """The worker is started with `-m`, which would put the working directory on sys.path."""
        path = self.write("import sys\nassert '/' not in sys.path\ndef work(data, units): pass")
        for model in MODELS:
            reply = self.driver().prepare(path, model)
            self.assertEqual(reply["type"], "ready", reply)


class Collections(WorkerTestCase):
    def test_counted_wherever_the_work_runs(self):
        path = self.write(
            """
            import gc
            gc.disable()
            def work(data, units):
                for _ in range(3):
                    gc.collect()
            """
        )
        for model in MODELS:
            workers = 1 if model == "serial" else 2
            driver = self.driver()
            driver.prepare(path, model, workers)
            # In threads of one interpreter, a collection is skipped while another one runs.
            minimum = 3 if model in ("threads", "asyncio-threads") else 3 * workers
            for number in range(3):
                sample = driver.sample(number)
                self.assertIn(sample["collections"], range(minimum, 3 * workers + 1), model)
                total_ns, longest_ns = sample["collection_ns"], sample["longest_collection_ns"]
                self.assertTrue(0 < longest_ns < total_ns <= 3 * workers * longest_ns, sample)
                self.assertLessEqual(total_ns, workers * (sample["end_ns"] - sample["start_ns"]))

    def test_none_take_no_time(self):
        path = self.write("import gc\ngc.disable()\ndef work(data, units):\n    pass")
        for model in MODELS:
            driver = self.driver()
            driver.prepare(path, model)
            driver.sample(0)
            sample = driver.sample(1)
            found = [
                sample[key] for key in ("collections", "collection_ns", "longest_collection_ns")
            ]
            self.assertEqual(found, [0, 0, 0], model)


class GilState(WorkerTestCase):
    def test_without_free_threading_it_is_on(self):
        is_enabled = getattr(sys, "_is_gil_enabled", lambda: True)
        for model in MODELS:
            driver = self.driver()
            workers = 1 if model == "serial" else 2
            ready = driver.prepare(workload_path("cpu/fib"), model, workers)
            self.assertEqual(ready["gil_enabled"], is_enabled())
            self.assertIsNone(ready["gil_enabled_by"])
            self.assertEqual(driver.sample()["gil_enabled"], is_enabled())

    def test_module_that_switches_it_on_is_named(self):
        """The warning has CPython's own text; other warnings are shown."""
        path = self.write(
            """
            import warnings
            def warn():
                warnings.warn(
                    "The global interpreter lock (GIL) has been enabled to load module 'a.b', "
                    "which has not declared that it can run safely without the GIL.",
                    RuntimeWarning,
                )
            def work(data, units):
                warn()
                warnings.warn("something else")
            """
        )
        for model in MODELS:
            driver = self.driver()
            ready = driver.prepare(path, model)
            self.assertIsNone(ready["gil_enabled_by"])
            self.assertEqual(driver.sample()["gil_enabled_by"], "a.b", model)
            driver.finish()
            driver.wait()
            stdout, stderr = driver.printed()
            self.assertEqual(stdout, "")
            self.assertIn("something else", stderr)
            self.assertNotIn("a.b", stderr)

    @needs_no_gil
    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_extension_that_switches_it_on(self):
        """An extension module without `Py_mod_gil`, imported by the workload or in `work`."""
        source = os.path.join(self.folder, "undeclared.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(
                "#include <Python.h>\n"
                'static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "undeclared"};\n'
                "PyMODINIT_FUNC PyInit_undeclared(void) { return PyModule_Create(&definition); }\n"
            )
        include = "-I" + sysconfig.get_paths()["include"]
        target = os.path.join(self.folder, "undeclared.so")
        command = ["cc", "-shared", "-fPIC", "-DPy_GIL_DISABLED=1", include, source, "-o", target]
        subprocess.run(command, check=True)
        for source, where in (
            ("import undeclared\ndef work(data, units):\n    pass", "at import"),
            ("def work(data, units):\n    import undeclared", "in work"),
        ):
            path = self.write(source)
            # A subinterpreter refuses to import such a module.
            for model in [model for model in MODELS if model not in INTERPRETERS]:
                with self.subTest(model=model, where=where):
                    driver = self.driver()
                    ready = driver.prepare(path, model)
                    self.assertEqual(ready["type"], "ready", ready)
                    sample = driver.sample()
                    at_sample = (sample["gil_enabled"], sample["gil_enabled_by"])
                    self.assertEqual(at_sample, (True, "undeclared"))
                    at_ready = (True, "undeclared") if where == "at import" else (False, None)
                    self.assertEqual((ready["gil_enabled"], ready["gil_enabled_by"]), at_ready)
                    driver.finish()
                    driver.wait()
                    self.assert_silent(driver)

    @needs_no_gil
    def test_switched_on_from_outside(self):
        for model in ("threads", "processes:spawn", "processes:forkserver"):
            driver = self.driver(options=["-X", "gil=1"])
            ready = driver.prepare(workload_path("cpu/fib"), model, 2)
            self.assertTrue(ready["gil_enabled"])
            self.assertIsNone(ready["gil_enabled_by"])


if __name__ == "__main__":
    unittest.main()
