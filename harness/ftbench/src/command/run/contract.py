"""Finds out what `work` is in workload files, without running them. Prints JSON after a mark.

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


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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


def takes_workers(tree, names):
    """Return whether the last function with one of these names has a third parameter `workers`."""
    found = False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            parameters = [*node.args.posonlyargs, *node.args.args]
            found = any(parameter.arg == "workers" for parameter in parameters[2:])
    return found


def what_it_is(tree, module):
    """Return what a file without `work` seems to be, and how to measure it; None if unknown."""
    functions = [node for node in tree.body if isinstance(node, FUNCTIONS)]
    if any(does_something(node, functions) for node in tree.body) or not functions:
        return f"a script; measure it whole with --command '{{python}} {module}.py'"
    if all(function.name.startswith("test") for function in functions):
        return "tests for pytest, none of which has the fixture 'benchmark' or is marked with it"
    return f"a module; {call_of(module, functions)}"


def does_something(node, functions):
    """Return whether a statement asks for `__name__`, or calls one of the functions."""
    if isinstance(node, ast.If) and names_main(node):
        return True
    call = node.value if isinstance(node, ast.Expr) else None
    called = getattr(getattr(call, "func", None), "id", None)
    return called in {function.name for function in functions}


def names_main(node):
    """Return whether an `if` asks for `__name__`."""
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))


def call_of(module, functions):
    """Return the options that measure one of the functions."""
    plain = [one for one in functions if not one.name.startswith(("_", "test"))]
    # One without parameters can be called as it is.
    plain.sort(key=lambda one: len(one.args.args))
    name = plain[0].name if plain else "NAME"
    parameters = plain[0].args.args if plain else []
    call = f"{name}({', '.join(parameter.arg.upper() for parameter in parameters)})"
    return f"measure a call with --call '{call}' --setup 'from {module} import {name}'"


def contract(path, case):
    """Return what is wrong with a file, what it is instead, and whether `work` takes workers."""
    work = f"work_{case}" if case else "work"
    wanted = {"work", "work_async", work, f"work_async_{case}"}
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except SyntaxError as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    except Exception:
        return {}
    if may_define(tree, wanted):
        return {"takes_workers": takes_workers(tree, {work})}
    name = os.path.basename(path)
    kind = what_it_is(tree, os.path.splitext(name)[0])
    return {"fault": f"{name} defines no function 'work'", "hint": f"it looks like {kind}"}


words = sys.argv[1:]
contracts = [contract(path, case) for path, case in zip(words[::2], words[1::2])]
sys.stdout.write("\nftbench-contract " + json.dumps(contracts) + "\n")
