"""What went wrong in the workload, told in the user's terms."""

import contextlib
import os
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
