"""The sampler in a worker, and the objects at addresses."""

import os
import platform
import shutil
import struct
import subprocess
import sys
import types
import unittest

from support import SOURCE_FOLDER, WorkerTestCase, example, worker_module

SOURCE = os.path.join(os.path.dirname(SOURCE_FOLDER), "sampler", "sampler.c")
KNOWN_VERSIONS = ((3, 13), (3, 14), (3, 15))

can_sample = unittest.skipUnless(
    platform.machine() == "x86_64"
    and shutil.which("cc")
    and sys.implementation.name == "cpython"
    and sys.version_info[:2] in KNOWN_VERSIONS,
    "needs CPython 3.13 to 3.15 on x86-64, and a C compiler",
)

PERIOD_NS = 1_000_000
# Bytes of a sample before its stack: time, 17 registers, 4 frames, and the stack's size.
FIXED = struct.Struct("<23Q")
FRAMES = slice(18, 22)

WORKLOAD = """
import threading

LOCK = threading.Lock()
TABLE = {"key": object()}


class Point:
    def __init__(self):
        self.x = object()


POINT = Point()


def closure():
    shared = object()

    def inner():
        return shared

    return inner


INNER = closure()


def work(data, units):
    for _ in range(units):
        with LOCK:
            sum(range(100))
"""


def read_samples(path):
    """The samples in a file, by thread: the numbers before each stack."""
    with open(path, "rb") as file:
        data = file.read()
    found, place = {}, 0
    while place < len(data):
        thread_id, lost, size = struct.unpack_from("<3Q", data, place)
        place += 24
        end = place + size
        assert lost == 0
        samples = found[thread_id] = []
        while place < end:
            samples.append(FIXED.unpack_from(data, place))
            place += FIXED.size + samples[-1][-1]
        assert place == end
    return found


@can_sample
class Sampler(WorkerTestCase):
    def setUp(self):
        super().setUp()
        self.library = os.path.join(self.folder, "sampler.so")
        command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run([*command, "-o", self.library, SOURCE], check=True)

    def open(self, driver, worker_bytes=64 << 20):
        request = {**example("request_open_sampler"), "library": self.library}
        return driver.ask({**request, "worker_bytes": worker_bytes})

    def sampled(self, model="threads", workers=2):
        driver = self.driver()
        ready = driver.prepare(self.write(WORKLOAD), model, workers, units=50_000)
        self.assertEqual(ready["type"], "ready", ready)
        self.assertEqual(self.open(driver), example("reply_sampler_opened"))
        for period_ns in (PERIOD_NS, 0):
            if period_ns == 0:
                taken = driver.sample()
            request = {**example("request_set_sampling"), "period_ns": period_ns}
            self.assertEqual(driver.ask(request), example("reply_sampling_set"))
        return driver, ready, taken

    def test_workers_are_sampled_while_they_run_and_while_they_wait(self):
        driver, ready, taken = self.sampled()
        saved = driver.ask(example("request_save_samples"))
        self.assertEqual(list(saved), list(example("reply_samples_saved")))
        self.assertIn("r-xp", saved["mappings"])
        samples = read_samples(saved["path"])
        self.assertEqual(list(samples), [worker["thread_id"] for worker in ready["workers"]])
        for own in samples.values():
            inside = [one for one in own if taken["start_ns"] <= one[0] <= taken["end_ns"]]
            self.assertGreater(len(inside), 2)
            times = [one[0] for one in own]
            self.assertEqual(times, sorted(times))
        code = {one[FRAMES][0] for own in samples.values() for one in own} - {0}
        resolved = driver.ask({"type": "resolve", "addresses": [], "code": sorted(code)})
        self.assertEqual(list(resolved), list(example("reply_resolved")))
        self.assertIn("work", resolved["functions"])
        self.assertEqual(driver.finish()["type"], "finished")
        self.assertEqual(driver.wait(), 0)
        self.assert_silent(driver)

    def test_samples_without_room_are_counted(self):
        driver = self.driver()
        driver.prepare(self.write(WORKLOAD), "threads", units=20_000)
        self.open(driver, worker_bytes=4096)
        driver.ask({"type": "set_sampling", "period_ns": PERIOD_NS})
        driver.sample()
        driver.ask({"type": "set_sampling", "period_ns": 0})
        path = driver.ask({"type": "save_samples"})["path"]
        with open(path, "rb") as file:
            _, lost, size = struct.unpack("<3Q", file.read(24))
        self.assertGreater(lost, 0)
        self.assertLessEqual(size, 4096)

    def test_process_with_a_profiler_of_its_own_is_refused(self):
        handler = "import signal\nsignal.signal(signal.SIGPROF, lambda *args: None)\n"
        driver = self.driver()
        driver.prepare(self.write(handler + WORKLOAD), "threads")
        self.assert_failed(self.open(driver), "start", "it handles SIGPROF")

    def test_library_that_cannot_be_loaded_is_not_the_workloads_failure(self):
        self.library += ".missing"
        driver = self.driver()
        driver.prepare(self.write(WORKLOAD), "threads")
        self.assert_failed(self.open(driver), "sampler", "its library cannot be loaded")

    def test_only_threads_of_one_process_are_sampled(self):
        driver = self.driver()
        driver.prepare(self.write(WORKLOAD), "processes", workers=2)
        self.assert_failed(self.open(driver), "start", "only workers that are threads")

    def test_requests_come_in_order(self):
        for request, error in (
            ("open_sampler", "before it sent 'prepare'"),
            ("set_sampling", "before it sent 'open_sampler'"),
            ("save_samples", "before it sent 'open_sampler'"),
            ("resolve", "before it sent 'open_sampler'"),
        ):
            reply = self.driver().ask(example("request_" + request))
            self.assert_failed(reply, "start", error)


