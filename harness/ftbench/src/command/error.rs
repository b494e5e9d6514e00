//! Errors that several commands share, beside the errors of the parts that they combine.

use std::io;

use crate::error::{ExitStatus, Failure};
use ftbench_present::csv::CsvError;
use ftbench_present::page::PageError;

/// Why results cannot be printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// Standard output cannot be written to.
    #[error("cannot write the output: {0}")]
    Write(io::Error),
    /// The results cannot be represented as JSON.
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
}

impl Failure for OutputError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Write(error) => ExitStatus::for_write_error(error),
            Self::Json(_) => ExitStatus::MachineFailed,
        }
    }
}

/// There is no home folder for a cache.
#[derive(Debug, thiserror::Error)]
#[error("no folder for ftbench's cache; set HOME or XDG_CACHE_HOME")]
pub(super) struct NoCacheFolder;

impl Failure for NoCacheFolder {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

// The presentation is pure and has no exit statuses. Its errors that no input causes are faults of ftbench.

impl Failure for CsvError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

impl Failure for PageError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cargo_build::BuildError;
    use crate::command::compare::CompareError;
    use crate::command::export::ExportRequestError;
    use crate::command::history::HistoryError;
    use crate::command::import::ImportFileError;
    use crate::command::plot::PlotError;
    use crate::command::run::error::RunError;
    use crate::error::{Error, SystemError};
    use crate::import::{ImportError, Reason};
    use crate::interpreter::{ProbeError, SelectError};
    use crate::machine::bind::BindError;
    use crate::machine::discovery::DiscoveryError;
    use crate::measure::failure::TrialFailure;
    use crate::plan::placement::{PlacementError, Policy};
    use crate::process::quota::QuotaError;
    use crate::record::store::StoreError;
    use crate::workload::{ArmError, WorkloadError};
    use ftbench_analyse::compare::Incomparable;
    use ftbench_present::chart::{ChartError, JoinError};
    use ftbench_present::export::ExportError;
    use ftbench_schema::TagError;

    /// The system's error for a missing file.
    fn missing() -> io::Error {
        rustix::io::Errno::NOENT.into()
    }

    /// The system's error for too many open files.
    fn exhausted() -> io::Error {
        rustix::io::Errno::MFILE.into()
    }

    /// The system's error for a full disk.
    fn full() -> io::Error {
        rustix::io::Errno::NOSPC.into()
    }

    fn path() -> PathBuf {
        PathBuf::from("there")
    }

    fn word() -> String {
        "word".to_owned()
    }

    fn probe() -> ProbeError {
        ProbeError::NoProcess {
            path: path(),
            cause: word(),
        }
    }

    fn cargo() -> BuildError {
        BuildError::Cargo {
            what: word(),
            reason: word(),
            log: path(),
            command: word(),
        }
    }

