# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One function behind functools.lru_cache, which all workers call and always hit"
# source = "functools.lru_cache: https://docs.python.org/3/library/functools.html#functools.lru_cache"
# shows = "What a least-recently-used cache costs: a hit moves its entry, so readers are writers"
# models = ["serial", "threads"]
# ///
"""Calls one function that is cached with functools.lru_cache: 5,000 hits per unit.

The cache is bounded, as it is by default, so that every hit moves its entry to the end of a list:
what looks like reading is writing. A build without the GIL locks the cache for it.
"""

import functools

ARGUMENTS = 100  # fewer than the cache has room for
ROUNDS = 50  # calls with every argument per unit


def square(number):
    """What is cached."""
    return number * number


# 0 + 1 + 4 + ... + 99 squared, by the formula for square pyramidal numbers.
SUM_OF_SQUARES = (ARGUMENTS - 1) * ARGUMENTS * (2 * ARGUMENTS - 1) // 6


class Cached:
    """The cached function, and how many workers share it."""

    def __init__(self, workers):
        self.square = functools.lru_cache(maxsize=128)(square)
        for number in range(ARGUMENTS):
            self.square(number)
        self.workers = workers


def split(data, workers):
    """A new cache for every sample, filled, the same one for every worker."""
    return [Cached(workers)] * workers


def work(cached, units):
    """Call with every argument; returns number of calls and sum of results, and the cache."""
    function = cached.square
    calls = total = 0
    for _ in range(units * ROUNDS):
        for number in range(ARGUMENTS):
            total += function(number)
        calls += ARGUMENTS
    return calls, total, cached


def check(results, units):
    """Every call was made and gave its square, and each of them was a hit."""
    assert results, "no worker gave a result"
    cached = results[0][2]
    assert all(other is cached for *_, other in results), "the workers did not share one cache"
    assert len(results) == cached.workers, f"{len(results)} results of {cached.workers} workers"
    calls = sum(share for share, _, _ in results)
    expected = units * ROUNDS * ARGUMENTS
    assert calls == expected, f"{calls} calls, not {expected}"
    for share, total, _ in results:
        expected = share // ARGUMENTS * SUM_OF_SQUARES
        assert total == expected, f"{share} calls have the sum {total}, not {expected}"
    misses = cached.square.cache_info().misses
    assert misses == ARGUMENTS, f"{misses - ARGUMENTS} calls missed the cache"
