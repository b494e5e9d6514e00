"""Compares what ftbench recorded and shows with independent notes and observations."""

import collections
import contextlib
import csv
import dataclasses
import datetime
import io
import json
import statistics
import subprocess

from kinds import must_fail
from outside import key

# The precision lost in a time of day as a floating-point number, in seconds. The record's start of
# a trial is read before its process is launched, and trials follow each other within a millisecond.
SLACK_S = 1e-5


@dataclasses.dataclass
class Totals:
    """The totals of all campaigns."""

    injected: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    recorded: int = 0
    lost: int = 0
    wrong: int = 0
    left_over: int = 0
    folders_left_over: int = 0
    unended: int = 0
    checked: int = 0
    cells_checked: int = 0
    gave_up: bool = False
    problems: list = dataclasses.field(default_factory=list)

    def injected_in_all(self):
        return sum(self.injected.values())

    def is_clean(self):
        left_over = self.left_over or self.folders_left_over
        return not (self.lost or self.wrong or left_over or self.unended or self.gave_up)

    def table(self):
        rows = [("faults injected", self.injected_in_all())]
        rows += [(f"  {kind.replace('_', ' ')}", n) for kind, n in sorted(self.injected.items())]
        rows += [
            ("trials recorded", self.recorded),
            ("samples checked against notes of the workload's own", self.checked),
            ("cells whose makespan was computed again", self.cells_checked),
            ("trials lost", self.lost),
            ("wrong numbers", self.wrong),
            ("processes left over", self.left_over),
            ("folders left over", self.folders_left_over),
            ("did not end as requested", self.unended),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {number:>7}" for name, number in rows)


def judge(folder, record, ftbench, totals):
    """Add the findings on one run to the totals."""
    record.look()
    final = {key(trial): trial for trial in map(parsed_line, record.lines()) if trial}
    for missing in record.seen.keys() - final.keys():
        totals.lost += 1
        totals.problems.append(f"trial {missing} was recorded and is gone")
    trials = list(record.seen.values())
    totals.recorded += len(trials)
    injected = notes(folder / "injected.jsonl")
    totals.injected.update(note["kind"] for note in injected)
    wrong = [
        *misbehaved_and_good(trials, injected),
        *duplicates(trials),
        *contradicted_by_notes(trials, notes(folder / "notes.jsonl"), totals),
        *shown_differently(record, ftbench),
        *summarised_differently(record, trials, totals),
    ]
    totals.wrong += len(wrong)
    totals.problems += wrong


def parsed_line(line):
    with contextlib.suppress(ValueError):
        trial = json.loads(line)
        if isinstance(trial, dict) and {"trial", "started_at"} <= trial.keys():
            return trial
    return None


def notes(path):
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        # The last one may be incomplete when its writer was killed.
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def seconds(moment):
    return datetime.datetime.fromisoformat(moment).timestamp()


def misbehaved_and_good(trials, injected):
    """Trials that count as good although their workload misbehaved in one of their processes."""
    for trial in trials:
        if trial["status"] != "ok":
            continue
        start = seconds(trial["started_at"]) - SLACK_S
        end = start + trial["duration_ns"] / 1e9
        # Trials of the same workload run at the same time.
        processes = [*trial["workers"], *(trial["memory"] or {}).get("processes", [])]
        own = {process["process_id"] for process in processes}
        for note in injected:
            if note["pid"] in own and start <= note["at"] <= end and must_fail(note):
                yield f"trial {trial['trial']} is ok in spite of {note}"


def duplicates(trials):
    """Cells that were measured twice in a round."""
    good = collections.Counter(
        (json.dumps(trial["cell"], sort_keys=True), trial["round"])
        for trial in trials
        if trial["status"] == "ok"
    )
    return [f"{place} has {count} good trials" for place, count in good.items() if count > 1]


def contradicted_by_notes(trials, noted, totals):
    """Samples of the healthy workload that its own notes contradict."""
    by_thread = collections.defaultdict(list)
    for note in noted:
        by_thread[note["pid"], note["tid"]].append(note)
    for trial in trials:
        if trial["cell"]["workload"] != "healthy" or trial["status"] != "ok":
            continue
        workers = {one["worker"]: one for one in trial["workers"]}
        for sample in trial["samples"]:
            totals.checked += 1
            units = 0
            for share in sample["shares"]:
                worker = workers.get(share["worker"], {})
                at = by_thread.get((worker.get("process_id"), worker.get("thread_id")), [])
                inside = [
                    note
                    for note in at
                    if sample["start_ns"] <= share["start_ns"] <= note["start_ns"]
                    and note["end_ns"] <= share["end_ns"] <= sample["end_ns"]
                ]
                units += sum(note["units"] for note in inside)
            if units != trial["units"]:
                yield (
                    f"trial {trial['trial']} sample {sample['sample']}: {trial['units']} units, "
                    f"{units} noted by the workload"
                )


def shown_differently(record, ftbench):
    """Samples that ftbench shows with other values than the recorded ones."""
    words = [ftbench, "show", str(record.folder), "--format", "csv"]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    if shown.returncode not in (0, 1):
        yield f"'ftbench show' ended with {shown.returncode}: {shown.stderr[-300:]!r}"
        return
    recorded = {}
    for trial in record.seen.values():
        for sample in trial["samples"]:
            makespan_s = (sample["end_ns"] - sample["start_ns"]) / 1e9
            recorded[trial["trial"], trial["started_at"], sample["sample"]] = makespan_s
    for row in csv.DictReader(io.StringIO(shown.stdout)):
        if not row["sample"]:
            continue
        place = (int(row["trial"]), row["started_at"], int(row["sample"]))
        if place not in recorded:
            yield f"sample {place} is shown and was never recorded"
        elif abs(recorded[place] - float(row["makespan_s"])) > 1e-9:
            yield f"sample {place} is shown as {row['makespan_s']} s, recorded {recorded[place]} s"


def summarised_differently(record, trials, totals):
    """Cells of the healthy workload whose makespan is not that of its recorded samples.

    Each of those samples was compared with the workload's own notes.
    """
    try:
        summary = json.loads((record.folder / "summary.json").read_bytes())
    except (OSError, ValueError):
        # Without a summary ftbench gave up, which is reported elsewhere.
        return
    by_cell = collections.defaultdict(list)
    for trial in trials:
        if trial["status"] == "ok" and trial["cell"]["workload"] == "healthy":
            cell = trial["cell"]
            makespans = [
                (sample["end_ns"] - sample["start_ns"]) / 1e9
                for sample in trial["samples"]
                if not sample["warmup"]
            ]
            place = (cell["interpreter"], cell["model"], cell["workers"])
            by_cell[place].append(statistics.median(makespans))
    for cell in summary["cells"]:
        place = (cell["interpreter"], cell["model"], cell["workers"])
        if cell["workload"] != "healthy":
            continue
        values = by_cell[place]
        if cell["rounds"] != len(values):
            yield f"cell {place} has {cell['rounds']} rounds, recorded were {len(values)}"
        if cell["makespan_s"] is None:
            continue
        totals.cells_checked += 1
        shown, expected = cell["makespan_s"]["estimate"], statistics.median(values)
        if abs(shown - expected) > 1e-9 * expected:
            yield f"cell {place} has a makespan of {shown} s, recorded are {expected} s"
