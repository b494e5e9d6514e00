"""Shared by the scripts that prove ftbench's promises: running commands and printing results."""

import os
import subprocess
import sys
import time


def output_of(command, allowed=(0,)):
    """The stdout of a command. Exits the script when the command's status is not allowed."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(str(word) for word in command)} failed:\n{done.stderr.strip()}")
    return done.stdout


def measured(command):
    """Run time (seconds) and peak memory (bytes) of a command."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def say(text):
    """Print progress to stderr."""
    print(text, file=sys.stderr, flush=True)


def print_table(rows):
    """Print rows as a Markdown table, the first as its header."""
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if number == 0:
            print("|" + " --- |" * len(row))
