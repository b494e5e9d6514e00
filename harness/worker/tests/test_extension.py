"""The checks of the workloads with an extension catch deliberate faults.

The extension's functions are implemented again in Python, so that their results are known from two
languages. harness/ftbench/tests/e2e/embed.rs runs the extension itself.
"""

import sys
import types
import unittest

from support import worker_module, workload_path

UNITS = 3
CASES = ("small", "attached", "detached", "callback")

MULTIPLIER = 6364136223846793005
INCREMENT = 1442695040888963407


def stand_in(name, multiplier=MULTIPLIER):
    """A module with the extension's functions."""

    def step(state):
        return (state * multiplier + INCREMENT) % 2**64

    def steps(state, count):
        for _ in range(count):
            state = step(state)
        return state

    def sum_of_calls(function, calls):
        return sum(function(number) for number in range(calls))

    module = types.ModuleType(name)
    module.step = step
    module.steps_attached = module.steps_detached = steps
    module.sum_of_calls = sum_of_calls
    return module


class Extension(unittest.TestCase):
    def load(self, name, extension):
        """Load the workload's module with this extension."""
        sys.modules[extension.__name__] = extension
        self.addCleanup(sys.modules.pop, extension.__name__, None)
        module_name = "ftbench_workload_" + name
        sys.modules.pop(module_name, None)
        self.addCleanup(sys.modules.pop, module_name, None)
        path = workload_path("extension/" + name)
        worker_module("workload").load(name, path)
        module = sys.modules[module_name]
        # Python would take long for as many steps as Rust does.
        module.LONG_STEPS = 1_000
        return module

    def results(self, work):
        shares = worker_module("share").split_units(UNITS, 2)
        return [work(None, units) for units in shares]

    def assert_caught(self, check, results, units=UNITS):
        with self.assertRaisesRegex(AssertionError, f"{units} units gave"):
            check(results, units)

    def test_right_results_pass_and_a_lost_unit_is_caught(self):
        module = self.load("rust_calls", stand_in("ftbench_rust"))
        for case in CASES:
            with self.subTest(case=case):
                results = self.results(getattr(module, "work_" + case))
                check = getattr(module, "check_" + case)
                check(results, UNITS)
                self.assert_caught(check, results, UNITS + 1)
                self.assertEqual(getattr(module, "work_" + case)(None, 0), 0)

    def test_wrong_arithmetic_is_caught(self):
        faulty = stand_in("ftbench_rust", MULTIPLIER + 2)
        faulty.sum_of_calls = lambda function, calls: calls * function(calls - 1)
        module = self.load("rust_calls", faulty)
        for case in CASES:
            with self.subTest(case=case):
                results = self.results(getattr(module, "work_" + case))
                self.assert_caught(getattr(module, "check_" + case), results)

    def test_the_workload_that_needs_the_gil_catches_faults(self):
        module = self.load("rust_calls_gil", stand_in("ftbench_rust_gil"))
        results = self.results(module.work)
        module.check(results, UNITS)
        self.assert_caught(module.check, results, UNITS - 1)
        module = self.load("rust_calls_gil", stand_in("ftbench_rust_gil", MULTIPLIER + 2))
        self.assert_caught(module.check, self.results(module.work))


if __name__ == "__main__":
    unittest.main()
