# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Spectral norm by power iteration: function calls, comprehensions and floats"
# source = "SIAM 100-Digit Challenge (2002); Computer Language Benchmarks Game"
# shows = "Small functions called from comprehensions: frames and floats, no shared objects"
# ///
"""The spectral norm of a matrix by the power method: order 12, three iterations per unit.

The matrix is 1, 1/2, 1/4 / 1/3, 1/5, 1/8 / ... without end, of problem 3 of the SIAM 100-Digit
Challenge (N. Trefethen, SIAM News 35 no. 1, 2002); the method is that of "spectral-norm" in the
Computer Language Benchmarks Game,
https://benchmarksgame-team.pages.debian.net/benchmarksgame/description/spectralnorm.html
The Game asks for order 100 and ten iterations, for which it publishes 1.274219991: far more than
one unit should last. The method converges so fast that three iterations give 15 digits.
"""

from math import sqrt

ORDER = 12
ITERATIONS = 3

# The norm of order 12, as arithmetic on exact fractions gives it (tests/test_cpu_workloads.py).
EXPECTED_NORM = 1.2727355112619148
TOLERANCE = 1e-12


def entry(row, column):
    """One entry of the matrix; rows and columns count from 0."""
    diagonal = row + column
    return 1.0 / (diagonal * (diagonal + 1) // 2 + row + 1)


def times_matrix(vector):
    """The matrix times a vector."""
    return [
        sum([entry(row, column) * value for column, value in enumerate(vector)])
        for row in range(len(vector))
    ]


def times_transposed(vector):
    """The transposed matrix times a vector."""
    return [
        sum([entry(row, column) * value for row, value in enumerate(vector)])
        for column in range(len(vector))
    ]


def spectral_norm(order, iterations):
    """Estimate of the largest singular value of the matrix."""
    after = [1.0] * order
    for _ in range(iterations):
        before = times_transposed(times_matrix(after))
        after = times_transposed(times_matrix(before))
    product = sum([one * other for one, other in zip(before, after)])
    square = sum([one * one for one in before])
    return sqrt(product / square)


def work(data, units):
    """Estimate the norm once per unit; returns all estimates."""
    return [spectral_norm(ORDER, ITERATIONS) for _ in range(units)]


def check(results, units):
    """Every estimate is the norm that is known."""
    norms = [norm for share in results for norm in share]
    assert len(norms) == units, f"{len(norms)} norms, not {units}"
    for norm in norms:
        assert abs(norm - EXPECTED_NORM) < TOLERANCE, f"norm {norm!r}, not {EXPECTED_NORM}"
