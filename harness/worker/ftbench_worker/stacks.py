"""The stacks of all threads when a trial has timed out.

The driver then sends SIGUSR1 to each process that handles it, and SIGABRT to all. At SIGABRT the
fault handler prints the stacks of all threads, but since 3.14 only that of the thread that received
the signal when the GIL is off. In that case each thread prints its own stack at a signal of its
own, which interrupts C code too.
"""

import faulthandler
import signal
import sys
import threading

from ftbench_worker import gil


def dump_on_signal():
    """Let all threads of this process print their stacks at SIGUSR1."""
    if sys.version_info >= (3, 14) and not gil.enabled():
        faulthandler.register(signal.SIGUSR2, all_threads=False)
        signal.signal(signal.SIGUSR1, _signal_all)


def _signal_all(_number, _frame):
    for thread in threading.enumerate():
        # The main thread runs this, and prints its own stack at SIGABRT.
        if thread is not threading.main_thread():
            signal.pthread_kill(thread.ident, signal.SIGUSR2)
