//! Tries modules and calls, each in a guarded process of its own, in an empty folder that is removed afterwards.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::outside;
use crate::process::bounded::{self, Ended, signal_name};
use ftbench_schema::{Attempt, ExtensionModule, GilSwitch, ModuleImport, Outcome, StressedCall, text};

/// The program that tries something.
const PROGRAM: &str = include_str!("attempt.py");

/// Largest outcome that is read, bytes.
const LARGEST_OUTCOME_BYTES: u64 = 4 << 20;

/// Maximum number of lines of a traceback that are kept.
const MAX_TRACEBACK_LINES: usize = 30;

/// The beginning of what faulthandler writes at a crash.
const CRASH: &str = "Fatal Python error";

/// The beginning of the stack of C code, which CPython 3.14 and later write after that of the Python code.
const C_STACK: &str = "Current thread's C stack trace";

/// Maximum length of a reason, characters.
const MAX_REASON_CHARACTERS: usize = 300;

/// Exit statuses from this one on are signals: a guard's status of a program that a signal ended.
const SIGNALS_FROM: i32 = 128;

/// Something to try.
#[derive(Debug, Clone, Serialize)]
struct Wish<'a> {
    modules: &'a [String],
    threads: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    seconds: f64,
    path: &'a Path,
    limit_s: f64,
}

/// What the program writes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    error: Option<String>,
    gil_before: bool,
    gil_after: bool,
    gil_enabled_by: Vec<String>,
    extensions: Vec<ExtensionModule>,
    warnings: Vec<String>,
    calls: u64,
    wrong: u64,
    example: Vec<String>,
    expected: String,
}

/// Why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The system refuses a process or a folder.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// ftbench was interrupted.
    #[error("interrupted")]
    Interrupted,
}

/// Tries things in an environment.
pub struct Attempts<'a> {
    /// The environment's Python.
    pub python: &'a Path,
    /// How long each attempt may take.
    pub time_limit: Duration,
    /// Whether ftbench was interrupted.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Attempts<'_> {
    /// Imports a module, and each extension module that switches the GIL on also alone.
    ///
    /// # Errors
    /// When nothing could be tried.
    pub fn import(&self, module: &str) -> Result<ModuleImport, AttemptError> {
        let (attempt, answer) = self.imported(&[module.to_owned()], 1)?;
        let mut gil_enabled_by = Vec::new();
        if answer.gil_after && !answer.gil_before {
            for extension in &answer.gil_enabled_by {
                let (alone, answer) = self.imported(std::slice::from_ref(extension), 1)?;
                gil_enabled_by.push(GilSwitch {
                    extension: extension.clone(),
                    is_established_alone: alone.outcome == Outcome::Works && answer.gil_after,
                });
            }
            if gil_enabled_by.is_empty() {
                gil_enabled_by.push(GilSwitch {
                    extension: String::new(),
                    is_established_alone: false,
                });
            }
        }
        Ok(ModuleImport {
            module: module.to_owned(),
            attempt,
            gil_enabled_by,
            extensions: answer.extensions,
            warnings: answer.warnings.iter().map(|warning| short(warning)).collect(),
        })
    }

    /// Imports all of the modules by several threads at once.
    ///
    /// # Errors
    /// When nothing could be tried.
    pub fn import_in_threads(&self, modules: &[String], threads: u32) -> Result<Attempt, AttemptError> {
        Ok(self.imported(modules, threads)?.0)
    }

    /// Makes a call in one thread, and then in several for some time.
    ///
    /// # Errors
    /// When nothing could be tried.
    pub fn stress(&self, call: &str, threads: u32, duration: Duration) -> Result<StressedCall, AttemptError> {
        let (mut attempt, answer) = self.attempt(&[], Some(call), threads, duration)?;
        if attempt.outcome == Outcome::Works && answer.wrong > 0 {
            attempt.outcome = Outcome::Fails;
            let example = answer.example.first().map_or("", String::as_str);
            attempt.reason = short(&format!(
                "{} of {} results in {threads} threads differ from that of one thread: {example} instead of {}",
                answer.wrong, answer.calls, answer.expected
            ));
        }
        Ok(StressedCall {
            call: call.to_owned(),
            attempt,
            threads,
            calls: answer.calls,
            wrong_results: answer.wrong,
        })
    }

    fn imported(&self, modules: &[String], threads: u32) -> Result<(Attempt, Answer), AttemptError> {
        self.attempt(modules, None, threads, Duration::ZERO)
    }

    fn attempt(
        &self,
        modules: &[String],
        call: Option<&str>,
        threads: u32,
        duration: Duration,
    ) -> Result<(Attempt, Answer), AttemptError> {
        // What is tried may delete the files of its working folder; the outcome is elsewhere.
        let outcome = tempfile::Builder::new().prefix("ftbench-compat-").tempdir()?;
        let scratch = tempfile::Builder::new().prefix("ftbench-compat-").tempdir()?;
        let path = outcome.path().join("outcome.json");
        let time_limit = self.time_limit + duration;
        let wish = Wish {
            modules,
            threads,
            call,
            seconds: duration.as_secs_f64(),
            path: &path,
            limit_s: time_limit.as_secs_f64(),
        };
        let wish = serde_json::to_string(&wish).map_err(std::io::Error::from)?;
        let mut command = Command::new(self.python);
        command
            .args(["-I", "-X", "faulthandler", "-c", PROGRAM, &wish])
            .current_dir(scratch.path())
            .env("HOME", scratch.path())
            .env("TMPDIR", scratch.path())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let ended = bounded::run_guarded(&command, time_limit, &self.is_stopped)?;
        if ended.status.is_none() && (self.is_stopped)() {
            return Err(AttemptError::Interrupted);
        }
        let answer = outside::read(&path, LARGEST_OUTCOME_BYTES).ok();
        let answer: Option<Answer> = answer.and_then(|text| serde_json::from_slice(&text).ok());
        let attempt = judged(&ended, answer.as_ref(), time_limit);
        Ok((attempt, answer.unwrap_or_default()))
    }
}

