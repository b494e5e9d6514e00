"""Run a command on a terminal of its own and act on it once it has recorded some trials.

`terminal.py ACT TRIALS COMMAND...`: ACT is `interrupt` (Ctrl-C), `twice` (and again at once),
`close` (the terminal goes away), `window` (the terminal goes away together with the shell in which
the command was typed) or `resize` (figures so far are waited for, the terminal gets smaller, and
Ctrl-C follows the next ones); TRIALS is the file with the recorded trials. Prints the command's
output and, last, its exit status.
"""

import ctypes
import fcntl
import os
import pathlib
import pty
import shlex
import signal
import struct
import sys
import termios
import threading
import time

LIMIT_S = 120
SHELL = ("bash", "--norc", "--noprofile", "-i")
# Writes its process id to a file and becomes the command.
TYPED = ("sh", "-c", 'echo $$ > "$0" && exec "$@"', "command.pid")
SO_FAR = b" so far, "
# <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36


def main(act, trials, *command):
    """Run the command and act on it."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        # The test may itself run under nohup, where hangups are ignored.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if act == "window":
            # Keeps this out of the user's history.
            os.execvpe(SHELL[0], SHELL, {**os.environ, "HISTFILE": ""})
        if act == "resize":
            set_size(0, rows=24, columns=100)
        os.execv(command[0], command)
    if act == "window":
        os.write(terminal, shlex.join([*TYPED, *command]).encode() + b"\n")
    printed = []
    threading.Thread(target=read_all, args=(terminal, printed), daemon=True).start()
    wait_for_trials(trials)
    if act == "window":
        adopt_orphans()
        shell, process_id = process_id, int(pathlib.Path(TYPED[-1]).read_text())
        os.close(terminal)
        os.waitpid(shell, 0)
    elif act == "close":
        # The reader keeps the descriptor in use until the progress bar next prints.
        os.close(terminal)
    else:
        if act == "resize":
            wait_for_output(printed, 1)
            set_size(terminal, rows=12, columns=50)
            wait_for_output(printed, 1 + b"".join(printed).count(SO_FAR))
        os.write(terminal, b"\x03")
        if act == "twice":
            time.sleep(0.05)
            os.write(terminal, b"\x03")
    _, status = os.waitpid(process_id, 0)
    time.sleep(0.2)
    if act in ("interrupt", "twice", "resize"):
        sys.stdout.buffer.write(b"".join(printed))
    print("\nexit status", os.waitstatus_to_exitcode(status))


def adopt_orphans():
    """Make every later orphan below this process its child."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_size(terminal, rows, columns):
    """Set the size of a terminal, in characters."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def wait_for_output(printed, count):
    """Wait until figures so far were printed this many times."""
    deadline = time.monotonic() + LIMIT_S
    while b"".join(printed).count(SO_FAR) < count:
        if time.monotonic() > deadline:
            sys.exit("no figures so far were printed")
        time.sleep(0.02)


def read_all(terminal, printed):
    """Read all output. Reading fails once the other end of the terminal is closed."""
    while True:
        try:
            printed.append(os.read(terminal, 65536))
        except OSError:
            return


def wait_for_trials(path):
    """Wait until three trials are recorded."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            with open(path, "rb") as file:
                if file.read().count(b"\n") >= 3:
                    return
        except FileNotFoundError:
            pass
        if time.monotonic() > deadline:
            sys.exit("no trials were recorded")
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
