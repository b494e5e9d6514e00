"""Parts of synthetic runs, with as many fields as those of real runs."""

INTERPRETERS = ("3.13", "3.13t", "3.14", "3.14t")
MODELS = ("threads", "processes")
WORKERS = (1, 2, 4, 8)


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


def keys(cells):
    """The keys of this many cells: workload, interpreter, model and workers."""
    wanted = []
    number = 0
    while True:
        name = f"workload_{number:02}"
        for tag in (*INTERPRETERS, "native"):
            for model in MODELS if tag != "native" else ("threads",):
                for workers in WORKERS:
                    wanted.append((name, tag, model, workers))
                    if len(wanted) == cells:
                        return wanted
        number += 1


def estimate(value, share=0.01):
    """A value with an interval of this share of it on either side."""
    return {"estimate": value, "low": value * (1 - share), "high": value * (1 + share)}


def place(key):
    """The part of a cell that a plan has: which one it is, and its placement."""
    name, tag, model, workers = key
    return {
        "interpreter": tag,
        "host": "spawn",
        "workload": name,
        "model": model,
        "workers": workers,
        "placement": list(range(workers)),
    }


def cell(key, factor):
    """A cell of a summary, whose times are multiplied by the factor."""
    _, tag, _, workers = key
    native = tag == "native"
    return {
        **place(key),
        "gil": None if native else ("off" if tag.endswith("t") else "on"),
        "status": "ok",
        "reason": None,
        "rounds": 10,
        "samples": 60,
        "units": 128,
        "makespan_s": estimate(0.1 / workers * factor),
        "speedup": estimate(float(workers)),
        "speedup_difference": {"p_value": 1.0560019911124484e-09, "differs": workers > 1},
        "vs_baseline": estimate(workers * 0.93),
        "vs_baseline_difference": {"p_value": 1.0560019911124484e-09, "differs": True},
        "efficiency": estimate(0.97),
        "ceiling_fraction": estimate(0.96),
        "busy_fraction": estimate(0.9989738250541969),
        "startup_s": estimate(0.00612),
        "start_skew_s": estimate(8.12e-05),
        "rss_peak_bytes": estimate(15_032_320.0),
        "pss_peak_bytes": estimate(13_234_176.0),
        "noise": estimate(0.0123),
        "disturbed_samples": 2,
        "cpu_utilisation": estimate(0.98123),
        "cpu_time_s": estimate(0.0991),
        "voluntary_switches": estimate(4.0),
        "involuntary_switches": estimate(9.0),
        "minor_faults": estimate(11.0),
        "major_faults": estimate(0.0),
    }
