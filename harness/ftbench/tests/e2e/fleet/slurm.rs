//! Fleets that the real Slurm starts, on nodes on the loopback address.

use std::path::Path;
use std::process::Command;

use ftbench_schema::{FleetIndex, RunStatus};

use super::{SHORT, index, sleeps};
use crate::support::driver::{Checkpoint, wait_until};
use crate::support::machine::{Use, lock};
use crate::support::slurm::{Cluster, is_skipped};
use crate::support::{CommandOutput, Sandbox, are_mounts_skipped, output_of, pair};

/// A sandbox and a cluster with this many nodes; `None` if tests with Slurm are left out.
fn cluster_of(nodes: usize) -> Option<(Sandbox, Cluster)> {
    if is_skipped() {
        return None;
    }
    lock(Use::Shared);
    let sandbox = Sandbox::sharing_the_machine();
    let cluster = Cluster::start(&sandbox, nodes);
    Some((sandbox, cluster))
}

fn command(sandbox: &Sandbox, cluster: &Cluster, words: &str) -> Command {
    let mut command = sandbox.command(words);
    command.env("SLURM_CONF", cluster.configuration());
    command
}

fn ftbench(sandbox: &Sandbox, cluster: &Cluster, words: &str) -> CommandOutput {
    output_of(command(sandbox, cluster, words))
}

/// Waits until this many trials of a shard on a node are recorded.
fn wait_for_trials(sandbox: &Sandbox, run: &str, trials: usize) {
    let folder = sandbox.path().join("fleet/runs").join(run);
    wait_until("trials", || crate::support::driver::recorded(&folder) >= trials);
}

fn statuses(index: &FleetIndex) -> Vec<(u32, &str, RunStatus, u64)> {
    let runs = index.runs.iter();
    runs.map(|run| (run.shard, run.node.as_str(), run.status, run.trials))
        .collect()
}

#[test]
fn a_node_that_dies_costs_its_trials_in_flight_and_its_shard_is_resumed() {
    let Some((sandbox, mut cluster)) = cluster_of(2) else {
        return;
    };
    let files = sleeps(&sandbox, &["a"]);
    // Whichever shard gets there first is held; both are.
    let hold = Checkpoint::at(&sandbox, "fleet/runs/shard-1-n1", 1, "a:trial:work");
    let words = format!(
        "fleet submit --nodes n[0-1] --shape same --out fleet {files} -p {} -m serial -n 1 --pin none {SHORT}",
        pair().gil
    );
    ftbench(&sandbox, &cluster, &words).exits_with(0);
    wait_for_trials(&sandbox, "shard-1-n1", 1);
    wait_until("the shard to be held", || sandbox.path().join("held").exists());
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    assert!(
        status.stdout.contains("n1") && status.stdout.contains("running"),
        "{}",
        status.stdout
    );
    cluster.kill_node(1);
    cluster.wait_for(1, "PENDING");
    let early = ftbench(&sandbox, &cluster, "fleet collect --out fleet");
    early.exits_with(0);
    hold.release();
    cluster.start_node(1);
    cluster.resume_node(1);
    cluster.wait_for(1, "COMPLETED");
    cluster.wait_for(0, "COMPLETED");
    let log = std::fs::read_to_string(sandbox.path().join("fleet/logs/shard-1.log")).unwrap();
    assert!(
        log.contains("resuming") && log.contains("which has 1 trial"),
        "{log}"
    );
    ftbench(&sandbox, &cluster, "fleet collect --out fleet").exits_with(0);
    let index = index(&sandbox);
    assert_eq!(
        statuses(&index),
        [
            (0, "n0", RunStatus::Complete, 3),
            (1, "n1", RunStatus::Complete, 3)
        ]
    );
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    assert_eq!(status.stderr, "");
    ftbench(&sandbox, &cluster, "report fleet").exits_with(0);
}

