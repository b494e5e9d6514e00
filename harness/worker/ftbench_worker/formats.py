"""The tools whose benchmarks are measured as they are, and the modules that make workloads of them.

An adapter is a module with two functions: `names(path)` lists the benchmarks in a file without
running them, and `functions(path, case)` returns the functions of the contract for one of them.
That of scripts takes the script's arguments, too.
"""

import importlib

_ADAPTERS = {"asv": "asv_benchmarks", "pyperf": "pyperf_scripts", "pytest": "pytest_tests"}


def adapter(format):
    """The module for a tool."""
    return importlib.import_module("ftbench_worker." + _ADAPTERS[format])
