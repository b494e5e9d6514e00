//! Workloads that fail during calibration.

use ftbench_schema::CellStatus;
use rustix::process::Signal;

use crate::support::driver::{Checkpoint, Driver, HOLDABLE};
use crate::support::{Run, Sandbox, pair};

/// Crashes in its first call, and fails as long as there is a file `broken` beside it.
const SOMETIMES: &str = "
import os, time

FOLDER = os.path.dirname(os.path.abspath(__file__))

def work(data, units):
    if os.path.exists(os.path.join(FOLDER, 'broken')):
        raise ValueError('not now')
    try:
        os.mkdir(os.path.join(FOLDER, 'crashed'))
    except FileExistsError:
        time.sleep(units * 1e-3)
    else:
        os._exit(3)
";

/// A workload that never fails, to be appended to [`HOLDABLE`].
const ALWAYS: &str = "
def work(data, units):
    wait_at('work')
    time.sleep(units * 1e-3)
";

#[test]
fn a_single_crash_during_calibration_is_retried() {
    let sandbox = Sandbox::sharing_the_machine();
    let sometimes = sandbox.file("sometimes.py", SOMETIMES);
    let words = format!(
        "{sometimes} -p {} -m threads -n 1 --rounds 2 --samples 1 --no-ceiling",
        pair().free_threaded
    );
    sandbox.run("out", &words, 0).all_ok("sometimes");
}

#[test]
fn a_failed_calibration_is_retried_when_the_run_is_resumed() {
    const ROUNDS: usize = 12;
    let sandbox = Sandbox::sharing_the_machine();
    let (sometimes, always) = (
        sandbox.file("sometimes.py", SOMETIMES),
        sandbox.file("always.py", format!("{HOLDABLE}{ALWAYS}")),
    );
    let broken = sandbox.file("broken", "");
    let hold = Checkpoint::at(&sandbox, "out", 1, "*:trial:*");
    let command = sandbox.command(&format!(
        "run --profile quick --out out {sometimes} {always} -p {} -m serial -n 1 --rounds {ROUNDS} --samples 1 \
         --no-ceiling",
        pair().free_threaded
    ));
    let mut driver = Driver::start(command);
    hold.wait(&mut driver);
    driver.send(Signal::TERM);
    driver.end().exits_with(130);
    hold.release();
    let mut run = Run {
        folder: sandbox.path().join("out"),
        output: sandbox.ftbench("show out"),
    };
    run.all_have("sometimes", CellStatus::Failed, &["not now"]);
    std::fs::remove_file(broken).unwrap();
    run.output = sandbox.ftbench("run --resume out");
    run.output.exits_with(0);
    for name in ["sometimes", "always"] {
        run.all_ok(name);
        let trials = run
            .trials()
            .into_iter()
            .filter(|trial| trial.cell.workload == name);
        assert_eq!(trials.count(), ROUNDS, "{name}");
    }
    for workload in run.manifest().workloads {
        assert!(workload.units.is_some() && workload.failure.is_none());
    }
    let mut numbers: Vec<u64> = run.trials().iter().map(|trial| trial.trial).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 2 * ROUNDS);
}
