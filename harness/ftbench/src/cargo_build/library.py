# Reports what ftbench needs to build native code against the interpreter that runs this script, as
# one line of JSON after a marker.
import json
import os
import shlex
import sys
import sysconfig

value = sysconfig.get_config_var


def existing(folders, names):
    """Return the first file that exists."""
    paths = [os.path.join(folder, name) for name in names if name for folder in folders if folder]
    return next((path for path in paths if os.path.isfile(path)), None)


def words(*keys):
    """Return linker arguments without libraries in CPython's build folder, which is gone."""
    found = [word for key in keys for word in shlex.split(value(key) or "")]
    return [word for word in found if not word.endswith(".a") or os.path.isfile(word)]


folders = [value("LIBPL"), value("LIBDIR")]
version = "python{}{}".format(value("VERSION"), getattr(sys, "abiflags", ""))
answer = {
    "executable": sys.executable,
    "version_text": sys.version,
    "minor_version": list(sys.version_info[:2]),
    "pointer_width": 64 if sys.maxsize > 2**32 else 32,
    "free_threaded": bool(value("Py_GIL_DISABLED")),
    "debug": bool(value("Py_DEBUG")),
    "extension_suffix": value("EXT_SUFFIX"),
    "archive": existing(folders, [value("LIBRARY"), f"lib{version}.a"]),
    "shared_library": existing(
        [value("LIBDIR")],
        [
            name
            for name in (value("INSTSONAME"), value("LDLIBRARY"), f"lib{version}.so")
            if name and ".so" in name
        ],
    ),
    "searched": value("LIBDIR"),
    "link_words": words("LINKFORSHARED", "LIBS", "MODLIBS", "SYSLIBS"),
}
sys.stdout.write("\nftbench-library " + json.dumps(answer) + "\n")
sys.stdout.flush()
