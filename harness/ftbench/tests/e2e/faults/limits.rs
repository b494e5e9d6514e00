//! Trials that use too much.

use ftbench_schema::TrialStatus::Failed;

use super::with_fault;

#[test]
fn a_process_that_takes_too_much_memory_gets_no_more() {
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
fn processes_that_take_too_much_memory_together_are_ended() {
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
fn output_by_the_gigabyte_is_stopped_and_its_end_kept() {
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
            .all(|trial| trial.last_words.as_ref().unwrap().len() <= 8 << 10)
    );
    // Within the limit, whatever it is made of, it does no harm.
    let fault = "def fault():\n    os.write(1, b'\\xff\\x00' * 100_000)";
    with_fault("noisy_within", fault, "").is(ftbench_schema::TrialStatus::Ok, &[], &[]);
}
