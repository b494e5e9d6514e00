//! Run-time switches of interpreters, and the state that they put them in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A run-time switch of CPython. Each is an environment variable, and not a `-X` option, so that the processes of a pool
/// inherit it (<https://docs.python.org/3/using/cmdline.html#environment-variables>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// The GIL of a free-threaded build is on
    /// (3.13, <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_GIL>).
    Gil,
    /// The GIL of a free-threaded build stays off, even when a module is imported that asks for it
    /// (3.13, <https://docs.python.org/3/howto/free-threading-python.html>).
    Nogil,
    /// The JIT is on, in a build that has it
    /// (3.13, <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_JIT>).
    Jit,
    /// The JIT is off.
    Nojit,
    /// Threads of a free-threaded build share their bytecode, which then is not specialised
    /// (3.14, <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_TLBC>).
    Notlbc,
}

impl Switch {
    /// Every switch, in the order in which tags name them.
    pub const ALL: [Self; 5] = [Self::Gil, Self::Nogil, Self::Jit, Self::Nojit, Self::Notlbc];

    /// The word for it in tags and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gil => "gil",
            Self::Nogil => "nogil",
            Self::Jit => "jit",
            Self::Nojit => "nojit",
            Self::Notlbc => "notlbc",
        }
    }

    /// The switch with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.name() == name)
    }

    /// The environment variable that it is.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Gil | Self::Nogil => "PYTHON_GIL",
            Self::Jit | Self::Nojit => "PYTHON_JIT",
            Self::Notlbc => "PYTHON_TLBC",
        }
    }

    /// The value that the variable is given.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Gil | Self::Jit => "1",
            Self::Nogil | Self::Nojit | Self::Notlbc => "0",
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Whether the just-in-time compiler of a build that has one is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JitState {
    /// Hot code is compiled.
    On,
    /// All is interpreted.
    Off,
}

impl JitState {
    /// From what `sys._jit.is_enabled()` says.
    #[must_use]
    pub const fn from_enabled(enabled: bool) -> Self {
        if enabled { Self::On } else { Self::Off }
    }
}

impl fmt::Display for JitState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => formatter.pad("on"),
            Self::Off => formatter.pad("off"),
        }
    }
}
