//! What is measured: the code of a workload, and what it declares about itself.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::callable::{CallableError, CallableName};
use super::foreign;
use super::metadata::{self, Metadata, MetadataError};
use super::pyperformance::{self, Benchmark, SuiteError};
use super::requirement::Requirement;
use crate::error::{ExitStatus, Failure};
use crate::outside;
use ftbench_schema::{CallFacts, CeilingFacts, CommandFacts, Format, Kernel, Model, WorkloadFacts, suggest};

/// Largest workload file that is read, bytes. Source code is far smaller; a data file given by mistake is not.
pub const LARGEST_FILE_BYTES: u64 = 4 << 20;

/// Where the functions of a workload come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Its file.
    File,
    /// A file for another tool.
    Foreign {
        /// The tool.
        format: Format,
        /// Arguments of a script.
        arguments: Vec<String>,
    },
    /// A function that is called as it is.
    Callable(CallableName),
    /// A call.
    Call(CallFacts),
    /// A program.
    Command(CommandFacts),
}

/// Longest name that is made of a call or a command, characters.
const LONGEST_NAME: usize = 60;

/// The name of a call or a command: its text, shortened where it is long.
fn short_name(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = words.join(" ");
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    let beginning: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{beginning}…")
}

/// The text that identifies a command: its line, followed by its figures and its server, if it has any.
fn text_of_command(command: &CommandFacts) -> String {
    let figures = command
        .figures
        .iter()
        .map(|figure| format!("\n{}={}", figure.name, figure.pattern));
    let server = command
        .server
        .iter()
        .map(|server| format!("\n{}\n{}", server.line, server.ready));
    let parts = std::iter::once(command.line.clone()).chain(figures).chain(server);
    parts.collect()
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The file's stem, followed by `.` and the case, if it is one; for a callable, its name as it was given. Where
    /// files with the same name are measured together, the user's have folders in front: `a/bench`, `b/bench`.
    pub name: String,
    /// The file; for other code, the folder that comes first on `sys.path`, in which a program is started.
    pub path: PathBuf,
    /// The case of the file that it is; `None` for a file without cases.
    pub case: Option<String>,
    /// Where its functions come from.
    pub code: Code,
    /// SHA-256 of the file, or of the text of a call or a command, hexadecimal; empty for a callable.
    pub sha256: String,
    /// What it declares about itself.
    pub metadata: Metadata,
}

/// Why a workload cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// No workload of the suite has this name.
    #[error(
        "no workload is called '{name}'{}; 'ftbench workloads list' shows them all, and a path runs a file of your own",
        suggest::did_you_mean(nearest)
    )]
    Unknown {
        /// The word given.
        name: String,
        /// Similar names.
        nearest: Vec<String>,
    },
    /// The pattern is malformed.
    #[error("the pattern '{pattern}' is malformed: {reason}")]
    Pattern {
        /// The word given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read the workload {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The metadata block is wrong.
    #[error("cannot use the workload {}: {source}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MetadataError,
    },
    /// The file has no such case.
    #[error(
        "{} has no case '{case}'; {}",
        path.display(),
        cases_in_words(cases, case)
    )]
    NoCase {
        /// The file.
        path: PathBuf,
        /// The word or pattern given.
        case: String,
        /// The file's cases.
        cases: Vec<String>,
    },
    /// pyperformance cannot be had.
    #[error("cannot get the benchmarks of pyperformance: {0}")]
    NoSuite(String),
    /// The files of pyperformance cannot be used.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// pyperformance has no such benchmark.
    #[error(
        "pyperformance has no benchmark '{word}'{}; 'ftbench workloads list pyperformance' shows them all",
        suggest::did_you_mean(nearest)
    )]
    NotInSuite {
        /// The word or pattern given.
        word: String,
        /// Similar names.
        nearest: Vec<String>,
    },
    /// A folder has no file with benchmarks.
    #[error(
        "no file in {} has benchmarks; ftbench looks for workloads with 'work', and for files for pyperf, asv, \
         pytest-benchmark and pytest-codspeed",
        .0.display()
    )]
    Empty(PathBuf),
    /// The names of the benchmarks in a file for another tool are not known.
    #[error("cannot list the benchmarks of {}: {reason}", path.display())]
    Unlisted {
        /// The file.
        path: PathBuf,
        /// Why, and what to do about it.
        reason: String,
    },
    /// Two workloads have the same name, which identifies cells and charts, and their folders do not distinguish them.
    #[error("{} and {} are both called '{name}'; rename one, because results are identified by that name", first.display(), second.display())]
    SameName {
        /// The name.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// Largest number of cases that a message lists.
const MAX_LISTED: usize = 8;

fn cases_in_words(cases: &[String], given: &str) -> String {
    match cases.len() {
        0 => "it is a single workload".to_owned(),
        1..=MAX_LISTED => format!("its cases are {}", cases.join(", ")),
        count => {
            let nearest = suggest::nearest(given, cases.iter().map(String::as_str));
            format!("it has {count} cases{}", suggest::did_you_mean(&nearest))
        }
    }
}

impl Failure for WorkloadError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Unreadable { source, .. } => ExitStatus::for_read_error(source),
            _ => ExitStatus::WrongInput,
        }
    }
}

