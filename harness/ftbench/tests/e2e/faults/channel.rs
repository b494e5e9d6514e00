//! Workloads that tamper with the channel and with clocks.

use ftbench_schema::TrialStatus::{Failed, TimedOut};

use super::with_fault;

const BROKE: &str = "the worker broke the protocol";

/// A fault that writes the bytes of a Python expression to the channel and then runs the statement `then`.
fn writes(expression: &str, then: &str) -> String {
    format!("def fault():\n    os.write(4, {expression})\n    {then}")
}

#[test]
fn closing_the_channel_fails_the_trial() {
    let fault = "
def fault():
    os.close(4)
    time.sleep(600)
";
    with_fault("closing", fault, "").is(
        Failed,
        &["the process closed its channel without ending during a sample"],
        &[],
    );
}

#[test]
fn half_a_message_fails_the_trial() {
    let half = "b'{\"type\": \"sample\", \"sam'";
    with_fault("half", &writes(half, "time.sleep(600)"), "--timeout 10").is(
        TimedOut,
        &["its reply is incomplete"],
        &[],
    );
    with_fault("half_and_exit", &writes(half, "os._exit(3)"), "").is(Failed, &["exit status 3"], &[]);
}

#[test]
fn an_invalid_message_is_quoted_safely() {
    with_fault(
        "bytes",
        &writes("b'\\xff\\xfe\\x1b[2J\\n'", "time.sleep(600)"),
        "",
    )
    .is(
        Failed,
        &[BROKE, "not a valid message", "\\xff\\xfe\\u{1b}[2J"],
        &[],
    );
    with_fault("deep", &writes("b'[' * 50_000 + b'\\n'", "time.sleep(600)"), "").is(
        Failed,
        &[BROKE, "not a valid message"],
        &[],
    );
    let not_a_number = "b'{\"type\":\"sample\",\"sample\":0,\"start_ns\":NaN,\"end_ns\":1e999}\\n'";
    with_fault("nan", &writes(not_a_number, "time.sleep(600)"), "").is(
        Failed,
        &[BROKE, "not a valid message"],
        &[],
    );
    let endless = "
def fault():
    while True:
        os.write(4, b'x' * 65536)
";
    with_fault("long", endless, "").is(Failed, &[BROKE, "several megabytes"], &[]);
}

#[test]
fn long_messages_are_truncated() {
    let long = |letter: char| format!("b'{letter}' * 2_000_000");
    let failed = format!(
        "b'{{\"type\":\"failed\",\"status\":\"failed\",\"step\":\"' + {} + b'\",\"error\":\"' + {} + \
         b'\",\"traceback\":\"' + {} + b'\"}}\\n'",
        long('s'),
        long('e'),
        long('t')
    );
    let unknown = format!("b'{{\"type\":\"' + {} + b'\"}}\\n'", long('u'));
    for (name, message, expected) in [
        ("long_failure", failed, "eeeeeeee... (in ssssssss"),
        (
            "long_word",
            unknown,
            "not a valid message (unknown variant `uuuuuuuu",
        ),
    ] {
        let outcome = with_fault(name, &writes(&message, "time.sleep(600)"), "");
        outcome.is(Failed, &[expected], &[]);
        for trial in outcome.trials {
            let kept = [trial.reason, trial.output_tail].map(|words| words.unwrap_or_default().len());
            assert!(kept.iter().sum::<usize>() < 12 << 10, "{kept:?} bytes");
        }
    }
}

#[test]
fn unrequested_answers_break_the_protocol() {
    let finished = "b'{\"type\": \"finished\"}\\n'";
    with_fault("other", &writes(finished, "time.sleep(600)"), "").is(
        Failed,
        &[
            BROKE,
            "it answered {\"type\":\"finished\"} where sample 0 was expected",
        ],
        &[],
    );
    // The answer to the sample comes first, then one more.
    let twice = format!(
        "
def fault():
    def say():
        time.sleep(0.5)
    pass

def report(results, units):
    if not CALIBRATING:
        write = os.write
        from ftbench_worker import channel
        def twice(descriptor, message):
            channel.os = os
            return write(descriptor, message + {finished}) - len({finished})
        class Twice:
            def __getattr__(self, name):
                return twice if name == 'write' else getattr(os, name)
        channel.os = Twice()
    return {{}}
"
    );
    with_fault("twice", &twice, "").is(Failed, &[BROKE, "before it was asked"], &[]);
}

#[test]
fn impossible_times_break_the_protocol() {
    let backwards = "
def fault():
    from ftbench_worker import share, threads
    threads.clock_ns = lambda: 5
";
    with_fault("backwards", backwards, "").is(Failed, &[BROKE, "a sample ended before it began"], &[]);
    let shares = "
def fault():
    from ftbench_worker import share
    real = share.clock_ns
    share.clock_ns = lambda: real() - 10**9
";
    with_fault("shares", shares, "").is(Failed, &[BROKE, "a share ended before it began"], &[]);
    let ahead = "
def fault():
    from ftbench_worker import share, threads
    real = share.clock_ns
    share.clock_ns = threads.clock_ns = lambda: real() + 10**9
";
    with_fault("ahead", ahead, "").is(Failed, &[BROKE, "outside the time in which ftbench waited"], &[]);
}

#[test]
fn figures_that_are_not_finite_fail_the_trial() {
    let report = "
def fault():
    pass

def report(results, units):
    return {'rate': 1.0 if CALIBRATING else float('nan')}
";
    with_fault("figures", report, "").is(Failed, &["finite numbers"], &[]);
}
