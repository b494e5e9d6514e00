"""Says which workload files cannot define `work`, without running them: JSON behind a mark.

The arguments are pairs of a path and a case, which is empty for a file without cases.
"""

import ast
import json
import os
import sys

# By these a module may get functions that its text does not show.
UNSEEN = {
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
    """Whether a module may have one of these names when it has been imported."""
    for node in ast.walk(tree):
        mentioned = {getattr(node, key, None) for key in ("id", "attr", "name")}
        if not mentioned.isdisjoint(UNSEEN):
            return True
        if isinstance(node, ast.Global) and not wanted.isdisjoint(node.names):
            return True
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if bound_name(node) in wanted:
                return True
            # Their own names are local to them.
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                waiting.append(node)
    return False


def bound_name(node):
    """The name that a node gives to something; None if it gives none."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    # Of imports, functions, classes, `except` and the patterns of `match`.
    found = (getattr(node, key, None) for key in ("asname", "name", "rest"))
    return next((name.partition(".")[0] for name in found if name), None)


def fault(path, case):
    """What is wrong with a file; None if nothing can be said."""
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
