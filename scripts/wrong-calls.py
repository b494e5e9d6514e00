#!/usr/bin/env python3
"""Shows what ftbench prints for calls with mistakes that people typically make.

    scripts/wrong-calls.py [--ftbench PATH] [-p TAG] [--only WORD]

Makes each call in a temporary folder, which has a run called good, and prints it with ftbench's
exit status and answer. Exit status 1 when an answer has a panic or a traceback of ftbench's own
code, another exit status than expected, or none of the words that explain it.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Make a call short. The tag is inserted.
SHORT = "--profile quick --rounds 1 --samples 2 --no-ceiling --timeout 60 -p"

FILES = {
    "fibo.py": """
def fibo(n):
    return n if n < 2 else fibo(n - 1) + fibo(n - 2)
""",
    "alone.py": """
def work(data, units, workers):
    return sum(number * number for number in range(units * 1000))
""",
    "app.py": """
total = sum(number * number for number in range(300_000))
""",
    "unguarded.py": """
import threading, time

def work(data, units):
    return sum(range(units * 1000))

time.sleep(0.3)
threading.Thread(target=threading.Event().wait, daemon=True).start()
""",
    "bench_pyperf.py": """
import pyperf

def tower():
    return sum(range(1000))

pyperf.Runner().bench_func("tower", tower)
""",
    "bench_asv.py": """
class Suite:
    def time_sum(self):
        sum(range(1000))
""",
    "test_sum.py": """
def test_sum(benchmark):
    benchmark(sum, range(1000))
""",
    "script.py": """
print(sum(range(1000)))
""",
    "broken.py": """
def work(data, units)
    return 1
