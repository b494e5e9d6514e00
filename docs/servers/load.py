"""Sends GET requests to a server and prints how long they took. Standard library only.

    python3 load.py URL --rate 200 --seconds 2     an open loop: 200 requests a second
    python3 load.py URL --clients 4 --seconds 2    a closed loop: 4 clients

In the open loop, requests are sent on a schedule, whether or not others have been answered, as by
people who do not know of each other. A latency is the time from the moment when a request was due
to the last byte of its answer. In the closed loop, each client waits for an answer before it sends
its next request.
"""

import argparse
import asyncio
import sys
import time
from urllib.parse import urlsplit


class Target:
    """A server, with the connections to it that are idle."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port or 80
        self._request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self._idle = []

    async def get(self):
        """Send one request and read its answer."""
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        try:
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            status, _, lines = head.lower().partition(b"\r\n")
            fields = dict(line.split(b": ", 1) for line in lines.split(b"\r\n") if line)
            await reader.readexactly(int(fields[b"content-length"]))
        except BaseException:
            writer.close()
            raise
        if b" 200 " not in status:
            raise OSError(status.decode())
        if fields.get(b"connection") == b"close":
            writer.close()
        else:
            self._idle.append((reader, writer))

    async def _connect(self):
        return await asyncio.open_connection(*self._address)


async def open_loop(target, rate, seconds):
    """Latencies of requests that are sent at a fixed rate, seconds."""
    first = time.monotonic() + 0.01

    async def one(due):
        await target.get()
        return time.monotonic() - due

    tasks = []
    for number in range(round(rate * seconds)):
        due = first + number / rate
        # A timer that is late, or a busy client, counts as latency: the request was due.
        await asyncio.sleep(due - time.monotonic())
        tasks.append(asyncio.create_task(one(due)))
    return await asyncio.gather(*tasks)


async def closed_loop(target, clients, seconds):
    """Latencies of clients that each wait for an answer before they ask again, seconds."""
    end = time.monotonic() + seconds
    latencies = []

    async def client():
        while (sent := time.monotonic()) < end:
            await target.get()
            latencies.append(time.monotonic() - sent)

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, help="requests a second, in an open loop")
    parser.add_argument("--clients", type=int, default=1, help="clients of a closed loop")
    parser.add_argument("--seconds", type=float, default=2)
    arguments = parser.parse_args()
    target = Target(arguments.url)
    if arguments.rate:
        load = open_loop(target, arguments.rate, arguments.seconds)
    else:
        load = closed_loop(target, arguments.clients, arguments.seconds)
    begun = time.monotonic()
    try:
        latencies = sorted(asyncio.run(load))
    except (OSError, EOFError) as error:
        sys.exit(f"{arguments.url}: {error}")
    took = time.monotonic() - begun
    for share in (50, 99, 100):
        index = max(0, -(-len(latencies) * share // 100) - 1)
        print(f"p{share}: {1000 * latencies[index]:.3f} ms")
    print(f"answered: {len(latencies) / took:,.1f} a second")


if __name__ == "__main__":
    main()
