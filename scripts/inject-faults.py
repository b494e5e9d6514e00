#!/usr/bin/env python3
"""Injects faults into real runs and proves that they damage no recorded trial and no number.

    scripts/inject-faults.py [--faults 500] [--seed N] [--ftbench target/release/ftbench]

Its own workloads misbehave at random moments beside a healthy one. From outside, workers are killed
and stopped, and the driver is killed, interrupted once or twice and resumed, and its record is
damaged while it is dead. Prints how many faults of each kind were injected, how many trials were
recorded, lost and wrong, how many processes and temporary folders were left over, and how often
ftbench did not end as requested. Exit status 1 if anything was lost, wrong or left over, or if
ftbench did not end as requested or gave up.

A trial is lost when its complete line was once seen in trials.jsonl and is missing in the end,
unless this script damaged that line. A number is wrong when a trial in which a workload misbehaved
counts as good, when the healthy workload's own notes contradict a sample, when ftbench shows a
sample that is not the one recorded, or when a makespan of the healthy workload in its summary is
not the median of the recorded ones. A process is left over when it still runs some seconds after
the driver ended; all orphans become children of this script. A folder is left over in the same way.
Neither counts if both the trial's guard and the driver were killed: then nothing is left that could
end the process or remove the folder. ftbench does not end as requested when it continues for
30 s after a signal to stop, or writes no summary although it had the time.
"""

import argparse
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = pathlib.Path(__file__).resolve().parent / "fault_injection"
sys.path.insert(0, str(SOURCES))
import outside  # noqa: E402
import proof  # noqa: E402
from kinds import KINDS  # noqa: E402


def main():
    options = arguments()
    if not options.ftbench.exists():
        sys.exit(f"{options.ftbench} is not there; build it with 'make build' or give --ftbench")
    outside.adopt_orphans()
    totals = proof.Totals()
    chance = random.Random(options.seed)
    deck = Deck(options.kinds, chance)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ftbench-faults-") as name:
        for number in range(1, 1000):
            folder = pathlib.Path(name) / f"campaign-{number}"
            campaign(folder, options, deck.deal(options.per_campaign), chance, totals)
            print(
                f"campaign {number}: {totals.injected_in_all()} faults, {totals.recorded} trials",
                flush=True,
            )
            if totals.problems and options.keep:
                kept = pathlib.Path(tempfile.mkdtemp(prefix="ftbench-faults-kept-"))
                shutil.copytree(folder, kept, dirs_exist_ok=True)
                print(f"kept in {kept}", flush=True)
                break
            is_enough = totals.injected_in_all() >= options.faults
            if (is_enough and (options.is_short or deck.is_through)) or totals.gave_up:
                break
    print(totals.table())
    for problem in totals.problems[:20]:
        print(f"  {problem}")
    sys.exit(0 if totals.is_clean() else 1)


class Deck:
    """Deals kinds in random order, each once before any is repeated."""

    def __init__(self, kinds, chance):
        self.kinds, self.chance = kinds, chance
        self.left = []
        self.dealt = set()

    def deal(self, count):
        hand = []
        while len(hand) < min(count, len(self.kinds)):
            if not self.left:
                fresh = [kind for kind in self.kinds if kind not in hand]
                self.left = self.chance.sample(fresh, len(fresh))
            hand.append(self.left.pop())
        self.dealt.update(hand)
        return hand

    @property
    def is_through(self):
        return self.dealt == set(self.kinds)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", type=int, default=500, help="minimum number of faults (500)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--ftbench", type=pathlib.Path, default=ROOT / "target/release/ftbench")
    parser.add_argument("--python", help="tags or paths (default: the pair that ftbench chooses)")
    parser.add_argument(
        "--timeout", type=float, default=2.0, help="time limit of a step, seconds (2)"
    )
    parser.add_argument(
        "--kinds", help="only these kinds of misbehaving workloads, separated by commas"
    )
    parser.add_argument(
        "--per-campaign", type=int, help="kinds in one run (10; 4 for up to 100 faults)"
    )
    parser.add_argument("--no-driver-faults", action="store_true", help="leave the driver alone")
    parser.add_argument("--keep", action="store_true", help="stop at a problem and keep its files")
    options = parser.parse_args()
    options.is_short = options.faults <= 100
    options.rounds = 2 if options.is_short else 4
    options.per_campaign = options.per_campaign or (4 if options.is_short else 10)
    options.kinds = options.kinds.split(",") if options.kinds else list(KINDS)
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        parser.error(
            f"no such kinds: {', '.join(sorted(unknown))}; the kinds are {', '.join(KINDS)}"
        )
    options.ftbench = options.ftbench.resolve()
    return options


