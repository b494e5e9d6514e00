//! The result of `ftbench compat`: which packages of a dependency tree work on which builds.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::summary::{CurveVerdict, Estimate};

/// What is known about a tree of packages on some builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compat {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of ftbench.
    pub ftbench: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// The kind of machine, such as `linux x86_64`. Wheels depend on it.
    pub platform: String,
    /// The requirements as they were given, also those of files.
    pub requested: Vec<String>,
    /// The builds, in the order in which they were requested.
    pub builds: Vec<CompatBuild>,
    /// Whether the command was interrupted, so that some of it was not tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The worst verdict of its packages.
    pub verdict: CompatVerdict,
    /// The packages, sorted by name.
    pub packages: Vec<CompatPackage>,
}

/// A build that packages were tried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatBuild {
    /// Its tag, such as `3.14t`.
    pub tag: String,
    /// Full version of the language.
    pub version: String,
    /// Whether the build can run without the GIL.
    pub free_threaded: bool,
}

/// A package of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompatPackage {
    /// Its name, normalised.
    pub name: String,
    /// Its version, if all builds have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The worst verdict on a free-threaded build; on any build if none of them is free-threaded.
    pub verdict: CompatVerdict,
    /// Why, in a sentence.
    pub reason: String,
    /// The package that this one waits for, if the cause is not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
    /// Whether it was requested itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_requested: bool,
    /// The packages that require it, sorted.
    pub required_by: Vec<String>,
    /// Where its metadata says that bugs are reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker: Option<String>,
    /// What is known of it on each build, by tag. A build on which nothing requires it has no entry.
    pub builds: BTreeMap<String, PackageOnBuild>,
}

/// What is known of a package on one build.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageOnBuild {
    /// The resolved version; `None` if it was not resolved.
    pub version: Option<String>,
    /// The packages that it requires here, sorted.
    pub requires: Vec<String>,
    /// What the index has for this build.
    pub distribution: Distribution,
    /// The file's name, if it is a wheel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
    /// The newest version with a wheel for this build, if the resolved version has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_with_wheel: Option<String>,
    /// What it declares about free threading, such as `2 - Beta`: the classifier `Programming Language :: Python :: Free
    /// Threading` (<https://pypi.org/classifiers/>).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classifier: Option<String>,
    /// Whether it was installed.
    pub is_installed: bool,
    /// Whether it is requested with a marker that excludes this build.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_excluded: bool,
    /// The reason of the resolver or the installer, if one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Extension modules that this build cannot load, because their files are named for another one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreign_extensions: Vec<String>,
    /// The modules that were imported, each in a process of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<ModuleImport>,
    /// All of these modules imported by several threads at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imports_in_threads: Option<Attempt>,
    /// Calls from several threads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<StressedCall>,
    /// How calls scale.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scaling: Vec<MeasuredCall>,
    /// The verdict on this build.
    pub verdict: CompatVerdict,
    /// Why, in a sentence.
    pub reason: String,
    /// The package that this one waits for, if the cause is not its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
    /// What the verdict rests on.
    pub rests_on: Vec<Evidence>,
}

/// The best file that an index has for a version of a package on a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// A wheel for this build alone, such as `cp314t`.
    BuildWheel,
    /// A wheel for the stable ABI of this kind of build: `abi3t` (PEP 803), or `abi3` for builds with a GIL.
    StableAbiWheel,
    /// A wheel without extension modules for CPython: pure Python, or a program.
    IndependentWheel,
    /// Wheels for builds with a GIL only.
    GilOnlyWheel,
    /// A source archive, and no wheel for this build.
    SourceOnly,
    /// A folder or a file of the user.
    Local,
    /// Nothing that this build could use.
    #[default]
    Nothing,
}

impl Distribution {
    /// Whether the build can install it without compiling anything.
    #[must_use]
    pub const fn is_installable(self) -> bool {
        matches!(
            self,
            Self::BuildWheel | Self::StableAbiWheel | Self::IndependentWheel | Self::Local
        )
    }
}

