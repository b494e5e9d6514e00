"""Scripts for pyperf: every form of a benchmark, in every model."""

import os
import subprocess
import sys
import unittest

from support import MODELS, PROCESS_MODELS, WORKER_FOLDER, WorkerTestCase, worker_module

SCRIPT = """
import sys
import time
import pyperf

def append(path, text):
    with open(path, "a") as file: file.write(text)

def time_func(loops, path):
    append(path, "t" * loops)
    time.sleep(0.05)
    return 0.01

async def coroutine(path):
    append(path, "a")

if __name__ == "__main__":
    assert __builtins__.open is open  # a module, as in any program
    path = sys.argv[0] + ".notes"
    runner = pyperf.Runner(values=3, metadata={"a": "b"})
    runner.metadata["description"] = "Counts"
    runner.argparser.add_argument("--text", default="f")
    args = runner.parse_args()
    runner.bench_func("func", append, path, args.text, inner_loops=20)
    runner.bench_time_func("time_func", time_func, path)
    runner.bench_async_func("async_func", coroutine, path)
    runner.timeit("timeit", "append(path, 's')", setup="n = 0", teardown=["append(path, 'd')"],
                  globals=globals())
    runner.bench_command("command", [sys.executable, "-c", f"open({path!r}, 'a').write('c')"])
    append(path, "end")
"""
# What two units write: the script ends behind the benchmark when the workload is closed.
NOTES = {
    "func": "ff",
    "time_func": "tt",
    "async_func": "aa",
    "timeit": "ssd",
    "command": "cc",
}


class Pyperf(WorkerTestCase):
    def of_case(self, path, case, model="serial", workers=1, units=2):
        driver = self.driver()
        code = {"format": "pyperf", "case": case}
        ready = driver.prepare(path, model, workers, units, **code)
        if ready["type"] == "failed":
            return ready, driver
        return driver.sample(), driver

    def test_every_form_is_measured(self):
        path = self.write(SCRIPT)
        for case, expected in NOTES.items():
            reply, driver = self.of_case(path, case)
            self.assertEqual(reply["type"], "sample", reply)
            self.assertEqual(driver.finish()["type"], "finished")
            self.assertEqual(driver.wait(), 0)
            with open(path + ".notes") as notes:
                self.assertEqual(notes.read(), expected + "end")
            os.remove(path + ".notes")

    def test_what_a_benchmark_times_itself_counts(self):
        reply, _ = self.of_case(self.write(SCRIPT), "time_func")
        self.assertEqual(reply["end_ns"] - reply["start_ns"], 10_000_000)
        wrong = """
            import pyperf
            pyperf.Runner().bench_time_func("long", lambda loops: 1e6)
            """
        reply, _ = self.of_case(self.write(wrong), "long")
        self.assert_failed(reply, "work", "the benchmark reported 1000000.0 s, but took")

    def test_every_model_runs_it(self):
        path = self.write(SCRIPT)
        for model in MODELS:
            workers = 1 if model == "serial" else 2
            case = "async_func" if model.startswith("asyncio") else "func"
            reply, driver = self.of_case(path, case, model, workers)
            self.assertEqual(reply["type"], "sample", (model, reply))
            self.assertEqual(len(reply["shares"]), workers, model)
            self.assertEqual(driver.finish()["type"], "finished", model)
            self.assertEqual(driver.wait(), 0, model)

    def test_failures(self):
        path = self.write(SCRIPT)
        reply, _ = self.of_case(path, "fun")
        self.assert_failed(reply, "import", "tried.py has no benchmark 'fun'; it has func, time_f")
        reply, _ = self.of_case(self.write("import pyperf, sys; sys.exit(3)"), "a")
        self.assert_failed(reply, "import", "tried.py ended with exit status 3")
        reply, _ = self.of_case(self.write("import pyperf, sys; sys.exit('why')"), "a")
        self.assert_failed(reply, "import", "tried.py ended with 'why'")
        own = "import argparse, pyperf; argparse.ArgumentParser().parse_args(['-x'])"
        reply, _ = self.of_case(self.write(own), "a")
        self.assert_failed(reply, "import", "see --script-args: unrecognized arguments: -x")
        reply, _ = self.of_case(self.write("import pyperf; 1 / 0"), "a", PROCESS_MODELS[0])
        self.assert_failed(reply, "import", "ZeroDivisionError")
        needs = (
            "import pyperf; r = pyperf.Runner(); r.argparser.add_argument('size'); r.parse_args()"
        )
        reply, _ = self.of_case(self.write(needs), "a")
        self.assert_failed(reply, "import", "the following arguments are required: size")
        reply, _ = self.of_case(self.write("import pyperf; pyperf.BenchmarkSuite"), "a")
        self.assert_failed(reply, "import", "install pyperf for it with --with pyperf")
        own = """
            import multiprocessing, pyperf
            def double(number): return 2 * number
            def pool():
                with multiprocessing.Pool(1) as pool: pool.map(double, [1])
            if __name__ == "__main__": pyperf.Runner().bench_func("a", pool)
            """
        reply, _ = self.of_case(self.write(own), "a")
        self.assert_failed(reply, "work", "it starts workers itself, which do not find what")

    def test_benchmarks_are_listed_without_running_them(self):
        path = self.write(SCRIPT)
        self.assertEqual(worker_module("pyperf_scripts").names(path), list(NOTES))
        with open(path + ".notes") as notes:
            self.assertEqual(notes.read(), "end")
        ends = self.write("import pyperf; pyperf.Runner().timeit('a', 'pass'); raise SystemExit(3)")
        self.assertEqual(worker_module("pyperf_scripts").names(ends), ["a"])

    def test_the_list_is_found_among_what_the_script_prints(self):
        printing = "import pyperf; print('ftbench-cases 1'); pyperf.Runner().timeit('pass')"
        words = [sys.executable, "-m", "ftbench_worker.cases", "pyperf"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": WORKER_FOLDER}

        def last_line(source):
            command = [*words, self.write(source)]
            printed = subprocess.check_output(command, text=True, env=environment)
            return printed.splitlines()[-1]

        self.assertEqual(last_line(printing), 'ftbench-cases {"names": ["pass"]}')
        failure = last_line("import pyperf; import nowhere_at_all")
        self.assertIn('ftbench-cases {"failure": "ModuleNotFoundError', failure)


if __name__ == "__main__":
    unittest.main()