""",
}

STDERR_GIGABYTE = "import sys; [sys.stderr.write('x' * (1 << 20)) for _ in range(1 << 10)]"

# What is wrong, the words of the call, the exit status, and words of the answer.
CALLS = [
    ("no such program", ["--command", "pythn3 app.py"], 2, "did you mean 'python3'"),
    ("ignores {workers}", ["--command", "{python} app.py", "-n", "1,2"], 0, "uses one PU"),
    ("misspells {workers}", ["--command", "{python} app.py {worker}"], 2, "did you mean 'workers'"),
    ("daemonises", ["--command", "sh -c 'setsid sleep 600 & exit 0'"], 1, "it started did not"),
    ("leaves a child", ["--command", "sh -c 'sleep 600 & exit 0'"], 1, "it started did not"),
    (
        "writes a gigabyte",
        ["--command", f'{{python}} -c "{STDERR_GIGABYTE}"'],
        1,
        "--output-limit",
    ),
    ("fails", ["--command", "sh -c 'exit 3'"], 1, "ended with exit status 3"),
    ("prints other text", ["--command", "echo no", "--expect-output", "yes"], 1, "it printed 'no"),
    ("the call raises", ["--call", "1 / 0"], 1, "ZeroDivisionError"),
    ("a name is missing", ["--call", "fibo(9)"], 1, "--setup"),
    ("the call is not Python", ["--call", "fibo(9"], 1, "SyntaxError"),
    ("the setup is not Python", ["--call", "f()", "--setup", "import"], 1, "SyntaxError"),
    ("the setup fails", ["--call", "f()", "--setup", "from fib import f"], 1, "No module named"),
    (
        "changes its input, which cannot be detected",
        ["--call", "data.sort()", "--setup", "data = list(range(1000, 0, -1))"],
        0,
        "data.sort()",
    ),
    ("internal on one thread", ["alone.py", "-m", "internal", "-n", "1,2"], 0, "uses one PU"),
    ("a script without a guard", ["unguarded.py", "-m", "serial"], 0, "if __name__ == '__main__':"),
    ("a pyperf benchmark that is missing", ["bench_pyperf.py::towr"], 1, "it has tower"),
    ("an asv benchmark that is missing", ["bench_asv.py::time_off"], 2, "bench_asv.py"),
    ("a test without pytest", ["test_sum.py"], 2, "--with pytest"),
    ("a plain script", ["script.py"], 1, "--command '{python} script.py'"),
    ("a module", ["fibo.py"], 1, "--call 'fibo(N)' --setup 'from fibo import fibo'"),
    ("a file that is not Python", ["broken.py"], 1, "SyntaxError"),
    ("no such file", ["nowhere.py"], 2, "nowhere.py"),
    ("a case as pytest names it", ["alone.py::work"], 2, "alone.py"),
    ("a callable without function", ["--callable", "fibo"], 2, "package.module:function"),
    ("a callable that is missing", ["--callable", "fibo:fib"], 1, "has no attribute 'fib'"),
    ("a misspelt option", ["fib", "--worker", "2"], 2, "--workers"),
    ("a misspelt model", ["fib", "-m", "thread"], 2, "threads"),
    ("a misspelt workload", ["fibb"], 2, "fib"),
    ("an interpreter that does not exist", ["fib", "-p", "3.99"], 1, "up to 3.16"),
    ("a build that cannot exist", ["fib", "-p", "3.12t"], 2, "from 3.13 on"),
    ("a program that is not Python", ["fib", "-p", "/bin/ls"], 1, "/bin/ls"),
    ("a misspelt switch", ["fib", "-p", "3.13t+gill"], 2, "did you mean 'gil'"),
    ("a misspelt profile", ["fib", "--profile", "quik"], 2, "'quick'"),
    ("a misspelt policy", ["fib", "--pin", "core"], 2, "cores"),
    ("no workers", ["fib", "-n", "0"], 2, "smallest number is 1"),
    ("more workers than cores", ["fib", "-n", "4096"], 2, "4096"),
    ("a time without a unit", ["fib", "--budget", "5"], 2, "such as 90s"),
    ("a folder that is taken", ["fib", "--out", "good"], 2, "good"),
    ("a single arm", ["alone.py", "--arm", "base=alone.py"], 2, "the only arm"),
    ("a regex instead of a pattern", ["cpu/fi.*"], 2, "cpu/fi.*"),
    ("a misspelt command", ["rnu", "fib"], 2, "'run'"),
    ("a misspelt run", ["show", "goood"], 2, "'good'"),
    ("a folder that is not a run", ["show", "."], 2, "run.json"),
    ("a misspelt run to compare with", ["compare", "god", "good"], 2, "'good'"),
    ("an interpreter that a run lacks", ["show", "good#3.99"], 2, "it has"),
    ("an arm of a run without arms", ["compare", "good#base", "good#new"], 2, "it has"),
    ("a misspelt kind of chart", ["plot", "good", "--chart", "scalling"], 2, "'scaling'"),
    ("a misspelt workload of a run", ["plot", "good", "--workload", "fibb"], 2, "'fib'"),
    ("a picture of another format", ["plot", "good", "--out", "fib.gif"], 2, ".svg"),
    ("a misspelt format", ["export", "good", "--format", "pypref"], 2, "'pyperf'"),
]

# Commands that are called as they are; all other words are arguments of `ftbench run`.
COMMANDS = ("compare", "export", "plot", "rnu", "show")


def main():
    options = arguments()
    if not options.ftbench.exists():
        sys.exit(f"{options.ftbench} is not there; build it with 'make build', or give --ftbench")
    wrong = []
    with tempfile.TemporaryDirectory(prefix="ftbench-wrong-") as folder:
        for name, source in FILES.items():
            pathlib.Path(folder, name).write_text(source)
        make_run(options, folder)
        chosen = [call for call in CALLS if options.only in f"{call[0]} {call[1]}"]
        for number, (what, words, expected, explained) in enumerate(chosen):
            status, answer = answer_to(options, folder, number, words)
            command = "" if words[0] in COMMANDS else "run "
            print(
                f"# {what}\n$ ftbench {command}{shlex.join(words)}\n{answer}[{status}]\n",
                flush=True,
            )
            wrong += [f"{what}: {fault}" for fault in faults(status, answer, expected, explained)]
    if wrong:
        sys.exit("not as expected:\n" + "\n".join(wrong))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", type=pathlib.Path, default=ROOT / "target/release/ftbench")
    parser.add_argument("-p", "--python", default="3.13t", help="the interpreter to measure on")
    parser.add_argument("--only", default="", help="only calls that contain this")
    options = parser.parse_args()
    options.ftbench = options.ftbench.absolute()
    return options


def answer_to(options, folder, number, words):
    """The exit status and the answer: standard error, and what is not a table or about files."""
    if words[0] in COMMANDS:
        return call(options, folder, words)
    command = ["run", *SHORT.split()]
    # A call that names an interpreter or a value of its own has no other.
    command = command[:-1] if "-p" in words else [*command, options.python]
    if "--profile" in words:
        del command[1:3]
    if "--budget" in words:
        rounds = command.index("--rounds")
        del command[rounds : rounds + 2]
    command += [] if "-n" in words or "--worker" in words else ["-n", "1"]
    command += [] if "--out" in words else ["--out", f"out{number}"]
    return call(options, folder, [*command, *words])


def call(options, folder, words):
    """The exit status and the output of a call."""
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [options.ftbench, *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


def make_run(options, folder):
    """The run that some of the calls name."""
    words = ["run", "fib", *SHORT.split(), options.python, "-n", "1", "--out", "good"]
    status, answer = call(options, folder, words)
    if status:
        sys.exit(f"no run could be made to name in the calls:\n{answer}")


def faults(status, answer, expected, explained):
    """What is wrong with an answer."""
    if "panicked" in answer or "ftbench_worker" in answer:
        yield "it has a panic or a traceback of ftbench"
    if status != expected:
        yield f"exit status {status}, expected {expected}"
    if explained not in answer:
        yield f"it does not say {explained!r}"


if __name__ == "__main__":
    main()
