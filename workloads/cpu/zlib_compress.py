# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Compression by zlib: C code that releases the GIL"
# source = "RFC 1950"
# shows = "zlib releases the GIL while it works: threads scale on every build"
# ///
"""Compresses a text of 16 KiB with zlib (RFC 1950), once per unit.

The text is synthetic, digits and spaces. A zlib stream ends with the Adler-32 checksum of
what went into it, so each unit hands back those four bytes: they prove that all of the text went
through the compressor.
"""

import zlib

TEXT_BYTES = 16384
LEVEL = 6  # what zlib takes by default
MODULUS = 65521  # of Adler-32, the largest prime below 65536


def setup(units):
    """The text to compress; workers only read it."""
    words = [f"{n * n * n % 9973 % 500:03}" for n in range(TEXT_BYTES // 4)]
    return " ".join(words).ljust(TEXT_BYTES).encode("ascii")


def compressed(text):
    """The text as a zlib stream."""
    return zlib.compress(text, LEVEL)


def work(text, units):
    """Compress all of it once per unit; returns the end of each stream and whether it is short."""
    found = []
    for _ in range(units):
        stream = compressed(text)
        found.append((int.from_bytes(stream[-4:], "big"), 2 * len(stream) < len(text)))
    return found


def adler_32(text):
    """The checksum of RFC 1950, from its definition."""
    one, other = 1, 0
    for byte in text:
        one = (one + byte) % MODULUS
        other = (other + one) % MODULUS
    return other * 65536 + one


def check(results, units):
    """Every stream has the text's checksum and less than half of its length."""
    expected = adler_32(setup(units))
    found = [each for share in results for each in share]
    assert len(found) == units, f"{len(found)} streams, not {units}"
    for checksum, is_short in found:
        assert checksum == expected, f"a stream with Adler-32 {checksum:#x}, not {expected:#x}"
        assert is_short, "a stream has half the length of the text or more"
