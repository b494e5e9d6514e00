"""Finds workload files that cannot define `work`, without running them. Prints JSON after a mark.

The arguments are pairs of a path and a case. The case is empty for a file without cases.
"""

import ast
import json
import os
import sys

# Names through which a module may get functions that do not appear in its source.
DYNAMIC_NAMES = {
    "*",
    "__dict__",
    "__getattr__",
    "eval",
    "exec",
    "globals",
    "locals",
    "modules",
    "setattr",
    "vars",
}


def may_define(tree, wanted):
    """Return whether a module may have one of these names after it has been imported."""
    for node in ast.walk(tree):
        mentioned = {getattr(node, key, None) for key in ("id", "attr", "name")}
        if not mentioned.isdisjoint(DYNAMIC_NAMES):
            return True
        if isinstance(node, ast.Global) and not wanted.isdisjoint(node.names):
            return True
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if bound_name(node) in wanted:
                return True
            # Names inside functions and classes are local to them.
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                waiting.append(node)
    return False


def bound_name(node):
    """Return the name that a node binds; None if it binds none."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    # For imports, functions, classes, `except` and the patterns of `match`.
    found = (getattr(node, key, None) for key in ("asname", "name", "rest"))
    return next((name.partition(".")[0] for name in found if name), None)


def fault(path, case):
    """Return what is wrong with a file; None if nothing is wrong or it is not known."""
    wanted = {"work", "work_async"}
    if case:
        wanted |= {f"{name}_{case}" for name in wanted}
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except SyntaxError as error:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return None
    if may_define(tree, wanted):
        return None
    return f"{os.path.basename(path)} defines no function 'work'"


words = sys.argv[1:]
faults = [fault(path, case) for path, case in zip(words[::2], words[1::2])]
sys.stdout.write("\nftbench-contract " + json.dumps(faults) + "\n")
