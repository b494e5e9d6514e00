# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Pi by random points: a random generator of its own in each worker"
# source = "Metropolis and Ulam (1949); Matsumoto and Nishimura (1998)"
# shows = "A random generator for each worker; the module's own is shared by all threads"
# ///
"""Points in the unit square and how many lie within a quarter of a circle: 2,000 points per unit.

The method is N. Metropolis and S. Ulam's (1949). Each worker has a random.Random of its own, the
Mersenne Twister of M. Matsumoto and T. Nishimura (1998), and seeds it for each unit with the unit's
number modulo 8. `random()` gives the same numbers for a seed in every version of Python, says the
documentation ("Notes on Reproducibility"), so each unit's result is known, whoever does it.
"""

import random

POINTS = 2000

# Points within the quarter of a circle for each seed: counted over the same numbers by integer
# arithmetic (tests/test_cpu_workloads.py). All together they put pi at 3.130.
EXPECTED_HITS = (1568, 1573, 1550, 1590, 1580, 1541, 1548, 1571)


def setup(units):
    """The number of units, which `split` shares out."""
    return units


def split(units, workers):
    """The number of each worker's first unit, from 0."""
    each, left_over = divmod(units, workers)
    return [worker * each + min(worker, left_over) for worker in range(workers)]


def hits(generator, points):
    """How many of as many random points lie within the quarter of a circle."""
    draw = generator.random
    count = 0
    for _ in range(points):
        x = draw()
        y = draw()
        if x * x + y * y <= 1.0:
            count += 1
    return count


def work(first, units):
    """Throw the points of each unit; returns the hits of each."""
    generator = random.Random()
    counts = []
    for unit in range(first, first + units):
        generator.seed(unit % len(EXPECTED_HITS))
        counts.append(hits(generator, POINTS))
    return counts


def check(results, units):
    """Every unit, in order, has the hits of its seed."""
    counts = [count for share in results for count in share]
    assert len(counts) == units, f"{len(counts)} counts, not {units}"
    for unit, count in enumerate(counts):
        expected = EXPECTED_HITS[unit % len(EXPECTED_HITS)]
        assert count == expected, f"{count} hits in unit {unit}, not {expected}"
