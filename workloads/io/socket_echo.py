# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "io"
# summary = "Messages to an echo server, read back in small records: many short system calls"
# source = "The Echo Protocol, RFC 862: https://www.rfc-editor.org/rfc/rfc862"
# shows = "What it costs to release and reacquire the GIL for calls that do not wait"
# models = ["serial", "threads", "processes", "interpreters", "asyncio", "asyncio-threads"]
# services = ["echo"]
# ///
"""Sends messages to an echo server and reads them back record by record: 16 KiB per unit.

ftbench runs the server, on the loopback interface, and passes its address in FTBENCH_ECHO_ADDRESS.
It answers at once, so a worker waits for the first record of a message only. Each of the other 255
is read by a system call of its own that returns at once, for which Python gives up the GIL and
takes it back: with several threads, whoever gives it up may not get it back soon. The asyncio
models read all there is and cut it into records.
"""

import asyncio
import os
import socket
import struct
import zlib

RECORDS = 256
RECORD = struct.Struct(">QQ48x")  # unit and number of the record, and a filling


def setup(units):
    """Where the server is: host and port."""
    address = os.environ.get("FTBENCH_ECHO_ADDRESS")
    if address is None:
        raise RuntimeError("FTBENCH_ECHO_ADDRESS is not set: ftbench sets it to the server's")
    host, _, port = address.rpartition(":")
    return host, int(port)


def message(unit):
    """What is sent in one unit of a share; no two units send the same."""
    return b"".join(RECORD.pack(unit, number) for number in range(RECORDS))


def work(data, units):
    """Blocking client; returns a checksum of what came back in every unit."""
    checksums = []
    with socket.create_connection(data) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for unit in range(units):
            connection.sendall(message(unit))
            checksum = 0
            for _ in range(RECORDS):
                record = connection.recv(RECORD.size, socket.MSG_WAITALL)
                checksum = zlib.crc32(record, checksum)
            checksums.append(checksum)
    return checksums


async def work_async(data, units):
    """Asynchronous client on plain streams; returns the same."""
    reader, writer = await asyncio.open_connection(*data)
    checksums = []
    for unit in range(units):
        writer.write(message(unit))
        checksum = 0
        for _ in range(RECORDS):
            checksum = zlib.crc32(await reader.readexactly(RECORD.size), checksum)
        checksums.append(checksum)
    writer.close()
    await writer.wait_closed()
    return checksums


def check(results, units):
    """Every message came back as it was sent."""
    answers = sum(len(share) for share in results)
    assert answers == units, f"{answers} answers to {units} messages"
    for share in results:
        for unit, checksum in enumerate(share):
            expected = zlib.crc32(message(unit))
            assert checksum == expected, f"an answer with checksum {checksum}, not {expected}"
