"""Parts of synthetic runs, with as many fields as those of real runs."""


def interpreter(tag):
    """The record of an interpreter."""
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
    """The record of a workload."""
    return {
        "name": name,
        "kind": "cpu",
        "summary": "synthetic",
        "models": [],
        "dependencies": [],
        "path": f"/workloads/{name}.py",
        "sha256": "0" * 64,
        "units": 128,
    }


def machine(cores):
    """The record of a machine with this number of cores."""
    return {
        "hostname": "synthetic",
        "cpu_model": f"Synthetic {cores}-core processor",
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
