# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Fibonacci by recursion: function calls and small integers, no shared state"
# source = "https://oeis.org/A000045 (values of Fibonacci numbers)"
# shows = "Calls of a Python function: their cost on each build, scaling where only code is shared"
# ///
"""Fibonacci numbers by naive recursion: 5,167 calls of a Python function per unit.

The definition is Leonardo of Pisa's (Liber abaci, 1202), with fib(0) = 0 and fib(1) = 1.
"""

ARGUMENT = 17
EXPECTED = 1597  # fib(17), https://oeis.org/A000045


def fib(n):
    """The n-th Fibonacci number."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work(data, units):
    """Compute fib(17) once per unit; returns the sum."""
    total = 0
    for _ in range(units):
        total += fib(ARGUMENT)
    return total


def check(results, units):
    """The sum over all units is known."""
    total = sum(results)
    expected = units * EXPECTED
    assert total == expected, f"{units} units gave {total}, not {expected}"
