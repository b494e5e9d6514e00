//! Processes that never answer.

use ftbench_schema::TrialStatus::TimedOut;

use super::with_fault;

const TOO_LONG: &str = "a sample took longer than 10 s (--timeout)";
const WHERE: &str = "Where it was when the time was up:";

#[test]
fn a_deadlock_is_reported_with_the_traceback_of_every_thread() {
    let fault = "
first, second = threading.Lock(), threading.Lock()

def takes_second():
    with second:
        time.sleep(0.2)
        first.acquire()

def fault():
    threading.Thread(target=takes_second, daemon=True).start()
    with first:
        time.sleep(0.2)
        second.acquire()
";
    let outcome = with_fault("deadlock", fault, "--timeout 10");
    outcome.is(TimedOut, &[TOO_LONG], &[WHERE, "in takes_second", "in fault"]);
    // A trial that timed out is not retried.
    assert_eq!(outcome.trials.len(), 1);
}

#[test]
fn an_endless_loop_in_c_is_reported_with_its_traceback() {
    let fault = "
import itertools

def fault():
    sum(itertools.repeat(0))
";
    with_fault("endless", fault, "--timeout 10").is(TimedOut, &[TOO_LONG], &[WHERE, "in fault", "in work"]);
    with_fault("endless_pool", fault, "-m processes --timeout 10").is(
        TimedOut,
        &[TOO_LONG],
        &[WHERE, "in fault"],
    );
}

#[test]
fn a_process_that_is_stopped_or_ignores_signals_is_ended() {
    let fault = "def fault():\n    os.kill(os.getpid(), signal.SIGSTOP)";
    with_fault("stopped", fault, "--timeout 10").is(TimedOut, &[TOO_LONG], &[]);
    let fault = "
def fault():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(600)
";
    with_fault("deaf", fault, "--timeout 10").is(TimedOut, &[TOO_LONG], &[]);
}