/// How something that was tried in a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// The exception, or the signal; empty if it worked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The end of what it printed to standard error, if it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub traceback: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It worked.
    Works,
    /// An exception.
    Fails,
    /// It ended the interpreter by itself, such as with `os._exit`.
    Exits,
    /// A signal ended it.
    Crashes,
    /// It did not end within the time limit.
    TimesOut,
}

/// The import of a module in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleImport {
    /// The module.
    pub module: String,
    /// How it ended.
    #[serde(flatten)]
    pub attempt: Attempt,
    /// The extension modules that switched the GIL on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gil_enabled_by: Vec<GilSwitch>,
    /// The extension modules of packages that it loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionModule>,
    /// What it warned about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An extension module that switched the GIL on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GilSwitch {
    /// The extension module; empty if CPython did not name one.
    pub extension: String,
    /// Whether it does so when it is imported alone.
    pub is_established_alone: bool,
}

/// An extension module and what it declares about the GIL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionModule {
    /// The module.
    pub module: String,
    /// What it declares.
    pub gil: GilDeclaration,
}

/// What an extension module declares about the GIL, by its slot `Py_mod_gil`
/// (<https://docs.python.org/3/c-api/module.html#c.Py_mod_gil>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GilDeclaration {
    /// It does not need the GIL.
    NotNeeded,
    /// It needs the GIL.
    Needed,
    /// It has slots and declares nothing, which means that it needs the GIL.
    Nothing,
    /// Its slots cannot be read, for instance because it has single-phase initialisation.
    Unknown,
}

/// A call that was made in one thread and then from several threads at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StressedCall {
    /// The call.
    pub call: String,
    /// How it ended. It fails if a thread got another result than one thread alone.
    #[serde(flatten)]
    pub attempt: Attempt,
    /// Number of threads.
    pub threads: u32,
    /// How often it was called.
    pub calls: u64,
    /// How many results differed from that of one thread.
    pub wrong_results: u64,
}

/// How a call scales over threads, measured as `ftbench run` does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredCall {
    /// The call.
    pub call: String,
    /// The largest number of threads.
    pub workers: u32,
    /// The verdict on its curve.
    pub verdict: CurveVerdict,
    /// Time of one thread divided by that of all threads, for the same work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup: Option<Estimate>,
    /// The speedup divided by what the machine gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_fraction: Option<Estimate>,
    /// Time of one thread divided by that on the build with a GIL of the same version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Estimate>,
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The index and the resolver.
    Resolved,
    /// The installation.
    Installed,
    /// Imports of its modules.
    Imported,
    /// Calls from several threads.
    Stressed,
    /// Measurements of how calls scale.
    Measured,
}

/// Whether a package works on a build, from good to bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompatVerdict {
    /// Nothing was found that blocks it.
    NoBlockerFound,
    /// It was not tried, for instance because a package that it requires cannot be installed.
    #[default]
    NotTried,
    /// It switches the GIL on.
    GilReenabled,
    /// It cannot be installed without compiling it.
    NoWheel,
    /// It cannot be resolved, installed, imported or called.
    Fails,
    /// It ends the interpreter by a signal.
    Crashes,
}

impl CompatVerdict {
    /// All verdicts, from good to bad.
    pub const ALL: [Self; 6] = [
        Self::NoBlockerFound,
        Self::NotTried,
        Self::GilReenabled,
        Self::NoWheel,
        Self::Fails,
        Self::Crashes,
    ];

    /// Its name in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoBlockerFound => "no_blocker_found",
            Self::NotTried => "not_tried",
            Self::GilReenabled => "gil_reenabled",
            Self::NoWheel => "no_wheel",
            Self::Fails => "fails",
            Self::Crashes => "crashes",
        }
    }

    /// Whether it blocks what requires the package.
    #[must_use]
    pub const fn is_blocking(self) -> bool {
        !matches!(self, Self::NoBlockerFound | Self::NotTried)
    }
}

impl fmt::Display for CompatVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::NoBlockerFound => "no blocker found",
            Self::NotTried => "not tried",
            Self::GilReenabled => "switches the GIL on",
            Self::NoWheel => "no wheel",
            Self::Fails => "fails",
            Self::Crashes => "crashes",
        })
    }
}
