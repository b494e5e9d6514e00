//! The metadata block of a workload: a PEP 723 `script` block with a `[tool.ftbench]` table.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::LazyLock;

use pep440_rs::VersionSpecifiers;
use regex::Regex;
use serde::Deserialize;

use ftbench_schema::{Kernel, Model, WorkloadKind};

/// What a workload declares about itself, read without running Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Versions of Python that it runs on; all when it does not say.
    pub requires_python: VersionSpecifiers,
    /// Packages that it needs, as PEP 508 requirements.
    pub dependencies: Vec<String>,
    /// What kind of work it does; `cpu` when it does not say.
    pub kind: WorkloadKind,
    /// One line on what it does.
    pub summary: String,
    /// Models that make sense for it; empty when it does not say.
    pub models: Vec<Model>,
    /// The native kernel that its speedups are compared with; `None` when it does not say.
    pub ceiling: Option<Kernel>,
    /// The services that ftbench must run for it.
    pub services: Vec<Service>,
    /// Where its problem, algorithm or known answer comes from; empty when it does not say.
    pub source: String,
    /// One line on what its scaling shows; empty when it does not say.
    pub shows: String,
    /// Folder of the project or Cargo package whose modules it imports, relative to the file; `None` when it needs none.
    pub extension: Option<String>,
    /// Summaries by name, when the file holds several workloads; empty when it is one.
    pub cases: BTreeMap<String, String>,
}

/// A service that ftbench runs for a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// A loopback HTTP server with a fixed latency.
    Http,
    /// A loopback TCP server that sends back what it gets, at once.
    Echo,
}

impl Service {
    /// The environment variable with its address for workloads: a URL for HTTP, `HOST:PORT` for the echo.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Http => "FTBENCH_HTTP_URL",
            Self::Echo => "FTBENCH_ECHO_ADDRESS",
        }
    }
}

/// Most cases in one file; each becomes a workload of its own, with rows and a chart.
const MAX_CASES: usize = 256;

/// What is wrong with a metadata block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// PEP 723 allows one.
    #[error("it has {0} '# /// script' blocks; leave one")]
    SeveralBlocks(usize),
    /// The block opens and never ends.
    #[error(
        "its '# /// script' block is not closed; end it with a line '# ///', and begin every line between with '#'"
    )]
    Unclosed,
    /// The block is not TOML, or has keys or values that ftbench does not know.
    #[error("its metadata block: {0}")]
    Toml(String),
    /// `requires-python` is not a PEP 440 version specifier.
    #[error("its requires-python: {0}")]
    RequiresPython(String),
    /// A case that no function can be named after.
    #[error("its case '{0}' cannot end the name of a function; use letters, digits and '_', and not 'async'")]
    CaseName(String),
    /// More cases than a file can sensibly hold.
    #[error("it has {0} cases; leave at most {MAX_CASES} in one file")]
    TooManyCases(usize),
    /// An extension that is not below the file's folder.
    #[error("its extension '{0}' is not a folder below the file's own; give a relative path without '..'")]
    ExtensionOutside(String),
    /// A ceiling for a kind of work that waits.
    #[error(
        "it names a ceiling, but kind '{0}' waits rather than computes; leave out 'ceiling', or change the kind"
    )]
    CeilingOfWaiting(WorkloadKind),
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            requires_python: VersionSpecifiers::empty(),
            dependencies: Vec::new(),
            kind: WorkloadKind::Cpu,
            summary: String::new(),
            models: Vec::new(),
            ceiling: None,
            services: Vec::new(),
            source: String::new(),
            shows: String::new(),
            extension: None,
            cases: BTreeMap::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Block {
    requires_python: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    tool: Tools,
}

#[derive(Deserialize, Default)]
struct Tools {
    #[serde(default)]
    ftbench: Table,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Option<WorkloadKind>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    models: Vec<Model>,
    ceiling: Option<Kernel>,
    #[serde(default)]
    services: Vec<Service>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    shows: String,
    extension: Option<String>,
    #[serde(default)]
    cases: BTreeMap<String, String>,
}

