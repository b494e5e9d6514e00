"""Deliberate faults in the workloads of `shared`, `io`, `mixed` and `patterns`."""

import asyncio
import hashlib
import re
import unittest
from unittest import mock

from support import DOCUMENT, start_services, workload_path
from test_workloads import UNITS, CheckTestCase, fresh, results_of

SHARED = (
    "counter_lock",
    "counter_race",
    "dict_read",
    "dict_write",
    "hot_object",
    "list_append",
    "lru_cache",
    "queue_exchange",
)


class Shared(CheckTestCase):
    def test_a_missing_result_is_caught(self):
        for name in SHARED:
            with self.subTest(workload=name):
                module = fresh("shared/" + name)
                for workers in (1, 2, 4):
                    results = results_of(module, workers)
                    self.assert_caught(module, results[:-1])
                    self.assert_caught(module, results, UNITS - 1)

    def test_workers_that_do_not_share_are_caught(self):
        for name in SHARED:
            with self.subTest(workload=name):
                module = fresh("shared/" + name)
                split = module.split
                module.split = lambda data, workers: [split(data, 2)[n] for n in range(workers)]  # noqa: B023
                self.assert_caught(module, results_of(module, 2))

    def test_a_share_that_reports_more_than_it_did_is_caught(self):
        for name in SHARED:
            if name == "hot_object":
                continue  # a dropped reference leaves no trace
            with self.subTest(workload=name):
                module = fresh("shared/" + name)
                first, second = results_of(module, 2)
                lazy = module.work(module.split(None, 2)[0], 0)
                self.assertEqual(lazy[0], 0)
                if name == "counter_race":
                    lazy[-1].value = 3 * first[-1].value
                else:
                    lazy = (first[0], *lazy[1:])
                self.assert_caught(module, [lazy, second])
                self.assert_caught(module, [(first[0] + 1, *first[1:]), second])

    def test_counter_lock_catches_a_lost_update(self):
        """As if the lock did not protect the counter."""
        module = fresh("shared/counter_lock")
        results = results_of(module, 2)
        results[0][1].value -= 1
        self.assert_caught(module, results)

    def test_counter_race_reports_its_lost_updates(self):
        """Lost updates are not a fault, but losing all of them, or a surplus, is one."""
        module = fresh("shared/counter_race")
        results = results_of(module, 2)
        updates = UNITS * module.INCREMENTS
        for lost in (0, 1, updates - 1):
            results[0][1].value = updates - lost
            module.check(results, UNITS)
            reported = module.report(results, UNITS)
            self.assertEqual(reported, {"lost_updates": lost, "updates": updates})
        for wrong in (0, updates + 1):
            results[0][1].value = wrong
            self.assert_caught(module, results)

    def test_wrong_values_are_caught(self):
        """Values that are read, cached, written or exchanged are wrong."""
        module = fresh("shared/dict_read")
        with mock.patch.object(module, "SUM_OF_VALUES", module.SUM_OF_VALUES + 1):
            self.assert_caught(module, results_of(module, 2))
        module = fresh("shared/lru_cache")
        with mock.patch.object(module, "square", lambda number: number * number + number % 2):
            self.assert_caught(module, results_of(module, 2))
        with mock.patch.object(module, "ARGUMENTS", 129):
            self.assert_caught(module, results_of(module, 2))
        module = fresh("shared/dict_write")
        results = results_of(module, 2)
        results[0][2].counts[1, 7] -= 1
        self.assert_caught(module, results)
        module = fresh("shared/list_append")
        results = results_of(module, 2)
        results[0][2].entries.pop()
        self.assert_caught(module, results)
        results = results_of(module, 2)
        results[0][2].entries.append(2)
        self.assert_caught(module, results)
        module = fresh("shared/queue_exchange")
        results = results_of(module, 2)
        results[0][3].items.put(0)
        self.assert_caught(module, results)
        results = results_of(module, 2)
        put, taken, total, exchange = results[0]
        self.assert_caught(module, [(put, taken, total + 1, exchange), results[1]])


