# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One list, to which all workers append"
# source = "The FAQ on what is thread-safe: https://docs.python.org/3/faq/library.html"
# shows = "Nothing gets lost on any build, and what a list's own lock costs where there is no GIL"
# models = ["serial", "threads"]
# ///
"""Appends to one list that all workers share: 5,000 times per unit.

Python promises that `append` is atomic. The GIL keeps the promise, and without it a lock in every
list does.
"""

from collections import Counter

APPENDS = 5000


class Log:
    """The list, and how many workers share it."""

    def __init__(self, workers):
        self.entries = []
        self.workers = workers


def split(data, workers):
    """A new list for every sample, the same one for every worker, and the worker's number."""
    log = Log(workers)
    return [(log, worker) for worker in range(workers)]


def work(data, units):
    """Append this worker's number; returns how often, the number and the list."""
    log, worker = data
    entries = log.entries
    appends = 0
    for _ in range(units * APPENDS):
        entries.append(worker)
        appends += 1
    return appends, worker, log


def check(results, units):
    """Every worker made its entries, and all of them are in the list."""
    assert results, "no worker gave a result"
    log = results[0][2]
    assert all(other is log for *_, other in results), "the workers did not share one list"
    workers = [worker for _, worker, _ in results]
    assert workers == list(range(log.workers)), f"results of the workers {workers}"
    made = sum(appends for appends, _, _ in results)
    expected = units * APPENDS
    assert made == expected, f"{made} appends, not {expected}"
    counts = Counter(log.entries)
    for appends, worker, _ in results:
        there = counts.pop(worker, 0)
        assert there == appends, f"{there} entries of worker {worker}, not {appends}"
    assert not counts, f"entries of no worker: {sorted(counts)}"
