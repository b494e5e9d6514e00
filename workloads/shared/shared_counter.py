# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One lock and one integer, which all workers count up: contention and nothing else"
# models = ["serial", "threads", "asyncio-threads"]
# ///
"""A counter behind a lock, shared by all workers: 2,000 increments per unit.

The worst case for threads on any build: there is nothing that could be done at the same time. Only
models whose workers live in one process can share the counter.
"""

import threading

INCREMENTS = 2000


class Counter:
    """An integer and the lock that guards it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0


def split(data, workers):
    """A new counter for every sample, the same one for every worker."""
    return [Counter()] * workers


def work(counter, units):
    """Count up, taking the lock each time; returns the counter that all share."""
    lock = counter.lock
    for _ in range(units * INCREMENTS):
        with lock:
            counter.value += 1
    return counter


def check(results, units):
    """No update was lost."""
    counter = results[0]
    assert all(other is counter for other in results), "the workers did not share one counter"
    expected = units * INCREMENTS
    assert counter.value == expected, f"the counter stands at {counter.value}, not {expected}"
