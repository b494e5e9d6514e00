"""Calls, commands, work that divides itself, and `teardown`."""

import os
import sys
import unittest

from support import INTERPRETERS, WorkerTestCase


class Calls(WorkerTestCase):
    def of_call(self, call, setup="", model="serial", workers=1, units=1):
        driver = self.driver()
        code = {"call": call, "setup": setup}
        ready = driver.prepare(self.folder, model, workers, units, call=code)
        return ready if ready["type"] == "failed" else driver.sample()

    def test_once_per_unit_in_every_model(self):
        self.write("def count(n):\n    with open(n, 'a') as file: file.write('.')", "counting")
        for model in ("serial", "threads", "processes:fork", "asyncio", *INTERPRETERS):
            path = os.path.join(self.folder, model.replace(":", "_"))
            reply = self.of_call(f"count({path!r})", "from counting import count", model, units=7)
            self.assertEqual(reply["type"], "sample", reply)
            # `setup` calls it once, to see whether its value has to be awaited.
            calls_of_setup = 2 if model in ("processes:fork", *INTERPRETERS) else 1
            self.assertEqual(os.path.getsize(path), 7 + calls_of_setup, model)

    def test_awaitables_are_awaited(self):
        path = os.path.join(self.folder, "counted")
        self.write(
            f"""
            import asyncio
            async def count():
                await asyncio.sleep(0)
                with open({path!r}, "a") as file: file.write(".")
            """,
            "counting",
        )
        for model in ("serial", "threads", "asyncio", "asyncio-threads"):
            for call in ("count()", "await count()"):
                reply = self.of_call(call, "from counting import count", model, units=3)
                self.assertEqual(reply["type"], "sample", reply)
                self.assertEqual(os.path.getsize(path), 3, (model, call))
                os.remove(path)

    def test_names_of_the_setup_are_the_calls(self):
        setup = "data, units, _ = [2, 1], 'u', '_'"
        for call in ("data.sort() or units.upper() or _.upper()", "data.sort(); units.upper()"):
            for model in ("serial", "threads", "asyncio"):
                self.assertEqual(self.of_call(call, setup, model, units=3)["type"], "sample")

    def test_statements(self):
        self.assertEqual(self.of_call("x = 1; y = x + 1", units=9)["type"], "sample")

    def test_failures(self):
        self.assert_failed(self.of_call("f("), "import", "SyntaxError")
        self.assert_failed(self.of_call("f()", "from nowhere import f"), "setup", "nowhere")
        missing = "name 'missing' is not defined; make it with --setup "
        self.assert_failed(self.of_call("missing()"), "work", missing)
        inside = self.of_call("f()", "def f(): return missing")
        self.assert_failed(inside, "work", "NameError: name 'missing' is not defined")
        later = "next(values)", "values = iter([1])"
        self.assert_failed(self.of_call(*later), "work", "StopIteration")


