//! Processes that end in the middle of a trial.

use ftbench_schema::Model;
use ftbench_schema::TrialStatus::Failed;

use super::{FAULTY, with_fault};
use crate::support::{Sandbox, pair};

#[test]
fn a_segmentation_fault_is_reported_with_pythons_traceback() {
    let fault = "
def fault():
    import ctypes
    ctypes.string_at(0)
";
    let outcome = with_fault("segfault", fault, "");
    outcome.is(
        Failed,
        &["was killed by SIGSEGV during a sample"],
        &["Fatal Python error: Segmentation fault", "in fault", "in work"],
    );
    // One retry, and no second one.
    assert_eq!(outcome.trials.len(), 2);
}

#[test]
fn an_abort_is_reported_with_pythons_traceback() {
    with_fault("abort", "fault = os.abort", "").is(
        Failed,
        &["was killed by SIGABRT during a sample"],
        &["Fatal Python error: Aborted", "in work"],
    );
}

#[test]
fn an_exit_is_reported_with_its_status() {
    with_fault("exit", "def fault():\n    os._exit(7)", "").is(
        Failed,
        &["ended with exit status 7 during a sample"],
        &[],
    );
    with_fault("good_exit", "def fault():\n    os._exit(0)", "").is(
        Failed,
        &["ended with exit status 0 during a sample"],
        &[],
    );
}

#[test]
fn a_kill_from_outside_is_reported() {
    let fault = "def fault():\n    os.kill(os.getpid(), signal.SIGKILL)";
    with_fault("killed", fault, "").is(
        Failed,
        &["was killed by SIGKILL, not by ftbench, perhaps for lack of memory, during a sample"],
        &[],
    );
    // The whole process group, as a shell's job control would.
    let fault = "def fault():\n    os.killpg(0, signal.SIGTERM)";
    with_fault("group_killed", fault, "").is(Failed, &["was killed by SIGTERM"], &[]);
}

#[test]
fn a_killed_process_of_a_pool_is_reported() {
    let fault = "def fault():\n    os.kill(os.getpid(), signal.SIGKILL)";
    with_fault("pool_killed", fault, "-m processes").is(
        Failed,
        &["a process of the pool was killed by SIGKILL, perhaps for lack of memory"],
        &[],
    );
}

#[test]
fn the_output_tail_is_kept_even_when_it_is_not_text() {
    let fault = "
def fault():
    os.write(2, b'output tail: \\xff\\xfe\\x00 caf\\xc3\\xa9\\n')
    os._exit(1)
";
    with_fault("not_text", fault, "").is(
        Failed,
        &["exit status 1"],
        &["output tail: \u{fffd}\u{fffd}", "caf\u{e9}"],
    );
}

#[test]
fn a_worker_that_kills_its_guard_leaves_nothing_behind() {
    // The second trial checks that the temporary folder of the first is gone.
    let fault = "
NOTE = os.path.join(WORD, 'note')

if os.path.exists(NOTE):
    with open(NOTE) as file:
        if os.path.exists(file.read()):
            os._exit(9)

def fault():
    import tempfile
    folder = tempfile.gettempdir()
    assert os.path.basename(folder).startswith('ftbench-'), folder
    with open(os.path.join(folder, 'kept'), 'w') as file:
        file.write('something')
    with open(NOTE, 'w') as file:
        file.write(folder)
    subprocess.Popen(SLEEPER, start_new_session=True)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)
";
    let outcome = with_fault("guard_killed", fault, "");
    outcome.is(Failed, &["its guard process was killed"], &[]);
    assert_eq!(outcome.trials.len(), 2);
}

#[test]
fn a_killed_guard_costs_no_trial_that_was_launched_later() {
    // While others are prepared, and while they take turns.
    for calls_before in [0, 2] {
        let sandbox = Sandbox::sharing_the_machine();
        let fault = format!(
            "calls = 0

def fault():
    global calls
    if threading.current_thread() is threading.main_thread():
        calls += 1
        if calls > {calls_before}:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
"
        );
        let file = sandbox.file("guard_killed.py", format!("{FAULTY}\n{fault}"));
        // With this seed, serial is launched before the others in one round and between them in the other one.
        let words = format!(
            "{file} -p {} -m serial,threads -n 1,2 --rounds 2 --samples 4 --sample-time 20ms \
             --warmup 1ms --no-ceiling --seed 2 --timeout 40",
            pair().free_threaded
        );
        let run = sandbox.run("out", &words, 1);
        let trials = run.trials();
        assert_eq!(trials.len(), 6);
        for trial in trials {
            let is_lost = trial.cell.model == Model::Serial;
            assert_eq!(trial.status == Failed, is_lost, "{:?}", trial.reason);
        }
    }
}
