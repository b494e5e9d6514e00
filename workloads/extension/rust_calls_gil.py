# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Rust extension that declares that it needs the GIL: one long computation per unit"
# source = "PEP 703, Py_mod_gil: https://peps.python.org/pep-0703/#py-mod-gil-slot"
# shows = "A free-threaded build switches the GIL back on for it; ftbench names the module"
# extension = "rust_extension"
# models = ["serial", "threads"]
# ///
"""The computation of `rust_calls.attached`, from a module that declares that it needs the GIL.

A free-threaded build switches the GIL on when it imports such a module, as it does for every
extension that declares nothing: threads do not scale there any more, and only a warning says so.
"""

import ftbench_rust_gil

SEED = 1997
STEPS = 200_000
# The generator's state after STEPS steps from SEED, by `state_after` in rust_calls.py, which
# computes it without stepping.
EXPECTED = 10508811807336887053


def work(data, units):
    """Do the steps once per unit; returns the sum of the last states."""
    steps = ftbench_rust_gil.steps_attached
    return sum(steps(SEED, STEPS) for _ in range(units))


def check(results, units):
    """The sum over all units is known."""
    total = sum(results)
    expected = units * EXPECTED
    assert total == expected, f"{units} units gave {total}, not {expected}"
