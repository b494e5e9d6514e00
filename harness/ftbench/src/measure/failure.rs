//! Why a trial has no result.

use std::path::PathBuf;
use std::time::Duration;

use crate::process::bounded::signal_name;
use crate::process::guard::guard_side::Ending;
use ftbench_schema::TrialStatus;
use ftbench_schema::units;

/// Why a trial has no result. The messages follow the cell's name in reports.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrialFailure {
    /// The interpreter did not start.
    #[error("{} did not start: {error}", path.display())]
    Start {
        /// The executable.
        path: PathBuf,
        /// The system's error.
        error: String,
    },
    /// The system has no process, pipe or memory left to start any trial with.
    #[error("the system cannot start a process for a trial: {0}")]
    NoProcess(String),
    /// The cell cannot be measured on this machine as it is.
    #[error("{0}")]
    Unavailable(String),
    /// The process ended during a step.
    #[error("the process {status} during {step}")]
    Ended {
        /// The step that was running.
        step: &'static str,
        /// How it ended.
        status: String,
    },
    /// A step took too long.
    #[error(
        "{step} took longer than {} s (--timeout){}",
        limit.as_secs_f64(),
        if *has_partial_reply { ", and its reply is incomplete" } else { "" }
    )]
    TimedOut {
        /// The step that was running.
        step: &'static str,
        /// The limit.
        limit: Duration,
        /// Whether part of a reply had arrived.
        has_partial_reply: bool,
    },
    /// Its processes used more memory than the limit allows.
    #[error(
        "it used {} of memory during {step}, more than the limit of {} (--memory-limit)",
        units::bytes(*used_bytes as f64),
        units::bytes(*limit_bytes as f64)
    )]
    TooMuchMemory {
        /// The step that was running.
        step: &'static str,
        /// Memory of all its processes, bytes.
        used_bytes: u64,
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// It started more processes than the limit allows.
    #[error("it had more than {limit} processes during {step} (--process-limit)")]
    TooManyProcesses {
        /// The step that was running.
        step: &'static str,
        /// The limit.
        limit: u32,
    },
    /// It printed more than the limit allows.
    #[error("it printed more than {} (--output-limit) by the end of {step}", units::bytes(*limit_bytes as f64))]
    TooMuchOutput {
        /// The step that was running.
        step: &'static str,
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// The guard process of the trial was killed, from outside or by the workload.
    #[error("its guard process was killed during {step}")]
    GuardLost {
        /// The step that was running.
        step: &'static str,
    },
    /// Processes that even `SIGKILL` does not end.
    #[error("its processes {0:?} hang in the kernel and cannot be ended")]
    Unkillable(Vec<i32>),
    /// The worker broke the protocol.
    #[error("the worker broke the protocol: {0}")]
    ProtocolViolation(String),
    /// The workload raised, or its result is wrong.
    #[error("{error} (in {step})")]
    Workload {
        /// The step, such as `work`.
        step: String,
        /// `Failed`, `WrongResult` or `Skipped`.
        status: TrialStatus,
        /// The exception, in one line.
        error: String,
        /// The end of its traceback.
        traceback: String,
    },
    /// A worker could not be bound, or its binding is not the requested one.
    #[error("{0}")]
    Binding(String),
    /// Waiting for the worker failed.
    #[error("cannot wait for the worker: {0}")]
    System(String),
    /// ftbench was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TrialFailure {
    /// The failure of a process that ended during a step; `None` when it closed its channel without ending.
    #[must_use]
    pub fn ended(step: &'static str, ending: Option<Ending>) -> Self {
        Self::Ended {
            step,
            status: describe(ending),
        }
    }

    /// The status of the trial in the record.
    #[must_use]
    pub const fn status(&self) -> TrialStatus {
        match self {
            Self::TimedOut { .. } => TrialStatus::TimedOut,
            Self::Workload {
                status: status @ (TrialStatus::WrongResult | TrialStatus::Skipped),
                ..
            } => *status,
            _ => TrialStatus::Failed,
        }
    }

    /// Returns the failure's traceback; empty without one.
    #[must_use]
    pub fn traceback(&self) -> &str {
        match self {
            Self::Workload { traceback, .. } => traceback,
            _ => "",
        }
    }
}

fn describe(ending: Option<Ending>) -> String {
    let Some(ending) = ending else {
        return "closed its channel without ending".to_owned();
    };
    let out_of_memory = if ending.out_of_memory {
        " at its memory limit (--memory-limit)"
    } else if ending.signal == Some(signal_hook::consts::SIGKILL) {
        ", not by ftbench, perhaps for lack of memory,"
    } else {
        ""
    };
    match (ending.exit_status, ending.signal) {
        (_, Some(signal)) => format!("was killed by {}{out_of_memory}", signal_name(signal)),
        (Some(status), None) => format!("ended with exit status {status}"),
        (None, None) => "ended in a way that the system does not report".to_owned(),
    }
}
