# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "memory"
# summary = "Cyclic garbage: rings of objects that only the collector can free"
# source = "PEP 703; documentation of the gc module"
# shows = "Free-threaded builds stop all threads to collect: garbage of one costs all of them time"
# ///
"""Makes 200 rings of 5 objects and forgets them: one unit.

Each object refers to the next one, the last to the first, so no reference count falls to zero and
the memory comes back only when the cyclic collector runs, which it does by itself as often as
the interpreter's thresholds say. PEP 703 describes how free-threaded builds stop all threads for
it.
"""

RINGS = 200
LENGTH = 5


class Node:
    """One object of a ring."""

    def __init__(self, value):
        self.value = value
        self.following = None


def ring(first):
    """A ring of nodes with values from `first` on; returns the first node."""
    start = node = Node(first)
    for value in range(first + 1, first + LENGTH):
        node.following = Node(value)
        node = node.following
    node.following = start
    return start


def once_around(start):
    """Sum of the values of a ring."""
    total = start.value
    node = start.following
    while node is not start:
        total += node.value
        node = node.following
    return total


def work(data, units):
    """Make the rings once per unit; returns for each the sum of all values."""
    sums = []
    for _ in range(units):
        total = 0
        for number in range(RINGS):
            total += once_around(ring(number * LENGTH))
        sums.append(total)
    return sums


def check(results, units):
    """The values are 0 to 999, so their sum is 999 * 1000 / 2."""
    objects = RINGS * LENGTH
    expected = (objects - 1) * objects // 2
    sums = [each for share in results for each in share]
    assert len(sums) == units, f"{len(sums)} times the rings, not {units}"
    for total in sums:
        assert total == expected, f"values add up to {total}, not {expected}"
