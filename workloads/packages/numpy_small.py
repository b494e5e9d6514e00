# /// script
# requires-python = ">=3.11"
# # One series for all builds: numpy 2.5 has no wheels for free-threaded 3.13.
# dependencies = ["numpy==2.4.*"]
#
# [tool.ftbench]
# kind = "cpu"
# summary = "NumPy ufuncs on arrays of ten elements: the cost of calls, hardly any arithmetic"
# source = "Code that was written for numbers and is given small arrays: see numpy.org/doc/stable"
# shows = "Whether the way into a C extension scales: types, casting, errstate and allocation"
# models = ["serial", "threads", "processes"]
# ///
"""Calls of NumPy's ufuncs on arrays of ten elements: 400 calls per unit.

Such a call takes about a microsecond, nearly all of which goes into finding out what to do. What it
looks up on the way (loops by type, the error state, the array's own type) all threads share.
"""

import numpy

STEPS = 100
ELEMENTS = 10

# 0, 1, ..., 9 at the start; in every step doubled, plus one, at most 1,000, then minus 1. What is
# below 1,000 doubles ten times and stays there; only 0 stays 0.
EXPECTED = 999 * (ELEMENTS - 1)


def work(data, units):
    """Take the steps afresh in every unit; returns the sum of the elements of each."""
    sums = []
    for _ in range(units):
        values = numpy.arange(ELEMENTS, dtype=numpy.float64)
        for _ in range(STEPS):
            values = numpy.multiply(values, 2.0)
            values = numpy.add(values, 1.0)
            values = numpy.minimum(values, 1000.0)
            values = numpy.subtract(values, 1.0)
        sums.append(float(values.sum()))
    return sums


def check(results, units):
    """Every unit ends with the sum that is known."""
    sums = [value for share in results for value in share]
    assert len(sums) == units, f"{len(sums)} units were done, not {units}"
    for value in sums:
        assert value == EXPECTED, f"a sum of {value!r}, not {EXPECTED}"