impl Workload {
    /// Makes the workload of a file's contents, or one for each of its cases. Those of a file for another tool are not
    /// known yet: it is one workload without a case.
    ///
    /// # Errors
    /// Says what is wrong with the metadata block.
    pub fn from_source(path: &Path, source: &[u8]) -> Result<Vec<Self>, WorkloadError> {
        // Python decides on the encoding; metadata is ASCII in all but summaries.
        let text = String::from_utf8_lossy(source);
        let metadata = metadata::parse(&text).map_err(|source| WorkloadError::Metadata {
            path: path.to_owned(),
            source,
        })?;
        let digest = Sha256::digest(source);
        let whole = Self {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            path: path.to_owned(),
            case: None,
            code: foreign::format_of(&text).map_or(Code::File, |format| Code::Foreign {
                format,
                arguments: Vec::new(),
            }),
            sha256: hex::encode(digest),
            metadata,
        };
        if whole.metadata.cases.is_empty() {
            return Ok(vec![whole]);
        }
        let cases = whole.metadata.cases.clone();
        let of_case = |(case, summary): (String, String)| Self {
            name: format!("{}.{case}", whole.name),
            case: Some(case),
            metadata: Metadata {
                summary,
                ..whole.metadata.clone()
            },
            ..whole.clone()
        };
        Ok(cases.into_iter().map(of_case).collect())
    }

    /// Makes the workload of one benchmark in a file for another tool.
    #[must_use]
    pub fn with_case(self, case: &str) -> Self {
        Self {
            name: format!("{}.{case}", self.name),
            case: Some(case.to_owned()),
            ..self
        }
    }

    /// Makes the script of a benchmark of pyperformance the workload that it describes.
    pub(super) fn of_suite(self, benchmark: &Benchmark, version: &str) -> Result<Self, SuiteError> {
        let requires_python = benchmark
            .requires_python
            .parse()
            .map_err(|error| SuiteError::Malformed {
                path: benchmark.script.with_file_name("pyproject.toml"),
                reason: format!("{error}"),
            })?;
        let about = benchmark.tags.join(", ");
        let about = if about.is_empty() {
            String::new()
        } else {
            format!(" ({about})")
        };
        let workload = Self {
            name: pyperformance::SUITE.to_owned(),
            metadata: Metadata {
                summary: format!("{} of pyperformance {version}{about}", benchmark.name),
                dependencies: benchmark.requirements.clone(),
                requires_python,
                ..self.metadata.clone()
            },
            ..self
        };
        Ok(workload.with_arguments(&benchmark.arguments))
    }

