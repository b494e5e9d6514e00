//! Facts about a workload and its ceiling: the speedup of the machine itself, measured with a native kernel next to the
//! workload.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::Model;
use super::trial::TrialStatus;

/// The kind of work that a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    /// Computes and shares nothing.
    Cpu,
    /// Waits for something outside the program.
    Io,
    /// Computes and waits.
    Mixed,
    /// Workers share objects.
    Shared,
    /// Bound by memory.
    Memory,
}

impl WorkloadKind {
    /// The kind's name in metadata and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Io => "io",
            Self::Mixed => "mixed",
            Self::Shared => "shared",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One workload of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadFacts {
    /// Its name.
    pub name: String,
    /// What kind of work it does.
    pub kind: WorkloadKind,
    /// A one-line summary of what it does.
    pub summary: String,
    /// The models that make sense for it; empty if it names none.
    pub models: Vec<Model>,
    /// The packages that it needs, as PEP 508 requirements.
    pub dependencies: Vec<String>,
    /// Where the problem, the algorithm or the known answer comes from; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// One line on what its scaling shows; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shows: String,
    /// The file; for a callable, a call or a command, the working directory.
    pub path: String,
    /// SHA-256 of the file, or of the text of a call or a command, hexadecimal; empty for a callable.
    pub sha256: String,
    /// The case of the file; `None` for a file without cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The tool that the file was written for; `None` for one that defines `work`, and for other code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Arguments of a script for another tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// `package.module:function`, if a callable is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callable: Option<String>,
    /// The call, if one is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallFacts>,
    /// The command, if a whole program is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandFacts>,
    /// Folder of the Cargo package whose modules it imports; `None` if it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Units of work in one sample; `None` before calibration and if calibration failed.
    pub units: Option<u64>,
    /// Why it could not be calibrated, and therefore not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CalibrationFailure>,
    /// The ceiling that its speedups are compared with; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<CeilingFacts>,
}

/// Another tool whose benchmarks are measured as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A script with a `pyperf.Runner`.
    Pyperf,
    /// A module of benchmarks for asv (airspeed velocity).
    Asv,
    /// A file of tests for pytest-benchmark or pytest-codspeed.
    Pytest,
}

impl Format {
    /// The tool's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pyperf => "pyperf",
            Self::Asv => "asv",
            Self::Pytest => "pytest",
        }
    }
}

/// A statement that is executed once per unit, as `timeit` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// The statement, such as `fibo(25)`.
    pub call: String,
    /// The statements that make its names, such as `from fibo import fibo`.
    pub setup: String,
}

/// A program that is started afresh for each sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandFacts {
    /// The command line, with `{python}`, `{workers}` and `{units}` in the place of their values.
    pub line: String,
    /// What it has to print, apart from white space at the end; `None` if that does not matter.
    pub expected_output: Option<String>,
    /// The figures that are taken from what it prints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<FigureFacts>,
    /// The server that it is a client of; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerFacts>,
}

/// A figure that is taken from what a program prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureFacts {
    /// Its name, which says its unit too.
    pub name: String,
    /// A regular expression of Python's module `re`. The figure is the first group of its last match, or all of it.
    pub pattern: String,
}

/// A server that runs beside a command from before the first sample of a trial to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// The command line, with `{python}`, `{workers}` and `{port}` in the place of their values.
    pub line: String,
    /// The address that it answers once it is ready: `http://HOST[:PORT][/PATH]` or `tcp://HOST:PORT`.
    pub ready: String,
}

impl CommandFacts {
    /// Returns whether a sample may have any number of units. Without `{units}` a sample is one run of the program.
    #[must_use]
    pub fn takes_units(&self) -> bool {
        self.line.contains("{units}")
    }

    /// Returns whether it runs on the measured interpreter.
    #[must_use]
    pub fn runs_python(&self) -> bool {
        self.line.contains("{python}")
    }
}

/// Why a workload could not be calibrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationFailure {
    /// How the attempt ended.
    pub status: TrialStatus,
    /// What went wrong, in one line.
    pub reason: String,
    /// The end of the traceback and of what the process printed.
    #[serde(rename = "last_words", default, skip_serializing_if = "Option::is_none")]
    pub output_tail: Option<String>,
}

/// The resource that limits a native kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Integer arithmetic and branches.
    Integer,
    /// Floating-point arithmetic.
    FloatingPoint,
    /// Memory bandwidth.
    MemoryBandwidth,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Self; 3] = [Self::Integer, Self::FloatingPoint, Self::MemoryBandwidth];

    /// The kernel's name in metadata and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::FloatingPoint => "floating_point",
            Self::MemoryBandwidth => "memory_bandwidth",
        }
    }

    /// Returns the kernel with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kernel| kernel.name() == name)
    }

    /// The default kernel for a kind of workload; `None` for workloads that wait rather than compute.
    #[must_use]
    pub const fn usual(kind: WorkloadKind) -> Option<Self> {
        match kind {
            WorkloadKind::Cpu | WorkloadKind::Mixed | WorkloadKind::Shared => Some(Self::Integer),
            WorkloadKind::Memory => Some(Self::MemoryBandwidth),
            WorkloadKind::Io => None,
        }
    }
}

/// A group of kernels whose speed varies together on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelGroup {
    /// Kernels that keep cores busy. Their speed depends on the clock frequency and on other users of the core.
    Computing,
    /// Memory bandwidth, which the other cores share.
    Memory,
}

impl KernelGroup {
    /// Both groups.
    pub const ALL: [Self; 2] = [Self::Computing, Self::Memory];

    /// Returns the group that a kernel belongs to.
    #[must_use]
    pub const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::Integer | Kernel::FloatingPoint => Self::Computing,
            Kernel::MemoryBandwidth => Self::Memory,
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A workload's ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeilingFacts {
    /// The kernel.
    pub kernel: Kernel,
    /// The kernel's units of work in one sample, which are not the workload's; `None` before calibration and if
    /// calibration failed.
    pub units: Option<u64>,
    /// Why it could not be calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CalibrationFailure>,
}

impl CeilingFacts {
    /// Creates the ceiling before calibration.
    #[must_use]
    pub const fn of(kernel: Kernel) -> Self {
        Self {
            kernel,
            units: None,
            failure: None,
        }
    }
}