@can_sample
class Objects(unittest.TestCase):
    def setUp(self):
        self.objects = worker_module("objects")
        self.module = types.ModuleType("tried")
        exec(WORKLOAD, self.module.__dict__)
        self.roots = {"tried": self.module}
        self.layout = self.objects.Layout()

    def resolve(self, addresses, before=None):
        before = self.objects.living(self.roots) if before is None else before
        return self.objects.resolve(addresses, [], self.roots, before, self.layout)[0]

    def test_objects_are_named_by_how_they_are_reached(self):
        module = self.module
        named = {
            "tried.LOCK": module.LOCK,
            "tried.TABLE": module.TABLE,
            "tried.TABLE['key']": module.TABLE["key"],
            "tried.POINT.x": module.POINT.x,
            "tried.INNER (closure's shared).cell_contents": module.INNER(),
            "tried.work.__code__": module.work.__code__,
        }
        found = self.resolve([id(one) for one in named.values()])
        self.assertEqual([one["path"] for one in found], list(named))
        self.assertEqual(found[1]["type"], "dict")
        self.assertEqual(found[1]["size"], sys.getsizeof(module.TABLE))

    def test_fields_are_those_of_the_header_and_then_the_objects_own(self):
        self.assertTrue(self.layout.is_known)
        start = id(self.module.TABLE)
        if self.layout.is_free_threaded:
            places = {0: "owner", 10: "object lock", 16: "shared reference count", 24: "type"}
            places[32] = "its own data"
        else:
            places = {0: "reference count", 8: "type", 16: "its own data"}
        found = self.resolve([start + place for place in places])
        self.assertEqual([one["field"] for one in found], list(places.values()))

    def test_object_that_was_made_later_has_no_path(self):
        before = self.objects.living(self.roots)
        made = self.module.LATER = [object()]
        (found,) = self.resolve([id(made)], before)
        self.assertEqual((found["type"], found["path"]), ("list", None))

    def test_memory_without_an_object_is_unknown(self):
        self.assertEqual(self.resolve([8, 1 << 47]), [None, None])

    def test_first_walk_asks_nothing_of_objects(self):
        asked = []

        class Asked:
            @property
            def __dict__(self):
                asked.append("__dict__")
                return {}

            @property
            def __class__(self):
                asked.append("__class__")
                return int

        self.module.ASKED = Asked()
        self.objects.living(self.roots)
        self.resolve([id(self.module.ASKED)])
        self.assertEqual(asked, [])
