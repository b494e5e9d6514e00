# /// script
# requires-python = ">=3.9"
# dependencies = []  # packages that it needs, such as "numpy>=2"; ftbench installs them
#
# [tool.ftbench]
# kind = "cpu"  # cpu, io, mixed, shared or memory
# summary = "Lengths of the words of a text, counted"
# ///
"""Counts the words of a text by their length. Put your own work in its place.

A workload may have all of the functions here, and needs only `work`.
"""

from collections import Counter

TEXT = "the quick brown fox jumps over the lazy dog " * 1000


def setup(units):
    """Untimed, once in each process, before the workers start: make what they read."""
    return TEXT


# def split(data, workers):
#     """Untimed, before every sample: one input for each worker, given to `work` as its `data`."""
#     return [data] * workers


def work(data, units):
    """Timed: one worker's share, `units` times the smallest piece of work (0.1 to 1 ms)."""
    lengths = Counter()
    for _ in range(units):
        lengths.update(len(word) for word in data.split())
    return lengths


def check(results, units):
    """Untimed, after every sample: `results` holds what each worker's `work` returned."""
    lengths = sum(results, Counter())
    expected = Counter({3: 4000 * units, 5: 3000 * units, 4: 2000 * units})
    assert lengths == expected, f"counted {lengths} instead of {expected}"


def report(results, units):
    """Untimed, after `check`: numbers to be shown beside the times."""
    return {"words": sum(sum(results, Counter()).values())}
