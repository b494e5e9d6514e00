# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "One long list sorted: C code that holds the GIL from beginning to end"
# source = "Peters, listsort.txt in CPython; Hull and Dobell (1962)"
# shows = "One long call into C that keeps the GIL: the other threads wait for all of it"
# ///
"""Sorts a list of 4,096 numbers out of order by `sorted`: one list per unit.

The numbers 0 to 4095 stand in the order in which a linear congruential generator of full period
gives them (T. Hull and A. Dobell, 1962). Each worker has a list and numbers of its own: `sorted`
counts a reference to every number, and threads that sorted the same ones would meet there.
"""

LENGTH = 4096
# Full period modulo a power of 2: an odd increment, and a factor that leaves 1 when divided by 4.
FACTOR = 1229
INCREMENT = 2531


def numbers():
    """The numbers from 0 to 4095, each once, out of order."""
    made = []
    number = 0
    for _ in range(LENGTH):
        number = (number * FACTOR + INCREMENT) % LENGTH
        made.append(number)
    return made


def in_order(values):
    """The values in order, as a new list."""
    return sorted(values)


def work(data, units):
    """Sort the numbers once per unit; returns how many there are, and if all are in place."""
    values = numbers()
    right = list(range(LENGTH))
    found = []
    for _ in range(units):
        ordered = in_order(values)
        found.append((len(ordered), ordered == right))
    return found


def check(results, units):
    """Every list had all numbers, each in its place."""
    found = [each for share in results for each in share]
    assert len(found) == units, f"{len(found)} lists sorted, not {units}"
    for length, all_in_place in found:
        assert length == LENGTH, f"a list of {length} numbers, not {LENGTH}"
        assert all_in_place, "a number is not in its place"
