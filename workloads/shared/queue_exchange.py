# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One queue.Queue, into which all workers put and out of which all take"
# source = "Producers and consumers: E. W. Dijkstra, Cooperating Sequential Processes, 1965"
# shows = "What passing small jobs through one queue costs: a lock and a condition, on any build"
# models = ["serial", "threads"]
# ///
"""Every worker produces and consumes through one queue.Queue: 200 items in and out per unit.

Each puts ten items, then takes ten of any worker's, and so on. A worker that waits for an item has
always put in more than it has taken out, and all that have ended took as many as they put; so there
is an item in the queue for it, whatever the number of workers, one included.
(The file is not called queue.py, since it would then be found instead of the module.)
"""

import queue

ITEMS = 200
BATCH = 10


class Exchange:
    """The queue, and how many workers share it."""

    def __init__(self, workers):
        self.items = queue.Queue()
        self.workers = workers


def split(data, workers):
    """A new queue for every sample, the same one for every worker."""
    return [Exchange(workers)] * workers


def work(exchange, units):
    """Put and take in turns; returns how many were put, number and sum of those taken."""
    items = exchange.items
    put = taken = total = 0
    for _ in range(units * ITEMS // BATCH):
        for _ in range(BATCH):
            items.put(put)
            put += 1
        for _ in range(BATCH):
            total += items.get()
            taken += 1
    return put, taken, total, exchange


def check(results, units):
    """Every item was put in and taken out once."""
    assert results, "no worker gave a result"
    exchange = results[0][3]
    assert all(other is exchange for *_, other in results), "the workers did not share one queue"
    assert len(results) == exchange.workers, f"{len(results)} results of {exchange.workers} workers"
    assert exchange.items.empty(), f"{exchange.items.qsize()} items were left in the queue"
    expected = units * ITEMS
    put = sum(share[0] for share in results)
    taken = sum(share[1] for share in results)
    assert put == expected, f"{put} items were put in, not {expected}"
    assert taken == expected, f"{taken} items were taken out, not {expected}"
    # Every worker puts 0, 1, 2 and so on; which worker takes them out is not known.
    expected = sum(share[0] * (share[0] - 1) // 2 for share in results)
    total = sum(share[2] for share in results)
    assert total == expected, f"the items taken out have the sum {total}, not {expected}"
