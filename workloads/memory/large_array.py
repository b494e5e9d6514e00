# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "memory"
# summary = "64 MiB of bytes read by all workers: the memory's speed rather than the core's"
# source = "McCalpin, STREAM (1995)"
# shows = "Reading in C under the GIL; without a GIL, how many cores the memory can feed"
# ///
"""Looks for a byte in 4 MiB of an array of 64 MiB that all workers read: one window per unit.

How much memory a machine can read in a second is the question of J. McCalpin's STREAM (1995). Here
`bytes.find` reads, that is C's memchr, 16 bytes or more at a time; the byte that it looks for is
the last one of each window. The array is a `bytes` object, because from 3.14 on the methods of a
`bytearray` lock it. The windows of the workers are spread over the array, so all of it is read,
and no cache but the largest can hold it. Each process has an array of its own.
"""

WINDOW_BYTES = 4 * 1024 * 1024
WINDOWS = 16
MARK = b"\x01"

# Set by `setup`, once in each process. Were it handed over by `split`, processes would be sent all
# of it with each sample.
array = b""


def setup(units):
    """Make the array: zeros, with a mark at the end of each window."""
    global array
    array = (bytes(WINDOW_BYTES - 1) + MARK) * WINDOWS


def split(data, workers):
    """The window that each worker starts with, spread over the array."""
    return [worker * WINDOWS // workers for worker in range(workers)]


def find(window):
    """Where in the array the mark of a window is."""
    start = window * WINDOW_BYTES
    return array.find(MARK, start, start + WINDOW_BYTES)


def work(first, units):
    """Read one window per unit, round and round; returns where the marks are."""
    return [find(window % WINDOWS) for window in range(first, first + units)]


def check(results, units):
    """Every unit found the mark at the end of the window whose turn it was."""
    found = sum(len(share) for share in results)
    assert found == units, f"{found} windows read, not {units}"
    for first, share in zip(split(None, len(results)), results):
        for window, position in enumerate(share, start=first):
            expected = (window % WINDOWS + 1) * WINDOW_BYTES - 1
            assert position == expected, f"a mark at {position}, not at {expected}"