@unittest.skipUnless(hasattr(os, "posix_spawnp"), "needs posix_spawnp")
class Commands(WorkerTestCase):
    def of_command(self, line, expected=None, workers=1, units=1, figures=None):
        driver = self.driver()
        command = {"line": line, "expected_output": expected}
        if figures is not None:
            named = figures.items()
            command["figures"] = [{"name": name, "pattern": pattern} for name, pattern in named]
        ready = driver.prepare(self.folder, "internal", workers, units, command=command)
        return ready if ready["type"] == "failed" else driver.sample()

    def test_values_are_filled_in_and_output_is_compared(self):
        self.write("import sys; print(*sys.argv[1:])", "shown")
        reply = self.of_command("{python} shown.py {workers} 'a b' n={units}", "2 a b n=9", 2, 9)
        self.assertEqual(reply["type"], "sample", reply)
        self.assertEqual(len(reply["shares"]), 1)
        reply = self.of_command("{python} shown.py 1", "2")
        self.assert_failed(reply, "check", "it printed '1", status="wrong_result")

    def test_its_environment_is_the_users(self):
        names = "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE"
        self.write(f"import os; print([name in os.environ for name in {names}])", "shown")
        reply = self.of_command("{python} shown.py", "[False, False, False]")
        self.assertEqual(reply["type"], "sample", reply)

    def test_failures(self):
        self.assert_failed(self.of_command("'' a"), "import", "names no program")
        self.assert_failed(self.of_command("no-such-program"), "work", "No such file")
        self.assert_failed(self.of_command("sh -c 'exit 3'"), "work", "exit status 3")
        self.assert_failed(self.of_command("sh -c 'kill -9 $$'"), "work", "killed by SIGKILL")
        self.assert_failed(self.of_command("echo 'a"), "import", "No closing quotation")

    def test_figures_are_taken_from_the_last_match(self):
        lines = "'p99 = 1,234.5 ms\\np99 = 2e3 ms\\nrate 7\\n'"
        figures = {"p99": "^p99 = ([0-9.,e]+) ms$", "rate": r"(?<=rate )\d+"}
        reply = self.of_command(f'{{python}} -c "print({lines})"', figures=figures)
        self.assertEqual(reply["type"], "sample", reply)
        self.assertEqual(reply["reported"], {"p99": 2000.0, "rate": 7.0})
        reply = self.of_command("echo 1,234.5", figures={"one": ".+"})
        self.assertEqual(reply["reported"], {"one": 1234.5})

    def test_wrong_figures(self):
        for pattern, step, error in (
            ("(", "import", "--figure a: '(' is not a valid regular expression"),
            ("(.)(.)", "import", "has 2 groups"),
            ("b(.)", "report", "the output has no figure 'a'; it ended with 'a x\\n'"),
            ("a (.)", "report", "the figure 'a' is 'x', which is not a number"),
            ("a(b)? x", "report", "the figure 'a' is '', which is not a number"),
        ):
            reply = self.of_command("echo a x", figures={"a": pattern})
            self.assert_failed(reply, step, error)
        reply = self.of_command("true", figures={"a": "."})
        self.assert_failed(reply, "report", "the output has no figure 'a'; it was empty")
        reply = self.of_command("echo inf", figures={"a": ".*f"})
        self.assert_failed(reply, "report", "it gives finite numbers by name")


class Internal(WorkerTestCase):
    def test_work_is_given_all_units_and_the_workers(self):
        path = self.write(
            """
            def work(data, units, workers): return (units, workers)
            def check(results, units): assert results == [(9, 3)] and units == 9, results
            """
        )
        driver = self.driver()
        ready = driver.prepare(path, "internal", workers=3, units=9)
        self.assertEqual(len(ready["workers"]), 1)
        self.assertEqual(driver.sample()["type"], "sample")
        reply = self.driver().prepare(path, "threads", workers=3, units=9)
        self.assert_failed(reply, "import", "measure it with the model 'internal'")

    def test_split_is_refused(self):
        path = self.write("def split(data, workers): pass\ndef work(data, units): pass")
        reply = self.driver().prepare(path, "internal", workers=2)
        self.assert_failed(reply, "start", "the workload defines 'split'")


class TearDown(WorkerTestCase):
    SOURCE = """
        import os
        def setup(units): return "data"
        def work(data, units): pass
        def teardown(data):
            with open(os.environ["MARK"], "a") as file: file.write(data + ".")
        """

    def test_once_wherever_setup_was_called(self):
        path = self.write(self.SOURCE)
        mark = os.path.join(self.folder, "mark")
        pools = ("processes:fork", *INTERPRETERS)
        for model in ("serial", "threads", "asyncio", *pools):
            driver = self.driver({"MARK": mark})
            self.assertEqual(driver.prepare(path, model)["type"], "ready")
            self.assertEqual(driver.finish()["type"], "finished")
            with open(mark, encoding="utf-8") as file:
                self.assertEqual(file.read(), "data." * (2 if model in pools else 1), model)
            os.remove(mark)

    def test_a_failure_is_reported(self):
        source = "def work(data, units): pass\ndef teardown(data): boom()"
        for model in ("serial", "processes:fork"):
            driver = self.driver()
            driver.prepare(self.write(source), model)
            self.assert_failed(driver.finish(), "teardown", "name 'boom' is not defined")


if __name__ == "__main__":
    sys.exit(unittest.main())
