//! Processes that workers start and leave running.

use ftbench_schema::TrialStatus::{Failed, Ok};

use super::with_fault;

#[test]
fn children_end_with_their_parent() {
    with_fault("child", "def fault():\n    subprocess.Popen(SLEEPER)", "").is(Ok, &[], &[]);
    let fault = "
def fault():
    subprocess.Popen(SLEEPER)
    os._exit(3)
";
    with_fault("orphan", fault, "").is(Failed, &["exit status 3"], &[]);
}

#[test]
fn grandchildren_in_their_own_sessions_are_ended() {
    let fault = "
def fault():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, SLEEPER)
        os._exit(0)
    os.wait()
";
    with_fault("daemon", fault, "").is(Ok, &[], &[]);
    let crashing = format!("{fault}    os.abort()\n");
    with_fault("crashing_daemon", &crashing, "").is(Failed, &["SIGABRT"], &[]);
    with_fault("pools_daemon", fault, "-m processes").is(Ok, &[], &[]);
}

#[test]
fn children_that_ignore_signals_are_ended_with_their_children() {
    let fault = "
def fault():
    for depth in range(5):
        if os.fork() != 0:
            break
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    else:
        os.execv(sys.executable, SLEEPER)
    time.sleep(600 if depth > 0 else 0.05)
";
    with_fault("nested", fault, "").is(Ok, &[], &[]);
}

#[test]
fn too_many_children_are_counted_and_ended() {
    let fault = "
def fault():
    for number in range(60):
        if os.fork() == 0:
            if number % 2:
                os.setsid()
            os.execv('/bin/sh', SHELL)
    time.sleep(600)
";
    with_fault("crowd", fault, "--process-limit 40").is(
        Failed,
        &["it had more than 40 processes during a sample (--process-limit)"],
        &[],
    );
}

#[test]
fn too_many_children_are_counted_when_forked_at_once() {
    let fault = "
def fault():
    for number in range(60):
        if os.fork() == 0:
            os.execv('/bin/sh', SHELL)
";
    with_fault("quick_crowd", fault, "--process-limit 40").is(
        Failed,
        &["it had more than 40 processes during a sample (--process-limit)"],
        &[],
    );
    with_fault("small_crowd", &fault.replace("60", "10"), "--process-limit 60").is(Ok, &[], &[]);
}

/// A fault in which every process forks every 200 ms, so that there are 32 after a second. They stop after 100 forks in
/// total, or after up to 200 because many check the count at the same moment.
const DOUBLING: &str = "
def fault():
    counted = os.open(os.path.join(WORD, 'counted'), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.ftruncate(counted, 0)
    while os.fstat(counted).st_size < 100:
        os.write(counted, b'.')
        if os.fork() == 0 and os.getpid() % 2:
            os.setsid()
        time.sleep(0.2)
    time.sleep(600)
";

#[test]
fn children_that_double_are_ended() {
    with_fault("doubling", DOUBLING, "--process-limit 20").is(Failed, &["more than 20 processes"], &[]);
}

#[test]
fn children_that_keep_forking_are_ended() {
    let fault = "
def keep_forking():
    while True:
        time.sleep(0.02)
        if os.fork() != 0:
            time.sleep(600)
        os.setsid()

def fault():
    if os.fork() == 0:
        keep_forking()
    time.sleep(600)
";
    with_fault("bomb", fault, "--process-limit 30").is(Failed, &["more than 30 processes"], &[]);
}

#[test]
fn folders_that_pools_leave_behind_are_removed() {
    let fault = "
def fault():
    import multiprocessing.util, tempfile
    folder = multiprocessing.util.get_temp_dir()
    with open(os.path.join(folder, 'big'), 'wb') as file:
        file.write(bytes(1000))
    with open(os.path.join(WORD, 'folder'), 'w') as file:
        file.write(folder)
    os.kill(os.getpid(), signal.SIGKILL)
";
    let check = "
import atexit
def look():
    path = os.path.join(WORD, 'folder')
    if os.path.exists(path):
        with open(path) as file:
            folder = file.read()
        if os.path.exists(folder):
            os.write(2, b'it is still there')
            os._exit(9)
look()
";
    with_fault("folders", &format!("{fault}{check}"), "").is(Failed, &["SIGKILL"], &[]);
}
