#!/usr/bin/env python3
"""Writes the table of well-known packages in docs/compat.md, and checks it against the index.

    scripts/compat-table.py [--ftbench PATH] -p TAG|PATH [-p TAG|PATH ...] [--print]

Runs `ftbench compat` on the packages below, twice, to show what the second call takes, and then
looks up the files of each package on the index and decides with the interpreter's own list of tags
(packaging.tags, from the pip that ensurepip bundles) whether one of the resolved version fits.
Exit status 1 when ftbench and the index disagree, or a process is left behind.
"""

import argparse
import concurrent.futures
import datetime
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compat.md"
BEGIN, END = "<!-- table: scripts/compat-table.py -->", "<!-- end of table -->"
INDEX = "https://pypi.org/simple"
HAVE_WHEEL = {"build_wheel", "stable_abi_wheel", "independent_wheel"}

# Stacks that people ask about, then packages with extension modules.
PACKAGES = [
    "fastapi",
    "uvicorn[standard]",
    "django",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "aiohttp",
    "asyncpg",
    "bcrypt",
    "brotli",
    "cffi",
    "contourpy",
    "cryptography",
    "cython",
    "duckdb",
    "frozenlist",
    "gevent",
    "greenlet",
    "grpcio",
    "h5py",
    "hiredis",
    "httptools",
    "jinja2",
    "kiwisolver",
    "lxml",
    "lz4",
    "msgpack",
    "multidict",
    "numba",
    "numpy",
    "orjson",
    "pillow",
    "polars",
    "protobuf",
    "psutil",
    "psycopg[binary]",
    "pyarrow",
    "pycares",
    "pydantic",
    "pynacl",
    "pyyaml",
    "pyzmq",
    "rapidfuzz",
    "regex",
    "safetensors",
    "scipy",
    "shapely",
    "simplejson",
    "sqlalchemy",
    "tiktoken",
    "tokenizers",
    "tornado",
    "ujson",
    "uvloop",
    "wrapt",
    "xxhash",
    "zstandard",
]

PRINT_TAGS = """
import ensurepip, glob, os, sys
folder = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
sys.path.insert(0, glob.glob(os.path.join(folder, "pip-*.whl"))[0])
from pip._vendor.packaging.tags import sys_tags
print("\\n".join(map(str, sys_tags())))
"""


def compat(ftbench, pythons, *more):
    """Runs ftbench; returns its answer and the seconds that it took."""
    command = [ftbench, "compat", *PACKAGES, "-p", ",".join(pythons), "--stress=1", "--quiet"]
    started = time.monotonic()
    made = subprocess.run(
        [*command, *more, "--format", "json"], stdout=subprocess.PIPE, check=False
    )
    if made.returncode not in (0, 1):
        sys.exit(f"ftbench compat exits with {made.returncode}")
    return json.loads(made.stdout), time.monotonic() - started


def paths_of(ftbench, result):
    """The executable of each build."""
    listed = subprocess.run(
        [ftbench, "python", "list", "--format", "json"], stdout=subprocess.PIPE, check=True
    )
    facts = json.loads(listed.stdout)
    wanted = {
        (build["version"], build["free_threaded"]): build["tag"] for build in result["builds"]
    }
    found = {}
    for one in facts:
        tag = wanted.get((one["version"], one["free_threaded"]))
        if tag is not None:
            found.setdefault(tag, one["path"])
    return found


def files_of(name):
    """The names of a package's files on the index."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    request = urllib.request.Request(f"{INDEX}/{name}/", headers=accept)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return name, [file["filename"] for file in json.load(answer)["files"]]


def fits(file, version, tags):
    """Whether a file is a wheel of this version with one of these tags."""
    parts = file[: -len(".whl")].split("-")
    if not file.endswith(".whl") or parts[1] != version:
        return False
    pythons, abis, platforms = (part.split(".") for part in parts[-3:])
    named = (f"{py}-{abi}-{where}" for py in pythons for abi in abis for where in platforms)
    return any(tag in tags for tag in named)


def disagreements(result, paths):
    """Packages of which ftbench and the index's files say different things."""
    names = [package["name"] for package in result["packages"]]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        files = dict(pool.map(files_of, names))
    compared, found = 0, []
    for tag, python in paths.items():
        printed = subprocess.run([python, "-c", PRINT_TAGS], stdout=subprocess.PIPE, check=True)
        tags = set(printed.stdout.decode().split())
        for package in result["packages"]:
            on = package["builds"].get(tag)
            if on is None:
                continue
            compared += 1
            has = any(fits(file, on["version"], tags) for file in files[package["name"]])
            if has != (on["distribution"] in HAVE_WHEEL):
                found.append(f"{package['name']} {on['version']} on {tag}: {on['distribution']}")
    return compared, found


def table(result):
    """The requested packages and those that block, as Markdown."""
    requested = {re.split(r"[\[=<>]", name)[0] for name in PACKAGES}
    builds = [build["tag"] for build in result["builds"]]
    versions = ", ".join(f"{build['tag']} is {build['version']}" for build in result["builds"])
    today = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [f"{today}, {result['platform']}; {versions}.", ""]
    lines.append("| package | version | " + " | ".join(builds) + " | declares |")
    lines.append("| --- | --- |" + " --- |" * (len(builds) + 1))
    for package in result["packages"]:
        if package["name"] not in requested and package["verdict"] == "no_blocker_found":
            continue
        cells = []
        for tag in builds:
            on = package["builds"].get(tag)
            if on is None:
                cells.append("not required")
                continue
            words = on["verdict"].replace("_", " ")
            calls = sum(call["calls"] for call in on.get("calls", []))
            because = on.get("blocked_by")
            cells.append(
                words
                + (f", because of {because}" if because else "")
                + (f", {calls:,} calls" if calls else "")
            )
        declared = [on.get("classifier") for on in package["builds"].values()]
        level = next((level for level in declared if level), "")
        version = package.get("version", "")
        lines.append(f"| {package['name']} | {version} | " + " | ".join(cells) + f" | {level} |")
    return "\n".join(lines)


def left_over():
    """Processes of ftbench's attempts that still run."""
    listed = subprocess.run(["ps", "-eo", "args"], stdout=subprocess.PIPE, check=True)
    return [line for line in listed.stdout.decode().splitlines() if "ftbench-compat-" in line]


def main():
    """Run, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", default=str(ROOT / "target/release/ftbench"))
    parser.add_argument("-p", "--python", action="append", required=True)
    parser.add_argument("--print", action="store_true", help="leave docs/compat.md as it is")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _, first_s = compat(arguments.ftbench, arguments.python, "--refresh", "--out", folder)
    result, second_s = compat(arguments.ftbench, arguments.python)
    peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(
        f"{len(result['packages'])} packages; first call {first_s:.0f} s, second {second_s:.0f} s"
    )
    print(f"largest process {peak_bytes / 2**20:.0f} MiB")
    compared, found = disagreements(result, paths_of(arguments.ftbench, result))
    print(f"{compared} compared with the files on the index, {len(found)} disagree")
    left = left_over()
    for line in [*found, *left]:
        print(f"  {line}")
    text = table(result)
    if arguments.print:
        print(text)
    else:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    sys.exit(1 if found or left else 0)


main()
