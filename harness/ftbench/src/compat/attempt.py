"""Imports modules, or calls something, and writes what happened to a file, as JSON.

Its argument is an object of JSON: `modules` to import by `threads` threads at once, or a `call` to
make in one thread and then for `seconds` in `threads` threads; `path` of the file; `limit_s`.
"""

import faulthandler
import importlib
import json
import os
import resource
import sys
import sysconfig
import threading
import time
import warnings

GIL = "The global interpreter lock (GIL) has been enabled to load module '"
# The identifier of the slot, before and since CPython 3.15 (Include/slots_generated.h there).
PY_MOD_GIL = (4, 87)
MAX_WARNINGS = 20
MAX_SLOTS = 1000


def is_gil_enabled():
    """Whether the GIL is on."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def in_threads(threads, target):
    """Runs target(number) in threads that start together, and raises the first exception."""
    barrier = threading.Barrier(threads)
    errors = []

    def run(number):
        barrier.wait()
        try:
            target(number)
        except BaseException as error:  # what a module raises, SystemExit included
            errors.append(error)

    started = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if errors:
        raise errors[0]


def import_all(modules, threads):
    """Imports modules: each thread all of them, in its own order."""

    def target(number):
        start = number % max(1, len(modules))
        for module in modules[start:] + modules[:start]:
            importlib.import_module(module)

    if threads == 1:
        target(0)
    else:
        in_threads(threads, target)


def resolved(call):
    """A function without arguments that evaluates the call, with the modules that it names."""
    code = compile(call, "<call>", "eval")
    names = {}
    root = call.split("(")[0].strip().split(".")[0]
    if root.isidentifier() and not hasattr(__builtins__, root):
        names[root] = importlib.import_module(root)
    # 'a.b.c(x)' may name a submodule that 'import a' does not load.
    dotted = call.split("(")[0].strip().split(".")
    for end in range(2, len(dotted)):
        try:
            importlib.import_module(".".join(dotted[:end]))
        except ImportError:
            break
    return lambda: eval(code, dict(names))


def stress(call, threads, seconds):
    """Calls in one thread, then in several, and counts calls and results that differ."""
    function = resolved(call)
    expected = repr(function())
    if repr(function()) != expected:
        raise ValueError("one thread alone gets another result each time: " + expected[:200])
    counts = [0] * threads
    wrong = [0] * threads
    example = []
    end = time.monotonic() + seconds

    def target(number):
        while time.monotonic() < end:
            counts[number] += 1
            result = repr(function())
            if result != expected:
                wrong[number] += 1
                example.append(result[:200])

    in_threads(threads, target)
    return {
        "calls": sum(counts),
        "wrong": sum(wrong),
        "example": example[:1],
        "expected": expected[:200],
    }


def declaration(module):
    """What an extension module declares about the GIL."""
    import ctypes

    pointer, size = ctypes.c_void_p, ctypes.sizeof(ctypes.c_void_p)
    get_def = ctypes.pythonapi.PyModule_GetDef
    get_def.restype, get_def.argtypes = pointer, [ctypes.py_object]
    definition = get_def(module)
    if not definition:
        return "unknown"
    # PyModuleDef: an object's header, m_init, m_index, m_copy, m_name, m_doc, m_size, m_methods,
    # m_slots (Include/moduleobject.h).
    address = definition + object.__basicsize__ + 7 * size
    slots = pointer.from_address(address).value
    if not slots:
        return "unknown"  # single-phase initialisation
    for index in range(MAX_SLOTS):
        slot = slots + index * 2 * size
        identifier = ctypes.c_int.from_address(slot).value
        if identifier == 0:
            return "nothing"
        if identifier in PY_MOD_GIL:
            return "not_needed" if pointer.from_address(slot + size).value == 1 else "needed"
    return "unknown"


def extensions():
    """The loaded extension modules of packages, with their declarations."""
    folders = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(getattr(module, "__spec__", None), "origin", None) or ""
        if not (isinstance(file, str) and file.startswith(folders) and file.endswith(".so")):
            continue
        try:
            declared = declaration(module)
        except Exception:  # a build without ctypes, or a module that replaced itself
            declared = "unknown"
        found.append({"module": name, "gil": declared})
    return found


def main():
    """Does what it is asked to, and writes the outcome."""
    request = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.dump_traceback_later(max(0.1, request["limit_s"] - 1.0))
    sys.argv = [""]
    outcome = {"gil_before": is_gil_enabled()}
    call = request.get("call")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if call is None:
                import_all(request["modules"], request["threads"])
            else:
                outcome.update(stress(call, request["threads"], request["seconds"]))
        except BaseException as error:  # a module may raise anything, SystemExit included
            message = " ".join(str(error).split())
            outcome["error"] = type(error).__name__ + (": " + message if message else "")
            import traceback

            traceback.print_exc()
    outcome["gil_after"] = is_gil_enabled()
    messages = [str(warning.message) for warning in caught]
    names = [text[len(GIL) :].partition("'")[0] for text in messages if text.startswith(GIL)]
    outcome["gil_enabled_by"] = names
    kept = [text for text in messages if not text.startswith(GIL)]
    outcome["warnings"] = list(dict.fromkeys(kept))[:MAX_WARNINGS]
    outcome["extensions"] = extensions() if call is None else []
    partial = request["path"] + ".part"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    os.replace(partial, request["path"])


main()