/// How an attempt ended.
fn judged(ended: &Ended, answer: Option<&Answer>, time_limit: Duration) -> Attempt {
    let printed = String::from_utf8_lossy(&ended.errors);
    let after = if answer.is_some() {
        " after it was imported"
    } else {
        ""
    };
    let (outcome, reason) = match (ended.status, answer) {
        (None, Some(answer)) if answer.error.is_none() => (
            Outcome::TimesOut,
            format!(
                "its threads keep the interpreter from ending within {} s",
                time_limit.as_secs()
            ),
        ),
        (None, _) => (
            Outcome::TimesOut,
            format!("it does not end within {} s", time_limit.as_secs()),
        ),
        (Some(status), _) if signal_of(status).is_some() => {
            let signal = signal_of(status).map(signal_name).unwrap_or_default();
            (Outcome::Crashes, format!("{signal}{after}"))
        }
        (Some(_), Some(answer)) => match &answer.error {
            None => (Outcome::Works, String::new()),
            Some(error) => (Outcome::Fails, short(error)),
        },
        (Some(status), None) => (
            Outcome::Exits,
            format!(
                "it ends the interpreter with status {}",
                status.code().unwrap_or_default()
            ),
        ),
    };
    let traceback = if outcome == Outcome::Works {
        String::new()
    } else {
        tail(&printed)
    };
    Attempt {
        outcome,
        reason,
        traceback,
    }
}

/// The signal that ended a guarded program, or the guard itself.
fn signal_of(status: ExitStatus) -> Option<i32> {
    let of_program = status
        .code()
        .map(|code| code - SIGNALS_FROM)
        .filter(|&signal| signal > 0);
    // Exit status 255, as of `exit(-1)`, is not a signal.
    of_program
        .filter(|&signal| signal <= 64)
        .or_else(|| status.signal())
}

/// The last lines, or for a crash the stack of the Python code, whose innermost function is first. They are safe to print.
fn tail(printed: &str) -> String {
    let lines: Vec<String> = text::lines(printed).collect();
    let crash = lines.iter().position(|line| line.starts_with(CRASH));
    if let Some(stack) = crash.and_then(|first| lines.get(first..)) {
        let of_python = stack.iter().take_while(|line| !line.starts_with(C_STACK));
        return of_python.take(MAX_TRACEBACK_LINES).join("\n");
    }
    let first = lines.len().saturating_sub(MAX_TRACEBACK_LINES);
    lines.get(first..).unwrap_or_default().join("\n")
}

fn short(reason: &str) -> String {
    text::shorten(&text::line(reason), MAX_REASON_CHARACTERS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ended(code: Option<i32>, errors: &str) -> Ended {
        Ended {
            status: code.map(|code| ExitStatus::from_raw(code << 8)),
            output: Vec::new(),
            errors: errors.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_end_is_an_outcome() {
        let works = Answer::default();
        let fails = Answer {
            error: Some("ImportError: no\nway".to_owned()),
            ..Answer::default()
        };
        let of = |code, answer| judged(&ended(code, "one\ntwo\n"), answer, Duration::from_secs(9));
        assert_eq!(of(Some(0), Some(&works)).outcome, Outcome::Works);
        assert_eq!(of(Some(0), Some(&works)).traceback, "");
        let failed = of(Some(0), Some(&fails));
        assert_eq!(
            (failed.outcome, failed.traceback.as_str()),
            (Outcome::Fails, "one\ntwo")
        );
        assert!(!failed.reason.contains('\n'), "{}", failed.reason);
        assert_eq!(of(Some(139), None).reason, "SIGSEGV");
        assert_eq!(
            of(Some(134), Some(&works)).reason,
            "SIGABRT after it was imported"
        );
        assert_eq!(of(Some(0), None).outcome, Outcome::Exits);
        assert_eq!(of(Some(255), None).outcome, Outcome::Exits);
        assert_eq!(of(None, None).outcome, Outcome::TimesOut);
        // What CPython 3.14 printed, shortened.
        let crash = "hello\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1 [python] (most recent call first):\n  \
                     File \"ctypes/__init__.py\", line 556 in string_at\n\nCurrent thread's C stack trace (most recent call first):\n  \
                     Binary file \"python\", at +0x33783a\n";
        let stack = judged(&ended(Some(139), crash), None, Duration::from_secs(9)).traceback;
        assert!(
            stack.starts_with(CRASH) && stack.trim_end().ends_with("in string_at"),
            "{stack}"
        );
        assert!(of(None, Some(&works)).reason.contains("threads"));
    }
}
