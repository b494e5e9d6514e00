//! Probes an executable to find out which Python it is.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::answer::{self, Answer, BadAnswer};
use crate::error::{self, Failure, is_machine_failure};
use crate::process::bounded::{self, Ended};
use ftbench_schema::{Switches, Version};

/// How long one executable may take to answer.
pub const PROBE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Factor on the time limit for the second probe of an interpreter that is known to work. While it starts, a
/// free-threaded 3.13 yields its PU some 1,800 times because of nested critical sections (`sched_yield` of
/// `_PyMutex_LockTimed`, Python/lock.c). With three busy processes for each PU it needs six seconds for 30 ms of work.
pub(super) const SECOND_TRY_FACTOR: u32 = 4;

/// The probe. It is a file of its own so that it can be read, checked and run as Python.
const SCRIPT: &str = include_str!("probe.py");

/// Longest part of a line of another program's output that a message quotes, characters.
const MAX_QUOTED_CHARACTERS: usize = 160;

/// Why an executable cannot be measured. Every message names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be started, or fails before it can answer.
    #[error("{} does not start: {cause}", path.display())]
    DoesNotStart {
        /// The executable.
        path: PathBuf,
        /// The error of the system or the program.
        cause: String,
    },
    /// The system has no process, memory or descriptor left to start it with.
    #[error("{} cannot be started: {cause}", path.display())]
    NoProcess {
        /// The executable.
        path: PathBuf,
        /// The system's error.
        cause: String,
    },
    /// It runs, but does not answer as a Python does.
    #[error("{} is not a Python interpreter: {said}", path.display())]
    NotPython {
        /// The executable.
        path: PathBuf,
        /// What it did instead.
        said: String,
    },
    /// Its version is below the oldest that ftbench measures.
    #[error("{} is Python {version}, which is too old: ftbench measures Python 3.9 and newer", path.display())]
    TooOld {
        /// The executable.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// It gave no answer in time.
    #[error("{} hangs: no answer within {} s", path.display(), time_limit.as_secs_f64())]
    TimedOut {
        /// The executable.
        path: PathBuf,
        /// How long it was given.
        time_limit: Duration,
    },
    /// A Python that is neither CPython nor PyPy.
    #[error("{} is {name}, which ftbench does not support: it measures CPython and PyPy", path.display())]
    UnknownImplementation {
        /// The executable.
        path: PathBuf,
        /// What it calls itself.
        name: String,
    },
}

impl Failure for ProbeError {
    fn exit_status(&self) -> error::ExitStatus {
        match self {
            Self::NoProcess { .. } => error::ExitStatus::MachineFailed,
            _ => error::ExitStatus::BadAnswer,
        }
    }
}

/// Runs `path` without switches and reads how it describes itself, within `time_limit`; see [`probe_with`].
///
/// # Errors
///
/// When it is not a Python that can be measured.
pub fn probe(path: &Path, time_limit: Duration) -> Result<Answer, ProbeError> {
    probe_with(path, Switches::NONE, time_limit)
}

/// Runs `path` with these switches on and reads how it describes itself, within `time_limit`.
///
/// It sees a few variables of the user's environment, and none of its installed packages; see [`script`].
///
/// # Errors
///
/// When it is not a Python that can be measured.
pub(super) fn probe_with(
    path: &Path,
    switches: Switches,
    time_limit: Duration,
) -> Result<Answer, ProbeError> {
    let unfit = if path.is_dir() {
        Some("it is a folder; give the executable in it, such as bin/python3")
    } else if path.to_str().is_none() {
        Some("its path is not UTF-8, which a run's record needs; give it by a link with a plain name")
    } else {
        None
    };
    if let Some(cause) = unfit {
        let (path, cause) = (path.to_owned(), cause.to_owned());
        return Err(ProbeError::DoesNotStart { path, cause });
    }
    let mut command = script(path, switches, SCRIPT);
    conclude(path, time_limit, bounded::run(&mut command, time_limit))
}

/// Like [`probe_with`], for an interpreter that is known to work: if it does not answer in time, as may happen on a
/// loaded machine, it is probed once more with four times the limit.
///
/// # Errors
///
/// When it is not a Python that can be measured.
pub(super) fn probe_with_retry(
    path: &Path,
    switches: Switches,
    time_limit: Duration,
) -> Result<Answer, ProbeError> {
    match probe_with(path, switches, time_limit) {
        Err(ProbeError::TimedOut { .. }) => probe_with(path, switches, time_limit * SECOND_TRY_FACTOR),
        answer => answer,
    }
}

