//! What is known of an interpreter: its build, its run-time switches and the version of the language.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
    /// The instructions of the bytecode are functions that call each other (`--with-tail-call-interp`, from 3.14 on).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tail_calls: bool,
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
    /// What it says of its own ways at start-up.
    #[serde(default, skip_serializing_if = "RuntimeFacts::is_empty")]
    pub runtime: RuntimeFacts,
    /// Which build of this version it is; `None` where that is not known, as in runs of earlier versions of ftbench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<BuildIdentity>,
}

impl InterpreterFacts {
    /// What kind of build it is, in words such as `-O3`, `PGO`, `pre-release`; none where nothing is known.
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

    /// Whether its JIT is in use. Where only the build is known, one that has a JIT is taken to use it.
    #[must_use]
    pub fn uses_jit(&self) -> bool {
        self.jit.map_or(self.build.jit, |state| state == JitState::On)
    }
}

/// Ways of CPython that versions and builds change and that move figures. Each is `None` where the interpreter does not
/// tell, as before the version that brought it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFacts {
    /// Whether a thread starts with a copy of its creator's context variables rather than with none
    /// (3.14, <https://docs.python.org/3/using/cmdline.html#cmdoption-X>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_inherit_context: Option<bool>,
    /// Whether `warnings.catch_warnings` is local to a context rather than to the process (3.14, likewise).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_aware_warnings: Option<bool>,
    /// How cyclic garbage is collected.
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
    /// Three generations; the youngest most often.
    Generational,
    /// Two generations, the older one in increments (3.14.0 to 3.14.4, which later releases took back).
    Incremental,
    /// That of free-threaded builds: one generation, and all threads stop while it is looked through.
    FreeThreaded,
}

/// Tells a build of an interpreter from another one of the same version that was put in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildIdentity {
    /// The whole of `sys.version`, with the date of the build and the compiler; empty where it is not told.
    #[serde(default)]
    pub version_text: String,
    /// The file that the interpreter is in: the shared libpython that it runs, else the executable that really runs,
    /// links resolved; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file, hexadecimal; `None` where nobody looked, and where it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

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

/// A version of the language with its patch level, such as `3.13.15` or `3.15.0a1`; ordered from old to new.
///
/// `sys.version` of a build between two versions ends with a plus, `3.16.0a0+`. It is read and left out, as in
/// `sys.version_info`: which build it is, [`BuildIdentity`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The 3 of `3.13.15`.
    pub major: u16,
    /// The 13 of `3.13.15`.
    pub minor: u16,
    /// The 15 of `3.13.15`.
    pub patch: u16,
    /// How far towards a release it is.
    pub stage: Stage,
}

/// How far towards a release a version is (PEP 440's pre-releases), with the number of the pre-release.
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

/// Text that is not a full version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a version such as 3.13.15 or 3.15.0rc1")]
pub struct VersionError(pub String);

impl Version {
    /// The oldest one that ftbench measures; only major and minor of it matter.
    pub const OLDEST: Self = Self::new(3, 9, 0);

    /// A released version.
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

/// As a version ends with it: `rc1`; empty for a release.
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

/// A number in its one customary spelling: digits only, no leading zero.
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
        fn what_is_shown_can_be_read(version in any_version()) {
            prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,12}") {
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
    fn the_plus_of_a_development_build_is_left_out() {
        for (text, shown) in [
            ("3.16.0a0+", "3.16.0a0"),
            ("3.15.0rc1+", "3.15.0rc1"),
            ("3.15.2+", "3.15.2"),
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
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
