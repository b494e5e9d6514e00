"""Cases of a file, callables, module folders and reported figures."""

import os
import textwrap
import unittest

from support import MODELS, WorkerTestCase

CASES = """
def setup(units): return units
def work(data, units): return "whole"
def work_one(data, units): return ["one"] * units
def work_async_one(data, units): raise AssertionError("not requested")
def check(results, units): assert results == ["whole"], results
def check_one(results, units): assert sum(map(len, results)) == units, results
def work_two(data, units): return "two"
def check_two(results, units): assert False, "the check of two"
"""

MODULE = """
class Outer:
    @staticmethod
    def inner():
        return object()

def plain():
    return 1

async def coroutine():
    return 1

number = 5
"""


class Cases(WorkerTestCase):
    def test_a_cases_functions_come_before_the_files(self):
        path = self.write(CASES)
        driver = self.driver()
        self.assertEqual(driver.prepare(path, "serial", case="one", units=3)["type"], "ready")
        self.assertEqual(driver.sample()["type"], "sample")
        self.assertEqual(driver.prepare(path, "serial")["type"], "ready")
        self.assertEqual(driver.sample()["type"], "sample")
        driver.prepare(path, "threads", case="two", workers=2, units=2)
        self.assert_failed(driver.sample(), "check", "the check of two", status="wrong_result")

    def test_processes_find_the_case(self):
        path = self.write(CASES)
        driver = self.driver()
        ready = driver.prepare(path, "processes", case="one", workers=2, units=5)
        self.assertEqual(ready["type"], "ready")
        self.assertEqual(driver.sample()["type"], "sample")

    def test_a_case_without_work_fails(self):
        path = self.write("def check(results, units): pass")
        driver = self.driver()
        self.assert_failed(driver.prepare(path, "serial", case="x"), "import", "no function 'work'")


class Callables(WorkerTestCase):
    def prepare(self, callable_name, model="serial", **others):
        folder = os.path.join(os.path.dirname(self.write("")), "package")
        os.makedirs(folder, exist_ok=True)
        for name, text in (("__init__", ""), ("module", MODULE)):
            with open(os.path.join(folder, name + ".py"), "w", encoding="utf-8") as file:
                file.write(textwrap.dedent(text))
        driver = self.driver()
        path = os.path.dirname(folder)
        return driver, driver.prepare(path, model, callable=callable_name, **others)

    def test_functions_run_in_every_model(self):
        for model in MODELS:
            for name in ("package.module:plain", "package.module:Outer.inner"):
                with self.subTest(model=model, callable=name):
                    driver, ready = self.prepare(name, model, units=3)
                    self.assertEqual(ready["type"], "ready", ready)
                    self.assertEqual(driver.sample()["type"], "sample")

    def test_coroutine_functions_are_awaited_in_every_model(self):
        for model in MODELS:
            with self.subTest(model=model):
                driver, ready = self.prepare("package.module:coroutine", model, units=3)
                self.assertEqual(ready["type"], "ready", ready)
                self.assertEqual(driver.sample()["type"], "sample")
                self.assertEqual(driver.sample(1)["type"], "sample")

    def test_missing_callables_fail(self):
        for name, words in (
            ("package.missing:plain", "No module named 'package.missing'"),
            ("package.module:missing", "has no attribute 'missing'"),
            ("package.module:number", "package.module:number is not callable"),
        ):
            with self.subTest(callable=name):
                _, reply = self.prepare(name)
                self.assert_failed(reply, "import", words)


class ModuleFolders(WorkerTestCase):
    """A folder whose modules come before all others: an arm of a run."""

    SOURCE = """
        def work(data, units):
            import version
            return [version.NUMBER] * units
        def check(results, units):
            assert results == [[2] * units], results
    """

    def folders(self):
        """The workload, next to the first version of a module, and the folder of the second."""
        path = self.write(self.SOURCE)
        beside = os.path.dirname(path)
        second = os.path.join(beside, "second")
        os.makedirs(second)
        for folder, number in ((beside, 1), (second, 2)):
            with open(os.path.join(folder, "version.py"), "w", encoding="utf-8") as file:
                file.write(f"NUMBER = {number}\n")
        return path, second

    def test_its_modules_come_first_in_every_model(self):
        path, folder = self.folders()
        for model in MODELS:
            with self.subTest(model=model):
                driver = self.driver()
                # Prepared twice, as in calibration.
                driver.prepare(path, model, module_folder=folder)
                driver.prepare(path, model, module_folder=folder)
                self.assertEqual(driver.sample()["type"], "sample")
                self.assertEqual(driver.finish()["type"], "finished")

    def test_a_callable_comes_from_it(self):
        path, folder = self.folders()
        with open(os.path.join(folder, "mine.py"), "w", encoding="utf-8") as file:
            file.write("from version import NUMBER\ndef call():\n    assert NUMBER == 2\n")
        driver = self.driver()
        ready = driver.prepare(
            os.path.dirname(path), "serial", callable="mine:call", module_folder=folder
        )
        self.assertEqual(ready["type"], "ready", ready)
        self.assertEqual(driver.sample()["type"], "sample")
        self.assertEqual(driver.finish()["type"], "finished")

    def test_a_folder_that_nothing_is_imported_from_fails(self):
        path, folder = self.folders()
        for model, last in (("serial", "failed"), ("threads", "failed"), ("processes", "finished")):
            with self.subTest(model=model):
                driver = self.driver()
                elsewhere = os.path.join(folder, "elsewhere")
                driver.prepare(path, model, module_folder=elsewhere)
                reply = driver.finish()
                self.assertEqual(reply["type"], last, reply)
                if last == "failed":
                    self.assert_failed(reply, "import", "imported no module from " + elsewhere)


class Reports(WorkerTestCase):
    def reply(self, figures):
        path = self.write(
            f"def work(data, units): return units\ndef report(results, units): return {figures}"
        )
        driver = self.driver()
        driver.prepare(path, "serial", units=4)
        return driver.sample()

    def test_figures_are_sent(self):
        reply = self.reply("{'lost_updates': units - 1, 'share': 0.25}")
        self.assertEqual(reply["reported"], {"lost_updates": 3.0, "share": 0.25})

    def test_invalid_figures_fail(self):
        for figures in ("{'x': float('nan')}", "{'x': 'many'}", "{1: 1}", "{'x': None}"):
            with self.subTest(figures=figures):
                self.assert_failed(self.reply(figures), "report", "it gives finite numbers by name")
        many = "{str(n): n for n in range(99)}"
        self.assert_failed(self.reply(many), "report", "it may give 16")


if __name__ == "__main__":
    unittest.main()
