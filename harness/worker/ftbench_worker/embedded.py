"""Threads in the embedded host: Rust threads, which attach to the interpreter for each share.

The host is a Rust program with the interpreter inside (harness/embed). It provides the built-in
module `ftbench_embed`, which no other program has.
"""

import ftbench_embed

from ftbench_worker.model import InOneProcess, TimedShares
from ftbench_worker.share import clock_ns, do_share, this_worker


class Threads(InOneProcess):
    """`work` on the threads of the host's pool."""

    def __init__(self, workload, workers):
        super().__init__(workload, workers)
        self._work = workload.work()
        self._pool = None

    def start(self):
        self._pool = ftbench_embed.Pool(self.workers)
        self._started = self._pool.run(this_worker, [()] * self.workers)
        return self._started

    def run(self, inputs, units):
        inputs = self.inputs_of_workers(inputs)
        work = self._work
        start_ns = clock_ns()
        calls = [(work, *share) for share in zip(inputs, units)]
        shares = self._pool.run(do_share, calls)
        end_ns = clock_ns()
        return TimedShares(start_ns, end_ns, shares)

    def close(self):
        if self._pool is not None:
            self._pool.close()
