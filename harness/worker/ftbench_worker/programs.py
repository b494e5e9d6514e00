"""Programs that a command line names: filling in its values, starting it, describing its end."""

import os
import shlex

from ftbench_worker.failure import ContractError, signal_name

# What ftbench sets for its own worker. A program finds its modules, and caches their bytecode, as
# it does without ftbench.
_WORKER_VARIABLES = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE")


def environment():
    """The environment of a trial without what ftbench sets for its own worker."""
    return {name: value for name, value in os.environ.items() if name not in _WORKER_VARIABLES}


def split_line(line, what):
    """The words of a command line, split as a shell splits them; `what` names it in errors."""
    words = shlex.split(line)
    if not words or not words[0]:
        raise ContractError(f"the {what} names no program")
    return words


def fill(text, values):
    """The text with each placeholder replaced by its value."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def spawn(words, variables, outputs):
    """Start a program and return its process id.

    Its standard input is empty; `outputs` maps its other descriptors to files that are open here.
    """
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_DUP2, file, descriptor) for descriptor, file in outputs.items()]
    try:
        return os.posix_spawnp(words[0], words, variables, file_actions=actions)
    except OSError as error:
        raise ContractError(f"cannot start {words[0]}: {error.strerror}") from None


def describe_end(exit_code):
    """How a program ended, given what `os.waitstatus_to_exitcode` returned."""
    if exit_code >= 0:
        return f"ended with exit status {exit_code}"
    return f"was killed by {signal_name(-exit_code)}"
