//! Parses an interpreter's answer to the probe and derives facts from it. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::configure;
use ftbench_schema::{
    BuildFacts, BuildIdentity, GarbageCollector, GilState, Implementation, JitState, RuntimeFacts, Stage,
    Version,
};

/// Prefix of the answer's line, which finds it among other output.
const MARK: &str = "ftbench-probe ";

/// The facts that a probe found about one executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Version of the language that it implements.
    pub version: Version,
    /// Which implementation.
    pub implementation: Implementation,
    /// Whether the build can run without the GIL (PEP 703).
    pub free_threaded: bool,
    /// GIL state at start-up.
    pub gil: GilState,
    /// Whether its JIT is in use; `None` for a build without one.
    pub jit: Option<JitState>,
    /// How it was built.
    pub build: BuildFacts,
    /// How it behaves at run time, by its own report.
    pub runtime: RuntimeFacts,
    /// Which build it is, without the digest of its file; `None` where it does not report that.
    pub identity: Option<BuildIdentity>,
    /// The executable that really runs, links resolved: in a virtual environment the one that it was made from.
    pub executable: Option<PathBuf>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadAnswer {
    /// No line has the mark, or the line cannot be parsed.
    None,
    /// Its version is below the oldest that ftbench measures.
    TooOld(Version),
    /// An implementation that ftbench does not know.
    UnknownImplementation(String),
}

/// Parses what an interpreter printed.
pub(super) fn parse(printed: &str) -> Result<Answer, BadAnswer> {
    let line = printed
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(MARK))
        .ok_or(BadAnswer::None)?;
    let raw: RawAnswer = serde_json::from_str(line).map_err(|_| BadAnswer::None)?;
    let version = raw.version.version();
    if version.is_too_old() {
        return Err(BadAnswer::TooOld(version));
    }
    let implementation = match raw.implementation.as_str() {
        "CPython" => Implementation::CPython,
        "PyPy" => Implementation::PyPy,
        other => return Err(BadAnswer::UnknownImplementation(other.to_owned())),
    };
    Ok(Answer {
        version,
        implementation,
        free_threaded: raw.free_threaded(),
        gil: GilState::from_enabled(raw.gil_enabled),
        jit: raw.jit_state(implementation),
        build: raw.build(implementation),
        runtime: raw.runtime(implementation),
        identity: raw.identity(),
        executable: raw.executable,
    })
}

/// The answer as `probe.py` writes it. Interpreters that are too old leave out all but the first two keys.
#[derive(Debug, Deserialize)]
struct RawAnswer {
    implementation: String,
    version: VersionInfo,
    #[serde(default)]
    abiflags: String,
    #[serde(default)]
    builtin_modules: Vec<String>,
    #[serde(default)]
    compiler: String,
    #[serde(default)]
    configuration: BTreeMap<String, Value>,
    executable: Option<PathBuf>,
    #[serde(default = "yes")]
    gil_enabled: bool,
    /// Those `sys.flags` that the probe asks for and the interpreter has.
    #[serde(default)]
    flags: BTreeMap<String, bool>,
    /// `gc.get_threshold()`.
    #[serde(default)]
    gc_thresholds: Vec<u64>,
    jit_available: Option<bool>,
    jit_enabled: Option<bool>,
    /// The environment variable `PYTHON_JIT`.
    jit_variable: Option<String>,
    runs_shared_library: Option<bool>,
    /// Path of the libpython that is mapped into the process.
    shared_library: Option<PathBuf>,
    #[serde(default)]
    version_text: String,
}

const fn yes() -> bool {
    true
}

/// `sys.version_info`: major, minor, patch, release level, serial.
#[derive(Debug, Deserialize)]
struct VersionInfo(u16, u16, u16, String, u16);

impl VersionInfo {
    fn version(&self) -> Version {
        let Self(major, minor, patch, level, serial) = self;
        let stage = match level.as_str() {
            "alpha" => Stage::Alpha(*serial),
            "beta" => Stage::Beta(*serial),
            "candidate" => Stage::Candidate(*serial),
            _ => Stage::Final,
        };
        Version {
            stage,
            ..Version::new(*major, *minor, *patch)
        }
    }
}

impl RawAnswer {
    /// Reads `Py_GIL_DISABLED`, as PEP 703 advises, or the ABI flag where there is no configuration.
    fn free_threaded(&self) -> bool {
        self.is_set("Py_GIL_DISABLED") || self.abiflags.contains('t')
    }

    fn build(&self, implementation: Implementation) -> BuildFacts {
        BuildFacts {
            pgo: self.pgo(),
            lto: self.lto(),
            jit: self.jit(implementation),
            // Nothing else shows this since 3.15: sysconfig lacks names of pyconfig.h with a leading underscore.
            tail_calls: configure::has(self.configure_arguments(), "with-tail-call-interp"),
            debug: self.is_set("Py_DEBUG") || self.abiflags.contains('d'),
            shared: self.shared(),
            compiler: self.compiler(),
            optimisation: match implementation {
                Implementation::CPython => self.optimisation(),
                // PyPy's sysconfig has a fixed text here, meant for extension modules.
                Implementation::PyPy => String::new(),
            },
        }
    }

