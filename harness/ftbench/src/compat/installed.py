"""Writes what the packages of the Python that runs this contain to the named file, as JSON."""

import importlib.machinery
import importlib.metadata
import json
import pathlib
import sys

SUFFIXES = importlib.machinery.EXTENSION_SUFFIXES
FREE_THREADING = "Programming Language :: Python :: Free Threading :: "
SKIPPED = {"__main__", "conftest", "setup", "test", "tests"}
# Labels of addresses, without spaces and punctuation, in order of preference.
TRACKERS = ("issues", "issue", "tracker", "bugtracker", "issuetracker", "bugs", "bugreports")
SOURCES = ("source", "sourcecode", "repository", "github", "code", "homepage", "home")


def module_of(file):
    """The name of the module in a file, in parts; None if there is none."""
    name = file.name
    if name.endswith(".py"):
        stem = name[: -len(".py")]
    else:
        suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
        if suffix is None:
            return None
        stem = name[: -len(suffix)]
    parts = [*file.parent.parts, stem]
    if parts[-1] == "__init__":
        parts.pop()
    is_module = all(part.isidentifier() and part not in SKIPPED for part in parts)
    return tuple(parts) if parts and is_module else None


def modules_of(files):
    """Its modules: those that no other one contains, and all of them."""
    every = sorted({module for module in map(module_of, files) if module})
    found = set(every)
    # The folder of a namespace package has no module of its own.
    top = [one for one in every if not any(one[:n] in found for n in range(1, len(one)))]
    public = [one for one in top if not one[0].startswith("__")]
    return public, every


def is_foreign(file):
    """Whether a file is an extension module that this build does not load."""
    return file.name.endswith(".so") and ".cpython-" in file.name and module_of(file) is None


def addresses(metadata):
    """Addresses by their labels."""
    found = {}
    for line in metadata.get_all("Project-URL") or []:
        label, _, address = line.partition(",")
        found["".join(filter(str.isalpha, label.lower()))] = address.strip()
    return found


def tracker(metadata):
    """Where bugs are reported, if the metadata says so."""
    found = addresses(metadata)
    for label in TRACKERS:
        if label in found:
            return found[label]
    for label in SOURCES:
        address = found.get(label, "").rstrip("/")
        if address.startswith("https://github.com/") and address.count("/") == 4:
            return address + "/issues"
    return None


def facts(package):
    """What a package contains."""
    metadata = package.metadata
    files = [pathlib.PurePosixPath(file) for file in package.files or []]
    top, every = modules_of(file for file in files if ".." not in file.parts)
    classifiers = metadata.get_all("Classifier") or []
    levels = [one[len(FREE_THREADING) :] for one in classifiers if one.startswith(FREE_THREADING)]
    wheel = (package.read_text("WHEEL") or "").splitlines()
    return {
        "name": metadata["Name"],
        "version": package.version,
        "modules": [".".join(module) for module in top],
        "all_modules": [".".join(module) for module in every],
        "foreign_extensions": [str(file) for file in files if is_foreign(file)],
        "classifier": levels[0] if levels else None,
        "tracker": tracker(metadata),
        "tags": [line.partition(":")[2].strip() for line in wheel if line.startswith("Tag:")],
    }


def main():
    """Writes the packages."""
    found = [facts(package) for package in importlib.metadata.distributions()]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(found, file)


main()
