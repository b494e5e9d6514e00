"""Failures of the workload, described in the user's terms."""

import contextlib
import os
import re
import signal
import traceback
from collections import namedtuple

# Limits on what is sent to the driver, in characters: one line that fits a note in a table, and the
# end of a traceback that fits a screen.
ERROR_LIMIT = 500
TRACEBACK_LIMIT = 4096

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Modules of the worker that the user's code is called from, and calls.
_BETWEEN = (f"{_OWN_FOLDER}importing.py", f"{_OWN_FOLDER}pytest_plugin.py")

# step: `import`, `setup`, `start`, `split`, `work`, `check` or `report`; status: one of those
# below; error: the exception in a line; traceback: its end, "" when there is none.
Failure = namedtuple("Failure", "step status error traceback")

FAILED = "failed"
# `check` found a wrong result.
WRONG_RESULT = "wrong_result"
# The benchmark asks to be left out.
SKIPPED = "skipped"


class Failed(Exception):
    """A step has failed. Can be pickled, unlike many exceptions of workloads."""

    def __init__(self, failure):
        super().__init__(failure)
        self.failure = failure


class ContractError(Exception):
    """The workload violates the contract. The message is sufficient without a traceback."""


class Skipped(ContractError):
    """The benchmark asks to be left out. The message says why."""


def describe(step, error):
    """The `Failure` for an exception of the workload."""
    if isinstance(error, ContractError):
        status = SKIPPED if isinstance(error, Skipped) else FAILED
        return Failure(step, status, _one_line(str(error)), "")
    if type(error).__name__ == "SkipNotImplemented":  # asv's, by its name: it need not be installed
        status = SKIPPED
    elif step == "check" and isinstance(error, AssertionError):
        status = WRONG_RESULT
    else:
        status = FAILED
    lines = traceback.format_exception(type(error), error, _users_part(error.__traceback__))
    return Failure(step, status, _one_line(_name_and_text(error)), _end("".join(lines)))


# Notes that CPython 3.14 adds for each object around the one that cannot be pickled. These are
# about the messages of the worker and the pool around the user's object.
_OWN_NOTES = re.compile(
    r"(^when serializing tuple item \d+\n)?"
    r"(^when serializing ((ftbench_worker|concurrent\.futures)\..*|dict item 'result')\n)+",
    re.MULTILINE,
)


def not_sent(error, between):
    """The `Failure` of a share or result that cannot be sent; `between` is a noun in the plural."""
    failure = describe("work", error)
    reason, cause = failure.error, error.__cause__
    if type(error).__name__ == "NotShareableError" and cause is not None:
        # The first exception in the chain names the object in its last line, which may follow
        # another interpreter's traceback.
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).rpartition("NotShareableError: ")[2] or reason
    text = _one_line(f"cannot be sent between {between}: {reason}")
    return failure._replace(error=text, traceback=_OWN_NOTES.sub("", failure.traceback))


def signal_name(number):
    """Its name, or its number where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def failing_as(step):
    """Turn any exception raised inside, even `SystemExit`, into `Failed` with this step."""
    try:
        yield
    except Failed:
        raise
    except BaseException as error:
        raise Failed(describe(step, error)) from None


def _users_part(frames):
    """A traceback without the first frames, those of the worker and the import system.

    Frames of the worker that follow are those of an import inside the user's module, or of a
    fixture that a test calls.
    """
    while _is_at(frames, (_OWN_FOLDER, "<frozen importlib", "<builtin>")):
        frames = frames.tb_next
    users = frames
    while frames is not None:
        while _is_at(frames.tb_next, _BETWEEN):
            frames.tb_next = frames.tb_next.tb_next
        frames = frames.tb_next
    return users


def _is_at(frames, places):
    """Whether the first frame is of a file whose path begins with one of these."""
    return frames is not None and frames.tb_frame.f_code.co_filename.startswith(places)


def _name_and_text(error):
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be shown)"
    name = type(error).__qualname__
    return f"{name}: {text}" if text else name


def _one_line(text):
    text = _sendable(" ".join(text.split()))
    return text if len(text) <= ERROR_LIMIT else text[: ERROR_LIMIT - 3] + "..."


def _end(text):
    text = _sendable(text)
    if len(text) <= TRACEBACK_LIMIT:
        return text
    tail = text[4 - TRACEBACK_LIMIT :]
    return "...\n" + tail.partition("\n")[2] if "\n" in tail[:-1] else "...\n" + tail


def _sendable(text):
    """The text without lone surrogates, which JSON readers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