/// Runs a script with these arguments in a probed interpreter, the way the probe is run, and returns what it printed.
///
/// # Errors
///
/// One line that says why there is no output.
pub fn run_script(path: &Path, source: &str, arguments: &[&OsStr]) -> Result<String, String> {
    let mut command = script(path, Switches::default(), source);
    let ended =
        bounded::run(command.args(arguments), PROBE_TIME_LIMIT).map_err(|error| start_error(&error))?;
    match ended.status {
        None => Err(format!("no answer within {} s", PROBE_TIME_LIMIT.as_secs())),
        Some(status) if status.success() => Ok(String::from_utf8_lossy(&ended.output).into_owned()),
        Some(status) => {
            let said = key_line(&ended).unwrap_or_else(|| "nothing".to_owned());
            Err(format!("{} and printed '{said}'", ending(status)))
        }
    }
}

/// Prepended to every script: with `-c`, modules of the working directory, such as a `json.py`, would shadow Python's.
const WITHOUT_WORKING_DIRECTORY: &str = "import sys\nif sys.path[:1] == ['']: del sys.path[0]\n";

/// The command that runs a script without the user's environment, apart from a few variables, and without the
/// interpreter's installed packages.
fn script(path: &Path, switches: Switches, source: &str) -> Command {
    let mut command = Command::new(path);
    if switches.is_empty() {
        // Ignores Python's variables, in case a wrapper script sets them again.
        command.arg("-E");
    }
    command.args(["-s", "-S", "-c"]).env_clear();
    command.arg(format!("{WITHOUT_WORKING_DIRECTORY}{source}"));
    command.envs(switches.iter().map(|switch| (switch.variable(), switch.value())));
    // Trials get these too. Without LD_LIBRARY_PATH, a build with a library of its own does not start.
    for name in ["PATH", "HOME", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LANG", "C.UTF-8");
    command
}

/// Turns the outcome of the probe into an answer or an error. Pure.
fn conclude(path: &Path, time_limit: Duration, ended: io::Result<Ended>) -> Result<Answer, ProbeError> {
    let path = path.to_owned();
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let cause = start_error(&error);
            return Err(if is_machine_failure(&error) {
                ProbeError::NoProcess { path, cause }
            } else {
                ProbeError::DoesNotStart { path, cause }
            });
        }
    };
    let Some(status) = ended.status else {
        return Err(ProbeError::TimedOut { path, time_limit });
    };
    answer::parse(&String::from_utf8_lossy(&ended.output)).map_err(|bad| match bad {
        BadAnswer::TooOld(version) => ProbeError::TooOld { path, version },
        BadAnswer::UnknownImplementation(name) => ProbeError::UnknownImplementation { path, name },
        BadAnswer::None => {
            let how = ending(status);
            let said = match key_line(&ended) {
                Some(words) => format!("{how} and printed '{words}'"),
                None => format!("{how} and said nothing"),
            };
            if broke_down(status, &ended.errors) {
                ProbeError::DoesNotStart { path, cause: said }
            } else {
                ProbeError::NotPython { path, said }
            }
        }
    })
}

