//! What other tools measured, as a run of ftbench's: bytes in, manifest and trials out. Pure.

mod cells;
pub mod pyperf;
mod rounds;
mod run;
mod sides;
mod trials;
mod warnings;

pub use pyperf::Source;
pub use run::{Imported, assemble};

/// Why a file is not imported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("cannot import {file}: {reason}")]
pub struct ImportError {
    /// The file.
    pub file: String,
    /// What is wrong with it, and what to do.
    pub reason: Reason,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// No JSON, or not of this shape.
    #[error("it is no pyperf JSON: {0}; give a file that 'pyperf ... -o FILE' wrote")]
    Shape(String),
    /// An older format.
    #[error(
        "it has pyperf's format {0}, from before version 1.0; convert it with 'pyperf convert OLD.json -o NEW.json'"
    )]
    TooOld(u64),
    /// A format that is not known.
    #[error("it has pyperf's format {0}; this ftbench reads \"1.0\": use a newer ftbench")]
    TooNew(String),
    /// A part that pyperf would refuse too.
    #[error("{place}: {what}; pyperf itself would not read it: make the file again")]
    Broken {
        /// Which benchmark and run.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// Nothing in it is a time.
    #[error("it has no times, only {0}; ftbench imports benchmarks whose unit is 'second'")]
    NoTimes(String),
    /// An implementation that ftbench does not know.
    #[error("it was measured on '{0}'; ftbench knows CPython and PyPy")]
    Implementation(String),
    /// A time beyond reason.
    #[error("{place}: a value of {value} s cannot be kept in nanoseconds; leave that benchmark out")]
    Size {
        /// Which benchmark.
        place: String,
        /// Its value.
        value: f64,
    },
}

#[cfg(test)]
mod tests;
