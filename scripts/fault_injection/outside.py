"""Faults injected from outside a run, and the state of the run as seen from there."""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

# <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
# The ways to end the driver, each a sequence of signals. SIGKILL is more frequent.
ENDS = (
    ("SIGKILL",),
    ("SIGKILL",),
    ("SIGKILL",),
    ("SIGKILL",),
    ("SIGINT",),
    ("SIGTERM",),
    ("SIGHUP",),
    ("SIGHUP", "SIGHUP"),
    ("SIGTERM", "SIGHUP"),
    ("SIGINT", "SIGINT"),
    ("SIGTERM", "SIGINT"),
)
# How long processes may take to end after the driver, and the driver after a signal, in seconds.
GRACE_S = 5.0
END_S = 30.0
# Between two signals, in seconds: long enough that the system does not merge them.
BETWEEN_SIGNALS_S = (0.02, 0.5)


def adopt_orphans():
    """Make every later orphan below this process its child."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children(pid):
    """Process ids of a process's children, whichever of its threads started them."""
    found = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def descendants(pid):
    found = []
    left = [pid]
    while left:
        of_one = children(left.pop())
        found += of_one
        left += of_one
    return found


def describe(pid):
    with contextlib.suppress(OSError):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0]
        return f"{pid} {state} {' '.join(word.decode(errors='replace') for word in words)[:120]}"
    return f"{pid}"


def reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def left_over(excused_folders):
    """Describe the processes that are left when all should have ended, and kill them.

    Those whose temporary folder is excused are not described.
    """
    deadline = time.monotonic() + GRACE_S
    while True:
        reap()
        left = descendants(os.getpid())
        if not left or time.monotonic() >= deadline:
            break
        time.sleep(0.02)
    described = [describe(pid) for pid in left if temporary_folder(pid) not in excused_folders]
    while left:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        reap()
        left = descendants(os.getpid())
    return described


def named(way):
    """The signals of a way to end the driver, as text."""
    return ", then ".join(way)


def is_graceful(way):
    """Whether the driver has time to write a summary: a hangup never counts as a second signal."""
    return way != ("SIGKILL",) and sum(name != "SIGHUP" for name in way) < 2


def strike(driver, way, chance):
    """Send the signals to the driver. Returns False when it did not exit and had to be killed."""
    for number, name in enumerate(way):
        if number > 0:
            time.sleep(chance.uniform(*BETWEEN_SIGNALS_S))
        driver.send_signal(signal.Signals[name])
    try:
        driver.wait(END_S)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
        return False
    return True


def strike_a_worker(driver_pid, chance):
    """Kill a process of the trial, at once or after stopping it for a while.

    Returns what was done, and the temporary folder of the trial whose guard that ended, if any.
    """
    pids = descendants(driver_pid)
    if not pids:
        return None, None
    pid = chance.choice(pids)
    folder = guarded_folder(pid)
    stop = chance.random() < 0.4
    try:
        if stop:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.05, 0.3))
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None, None
    to = "guard" if folder else "worker"
    return f"{'SIGSTOP, then ' if stop else ''}SIGKILL to a {to}", folder


def guarded_folder(pid):
    """Name of the temporary folder that a process removes as the guard of a trial, or None."""
    with contextlib.suppress(OSError, ValueError):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        options = words[: words.index("--")]
        if options[:2] == ["ftbench", "guard"] and "--scratch" in options:
            return pathlib.Path(options[options.index("--scratch") + 1]).name
    return None


def temporary_folder(pid):
    """Name of the temporary folder in a process's environment, or None."""
    with contextlib.suppress(OSError):
        for variable in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if variable.startswith(b"TMPDIR="):
                return pathlib.Path(os.fsdecode(variable[len(b"TMPDIR=") :])).name
    return None


class Record:
    """A run's trials.jsonl as it grows: every complete line that was ever seen in it."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "trials.jsonl"
        self.seen = {}
        self.damaged = set()
        self._stop = threading.Event()

    @contextlib.contextmanager
    def watched(self):
        self._stop.clear()
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            self.look()

    def _watch(self):
        size = -1
        while not self._stop.wait(0.02):
            with contextlib.suppress(OSError):
                now = self.path.stat().st_size
                if now != size:
                    size = now
                    self.look()

    def look(self):
        for line in self.lines():
            trial = parsed(line)
            if trial is not None and line not in self.damaged:
                self.seen.setdefault(key(trial), trial)

    def lines(self):
        """The complete lines. Text after the last line end is still being written."""
        try:
            return self.path.read_bytes().split(b"\n")[:-1]
        except OSError:
            return []

    def is_summed_up(self):
        """Whether the run is recorded as interrupted, and its summary too."""
        try:
            manifest = json.loads((self.folder / "run.json").read_bytes())
            summary = json.loads((self.folder / "summary.json").read_bytes())
        except (OSError, ValueError):
            return False
        return manifest["status"] == summary["run"]["status"] == "interrupted"

    def damage(self, how, chance):
        """Damage the record while no driver runs. Returns False when it is empty."""
        if not self.lines():
            return False
        bytes_before = self.path.read_bytes()
        bytes_after = how(bytes_before, chance)
        self.path.write_bytes(bytes_after)
        kept = set(bytes_after.split(b"\n")[:-1])
        for line in bytes_before.split(b"\n")[:-1]:
            trial = parsed(line)
            if line not in kept and trial is not None:
                self.seen.pop(key(trial), None)
        self.damaged |= kept - set(bytes_before.split(b"\n"))
        return True


def parsed(line):
    with contextlib.suppress(ValueError):
        trial = json.loads(line)
        if isinstance(trial, dict) and {"trial", "started_at"} <= trial.keys():
            return trial
    return None


def key(trial):
    return (trial["trial"], trial["started_at"])


def torn_record(record, chance):
    """The record after a power cut in the middle of a line."""
    start = record[:-1].rfind(b"\n") + 1
    return record[: chance.randrange(start, len(record) - 1)]


def altered_record(record, chance):
    """The record with another digit in some line, which is still valid JSON."""
    digits = [at for at, byte in enumerate(record) if chr(byte).isdigit()]
    at = chance.choice(digits)
    digit = chance.choice([other for other in b"123456789" if other != record[at]])
    return record[:at] + bytes([digit]) + record[at + 1 :]


def flipped_record(record, chance):
    """The record with one bit flipped in some line."""
    places = [at for at, byte in enumerate(record) if byte != ord("\n")]
    at = chance.choice(places)
    flipped = record[at] ^ (1 << chance.randrange(8))
    # A new line end splits the line in two, which damages it as well.
    return record[:at] + bytes([flipped]) + record[at + 1 :]


DAMAGES = (None, None, torn_record, altered_record, flipped_record)
