"""The thread pools of native libraries in this process, as threadpoolctl reports them.

Reads only from libraries that are already loaded. Libraries that are part of an extension module,
such as rayon, have no functions that could be called.
"""

import contextlib
import os

# For each library: how its file's name begins, and functions of which the first one that exists
# returns the number of threads. Builds of OpenBLAS in wheels have a prefix, and those with integers
# of 64 bits a suffix.
_OPENBLAS = [f"{p}openblas_get_num_threads{s}" for p in ("scipy_", "") for s in ("64_", "_64", "")]
_LIBRARIES = {
    "openblas": (("libopenblas", "libscipy_openblas", "libblas"), _OPENBLAS),
    "mkl": (("libmkl_rt",), ["MKL_Get_Max_Threads"]),
    "blis": (("libblis",), ["bli_thread_get_num_threads"]),
    "openmp": (("libgomp", "libomp", "libiomp"), ["omp_get_max_threads"]),
}

# Functions of a library's pool that return its version as text: in place of this end, another.
_COUNT = "get_num_threads"
_VERSIONS = {
    "openblas": (_COUNT, "get_config"),
    "blis": (f"thread_{_COUNT}", "info_get_version_str"),
}


def thread_pools():
    """The library, its file's name, its version if it has one, and its number of threads, of each.

    A library that does not answer is left out.
    """
    found = []
    for path in _mapped_files():
        file = os.path.basename(path)
        for library, (beginnings, functions) in _LIBRARIES.items():
            if file.startswith(beginnings):
                with contextlib.suppress(Exception):
                    threads, version = _asked(library, path, functions)
                    pool = {"library": library, "file": file, "version": version}
                    found.append({**pool, "threads": threads})
    return found


def _mapped_files():
    """Paths of the files that are mapped into this process, each once."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            lines = (line.rstrip("\n").split(maxsplit=5) for line in maps)
            return list(dict.fromkeys(words[5] for words in lines if len(words) == 6))
    except OSError:
        return []


def _asked(library, path, functions):
    """The number of threads and the version that a loaded library reports."""
    import ctypes  # too slow to import for trials without such a library

    loaded = ctypes.CDLL(path, mode=os.RTLD_NOLOAD)
    name = next(name for name in functions if hasattr(loaded, name))
    threads = getattr(loaded, name)()
    if threads < 1:
        raise ValueError(threads)
    version = None
    if library in _VERSIONS:
        get_version = getattr(loaded, name.replace(*_VERSIONS[library]))
        get_version.restype = ctypes.c_char_p
        words = get_version().decode("ascii", "replace").split()
        # OpenBLAS reports its options too.
        version = next((word for word in words if word[:1].isdigit()), None)
    return threads, version
