# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Text processing: lines of a web server's log parsed, a report filled in"
# source = "W3C httpd, Common Log Format"
# shows = "Short-lived strings and methods of str: scripts' everyday work without anything shared"
# ///
"""Takes 160 lines of a web server's log apart and writes a report: one log and report per unit.

The lines are in the Common Log Format of the W3C httpd; the report has a row for each path. Each
worker makes lines of its own. The check computes the report from how the lines were made, not from
the lines.
"""

import zlib

LINES = 160
PATHS = ("/", "/index.html", "/download/ftbench.tar.gz", "/docs/method.html")
STATUSES = (200, 200, 304, 404, 200, 500, 200)
FIRST_OF_ERRORS = 400
ROW = "{path:<30} {requests:>4} requests {failed:>4} failed {kilobytes:>10,.1f} kB"


def request(i):
    """What the i-th line is about: path, status and bytes sent."""
    return PATHS[i * 7 % 11 % len(PATHS)], STATUSES[i % len(STATUSES)], i * 997


def log():
    """The lines of the log; the addresses are those for documentation (RFC 5737)."""
    lines = []
    for i in range(LINES):
        path, status, sent = request(i)
        stamp = f"{i % 28 + 1:02}/Nov/2026:10:{i % 60:02}:00 +0000"
        lines.append(f'192.0.2.{i} - - [{stamp}] "GET {path} HTTP/1.1" {status} {sent}')
    return lines


def parse(line):
    """Path, status and bytes sent of one line."""
    _, _, after_address = line.partition('"')
    quoted, _, numbers = after_address.partition('"')
    status, sent = numbers.split()
    return quoted.split(" ")[1], int(status), int(sent)


def report_of(lines):
    """A row for each path, in the paths' order."""
    by_path = {}
    for line in lines:
        path, status, sent = parse(line)
        sums = by_path.setdefault(path, [0, 0, 0])
        sums[0] += 1
        sums[1] += status >= FIRST_OF_ERRORS
        sums[2] += sent
    rows = []
    for path, (requests, failed, sent) in sorted(by_path.items()):
        rows.append(ROW.format(path=path, requests=requests, failed=failed, kilobytes=sent / 1000))
    return "\n".join(rows)


def checksum(text):
    """CRC-32 of a text, which is ASCII."""
    return zlib.crc32(text.encode("ascii"))


def work(data, units):
    """Write the report of the whole log once per unit; returns the checksum of each."""
    lines = log()
    return [checksum(report_of(lines)) for _ in range(units)]


def expected_report():
    """The report, path by path, from what the lines are about."""
    rows = []
    for path in sorted(PATHS):
        mine = [(status, sent) for p, status, sent in map(request, range(LINES)) if p == path]
        failed = len([status for status, _ in mine if status >= FIRST_OF_ERRORS])
        kilobytes = f"{sum(sent for _, sent in mine) / 1000:,.1f}".rjust(10)
        counts = f"{str(len(mine)).rjust(4)} requests {str(failed).rjust(4)} failed"
        rows.append(f"{path.ljust(30)} {counts} {kilobytes} kB")
    return "\n".join(rows)


def check(results, units):
    """Every report is the one that is known."""
    expected = checksum(expected_report())
    checksums = [each for share in results for each in share]
    assert len(checksums) == units, f"{len(checksums)} reports, not {units}"
    for each in checksums:
        assert each == expected, f"a report with CRC-32 {each:#010x}, not {expected:#010x}"
