"""The suite's workloads for tests: every file and every case."""

import asyncio
import importlib.util
import os
import re
import sys
from concurrent import futures

from support import WORKLOADS_FOLDER, worker_module, workload_path

# How long a share may run before the next one is started, in seconds, in case it waits for that.
PATIENCE_S = 2


def fresh(name):
    """A fresh copy of the workload's module."""
    path = workload_path(name)
    module_name = "copy_of_" + name.replace("/", "_")
    sys.modules.pop("ftbench_workload_" + module_name, None)
    worker_module("workload").load(module_name, path)
    return sys.modules["ftbench_workload_" + module_name]


def names():
    """Names such as `cpu/fib` of all files of the suite."""
    for folder, _, files in sorted(os.walk(WORKLOADS_FOLDER)):
        for file in sorted(files):
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, file[:-3]), WORKLOADS_FOLDER)


class Metadata:
    """The parts of a file's metadata that tests need, read as text because 3.9 has no tomllib."""

    def __init__(self, name):
        with open(workload_path(name), encoding="utf-8") as file:
            self._block = re.search(r"^# /// script\n(.*?)^# ///$", file.read(), re.M | re.S)[1]
        _, _, cases = self._block.partition("# [tool.ftbench.cases]\n")
        self.cases = re.findall(r"^# (\w+) = ", cases, re.MULTILINE)
        self.services = self._strings("services")
        self.has_extension = "\n# extension = " in self._block
        self.packages = [re.match(r"\w+", text)[0] for text in self._strings("dependencies")]

    def missing(self):
        """The reason why it cannot run on this interpreter; None if it can."""
        needed = re.search(r'^# requires-python = ">=(\d+)\.(\d+)"$', self._block, re.MULTILINE)
        if tuple(map(int, needed.groups())) > sys.version_info[:2]:
            return f"needs Python {'.'.join(needed.groups())}"
        if self.has_extension:
            return "needs an extension, which ftbench builds; ftbench/tests/e2e/embed.rs runs it"
        packages = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"needs {', '.join(packages)}" if packages else None

    def _strings(self, key):
        found = re.search(rf"^# {key} = \[(.*)\]", self._block, re.MULTILINE)
        return re.findall(r'"([^"]+)"', found[1]) if found else []


class Tried:
    """One workload, or one case of a file, run in this process."""

    def __init__(self, name, case=None):
        self.module = fresh(name)
        self._case = case
        self._data = {}

    def function(self, part):
        """A function of the contract: the case's own if it has one, else the file's, else None."""
        its_own = getattr(self.module, f"{part}_{self._case}", None) if self._case else None
        return its_own or getattr(self.module, part, None)

    def check(self, results, units):
        """Call `check`, which every workload of the suite has, and `report` where there is one."""
        self.function("check")(results, units)
        if self.function("report"):
            dict(self.function("report")(results, units))

    def results(self, workers, units):
        """The results of the shares of one sample.

        Each share runs on a thread of its own, one after the other, so that even racing shares have
        the same results in every test. A share that waits for another one would wait forever, so
        the next one is started after a while.
        """
        work = self.function("work")
        promised = []
        with futures.ThreadPoolExecutor(workers) as pool:
            for share in self._shares(workers, units):
                promised.append(pool.submit(work, *share))
                futures.wait(promised, PATIENCE_S)
            return [each.result() for each in promised]

    def async_results(self, workers, units):
        """The results of the shares of one sample, run as tasks of one event loop."""

        async def gather():
            work_async = self.function("work_async")
            shares = self._shares(workers, units)
            return await asyncio.gather(*[work_async(*share) for share in shares])

        return asyncio.run(gather())

    def _shares(self, workers, units):
        setup, split = self.function("setup"), self.function("split")
        if setup and units not in self._data:
            self._data[units] = setup(units)
        data = self._data.get(units)
        inputs = list(split(data, workers)) if split else [data] * workers
        return list(zip(inputs, worker_module("share").split_units(units, workers)))
