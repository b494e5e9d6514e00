# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "mixed"
# summary = "A web application's request: wait for a service, parse its JSON, make a page of it"
# source = "What a web application does all day; the page is a list of items, dearest first"
# shows = "Waiting overlaps on any build; with the GIL the computing between does not"
# models = ["serial", "threads", "processes", "interpreters", "asyncio", "asyncio-threads"]
# services = ["http"]
# ///
"""Handles requests as a web application does: one per unit.

Handling a request means to ask another service (5 ms), to parse the 19 kB of JSON that it answers,
and to render them as HTML, which takes some milliseconds of computing. ftbench runs the service, on
the loopback interface, and passes its URL in FTBENCH_HTTP_URL. Each worker keeps one connection.
"""

import asyncio
import html
import http.client
import json
import os
import zlib
from urllib.parse import urlsplit

ITEMS = 200  # what ftbench's server sends
OK = 200
PATH = "/json"

# CRC-32 of the whole page, made with this file; the total of the items is checked independently.
PAGE_CHECKSUM = 3647846388


def setup(units):
    """Where the service is: host and port."""
    url = os.environ.get("FTBENCH_HTTP_URL")
    if url is None:
        raise RuntimeError("FTBENCH_HTTP_URL is not set: ftbench sets it to the server's address")
    parts = urlsplit(url)
    return parts.hostname, parts.port


def money(cents):
    """An amount as people write it."""
    return f"{cents // 100:,}.{cents % 100:02}"


def page_of(body):
    """Parse the service's answer and render it; returns the items' total and the page."""
    items = [item for item in json.loads(body)["items"] if item["in_stock"]]
    for item in items:
        item["cents"] = item["price_cents"] * item["quantity"]
    items.sort(key=lambda item: (-item["cents"], item["id"]))
    lines = ["<table>"]
    totals = {}
    for item in items:
        category = item["category"]
        totals[category] = totals.get(category, 0) + item["cents"]
        cells = (
            html.escape(item["name"]),
            html.escape(category.title()),
            str(item["quantity"]),
            money(item["price_cents"]),
            money(item["cents"]),
            money(totals[category]),
        )
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    for category, cents in sorted(totals.items()):
        lines.append(f"<tr><th>{html.escape(category)}</th><td>{money(cents)}</td></tr>")
    lines.append("</table>")
    return sum(totals.values()), "\n".join(lines)


def answered(status, body):
    """One request's result: status, the items' total in cents, and a checksum of the page."""
    total, page = page_of(body)
    return status, total, zlib.crc32(page.encode("utf-8"))


def work(data, units):
    """Blocking client; returns the result of every request."""
    connection = http.client.HTTPConnection(*data)
    results = []
    for _ in range(units):
        connection.request("GET", PATH)
        response = connection.getresponse()
        results.append(answered(response.status, response.read()))
    connection.close()
    return results


async def work_async(data, units):
    """Asynchronous client on plain streams; returns the same."""
    host, port = data
    reader, writer = await asyncio.open_connection(host, port)
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: identity\r\n\r\n"
    results = []
    for _ in range(units):
        writer.write(request.encode("ascii"))
        results.append(answered(*await read_response(reader)))
    writer.close()
    await writer.wait_closed()
    return results


async def read_response(reader):
    """Status and body of one response, which must name its Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *fields = head.rstrip("\r\n").split("\r\n")
    length = None
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    if length is None:
        raise RuntimeError("the server sent a response without Content-Length")
    return int(status_line.split()[1]), await reader.readexactly(length)


def known_total():
    """The items' total in cents, from how ftbench's server makes them."""
    return sum((1 + n * 7919 % 9973) * (1 + n % 9) for n in range(1, ITEMS + 1) if n % 3 != 0)


def check(results, units):
    """Every request was answered, its items added up and its page made as it should be."""
    requests = [request for share in results for request in share]
    assert len(requests) == units, f"{len(requests)} requests were handled, not {units}"
    expected = (OK, known_total(), PAGE_CHECKSUM)
    for request in requests:
        assert request == expected, f"a request gave {request}, not {expected}"
