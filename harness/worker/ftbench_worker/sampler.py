"""Samples of the workers for `ftbench explain`, by the library in harness/sampler.

The library finds Python frames by the offsets in `_PyRuntime.debug_offsets`, whose place there
depends on the minor version. They are used only if they describe an object and a call of this
module correctly.
"""

import ctypes
import errno
import os
import sys
import tempfile
import threading
from collections import namedtuple

from ftbench_worker import objects
from ftbench_worker.failure import FAILED, ContractError, Failed, Failure

# Places in `_Py_DebugOffsets`, in 64-bit numbers from its start, by minor version:
# `thread_state.current_frame`, `interpreter_frame.previous` and `.executable`. Counted in
# Include/internal/pycore_runtime.h of 3.13 and pycore_debug_offsets.h of 3.14 and 3.15.
_PLACES = {(3, 13): (23, 29, 30), (3, 14): (26, 32, 33), (3, 15): (26, 40, 41)}

# The first 8 bytes of `_Py_DebugOffsets`.
_COOKIE = b"xdebugpy"

_Frames = namedtuple("_Frames", "current_frame previous executable")


class Sampler:
    """The sampler of this process, which has one at most."""

    def __init__(self, library, worker_bytes, workers, roots):
        """Prepare to sample these workers, and remember which objects live now.

        `worker_bytes` is the space for the samples of one of them. `roots` are objects by name,
        for the names of others that can be reached from them.
        """
        self._roots = roots
        threads = {thread.native_id: thread.ident for thread in threading.enumerate()}
        thread_ids = [worker.thread_id for worker in workers]
        if not all(thread_id in threads for thread_id in thread_ids):
            raise ContractError("only workers that are threads of one process can be explained")
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise _failed(f"its library cannot be loaded: {error}") from None
        self._frames = _frames()
        self._layout = objects.Layout()
        array = ctypes.c_uint64 * len(thread_ids)
        self._call(
            "open",
            ctypes.c_size_t(len(thread_ids)),
            array(*(threads[thread_id] for thread_id in thread_ids)),
            array(*thread_ids),
            ctypes.c_size_t(worker_bytes),
            ctypes.cast(ctypes.pythonapi.PyThreadState_GetUnchecked, ctypes.c_void_p),
            *(ctypes.c_uint64(offset) for offset in self._frames or (0, 0, 0)),
        )
        self._before = objects.living(roots)

    @property
    def has_frames(self):
        """Whether samples have Python frames."""
        return self._frames is not None

    @property
    def knows_objects(self):
        """Whether objects can be found at addresses."""
        return self._layout.is_known

    def set_period(self, period_ns):
        """Sample each worker at this interval from now on, or never if it is 0."""
        self._call("set_period", ctypes.c_uint64(period_ns))

    def save(self):
        """Write the samples to a new file; returns its path, and the mappings of the process.

        The file is in the folder for temporary files, which ends with the trial.
        """
        path = os.path.join(tempfile.gettempdir(), "ftbench-samples")
        self._call("save", os.fsencode(path))
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            return path, file.read()

    def resolve(self, addresses, code):
        """The object at each address, and the function of each code object; None if unknown."""
        return objects.resolve(addresses, code, self._roots, self._before, self._layout)

    def _call(self, function, *arguments):
        error = getattr(self._library, "ftbench_sampler_" + function)(*arguments)
        if error == errno.EBUSY:
            raise ContractError("it handles SIGPROF, the signal with which workers are sampled")
        if error:
            raise _failed(f"'{function}' failed: {os.strerror(error)}")


def _failed(error):
    """The failure of a sampler for which the workload is not to blame."""
    return Failed(Failure("sampler", FAILED, error, ""))


def _frames():
    """The offsets by which frames are found, or None if they are unknown or wrong."""
    places = _PLACES.get(sys.version_info[:2])
    if places is None:
        return None
    start = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    if ctypes.string_at(start, len(_COOKIE)) != _COOKIE:
        return None
    offsets = _Frames(*(objects.word(start + 8 * place) for place in places))
    # Struct members, so a table of another version is not taken for offsets.
    if not all(0 <= offset < 4096 and offset % 8 == 0 for offset in offsets):
        return None
    return offsets if _describe_this_call(offsets) else None


def _describe_this_call(offsets):
    """Whether these offsets lead to the code of this function and of its caller."""
    get_state = ctypes.pythonapi.PyThreadState_GetUnchecked
    get_state.restype = ctypes.c_void_p
    # Not by a function, whose frame would be the current one.
    word = ctypes.c_uint64.from_address
    frame = word(get_state() + offsets.current_frame).value
    found = []
    while frame and len(found) < 2:
        found.append(word(frame + offsets.executable).value & ~7)
        frame = word(frame + offsets.previous).value
    return found == [id(_describe_this_call.__code__), id(_frames.__code__)]
