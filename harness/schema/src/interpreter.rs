//! Facts about an interpreter: its build, its run-time switches and its version of the language.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Python implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Implementation {
    /// The implementation from python.org.
    CPython,
    /// The implementation from pypy.org.
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
    /// Converts the result of `sys._is_gil_enabled()`.
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
    /// The bytecode instructions are functions that call each other (`--with-tail-call-interp`, since 3.14).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tail_calls: bool,
    /// A debug build (`--with-pydebug`).
    pub debug: bool,
    /// The executable is linked against a shared libpython.
    pub shared: bool,
    /// Compiler and its version, as reported by the interpreter.
    pub compiler: String,
    /// Optimisation level that the interpreter was compiled with, such as `-O3`; empty if unknown.
    pub optimisation: String,
}

/// One Python executable with its run-time switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterFacts {
    /// Its tag in this run, such as `3.13t`.
    pub tag: String,
    /// The executable.
    pub path: String,
    /// Full version of the language, such as `3.13.15`.
    pub version: String,
    /// Which implementation.
    pub implementation: Implementation,
    /// Whether the build can run without the GIL (PEP 703).
    pub free_threaded: bool,
    /// GIL state at start-up, with the switches applied.
    pub gil: GilState,
    /// Whether its JIT is in use, with the switches applied; `None` for a build without a JIT, and if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jit: Option<JitState>,
    /// Its run-time switches, in the order of [`Switch::ALL`]; empty for the unmodified build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
    /// How it was built.
    pub build: BuildFacts,
    /// Run-time behaviour that it reports at start-up.
    #[serde(default, skip_serializing_if = "RuntimeFacts::is_empty")]
    pub runtime: RuntimeFacts,
    /// Which build of this version it is; `None` if unknown, as in runs of earlier versions of ftbench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<BuildIdentity>,
}

impl InterpreterFacts {
    /// Returns words that describe the build, such as `-O3`, `PGO` and `pre-release`; none if nothing is known.
    #[must_use]
    pub fn build_words(&self) -> Vec<&str> {
        let build = &self.build;
        let version: Option<Version> = self.version.parse().ok();
        let words = [
            (version.is_some_and(Version::is_pre_release), "pre-release"),
            (!build.optimisation.is_empty(), build.optimisation.as_str()),
            (build.pgo, "PGO"),
            (build.lto, "LTO"),
            (build.jit && self.uses_jit(), "JIT"),
            (build.jit && !self.uses_jit(), "JIT off"),
            (build.tail_calls, "tail calls"),
            (build.debug, "debug"),
            (build.shared, "shared"),
        ];
        words
            .into_iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, word)| word)
            .collect()
    }

    /// Whether its JIT is in use. If only the build is known, a build that has a JIT is assumed to use it.
    #[must_use]
    pub fn uses_jit(&self) -> bool {
        self.jit.map_or(self.build.jit, |state| state == JitState::On)
    }
}

/// Behaviour of CPython that differs between versions and builds and affects figures. A field is `None` if the
/// interpreter does not report it, as in versions that do not have it yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFacts {
    /// Whether a thread starts with a copy of its creator's context variables rather than with none
    /// (3.14, <https://docs.python.org/3/using/cmdline.html#cmdoption-X>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_inherit_context: Option<bool>,
    /// Whether `warnings.catch_warnings` is local to a context rather than to the process (3.14, same page).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_aware_warnings: Option<bool>,
    /// The garbage collector for cycles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garbage_collector: Option<GarbageCollector>,
}

impl RuntimeFacts {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A garbage collector of CPython
/// (<https://github.com/python/cpython/blob/main/InternalDocs/garbage_collector.md>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GarbageCollector {
    /// Three generations; the youngest is collected most often.
    Generational,
    /// Two generations, the older one in increments (3.14.0 to 3.14.4; removed in later releases).
    Incremental,
    /// The collector of free-threaded builds: one generation, and all threads stop during a collection.
    FreeThreaded,
}

/// Distinguishes a build of an interpreter from another build of the same version that replaced it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildIdentity {
    /// The full text of `sys.version`, with the date of the build and the compiler; empty if unknown.
    #[serde(default)]
    pub version_text: String,
    /// The file that contains the interpreter: the shared libpython that it uses, or else the executable with symbolic
    /// links resolved; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file, hexadecimal; `None` if it was not computed or the file cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A run-time switch of CPython. Each one is an environment variable rather than a `-X` option, so that the processes
/// of a pool inherit it (<https://docs.python.org/3/using/cmdline.html#environment-variables>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// The GIL of a free-threaded build is on
    /// (3.13, <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_GIL>).
    Gil,
    /// The GIL of a free-threaded build stays off, even if an imported module asks for it (3.13,
    /// <https://docs.python.org/3/howto/free-threading-python.html>).
    Nogil,
    /// The JIT of a build that has one is on (3.13, <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_JIT>).
    Jit,
    /// The JIT is off.
    Nojit,
    /// Threads of a free-threaded build share their bytecode, which is then not specialised (3.14,
    /// <https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_TLBC>).
    Notlbc,
}

impl Switch {
    /// Every switch, in the order in which tags name them.
    pub const ALL: [Self; 5] = [Self::Gil, Self::Nogil, Self::Jit, Self::Nojit, Self::Notlbc];

    /// The switch's name in tags and files.
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

    /// Returns the switch with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.name() == name)
    }

    /// The environment variable that the switch sets.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Gil | Self::Nogil => "PYTHON_GIL",
            Self::Jit | Self::Nojit => "PYTHON_JIT",
            Self::Notlbc => "PYTHON_TLBC",
        }
    }

    /// The value that the environment variable is set to.
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

/// Whether the JIT compiler of a build that has one is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JitState {
    /// Hot code is compiled.
    On,
    /// All code is interpreted.
    Off,
}

