# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Regular expressions: many short matches by compiled patterns"
# source = "Friedl, Mastering Regular Expressions (2006)"
# shows = "Every match counts a reference to its pattern: what sharing patterns costs threads"
#
# [tool.ftbench.cases]
# shared_patterns = "Many short matches by patterns that all workers share, as programs do it"
# own_patterns = "Many short matches by patterns that each worker compiled for itself"
# ///
"""Searches 40 short lines with four patterns: 160 searches per unit.

Time stamps are written as RFC 3339 says, host names as RFC 1123 does; the patterns are of the kind
that J. Friedl's Mastering Regular Expressions (2006) builds up to. Each match holds a reference to
its pattern, so threads that share a pattern write to its reference count with every match. The two
cases differ in nothing but that: `re` caches what it compiles, and hands the same object to all who
ask for the same text, so each worker adds a comment with a number of its own.
"""

import re

LINES = 40
PATTERNS = (
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z",
    r"(?:[a-z0-9-]+\.)+[a-z]{2,}",
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    r"(\d+)\.(\d{3}) ms$",
)
SHARED = [re.compile(pattern) for pattern in PATTERNS]

# Matches in one unit: each line has a time stamp, host and address; every other one a duration.
EXPECTED_MATCHES = LINES * 3 + LINES // 2


def split(data, workers):
    """The number of each worker."""
    return list(range(workers))


def lines():
    """Lines of a synthetic log, with addresses and hosts for documentation (RFC 5737, 2606)."""
    made = []
    for i in range(LINES):
        stamp = f"2006-08-{i % 28 + 1:02}T10:{i:02}:{i * 7 % 60:02}Z"
        took = f"took {i * 3}.{i * 13 % 1000:03} ms" if i % 2 == 0 else "refused"
        made.append(f"{stamp} host-{i}.example.org 192.0.2.{i + 100} {took}")
    return made


def search(patterns, units):
    """Search all lines with all patterns once per unit; returns matches and matched characters."""
    text = lines()
    found = []
    for _ in range(units):
        matches = 0
        matched = 0
        for line in text:
            for pattern in patterns:
                match = pattern.search(line)
                if match:
                    matches += 1
                    matched += match.end() - match.start()
        found.append((matches, matched))
    return found


def work_shared_patterns(worker, units):
    """Search with the patterns of the module."""
    return search(SHARED, units)


def work_own_patterns(worker, units):
    """Search with patterns that no other worker has."""
    return search([re.compile(f"{pattern}(?#{worker})") for pattern in PATTERNS], units)


def matched_characters():
    """The characters of all matches in one unit, from the lines' parts instead of the patterns."""
    total = 0
    for line in lines():
        stamp, host, address, *rest = line.split(" ")
        total += len(stamp) + len(host) + len(address)
        if rest[0] == "took":
            total += len(" ".join(rest[1:]))
    return total


def check(results, units):
    """Every unit found all there is to be found."""
    expected = (EXPECTED_MATCHES, matched_characters())
    found = [each for share in results for each in share]
    assert len(found) == units, f"{len(found)} times searched, not {units}"
    for counts in found:
        assert counts == expected, f"matches and characters {counts}, not {expected}"
