#!/usr/bin/env python3
"""Measures a fleet of four Slurm nodes on this machine, kills one, and checks what comes out.

    scripts/fleet-shown.py [--ftbench PATH] [-p TAG,TAG] [--keep DIR]

Two nodes have a core of their own each and run at the same time; the other two follow on the same
cores. The third is killed while it measures and comes back. Then the same plan is run without a
fleet, on one of the cores, and compared with each node. Prints what it finds. Exit status 1 when
trials are lost or counted twice, or when more than one cell in twenty differs. Needs Slurm and
MUNGE (`scripts/set-up.sh slurm`), and Chromium for a picture of the report.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from commands import output_of, print_table, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
NODES = 4
# Rounds are few because nodes are compared with a run of their own core, not with each other.
PLAN = "fib nbody sha256 -n 1 -m serial,threads --rounds 8"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


class Cluster:
    """MUNGE, a controller and nodes on the loopback address, ended with this object."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.daemons = {}
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge/key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        words = [f"--{option}={folder}/munge/{name}" for option, name in files.items()]
        self.start("munged", f"--key-file={key}", *words, "--foreground", "--force")
        wait_for("MUNGE", (folder / "munge/socket").exists)
        self.conf.write_text(self.settings())
        self.start("slurmctld", "-D", "-f", str(self.conf))
        for node in range(NODES):
            self.start_node(node)
        wait_for("the nodes", lambda: self.ask("sinfo", "-hN", "-o%T").split() == ["idle"] * NODES)

    def settings(self):
        host = os.uname().nodename.split(".")[0]
        user = output_of(["id", "-un"]).strip()
        port = 20_000 + os.getpid() % 10_000
        lines = f"""ClusterName=ftbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={self.folder}/munge/socket,cred_expire=5
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool/%n
SlurmctldPidFile={self.folder}/controller.pid
SlurmdPidFile={self.folder}/%n.pid
SlurmctldLogFile={self.folder}/controller.log
SlurmdLogFile={self.folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=2
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
JobRequeue=1
SlurmdTimeout=10
MailProg=/bin/true
"""
        for node in range(NODES):
            # What Slurm reserves on a node is not given to jobs, so each has the other core.
            lines += (
                f"NodeName=n{node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + 1 + node}"
                f" CPUs=2 CpuSpecList={1 - node % 2} State=UNKNOWN\n"
            )
        return lines + "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"

    def start(self, program, *words, name=None):
        command = [shutil.which(program, path=PATH) or program, *words]
        log = (self.folder / f"{name or program}-output").open("w")
        env = {**os.environ, "SLURM_CONF": str(self.conf)}
        self.daemons[name or program] = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def start_node(self, node):
        self.start("slurmd", "-D", "-N", f"n{node}", "-f", str(self.conf), name=f"n{node}")

    def kill_node(self, node):
        """Ends a node with all that runs on it, and reports that it is down."""
        self.stop(f"n{node}")
        self.kill_jobs(f"SLURMD_NODENAME=n{node}\0")
        self.ask("scontrol", "update", f"nodename=n{node}", "state=down", "reason=killed")

    def kill_jobs(self, variable):
        """Kills the processes of jobs whose environment has this variable, their steps first."""
        ours = f"SLURM_CONF={self.conf}\0"
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_text(errors="replace")
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                is_step = "slurmstepd" in pathlib.Path("/proc", parent, "comm").read_text()
            except OSError:
                continue
            if ours in environment and variable in environment and int(entry.name) != os.getpid():
                found += [int(entry.name)]
                found[:0] = [int(parent)] if is_step else []
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def stop(self, name):
        daemon = self.daemons.pop(name)
        daemon.kill()
        daemon.wait()

    def stop_all(self):
        for node in range(NODES):
            if f"n{node}" in self.daemons:
                self.stop(f"n{node}")
        self.kill_jobs("SLURM_JOB_ID=")
        for name in list(self.daemons):
            self.stop(name)

    def ask(self, *words):
        env = {**os.environ, "SLURM_CONF": str(self.conf)}
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False).stdout

    def states(self, *names):
        """The states of jobs by shard."""
        lines = self.ask("squeue", "-h", "--array", "-o%K %T", "--states=all").splitlines()
        return [state for shard, state in map(str.split, lines) if int(shard) in names]


def wait_for(what, is_met, limit_s=600):
    deadline = time.monotonic() + limit_s
    while not is_met():
        if time.monotonic() > deadline:
            sys.exit(f"timed out waiting for {what}")
        time.sleep(0.05)