class Waiting(CheckTestCase):
    def setUp(self):
        services = mock.patch.dict("os.environ", start_services(self))
        services.start()
        self.addCleanup(services.stop)

    def assert_faults_caught(self, module):
        """Check that a missing, an additional and a different result are caught."""
        results = results_of(module, 2)
        one = results[1][0]
        self.assert_caught(module, results[:-1])
        self.assert_caught(module, [*results, [one]])
        other = (*one[:-1], one[-1] + 1) if isinstance(one, tuple) else one + 1
        self.assert_caught(module, [results[0], [other, *results[1][1:]]])
        return results

    def test_socket_echo(self):
        module = self.assert_sound("io/socket_echo")
        results = self.assert_faults_caught(module)
        data = module.setup(UNITS)
        self.assertEqual(asyncio.run(module.work_async(data, 2)), results[0])
        message = module.message
        with mock.patch.object(module, "message", lambda unit: message(unit + 1)):
            results = results_of(module, 2)
        self.assert_caught(module, results)

    def test_socket_echo_without_a_server(self):
        module = fresh("io/socket_echo")
        without = mock.patch.dict("os.environ", clear=True)
        with without, self.assertRaisesRegex(RuntimeError, "FTBENCH_ECHO_ADDRESS is not set"):
            module.setup(UNITS)

    def test_files(self):
        module = self.assert_sound("io/files")
        self.assert_faults_caught(module)
        content = module.content
        with mock.patch.object(module, "content", lambda unit, number: content(unit, number)[1:]):
            results = results_of(module, 2)
        self.assert_caught(module, results)

    def test_files_leaves_nothing_behind(self):
        for name in ("io/files", "io/sqlite"):
            module = fresh(name)
            folders = []
            real = module.tempfile.TemporaryDirectory

            def remembered(real=real, folders=folders, **options):
                folder = real(**options)
                folders.append(folder.name)
                return folder

            with mock.patch.object(module.tempfile, "TemporaryDirectory", remembered):
                results_of(module, 2)
            self.assertEqual(len(set(folders)), 2, "each share has a folder of its own")
            self.assertFalse(any(map(module.os.path.exists, folders)))

    def test_sqlite(self):
        module = self.assert_sound("io/sqlite")
        self.assert_faults_caught(module)
        with mock.patch.object(module, "cents", lambda unit, number: 100 * unit):
            results = results_of(module, 2)
        self.assert_caught(module, results)

    def test_web_request(self):
        module = self.assert_sound("mixed/web_request")
        results = self.assert_faults_caught(module)
        data = module.setup(UNITS)
        self.assertEqual(asyncio.run(module.work_async(data, 2)), results[0])
        in_cents = mock.patch.object(module, "money", str)
        unescaped = mock.patch.object(module.html, "escape", str)
        for fault in (in_cents, unescaped):
            with fault:
                results = results_of(module, 2)
            self.assert_caught(module, results)

    def test_web_request_without_a_server(self):
        module = fresh("mixed/web_request")
        without = mock.patch.dict("os.environ", clear=True)
        with without, self.assertRaisesRegex(RuntimeError, "FTBENCH_HTTP_URL is not set"):
            module.setup(UNITS)

    def test_the_document_is_the_one_that_ftbench_sends(self):
        """The digest is that of the test in harness/ftbench/src/services/loopback.rs."""
        digest = "013b112dd266d56309ac9c4c709f31b55de8956438d9f94616c7a5722b46933c"
        self.assertEqual(hashlib.sha256(DOCUMENT).hexdigest(), digest)


class Case:
    """One case of a file, with the functions of a whole workload."""

    def __init__(self, module, name):
        for part in ("setup", "split", "work", "check"):
            function = getattr(module, f"{part}_{name}", getattr(module, part, None))
            if function is not None:
                setattr(self, part, function)


class Patterns(CheckTestCase):
    def setUp(self):
        self.module = fresh("patterns/patterns")
        with open(workload_path("patterns/patterns"), encoding="utf-8") as file:
            block = file.read().partition("# [tool.ftbench.cases]\n")[2].partition("# ///\n")[0]
        self.names = re.findall(r'^# (\w+) = ".+"$', block, re.MULTILINE)

    def test_every_case_is_defined_and_listed(self):
        works = {name[len("work_") :] for name in vars(self.module) if name.startswith("work_")}
        self.assertEqual(works, set(self.names))
        self.assertGreater(len(self.names), 20)

    def test_every_case_is_sound_and_its_faults_are_caught(self):
        for name in self.names:
            with self.subTest(case=name):
                case = Case(self.module, name)
                for workers in (1, 2, 4):
                    case.check(results_of(case, workers), UNITS)
                case.check(results_of(case, 2, 0), 0)
                first, second = results_of(case, 2)
                self.assert_caught(case, [first])
                self.assert_caught(case, [first, [*second, second[0]]])
                self.assert_caught(case, [first, [second[0] + 1]])

    def test_a_missing_operation_is_caught(self):
        """Every loop but the one over the units makes one iteration less."""

        def shorter_range(*ends):
            return range(*ends[:-1], ends[-1] - (ends[-1] > UNITS))

        for name in self.names:
            with self.subTest(case=name):
                case = Case(self.module, name)
                shortened = mock.patch.object(self.module, "range", shorter_range, create=True)
                with shortened:
                    results = results_of(case, 1)
                self.assert_caught(case, results)

    def test_a_message_that_is_logged_is_caught(self):
        case = Case(self.module, "logging_disabled")
        case.setup(UNITS)
        self.module.logger.setLevel("DEBUG")
        self.assert_caught(case, [case.work(None, UNITS)])


if __name__ == "__main__":
    unittest.main()
