# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "SHA-256 by hashlib: C code that releases the GIL"
# source = "FIPS 180-4; the digest is from coreutils"
# shows = "hashlib releases the GIL while it works: threads scale on every build"
# ///
"""SHA-256 (FIPS 180-4) of 256 KiB by hashlib, once per unit.

hashlib releases the GIL for inputs of 2,048 bytes and more, so threads scale on every build.
"""

import hashlib

# The bytes 0 to 255, 1,024 times over: far above hashlib's threshold, small enough for a core's
# own cache. The digest was made with coreutils' sha256sum.
PERIOD = bytes(range(256))
PERIODS = 1024
EXPECTED = "2312394bd99545d9de131c24efb781e765ac1aec243f2ed9347597a793a415e9"


def setup(units):
    """The bytes to hash; workers only read them."""
    return PERIOD * PERIODS


def work(data, units):
    """Hash all of it once per unit; returns the digest of each."""
    return [hashlib.sha256(data).hexdigest() for _ in range(units)]


def check(results, units):
    """Every digest is the one that is known."""
    digests = [digest for share in results for digest in share]
    assert len(digests) == units, f"{len(digests)} digests, not {units}"
    for digest in digests:
        assert digest == EXPECTED, f"digest {digest}, not {EXPECTED}"
