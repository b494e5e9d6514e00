"""Whole programs as workloads: `work` starts a command as a fresh process and waits for it."""

import os
import shlex
import sys

from ftbench_worker.failure import ContractError, signal_name

# More output than this is not compared, bytes.
_OUTPUT_LIMIT = 16 << 20

# How much of the output a failure shows, characters.
_SHOWN_OUTPUT = 300

# What ftbench sets for its own worker. A program finds its modules, and caches their bytecode, as
# it does without ftbench.
_WORKER_VARIABLES = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE")

_PYTHON = "{python}"


class Command:
    """A command line with `{python}`, `{workers}` and `{units}` in it, which is run in a folder.

    `expected_output` is what it has to print on standard output, apart from white space at the end;
    None when that is thrown away.
    """

    def __init__(self, folder, line, expected_output):
        os.chdir(folder)
        self._line = line
        self._words = shlex.split(line)
        if not self._words or not self._words[0]:
            raise ContractError("the command names no program")
        self._expected_output = expected_output
        self._environment = {
            name: value for name, value in os.environ.items() if name not in _WORKER_VARIABLES
        }

    def functions(self):
        """The contract's functions, and `start`, which runs an empty program."""
        functions = {"work": self.work, "check": self.check}
        if _PYTHON in self._words:
            functions["start"] = self.start
        return functions

    def start(self):
        """Run an empty program: what starting the interpreter takes."""
        self._run([sys.executable, "-c", ""])

    def work(self, data, units, workers):
        """Run the command once; returns what it printed."""
        values = {_PYTHON: sys.executable, "{workers}": str(workers), "{units}": str(units)}
        return self._run([_filled(word, values) for word in self._words])

    def check(self, results, units):
        """The command printed what it had to."""
        if self._expected_output is not None:
            (printed,) = results
            shown = printed[-_SHOWN_OUTPUT:]
            expected = self._expected_output.rstrip()
            assert printed.rstrip() == expected, f"it printed {shown!r}, not {expected!r}"

    def _run(self, words):
        keeps_output = self._expected_output is not None
        output = os.memfd_create("output") if keeps_output else os.open(os.devnull, os.O_WRONLY)
        try:
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
            ]
            try:
                process_id = os.posix_spawnp(
                    words[0], words, self._environment, file_actions=actions
                )
            except OSError as error:
                raise ContractError(f"cannot start {words[0]}: {error.strerror}") from None
            _, status = os.waitpid(process_id, 0)
            if status != 0:
                raise ContractError(f"{self._line} {_described(os.waitstatus_to_exitcode(status))}")
            return _read(output) if keeps_output else ""
        finally:
            os.close(output)


def _filled(word, values):
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def _described(exit_code):
    if exit_code > 0:
        return f"ended with exit status {exit_code}"
    return f"was killed by {signal_name(-exit_code)}"


def _read(output):
    size = os.fstat(output).st_size
    if size > _OUTPUT_LIMIT:
        raise ContractError(
            f"it printed {size >> 20} MiB; at most {_OUTPUT_LIMIT >> 20} are compared"
        )
    return os.pread(output, size, 0).decode("utf-8", "replace")
