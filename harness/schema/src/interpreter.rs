//! What is known of an interpreter.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::identity::BuildIdentity;
use super::switch::{JitState, Switch};

/// Which Python implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Implementation {
    /// python.org's.
    CPython,
    /// pypy.org's.
    PyPy,
}

impl fmt::Display for Implementation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CPython => formatter.pad("CPython"),
            Self::PyPy => formatter.pad("PyPy"),
        }
    }
}

/// Whether the global interpreter lock is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GilState {
    /// One thread at a time runs Python code.
    On,
    /// Threads run Python code at the same time.
    Off,
}

impl GilState {
    /// From what `sys._is_gil_enabled()` says.
    #[must_use]
    pub const fn from_enabled(enabled: bool) -> Self {
        if enabled { Self::On } else { Self::Off }
    }
}

impl fmt::Display for GilState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => formatter.pad("on"),
            Self::Off => formatter.pad("off"),
        }
    }
}

/// How an interpreter was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFacts {
    /// Profile-guided optimisation (`--enable-optimizations`).
    pub pgo: bool,
    /// Link-time optimisation (`--with-lto`).
    pub lto: bool,
    /// The experimental JIT compiler is compiled in (PEP 744).
    pub jit: bool,
    /// A debug build (`--with-pydebug`).
    pub debug: bool,
    /// The executable is linked against a shared libpython.
    pub shared: bool,
    /// Compiler and its version, as the interpreter tells it.
    pub compiler: String,
    /// Optimisation level that the interpreter was compiled with, such as `-O3`; empty when unknown.
    pub optimisation: String,
}

/// One Python executable with its run-time switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterFacts {
    /// Its tag in this run, such as `3.13t`.
    pub tag: String,
    /// The executable.
    pub path: String,
    /// Full version of the language that it implements, such as `3.13.15`.
    pub version: String,
    /// Which implementation.
    pub implementation: Implementation,
    /// Whether the build can run without the GIL (PEP 703).
    pub free_threaded: bool,
    /// GIL state at start-up, with the switches on.
    pub gil: GilState,
    /// Whether its JIT is in use, with the switches on; `None` for a build without one, and where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jit: Option<JitState>,
    /// Its run-time switches, in the order of [`Switch::ALL`]; empty for the build as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
    /// How it was built.
    pub build: BuildFacts,
    /// Which build of this version it is; `None` where that is not known, as in runs of earlier versions of ftbench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<BuildIdentity>,
}

impl InterpreterFacts {
    /// Whether its JIT is in use. Where only the build is known, one that has a JIT is taken to use it.
    #[must_use]
    pub fn uses_jit(&self) -> bool {
        self.jit.map_or(self.build.jit, |state| state == JitState::On)
    }
}
