"""Servers that run beside commands."""

import os
import unittest

from support import TIME_LIMIT_S, WorkerTestCase, start_server, worker_module

# Answers every request with its arguments, and ends as its last one says.
SERVER = """
import http.server, os, signal, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = " ".join(sys.argv[1:]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/end":
            os._exit(7)

def end(*_):
    with open("ended", "a") as file:
        file.write(".")
    os._exit(0)

signal.signal(signal.SIGTERM, end)
print("listening on", sys.argv[1], flush=True)
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if "daemon" in sys.argv and os.fork():
    os._exit(0)
server.serve_forever()
"""

CLIENT = """
import os, sys, urllib.request
with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/{''.join(sys.argv[2:])}") as answer:
    print(answer.read().decode(), sorted(os.sched_getaffinity(0)))
"""


@unittest.skipUnless(hasattr(os, "posix_spawnp"), "needs posix_spawnp")
class Servers(WorkerTestCase):
    READY = "http://127.0.0.1:{port}/"

    def setUp(self):
        super().setUp()
        self.write(SERVER, "server")
        self.write(CLIENT, "client")

    def prepare(self, server, client="true", ready=READY, pattern=r"^\d+ (\d+)", **others):
        """The driver, and the reply to `prepare`."""
        driver = self.driver()
        command = {
            "line": client,
            "expected_output": None,
            "server": {"line": server, "ready": ready},
            "figures": [] if client == "true" else [{"name": "figure", "pattern": pattern}],
        }
        ready = driver.prepare(self.folder, "internal", 2, command=command, **others)
        return driver, ready

    def test_runs_beside_the_client_and_ends_with_the_trial(self):
        for ready in (self.READY, "tcp://localhost:{port}"):
            driver, reply = self.prepare(
                "{python} server.py {port} {workers}", "{python} client.py {port}", ready
            )
            self.assertEqual(reply["type"], "ready", reply)
            self.assertEqual(driver.sample()["reported"], {"figure": 2.0})
            self.assertEqual(driver.sample(1)["reported"], {"figure": 2.0})
            self.assertEqual(driver.finish()["type"], "finished")
            self.assertEqual(driver.wait(), 0)
            self.assert_alone(driver)
            self.assert_silent(driver)
        with open(os.path.join(self.folder, "ended"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "..")

    def test_each_trial_has_its_own_port(self):
        line = "{python} server.py {port} {workers}"
        trials = [self.prepare(line, "{python} client.py {port}") for _ in range(2)]
        for driver, reply in trials:
            self.assertEqual(reply["type"], "ready", reply)
            self.assertEqual(driver.sample()["type"], "sample")

    def test_the_client_runs_on_its_own_pus(self):
        last = max(os.sched_getaffinity(0))
        line = "{python} server.py {port}"
        pattern = r"\[(\d+)\]$"
        driver, reply = self.prepare(
            line, "{python} client.py {port}", pattern=pattern, client_pus=[last]
        )
        self.assertEqual(reply["type"], "ready", reply)
        before = os.sched_getaffinity(driver.process.pid)
        self.assertEqual(driver.sample()["reported"], {"figure": last})
        self.assertEqual(os.sched_getaffinity(driver.process.pid), before)

    def test_failing_servers(self):
        for line, error, printed in (
            ("no-such-server", "cannot start no-such-server", ""),
            ("'' x", "the server names no program", ""),
            (
                "sh -c 'echo no; exit 3'",
                "the server ended with exit status 3 before",
                "printed:\nno\n",
            ),
            ("sh -c 'kill -9 $$'", "the server was killed by SIGKILL before", "printed nothing"),
            ("sleep 60", "did not answer at http://127.0.0.1:", "printed nothing"),
        ):
            limit_s = 2 if line == "sleep 60" else TIME_LIMIT_S
            driver, reply = self.prepare(line, time_limit_s=limit_s)
            self.assert_failed(reply, "import" if "names" in error else "start", error)
            driver.wait()
            self.assertIn(printed, driver.printed()[1])

    def test_a_port_that_is_already_used(self):
        url = start_server(self)
        _, reply = self.prepare("sleep 60", ready=url)
        self.assert_failed(reply, "start", "write {port} in place of the port")

    def test_addresses(self):
        for ready in ("http:/x", "https://a", "tcp://a", "http://a:b", ""):
            _, reply = self.prepare("sleep 60", ready=ready)
            self.assert_failed(reply, "start", "is not an address that a server can be waited for")

    def test_a_daemon_is_waited_for(self):
        driver, reply = self.prepare(
            "{python} server.py {port} 5 daemon", "{python} client.py {port}"
        )
        self.assertEqual(reply["type"], "ready", reply)
        self.assertEqual(driver.sample()["reported"], {"figure": 5.0})
        self.assertEqual(driver.finish()["type"], "finished")

    def test_a_client_that_fails_shows_what_the_server_printed(self):
        line = "{python} server.py {port}"
        driver, _ = self.prepare(line, "{python} client.py 1")
        self.assert_failed(driver.sample(), "work", "client.py 1 ended with exit status 1")
        driver.wait()
        printed = driver.printed()[1]
        self.assertIn("Connection refused", printed)
        self.assertIn("the server printed:\nlistening on", printed)

    def test_a_server_that_ends_meanwhile(self):
        driver, _ = self.prepare("{python} server.py {port} 1", "{python} client.py {port} end")
        reply = driver.sample()
        if reply["type"] != "failed":
            # It may end after the client.
            reply = driver.sample(1)
        self.assertEqual(reply["type"], "failed", reply)
        self.assertIn("the server ended with exit status 7 while it was needed", reply["error"])

    def test_little_of_its_output_is_kept(self):
        server = worker_module("servers").Server("true", self.READY, 1)
        server._output = os.memfd_create("server")
        self.addCleanup(os.close, server._output)
        for printed in (bytes(3_000_000), b"last"):
            os.write(server._output, printed)
            server.trim_output()
        self.assertEqual(os.pread(server._output, 100, 0), b"last")


if __name__ == "__main__":
    unittest.main()
