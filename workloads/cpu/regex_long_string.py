# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "One regular expression over one long string: C code that holds the GIL"
# source = "Friedl, Mastering Regular Expressions (2006), chapter 2"
# shows = "One long search in C that keeps the GIL: the other threads wait for all of it"
# ///
"""Searches a text of 2,000 words for words that stand there twice in a row: one text per unit.

The doubled word is the opening example of J. Friedl's Mastering Regular Expressions (2006); its
back reference makes the engine try every word at every length. The text is synthetic; every 50th
word stands there twice. The pattern is shared, which costs next to nothing in one call per unit.
"""

import re
import zlib

WORDS = 2000
DOUBLED_EVERY = 50
LETTERS = "etaoinshrdlu"
PATTERN = re.compile(r"\b(\w+) \1\b")


def word(n):
    """The n-th word: three to seven letters; the last one differs from its neighbours'."""
    start = n * 5 % len(LETTERS)
    return (LETTERS[start:] + LETTERS)[: 2 + n % 5] + "xyz"[n % 3]


def doubled_words():
    """The words that stand there twice, in order."""
    return [word(n) for n in range(0, WORDS, DOUBLED_EVERY)]


def setup(units):
    """The text; workers only read it."""
    return " ".join(
        [f"{word(n)} {word(n)}" if n % DOUBLED_EVERY == 0 else word(n) for n in range(WORDS)]
    )


def search(text):
    """All words that stand there twice."""
    return PATTERN.findall(text)


def checksum(words):
    """CRC-32 of some words, which are ASCII."""
    return zlib.crc32(" ".join(words).encode("ascii"))


def work(text, units):
    """Search the text once per unit; returns how many words were found each time, and which."""
    counts = []
    for _ in range(units):
        found = search(text)
        counts.append((len(found), checksum(found)))
    return counts


def check(results, units):
    """All doubled words were found, and no others."""
    words = doubled_words()
    expected = (len(words), checksum(words))
    counts = [each for share in results for each in share]
    assert len(counts) == units, f"{len(counts)} times searched, not {units}"
    for each in counts:
        assert each == expected, f"number and CRC-32 of doubled words {each}, not {expected}"
