"""What went wrong in the workload, told in the user's terms."""

import contextlib
import os
import re
import traceback
from collections import namedtuple

# Bounds on what is sent to the driver, characters: a line that fits a table's note, and the end of
# a traceback that fits a screen.
ERROR_LIMIT = 500
TRACEBACK_LIMIT = 4096

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep

# step: `import`, `setup`, `start`, `split`, `work`, `check` or `report`; wrong_result: whether
# `check` found a wrong result; error: the exception in a line; traceback: its end, "" when there is
# none.
Failure = namedtuple("Failure", "step wrong_result error traceback")


class Failed(Exception):
    """A step has failed. Travels between processes, unlike many exceptions of workloads."""

    def __init__(self, failure):
        super().__init__(failure)
        self.failure = failure


class ContractError(Exception):
    """The workload does not keep the contract; the message says all, no traceback is needed."""


def describe(step, error):
    """The `Failure` that an exception of the workload amounts to."""
    if isinstance(error, ContractError):
        return Failure(step, False, _one_line(str(error)), "")
    wrong_result = step == "check" and isinstance(error, AssertionError)
    lines = traceback.format_exception(type(error), error, _users_part(error.__traceback__))
    return Failure(step, wrong_result, _one_line(_name_and_text(error)), _end("".join(lines)))


# Notes that CPython 3.14 adds on the way to what cannot be pickled: those on the messages of the
# worker and the pool, in which the user's object travels.
_OWN_NOTES = re.compile(
    r"(^when serializing tuple item \d+\n)?"
    r"(^when serializing ((ftbench_worker|concurrent\.futures)\..*|dict item 'result')\n)+",
    re.MULTILINE,
)


def not_sent(error, between):
    """The `Failure` of a share or a result that cannot travel; `between` what, in the plural."""
    failure = describe("work", error)
    reason, cause = failure.error, error.__cause__
    if type(error).__name__ == "NotShareableError" and cause is not None:
        # The first in the chain knows the object. It names the object in its last line, and may
        # come with another interpreter's traceback before that.
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).rpartition("NotShareableError: ")[2] or reason
    text = _one_line(f"cannot be sent between {between}: {reason}")
    return failure._replace(error=text, traceback=_OWN_NOTES.sub("", failure.traceback))


@contextlib.contextmanager
def failing_as(step):
    """Turn whatever is raised inside, `SystemExit` too, into `Failed` with this step."""
    try:
        yield
    except Failed:
        raise
    except BaseException as error:
        raise Failed(describe(step, error)) from None


def _users_part(frames):
    """A traceback without the worker's own frames and the import system's at its beginning."""
    while frames is not None:
        filename = frames.tb_frame.f_code.co_filename
        if not filename.startswith((_OWN_FOLDER, "<frozen importlib", "<builtin>")):
            break
        frames = frames.tb_next
    return frames


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
    """Without lone surrogates, which JSON readers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
