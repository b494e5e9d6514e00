"""A program that offers its benchmarks while it runs, as a workload.

It runs on a thread of its own, which waits inside the call that offers a benchmark for as long as
the benchmark is measured. So what the program cleans up behind it is there as long as it is needed.
"""

import queue
import threading


class Offering:
    """A program, and the first functions that it offers."""

    def __init__(self, run, end_limit_s=None):
        """`run(offer)` runs the program, and calls `offer(functions)` at the benchmark.

        It raises an exception when it offers none. After `end_limit_s` seconds the program is
        abandoned; without a limit it is waited for, and has to end without an exception.
        """
        self._program = run
        self._end_limit_s = end_limit_s
        # The functions, or the exception to raise because there are none.
        self._found = queue.SimpleQueue()
        self._is_measured = threading.Event()
        self._error = None
        self._thread = None

    def functions(self):
        """Run the program up to the benchmark; returns the contract's functions."""
        try:
            self._thread = threading.Thread(target=self._run, daemon=True)
        except RuntimeError:  # subinterpreters have no daemon threads
            self._thread = threading.Thread(target=self._run)
        self._thread.start()
        found = self._found.get()
        if isinstance(found, BaseException):
            raise found
        return {**found, "teardown": self._end}

    def _run(self):
        try:
            self._program(self._offer)
        except BaseException as error:
            self._error = error
            self._found.put(error)

    def _offer(self, functions):
        if not self._is_measured.is_set():
            self._found.put(functions)
            self._is_measured.wait()

    def _end(self, data):
        """Let the program go on behind the benchmark, where it may clean up."""
        self._is_measured.set()
        self._thread.join(self._end_limit_s)
        if self._end_limit_s is None and self._error is not None:
            raise self._error
