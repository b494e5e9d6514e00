"""What the scripts that show ftbench's promises have in common: running commands, and telling."""

import os
import subprocess
import sys
import time


def output_of(command, allowed=(0,)):
    """What a command prints; the script ends when its status is none of the allowed ones."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(str(word) for word in command)} failed:\n{done.stderr.strip()}")
    return done.stdout


def measured(command):
    """Seconds and peak memory (bytes) of a command."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def say(text):
    """Tell how it goes, beside what is printed."""
    print(text, file=sys.stderr, flush=True)


def print_table(rows):
    """Print rows in markdown, the first as the head."""
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if number == 0:
            print("|" + " --- |" * len(row))
