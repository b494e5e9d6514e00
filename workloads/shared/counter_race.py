# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One integer without a lock, which all workers count up: how many updates are lost"
# source = "E. W. Dijkstra, Cooperating Sequential Processes, 1965: why it has to be excluded"
# shows = "`+=` is not atomic: updates are lost without the GIL; with it hardly any are, by luck"
# models = ["serial", "threads"]
# ///
"""A counter without a lock, shared by all workers: 2,000 increments per unit, and some get lost.

`counter.value += 1` reads, adds and writes. Whoever writes in between is overwritten. No build of
Python promises that this does not happen; a GIL makes it rare, for it changes hands only at a few
places in the bytecode. counter_lock is the same with a lock. The program is wrong, knowingly, and
its results are counted rather than called wrong.
"""

INCREMENTS = 2000


class Counter:
    """An integer, and how many workers share it."""

    def __init__(self, workers):
        self.value = 0
        self.workers = workers


def split(data, workers):
    """A new counter for every sample, the same one for every worker."""
    return [Counter(workers)] * workers


def work(counter, units):
    """Count up without a lock; returns how often, and the counter that all share."""
    increments = 0
    for _ in range(units * INCREMENTS):
        counter.value += 1
        increments += 1
    return increments, counter


def check(results, units):
    """What holds however many updates are lost: all were made, and none is there twice."""
    assert results, "no worker gave a result"
    counter = results[0][1]
    assert all(other is counter for _, other in results), "the workers did not share one counter"
    assert len(results) == counter.workers, f"{len(results)} results of {counter.workers} workers"
    updates = units * INCREMENTS
    increments = sum(share for share, _ in results)
    assert increments == updates, f"the workers made {increments} increments, not {updates}"
    assert counter.value <= updates, f"the counter stands at {counter.value}, above {updates}"
    assert counter.value > 0 or updates == 0, f"the counter stands at {counter.value}"


def report(results, units):
    """How many updates were lost, out of how many."""
    updates = units * INCREMENTS
    return {"lost_updates": updates - results[0][1].value, "updates": updates}
