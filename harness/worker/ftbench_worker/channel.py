"""JSON lines to and from the driver, over two file descriptors of their own."""

import json
import os


class DriverGone(Exception):
    """The driver has closed its end of the channel."""


class Channel:
    """Both directions of the conversation with the driver.

    Neither forked nor executed children keep its descriptors, so that the driver sees the end of
    the channel as soon as this process ends, even when it leaves children behind.
    """

    def __init__(self, read_fd, write_fd):
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._received = b""
        self._open = True
        os.set_inheritable(read_fd, False)
        os.set_inheritable(write_fd, False)
        os.register_at_fork(after_in_child=self._close)

    def receive(self):
        """The next message; waits for it. Raises `DriverGone` at the end of the channel."""
        while b"\n" not in self._received:
            chunk = os.read(self._read_fd, 65536)
            if not chunk:
                raise DriverGone
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def send(self, message):
        """Send one message. Raises `DriverGone` when the other end is closed."""
        unsent = json.dumps(message).encode("ascii") + b"\n"
        try:
            while unsent:
                unsent = unsent[os.write(self._write_fd, unsent) :]
        except BrokenPipeError:
            raise DriverGone from None

    def _close(self):
        """Close the descriptors in a forked child, once: its children may reuse the numbers."""
        if self._open:
            self._open = False
            os.close(self._read_fd)
            os.close(self._write_fd)
