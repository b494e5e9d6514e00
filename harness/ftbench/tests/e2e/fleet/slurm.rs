//! Fleets that the real Slurm starts, on nodes on the loopback address.

use std::process::Command;

use ftbench_schema::{FleetIndex, RunStatus};

use super::{SHORT, index, sleeps};
use crate::support::driver::{Checkpoint, wait_until};
use crate::support::machine::{Use, lock};
use crate::support::slurm::{Cluster, is_skipped};
use crate::support::{CommandOutput, Sandbox, output_of, pair};

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
    if is_skipped() {
        return;
    }
    lock(Use::Shared);
    let sandbox = Sandbox::sharing_the_machine();
    let mut cluster = Cluster::start(&sandbox, 2);
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
    if is_skipped() {
        return;
    }
    lock(Use::Shared);
    let sandbox = Sandbox::sharing_the_machine();
    let mut cluster = Cluster::start(&sandbox, 1);
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
    let hold = Checkpoint::at(&sandbox, "fleet/runs/shard-0-n0", 0, "*:*:work");
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
    ftbench(&sandbox, &cluster, "fleet cancel fleet").exits_with(0);
    cluster.wait_for(0, "CANCELLED");
    hold.release();
}
