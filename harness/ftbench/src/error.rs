//! What a command can end with.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit statuses, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// All is well.
    Success,
    /// ftbench worked and the answer is bad: a failed cell.
    BadAnswer,
    /// The command or its input is wrong.
    WrongInput,
    /// Stopped from outside, with what was measured kept.
    Interrupted,
    /// That of the program that was guarded, or of a hidden command.
    Guarded(u8),
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Success => 0,
            ExitStatus::BadAnswer => 1,
            ExitStatus::WrongInput => 2,
            ExitStatus::Interrupted => 130,
            ExitStatus::Guarded(status) => status,
        })
    }
}

/// What stops a command. Each message says what is wrong, where, and what to do now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// About workloads.
    #[error(transparent)]
    Workload(#[from] crate::workload::WorkloadError),
    /// About versions of the user's code.
    #[error(transparent)]
    Arm(#[from] crate::workload::ArmError),
    /// One label with two values.
    #[error("the label '{0}' is given twice; give each key once")]
    LabelTwice(String),
    /// About interpreters.
    #[error(transparent)]
    Interpreter(#[from] crate::interpreter::SelectError),
    /// About a tag.
    #[error(transparent)]
    Tag(#[from] ftbench_schema::TagError),
    /// About the machine.
    #[error(transparent)]
    Machine(#[from] crate::machine::discovery::DiscoveryError),
    /// About the CPU quota.
    #[error(transparent)]
    Quota(#[from] crate::machine::quota::QuotaError),
    /// About bindings.
    #[error(transparent)]
    Bind(#[from] crate::machine::bind::BindError),
    /// About where workers go.
    #[error(transparent)]
    Placement(#[from] crate::plan::placement::PlacementError),
    /// About a run folder.
    #[error(transparent)]
    Store(#[from] crate::record::store::StoreError),
    /// About the embedded Python files.
    #[error(transparent)]
    Assets(#[from] crate::assets::AssetError),
    /// About programs and extensions that are built for a run.
    #[error(transparent)]
    Build(#[from] crate::cargo_build::BuildError),
    /// About a chart.
    #[error("cannot draw the chart of {workload}: {source}")]
    Chart {
        /// The workload.
        workload: String,
        /// What went wrong.
        source: ftbench_present::chart::ChartError,
    },
    /// About what is to be compared.
    #[error(transparent)]
    Compare(#[from] crate::command::compare::CompareError),
    /// Why it cannot be compared.
    #[error(transparent)]
    Incomparable(#[from] ftbench_analyse::compare::Incomparable),
    /// A comparison as JUnit's XML.
    #[error("cannot write JUnit XML: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// About what is to be drawn.
    #[error(transparent)]
    Plot(#[from] crate::command::plot::PlotError),
    /// About a history of runs.
    #[error(transparent)]
    History(#[from] crate::command::history::HistoryError),
    /// About several runs in one chart.
    #[error(transparent)]
    Join(#[from] ftbench_present::chart::JoinError),
    /// About the report.
    #[error(transparent)]
    Page(#[from] ftbench_present::page::PageError),
    /// About the table of samples.
    #[error(transparent)]
    Csv(#[from] ftbench_present::csv::CsvError),
    /// About an export.
    #[error(transparent)]
    Export(#[from] ftbench_present::export::ExportError),
    /// About how an export was asked for.
    #[error(transparent)]
    ExportRequest(#[from] crate::command::export::ExportRequestError),
    /// About what is in a file that is imported.
    #[error(transparent)]
    Import(#[from] crate::import::ImportError),
    /// About a file that is imported.
    #[error(transparent)]
    ImportFile(#[from] crate::command::import::ImportFileError),
    /// The server of the services that workloads need.
    #[error(
        "cannot start the loopback server: {0}; leave out the workloads that need it, such as http_fetch"
    )]
    LoopbackServer(io::Error),
    /// The ceiling's workers cannot be started.
    #[error("cannot find ftbench's own executable: {0}; measure without the ceiling (--no-ceiling)")]
    OwnExecutable(io::Error),
    /// The channel of a worker cannot be opened.
    #[error("cannot open the channel {path}: {source}; ftbench itself starts this command")]
    Channel {
        /// The descriptor.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A guard cannot do its work.
    #[error("cannot guard the program: {0}; ftbench itself starts this command")]
    Guard(io::Error),
    /// Signals cannot be listened to.
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    /// The system gives no random number for a seed.
    #[error("the system gives no random number: {0}; give a --seed")]
    Random(io::Error),
    /// There is no home folder to keep a cache in.
    #[error("there is no folder for ftbench's cache: set HOME or XDG_CACHE_HOME")]
    NoCacheFolder,
    /// The working directory is gone.
    #[error("cannot tell the working directory, where the module of a callable is looked for: {0}")]
    WorkingDirectory(io::Error),
    /// A wheel that is not there.
    #[error("cannot read the wheel {}: {source}; see --with", path.display())]
    Wheel {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A workload to start from cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    NewWorkload {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The script that gets interpreters cannot be run.
    #[error("cannot run {}: {source}; install bash", path.display())]
    Script {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A run cannot be gone on with, since something is not as it was.
    #[error(
        "cannot go on with {}, for its figures would not be comparable:\n{}\nPut it back, or begin a new run",
        folder.display(),
        changes.join("\n")
    )]
    NotTheSame {
        /// The run's folder.
        folder: PathBuf,
        /// What is not as it was, a line each.
        changes: Vec<String>,
    },
    /// A workload that no interpreter can run.
    #[error("{workload} cannot be measured: {fault} (in import)")]
    Unmeasurable {
        /// The workload.
        workload: String,
        /// What is wrong with its file.
        fault: String,
    },
    /// Nothing that was asked for can be measured.
    #[error("{0}")]
    NothingToMeasure(String),
    /// Results cannot be written out.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// A value cannot be told as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether whoever reads the output has gone away, as `head` does, or a terminal that was closed; nobody needs to be
    /// told.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let is_gone = |error: &io::Error| {
            error.kind() == io::ErrorKind::BrokenPipe
                || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
        };
        matches!(self, Self::Output(error) if is_gone(error))
    }
}
