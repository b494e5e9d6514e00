# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "io"
# summary = "Small files, written, read back and removed, each worker in a folder of its own"
# source = "The small-file workload of M. Rosenblum and J. Ousterhout, TOCS 10(1), 1992"
# shows = "How file calls, which release the GIL for microseconds, scale with threads"
# models = ["serial", "threads", "processes", "interpreters"]
# ///
"""Creates, writes, reads back and removes small files: five of 4 KiB per unit.

The files are in a temporary folder of each share, on the file system that TMPDIR names. Nothing is
flushed to the disk, so this measures the calls and the kernel's cache, not the device. Each of the
calls gives up the GIL although it hardly waits.
"""

import os
import tempfile
import zlib

FILES = 5
FILE_BYTES = 4096
NUMBER_BYTES = 8


def content(unit, number):
    """What a file holds; no two of a share hold the same."""
    return (unit * FILES + number).to_bytes(NUMBER_BYTES, "big") * (FILE_BYTES // NUMBER_BYTES)


def work(data, units):
    """Write and read unit by unit; returns a checksum of what was read in each."""
    checksums = []
    with tempfile.TemporaryDirectory(prefix="ftbench-") as folder:
        for unit in range(units):
            checksum = 0
            for number in range(FILES):
                path = os.path.join(folder, f"{number}.bin")
                with open(path, "wb") as file:
                    file.write(content(unit, number))
                with open(path, "rb") as file:
                    checksum = zlib.crc32(file.read(), checksum)
                os.remove(path)
            checksums.append(checksum)
    return checksums


def check(results, units):
    """Every file was read back as it was written."""
    done = sum(len(share) for share in results)
    assert done == units, f"{done} units, not {units}"
    for share in results:
        for unit, checksum in enumerate(share):
            expected = zlib.crc32(b"".join(content(unit, number) for number in range(FILES)))
            assert checksum == expected, f"files with checksum {checksum}, not {expected}"
