"""A small driver: starts a worker as ftbench does and talks to it over real pipes."""

import atexit
import compileall
import contextlib
import importlib
import importlib.util
import json
import multiprocessing
import os
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

SOURCE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES_FOLDER = os.path.join(SOURCE_FOLDER, "examples")
WORKLOADS_FOLDER = os.path.join(os.path.dirname(os.path.dirname(SOURCE_FOLDER)), "workloads")


def _compiled_copy():
    """The folder of a compiled copy of the worker: hundreds of processes would compile it."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    package = os.path.join(folder, "ftbench_worker")
    shutil.copytree(os.path.join(SOURCE_FOLDER, "ftbench_worker"), package)
    compileall.compile_dir(package, quiet=1)
    return folder


WORKER_FOLDER = _compiled_copy()

# A worker that hangs is killed after this long, and its test fails.
TIME_LIMIT_S = 60


def _models():
    """The models of this interpreter. PyPy 7.3.11's pool fails with `spawn` and `forkserver`."""
    models = ["serial", "threads", "processes"]
    if hasattr(ProcessPoolExecutor, "_adjust_process_count"):
        methods = multiprocessing.get_all_start_methods()
    else:
        methods = ["fork"]
    models += ["processes:" + method for method in methods]
    return [*models, *INTERPRETERS, "asyncio", "asyncio-threads"]


INTERPRETERS = ["interpreters"] if find_spec("concurrent.futures.interpreter") else []
MODELS = _models()
PROCESS_MODELS = [model for model in MODELS if model.startswith("processes")]
needs_interpreters = unittest.skipUnless(INTERPRETERS, "needs InterpreterPoolExecutor")
needs_spawn = unittest.skipUnless("processes:spawn" in MODELS, "needs the start method spawn")


