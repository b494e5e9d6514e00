"""The import of the user's module: a script without a guard does its work there."""

import builtins
import threading

from ftbench_worker.share import clock_ns


class Import:
    """A context in which the module is imported.

    `own_ns` is the time of its own code, without the modules that it imports in turn, and `threads`
    how many threads of Python it has left running.
    """

    def __init__(self):
        self.own_ns = 0
        self.threads = 0
        self._others_ns = 0
        self._is_nested = False

    def __enter__(self):
        self._threads_before = threading.active_count()
        self._original = builtins.__import__
        self._replacement = builtins.__import__ = self._import
        self._start_ns = clock_ns()
        return self

    def __exit__(self, *_):
        self.own_ns = clock_ns() - self._start_ns - self._others_ns
        # The module may have put a function of its own there.
        if builtins.__import__ is self._replacement:
            builtins.__import__ = self._original
        self.threads = max(0, threading.active_count() - self._threads_before)

    def _import(self, *arguments, **named):
        if self._is_nested:
            return self._original(*arguments, **named)
        self._is_nested = True
        start_ns = clock_ns()
        try:
            return self._original(*arguments, **named)
        finally:
            self._others_ns += clock_ns() - start_ns
            self._is_nested = False