    #[rustfmt::skip]
    #[allow(clippy::unwrap_used)]
    fn table() -> Vec<(u8, Error)> {
        vec![
            // The reader is gone.
            (0, OutputError::Write(rustix::io::Errno::PIPE.into()).into()),
            // An interpreter is missing.
            (1, SelectError::NothingLeft { reasons: vec![word()] }.into()),
            (1, SelectError::NothingFound { failed: vec![] }.into()),
            (1, ProbeError::DoesNotStart { path: path(), cause: word() }.into()),
            (1, BuildError::NoLibrary { tag: word(), folder: word() }.into()),
            (1, BuildError::NoAnswer { what: word(), path: path(), reason: word() }.into()),
            // The command, or a file that it names.
            (2, SelectError::SameName(word()).into()),
            (2, SelectError::Switches { requested: word(), reason: word(), remedy: word() }.into()),
            (2, SelectError::NotATag { error: TagError::TooOld(word()), nearest: vec![] }.into()),
            (2, SelectError::NeverFreeThreaded { tag: "3.12t".parse().unwrap() }.into()),
            (2, TagError::Malformed(word()).into()),
            (2, WorkloadError::Unknown { name: word(), nearest: vec![] }.into()),
            (2, WorkloadError::Unreadable { path: path(), source: missing() }.into()),
            (2, ArmError::NoWorkload.into()),
            (2, ArmError::Unreadable { name: word(), path: path(), source: missing() }.into()),
            (2, BuildError::Package { what: word(), folder: path(), reason: word() }.into()),
            (2, PlacementError::UnknownPu { list: Policy::None, pu: 1, pus: word() }.into()),
            (2, PlacementError::Quota { workers: 2, quota: 1.0 }.into()),
            (2, RunError::DuplicateLabel(word()).into()),
            (2, RunError::NothingToMeasure(word()).into()),
            (2, RunError::Extension(cargo()).into()),
            (2, RunError::Changed { folder: path(), changes: vec![word()] }.into()),
            (2, RunError::Wheel { path: path(), source: missing() }.into()),
            (2, StoreError::NotEmpty(path()).into()),
            (2, StoreError::InUse { path: path(), process_id: None }.into()),
            (2, StoreError::unreadable(&path(), missing()).into()),
            (2, StoreError::Damaged { path: path(), reason: word() }.into()),
            (2, StoreError::NotRegular(path()).into()),
            (2, CompareError::NoRuns { path: path(), why: word() }.into()),
            (2, CompareError::Unreadable { path: path(), hint: String::new(), source: missing() }.into()),
            (2, Incomparable::NothingCompared(word()).into()),
            (2, HistoryError::NoMeans.into()),
            (2, HistoryError::Folder { path: path(), hint: String::new(), source: missing() }.into()),
            (2, ImportError { file: word(), reason: Reason::TooOld(1) }.into()),
            (2, ImportFileError::TooLarge(path()).into()),
            (2, ImportFileError::Read { path: path(), source: missing() }.into()),
            (2, ExportRequestError::NoCommit(word()).into()),
            (2, ExportRequestError::ReadBenchmarks { path: path(), source: missing() }.into()),
            (2, ExportError::Nothing { run: word(), why: "none" }.into()),
            (2, PlotError::Extension(path()).into()),
            (2, PlotError::Chart { workload: word(), source: ChartError::NoAxis("x") }.into()),
            (2, JoinError::Nothing.into()),
            // The machine and the environment.
            (3, OutputError::Write(full()).into()),
            (3, NoCacheFolder.into()),
            (3, SystemError::of("listen to signals", "stop")(exhausted()).into()),
            (3, SelectError::NoProcess(probe()).into()),
            (3, probe().into()),
            (3, WorkloadError::Unreadable { path: path(), source: exhausted() }.into()),
            (3, ArmError::Unreadable { name: word(), path: path(), source: exhausted() }.into()),
            (3, cargo().into()),
            (3, BuildError::NoCargo { what: word() }.into()),
            (3, BuildError::Cache { what: word(), path: path(), source: full() }.into()),
            (3, RunError::Extension(BuildError::NoCargo { what: word() }).into()),
            (3, RunError::NoTool(word()).into()),
            (3, RunError::Refused { failure: TrialFailure::NoProcess(word()), folder: path() }.into()),
            (3, DiscoveryError::Hwloc(word()).into()),
            (3, DiscoveryError::Description { variable: "HWLOC_XMLFILE", value: word() }.into()),
            (3, BindError::NotThisSystem.into()),
            (3, QuotaError::Malformed { path: path(), text: word() }.into()),
            (3, PlacementError::NothingAllowed.into()),
            (3, StoreError::Write { path: path(), source: missing() }.into()),
            (3, StoreError::Stopped { path: path(), folder: path(), source: full() }.into()),
            (3, StoreError::Gone(path()).into()),
            (3, StoreError::Full { path: path(), free_mib: 1 }.into()),
            (3, StoreError::unreadable(&path(), exhausted()).into()),
            (3, CompareError::Unreadable { path: path(), hint: String::new(), source: exhausted() }.into()),
            (3, HistoryError::Folder { path: path(), hint: String::new(), source: exhausted() }.into()),
            (3, ImportFileError::Read { path: path(), source: exhausted() }.into()),
            // ftbench itself.
            (3, SelectError::NotProbed(path()).into()),
            (3, PlotError::Chart { workload: word(), source: ChartError::Font }.into()),
        ]
    }

    #[test]
    fn each_error_has_its_exit_status() {
        for (code, error) in table() {
            assert_eq!(error.exit_status().code(), code, "{error}");
        }
    }
}
