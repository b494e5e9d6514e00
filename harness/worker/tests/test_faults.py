"""Every workload of the suite gives right results, and its `check` catches wrong ones.

The workloads are discovered, so a new one is tested like the others.
"""

import unittest
from unittest import mock

from suite import Metadata, Tried, names
from support import start_services

UNITS = 5  # up to four workers have at least one each
WORKERS = (1, 2, 4)
ALTERED_PER_SHARE = 5

# The variables with the addresses of the services.
SERVICE_VARIABLES = {"http": "FTBENCH_HTTP_URL", "echo": "FTBENCH_ECHO_ADDRESS"}


class Leaves:
    """The numbers, texts and bytes in a result, each with the path of steps that leads to it.

    A step is `("item", index or key)`, `("key", key)` to a key itself, or `("attribute", name)`;
    of objects only those are entered whose class the workload itself defines.
    """

    def __init__(self, module):
        self._module_name = module.__name__

    def paths(self, value):
        """The paths of the leaves."""
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
        """The value with one leaf altered. Mutable values are changed in place."""
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
    """`check` accepts the real results and catches each fault in them."""

    def with_each_workload(self, attempt):
        """Call `attempt` with every file and case that can run here, each in its own subtest."""
        environment = start_services(self)
        for name in names():
            metadata = Metadata(name)
            for case in metadata.cases or [None]:
                with self.subTest(workload=f"{name}.{case}" if case else name):
                    variables = [SERVICE_VARIABLES.get(each, each) for each in metadata.services]
                    lacking = [variable for variable in variables if variable not in environment]
                    if lacking:
                        self.skipTest(f"no service of the tests sets {', '.join(lacking)}")
                    if metadata.missing():
                        self.skipTest(metadata.missing())
                    with mock.patch.dict("os.environ", environment):
                        attempt(Tried(name, case))

    def assert_caught(self, tried, fault, results):
        with self.assertRaises(AssertionError, msg=fault) as caught:
            tried.check(results, UNITS)
        self.assertTrue(str(caught.exception), f"{fault}: the message says what is wrong")

    def test_right_results_pass(self):
        def attempt(tried):
            for workers in WORKERS:
                for units in (1, UNITS):  # one unit leaves workers without any
                    tried.check(tried.results(workers, units), units)
                    if tried.function("work_async"):
                        tried.check(tried.async_results(workers, units), units)

        self.with_each_workload(attempt)

    def test_a_unit_too_few_or_too_many_is_caught(self):
        def attempt(tried):
            for workers in WORKERS:
                for units in (UNITS - 1, UNITS + 1):
                    fault = f"{units} units, not {UNITS}, on {workers} workers"
                    self.assert_caught(tried, fault, tried.results(workers, units))

        self.with_each_workload(attempt)

    def test_a_missing_last_result_is_caught(self):
        def attempt(tried):
            for workers in WORKERS:
                results = tried.results(workers, UNITS)[:-1]
                self.assert_caught(tried, f"{workers - 1} results of {workers} workers", results)

        self.with_each_workload(attempt)

    def test_the_first_result_in_place_of_all_is_caught(self):
        def attempt(tried):
            for workers in WORKERS[1:]:
                first, *others = tried.results(workers, UNITS)
                if any(other != first for other in others):
                    fault = f"the first of {workers} results for all"
                    self.assert_caught(tried, fault, [first] * workers)

        self.with_each_workload(attempt)

    def test_an_altered_result_is_caught(self):
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
