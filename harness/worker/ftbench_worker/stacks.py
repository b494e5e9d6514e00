"""Where threads are when a trial's time is up.

The driver then sends SIGUSR1 to each process that handles it, and SIGABRT to all. At SIGABRT the
fault handler shows every thread, but since 3.14 only the one that got the signal while the GIL is
off. There each thread is asked for its own stack, by a signal to it alone, which reaches it inside
of C code too.
"""

import faulthandler
import signal
import sys
import threading

from ftbench_worker import gil


def show_when_asked():
    """From now on, in this process, all threads show their stacks at SIGUSR1."""
    if sys.version_info >= (3, 14) and not gil.enabled():
        faulthandler.register(signal.SIGUSR2, all_threads=False)
        signal.signal(signal.SIGUSR1, _ask_all)


def _ask_all(_number, _frame):
    for thread in threading.enumerate():
        # The main thread runs this, and shows its own stack at SIGABRT.
        if thread is not threading.main_thread():
            signal.pthread_kill(thread.ident, signal.SIGUSR2)
