"""The ways in which faulty.py misbehaves, and which trials may still count as good after it."""

# In any process of a trial; the trial must not count as good.
FATAL = (
    "segfault",
    "abort",
    "exit",
    "killed",
    "stopped",
    "deadlock",
    "endless_loop",
    "exception",
    "wrong_result",
    "half_message",
)
# Only in the process that talks to the driver; in others the descriptor belongs to something else.
FATAL_TO_THE_CHANNEL = (
    "closed_channel",
    "garbage",
    "not_utf8",
    "wrong_version",
    "not_a_number",
    "clock_backwards",
)
# A trial may survive it; its processes must not.
BAD_MANNERS = ("children", "orphan", "output")
KINDS = (*FATAL, *FATAL_TO_THE_CHANNEL, *BAD_MANNERS)


def must_fail(note):
    """Whether the trial in which this was injected may not count as good."""
    return note["kind"] in FATAL or (note["kind"] in FATAL_TO_THE_CHANNEL and note["main"])
