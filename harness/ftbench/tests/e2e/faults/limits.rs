//! Trials that exceed their limits.

use ftbench_schema::TrialStatus::Failed;

use super::with_fault;

#[test]
fn a_process_above_the_memory_limit_gets_a_memory_error() {
    let fault = "def fault():\n    kept.append(bytearray(2 << 30))\nkept = []";
    with_fault("greedy", fault, "--memory-limit 1GiB").is(
        Failed,
        &[
            "MemoryError",
            "the limit is 1.00 GiB for each process (--memory-limit)",
        ],
        &["in fault"],
    );
}

#[test]
fn processes_above_the_memory_limit_in_total_are_ended() {
    let fault = "
def fault():
    for number in range(4):
        if os.fork() == 0:
            kept = bytearray(os.urandom(1 << 20)) * 100
            time.sleep(600)
    time.sleep(600)
";
    with_fault("greedy_family", fault, "--memory-limit 300MiB").is(
        Failed,
        &["of memory during a sample, more than the limit of 300 MiB (--memory-limit)"],
        &[],
    );
}

#[test]
fn excessive_output_is_stopped_and_its_tail_kept() {
    let fault = "
def fault():
    line = b'x' * 65_000 + b'the end of a line\\n'
    while True:
        os.write(1, line)
";
    let outcome = with_fault("noisy", fault, "--output-limit 3MiB");
    outcome.is(
        Failed,
        &["it printed more than 3.00 MiB (--output-limit)"],
        &["xxxxxxxx"],
    );
    assert!(
        outcome
            .trials
            .iter()
            .all(|trial| trial.output_tail.as_ref().unwrap().len() <= 8 << 10)
    );
    // Within the limit any output does no harm, even when it is not text.
    let fault = "def fault():\n    os.write(1, b'\\xff\\x00' * 100_000)";
    with_fault("noisy_within", fault, "").is(ftbench_schema::TrialStatus::Ok, &[], &[]);
}
