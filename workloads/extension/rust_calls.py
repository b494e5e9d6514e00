# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Calls in and out of a Rust extension"
# source = "PyO3's guide on free-threaded Python, https://pyo3.rs/main/free-threading.html"
# shows = "Rust code scales on a GIL build only while it is detached, without the GIL always"
# extension = "rust_extension"
# models = ["serial", "threads", "processes"]
#
# [tool.ftbench.cases]
# small = "Rust extension: 2,000 small calls per unit, attached"
# attached = "Rust extension: one long computation per unit, attached to the interpreter"
# detached = "Rust extension: one long computation per unit, detached from the interpreter"
# callback = "Rust extension: Rust calls a Python function 2,000 times per unit"
# ///
"""A PyO3 extension that declares that it does not need the GIL, called in the four usual ways.

`small` crosses the border at every step. `attached` and `detached` do the same arithmetic, long
enough for the border not to matter: on a GIL build only the second scales with threads, on a
free-threaded build both do. In `callback` Rust calls back into Python.

The arithmetic is a linear congruential generator modulo 2^64 with the constants of
`rust_extension/src/lib.rs`. The state after any number of steps can be computed without stepping
(F. B. Brown, "Random number generation with arbitrary strides", Transactions of the American
Nuclear Society 71, 1994), and that is what `check` compares with.
"""

import ftbench_rust

MULTIPLIER = 6364136223846793005
INCREMENT = 1442695040888963407
MODULUS = 2**64
SEED = 1997

SMALL_STEPS = 2_000
LONG_STEPS = 200_000
CALLS = 2_000


def work_small(data, units):
    """One call for each step; returns the sum of the last states of all units."""
    step = ftbench_rust.step
    total = 0
    for _ in range(units):
        state = SEED
        for _ in range(SMALL_STEPS):
            state = step(state)
        total += state
    return total


def work_attached(data, units):
    """One call for all steps of a unit; returns the sum of the last states."""
    steps = ftbench_rust.steps_attached
    return sum(steps(SEED, LONG_STEPS) for _ in range(units))


def work_detached(data, units):
    """The same, while other threads may run Python code."""
    steps = ftbench_rust.steps_detached
    return sum(steps(SEED, LONG_STEPS) for _ in range(units))


def work_callback(data, units):
    """Rust sums up the squares that a function of this thread's own computes."""

    def square(number):
        return number * number

    return sum(ftbench_rust.sum_of_calls(square, CALLS) for _ in range(units))


def check_small(results, units):
    """Every unit ends in the same state."""
    _check_total(results, units, state_after(SMALL_STEPS))


def check_attached(results, units):
    """Every unit ends in the same state."""
    _check_total(results, units, state_after(LONG_STEPS))


def check_detached(results, units):
    """Every unit ends in the same state."""
    _check_total(results, units, state_after(LONG_STEPS))


def check_callback(results, units):
    """The squares of 0 to n - 1 sum up to (n - 1) n (2n - 1) / 6."""
    _check_total(results, units, (CALLS - 1) * CALLS * (2 * CALLS - 1) // 6)


def _check_total(results, units, of_one):
    total = sum(results)
    expected = units * of_one
    assert total == expected, f"{units} units gave {total}, not {expected}"


def state_after(steps):
    """The state after so many steps: the step's function, composed with itself by squaring."""
    multiplier, increment = 1, 0
    power, addend = MULTIPLIER, INCREMENT
    while steps:
        if steps % 2:
            multiplier = multiplier * power % MODULUS
            increment = (increment * power + addend) % MODULUS
        addend = (power + 1) * addend % MODULUS
        power = power * power % MODULUS
        steps //= 2
    return (multiplier * SEED + increment) % MODULUS