#[test]
fn submissions_that_fail_leave_nothing_and_cancelled_shards_are_named() {
    let Some((sandbox, mut cluster)) = cluster_of(1) else {
        return;
    };
    let files = sleeps(&sandbox, &["a", "b"]);
    let words = format!(
        "fleet submit --constraint kind --shards 2 --out fleet {files} -p {} -m serial -n 1 --pin none {SHORT}",
        pair().gil
    );
    let shown = ftbench(&sandbox, &cluster, &words.replace("--out", "--dry-run --out"));
    shown.exits_with(0);
    assert!(
        shown.stdout.contains("#SBATCH --exclusive") && shown.stdout.contains("--array=0-1"),
        "{}",
        shown.stdout
    );
    assert!(!sandbox.path().join("fleet").exists());

    // Without Slurm's commands, and without MUNGE.
    let mut without = command(&sandbox, &cluster, &words);
    let python = crate::support::executable(&pair().gil);
    without.env("PATH", python.parent().unwrap());
    output_of(without).fails(3, &["cannot start sbatch"], 2);
    cluster.stop_munge();
    let failed = ftbench(&sandbox, &cluster, &words);
    failed.fails(3, &["sbatch failed", "Nothing was submitted"], 2);
    assert!(
        std::fs::read_dir(sandbox.path().join("fleet"))
            .unwrap()
            .next()
            .is_none()
    );
    cluster.restart_munge();

    // One node, so that the second shard waits for the first.
    let hold = Checkpoint::at(&sandbox, "fleet/runs/shard-0-n0", 1, "*:trial:work");
    ftbench(&sandbox, &cluster, &words).exits_with(0);
    cluster.wait_for(0, "RUNNING");
    let fleet: ftbench_schema::FleetJobs =
        serde_json::from_slice(&std::fs::read(sandbox.path().join("fleet/jobs.json")).unwrap()).unwrap();
    let job = fleet.groups[0].job.clone().unwrap();
    cluster.ask("scancel", &[&format!("{job}_1")]);
    cluster.wait_for(1, "CANCELLED");
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    status.stderr_has(&["shard 1 for kind has no complete run, and its job is cancelled"]);
    assert!(!status.stderr.contains("shard 0"), "{}", status.stderr);
    wait_until("the shard to be held", || sandbox.path().join("held").exists());
    ftbench(&sandbox, &cluster, "fleet cancel fleet").exits_with(0);
    cluster.wait_for(0, "CANCELLED");
    wait_for_jobs(&cluster);
    hold.release();
    // Slurm signals all processes of a job, and that ends no trial as failed.
    ftbench(&sandbox, &cluster, "fleet collect --out fleet").exits_with(0);
    assert_eq!(statuses(&index(&sandbox)), [(0, "n0", RunStatus::Interrupted, 1)]);
}

/// The calls of sbatch with which `fleet status` proposes to submit shards again.
fn proposed(status: &CommandOutput) -> Vec<String> {
    let lines = status.stderr.lines();
    lines
        .filter_map(|line| Some(line.split_once("to submit it again: ")?.1.to_owned()))
        .collect()
}

/// Submits a shard again as `fleet status` proposes.
fn submit_again(sandbox: &Sandbox, cluster: &Cluster, call: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", call]).current_dir(sandbox.path());
    // Jobs get the environment of the submission, and find the interpreters in it.
    shell.env("SLURM_CONF", cluster.configuration());
    let done = shell.env("PATH", crate::support::path()).output().unwrap();
    assert!(done.status.success(), "{call}: {done:?}");
}

/// Waits until no job of the cluster waits or runs.
fn wait_for_jobs(cluster: &Cluster) {
    wait_until("jobs to end", || {
        cluster.ask("squeue", &["--noheader"]).is_empty()
    });
}

#[test]
fn a_login_process_that_is_killed_while_it_submits_loses_no_job() {
    let Some((sandbox, cluster)) = cluster_of(2) else {
        return;
    };
    let files = sleeps(&sandbox, &["a"]);
    let words = format!(
        "fleet submit --nodes n[0-1] --shape same --out fleet {files} -p {} -m serial -n 1 --pin none {SHORT}",
        pair().gil
    );
    // The first array is accepted, and the login process is killed before it can record that.
    let sbatch = which(&sandbox, "sbatch");
    sandbox.script(
        "bin/sbatch",
        &format!("{} \"$@\"\nkill -9 $PPID", sbatch.display()),
    );
    let mut killed = command(&sandbox, &cluster, &words);
    let own = std::env::join_paths(
        std::iter::once(sandbox.path().join("bin")).chain(std::env::split_paths(&crate::support::path())),
    );
    killed.env("PATH", own.unwrap());
    assert_eq!(killed.output().unwrap().status.code(), None);

    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    status.stderr_has(&["shard 1 for n1 has no complete run, and its job is unknown to Slurm"]);
    let calls = proposed(&status);
    assert_eq!(calls.len(), 1, "{}", status.stderr);
    submit_again(&sandbox, &cluster, &calls[0]);
    wait_for_jobs(&cluster);
    let collected = ftbench(&sandbox, &cluster, "fleet collect --out fleet");
    collected.exits_with(0);
    assert_eq!(
        statuses(&index(&sandbox)),
        [
            (0, "n0", RunStatus::Complete, 3),
            (1, "n1", RunStatus::Complete, 3)
        ]
    );
}

