"""Every workload of the suite gives right results, and its `check` catches wrong ones.

The workloads are found, not listed: one that is added is tried like the others.
"""

import unittest
from unittest import mock

from suite import Metadata, Tried, names
from support import start_services

UNITS = 5  # with up to four workers everybody has some
WORKERS = (1, 2, 4)
ALTERED_PER_SHARE = 5

# What tells a workload where its service is.
SERVICE_VARIABLES = {"http": "FTBENCH_HTTP_URL", "echo": "FTBENCH_ECHO_ADDRESS"}


class Leaves:
    """The numbers, texts and bytes in a result, each found by the steps that lead to it.

    A step is `("item", index or key)`, `("key", key)` to a key itself, or `("attribute", name)`;
    of objects only those are entered whose class the workload itself defines.
    """

    def __init__(self, module):
        self._module_name = module.__name__

    def paths(self, value):
        """Where the leaves are."""
        if isinstance(value, (int, float, str, bytes)):
            yield ()
        elif isinstance(value, dict):
            for key, each in value.items():
                if isinstance(key, (int, str)):
                    yield (("key", key),)
                yield from self._beyond(("item", key), each)
        elif isinstance(value, (list, tuple)):
            for index, each in enumerate(value):
                yield from self._beyond(("item", index), each)
        elif type(value).__module__ == self._module_name:
            for name, each in vars(value).items():
                yield from self._beyond(("attribute", name), each)

    def _beyond(self, step, value):
        for path in self.paths(value):
            yield (step, *path)

    def alter(self, value, path):
        """The value with one leaf altered; what is mutable is changed in place."""
        if not path:
            return self._wrong(value)
        (kind, key), *rest = path
        if kind == "key":
            value[self._wrong(key)] = value.pop(key)
        elif kind == "attribute":
            object.__setattr__(value, key, self.alter(getattr(value, key), rest))
        elif isinstance(value, tuple):
            parts = [*value[:key], self.alter(value[key], rest), *value[key + 1 :]]
            return value._make(parts) if hasattr(value, "_make") else tuple(parts)
        else:
            value[key] = self.alter(value[key], rest)
        return value

    @staticmethod
    def _wrong(leaf):
        if isinstance(leaf, bool):
            return not leaf
        if isinstance(leaf, int):
            return leaf + 1
        if isinstance(leaf, float):
            return leaf * 1.001 + 0.001
        return leaf + (b"x" if isinstance(leaf, bytes) else "x")


class Faults(unittest.TestCase):
    """What `check` makes of the real results, and of each fault in them."""

    def with_each_workload(self, attempt):
        """Call with every file and every case that can run here, each in a subtest of its own."""
        environment = start_services(self)
        for name in names():
            metadata = Metadata(name)
            for case in metadata.cases or [None]:
                with self.subTest(workload=f"{name}.{case}" if case else name):
                    variables = [SERVICE_VARIABLES.get(each, each) for each in metadata.services]
                    lacking = [variable for variable in variables if variable not in environment]
                    if lacking:
                        self.skipTest(f"nothing that tests can start sets {', '.join(lacking)}")
                    if metadata.missing():
                        self.skipTest(metadata.missing())
                    with mock.patch.dict("os.environ", environment):
                        attempt(Tried(name, case))

    def assert_caught(self, tried, fault, results):
        with self.assertRaises(AssertionError, msg=fault) as caught:
            tried.check(results, UNITS)
        self.assertTrue(str(caught.exception), f"{fault}: the message says what is wrong")

    def test_right_results(self):
        def attempt(tried):
            for workers in WORKERS:
                for units in (1, UNITS):  # one unit leaves workers without any
                    tried.check(tried.results(workers, units), units)
                    if tried.function("work_async"):
                        tried.check(tried.async_results(workers, units), units)

        self.with_each_workload(attempt)

    def test_a_unit_left_out_or_too_many(self):
        def attempt(tried):
            for workers in WORKERS:
                for units in (UNITS - 1, UNITS + 1):
                    fault = f"{units} units, not {UNITS}, on {workers} workers"
                    self.assert_caught(tried, fault, tried.results(workers, units))

        self.with_each_workload(attempt)

    def test_the_last_result_missing(self):
        def attempt(tried):
            for workers in WORKERS:
                results = tried.results(workers, UNITS)[:-1]
                self.assert_caught(tried, f"{workers - 1} results of {workers} workers", results)

        self.with_each_workload(attempt)

    def test_the_first_result_for_all(self):
        def attempt(tried):
            for workers in WORKERS[1:]:
                first, *others = tried.results(workers, UNITS)
                if any(other != first for other in others):
                    fault = f"the first of {workers} results for all"
                    self.assert_caught(tried, fault, [first] * workers)

        self.with_each_workload(attempt)

    def test_a_result_altered(self):
        def attempt(tried):
            leaves = Leaves(tried.module)
            for workers in WORKERS:
                for share, result in enumerate(tried.results(workers, UNITS)):
                    paths = list(leaves.paths(result))
                    self.assertTrue(paths, "nothing in the result can be altered")
                    step = max(1, (len(paths) - 1) // (ALTERED_PER_SHARE - 1))
                    for path in paths[::step]:
                        results = tried.results(workers, UNITS)
                        results[share] = leaves.alter(results[share], path)
                        fault = f"result {share} of {workers} altered at {path}"
                        self.assert_caught(tried, fault, results)

        self.with_each_workload(attempt)


if __name__ == "__main__":
    unittest.main()
