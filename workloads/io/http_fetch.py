# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "io"
# summary = "HTTP requests to a loopback server that takes its time: waiting, hardly any computing"
# source = "HTTP/1.1, RFC 9112: https://www.rfc-editor.org/rfc/rfc9112"
# shows = "How far waiting overlaps: threads on any build, tasks on one loop, processes"
# models = ["serial", "threads", "processes", "interpreters", "asyncio", "asyncio-threads"]
# services = ["http"]
# ///
"""Fetches one small page over HTTP/1.1, again and again: one GET per unit.

ftbench runs the server, on the loopback interface, and passes its URL in FTBENCH_HTTP_URL. It takes
the same few milliseconds for every response, so the only way to be faster is to wait on several
connections at a time. Each worker has one of its own, kept alive for the length of its share.
"""

import asyncio
import http.client
import os
from urllib.parse import urlsplit

OK = 200
BODY_BYTES = 1024  # what ftbench's server sends


def setup(units):
    """Where the server is: host, port and path."""
    url = os.environ.get("FTBENCH_HTTP_URL")
    if url is None:
        raise RuntimeError("FTBENCH_HTTP_URL is not set: ftbench sets it to the server's address")
    parts = urlsplit(url)
    return parts.hostname, parts.port, parts.path or "/"


def work(data, units):
    """Blocking client; returns status and length of body of every response."""
    host, port, path = data
    connection = http.client.HTTPConnection(host, port)
    responses = []
    for _ in range(units):
        connection.request("GET", path)
        response = connection.getresponse()
        responses.append((response.status, len(response.read())))
    connection.close()
    return responses


async def work_async(data, units):
    """Asynchronous client on plain streams; returns the same."""
    host, port, path = data
    reader, writer = await asyncio.open_connection(host, port)
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: identity\r\n\r\n"
    responses = []
    for _ in range(units):
        writer.write(request.encode("ascii"))
        responses.append(await read_response(reader))
    writer.close()
    await writer.wait_closed()
    return responses


async def read_response(reader):
    """Status and length of body of one response, which must name its Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *fields = head.rstrip("\r\n").split("\r\n")
    length = None
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    if length is None:
        raise RuntimeError("the server sent a response without Content-Length")
    body = await reader.readexactly(length)
    return int(status_line.split()[1]), len(body)


def check(results, units):
    """Every request had its response, each with status 200 and the whole page."""
    responses = [response for share in results for response in share]
    assert len(responses) == units, f"{len(responses)} responses to {units} requests"
    for status, length in responses:
        assert status == OK, f"a response with status {status}, not {OK}"
        assert length == BODY_BYTES, f"a response with {length} bytes, not {BODY_BYTES}"