/// The block's grammar is PEP 723's: <https://peps.python.org/pep-0723/#specification>.
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^# /// script[ \t]*\r?\n((?:#(?:| .*)\r?\n)*?)# ///[ \t]*\r?$").expect("a valid pattern")
});

/// Parses the metadata in a workload's source. A file without a block has the default metadata.
///
/// # Errors
/// Says what is wrong with the block.
pub fn parse(source: &str) -> Result<Metadata, MetadataError> {
    let blocks: Vec<&str> = BLOCK
        .captures_iter(source)
        .filter_map(|found| found.get(1))
        .map(|found| found.as_str())
        .collect();
    let toml = match blocks.as_slice() {
        [] if source.lines().any(|line| line.trim_end() == "# /// script") => {
            return Err(MetadataError::Unclosed);
        }
        [] => return Ok(Metadata::default()),
        [one] => uncommented(one),
        several => return Err(MetadataError::SeveralBlocks(several.len())),
    };
    let block: Block = toml::from_str(&toml).map_err(|error| MetadataError::Toml(one_line(&error)))?;
    let requires_python = match block.requires_python {
        None => VersionSpecifiers::empty(),
        Some(text) => text
            .parse()
            .map_err(|error: pep440_rs::VersionSpecifiersParseError| {
                MetadataError::RequiresPython(error.to_string().lines().next().unwrap_or_default().to_owned())
            })?,
    };
    let table = block.tool.ftbench;
    let kind = table.kind.unwrap_or(WorkloadKind::Cpu);
    if table.ceiling.is_some() && Kernel::usual(kind).is_none() {
        return Err(MetadataError::CeilingOfWaiting(kind));
    }
    if let Some(name) = table.cases.keys().find(|name| !is_case_name(name)) {
        return Err(MetadataError::CaseName(name.clone()));
    }
    if table.cases.len() > MAX_CASES {
        return Err(MetadataError::TooManyCases(table.cases.len()));
    }
    if let Some(folder) = table.extension.as_ref().filter(|folder| !is_below(folder)) {
        return Err(MetadataError::ExtensionOutside(folder.clone()));
    }
    Ok(Metadata {
        requires_python,
        dependencies: block.dependencies,
        kind,
        summary: line(&table.summary),
        models: table.models,
        ceiling: table.ceiling,
        services: table.services,
        source: line(&table.source),
        shows: line(&table.shows),
        extension: table.extension,
        cases: table
            .cases
            .into_iter()
            .map(|(name, summary)| (name, line(&summary)))
            .collect(),
    })
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a path stays below the folder that it is relative to.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Whether a case can end the name of a function. `async` cannot, because `work_async` is the coroutine of a file
/// without cases.
fn is_case_name(case: &str) -> bool {
    let is_word = !case.is_empty()
        && case
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word && case != "async" && !case.starts_with("async_")
}

fn uncommented(block: &str) -> String {
    block
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .unwrap_or_else(|| line.strip_prefix('#').unwrap_or(line))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn one_line(error: &toml::de::Error) -> String {
    line(error.message())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const FULL: &str = r#"# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy>=2"]
#
# [tool.ftbench]
# kind = "io"
# summary = "Waits,   and waits"
# models = ["serial", "processes:fork"]
# services = ["http", "echo"]
# source = "A book"
# shows = "How waiting overlaps"
# extension = "in_rust"
# [tool.ftbench.cases]
# long_wait = "Waits  long"
# ///
def work(data, units): ...
"#;

    #[test]
    fn reads_every_key() {
        let metadata = parse(FULL).unwrap();
        assert_eq!(metadata.kind, WorkloadKind::Io);
        assert_eq!(metadata.summary, "Waits, and waits");
        assert_eq!(metadata.dependencies, ["numpy>=2"]);
        assert_eq!(metadata.models, [Model::Serial, Model::ProcessesFork]);
        assert_eq!(metadata.services, [Service::Http, Service::Echo]);
        assert_eq!(metadata.source, "A book");
        assert_eq!(metadata.shows, "How waiting overlaps");
        assert_eq!(metadata.extension.as_deref(), Some("in_rust"));
        let cases = BTreeMap::from([("long_wait".to_owned(), "Waits long".to_owned())]);
        assert_eq!(metadata.cases, cases);
        assert!(metadata.requires_python.contains(&"3.13.15".parse().unwrap()));
        assert!(!metadata.requires_python.contains(&"3.9.1".parse().unwrap()));
    }

    #[test]
    fn the_named_ceiling_is_used() {
        let with = |line: &str| parse(&format!("# /// script\n# [tool.ftbench]\n{line}# ///\n"));
        assert_eq!(with("").unwrap().ceiling, None);
        for kernel in Kernel::ALL {
            let metadata = with(&format!("# ceiling = \"{kernel}\"\n")).unwrap();
            assert_eq!(metadata.ceiling, Some(kernel));
        }
        let unknown = with("# ceiling = \"float\"\n").unwrap_err().to_string();
        assert!(
            unknown.contains("unknown variant `float`") && unknown.contains("floating_point"),
            "{unknown}"
        );
    }

    #[test]
    fn windows_line_ends_are_accepted() {
        assert_eq!(parse(&FULL.replace('\n', "\r\n")).unwrap(), parse(FULL).unwrap());
    }

    #[test]
    fn a_file_without_a_block_has_the_defaults() {
        assert_eq!(
            parse("def work(data, units): ...\n").unwrap(),
            Metadata::default()
        );
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(
            parse("# /// script\n# a = 1\nimport x\n"),
            Err(MetadataError::Unclosed)
        );
        assert_eq!(
            parse(&format!("{FULL}\n{FULL}")),
            Err(MetadataError::SeveralBlocks(2))
        );
        let kind = parse("# /// script\n# [tool.ftbench]\n# kind = \"gpu\"\n# ///\n").unwrap_err();
        assert!(kind.to_string().contains("unknown variant `gpu`"), "{kind}");
        let key = parse("# /// script\n# [tool.ftbench]\n# modles = []\n# ///\n").unwrap_err();
        assert!(key.to_string().contains("unknown field `modles`"), "{key}");
        let ceiling =
            parse("# /// script\n# [tool.ftbench]\n# kind = \"io\"\n# ceiling = \"integer\"\n# ///\n");
        assert_eq!(ceiling, Err(MetadataError::CeilingOfWaiting(WorkloadKind::Io)));
        for name in ["async", "async_tasks", "\"a b\"", "\"\""] {
            let source = format!("# /// script\n# [tool.ftbench.cases]\n# {name} = \"\"\n# ///\n");
            let case = parse(&source);
            assert!(
                matches!(case, Err(MetadataError::CaseName(_))),
                "{name}: {case:?}"
            );
        }
        for folder in ["/opt/rust", "../rust", "in/../../rust", "", "."] {
            let source = format!("# /// script\n# [tool.ftbench]\n# extension = \"{folder}\"\n# ///\n");
            assert_eq!(
                parse(&source),
                Err(MetadataError::ExtensionOutside(folder.to_owned()))
            );
        }
        let cases: String = (0..=MAX_CASES)
            .map(|case| format!("# c{case} = \"\"\n"))
            .collect();
        let many = parse(&format!("# /// script\n# [tool.ftbench.cases]\n{cases}# ///\n"));
        assert_eq!(many, Err(MetadataError::TooManyCases(MAX_CASES + 1)));
        let python = parse("# /// script\n# requires-python = \"three\"\n# ///\n").unwrap_err();
        assert!(matches!(python, MetadataError::RequiresPython(_)), "{python}");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(source in "(# /// script\n)?(#.*\n){0,6}(# ///\n)?.*") {
            let _ = parse(&source);
        }

        #[test]
        fn a_summary_is_read_as_written(summary in "[a-z]{1,10}( [a-z]{1,10}){0,4}") {
            let source = format!("# /// script\n# [tool.ftbench]\n# summary = \"{summary}\"\n# ///\n");
            prop_assert_eq!(parse(&source).unwrap().summary, summary);
        }
    }
}