def example(name):
    """One stored example of a message."""
    with open(os.path.join(EXAMPLES_FOLDER, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def worker_module(name):
    """A module of the worker, such as `share`, to be tested in this process."""
    if WORKER_FOLDER not in sys.path:
        sys.path.insert(0, WORKER_FOLDER)
    return importlib.import_module("ftbench_worker." + name)


def workload_path(name):
    """Path of one of ftbench's workloads, such as `cpu/fib`."""
    return os.path.join(WORKLOADS_FOLDER, *name.split("/")) + ".py"


LATENCY_S = 0.005
BODY = b"x" * 1024  # as long as what ftbench's own server sends


def _document():
    """The JSON that ftbench's own server sends for `/json`, byte by byte."""
    items = [
        {
            "id": n,
            "name": f"Item <{n}>",
            "category": ("books", "games", "music", "tools")[n % 4],
            "price_cents": 1 + n * 7919 % 9973,
            "quantity": 1 + n % 9,
            "in_stock": n % 3 != 0,
        }
        for n in range(1, 201)
    ]
    return json.dumps({"items": items}, separators=(",", ":")).encode("ascii")


DOCUMENT = _document()


class SlowHandler(BaseHTTPRequestHandler):
    """Answers every GET after a fixed time."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(LATENCY_S)
        body = DOCUMENT if self.path == "/json" else BODY
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *arguments):
        """Silence."""


class EchoHandler(socketserver.BaseRequestHandler):
    """Sends back what it gets, at once."""

    def handle(self):
        while True:
            got = self.request.recv(65536)
            if not got:
                return
            self.request.sendall(got)


def catalogue():
    """Names such as `cpu/fib` with the models that each workload supports.

    Left out are workloads whose packages this interpreter lacks, files of cases, which have no
    `work` of their own, and workloads with an extension, which ftbench must build first (see
    test_extension.py and harness/ftbench/tests/e2e/embed.rs).
    """
    for folder, _, files in sorted(os.walk(WORKLOADS_FOLDER)):
        for file in sorted(files):
            if not file.endswith(".py"):
                continue
            path = os.path.join(folder, file)
            with open(path, encoding="utf-8") as opened:
                source = opened.read()
            packages = re.findall(r'"(\w+)', _value(source, "dependencies"))
            missing = [name for name in packages if importlib.util.find_spec(name) is None]
            if missing or "\n# extension = " in source or "# [tool.ftbench.cases]" in source:
                continue
            families = re.findall(r'"([^"]+)"', _value(source, "models")) or MODELS
            name = os.path.relpath(path, WORKLOADS_FOLDER)[: -len(".py")]
            yield name, [model for model in MODELS if model.partition(":")[0] in families]


def _value(source, key):
    """The text between the brackets of a list in a metadata block; empty without the key."""
    found = re.search(rf"^# {key} = \[(.*)\]$", source, re.MULTILINE)
    return found.group(1) if found else ""


def start_server(test):
    """Start a slow HTTP server for the duration of a test; returns its URL."""
    port = _serve(test, ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler))
    return f"http://127.0.0.1:{port}/"


def start_services(test):
    """Start all services that workloads may ask for; returns their environment variables."""
    echo = _serve(test, socketserver.ThreadingTCPServer(("127.0.0.1", 0), EchoHandler))
    return {
        "FTBENCH_HTTP_URL": start_server(test),
        "FTBENCH_ECHO_ADDRESS": f"127.0.0.1:{echo}",
    }


def _serve(test, server):
    """Run a server for the duration of a test; returns its port."""
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_address[1]


class Driver:
    """One worker process and the driver's ends of its pipes."""

    def __init__(self, environment=None, options=()):
        to_worker, self._write_fd = os.pipe()
        self._read_fd, from_worker = os.pipe()
        self.pipes = [os.readlink(f"/proc/self/fd/{fd}") for fd in (self._write_fd, self._read_fd)]
        self._stdout = tempfile.TemporaryFile()  # noqa: SIM115
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        # A worker that is killed leaves its temporary files behind; a guard removes them.
        self.scratch = tempfile.mkdtemp()
        command = [sys.executable, "-s", "-X", "faulthandler", *options, "-m", "ftbench_worker"]
        channel = ["--channel", str(to_worker), str(from_worker)]
        self.process = subprocess.Popen(
            command + channel,
            pass_fds=(to_worker, from_worker),
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": WORKER_FOLDER,
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": self.scratch,
                **(environment or {}),
            },
            cwd="/",
            start_new_session=True,
        )
        os.close(to_worker)
        os.close(from_worker)
        self._reader = os.fdopen(self._read_fd, "rb")
        self._writer = os.fdopen(self._write_fd, "wb", buffering=0)

    def send(self, message):
        """Send a request."""
        self._writer.write(json.dumps(message).encode() + b"\n")

    def receive(self):
        """The next reply; None at the end of the channel."""
        line = self._reader.readline()
        return json.loads(line) if line else None

    def ask(self, message):
        """Send a request and wait for the reply."""
        self.send(message)
        return self.receive()

    def prepare(self, path, model, workers=1, units=1, **others):
        """Ask for `prepare`; `others` are fields such as `case`, `callable` and `scaling`."""
        name = os.path.splitext(os.path.basename(path))[0]
        return self.ask(
            {
                "type": "prepare",
                "protocol": example("request_prepare")["protocol"],
                "workload": name,
                "path": path,
                "case": None,
                "format": None,
                "arguments": [],
                "callable": None,
                "call": None,
                "command": None,
                "module_folder": None,
                "loop_factory": None,
                "model": model,
                "workers": workers,
                "units": units,
                "scaling": "strong",
                "client_pus": [],
                "time_limit_s": TIME_LIMIT_S,
                **others,
            }
        )

    def sample(self, number=0):
        """Ask for a sample."""
        return self.ask({"type": "sample", "sample": number})

    def finish(self):
        """Ask to finish."""
        return self.ask({"type": "finish"})

    def hang_up(self):
        """Close the channel, as when the driver dies."""
        self._reader.close()
        self._writer.close()

    def wait(self):
        """Wait until the worker exits; returns its exit status."""
        return self.process.wait(TIME_LIMIT_S)

    def printed(self):
        """The stdout and the stderr of the worker and its children."""
        texts = []
        for stream in (self._stdout, self._stderr):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        return texts

    def close(self):
        """Kill the worker and its children and close everything."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()
        self._stdout.close()
        self._stderr.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class WorkerTestCase(unittest.TestCase):
    """Tests that start workers and write workloads."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def driver(self, environment=None, options=()):
        """A worker that has said hello."""
        driver = Driver(environment, options)
        self.addCleanup(driver.close)
        watchdog = _kill_after(driver.process, TIME_LIMIT_S)
        self.addCleanup(watchdog.cancel)
        self.assertEqual(driver.receive()["type"], "hello")
        return driver

    def write(self, source, name="tried"):
        """Write a workload (or a module beside it) and return its path."""
        path = os.path.join(self.folder, name + ".py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(source))
        return path

    def assert_failed(self, reply, step, error, status="failed"):
        """Check for a `failed` of this step whose one-line error contains `error`."""
        self.assertEqual(reply["type"], "failed", reply)
        self.assertEqual((reply["step"], reply["status"]), (step, status), reply)
        self.assertIn(error, reply["error"])
        self.assertNotIn("\n", reply["error"])
        self.assertNotIn("ftbench_worker", reply["traceback"])

    def assert_alone(self, driver):
        """Check that the worker, which has exited, leaves no children behind for long."""
        deadline = time.monotonic() + TIME_LIMIT_S
        while _processes_of_session(driver.process.pid):
            self.assertLess(time.monotonic(), deadline, "children are left behind")
            time.sleep(0.01)

    def assert_silent(self, driver):
        """Check that nothing was printed, after the worker has exited."""
        self.assertEqual(driver.printed(), ["", ""])


def _processes_of_session(session):
    """Ids of the running processes of a session."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8") as file:
            # See proc(5): after the name in brackets come state, parent, group and session.
            state, _, _, its_session = file.read().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found.append(int(name))
    return found


def _kill_after(process, limit_s):
    watchdog = threading.Timer(limit_s, process.kill)
    watchdog.daemon = True
    watchdog.start()
    return watchdog