    fn runtime(&self, implementation: Implementation) -> RuntimeFacts {
        let flag = |name: &str| self.flags.get(name).copied();
        RuntimeFacts {
            thread_inherit_context: flag("thread_inherit_context"),
            context_aware_warnings: flag("context_aware_warnings"),
            garbage_collector: self
                .garbage_collector()
                .filter(|_| implementation == Implementation::CPython),
        }
    }

    /// Detects the collector: only the incremental one has no threshold for an oldest generation (`gc.get_threshold`,
    /// 3.14).
    fn garbage_collector(&self) -> Option<GarbageCollector> {
        match self.gc_thresholds.as_slice() {
            [_, _, _] if self.free_threaded() => Some(GarbageCollector::FreeThreaded),
            [_, _, 0] => Some(GarbageCollector::Incremental),
            [_, _, _] => Some(GarbageCollector::Generational),
            _ => None,
        }
    }

    fn identity(&self) -> Option<BuildIdentity> {
        let file = self.shared_library.as_ref().or(self.executable.as_ref());
        let identity = BuildIdentity {
            version_text: self.version_text.clone(),
            file: file.map(|file| file.display().to_string()),
            sha256: None,
        };
        (identity != BuildIdentity::default()).then_some(identity)
    }

    fn pgo(&self) -> bool {
        configure::has(self.configure_arguments(), "enable-optimizations")
            || self.flags_have("CONFIGURE_CFLAGS_NODIST", "-fprofile-use")
    }

    fn lto(&self) -> bool {
        configure::has(self.configure_arguments(), "with-lto")
            || self.flags_have("CONFIGURE_LDFLAGS_NODIST", "-flto")
    }

    /// Whether there is a JIT. CPython: from `sys._jit` (3.14 and newer), else from how it was configured. PyPy: from
    /// its built-in modules.
    fn jit(&self, implementation: Implementation) -> bool {
        match implementation {
            Implementation::CPython => self
                .jit_available
                .unwrap_or_else(|| configure::has_jit(self.configure_arguments())),
            Implementation::PyPy => self.builtin_modules.iter().any(|name| name == "pypyjit"),
        }
    }

    /// Whether the JIT is in use; `None` without one. CPython 3.14 and newer report it in `sys._jit`. In 3.13 it
    /// follows from how the build was configured (`yes-off` is off from the start) and from the first character of
    /// `PYTHON_JIT`; a free-threaded 3.13 never uses its JIT (<https://github.com/python/cpython/issues/133171>).
    fn jit_state(&self, implementation: Implementation) -> Option<JitState> {
        if !self.jit(implementation) {
            return None;
        }
        let is_on_from_the_start = || {
            let off =
                configure::option(self.configure_arguments(), "enable-experimental-jit") == Some("yes-off");
            let wanted = self.jit_variable.as_deref().filter(|value| !value.is_empty());
            !self.free_threaded() && wanted.map_or(!off, |value| !value.starts_with('0'))
        };
        let enabled = self.jit_enabled.unwrap_or_else(is_on_from_the_start);
        Some(JitState::from_enabled(enabled))
    }

    /// Whether a shared libpython is mapped into the process that answered. Without `/proc` this follows from how the
    /// build was configured, which is wrong for a static executable shipped beside a shared library.
    fn shared(&self) -> bool {
        self.runs_shared_library
            .unwrap_or_else(|| self.is_set("Py_ENABLE_SHARED") || !self.text("PYTHONFRAMEWORK").is_empty())
    }

    /// The compiler from `platform`; where that is empty (PyPy), from `sys.version`:
    /// `... [PyPy 7.3.11 with GCC 12.2.0]`.
    fn compiler(&self) -> String {
        let compiler = self.compiler.trim();
        if !compiler.is_empty() {
            return compiler.to_owned();
        }
        let after_with = self.version_text.rsplit_once(" with ").map(|(_, after)| after);
        after_with
            .and_then(|after| after.split_once(']'))
            .map_or_else(String::new, |(compiler, _)| compiler.trim().to_owned())
    }

    /// The last `-O` flag, which is the one in effect, among the flags of the interpreter's core or else the general
    /// ones.
    fn optimisation(&self) -> String {
        ["PY_CORE_CFLAGS", "CFLAGS", "OPT"]
            .iter()
            .find_map(|key| {
                self.text(key)
                    .split_whitespace()
                    .rfind(|flag| flag.starts_with("-O"))
            })
            .unwrap_or_default()
            .to_owned()
    }

    fn configure_arguments(&self) -> &str {
        self.text("CONFIG_ARGS")
    }

    fn flags_have(&self, key: &str, prefix: &str) -> bool {
        self.text(key)
            .split_whitespace()
            .any(|flag| flag.starts_with(prefix))
    }

    /// A text value of the configuration; empty where it is missing.
    fn text(&self, key: &str) -> &str {
        self.configuration.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// Whether a value of the configuration is set and is neither 0 nor empty.
    fn is_set(&self, key: &str) -> bool {
        match self.configuration.get(key) {
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            Some(Value::String(text)) => !matches!(text.as_str(), "" | "0"),
            Some(Value::Bool(value)) => *value,
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
