# Describes the interpreter that runs it to ftbench, in one line of JSON after a mark. It must run
# on every Python from 2.7 and 3.0 on, so that one that is too old can be reported as such.
import json
import platform
import sys

KEYS = (
    "CFLAGS",
    "CONFIGURE_CFLAGS_NODIST",
    "CONFIGURE_LDFLAGS_NODIST",
    "CONFIG_ARGS",
    "OPT",
    "PYTHONFRAMEWORK",
    "PY_CORE_CFLAGS",
    "Py_DEBUG",
    "Py_ENABLE_SHARED",
    "Py_GIL_DISABLED",
)


def configuration():
    # A stripped-down installation may lack the module that holds the values.
    try:
        import sysconfig

        return {key: sysconfig.get_config_var(key) for key in KEYS}
    except Exception:
        return {}


def shared_libraries():
    # sysconfig does not show this, because a distribution may ship a static executable beside a
    # shared libpython, both with the configuration of the latter. The mappings of this process do.
    # None where they cannot be read.
    try:
        with open("/proc/self/maps") as maps:
            paths = ["/" + line.rstrip("\n").partition("/")[2] for line in maps]
    except OSError:
        return None
    beginnings = ("libpython", "libpypy")
    return [path for path in paths if path.rsplit("/", 1)[-1].startswith(beginnings)]


def jit(question):
    # The answer of sys._jit; None before Python 3.14, which introduced it.
    try:
        return bool(getattr(sys._jit, question)())
    except AttributeError:
        return None


def jit_variable():
    import os

    # Before 3.14 the interpreter does not report what it made of this variable.
    return os.environ.get("PYTHON_JIT")


def real_executable():
    import os

    # In a virtual environment, the interpreter that the environment was made from.
    executable = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(executable) if executable else None


def flags():
    # Since Python 3.14.
    names = ("context_aware_warnings", "thread_inherit_context")
    return {name: bool(getattr(sys.flags, name)) for name in names if hasattr(sys.flags, name)}


def gc_thresholds():
    # PyPy has no such thresholds.
    import gc

    return list(gc.get_threshold()) if hasattr(gc, "get_threshold") else []


libraries = shared_libraries()
answer = {
    "implementation": platform.python_implementation(),
    "version": list(sys.version_info),
}
if sys.version_info >= (3, 9):  # noqa: UP036
    answer.update(
        abiflags=getattr(sys, "abiflags", ""),
        builtin_modules=[name for name in sys.builtin_module_names if name == "pypyjit"],
        compiler=platform.python_compiler(),
        configuration=configuration(),
        executable=real_executable(),
        flags=flags(),
        gc_thresholds=gc_thresholds(),
        gil_enabled=sys._is_gil_enabled() if hasattr(sys, "_is_gil_enabled") else True,
        jit_available=jit("is_available"),
        jit_enabled=jit("is_enabled"),
        jit_variable=jit_variable(),
        runs_shared_library=None if libraries is None else bool(libraries),
        shared_library=libraries[0] if libraries else None,
        version_text=sys.version,
    )
sys.stdout.write("\nftbench-probe " + json.dumps(answer) + "\n")
sys.stdout.flush()