def trials_in(folder):
    path = folder / "trials.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def measure(cluster, ftbench, fleet, interpreters):
    """Submits the plan, kills the third node while it measures, and waits for all shards."""
    os.environ["SLURM_CONF"] = str(cluster.conf)
    hold = ("scontrol", "update", "nodename=n[2-3]")
    cluster.ask(*hold, "state=drain", "reason=later")
    submit = ["fleet", "submit", "--shape", "same", "--nodes", "n[0-3]", "--out", fleet]
    output_of([ftbench, *submit, "-p", interpreters, *PLAN.split()])
    wait_for("n0 and n1", lambda: cluster.states(0, 1) == ["COMPLETED"] * 2)
    say("n0 and n1 have measured; now n2 and n3")
    cluster.ask(*hold, "state=resume")
    run = fleet / "runs/shard-2-n2"
    wait_for("trials of n2", lambda: trials_in(run) >= 4)
    before = trials_in(run)
    cluster.kill_node(2)
    wait_for("the requeue of n2", lambda: cluster.states(2) == ["PENDING"])
    kept = trials_in(run)
    output_of([ftbench, "fleet", "collect", "--out", fleet])
    cluster.start_node(2)
    time.sleep(1)
    cluster.ask("scontrol", "update", "nodename=n2", "state=resume")
    wait_for("n2 and n3", lambda: cluster.states(2, 3) == ["COMPLETED"] * 2)
    log = (fleet / "logs/shard-2.log").read_text(errors="replace")
    resumed = [line for line in log.splitlines() if "resuming" in line]
    print(f"n2 was killed after {before} trials; {kept} were kept.")
    print(f"It then said: {resumed[0] if resumed else 'nothing'}")
    return kept >= before and bool(resumed)


def picture(fleet, target):
    """A picture of the report as a browser draws it; None without a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    page = (fleet / "report.html").resolve().as_uri()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,4200"]
    subprocess.run(
        [browser, *options, f"--screenshot={target}", page], capture_output=True, check=True
    )
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftbench", type=pathlib.Path, default=ROOT / "target/release/ftbench")
    parser.add_argument("-p", "--python", default="3.13,3.13t")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the fleet and the picture")
    arguments = parser.parse_args()
    ftbench = arguments.ftbench.resolve()
    with tempfile.TemporaryDirectory(prefix="ftbench-fleet-") as temporary:
        folder = pathlib.Path(temporary)
        out = arguments.keep or folder / "out"
        out.mkdir(parents=True, exist_ok=True)
        fleet = out.resolve() / "fleet"
        (folder / "cluster").mkdir()
        cluster = Cluster(folder / "cluster")
        try:
            is_good = measure(cluster, ftbench, fleet, arguments.python)
        finally:
            cluster.stop_all()
        output_of([ftbench, "fleet", "collect", "--out", fleet])
        output_of([ftbench, "report", fleet])
        index = json.loads((fleet / "fleet.json").read_text())
        runs = [run for run in index["runs"] if "left_out" not in run]
        print(f"{len(runs)} runs count: {', '.join(run['node'] for run in runs)}")
        is_good &= [run["status"] for run in runs] == ["complete"] * NODES
        for run in runs:
            lines = (fleet / run["folder"] / "trials.jsonl").read_text().splitlines()
            trials = [json.loads(line)["trial"] for line in lines]
            is_good &= len(trials) == len(set(trials)) == runs[0]["trials"]
        print(f"The report: {picture(fleet, out / 'report.png') or 'no browser was found'}")

        say("the same plan without a fleet, on the first core")
        alone = out / "alone"
        plan = fleet / "plans/shard-0.json"
        core = str(min(os.sched_getaffinity(0)))
        output_of(["taskset", "-c", core, ftbench, "run", "--plan", plan, "--out", alone])
        rows = [("node", "faster", "same", "cannot tell", "slower", "geometric mean")]
        differing = cells = 0
        for run in runs:
            call = [ftbench, "compare", fleet / run["folder"], alone, "--anyway"]
            compared = json.loads(output_of([*call, "--format", "json", "--fail-on", "never"]))
            counts = compared["counts"]
            differing += counts["faster"] + counts["slower"]
            cells += len(compared["cells"])
            # The workloads are of one kind.
            mean = compared["geometric_means"][0]["ratio"]
            mean = f"{mean['estimate']:.3f} [{mean['low']:.3f}, {mean['high']:.3f}]"
            keys = ("faster", "same", "cannot_tell", "slower")
            rows.append((run["node"], *(str(counts[key]) for key in keys), mean))
        print("The run without a fleet against each node:")
        print_table(rows)
        is_good &= 20 * differing <= cells and not counts["not_compared"]
    print("as promised" if is_good else "NOT as promised")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
