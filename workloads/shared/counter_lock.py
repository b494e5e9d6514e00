# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One lock and one integer, which all workers count up: contention and nothing else"
# source = "E. W. Dijkstra, Cooperating Sequential Processes, 1965: mutual exclusion"
# shows = "What a contended lock costs: more workers never help, and hurt most without the GIL"
# models = ["serial", "threads"]
# ///
"""A counter behind a lock, shared by all workers: 2,000 increments per unit.

The worst case for threads on any build: there is nothing that could be done at the same time.
counter_race is the same without the lock. Only models whose workers live in one process can share
the counter.
"""

import threading

INCREMENTS = 2000


class Counter:
    """An integer, the lock that guards it, and how many workers share both."""

    def __init__(self, workers):
        self.lock = threading.Lock()
        self.value = 0
        self.workers = workers


def split(data, workers):
    """A new counter for every sample, the same one for every worker."""
    return [Counter(workers)] * workers


def work(counter, units):
    """Count up, taking the lock each time; returns how often, and the counter that all share."""
    lock = counter.lock
    increments = 0
    for _ in range(units * INCREMENTS):
        with lock:
            counter.value += 1
        increments += 1
    return increments, counter


def check(results, units):
    """Every worker counted on one counter, and no update was lost."""
    assert results, "no worker gave a result"
    counter = results[0][1]
    assert all(other is counter for _, other in results), "the workers did not share one counter"
    assert len(results) == counter.workers, f"{len(results)} results of {counter.workers} workers"
    expected = units * INCREMENTS
    increments = sum(share for share, _ in results)
    assert increments == expected, f"the workers made {increments} increments, not {expected}"
    assert counter.value == expected, f"the counter stands at {counter.value}, not {expected}"
