# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One dictionary, into which all workers write, each under keys of its own"
# source = "A table of results, or a cache, that threads fill together"
# shows = "What a dictionary's own lock costs where there is no GIL, though no key is shared"
# models = ["serial", "threads"]
# ///
"""Counts in one dictionary that all workers share: 3,000 updates per unit.

Each worker has keys of its own, so no update can be lost. A build without the GIL locks the
dictionary for every write instead.
"""

KEYS = 100  # of each worker
ROUNDS = 30  # updates of every key per unit


class Table:
    """The dictionary, and how many workers share it."""

    def __init__(self, workers):
        self.counts = {(worker, key): 0 for worker in range(workers) for key in range(KEYS)}
        self.workers = workers


def split(data, workers):
    """A new table for every sample, the same one for every worker, and the worker's number."""
    table = Table(workers)
    return [(table, worker) for worker in range(workers)]


def work(data, units):
    """Count up under every key of this worker; returns number of updates, worker and table."""
    table, worker = data
    counts = table.counts
    keys = [(worker, key) for key in range(KEYS)]
    updates = 0
    for _ in range(units * ROUNDS):
        for key in keys:
            counts[key] += 1
        updates += len(keys)
    return updates, worker, table


def check(results, units):
    """Every worker made its updates, each of which is in the table."""
    assert results, "no worker gave a result"
    table = results[0][2]
    assert all(other is table for *_, other in results), "the workers did not share one dictionary"
    workers = [worker for _, worker, _ in results]
    assert workers == list(range(table.workers)), f"results of the workers {workers}"
    made = sum(updates for updates, _, _ in results)
    expected = units * ROUNDS * KEYS
    assert made == expected, f"{made} updates, not {expected}"
    assert len(table.counts) == table.workers * KEYS, f"{len(table.counts)} keys in the table"
    for updates, worker, _ in results:
        for key in range(KEYS):
            count = table.counts[worker, key]
            expected = updates // KEYS
            assert count == expected, f"{count} updates under {worker, key}, not {expected}"
