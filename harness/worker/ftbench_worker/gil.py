"""Whether the GIL is on in this process, and which module switched it on.

A free-threaded build starts without the GIL. Importing an extension module that does not declare
itself safe (`Py_mod_gil`) switches it on permanently; CPython then emits a RuntimeWarning, which is
the only place where it names the module.
"""

import re
import sys
import warnings

# Python/import.c, `_PyImport_EnableGILAndWarn`.
_WARNING = "The global interpreter lock (GIL) has been enabled to load module '"

_enabled_by = None
_watching = False


def watch():
    """Start to record the module named in the warning. Other warnings are shown as usual."""
    global _watching
    if _watching:
        return
    _watching = True
    show_other = warnings.showwarning

    def show(message, category, *where, **more):
        global _enabled_by
        text = str(message)
        if not text.startswith(_WARNING):
            show_other(message, category, *where, **more)
        elif _enabled_by is None:
            _enabled_by = text[len(_WARNING) :].partition("'")[0]

    warnings.showwarning = show
    warnings.filterwarnings("always", message=re.escape(_WARNING), category=RuntimeWarning)


def enabled():
    """Whether the GIL is on. It always is on interpreters without `sys._is_gil_enabled`."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return True if is_enabled is None else is_enabled()


def enabled_by():
    """Name of the module that switched the GIL on; None when none did."""
    return _enabled_by
