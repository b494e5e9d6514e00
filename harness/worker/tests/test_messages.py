"""Real messages have the keys and types of the stored examples, which the driver's tests read."""

import sys
import unittest

from support import Driver, WorkerTestCase, example, workload_path


def shape(value):
    """The keys and types of a message."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return type(value).__name__


def with_nulls_as_texts(message):
    """The message with a text in place of each null, so that shapes can be compared."""
    nullable = {"gil_enabled_by", "start_method"}
    return {
        key: "" if key in nullable and value is None else value for key, value in message.items()
    }


class Messages(WorkerTestCase):
    def assert_shaped(self, reply, name):
        self.assertEqual(shape(with_nulls_as_texts(reply)), shape(example(name)))
        self.assertEqual(list(reply), list(example(name)))
        self.assertEqual(reply["type"], name.partition("_")[2])

    def test_replies(self):
        driver = Driver()
        self.addCleanup(driver.close)
        hello = driver.receive()
        self.assert_shaped(hello, "reply_hello")
        self.assertEqual(hello["process_id"], driver.process.pid)
        self.assertEqual(hello["python"], "{}.{}.{}".format(*sys.version_info))
        for model in ("serial", "processes"):
            ready = driver.prepare(workload_path("cpu/fib"), model, units=2)
            self.assert_shaped(ready, "reply_ready")
            self.assert_shaped(driver.sample(), "reply_sample")
        # No library with a thread pool is loaded here.
        finished = driver.finish()
        self.assertEqual(finished["thread_pools"], [])
        finished["thread_pools"] = example("reply_finished")["thread_pools"]
        self.assert_shaped(finished, "reply_finished")
        self.assertEqual(driver.wait(), 0)
        self.assert_silent(driver)

    def test_failed(self):
        path = self.write("def work(data, units): pass\ndef check(results, units): assert False")
        driver = self.driver()
        driver.prepare(path, "serial")
        self.assert_shaped(driver.sample(), "reply_failed")

    def test_requests(self):
        """The worker accepts the stored requests, with a path that exists."""
        prepare = example("request_prepare")
        prepare.update(path=workload_path("cpu/fib"), units=2)
        driver = self.driver()
        ready = driver.ask(prepare)
        self.assertEqual(ready["type"], "ready")
        self.assertEqual(ready["start_method"], "fork")
        self.assertEqual(len(ready["workers"]), prepare["workers"])
        self.assertEqual(driver.ask(example("request_sample"))["type"], "sample")
        self.assertEqual(driver.ask(example("request_finish"))["type"], "finished")

    def test_other_protocol(self):
        driver = self.driver()
        reply = driver.prepare(workload_path("cpu/fib"), "serial", protocol=99)
        self.assert_failed(reply, "start", "the driver speaks protocol 99")

    def test_unexpected_requests(self):
        for request, error in (
            ({"type": "dance"}, "no request 'dance'"),
            ({"type": "sample", "sample": 0}, "before it sent 'prepare'"),
        ):
            self.assert_failed(self.driver().ask(request), "start", error)


if __name__ == "__main__":
    unittest.main()
