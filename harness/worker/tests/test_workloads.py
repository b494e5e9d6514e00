"""The workload that needs an HTTP server, and helpers for tests of single workloads."""

import asyncio
import unittest
from unittest import mock

from suite import fresh
from support import BODY, start_server, worker_module

UNITS = 3


def results_of(module, workers, units=UNITS):
    """The results of the shares of one sample, done one after the other."""
    data = module.setup(units) if hasattr(module, "setup") else None
    inputs = module.split(data, workers) if hasattr(module, "split") else [data] * workers
    shares = worker_module("share").split_units(units, workers)
    return [module.work(*share) for share in zip(inputs, shares)]


class CheckTestCase(unittest.TestCase):
    """Assertions about a workload's `check`."""

    def assert_caught(self, module, results, units=UNITS):
        with self.assertRaises(AssertionError) as caught:
            module.check(results, units)
        self.assertTrue(str(caught.exception), "the message says what is wrong")

    def assert_sound(self, name):
        module = fresh(name)
        for workers in (1, 2, 4):
            module.check(results_of(module, workers), UNITS)
        return module


class Checks(CheckTestCase):
    """The workload's `check` accepts right results and catches a deliberate fault."""

    def test_http_fetch(self):
        url = start_server(self)
        module = fresh("io/http_fetch")
        with mock.patch.dict("os.environ", FTBENCH_HTTP_URL=url):
            data = module.setup(UNITS)
        self.assertEqual(module.work(data, 2), [(200, len(BODY))] * 2)
        self.assertEqual(asyncio.run(module.work_async(data, 2)), [(200, len(BODY))] * 2)
        right = (200, len(BODY))
        module.check([[right], [right, right]], UNITS)
        for wrong in ([], [right], [right, (200, 1023)], [right, (500, 1024)]):
            self.assert_caught(module, [[right], wrong])

    def test_http_fetch_without_a_server(self):
        module = fresh("io/http_fetch")
        without = mock.patch.dict("os.environ", clear=True)
        with without, self.assertRaisesRegex(RuntimeError, "FTBENCH_HTTP_URL is not set"):
            module.setup(UNITS)


if __name__ == "__main__":
    unittest.main()
