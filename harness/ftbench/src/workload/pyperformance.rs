//! The benchmarks of pyperformance: its manifest, and what each of them needs
//! (<https://pyperformance.readthedocs.io/custom_benchmarks.html>).

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::requirement::Requirement;
use crate::outside;

/// The suite's name on the command line and in the names of its workloads.
pub const SUITE: &str = "pyperformance";

/// The folder of the benchmarks in the installed package.
pub const FOLDER: &str = "pyperformance/data-files/benchmarks";

/// Largest file that is read, bytes. The manifest has 3 KB.
const LARGEST_FILE_BYTES: u64 = 1 << 20;

/// One benchmark of the suite. Its script may have several of pyperf's benchmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name in the manifest.
    pub name: String,
    /// The script for pyperf.
    pub script: PathBuf,
    /// The script's arguments.
    pub arguments: Vec<String>,
    /// What it is about, such as `serialize`.
    pub tags: Vec<String>,
    /// The versions of Python that it needs, such as `>=3.12`; empty if any.
    pub requires_python: String,
    /// The packages that it needs, as the suite pins them.
    pub requirements: Vec<String>,
}

/// Why the suite cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A file cannot be read.
    #[error("cannot read {} of pyperformance: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what pyperformance describes.
    #[error("cannot use {} of pyperformance: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The parts of a benchmark's metadata that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facts {
    project: Project,
    tool: Tool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Project {
    requires_python: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tool {
    pyperformance: Options,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Options {
    tags: Tags,
    extra_opts: Option<Vec<String>>,
}

/// One tag or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Tags {
    One(String),
    Several(Vec<String>),
}

impl Default for Tags {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Tags {
    fn into_words(self) -> Vec<String> {
        let words = match self {
            Self::One(text) => vec![text],
            Self::Several(words) => words,
        };
        let words = words.iter().flat_map(|word| word.split([',', ' ']));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

/// The benchmarks in the suite's folder, in the order of its manifest.
///
/// # Errors
/// When one of the suite's files cannot be read.
pub fn benchmarks(folder: &Path) -> Result<Vec<Benchmark>, SuiteError> {
    let path = folder.join("MANIFEST");
    let manifest = read(&path)?;
    names(&manifest)
        .into_iter()
        .map(|(name, group)| benchmark(folder, name, group.unwrap_or(name)))
        .collect()
}

/// The names in the manifest, each with the benchmark whose folder it shares.
fn names(manifest: &str) -> Vec<(&str, Option<&str>)> {
    let lines = manifest
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut section = "";
    let mut found = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[benchmarks]"
            && let Some((name, place)) = line.split_once(char::is_whitespace)
            && let Some(place) = place
                .trim()
                .strip_prefix("<local")
                .and_then(|rest| rest.strip_suffix('>'))
        {
            found.push((name, place.strip_prefix(':')));
        }
    }
    found
}

/// Reads a benchmark's own metadata, which is completed by that of the folder's first benchmark.
fn benchmark(folder: &Path, name: &str, first: &str) -> Result<Benchmark, SuiteError> {
    let folder = folder.join(format!("bm_{first}"));
    let base = facts(&folder.join("pyproject.toml"))?;
    let own = if name == first {
        Facts::default()
    } else {
        facts(&folder.join(format!("bm_{name}.toml")))?
    };
    let options = own.tool.pyperformance;
    let pins = folder.join("requirements.txt");
    let pins = if pins.is_file() {
        read(&pins)?
    } else {
        String::new()
    };
    let of_base = base.tool.pyperformance;
    let tags = match options.tags.into_words() {
        tags if tags.is_empty() => of_base.tags.into_words(),
        tags => tags,
    };
    Ok(Benchmark {
        name: name.to_owned(),
        script: folder.join("run_benchmark.py"),
        arguments: options.extra_opts.or(of_base.extra_opts).unwrap_or_default(),
        tags,
        requires_python: own
            .project
            .requires_python
            .or(base.project.requires_python)
            .unwrap_or_default(),
        requirements: requirements(&pins, &folder),
    })
}

/// The packages that a file pins, with setuptools: pyperformance's own environments have it, and old packages import
/// `distutils` from it. And the project in the benchmark's folder that the script of `2to3` would otherwise install into
/// the interpreter itself.
fn requirements(pins: &str, folder: &Path) -> Vec<String> {
    let lines = pins
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim());
    let mut found: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if !found.is_empty() {
        found.push("setuptools".to_owned());
    }
    found.extend(Requirement::project(&folder.join("vendor")).map(|project| project.to_string()));
    found
}

fn facts(path: &Path) -> Result<Facts, SuiteError> {
    toml::from_str(&read(path)?).map_err(|error| SuiteError::Malformed {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })
}

fn read(path: &Path) -> Result<String, SuiteError> {
    let contents = outside::read(path, LARGEST_FILE_BYTES).map_err(|source| SuiteError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    #[test]
    fn benchmarks_have_what_their_files_say() {
        let manifest = "[benchmarks]\n\nname\tmetafile\n# both\na\t<local>\na_fast\t<local:a>\nother\tother.toml\n\n[group default]\nb\n";
        let base = "[project]\nrequires-python = '>=3.8'\n[tool.pyperformance]\ntags = 'math apps'\nextra_opts = ['slow']\n";
        let fast =
            "[project]\nrequires-python = '>=3.12'\n[tool.pyperformance]\nextra_opts = ['--fast', '1']\n";
        let root = file_tree(&[
            ("MANIFEST", manifest),
            ("bm_a/pyproject.toml", base),
            ("bm_a/bm_a_fast.toml", fast),
            (
                "bm_a/requirements.txt",
                "# pins\nsix==1.16.0 # old\n\nmako==1.1.4\t",
            ),
        ]);
        let found = benchmarks(root.path()).unwrap();
        let of = |name: &str, arguments: &[&str], requires_python: &str| Benchmark {
            name: name.to_owned(),
            script: root.path().join("bm_a/run_benchmark.py"),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            tags: vec!["math".to_owned(), "apps".to_owned()],
            requires_python: requires_python.to_owned(),
            requirements: ["six==1.16.0", "mako==1.1.4", "setuptools"]
                .map(str::to_owned)
                .to_vec(),
        };
        assert_eq!(
            found,
            [
                of("a", &["slow"], ">=3.8"),
                of("a_fast", &["--fast", "1"], ">=3.12")
            ]
        );
    }

    #[test]
    fn project_that_a_script_installs_is_a_requirement() {
        let root = file_tree(&[
            ("MANIFEST", "[benchmarks]\na\t<local>\n"),
            ("bm_a/pyproject.toml", ""),
            ("bm_a/vendor/pyproject.toml", "[project]\nname = 'lib2to3'\n"),
        ]);
        let [found] = &benchmarks(root.path()).unwrap()[..] else {
            unreachable!()
        };
        let project = root.path().join("bm_a/vendor").display().to_string();
        assert_eq!(found.requirements, [project]);
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let root = file_tree(&[("MANIFEST", "[benchmarks]\na\t<local>\n")]);
        let missing = benchmarks(root.path()).unwrap_err().to_string();
        assert!(missing.contains("bm_a/pyproject.toml"), "{missing}");
        let root = file_tree(&[
            ("MANIFEST", "[benchmarks]\na\t<local>\n"),
            ("bm_a/pyproject.toml", "a = ["),
        ]);
        let malformed = benchmarks(root.path()).unwrap_err().to_string();
        assert!(malformed.contains("cannot use"), "{malformed}");
    }
}