/// The path of a program that tests find through the `PATH`.
fn which(sandbox: &Sandbox, program: &str) -> std::path::PathBuf {
    let path = crate::support::path();
    let mut folders = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = folders.find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no {program} for {}", sandbox.path().display()))
}

#[test]
fn a_full_disk_of_one_node_costs_its_trial_in_flight() {
    if are_mounts_skipped() {
        return;
    }
    let Some((sandbox, mut cluster)) = cluster_of(2) else {
        return;
    };
    cluster.kill_node(1);
    let files = sleeps(&sandbox, &["a"]);
    let hold = Checkpoint::at(&sandbox, "fleet/runs/shard-1-n1", 1, "a:trial:work");
    let words = format!(
        "fleet submit --nodes n[0-1] --shape same --out fleet {files} -p {} -m serial -n 1 --pin none {SHORT}",
        pair().gil
    );
    ftbench(&sandbox, &cluster, &words).exits_with(0);
    // The node stores its run on a disk of its own.
    let disk = sandbox.path().join("fleet/runs/shard-1-n1");
    std::fs::create_dir(&disk).unwrap();
    cluster.start_node_with_mounts(1, &format!("mount -t tmpfs -o size=72m none {}", disk.display()));
    cluster.resume_node(1);
    wait_until("the shard to be held", || sandbox.path().join("held").exists());
    let on_node = cluster.on_node(1, &disk);
    let filler = on_node.join("filler");
    std::io::copy(
        &mut std::io::repeat(0),
        &mut std::fs::File::create(&filler).unwrap(),
    )
    .unwrap_err();
    hold.release();
    wait_for_jobs(&cluster);
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    status.stderr_has(&[
        "shard 1 for n1 has no complete run, and its job is failed",
        "No space left on device",
    ]);
    // What is on the node's disk is copied from there.
    let early = sandbox.path().join("early/n1");
    copy_folder(&on_node, &early);
    let early = ftbench(&sandbox, &cluster, "fleet collect early --out fleet");
    early.exits_with(0);
    early.stderr_has(&["1 run added", "1 run is not complete"]);

    std::fs::remove_file(&filler).unwrap();
    submit_again(&sandbox, &cluster, &proposed(&status)[0]);
    wait_for_jobs(&cluster);
    let log = std::fs::read_to_string(sandbox.path().join("fleet/logs/shard-1.log")).unwrap();
    assert!(log.contains("which has 1 trial"), "{log}");
    copy_folder(&on_node, &sandbox.path().join("late/n1"));
    let late = ftbench(&sandbox, &cluster, "fleet collect late --out fleet");
    late.exits_with(0);
    late.stderr_has(&["1 run updated"]);
    assert_eq!(
        statuses(&index(&sandbox)),
        [
            (0, "n0", RunStatus::Complete, 3),
            (1, "n1", RunStatus::Complete, 3)
        ]
    );
}

