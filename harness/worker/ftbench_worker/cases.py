"""Prints the names of the benchmarks in a file for another tool, as JSON after a mark.

Usage: python -m ftbench_worker.cases PATH
"""

import json
import os
import sys

from ftbench_worker.failure import Failed, failing_as
from ftbench_worker.pyperf_scripts import names

_MARK = "ftbench-cases "


def main(path):
    """Run the file up to its end, none of its benchmarks."""
    # `-m` has put the working directory first on sys.path; a program has its own folder there.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        with failing_as("import"):
            found = {"names": names(path)}
    except Failed as failed:
        found = {"failure": failed.failure.error}
    sys.stdout.write("\n" + _MARK + json.dumps(found) + "\n")
    sys.stdout.flush()
    # Without waiting for threads that the script has left.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[-1])
