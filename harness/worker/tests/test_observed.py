"""What the worker observes beside the times: thread pools, and the import of the user's module."""

import builtins
import os
import shutil
import subprocess
import sys
import unittest
from unittest import mock

from support import WorkerTestCase, worker_module

# What the worker calls of OpenBLAS, as it is named in numpy's wheels.
OPENBLAS = """
int scipy_openblas_get_num_threads64_(void) { return 3; }
const char *scipy_openblas_get_config64_(void) { return "OpenBLAS 0.3.30  USE64BITINT"; }
"""


@unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
class ThreadPools(WorkerTestCase):
    def pools_of(self, file, source):
        path = os.path.join(self.folder, file)
        subprocess.run(
            ["cc", "-shared", "-o", path, "-x", "c", "-"], input=source, text=True, check=True
        )
        driver = self.driver()
        work = f"import ctypes\nctypes.CDLL({path!r})\ndef work(data, units): pass"
        self.assertEqual(driver.prepare(self.write(work), "serial")["type"], "ready")
        finished = driver.finish()
        self.assertEqual(finished["type"], "finished")
        return finished["thread_pools"]

    def test_loaded_libraries_are_asked(self):
        file = "libscipy_openblas64_-0123.so"
        pool = {"library": "openblas", "file": file, "version": "0.3.30", "threads": 3}
        self.assertEqual(self.pools_of(file, OPENBLAS), [pool])
        file = "libgomp-0123.so.1"
        pool = {"library": "openmp", "file": file, "version": None, "threads": 5}
        source = "int omp_get_max_threads(void) { return 5; }"
        self.assertEqual(self.pools_of(file, source), [pool])

    def test_libraries_that_do_not_answer_are_left_out(self):
        self.assertEqual(self.pools_of("libopenblas.so", "int other(void) { return 3; }"), [])
        nothing = "int omp_get_max_threads(void) { return 0; }"
        self.assertEqual(self.pools_of("libomp.so", nothing), [])


class Imports(WorkerTestCase):
    def ready_after(self, source, **code):
        driver = self.driver()
        path = self.write(source, "bench")
        ready = driver.prepare(self.folder if code else path, "serial", **code)
        self.assertEqual(ready["type"], "ready", ready)
        return ready

    def test_own_time_without_that_of_other_modules(self):
        self.write("import json", "inner")
        self.write("import inner", "outer")
        sys.path.insert(0, self.folder)
        self.addCleanup(sys.path.remove, self.folder)
        importing = worker_module("importing")
        # The start, the start and the end of the import of `outer`, the end.
        stamps = iter([0, 10, 110, 150])
        clock = mock.patch.object(importing, "clock_ns", lambda: next(stamps))
        with clock, importing.Import() as imported:
            __import__("outer")
        self.assertEqual(imported.own_ns, 50)

    def test_files_and_callables_have_a_time(self):
        slow = "import time\ntime.sleep(0.05)\ndef work(data, units): pass\ndef f(): pass"
        for code in ({}, {"callable": "bench:f"}):
            self.assertGreaterEqual(self.ready_after(slow, **code)["import_ns"], 50_000_000)

    def test_threads_left_by_the_import(self):
        source = """
            import threading
            for _ in range(3):
                threading.Thread(target=threading.Event().wait, daemon=True).start()
            ended = threading.Thread(target=int)
            ended.start()
            ended.join()
            def work(data, units): pass
            """
        self.assertEqual(self.ready_after(source)["import_threads"], 3)

    def test_import_function_is_as_before(self):
        importing = worker_module("importing")
        original = builtins.__import__
        with importing.Import():
            self.assertIsNot(builtins.__import__, original)
        self.assertIs(builtins.__import__, original)
        with importing.Import():
            of_the_module = builtins.__import__ = mock.Mock(wraps=original)
        self.assertIs(builtins.__import__, of_the_module)
        builtins.__import__ = original

    def test_failing_import_shows_the_users_frames_only(self):
        self.write("raise ValueError('in here')", "inner")
        driver = self.driver()
        reply = driver.prepare(self.write("import inner\ndef work(data, units): pass"), "serial")
        self.assert_failed(reply, "import", "in here")
        self.assertNotIn("importing.py", reply["traceback"])
        self.assertIn("inner.py", reply["traceback"])


if __name__ == "__main__":
    unittest.main()
