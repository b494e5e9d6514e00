# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "shared"
# summary = "One dictionary, which all workers read and none changes"
# source = "A table of settings, as most programs have one"
# shows = "Whether readers disturb each other: without the GIL all count references to one object"
# models = ["serial", "threads"]
# ///
"""Looks names up in one dictionary that all workers share: 5,000 lookups per unit.

No worker writes, so none has to wait. But the dictionary, its keys and its values are objects whose
references are counted, and a build without the GIL has to count atomically when several threads
do; then the cores pass the counts to and fro.
"""

NAMES = 500
ROUNDS = 10  # lookups of every name per unit

# The sum of all values: 1,000 + 2,000 + ... + 500,000, by Gauss's formula.
SUM_OF_VALUES = 1000 * NAMES * (NAMES + 1) // 2


def values():
    """What the dictionary holds."""
    return {f"setting {n}": 1000 * n for n in range(1, NAMES + 1)}


class Settings:
    """The dictionary, and how many workers share it."""

    def __init__(self, workers):
        self.values = values()
        self.workers = workers


def split(data, workers):
    """The dictionary, the same one for every worker."""
    return [Settings(workers)] * workers


def work(settings, units):
    """Look every name up; returns number and sum of what was found, and what all shared."""
    table = settings.values
    names = list(table)
    found = total = 0
    for _ in range(units * ROUNDS):
        for name in names:
            total += table[name]
        found += len(names)
    return found, total, settings


def check(results, units):
    """Every lookup was made and found its value."""
    assert results, "no worker gave a result"
    settings = results[0][2]
    assert all(other is settings for *_, other in results), "the workers did not share one dict"
    assert len(results) == settings.workers, f"{len(results)} results of {settings.workers} workers"
    unchanged = settings.values == Settings(settings.workers).values
    assert unchanged, "the dict is not what it was"
    found = sum(share for share, _, _ in results)
    expected = units * ROUNDS * NAMES
    assert found == expected, f"{found} lookups, not {expected}"
    assert settings.values == values(), "the dictionary is not what it was"
    for share, total, _ in results:
        expected = share // NAMES * SUM_OF_VALUES
        assert total == expected, f"{share} values have the sum {total}, not {expected}"
