"""Prints the names of the benchmarks in a file for another tool, as JSON after a mark.

Usage: python -m ftbench_worker.cases FORMAT PATH [ARGUMENT]...
"""

import json
import os
import sys

from ftbench_worker import formats
from ftbench_worker.failure import Failed, failing_as

_MARK = "ftbench-cases "


def main(format, path, *arguments):
    """List the benchmarks of a file, which may run the file, but none of them."""
    # `-m` has put the working directory first on sys.path; a program has its own folder there.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    # Before the folder is first on `sys.path`: its modules may be named like an adapter's.
    adapter = formats.adapter(format)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        with failing_as("import"):
            found = {"names": adapter.names(path, *arguments)}
    except Failed as failed:
        found = {"failure": failed.failure.error}
    sys.stdout.write("\n" + _MARK + json.dumps(found) + "\n")
    sys.stdout.flush()
    # Without waiting for threads that the script has left.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
