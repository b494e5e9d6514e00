//! The identity of what is measured: cells and their curves.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The value of `interpreter` in the ceiling's cells, which have no Python.
pub const NATIVE: &str = "native";

/// How workers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Model {
    /// `work` is called on the main thread, without a pool; one worker only.
    Serial,
    /// `concurrent.futures.ThreadPoolExecutor`.
    Threads,
    /// `concurrent.futures.ProcessPoolExecutor` with the interpreter's own default start method.
    Processes,
    /// The same with the start method `fork`.
    ProcessesFork,
    /// The same with the start method `spawn`.
    ProcessesSpawn,
    /// The same with the start method `forkserver`.
    ProcessesForkserver,
    /// `concurrent.futures.InterpreterPoolExecutor`: a subinterpreter in each of N threads (CPython 3.14 and later).
    Interpreters,
    /// N tasks on one event loop, in one thread.
    Asyncio,
    /// One event loop in each of N threads.
    AsyncioThreads,
    /// `work` is called on the main thread and brings its own parallelism; the process may use N PUs.
    Internal,
}

/// The error for a word that does not name a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown model '{0}'")]
pub struct ModelError(pub String);

impl Model {
    /// Every model, in the order in which tables show them.
    pub const ALL: [Self; 10] = [
        Self::Serial,
        Self::Threads,
        Self::Processes,
        Self::ProcessesFork,
        Self::ProcessesSpawn,
        Self::ProcessesForkserver,
        Self::Interpreters,
        Self::Asyncio,
        Self::AsyncioThreads,
        Self::Internal,
    ];

    /// The model's name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Threads => "threads",
            Self::Processes => "processes",
            Self::ProcessesFork => "processes:fork",
            Self::ProcessesSpawn => "processes:spawn",
            Self::ProcessesForkserver => "processes:forkserver",
            Self::Interpreters => "interpreters",
            Self::Asyncio => "asyncio",
            Self::AsyncioThreads => "asyncio-threads",
            Self::Internal => "internal",
        }
    }

    /// The model without its start method, which is what a workload's `models` names.
    #[must_use]
    pub const fn family(self) -> Self {
        match self {
            Self::ProcessesFork | Self::ProcessesSpawn | Self::ProcessesForkserver => Self::Processes,
            other => other,
        }
    }

    /// Whether all workers of this model share one thread, and so one core.
    #[must_use]
    pub const fn shares_one_thread(self) -> bool {
        matches!(self, Self::Asyncio)
    }

    /// How many calls of `work` a sample of this many workers has: a single one where the work divides itself.
    #[must_use]
    pub const fn calls_in_sample(self, workers: u32) -> u32 {
        match self {
            Self::Internal => 1,
            _ => workers,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Model {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|model| model.name() == word)
            .ok_or_else(|| ModelError(word.to_owned()))
    }
}

impl Serialize for Model {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// The program that the interpreter runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// ftbench starts the interpreter's own executable.
    Spawn,
    /// A Rust program with the interpreter's library inside, through PyO3, whose own threads attach to it.
    Embed,
}

impl Host {
    /// Every host, in the order in which tables show them.
    pub const ALL: [Self; 2] = [Self::Spawn, Self::Embed];

    /// The host's name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Embed => "embed",
        }
    }

    /// Returns the host with this name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|host| host.name() == word)
    }

    /// Returns the display label of an interpreter in this host with one version of the code: `3.13t`, `3.13t (embed)`,
    /// `3.13t new` or `3.13t (embed) new`. Tags contain no spaces, so an arm is never mistaken for a part of a tag.
    #[must_use]
    pub fn label(self, interpreter: &str, arm: Option<&str>) -> String {
        let arm = arm.map_or_else(String::new, |arm| format!(" {arm}"));
        match self {
            Self::Spawn => format!("{interpreter}{arm}"),
            Self::Embed => format!("{interpreter} ({self}){arm}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The identity of a scaling curve: everything that identifies a cell except its number of workers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Curve {
    /// The interpreter's tag, such as `3.13t`; [`NATIVE`] for the ceiling.
    pub interpreter: String,
    /// The program that the interpreter runs in.
    pub host: Host,
    /// The workload's name.
    pub workload: String,
    /// The arm, one of several versions of the code; `None` if there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// How workers run.
    pub model: Model,
}

impl Curve {
    /// Returns the ceiling's curve for a workload.
    #[must_use]
    pub fn native(workload: &str) -> Self {
        Self {
            interpreter: NATIVE.to_owned(),
            host: Host::Spawn,
            workload: workload.to_owned(),
            arm: None,
            model: Model::Threads,
        }
    }

    /// Whether this is a curve of the ceiling, which has no Python in it.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.interpreter == NATIVE
    }

    /// Returns the interpreter's display label, see [`Host::label`].
    #[must_use]
    pub fn interpreter_label(&self) -> String {
        self.host.label(&self.interpreter, self.arm.as_deref())
    }

    /// Whether `name` is one of the curve's display names: `3.13t` or `3.13t (embed)` for the interpreter, `new` for
    /// the arm, `3.13t new` for both. A tag without a host means the interpreter's own executable.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.host.label(&self.interpreter, None) == name
            || self.arm.as_deref() == Some(name)
            || self.interpreter_label() == name
    }

    /// Returns the curve's cell with this many workers.
    #[must_use]
    pub const fn with_workers(self, workers: u32) -> Cell {
        Cell { curve: self, workers }
    }
}

/// The identity of one measured point: a curve and a number of workers. Dereferences to its curve.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The curve.
    #[serde(flatten)]
    pub curve: Curve,
    /// How many workers.
    pub workers: u32,
}

impl Cell {
    /// Returns the same cell for another arm.
    #[must_use]
    pub fn in_arm(&self, arm: &str) -> Self {
        let curve = Curve {
            arm: Some(arm.to_owned()),
            ..self.curve.clone()
        };
        curve.with_workers(self.workers)
    }
}

impl Deref for Cell {
    type Target = Curve;

    fn deref(&self) -> &Curve {
        &self.curve
    }
}

impl DerefMut for Cell {
    fn deref_mut(&mut self) -> &mut Curve {
        &mut self.curve
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {} x{}",
            self.workload,
            self.interpreter_label(),
            self.model,
            self.workers
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_is_named_by_its_interpreter_its_arm_or_both() {
        let names = ["3.13t", "3.13t (embed)", "new", "3.13t new", "3.13t (embed) new"];
        let matching_names = |host: Host, arm: Option<&str>| {
            let curve = Curve {
                interpreter: "3.13t".to_owned(),
                host,
                arm: arm.map(str::to_owned),
                ..Curve::native("fib")
            };
            for never in ["3.13", "3.13t ", "3.13.15t", "(embed)", "base", ""] {
                assert!(!curve.is_named(never), "{never}");
            }
            names
                .into_iter()
                .filter(|name| curve.is_named(name))
                .collect::<Vec<_>>()
        };
        assert_eq!(matching_names(Host::Spawn, None), ["3.13t"]);
        assert_eq!(matching_names(Host::Embed, None), ["3.13t (embed)"]);
        assert_eq!(
            matching_names(Host::Spawn, Some("new")),
            ["3.13t", "new", "3.13t new"]
        );
        assert_eq!(
            matching_names(Host::Embed, Some("new")),
            ["3.13t (embed)", "new", "3.13t (embed) new"]
        );
    }
}
