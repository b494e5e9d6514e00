//! What ftbench built for a run: programs that embed an interpreter, and extensions of workloads.

use serde::{Deserialize, Serialize};

use super::cell::Host;

/// How a program got the interpreter that it embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linked {
    /// The static library is part of the program.
    Static,
    /// The shared library is loaded with it.
    Shared,
}

impl Linked {
    /// The word for it in messages and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Shared => "shared",
        }
    }
}

/// A program that an interpreter ran in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The interpreter's tag.
    pub interpreter: String,
    /// Which kind of program.
    pub host: Host,
    /// The program.
    pub executable: String,
    /// How it got the interpreter.
    pub linked: Linked,
    /// Version of PyO3 that it was built with.
    pub pyo3_version: String,
    /// Whether an earlier run had built it.
    pub cached: bool,
}

/// An extension of workloads, built for an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionFacts {
    /// The interpreter's tag.
    pub interpreter: String,
    /// The folder of the Cargo package.
    pub package: String,
    /// SHA-256 of the package's sources, hexadecimal.
    pub sha256: String,
    /// The modules that it has.
    pub modules: Vec<String>,
    /// The folder that holds them, on the module path of trials of its workloads.
    pub folder: String,
    /// Version of PyO3 that it was built with; `None` when it is built with something else.
    pub pyo3_version: Option<String>,
    /// Whether an earlier run had built it.
    pub cached: bool,
}
