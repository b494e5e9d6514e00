#!/usr/bin/env python3
"""Finds import cycles in the crates and the worker, and imports against the flow of a run.

Files that import each other in a cycle can only be read together. `use` items and paths in the code
count; `mod` declarations, `use super::*` and code for tests do not. Prints each cycle with the
imports that form it. Exit status: 0 no findings, 1 a cycle, an import of a later stage of a run, or
a use of clap outside the command line.
"""

import pathlib
import re
import sys

HARNESS = pathlib.Path(__file__).resolve().parent.parent / "harness"
# No stage of the program imports a later one.
STAGES = ("plan", "measure", "record", "terminal", "command")
# The only files that may use clap.
MAY_USE_CLAP = ("ftbench/src/cli/", "ftbench/src/command/", "ftbench/src/main.rs")

PATH = re.compile(r"(?<![\w:$])(crate|(?:super::)+super|super|self)((?:::\w+)+)(::\{)?")


def code_of(text):
    """The source without comments and without items that are compiled for tests only."""
    text = re.sub(r"//[^\n]*", "", text)
    lines, kept, skipping = text.split("\n"), [], None
    for line in lines:
        stripped, indent = line.strip(), len(line) - len(line.lstrip())
        if skipping is not None:
            # The item ends with a brace or a semicolon at its own indentation.
            if (
                indent == skipping
                and not stripped.startswith("#")
                and stripped.endswith(("}", ";"))
            ):
                skipping = None
            continue
        if stripped.startswith("#[cfg(") and "test" in stripped:
            skipping = indent
            continue
        kept.append(line)
    return "\n".join(kept)


def files_for_tests(path, text):
    """The files of the `#[cfg(test)]` modules of this file."""
    inner = path.parent if path.stem in ("lib", "main", "mod") else path.with_suffix("")
    for item in re.finditer(
        r"#\[cfg\(test\)\]((?:\s*#\[[^\]]*\])*)\s*(?:pub(?:\([^)]*\))? )?mod (\w+);", text
    ):
        named = re.search(r'path = "([^"]+)"', item[1])
        yield path.parent / named[1] if named else inner / f"{item[2]}.rs"


def paths_in(code):
    """Every path that begins with `crate`, `super` or `self`, as a list of names."""
    for found in PATH.finditer(code):
        base = found[0].removesuffix("::{").split("::")
        if found[3] is None:
            yield base
            continue
        depth, end = 1, found.end()
        while depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        yield from (base + rest for rest in in_braces(code[found.end() : end - 1]))


def in_braces(text):
    parts, depth, part = [], 0, ""
    for char in text + ",":
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    for part in filter(None, parts):
        name, brace, rest = part.partition("::{")
        names = name.split(" as ")[0].split("::")
        if brace:
            yield from (names + inner for inner in in_braces(rest.rstrip().removesuffix("}")))
        else:
            yield names


def module_of(source, path):
    names = list(path.relative_to(source).with_suffix("").parts)
    return tuple(names[:-1] if names[-1] in ("lib", "main", "mod") else names)


def imports_of(source):
    """The files that each file below `source` imports."""
    texts = {path: path.read_text() for path in source.rglob("*.rs")}
    for_tests = {test for path, text in texts.items() for test in files_for_tests(path, text)}
    texts = {
        path: text for path, text in texts.items() if path not in for_tests and path.stem != "main"
    }
    modules = {module_of(source, path): path for path in texts}
    found = {}
    for path, text in texts.items():
        here, targets = module_of(source, path), found.setdefault(path, set())
        for names in paths_in(code_of(text)):
            ups = sum(1 for name in names if name == "super")
            rest = [name for name in names if name not in ("crate", "super", "self")]
            if names[0] == "crate":
                module = ()
            elif names[0] == "self":
                module = here
            else:
                module = here[: len(here) - ups]
            if rest[:1] in ([], ["*"]):
                continue
            # The longest prefix that is a file; the rest names an item in it.
            for length in range(len(rest), -1, -1):
                target = modules.get((*module, *rest[:length]))
                if target:
                    if target != path and not (length == 0 and module == ()):
                        targets.add(target)
                    break
    return found


def imports_of_python(package):
    """The files that each file of a Python package imports, inside functions too."""
    from_package = re.compile(rf"^\s*from {package.name}(?:\.(\w+))? import (.*)$", re.MULTILINE)
    found = {}
    for path in package.glob("*.py"):
        imported = from_package.findall(path.read_text())
        names = {name for module, rest in imported for name in [module, *re.findall(r"\w+", rest)]}
        found[path] = {other for name in names if (other := package / f"{name}.py").is_file()}
    return found


def cycles(imports):
    """Strongly connected components of two files or more.

    Tarjan, "Depth-first search and linear graph algorithms", 1972.
    """
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in imports.get(node, ()):
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            component = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(component)

    for node in sorted(imports):
        if node not in order:
            visit(node)
    return found


def main():
    sys.setrecursionlimit(10_000)
    wrong = 0
    worker = HARNESS / "worker" / "ftbench_worker"
    for source in [worker, *sorted(HARNESS.glob("*/src"))]:
        imports = imports_of_python(source) if source == worker else imports_of(source)
        for component in cycles(imports):
            wrong += 1
            print(f"an import cycle of {len(component)} files:")
            for path in sorted(component):
                for other in sorted(imports[path] & component):
                    print(f"  {path.relative_to(HARNESS)} -> {other.relative_to(HARNESS)}")
        for path, others in sorted(imports.items()):
            stage = module_of(source, path)[:1]
            if source.parent.name == "ftbench" and stage and stage[0] in STAGES:
                later = STAGES[STAGES.index(stage[0]) + 1 :]
                for other in sorted(others):
                    if module_of(source, other)[:1] and module_of(source, other)[0] in later:
                        wrong += 1
                        print(f"against the flow: {path.relative_to(HARNESS)} -> {other.name}")
            name = path.relative_to(HARNESS).as_posix()
            if re.search(r"\bclap::", code_of(path.read_text())) and not name.startswith(
                MAY_USE_CLAP
            ):
                wrong += 1
                print(f"clap is used outside the command line: {name}")
    print(f"{wrong} findings" if wrong else "no import cycles, and no imports against the flow")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
