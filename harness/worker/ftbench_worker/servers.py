"""The server that runs beside a command, from before its first sample to the end of the trial."""

import os
import re
import signal
import socket
import sys
import time

from ftbench_worker.failure import ContractError
from ftbench_worker.programs import describe_end, environment, fill, spawn, split_line

# The place of the port that is chosen for each trial, in the server, its URL and the client.
PORT = "{port}"

_READY = re.compile(r"(http|tcp)://(\[[^\]]+\]|[^/:\[\]]+)(?::(\d+))?(/.*)?")
_HTTP_PORT = 80

# Share of the step's time limit that a server may take to answer. The driver ends a trial that
# takes all of it, without saying what was waited for.
_READY_SHARE = 0.9

# How long one attempt may take to get an answer, and the pause after it, seconds.
_ATTEMPT_LIMIT_S = 10
_PAUSE_S = 0.01

# How long a server may take to answer after its first process has ended with status 0, as that of
# a daemon does, seconds.
_DAEMON_LIMIT_S = 10

# How long a server may take to end after SIGTERM, seconds. The guard then kills what is left.
_STOP_LIMIT_S = 5

# How much of its output is kept between samples and shown when it fails, bytes.
_KEPT_OUTPUT = 1 << 20
_SHOWN_OUTPUT = 8 << 10


class Server:
    """A server, started with `line`, that is ready as soon as the URL `ready` is answered.

    What it prints goes into memory: a reader would have to wake up on the PUs that are measured.
    """

    def __init__(self, line, ready, time_limit_s):
        self._line = line
        self._words = split_line(line, "server")
        self._ready = ready
        self._time_limit_s = _READY_SHARE * time_limit_s
        self._address = None
        self._output = None
        self._process_id = None
        self._ended_with = None
        self._is_daemon = False
        # Values of placeholders that are known once it has started, which clients need too.
        self.values = {}

    def start(self, values):
        """Start it with these values of placeholders, and wait until it answers."""
        port = str(_free_port())
        self.values = {PORT: port}
        values = {**values, **self.values}
        address = self._address = _Address(fill(self._ready, values))
        if address.problem(_ATTEMPT_LIMIT_S, connect_only=True) is None:
            raise ContractError(
                f"something else already answers at {address}, perhaps the server of another cell: "
                f"write {PORT} in place of the port, so that each trial has its own"
            )
        self._output = os.memfd_create("server")
        self._process_id = spawn(
            [fill(word, values) for word in self._words],
            environment(),
            {1: self._output, 2: self._output},
        )
        self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + self._time_limit_s
        while True:
            exit_code = self._exit_code()
            if exit_code == 0 and not self._is_daemon:
                self._is_daemon = True
                deadline = min(deadline, time.monotonic() + _DAEMON_LIMIT_S)
            elif exit_code:
                self._fail(f"{describe_end(exit_code)} before it answered at {self._address}")
            left_s = deadline - time.monotonic()
            problem = self._address.problem(max(min(left_s, _ATTEMPT_LIMIT_S), _PAUSE_S))
            if problem is None:
                break
            if left_s <= 0:
                self._fail_to_answer(problem)
            time.sleep(_PAUSE_S)
        self.check()

    def _fail_to_answer(self, problem):
        if self._is_daemon:
            self._fail(
                f"ended with exit status 0, and nothing answers at {self._address}: {problem}"
            )
        self._fail(
            f"did not answer at {self._address} within {self._time_limit_s:.3g} s: {problem}; "
            "check --ready, or give it more time with --timeout"
        )

    def check(self):
        """Raise unless it is still running."""
        exit_code = None if self._is_daemon else self._exit_code()
        if exit_code == 0 and self._address.problem(_ATTEMPT_LIMIT_S) is None:
            self._is_daemon = True
        elif exit_code is not None:
            self._fail(f"{describe_end(exit_code)} while it was needed")

    def trim_output(self):
        """Drop what it has printed if that is much."""
        if os.fstat(self._output).st_size > _KEPT_OUTPUT:
            # It writes at the shared position of the descriptor.
            os.ftruncate(self._output, 0)
            os.lseek(self._output, 0, os.SEEK_SET)

    def print_output(self):
        """Print the end of its output, which becomes that of the failed trial."""
        size = os.fstat(self._output).st_size
        printed = os.pread(self._output, _SHOWN_OUTPUT, max(0, size - _SHOWN_OUTPUT))
        text = printed.decode("utf-8", "replace").strip()
        sys.stderr.write(
            f"the server printed:\n{text}\n" if text else "the server printed nothing\n"
        )
        sys.stderr.flush()

    def stop(self):
        """Ask it to end, and wait for that for a while."""
        if self._process_id is None or self._exit_code() is not None:
            return
        os.kill(self._process_id, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_LIMIT_S
        while self._exit_code() is None and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)

    def _fail(self, what):
        self.print_output()
        raise ContractError(f"the server {what}")

    def _exit_code(self):
        """Its exit code, negative for a signal; None while it runs."""
        if self._process_id is None:
            return self._ended_with
        process_id, status = os.waitpid(self._process_id, os.WNOHANG)
        if process_id == 0:
            return None
        self._process_id = None
        self._ended_with = os.waitstatus_to_exitcode(status)
        return self._ended_with


class _Address:
    """What has to answer: `http://HOST[:PORT][/PATH]`, or `tcp://HOST:PORT`."""

    def __init__(self, url):
        self._url = url
        found = _READY.fullmatch(url)
        if found is None or (found[1] == "tcp" and found[3] is None):
            raise ContractError(
                f"'{url}' is not an address that a server can be waited for at; give --ready "
                "http://HOST:PORT/PATH or tcp://HOST:PORT"
            )
        scheme, host, port, path = found.groups()
        self._is_http = scheme == "http"
        self._host = host.strip("[]")
        self._port = int(port or _HTTP_PORT)
        self._request = (
            f"GET {path or '/'} HTTP/1.1\r\nHost: {host}:{self._port}\r\nConnection: close\r\n\r\n"
        )

    def __str__(self):
        return self._url

    def problem(self, limit_s, connect_only=False):
        """Why it does not answer, in a few words; None when it does."""
        try:
            address = self._host, self._port
            with socket.create_connection(address, timeout=limit_s) as connection:
                # Both ends may get the same port if nothing listens there (RFC 9293, 3.5).
                if connection.getsockname() == connection.getpeername():
                    return "nothing listens there"
                if connect_only or not self._is_http:
                    return None
                connection.sendall(self._request.encode("utf-8"))
                answer = connection.recv(4096)
                while answer and len(answer) < len(b"HTTP/"):
                    answer += connection.recv(4096) or b"\n"
                if not answer.startswith(b"HTTP/"):
                    return "the answer is not HTTP"
                while connection.recv(65536):
                    pass
                return None
        except socket.timeout:
            return "no answer in time"
        except (OSError, OverflowError, UnicodeError) as error:
            return getattr(error, "strerror", None) or str(error)


def _free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]
