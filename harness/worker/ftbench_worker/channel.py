"""JSON lines to and from the driver, over two file descriptors of their own."""

import json
import os


class DriverGone(Exception):
    """The driver has closed its end of the channel."""


class Channel:
    """Both directions of the talk with the driver.

    Neither forked nor executed children keep its descriptors, so that the driver sees the end of
    the channel as soon as this process ends, whatever it leaves behind.
    """

    def __init__(self, read_fd, write_fd):
        os.set_inheritable(read_fd, False)
        os.set_inheritable(write_fd, False)
        self._reader = open(read_fd, "rb")
        self._writer = open(write_fd, "wb")
        os.register_at_fork(after_in_child=self.close)

    def receive(self):
        """The next message; waits for it. Raises `DriverGone` at the end of the channel."""
        line = self._reader.readline()
        if not line.endswith(b"\n"):
            raise DriverGone
        return json.loads(line)

    def send(self, message):
        """Send one message. Raises `DriverGone` when nobody reads any more."""
        try:
            self._writer.write(json.dumps(message).encode("ascii") + b"\n")
            self._writer.flush()
        except BrokenPipeError:
            raise DriverGone from None

    def close(self):
        """Close both descriptors. What was sent has been flushed."""
        self._reader.close()
        self._writer.close()
