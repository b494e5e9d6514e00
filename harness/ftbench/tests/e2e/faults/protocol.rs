//! Workers that violate the protocol: shell scripts instead of interpreters, and a worker of another version.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ftbench::measure::failure::TrialFailure;
use ftbench::measure::launch::{Launch, python_arguments};
use ftbench::measure::protocol::{Entry, PROTOCOL_VERSION, Reply, Request};
use ftbench::measure::session::{Bounds, Session};
use ftbench::process::guard::driver_side::GuardOptions;
use ftbench::process::interrupt::Interrupt;

use crate::support::mark::Mark;
use crate::support::paths::harness;
use crate::support::{FTBENCH, Sandbox, executable, pair};

/// Long enough for every worker that answers, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A limit for scripts that never answer.
const SHORT: Duration = Duration::from_secs(2);

fn bounds(step_limit: Duration) -> Bounds {
    Bounds {
        guard_options: GuardOptions {
            executable: PathBuf::from(FTBENCH),
            limits: None,
            control_group: None,
        },
        step_limit,
    }
}

/// Talks to a worker that is this shell script, and checks that none of its processes is left.
fn with_worker<T>(script: &str, step_limit: Duration, talk: impl FnOnce(&mut Session<'_>) -> T) -> T {
    let launch = Launch {
        executable: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        environment: BTreeMap::new(),
        fixed_variables: Vec::new(),
        entry: Entry::default(),
    };
    with_launch(launch, &bounds(step_limit), talk)
}

/// Talks to a worker that is launched like this, and checks that none of its processes is left.
fn with_launch<T>(mut launch: Launch, bounds: &Bounds, talk: impl FnOnce(&mut Session<'_>) -> T) -> T {
    let mark = Mark::new("protocol");
    let path = std::env::var("PATH").unwrap();
    for (name, value) in [mark.variable(), ("PATH", path.as_str())] {
        launch.environment.insert(name.to_owned(), value.to_owned());
    }
    let interrupt = Interrupt::never().unwrap();
    let mut session = Session::start(&launch, 1, bounds, &interrupt).unwrap();
    let result = talk(&mut session);
    assert!(session.end().is_empty());
    assert_eq!(mark.processes(), Vec::<String>::new());
    assert_eq!(
        session.processes(),
        [session.process_id()],
        "no other process is listed"
    );
    result
}

const HELLO: &str =
    r#"echo '{"type":"hello","protocol":7,"process_id":1,"python":"","gil_enabled":false}' >&4; "#;

#[track_caller]
fn greeting_fails(script: &str, words: &str) {
    greeting_fails_within(LONG, script, words);
}

#[track_caller]
fn greeting_fails_within(step_limit: Duration, script: &str, words: &str) {
    let failure = with_worker(script, step_limit, |session| {
        session.greet().unwrap_err().to_string()
    });
    assert!(failure.contains(words), "no {words:?} in {failure:?}");
}

#[test]
fn an_invalid_greeting_is_reported() {
    greeting_fails(
        &HELLO.replace("\"protocol\":", "\"protocol\":9"),
        "it speaks version 97 of the protocol",
    );
    greeting_fails(
        "echo '{\"type\":\"finished\"}' >&4",
        "it answered {\"type\":\"finished\"} where 'hello' was expected",
    );
    greeting_fails("echo hello >&4", "its answer is not a valid message");
    greeting_fails(
        "exec 3<&- 4>&-; sleep 60",
        "closed its channel without ending during start-up",
    );
    greeting_fails("exit 4", "ended with exit status 4 during start-up");
    greeting_fails_within(SHORT, "sleep 60 & sleep 60", "start-up took longer than 2 s");
    greeting_fails("kill -11 $$", "was killed by SIGSEGV during start-up");
}

#[test]
fn a_python_worker_of_another_version_is_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    let own = harness().join("worker/ftbench_worker");
    for entry in std::fs::read_dir(own).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|suffix| suffix == "py") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let source = std::fs::read_to_string(&path).unwrap();
            let other = source.replace("\nPROTOCOL_VERSION = ", "\nPROTOCOL_VERSION = 9");
            sandbox.file(&format!("ftbench_worker/{name}"), other);
        }
    }
    let folder = sandbox.path().to_str().unwrap().to_owned();
    let launch = Launch {
        executable: executable(&pair().free_threaded),
        arguments: python_arguments(),
        environment: BTreeMap::from([("PYTHONPATH".to_owned(), folder)]),
        fixed_variables: Vec::new(),
        entry: Entry::default(),
    };
    let failure = with_launch(launch, &bounds(LONG), |session| session.greet().unwrap_err());
    let expected = format!(
        "it speaks version 9{PROTOCOL_VERSION} of the protocol; this ftbench speaks {PROTOCOL_VERSION}"
    );
    assert!(
        matches!(&failure, TrialFailure::ProtocolViolation(reason) if *reason == expected),
        "{failure}"
    );
}

#[test]
fn a_worker_that_answers_and_exits_is_finished() {
    let script = format!("{HELLO} read request <&3; echo '{{\"type\":\"finished\"}}' >&4; sleep 600 &");
    with_worker(&script, LONG, |session| {
        session.greet().unwrap();
        session.finish().unwrap();
    });
}

#[test]
fn a_second_answer_is_detected_before_the_next_request() {
    // Both are written at once, so the second has arrived when the first is read.
    let hello = HELLO.replace(">&4", "");
    let script = format!("twice=$({hello} {hello}); echo \"$twice\" >&4; sleep 60");
    let failure = with_worker(&script, LONG, |session| {
        session.greet().unwrap();
        session.ask(&Request::Finish, "ending the workers").unwrap_err()
    });
    assert!(
        matches!(&failure, TrialFailure::ProtocolViolation(reason) if reason.contains("before it was asked")),
        "{failure}"
    );
}

#[test]
fn an_answer_sent_before_the_exit_is_received() {
    let script =
        format!("{HELLO} read request <&3; echo '{{\"type\":\"finished\"}}' >&4; echo words; exit 3");
    with_worker(&script, LONG, |session| {
        session.greet().unwrap();
        let reply = session.ask(&Request::Finish, "ending the workers").unwrap();
        assert!(matches!(reply, Reply::Finished { .. }));
        let failure = session.ask(&Request::Finish, "exit").unwrap_err();
        assert!(failure.to_string().contains("exit status 3"), "{failure}");
        assert_eq!(session.last_output(&failure), "words");
    });
}

#[test]
fn a_missing_executable_is_reported() {
    let launch = Launch {
        executable: PathBuf::from("/nowhere/python"),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
        fixed_variables: Vec::new(),
        entry: Entry::default(),
    };
    let interrupt = Interrupt::never().unwrap();
    let failure = Session::start(&launch, 1, &bounds(LONG), &interrupt).unwrap_err();
    assert!(
        failure
            .to_string()
            .starts_with("/nowhere/python did not start: No such file"),
        "{failure}"
    );
}