def campaign(folder, options, kinds, chance, totals):
    """Make one run to its end, however often it is killed and resumed meanwhile."""
    folder.mkdir()
    shutil.copy(SOURCES / "healthy.py", folder)
    for kind in kinds:
        shutil.copy(SOURCES / "faulty.py", folder / f"{kind}.py")
    record = outside.Record(folder / "run")
    words = [
        *("run", str(folder / "healthy.py"), *(str(folder / f"{kind}.py") for kind in kinds)),
        *(("-p", options.python) if options.python else ()),
        *("-m", "serial,threads,processes", "-n", "max"),
        *("--profile", "quick", "--rounds", str(options.rounds), "--samples", "1", "--no-ceiling"),
        *("--timeout", str(options.timeout), "--seed", str(chance.randrange(1 << 32))),
        *("--out", str(record.folder), "-q"),
    ]
    ways = [] if options.no_driver_faults else [chance.choice(outside.ENDS) for _ in range(5)]
    while True:
        way = ways.pop() if ways else None
        with record.watched():
            driver = Driver(options.ftbench, words, record)
            ended = driver.run(way, chance, totals)
        excused = driver.unguarded if way and not outside.is_graceful(way) else set()
        left = outside.left_over(excused)
        totals.left_over += len(left)
        folders = driver.folders_left_over() - excused
        totals.folders_left_over += len(folders)
        if left or folders:
            after = outside.named(way) if way else "the end"
            totals.problems.append(f"left over after {after}: {left[:3]} {sorted(folders)[:3]}")
        if ended is None:
            unended = driver.unended(way)
            totals.unended += len(unended)
            totals.problems += unended
            if not (record.folder / "run.json").exists():
                # Killed before there was anything to resume.
                shutil.rmtree(record.folder, ignore_errors=True)
                continue
            damage = chance.choice(outside.DAMAGES) if way == ("SIGKILL",) else None
            if damage is not None and record.damage(damage, chance):
                totals.injected[damage.__name__.replace("_", " ")] += 1
            words = ["run", "--resume", str(record.folder), "-q"]
            continue
        # With 1, a cell failed, or an interpreter is missing and there is no run.
        if ended.returncode not in (0, 1) or not (record.folder / "run.json").exists():
            totals.gave_up = True
            said = ended.stderr[-600:]
            totals.problems.append(
                f"'ftbench {words[0]} {words[1]} ...' ended with {ended.returncode}: {said!r}"
            )
        break
    proof.judge(folder, record, options.ftbench, totals)


class Driver:
    """One start of ftbench, and what happens to it from outside."""

    def __init__(self, ftbench, words, record):
        self.ftbench = ftbench
        self.words = words
        self.record = record
        self.has_ended = True
        self.status = None
        self.temporary = record.folder.with_name("temporary")
        # The temporary folders of trials whose guard was killed.
        self.unguarded = set()

    def run(self, way, chance, totals):
        """Run the driver. Returns its result, or None if `way` ended it."""
        struck = False
        # Under nohup, hangups are ignored by child processes too.
        command = ["env", "--default-signal=HUP", f"TMPDIR={self.temporary}", self.ftbench]
        self.temporary.mkdir(exist_ok=True)
        with tempfile.TemporaryFile() as errors:
            driver = subprocess.Popen(
                [*command, *self.words], stdout=subprocess.DEVNULL, stderr=errors
            )
            ends_at = time.monotonic() + chance.uniform(0.5, 12.0) if way else None
            strikes_at = time.monotonic() + chance.uniform(0.5, 3.0)
            while driver.poll() is None:
                time.sleep(0.01)
                now = time.monotonic()
                if ends_at is not None and now >= ends_at and not struck:
                    struck = True
                    self.has_ended = outside.strike(driver, way, chance)
                    totals.injected[f"{outside.named(way)} to the driver"] += 1
                elif now >= strikes_at:
                    self.strike_a_worker(driver, chance, totals)
                    strikes_at = now + chance.uniform(0.3, 2.5)
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        self.status = driver.returncode
        by_signal = (-signal.SIGKILL, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP)
        # A signal that arrived after the end of the run had no effect.
        if struck and driver.returncode in (*by_signal, 130):
            return None
        return subprocess.CompletedProcess(self.words, driver.returncode, stderr=said)

    def folders_left_over(self):
        """Names of temporary folders left behind. Removes them."""
        left = {path.name for path in self.temporary.iterdir()}
        shutil.rmtree(self.temporary)
        return left

    def unended(self, way):
        """Problems with how the driver ended after the signals."""
        if not self.has_ended:
            return [f"it continued for {outside.END_S:.0f} s after {outside.named(way)}"]
        if self.status == 130 and outside.is_graceful(way) and not self.record.is_summed_up():
            return [f"it wrote no summary after {outside.named(way)}"]
        return []

    def strike_a_worker(self, driver, chance, totals):
        # A workload that is struck during calibration is not measured, so it would inject nothing.
        if not self.record.seen and chance.random() < 0.95:
            return
        kind, folder = outside.strike_a_worker(driver.pid, chance)
        if kind:
            totals.injected[kind] += 1
        if folder:
            self.unguarded.add(folder)


if __name__ == "__main__":
    main()
