# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One object, whose reference count all workers increment and decrement"
# source = "PEP 703, Reference counting: https://peps.python.org/pep-0703/#reference-counting"
# shows = "What one shared object in an inner loop costs without the GIL: counting it atomically"
# models = ["serial", "threads"]
# ///
"""All workers take and drop references to one object: 16,000 times per unit.

A build without the GIL counts the references of the thread that made an object cheaply, and those
of all others atomically. The object is made by the main thread, as most of what threads share is,
so all of them pay, and the more of them there are the longer each waits for the cache line.
`serial` works on the main thread: there the same loop counts the cheap way.
"""

TOUCHES = 16_000
AT_ONCE = 4  # assignments in one statement, so that hardly anything else is timed


class Hot:
    """The object, and how many workers share it."""

    def __init__(self, workers):
        self.workers = workers


def split(data, workers):
    """A new object for every sample, the same one for every worker."""
    return [Hot(workers)] * workers


def work(hot, units):
    """Take references and drop the ones before; returns how many, and the object."""
    touches = 0
    held = hot
    for _ in range(units * TOUCHES // AT_ONCE):
        held = one = two = three = hot  # noqa: F841
        touches += AT_ONCE
    return touches, held


def check(results, units):
    """Every reference was taken, and to the same object."""
    assert results, "no worker gave a result"
    hot = results[0][1]
    assert all(held is hot for _, held in results), "the workers did not share one object"
    assert len(results) == hot.workers, f"{len(results)} results of {hot.workers} workers"
    total = sum(touches for touches, _ in results)
    expected = units * TOUCHES
    assert total == expected, f"{total} references were taken, not {expected}"
