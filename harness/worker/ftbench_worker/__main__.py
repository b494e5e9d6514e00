"""The worker's program: greet the driver, then answer its requests until it finishes or exits."""

import contextlib
import os
import sys

from ftbench_worker import PROTOCOL_VERSION, collector, gil, stacks
from ftbench_worker.channel import Channel, DriverGone
from ftbench_worker.failure import Failed, failing_as
from ftbench_worker.trial import Trial

_USAGE = "usage: python -m ftbench_worker --channel READ_FD WRITE_FD (ftbench itself starts it)"


def main(arguments):
    """Open the channel and serve it."""
    if len(arguments) != 3 or arguments[0] != "--channel":
        sys.exit(_USAGE)
    # `-m` has put the working directory first on sys.path; its modules are not part of the trial.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    gil.watch()
    collector.watch()
    stacks.dump_on_signal()
    channel = Channel(int(arguments[1]), int(arguments[2]))
    trial = Trial()
    try:
        _serve(channel, trial)
    except (DriverGone, KeyboardInterrupt):
        _leave(trial, 0)


def _serve(channel, trial):
    channel.send(
        {
            "type": "hello",
            "protocol": PROTOCOL_VERSION,
            "process_id": os.getpid(),
            "python": "{}.{}.{}".format(*sys.version_info),
            "gil_enabled": gil.enabled(),
        }
    )
    while True:
        request = channel.receive()
        reply = _answer(trial, request)
        channel.send(reply)
        if reply["type"] == "failed":
            _leave(trial, 1)
        if reply["type"] == "finished":
            return


def _answer(trial, request):
    """The reply to a request, `failed` included. A failure outside any step counts as `start`."""
    try:
        with failing_as("start"):
            return trial.answer(request)
    except Failed as failed:
        return {"type": "failed", **failed.failure._asdict()}


def _leave(trial, status):
    """Exit without waiting for threads, which may be deadlocked."""
    for stream in (sys.stdout, sys.stderr):
        # The workload, or the reader, may have closed it.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    trial.kill()
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