impl JitState {
    /// Converts the result of `sys._jit.is_enabled()`.
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

/// A version of the language with its patch level, such as `3.13.15` or `3.15.0a1`. Older versions compare less than
/// newer ones.
///
/// `sys.version` of a build between two releases ends with a plus, `3.16.0a0+`. Parsing accepts and drops it, as
/// `sys.version_info` does; [`BuildIdentity`] identifies the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The 3 in `3.13.15`.
    pub major: u16,
    /// The 13 in `3.13.15`.
    pub minor: u16,
    /// The 15 in `3.13.15`.
    pub patch: u16,
    /// Its release stage.
    pub stage: Stage,
}

/// A release stage with the number of the pre-release (PEP 440).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// `a1`
    Alpha(u16),
    /// `b1`
    Beta(u16),
    /// `rc1`
    Candidate(u16),
    /// Released.
    Final,
}

/// The error for text that is not a full version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a version such as 3.13.15 or 3.15.0rc1")]
pub struct VersionError(pub String);

impl Version {
    /// The oldest version that ftbench measures; only its major and minor numbers matter.
    pub const OLDEST: Self = Self::new(3, 9, 0);

    /// Creates a released version.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
            stage: Stage::Final,
        }
    }

    /// Whether this comes before a release: an alpha, a beta or a release candidate.
    #[must_use]
    pub fn is_pre_release(self) -> bool {
        self.stage != Stage::Final
    }

    /// Whether this is below [`Version::OLDEST`].
    #[must_use]
    pub fn is_too_old(self) -> bool {
        (self.major, self.minor) < (Self::OLDEST.major, Self::OLDEST.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            patch,
            stage,
        } = self;
        write!(formatter, "{major}.{minor}.{patch}{stage}")
    }
}

/// Formats the suffix of a version, such as `rc1`; empty for a release.
impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alpha(number) => write!(formatter, "a{number}"),
            Self::Beta(number) => write!(formatter, "b{number}"),
            Self::Candidate(number) => write!(formatter, "rc{number}"),
            Self::Final => Ok(()),
        }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        parse(text).ok_or_else(|| VersionError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Version> {
    let (major, rest) = text.split_once('.')?;
    let (minor, rest) = rest.split_once('.')?;
    let stage_at = rest.find(|letter: char| !letter.is_ascii_digit());
    let (patch, stage) = rest.split_at(stage_at.unwrap_or(rest.len()));
    let stage = stage.strip_suffix('+').unwrap_or(stage);
    Some(Version {
        major: number(major)?,
        minor: number(minor)?,
        patch: number(patch)?,
        stage: parse_stage(stage)?,
    })
}

pub(super) fn parse_stage(text: &str) -> Option<Stage> {
    if text.is_empty() {
        Some(Stage::Final)
    } else if let Some(rest) = text.strip_prefix("rc") {
        number(rest).map(Stage::Candidate)
    } else if let Some(rest) = text.strip_prefix('a') {
        number(rest).map(Stage::Alpha)
    } else if let Some(rest) = text.strip_prefix('b') {
        number(rest).map(Stage::Beta)
    } else {
        None
    }
}

/// Parses a number in its canonical spelling: digits only, no leading zero.
pub(super) fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn any_version() -> impl Strategy<Value = Version> {
        let stage = prop_oneof![
            any::<u16>().prop_map(Stage::Alpha),
            any::<u16>().prop_map(Stage::Beta),
            any::<u16>().prop_map(Stage::Candidate),
            Just(Stage::Final),
        ];
        (any::<[u16; 3]>(), stage).prop_map(|([major, minor, patch], stage)| Version {
            major,
            minor,
            patch,
            stage,
        })
    }

    proptest! {
        #[test]
        fn displayed_versions_parse_to_themselves(version in any_version()) {
            prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,12}") {
            let _ = text.parse::<Version>();
        }
    }

    #[test]
    fn versions_are_ordered_from_old_to_new() {
        let in_order = [
            "3.9.18",
            "3.13.2",
            "3.13.15",
            "3.15.0a2",
            "3.15.0b1",
            "3.15.0rc1",
            "3.15.0rc2",
            "3.15.0rc10",
            "3.15.0",
            "3.16.0a0",
            "3.16.0b1",
            "3.100.0rc1",
            "4.0.0a1",
        ];
        let versions: Vec<Version> = in_order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted_by(|old, new| old < new));
        assert!("3.8.18".parse::<Version>().unwrap().is_too_old());
        assert!(!"3.9.0".parse::<Version>().unwrap().is_too_old());
    }

    #[test]
    fn alphas_come_before_betas_candidates_and_the_release() {
        let stages = [
            Stage::Alpha(u16::MAX),
            Stage::Beta(0),
            Stage::Candidate(0),
            Stage::Final,
        ];
        assert!(stages.is_sorted_by(|old, new| old < new));
        let is_pre_release = |text: &str| text.parse::<Version>().unwrap().is_pre_release();
        assert!(
            ["3.16.0a0", "3.16.0b1", "3.16.0rc1"]
                .into_iter()
                .all(is_pre_release)
        );
        assert!(!is_pre_release("3.16.0"));
    }

    #[test]
    fn plus_of_a_development_build_is_dropped() {
        for (text, shown) in [
            ("3.16.0a0+", "3.16.0a0"),
            ("3.15.0rc1+", "3.15.0rc1"),
            ("3.15.2+", "3.15.2"),
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn malformed_versions_are_rejected() {
        for text in [
            "",
            "3",
            "3.13",
            "3.13.",
            "3.13.15++",
            "3.13.+15",
            "3.13.015",
            "3.13.0c1",
            "3.13.99999",
            "3.13.-1",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
