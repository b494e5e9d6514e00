"""Tests for pytest-benchmark and pytest-codspeed as workloads: each with a benchmark is a case.

pytest itself collects the file, makes fixtures and parameters and runs the one test, with a plugin
(`pytest_plugin`) in place of those two packages, which need not be installed.
"""

import os
import sys

from ftbench_worker.failure import ContractError
from ftbench_worker.offering import Offering

# The options that override the user's own: what a benchmark prints is not kept in a file that
# grows, and neither a mark nor a plugin that is replaced excludes a benchmark.
_OPTIONS = ("-s", "-m", "", "-o", "required_plugins=")


def names(path):
    """The names of a file's benchmarks, found by collecting its tests."""
    _take_own_folder(path)
    plugin = _plugin()
    keyword = os.environ.get("FTBENCH_KEYWORD", "")
    _run_pytest(plugin, path, "--collect-only", "-k", keyword)
    return list(dict.fromkeys(plugin.names))


def functions(path, case):
    """The contract's functions for the benchmark in a test."""
    module_folders = _take_own_folder(path)

    def run(offer):
        plugin = _plugin(case, offer, module_folders)
        _run_pytest(plugin, path, "-k", "")
        if not plugin.has_offered:
            raise ContractError(plugin.why_none(os.path.basename(path)))

    return Offering(run).functions()


def _take_own_folder(path):
    """Take the file's folder from the path for modules, where pytest puts it if it belongs there.

    Returns the folders that precede it, which are those of the modules of an arm.
    """
    position = sys.path.index(os.path.dirname(os.path.abspath(path)))
    del sys.path[position]
    return sys.path[:position]


def _plugin(*arguments):
    try:
        import pytest  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        message = "the file has tests for pytest, which is not installed; add --with pytest"
        raise ContractError(message) from None
    from ftbench_worker.pytest_plugin import Plugin

    return Plugin(*arguments)


def _run_pytest(plugin, path, *options):
    """Run pytest on a file; raises what went wrong."""
    import pytest

    with open(os.devnull, "w") as nowhere:
        plugin.output = nowhere
        status = pytest.main([*_OPTIONS, *options, os.path.abspath(path)], plugins=[plugin])
    if plugin.reason is not None:
        raise plugin.reason
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise ContractError(f"pytest ended with exit status {int(status)}")
