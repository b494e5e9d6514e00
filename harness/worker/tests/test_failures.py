"""Bad workloads lead to a `failed` that says what is wrong, and never to a hang."""

import sys
import textwrap
import unittest

from support import (
    INTERPRETERS,
    MODELS,
    PROCESS_MODELS,
    WorkerTestCase,
    needs_interpreters,
    needs_spawn,
)

RAISING = {
    "setup": "def setup(units): boom()\ndef work(data, units): pass",
    "split": "def split(data, workers): boom()\ndef work(data, units): pass",
    "work": "def work(data, units): boom()",
    "check": "def work(data, units): pass\ndef check(results, units): boom()",
}


class Failures(WorkerTestCase):
    def failed(self, source, model="serial", workers=1, units=4):
        """The `failed` reply for a workload, at `prepare` or at the first sample."""
        self.last = driver = self.driver()
        reply = driver.prepare(self.write(source), model, workers, units)
        if reply["type"] == "ready":
            reply = driver.sample()
        self.assertEqual(driver.wait(), 1, "the worker exits after a failure")
        self.assert_alone(driver)
        return reply

    def in_every_model(self, source, step, error, status="failed"):
        for model in MODELS:
            with self.subTest(model=model):
                reply = self.failed(source, model, workers=1 if model == "serial" else 2)
                self.assert_failed(reply, step, error, status)
                self.assert_silent(self.last)
        return reply

    def test_syntax_error(self):
        reply = self.failed("def work(data, units):\n    return (")
        self.assert_failed(reply, "import", "SyntaxError: ")
        self.assertIn("tried.py", reply["traceback"])
        self.assertIn("line 2", reply["traceback"])

    def test_missing_file(self):
        reply = self.driver().prepare(self.folder + "/none.py", "serial")
        self.assert_failed(reply, "import", "none.py")

    def test_raising_import(self):
        reply = self.failed("import no_such_module")
        self.assert_failed(reply, "import", "ModuleNotFoundError: No module named 'no_such_module'")

    def test_violations_of_the_contract(self):
        coroutine = "async def work_async(data, units): pass"
        for source, model, error in (
            ("", "serial", "tried.py defines no function 'work'"),
            ("", "asyncio", "tried.py defines no function 'work'"),
            ("work = 3", "serial", "'work' is not a function"),
            ("def work(data, units): pass\ncheck = 3", "serial", "'check' is not a function"),
            (coroutine, "threads", "tried.py defines 'work_async' only"),
            (coroutine, "processes", "tried.py defines 'work_async' only"),
            ("def work(): pass", "serial", "'work' must take two arguments, work(data, units)"),
            ("def work(a, b, c): pass", "threads", "'work' must take two arguments"),
            ("async def work(data, units): pass", "serial", "'work' is a coroutine function"),
        ):
            with self.subTest(source=source):
                reply = self.failed(source, model)
                self.assert_failed(reply, "import", error)
                self.assertEqual(reply["traceback"], "")
                self.assert_silent(self.last)

    def test_exceptions_in_every_step_and_model(self):
        """The traceback has the user's lines only."""
        for step, source in RAISING.items():
            boom = "def boom():\n    raise ValueError('boom ' * 3)\n"
            with self.subTest(step=step):
                reply = self.in_every_model(boom + source, step, "ValueError: boom boom boom")
                self.assertIn('tried.py", line 2, in boom', reply["traceback"])
                self.assertTrue(reply["traceback"].startswith("Traceback (most recent call last)"))
                self.assertNotIn("concurrent", reply["traceback"])

    def test_system_exit(self):
        for step, source in RAISING.items():
            for exception in ("SystemExit(0)", "KeyboardInterrupt()"):
                with self.subTest(step=step, exception=exception):
                    boom = f"def boom(): raise {exception}\n"
                    models = ("serial", "threads", "processes:fork", "asyncio", *INTERPRETERS)
                    for model in models:
                        reply = self.failed(boom + source, model)
                        self.assert_failed(reply, step, exception.partition("(")[0])
                        self.assert_silent(self.last)
        self.assert_failed(self.failed("raise SystemExit(0)"), "import", "SystemExit: 0")

    def test_wrong_result(self):
        source = "def work(data, units): pass\ndef check(results, units): assert 1 == 2, 'one'"
        self.in_every_model(source, "check", "AssertionError: one", status="wrong_result")

    def test_assertion_outside_check_is_not_a_wrong_result(self):
        self.in_every_model("def work(data, units): assert False", "work", "AssertionError")

    def test_wrong_number_of_inputs(self):
        source = "def split(data, workers): return [1]\ndef work(data, units): pass"
        reply = self.failed(source, "threads", workers=3)
        self.assert_failed(reply, "split", "'split' gave 1 inputs for 3 workers")

    def test_serial_with_two_workers(self):
        reply = self.failed("def work(data, units): pass", "serial", workers=2)
        self.assert_failed(reply, "start", "'serial' has one worker")

    def test_unknown_model(self):
        reply = self.failed("def work(data, units): pass", "telepathy")
        self.assert_failed(reply, "start", "no model 'telepathy'")

    def test_shares_that_wait_for_a_failed_one(self):
        """A failure must not leave the worker waiting for shares that wait for each other."""
        source = """
            import threading
            def split(data, workers):
                barrier = threading.Barrier(workers)
                return [(number, barrier) for number in range(workers)]
            def work(data, units):
                number, barrier = data
                if number == 1:
                    raise ValueError("boom")
                barrier.wait()
            """
        for model in ("threads", "asyncio-threads"):
            self.assert_failed(self.failed(source, model, workers=3), "work", "boom")
            self.assert_silent(self.last)
        source = """
            import asyncio
            async def work_async(data, units):
                if data == 1:
                    raise ValueError("boom")
                await asyncio.Event().wait()
            def split(data, workers): return range(workers)
            """
        self.assert_failed(self.failed(source, "asyncio", workers=3), "work", "boom")
        self.assert_silent(self.last)

    def test_process_of_the_pool_dies(self):
        for model in PROCESS_MODELS:
            for how, expected in (
                ("os._exit(3)", "ended with exit status 3"),
                ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
            ):
                with self.subTest(model=model, how=how):
                    source = f"import os, signal\ndef work(data, units): {how}"
                    reply = self.failed(source, model, workers=2)
                    self.assert_failed(reply, "work", f"a process of the pool {expected}")
                    self.assert_silent(self.last)
            source = """
                import os
                here = os.getpid()
                def setup(units):
                    if MAIN != os.getpid():
                        os._exit(3)
                def work(data, units): pass
                """
            source = source.replace("MAIN", "int(os.environ.setdefault('MAIN', str(os.getpid())))")
            with self.subTest(model=model, how="in setup"):
                reply = self.failed(source, model, workers=2)
                self.assert_failed(reply, "setup", "ended with exit status 3 during 'setup'")
                self.assert_silent(self.last)

    @needs_spawn
    def test_import_fails_in_the_pool_only(self):
        source = """
            import os
            if os.environ.setdefault("MAIN", str(os.getpid())) != str(os.getpid()):
                raise ValueError("boom")
            def work(data, units): pass
            """
        reply = self.failed(source, "processes:spawn", workers=2)
        self.assert_failed(reply, "import", "ValueError: boom")
        self.assert_silent(self.last)

    @needs_interpreters
    def test_import_fails_in_the_interpreters_only(self):
        source = """
            from concurrent import interpreters
            if interpreters.get_current() != interpreters.get_main():
                raise ValueError("boom")
            def work(data, units): pass
            """
        reply = self.failed(source, "interpreters", workers=2)
        self.assert_failed(reply, "import", "ValueError: boom")
        self.assertIn("tried.py", reply["traceback"])
        self.assert_silent(self.last)

    @needs_interpreters
    def test_objects_that_cannot_be_sent_between_interpreters(self):
        """CPython names the object. A lambda without outside names could be sent."""
        odd = """
            class Odd:
                def __reduce__(self): raise ValueError("not me")
                def __repr__(self): return "something odd"
            """
        for source in (
            "def split(data, workers): return [Odd()] * workers\ndef work(data, units): pass",
            "def work(data, units): return Odd()",
        ):
            reply = self.failed(textwrap.dedent(odd) + source, "interpreters", workers=2)
            self.assert_failed(reply, "work", "cannot be sent between interpreters: ")
            self.assertIn("something odd", reply["error"])
            self.assertIn("does not support cross-interpreter data", reply["error"])
            self.assert_silent(self.last)

    @needs_interpreters
    def test_objects_that_cannot_be_unpickled_in_an_interpreter(self):
        source = """
            from concurrent import interpreters
            def rebuild():
                if interpreters.get_current() != interpreters.get_main():
                    raise ValueError("boom")
            class Odd:
                def __reduce__(self): return rebuild, ()
            def split(data, workers): return [Odd()] * workers
            def work(data, units): pass
            """
        reply = self.failed(source, "interpreters", workers=2)
        self.assert_failed(reply, "work", "could not be unpickled")
        self.assertIn("ValueError: boom", reply["traceback"])

    @needs_interpreters
    def test_interpreters_are_not_waited_for_after_a_failure(self):
        source = """
            import os
            def split(data, workers):
                read_fd, _ = os.pipe()
                return [(number, read_fd) for number in range(workers)]
            def work(data, units):
                number, read_fd = data
                if number == 1:
                    print("the end")
                    raise ValueError("boom")
                os.read(read_fd, 1)
            """
        reply = self.failed(source, "interpreters", workers=3)
        self.assert_failed(reply, "work", "boom")
        self.assertEqual(self.last.printed(), ["the end\n", ""])

    @unittest.skipIf(INTERPRETERS, "has InterpreterPoolExecutor")
    def test_no_interpreters(self):
        reply = self.failed("def work(data, units): pass", "interpreters")
        self.assert_failed(reply, "start", "'interpreters' needs concurrent.futures.Interpreter")
        self.assertEqual(reply["traceback"], "")

    def test_objects_that_cannot_be_pickled(self):
        for source in (
            "def split(data, workers): return [lambda: 0] * workers\ndef work(data, units): pass",
            "def work(data, units): return lambda: 0",
        ):
            for model in PROCESS_MODELS:
                reply = self.failed(source, model, workers=2)
                self.assert_failed(reply, "work", "cannot be sent between processes: ")
                # The pool of CPython 3.12.1 may deadlock here and leak its semaphores.
                if sys.version_info[:2] != (3, 12):
                    self.assert_silent(self.last)

    def test_exception_that_cannot_be_pickled(self):
        source = """
            class Odd(Exception):
                def __init__(self, one, two): super().__init__(one, two, lambda: 0)
                def __str__(self): raise ValueError
            def work(data, units): raise Odd(1, 2)
            """
        self.in_every_model(source, "work", "Odd: (its message cannot be shown)")

    def test_exit_without_a_reply(self):
        """`os._exit` in the worker itself closes the channel."""
        driver = self.driver()
        path = self.write("import os\ndef work(data, units): os._exit(5)")
        driver.prepare(path, "threads")
        self.assertIsNone(driver.sample())
        self.assertEqual(driver.wait(), 5)

    def test_long_texts_are_truncated(self):
        source = """
            def deep(n):
                if n == 0:
                    raise ValueError("x" * 1000000 + "\\n\\udc80 the end")
                deep(n - 1) if n % 2 else deep(n - 1)
            def work(data, units): deep(200)
            """
        reply = self.failed(source)
        self.assert_failed(reply, "work", "ValueError: xxx")
        self.assertLessEqual(len(reply["error"]), 500)
        self.assertLessEqual(len(reply["traceback"]), 4096)
        self.assertIn("? the end", reply["traceback"])

    def test_printing_a_megabyte(self):
        source = """
            import sys
            def work(data, units):
                print("x" * 1000000)
                print("y" * 1000, file=sys.stderr)
            """
        for model in MODELS:
            driver = self.driver()
            driver.prepare(self.write(source), model)
            self.assertEqual(driver.sample()["type"], "sample")
            driver.finish()
            self.assertEqual(driver.wait(), 0)
            self.assertEqual(driver.printed(), ["x" * 1000000 + "\n", "y" * 1000 + "\n"], model)

    def test_printed_text_is_kept_after_a_failure(self):
        self.failed("def work(data, units):\n    print('the end')\n    raise ValueError")
        self.assertEqual(self.last.printed(), ["the end\n", ""])


if __name__ == "__main__":
    unittest.main()
