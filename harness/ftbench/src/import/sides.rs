//! Facts about interpreters and machines from pyperf's metadata. A missing fact stays empty, `false` or 0.

use super::Reason;
use super::pyperf::Metadata;
use crate::interpreter::configure;
use ftbench_schema::{
    BuildFacts, GilState, Implementation, InterpreterFacts, JitState, MachineFacts, RuntimeFacts, Switch,
    TopologyFacts,
};

/// The interpreter of a run, with the tag that ftbench would give it.
///
/// # Errors
/// If ftbench does not know the implementation.
pub fn interpreter(metadata: &Metadata) -> Result<InterpreterFacts, Reason> {
    let text = |key| metadata.text(key).unwrap_or_default();
    let implementation = match text("python_implementation").to_lowercase().as_str() {
        "cpython" | "" => Implementation::CPython,
        "pypy" => Implementation::PyPy,
        other => return Err(Reason::Implementation(other.to_owned())),
    };
    let options = text("python_config_args");
    let has = |option: &str| configure::has(options, option);
    let version = version(text("python_version"));
    let free_threaded = metadata
        .flag("free_threaded")
        .unwrap_or_else(|| has("disable-gil") || is_named_free_threaded(text("python_executable")));
    let gil_enabled = metadata.flag("gil_enabled").unwrap_or(!free_threaded);
    let jit = metadata.flag("jit_enabled").map(JitState::from_enabled);
    let build = BuildFacts {
        pgo: has("enable-optimizations"),
        lto: has("with-lto"),
        jit: configure::has_jit(options),
        tail_calls: has("with-tail-call-interp"),
        debug: has("with-pydebug"),
        shared: has("enable-shared"),
        compiler: text("python_compiler").to_owned(),
        optimisation: optimisation(text("python_cflags")),
    };
    let own_tag = metadata
        .text("ftbench_version")
        .and_then(|_| metadata.text("interpreter"));
    Ok(InterpreterFacts {
        tag: own_tag.map_or_else(
            || tag(implementation, &version, free_threaded, build.debug),
            str::to_owned,
        ),
        path: text("python_executable").to_owned(),
        version,
        implementation,
        free_threaded,
        gil: GilState::from_enabled(gil_enabled),
        jit,
        switches: text("switches").split(',').filter_map(Switch::named).collect(),
        build,
        runtime: RuntimeFacts::default(),
        identity: None,
    })
}

/// Extracts `3.13.15` from `3.13.15 (64-bit) revision 0123abc`, and `3.9.16` from `PyPy 7.3.11 (Python 3.9.16)
/// (64-bit)`.
fn version(text: &str) -> String {
    let text = text.split_once("(Python ").map_or(text, |(_, rest)| rest);
    let end = text
        .find(|character: char| character.is_whitespace() || "()".contains(character))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

/// Whether the name of the executable is that of a free-threaded build, such as `python3.13t`.
fn is_named_free_threaded(executable: &str) -> bool {
    let name = executable.rsplit(['/', '\\']).next().unwrap_or_default();
    let minor = name
        .strip_prefix("python3.")
        .and_then(|rest| rest.strip_suffix('t').or_else(|| rest.strip_suffix("td")));
    minor.is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The last `-O` option, which is the one that counts.
fn optimisation(flags: &str) -> String {
    let mut options = flags.split_whitespace().filter(|word| word.starts_with("-O"));
    options.next_back().unwrap_or_default().to_owned()
}

fn tag(implementation: Implementation, version: &str, free_threaded: bool, debug: bool) -> String {
    let minor: Vec<&str> = version.split('.').take(2).collect();
    let minor = minor.join(".");
    let prefix = match implementation {
        Implementation::CPython => "",
        Implementation::PyPy => "pypy",
    };
    if minor.is_empty() {
        return format!("{prefix}unknown");
    }
    let threads = if free_threaded { "t" } else { "" };
    let debug = if debug { "d" } else { "" };
    format!("{prefix}{minor}{threads}{debug}")
}

/// The machine of a run.
#[must_use]
pub fn machine(metadata: &Metadata) -> MachineFacts {
    let text = |key| metadata.text(key).unwrap_or_default().to_owned();
    let count = |key| {
        metadata
            .count(key)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0)
    };
    MachineFacts {
        hostname: text("hostname"),
        cpu_model: text("cpu_model_name"),
        os: text("platform"),
        kernel: String::new(),
        architecture: String::new(),
        memory_bytes: 0,
        cpu_quota: None,
        microcode: None,
        governor: None,
        topology: TopologyFacts {
            packages: 0,
            numa_nodes: 0,
            // Only in files from ftbench; pyperf counts hardware threads.
            cores: count("cpu_cores"),
            pus: count("cpu_count"),
            allowed_pus: Vec::new(),
        },
    }
}
