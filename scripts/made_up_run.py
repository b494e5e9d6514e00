"""Parts of made-up runs, as full as those of real ones."""


def interpreter(tag):
    """What is recorded of an interpreter."""
    free = tag.endswith("t")
    build = dict.fromkeys(("pgo", "lto", "jit", "debug", "shared"), False)
    return {
        "tag": tag,
        "path": f"/opt/{tag}/bin/python",
        "version": tag.rstrip("t") + ".2",
        "implementation": "CPython",
        "free_threaded": free,
        "gil": "off" if free else "on",
        "build": {**build, "compiler": "GCC 12.2.0", "optimisation": "-O3"},
    }


def workload(name):
    """What is recorded of a workload."""
    return {
        "name": name,
        "kind": "cpu",
        "summary": "made up",
        "models": [],
        "dependencies": [],
        "path": f"/workloads/{name}.py",
        "sha256": "0" * 64,
        "units": 128,
    }


def machine(cores):
    """What is recorded of a machine with so many cores."""
    return {
        "hostname": "made-up",
        "cpu_model": f"Made-up {cores}-core processor",
        "os": "none",
        "kernel": "0",
        "architecture": "x86_64",
        "memory_bytes": 1 << 36,
        "cpu_quota": None,
        "topology": {
            "packages": 1,
            "numa_nodes": 1,
            "cores": cores,
            "pus": cores,
            "allowed_pus": list(range(cores)),
        },
    }
