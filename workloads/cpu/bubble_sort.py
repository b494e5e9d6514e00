# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Bubble sort of a short list: indexing, comparing and swapping in place"
# source = "Knuth, The Art of Computer Programming 3 (1998), 5.2.2"
# shows = "Writing to a private list: what per-object locks cost without contention"
# ///
"""Bubble sort of 80 numbers out of order: one list per unit.

D. E. Knuth, The Art of Computer Programming, volume 3, 5.2.2, algorithm B. It exchanges
neighbours, so the exchanges are as many as the list has inversions, whatever the bound on passes.
"""

# (i * 37) mod 81 for i = 1..80 is 1..80 in another order: 37 and 81 have no factor in common.
LENGTH = 80
FACTOR = 37

# Pairs in the wrong order, counted by the definition (tests/test_cpu_workloads.py).
EXPECTED_EXCHANGES = 1620
# Sum of i * i for i = 1..80, which the sum of position times value reaches only in order.
EXPECTED_CHECKSUM = LENGTH * (LENGTH + 1) * (2 * LENGTH + 1) // 6


def numbers():
    """A list of the numbers 1 to 80, out of order."""
    return [i * FACTOR % (LENGTH + 1) for i in range(1, LENGTH + 1)]


def bubble_sort(values):
    """Sort in place; returns the number of exchanges."""
    exchanges = 0
    bound = len(values) - 1
    while bound > 0:
        last = 0
        for i in range(bound):
            if values[i] > values[i + 1]:
                values[i], values[i + 1] = values[i + 1], values[i]
                exchanges += 1
                last = i
        bound = last
    return exchanges


def checksum(values):
    """Sum of position, from 1, times value."""
    return sum([position * value for position, value in enumerate(values, start=1)])


def work(data, units):
    """Sort the numbers afresh once per unit; returns exchanges and checksum of each."""
    counted = []
    for _ in range(units):
        values = numbers()
        exchanges = bubble_sort(values)
        counted.append((exchanges, checksum(values)))
    return counted


def check(results, units):
    """Every list took the exchanges that it needs, and is in order."""
    counted = [each for share in results for each in share]
    assert len(counted) == units, f"{len(counted)} lists sorted, not {units}"
    for exchanges, total in counted:
        assert exchanges == EXPECTED_EXCHANGES, f"{exchanges} exchanges, not {EXPECTED_EXCHANGES}"
        assert total == EXPECTED_CHECKSUM, f"checksum {total}, not {EXPECTED_CHECKSUM}"
