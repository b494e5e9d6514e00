//! Imports measurements of other tools as a run of ftbench: bytes in, manifest and trials out. Pure.

mod cells;
pub mod pyperf;
mod rounds;
mod run;
mod sides;
mod trials;
mod warnings;

pub use pyperf::Source;
pub use run::{Imported, assemble};

/// The reason why a file is not imported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("cannot import {file}: {reason}")]
pub struct ImportError {
    /// The file.
    pub file: String,
    /// What is wrong with it, and the remedy.
    pub reason: Reason,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// It is not JSON, or does not have pyperf's structure.
    #[error("it is not pyperf JSON: {0}; give a file that 'pyperf ... -o FILE' wrote")]
    Shape(String),
    /// It has an older format.
    #[error(
        "it has pyperf's format {0}, from before version 1.0; convert it with 'pyperf convert OLD.json -o NEW.json'"
    )]
    TooOld(u64),
    /// It has an unknown format.
    #[error("it has pyperf's format {0}; this ftbench reads \"1.0\": use a newer ftbench")]
    TooNew(String),
    /// It has a part that pyperf would refuse too.
    #[error("{place}: {what}; pyperf itself would not read it: regenerate the file")]
    Broken {
        /// The benchmark and the run.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// It has no times.
    #[error("it has no times, only {0}; ftbench imports benchmarks whose unit is 'second'")]
    NoTimes(String),
    /// It was measured on an implementation that ftbench does not know.
    #[error("it was measured on '{0}'; ftbench knows CPython and PyPy")]
    Implementation(String),
    /// It has an absurdly long time.
    #[error("{place}: a value of {value} s cannot be kept in nanoseconds; leave that benchmark out")]
    Size {
        /// The benchmark.
        place: String,
        /// Its value.
        value: f64,
    },
}

#[cfg(test)]
mod tests;
