//! Decides whether the embedded host and extensions can be built for an interpreter, as far as is known beforehand.

use pep440_rs::Version;

use crate::assets::PYO3_SERIES;
use ftbench_schema::{Implementation, InterpreterFacts, Model};

/// Why the embedded host does not support this interpreter or model; `None` if it does.
pub(super) fn cannot_embed(interpreter: &InterpreterFacts, model: Model) -> Option<String> {
    if interpreter.implementation != Implementation::CPython {
        return Some(format!(
            "the embedded host supports CPython only; {} is {}",
            interpreter.tag, interpreter.implementation
        ));
    }
    let is_too_new = version(interpreter)
        .is_some_and(|version| !in_minor_series(&version, |minor| minor <= LAST_PYO3_MINOR));
    if is_too_new {
        return Some(format!(
            "the embedded host is built with PyO3 {PYO3_SERIES}, which supports CPython up to 3.{LAST_PYO3_MINOR}"
        ));
    }
    (!EMBEDDED_MODELS.contains(&model)).then(|| {
        let names = EMBEDDED_MODELS.map(Model::name).join(", ");
        format!("the embedded host supports the models {names} only: its workers are threads of its own")
    })
}

/// The models that the embedded host runs on threads of its own or on its main thread.
const EMBEDDED_MODELS: [Model; 3] = [Model::Serial, Model::Threads, Model::Asyncio];

/// The last minor version of Python 3 that PyO3 builds for (`pyo3-ffi` 0.30.1, `build.rs`).
const LAST_PYO3_MINOR: u64 = 15;

/// Why an extension cannot be built for this interpreter, as far as is known beforehand; `None` if it can.
pub(super) fn cannot_extend(interpreter: &InterpreterFacts, has_cargo: bool) -> Option<String> {
    if interpreter.implementation != Implementation::CPython {
        return Some(format!(
            "its extension is built for CPython only; {} is {}",
            interpreter.tag, interpreter.implementation
        ));
    }
    (!has_cargo).then(|| {
        "its extension must be built first, but cargo is missing; install Rust: https://rustup.rs".to_owned()
    })
}

/// The version of an interpreter; `None` when it is not a valid Python version.
pub(super) fn version(interpreter: &InterpreterFacts) -> Option<Version> {
    interpreter.version.parse().ok()
}

/// Whether a version is 3.x with an x that fits.
pub(super) fn in_minor_series(version: &Version, fits: impl Fn(u64) -> bool) -> bool {
    matches!(version.release(), [3, minor, ..] if fits(*minor))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn interpreter(tag: &str) -> InterpreterFacts {
        ftbench_fixtures::interpreters::interpreter(tag, "3.13.15")
    }

    #[test]
    fn unsupported_builds_have_a_reason() {
        let pypy = InterpreterFacts {
            implementation: Implementation::PyPy,
            ..interpreter("pypy3.11")
        };
        let next = InterpreterFacts {
            version: "3.16.0".to_owned(),
            ..interpreter("3.16")
        };
        insta::assert_snapshot!(
            cannot_embed(&pypy, Model::Threads).unwrap(),
            @"the embedded host supports CPython only; pypy3.11 is PyPy"
        );
        insta::assert_snapshot!(
            cannot_embed(&next, Model::Threads).unwrap(),
            @"the embedded host is built with PyO3 0.30, which supports CPython up to 3.15"
        );
        insta::assert_snapshot!(
            cannot_embed(&interpreter("3.13"), Model::AsyncioThreads).unwrap(),
            @"the embedded host supports the models serial, threads, asyncio only: its workers are threads of its own"
        );
        assert_eq!(cannot_embed(&interpreter("3.13t"), Model::Asyncio), None);
        insta::assert_snapshot!(
            cannot_extend(&interpreter("3.13"), false).unwrap(),
            @"its extension must be built first, but cargo is missing; install Rust: https://rustup.rs"
        );
        assert_eq!(cannot_extend(&interpreter("3.13t"), true), None);
        assert!(cannot_extend(&pypy, true).unwrap().contains("pypy3.11 is PyPy"));
    }
}