#[test]
fn unlike_nodes_wrong_clocks_and_runs_of_another_fleet_are_reported() {
    if are_mounts_skipped() {
        return;
    }
    let Some((sandbox, mut cluster)) = cluster_of(2) else {
        return;
    };
    cluster.kill_node(1);
    // The second node has another processor.
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let other: String = processor
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((key, _)) if key.trim() == "model name" => "model name\t: Another Processor\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    let other = sandbox.file("cpuinfo", other);
    // Nor does it have the interpreter, which is in a folder of its own, or a cache from before.
    let python = crate::support::executable(&pair().gil);
    let build = python.parent().unwrap().parent().unwrap();
    let cache = sandbox.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    let mounts = [
        format!("mount --bind {other} /proc/cpuinfo"),
        format!("mount -t tmpfs none {}", build.display()),
        format!("mount -t tmpfs none {}", cache.display()),
    ];
    cluster.start_node_with_mounts(1, &mounts.join(" && "));
    cluster.resume_node(1);
    let files = sleeps(&sandbox, &["a"]);
    let words = |out: &str| {
        format!(
            "fleet submit --archive --constraint kind --shards 2 --shape same --out {out} {files} -p {} -m serial -n 1 --pin none \
             {SHORT}",
            python.display()
        )
    };
    // A record that exists and has enough lines: itself.
    let hold = Checkpoint::at(&sandbox, ".", 0, "*:*:work");
    sandbox.file("trials.jsonl", "");
    let mut submit = command(&sandbox, &cluster, &words("fleet"));
    submit.env("XDG_CACHE_HOME", &cache);
    output_of(submit).exits_with(0);
    // Both nodes have begun before one of them is free.
    for shard in [0, 1] {
        cluster.wait_for(shard, "RUNNING");
    }
    hold.release();
    wait_for_jobs(&cluster);

    // A run of another fleet in the folder; its shard has the number of one of this fleet.
    let [first, second] = folders_of(&sandbox);
    for folder in [&first, &second] {
        let interpreter = super::manifest(folder).interpreters.remove(0);
        assert!(
            interpreter.path.contains("/ftbench/builds/"),
            "{}",
            interpreter.path
        );
    }
    let foreign = sandbox.path().join("fleet/runs/another");
    copy_folder(&first, &foreign);
    alter(&foreign, |run| run["fleet"]["fleet"] = "f".repeat(16).into());
    // One clock is an hour behind, the other one an hour ahead.
    for (folder, hours) in [(&first, -1), (&second, 1)] {
        alter(folder, |run| {
            for key in ["started_at", "ended_at"] {
                let time: jiff::Timestamp = run[key].as_str().unwrap().parse().unwrap();
                run[key] = (time + jiff::SignedDuration::from_hours(hours))
                    .to_string()
                    .into();
            }
        });
    }
    for _ in 0..2 {
        let collected = ftbench(&sandbox, &cluster, "fleet collect --out fleet");
        collected.exits_with(1);
        collected.stderr_has(&[
            "runs/another belongs to another fleet, ffffffffffffffff",
            "is behind by at least 59 minutes: the times of its run are wrong, its figures are not",
            "is ahead by at least 59 minutes",
        ]);
        let index = index(&sandbox);
        assert_eq!((index.counted().count(), index.runs.len()), (2, 2));
        assert!(index.runs.iter().all(|run| run.trials == 3));
    }
    let shown = ftbench(&sandbox, &cluster, "show fleet");
    shown.exits_with(0);
    for words in [
        "2 machines of 2 kinds",
        "The nodes with 'kind' are of several kinds",
        "(Another Processor, ",
        "is behind by at least 59 minutes",
        "is ahead by at least 59 minutes",
    ] {
        assert!(shown.stdout.contains(words), "no {words:?} in:\n{}", shown.stdout);
    }
}

/// The folders of runs of the two shards.
fn folders_of(sandbox: &Sandbox) -> [std::path::PathBuf; 2] {
    let mut folders = super::folders(sandbox);
    folders.sort();
    folders.try_into().unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["run.json", "trials.jsonl", "summary.json"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// Changes the manifest of a run.
fn alter(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join("run.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    std::fs::write(&path, manifest.to_string()).unwrap();
}

#[test]
#[ignore = "Slurm's shortest time limit is a minute"]
fn a_task_over_its_time_limit_keeps_its_trials_and_is_submitted_again() {
    let Some((sandbox, cluster)) = cluster_of(1) else {
        return;
    };
    let files = sleeps(&sandbox, &["a"]);
    let hold = Checkpoint::at(&sandbox, "fleet/runs/shard-0-n0", 1, "a:trial:work");
    let words = format!(
        "fleet submit --nodes n0 --shape same --sbatch=--time=1 --out fleet {files} -p {} -m serial -n 1 --pin none \
         --timeout 600 {SHORT}",
        pair().gil
    );
    ftbench(&sandbox, &cluster, &words).exits_with(0);
    cluster.wait_for(0, "TIMEOUT");
    wait_for_jobs(&cluster);
    hold.release();
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    println!("{}", status.stderr);
    println!(
        "{}",
        std::fs::read_to_string(sandbox.path().join("fleet/logs/shard-0.log")).unwrap()
    );
    status.stderr_has(&["shard 0 for n0 has no complete run, and its job is timeout"]);
    let early = ftbench(&sandbox, &cluster, "fleet collect --out fleet");
    early.exits_with(0);
    assert_eq!(statuses(&index(&sandbox)), [(0, "n0", RunStatus::Interrupted, 1)]);
    submit_again(&sandbox, &cluster, &proposed(&status)[0]);
    wait_for_jobs(&cluster);
    let status = ftbench(&sandbox, &cluster, "fleet status fleet");
    status.exits_with(0);
    assert_eq!(status.stderr, "");
    ftbench(&sandbox, &cluster, "fleet collect --out fleet").exits_with(0);
    assert_eq!(statuses(&index(&sandbox)), [(0, "n0", RunStatus::Complete, 3)]);
}