    /// The name that asv gives a benchmark of its own: that of its module in the folder of benchmarks, and the case.
    #[must_use]
    pub fn asv_name(&self) -> Option<String> {
        let case = self
            .case
            .as_ref()
            .filter(|_| self.format() == Some(Format::Asv))?;
        let packages = self.path.ancestors().skip(1);
        let packages = packages.take_while(|folder| folder.join("__init__.py").is_file());
        let mut parts: Vec<&OsStr> = packages.filter_map(Path::file_name).collect();
        // The topmost package is the folder of benchmarks.
        parts.pop();
        parts.reverse();
        parts.extend(self.path.file_stem().filter(|stem| *stem != "__init__"));
        let mut words: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
        words.push(case.into());
        Some(words.join("."))
    }

    /// Gives arguments to a script for another tool.
    #[must_use]
    pub fn with_arguments(mut self, given: &[String]) -> Self {
        if let Code::Foreign { arguments, .. } = &mut self.code {
            *arguments = given.to_vec();
        }
        self
    }

    /// Returns the tool that its file was written for, if that is another one.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        match self.code {
            Code::Foreign { format, .. } => Some(format),
            _ => None,
        }
    }

    /// Returns the arguments of a script for another tool.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        match &self.code {
            Code::Foreign { arguments, .. } => arguments,
            _ => &[],
        }
    }

    /// Returns whether it stands for all benchmarks in a file for another tool.
    pub(super) fn is_unlisted(&self) -> bool {
        self.format().is_some() && self.case.is_none()
    }

    /// Makes a workload of a function that is called as it is, once per unit. `folder` comes first on its `sys.path`.
    #[must_use]
    pub fn of_callable(callable: &CallableName, folder: &Path) -> Self {
        Self {
            name: callable.to_string(),
            path: folder.to_owned(),
            case: None,
            code: Code::Callable(callable.clone()),
            sha256: String::new(),
            metadata: Metadata {
                summary: "A function as it is, called once per unit".to_owned(),
                ..Metadata::default()
            },
        }
    }

    /// Makes a workload of a call that is executed once per unit. `folder` comes first on its `sys.path`.
    #[must_use]
    pub fn of_call(call: &CallFacts, folder: &Path) -> Self {
        Self {
            name: short_name(&call.call),
            path: folder.to_owned(),
            case: None,
            sha256: hex::encode(Sha256::digest(format!("{}\n{}", call.setup, call.call))),
            code: Code::Call(call.clone()),
            metadata: Metadata {
                summary: "A call, executed once per unit".to_owned(),
                ..Metadata::default()
            },
        }
    }

    /// Makes a workload of a program, which is started in `folder`.
    #[must_use]
    pub fn of_command(command: &CommandFacts, folder: &Path) -> Self {
        let summary = if command.server.is_some() {
            "A server, and a client that is started afresh for each sample"
        } else {
            "A whole program, started afresh for each sample"
        };
        Self {
            name: short_name(command.line.trim_start_matches("{python} ")),
            path: folder.to_owned(),
            case: None,
            sha256: hex::encode(Sha256::digest(text_of_command(command))),
            code: Code::Command(command.clone()),
            metadata: Metadata {
                summary: summary.to_owned(),
                models: vec![Model::Internal],
                ..Metadata::default()
            },
        }
    }

    /// Returns the workload that was recorded with these facts, if it is not a file.
    ///
    /// # Errors
    /// When the name of the callable is not valid.
    pub fn recorded(facts: &WorkloadFacts) -> Option<Result<Self, CallableError>> {
        let folder = Path::new(&facts.path);
        let callable = facts.callable.as_ref();
        callable
            .map(|name| Ok(Self::of_callable(&name.parse()?, folder)))
            .or_else(|| facts.call.as_ref().map(|call| Ok(Self::of_call(call, folder))))
            .or_else(|| {
                let command = facts.command.as_ref()?;
                Some(Ok(Self::of_command(command, folder)))
            })
    }

    /// Returns whether it is a file, rather than code that the command line names.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self.code, Code::File)
    }

    /// The units of every sample, if they cannot be chosen.
    fn fixed_units(&self) -> Option<u64> {
        match &self.code {
            Code::Command(command) if !command.takes_units() => Some(1),
            _ => None,
        }
    }

    /// Reads a workload file: one workload, or its cases.
    ///
    /// # Errors
    /// Says why the file cannot be read or what is wrong with its metadata block.
    pub fn read(path: &Path) -> Result<Vec<Self>, WorkloadError> {
        let (path, source) = source_of(path)?;
        Self::from_source(&path, &source)
    }

    /// The name that it has if its file is given this name instead of the stem.
    pub(super) fn name_in(&self, file: Option<&str>) -> String {
        match (file, &self.case) {
            (None, _) => self.name.clone(),
            (Some(file), None) => file.to_owned(),
            (Some(file), Some(case)) => format!("{file}.{case}"),
        }
    }

    /// The name without the case, which all cases of a file have in common.
    pub(super) fn file_name(&self) -> &str {
        let whole = self.name.as_str();
        self.case
            .as_deref()
            .and_then(|case| whole.strip_suffix(case)?.strip_suffix('.'))
            .unwrap_or(whole)
    }

    /// The name of the file's folder. In the suite, a folder holds workloads of one sort.
    pub(super) fn folder(&self) -> &str {
        let folder = self.path.parent().and_then(Path::file_name);
        folder.and_then(OsStr::to_str).unwrap_or_default()
    }

    /// The folder of the extension whose modules it imports.
    fn extension(&self) -> Option<PathBuf> {
        let folder = self.metadata.extension.as_ref()?;
        let beside = self.path.parent().unwrap_or(Path::new(""));
        Some(beside.join(folder))
    }

    /// The extension, if it is a project that is installed as packages are.
    #[must_use]
    pub fn project(&self) -> Option<Requirement> {
        Requirement::project(&self.extension()?)
    }

    /// The folder of the extension, if it is a plain Cargo package.
    fn cargo_package(&self) -> Option<String> {
        let folder = self.extension().filter(|_| self.project().is_none())?;
        Some(folder.display().to_string())
    }

    /// The facts that a run folder keeps, before calibration.
    #[must_use]
    pub fn facts(&self) -> WorkloadFacts {
        let (callable, call, command) = match &self.code {
            Code::File | Code::Foreign { .. } => (None, None, None),
            Code::Callable(callable) => (Some(callable.to_string()), None, None),
            Code::Call(call) => (None, Some(call.clone()), None),
            Code::Command(command) => (None, None, Some(command.clone())),
        };
        WorkloadFacts {
            name: self.name.clone(),
            kind: self.metadata.kind,
            summary: self.metadata.summary.clone(),
            models: self.metadata.models.clone(),
            dependencies: self.metadata.dependencies.clone(),
            source: self.metadata.source.clone(),
            shows: self.metadata.shows.clone(),
            path: self.path.display().to_string(),
            sha256: self.sha256.clone(),
            case: self.case.clone(),
            format: self.format(),
            arguments: self.arguments().to_vec(),
            callable,
            call,
            command,
            extension: self.cargo_package(),
            units: self.fixed_units(),
            failure: None,
            ceiling: self
                .metadata
                .ceiling
                .or(Kernel::usual(self.metadata.kind))
                .map(CeilingFacts::of),
        }
    }
}

/// The canonical path of a workload file, and its contents.
pub(super) fn source_of(path: &Path) -> Result<(PathBuf, Vec<u8>), WorkloadError> {
    let unreadable = |source| WorkloadError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let path = path.canonicalize().map_err(unreadable)?;
    let facts = path.metadata().map_err(unreadable)?;
    if !facts.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    if facts.len() > LARGEST_FILE_BYTES {
        return Err(unreadable(io::Error::other(format!(
            "it has {} MiB; a workload is one Python file",
            facts.len() >> 20
        ))));
    }
    let source = outside::read(&path, LARGEST_FILE_BYTES).map_err(unreadable)?;
    Ok((path, source))
}
