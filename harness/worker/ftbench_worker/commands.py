"""Whole programs as workloads: `work` starts a command as a fresh process and waits for it."""

import os
import re
import sys

from ftbench_worker.failure import ContractError
from ftbench_worker.programs import describe_end, environment, fill, spawn, split_line

# More output than this is not read, bytes.
_OUTPUT_LIMIT = 16 << 20

# How much of the output a failure shows, characters.
_SHOWN_OUTPUT = 300

_PYTHON = "{python}"


class Command:
    """A command line with `{python}`, `{workers}` and `{units}` in it, which is run in a folder.

    `facts` has that `line`, and its `expected_output`: what it has to print on standard output,
    apart from white space at the end; None when that does not matter. It may have `figures`, names
    with patterns, that are taken from what it prints, and a `server`, a line and the address where
    it answers, that runs beside it. The command is then a client, which runs on `client_pus` if
    there are any, and the server has `time_limit_s` to answer.
    """

    def __init__(self, folder, facts, client_pus=(), time_limit_s=None):
        os.chdir(folder)
        self._line = facts["line"]
        self._words = split_line(self._line, "command")
        self._expected_output = facts["expected_output"]
        self._figures = [_Figure(**figure) for figure in facts.get("figures", ())]
        server = facts.get("server")
        self._environment = environment()
        self._pus = set(client_pus)
        self._server = None
        if server is not None:
            from ftbench_worker.servers import Server  # not needed for other commands

            self._server = Server(**server, time_limit_s=time_limit_s)

    def functions(self):
        """The contract's functions, and `start`, which runs an empty program or the server."""
        functions = {"work": self.work, "check": self.check}
        if self._server is not None:
            functions.update(start=self.start_server, teardown=self.stop_server)
        elif _PYTHON in self._words:
            functions["start"] = self.start
        if self._figures:
            functions["report"] = self.report
        return functions

    def start(self, workers):
        """Run an empty program: what starting the interpreter takes."""
        self._run([sys.executable, "-c", ""])

    def start_server(self, workers):
        """Start the server and wait until it answers."""
        self._server.start(_values(workers))

    def stop_server(self, data):
        """End the server."""
        self._server.stop()

    def work(self, data, units, workers):
        """Run the command once; returns what it printed."""
        values = {**_values(workers), "{units}": str(units)}
        if self._server is not None:
            values.update(self._server.values)
        words = [fill(word, values) for word in self._words]
        try:
            return self._run(words)
        except ContractError:
            if self._server is not None:
                # If it has ended, that is why the client failed.
                self._server.check()
                self._server.print_output()
            raise

    def check(self, results, units):
        """The server is still there, and the command printed what it had to."""
        if self._server is not None:
            self._server.check()
            self._server.trim_output()
        if self._expected_output is not None:
            (printed,) = results
            shown = printed[-_SHOWN_OUTPUT:]
            expected = self._expected_output.rstrip()
            assert printed.rstrip() == expected, f"it printed {shown!r}, not {expected!r}"

    def report(self, results, units):
        """The figures in what the command printed."""
        (printed,) = results
        return {figure.name: figure.value_in(printed) for figure in self._figures}

    def _run(self, words):
        keeps_output = self._expected_output is not None or bool(self._figures)
        output = os.memfd_create("output") if keeps_output else os.open(os.devnull, os.O_WRONLY)
        try:
            process_id = self._spawn(words, output)
            _, status = os.waitpid(process_id, 0)
            if status != 0:
                end = describe_end(os.waitstatus_to_exitcode(status))
                raise ContractError(f"{self._line} {end}")
            return _read(output) if keeps_output else ""
        finally:
            os.close(output)

    def _spawn(self, words, output):
        if not self._pus:
            return spawn(words, self._environment, {1: output})
        # A child inherits the PUs of the thread that starts it.
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self._pus)
        try:
            return spawn(words, self._environment, {1: output})
        finally:
            os.sched_setaffinity(0, own)


class _Figure:
    """A number in what the command prints: the first group of the last match, or all of it."""

    def __init__(self, name, pattern):
        self.name = name
        try:
            self._pattern = re.compile(pattern, re.MULTILINE)
        except (re.error, RecursionError, OverflowError) as error:
            raise ContractError(
                f"--figure {name}: '{pattern}' is not a valid regular expression ({error}); "
                "write it for Python's module re"
            ) from None
        if self._pattern.groups > 1:
            raise ContractError(
                f"--figure {name}: '{pattern}' has {self._pattern.groups} groups; put the number "
                "into one, and write (?:...) for the others"
            )

    def value_in(self, printed):
        """The number in this text; raises when there is none."""
        found = None
        for match in self._pattern.finditer(printed):
            found = match
        if found is None:
            end = f"it ended with {printed[-_SHOWN_OUTPUT:]!r}" if printed else "it was empty"
            raise ContractError(f"the output has no figure '{self.name}'; {end}")
        text = found[self._pattern.groups] or ""
        try:
            return float(text.replace(",", ""))
        except ValueError:
            raise ContractError(
                f"the figure '{self.name}' is {text[:_SHOWN_OUTPUT]!r}, which is not a number; "
                "put only its digits into the group of --figure"
            ) from None


def _values(workers):
    return {_PYTHON: sys.executable, "{workers}": str(workers)}


def _read(output):
    size = os.fstat(output).st_size
    if size > _OUTPUT_LIMIT:
        raise ContractError(f"it printed {size >> 20} MiB; at most {_OUTPUT_LIMIT >> 20} are read")
    return os.pread(output, size, 0).decode("utf-8", "replace")