/// Explains why a program could not be started.
fn start_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "no such file, or the interpreter that its first line names is missing".to_owned()
        }
        io::ErrorKind::PermissionDenied => "it is not executable, or not for this user".to_owned(),
        _ => error.to_string(),
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it exited with status {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

/// Whether this looks like a broken Python rather than another program: killed by a signal, the "cannot run" statuses
/// of the shell and the loader (126, 127), or a Python's own error output.
fn broke_down(status: ExitStatus, errors: &[u8]) -> bool {
    let errors = String::from_utf8_lossy(errors);
    status.signal().is_some()
        || matches!(status.code(), Some(126 | 127))
        || errors.contains("Fatal Python error")
        || errors.contains("Traceback (most recent call last)")
}

/// The most informative line: a traceback's last one, otherwise the first; standard error before output.
fn key_line(ended: &Ended) -> Option<String> {
    let errors = String::from_utf8_lossy(&ended.errors);
    let output = String::from_utf8_lossy(&ended.output);
    let traceback = errors.contains("Traceback (most recent call last)");
    let mut lines = lines_with_text(&errors).chain(lines_with_text(&output));
    let line = if traceback {
        lines_with_text(&errors).next_back()
    } else {
        lines.next()
    };
    line.map(quoted)
}

fn lines_with_text(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Makes a line fit for a message: without control characters, and not too long.
fn quoted(line: &str) -> String {
    let mut clean: String = line
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_QUOTED_CHARACTERS)
        .collect();
    if clean.len() < line.len() && clean.chars().count() == MAX_QUOTED_CHARACTERS {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::interpreter::fixtures::{Folder, answering};

    /// Long enough for anything that ends by itself.
    const LONG: Duration = Duration::from_secs(120);

    fn error_of(script: &str, time_limit: Duration) -> ProbeError {
        let folder = Folder::new();
        probe(&folder.script("python3", script), time_limit).unwrap_err()
    }

    /// The message without the temporary folder's name.
    fn message_of(script: &str) -> String {
        let folder = Folder::new();
        let error = probe(&folder.script("python3", script), LONG).unwrap_err();
        error
            .to_string()
            .replace(&folder.path().display().to_string(), "/folder")
    }

    #[test]
    fn exhausted_system_is_not_blamed_on_the_executable() {
        let concluded = |errno: rustix::io::Errno| {
            conclude(Path::new("/python3"), PROBE_TIME_LIMIT, Err(errno.into())).unwrap_err()
        };
        for errno in [rustix::io::Errno::AGAIN, rustix::io::Errno::MFILE] {
            let error = concluded(errno);
            assert!(matches!(error, ProbeError::NoProcess { .. }), "{error}");
        }
        let missing = concluded(rustix::io::Errno::NOENT);
        assert!(matches!(missing, ProbeError::DoesNotStart { .. }), "{missing}");
    }

    #[test]
    fn a_real_interpreter_is_probed() {
        let folder = Folder::new();
        let path = folder.script("python3", &answering("3.13.15t"));
        let answer = probe(&path, LONG).unwrap();
        assert_eq!(answer.version, Version::new(3, 13, 15));
        assert!(answer.free_threaded);
    }

    #[test]
    fn hanging_executable_times_out() {
        let error = error_of("sleep 1000", Duration::from_millis(200));
        assert!(matches!(error, ProbeError::TimedOut { .. }), "{error}");
        assert!(
            error.to_string().ends_with("hangs: no answer within 0.2 s"),
            "{error}"
        );
    }

    #[test]
    fn other_programs_are_not_python() {
        insta::assert_snapshot!(message_of("echo hello; echo more"), @"/folder/python3 is not a Python interpreter: it exited with status 0 and printed 'hello'");
        insta::assert_snapshot!(message_of("exit 2"), @"/folder/python3 is not a Python interpreter: it exited with status 2 and said nothing");
    }

    #[test]
    fn broken_python_does_not_start() {
        insta::assert_snapshot!(message_of("echo 'pyenv: python3: command not found' >&2; echo 'The command exists in:' >&2; exit 127"), @"/folder/python3 does not start: it exited with status 127 and printed 'pyenv: python3: command not found'");
        insta::assert_snapshot!(message_of("kill -SEGV $$"), @"/folder/python3 does not start: it was killed by signal 11 and said nothing");
        insta::assert_snapshot!(message_of("printf 'Traceback (most recent call last):\\n  x\\nImportError: no json\\n' >&2; exit 1"), @"/folder/python3 does not start: it exited with status 1 and printed 'ImportError: no json'");
    }

    #[test]
    fn old_and_unknown_implementations_are_named() {
        insta::assert_snapshot!(message_of(&answering("2.7.18")), @"/folder/python3 is Python 2.7.18, which is too old: ftbench measures Python 3.9 and newer");
        insta::assert_snapshot!(message_of("echo 'ftbench-probe {\"implementation\": \"GraalVM\", \"version\": [3, 11, 7, \"final\", 0]}'"), @"/folder/python3 is GraalVM, which ftbench does not support: it measures CPython and PyPy");
    }

    #[test]
    fn paths_that_cannot_be_run_do_not_start() {
        let folder = Folder::new();
        let plain = folder.file("python3", "not a program");
        for path in [folder.path().join("missing"), plain, folder.path().to_owned()] {
            let error = probe(&path, LONG).unwrap_err();
            assert!(matches!(error, ProbeError::DoesNotStart { .. }), "{error}");
        }
    }

    #[test]
    fn quoted_lines_are_short_and_without_control_characters() {
        assert_eq!(quoted("\u{1b}[31mred"), "[31mred");
        assert_eq!(
            quoted(&"é".repeat(500)).chars().count(),
            MAX_QUOTED_CHARACTERS + 1
        );
        assert_eq!(quoted("short"), "short");
    }
}
