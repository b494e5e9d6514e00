"""The garbage collections of this interpreter: how many, and how long they take.

CPython calls `gc.callbacks` right before and after each collection, in the thread that collects.
"""

import gc
import time
from collections import defaultdict
from functools import partial

# When the collection began and ended. A missing key makes them read the clock.
_begun = defaultdict(time.perf_counter_ns)
_ended = defaultdict(time.perf_counter_ns)


class _Begin:
    start = property(_begun.__getitem__)


class _End:
    stop = property(_ended.__getitem__)


_BEGIN, _END = _Begin(), _End()

# The number of collections so far, their total time, and the time of the longest one since
# `forget_longest`, in nanoseconds. None where the interpreter reports none of it, as PyPy.
_so_far = None


def watch():
    """Start to count.

    The clock is read without a function in Python. With the GIL, such a function can first have to
    wait for another thread, for 5 ms or more, which would count as a part of the collection.
    """
    global _so_far
    callbacks = getattr(gc, "callbacks", None)
    if callbacks is not None and _add not in callbacks:
        _so_far = (0, 0, 0)
        callbacks.extend([partial(getattr, _END), _add, partial(getattr, _BEGIN)])


def so_far():
    """Return the number of collections, their total time, and the longest one's."""
    return _so_far


def forget_longest():
    """Let the longest collection be the longest from now on."""
    global _so_far
    if _so_far is not None:
        _so_far = (*_so_far[:2], 0)


def _add(phase, info):
    global _so_far
    if phase == "stop":
        count, total_ns, longest_ns = _so_far
        took_ns = _ended.pop(_END) - _begun.pop(_BEGIN)
        _so_far = (count + 1, total_ns + took_ns, max(longest_ns, took_ns))
