//! What the user asks about: requirements on the command line and in files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::lock_file::{self, Pinned};
use crate::error::{ExitStatus, Failure};
use crate::outside;
use crate::workload::{Requirement, RequirementError};

/// Largest file that is read, bytes: a lock of a thousand packages has a few MB.
const LARGEST_BYTES: u64 = 64 << 20;

/// What the user asks about.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is required directly.
    pub requirements: Vec<Requirement>,
    /// Versions that everything is limited to.
    pub constraints: Vec<String>,
}

/// Why a request cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is nothing in it.
    #[error("no packages given; name some, or a file with -r")]
    Nothing,
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is malformed.
    #[error("{} is malformed: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file has no requirements.
    #[error("{} has no [project] table with dependencies; give a requirements file or a lock file", .0.display())]
    NoDependencies(PathBuf),
    /// A file has an option.
    #[error(
        "{}, line {line}: {option} is not read from files; set the index with UV_INDEX_URL or PIP_INDEX_URL",
        path.display()
    )]
    Option {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The option.
        option: String,
    },
    /// A line of a file is not a requirement.
    #[error("{}, line {line}: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why not.
        source: RequirementError,
    },
    /// A requirement of a lock file or a project is malformed.
    #[error("{}: {source}", path.display())]
    Requirement {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: RequirementError,
    },
}

impl Failure for RequestError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Unreadable { source, .. } => ExitStatus::for_read_error(source),
            _ => ExitStatus::WrongInput,
        }
    }
}

impl Request {
    /// Combines requirements and files.
    ///
    /// # Errors
    /// When a file cannot be used, or nothing is required.
    pub fn new(requirements: &[Requirement], files: &[PathBuf]) -> Result<Self, RequestError> {
        let mut request = Self {
            requirements: requirements.to_vec(),
            constraints: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for file in files {
            request.add_file(file, &mut seen)?;
        }
        if request.requirements.is_empty() {
            return Err(RequestError::Nothing);
        }
        Ok(request)
    }

    fn add_file(&mut self, path: &Path, seen: &mut BTreeSet<PathBuf>) -> Result<(), RequestError> {
        let text = outside::read_text(path, LARGEST_BYTES).map_err(|source| RequestError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let pinned = if name == "uv.lock" {
            lock_file::uv(&text)
        } else if name.starts_with("pylock") && name.ends_with(".toml") {
            lock_file::pylock(&text)
        } else if name.ends_with(".toml") {
            match project(&text) {
                Ok(None) => return Err(RequestError::NoDependencies(path.to_owned())),
                Ok(Some(pinned)) => Ok(pinned),
                Err(error) => Err(error),
            }
        } else {
            return self.add_lines(path, &text, seen);
        };
        let pinned = pinned.map_err(|error| RequestError::Malformed {
            path: path.to_owned(),
            reason: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        for word in &pinned.requirements {
            let requirement = word.parse().map_err(|source| RequestError::Requirement {
                path: path.to_owned(),
                source,
            })?;
            self.requirements.push(requirement);
        }
        self.constraints.extend(pinned.constraints);
        Ok(())
    }

    /// Adds the lines of a requirements file
    /// (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).
    fn add_lines(
        &mut self,
        path: &Path,
        text: &str,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<(), RequestError> {
        // By the file itself, because a file that includes itself may do so by another path.
        if !seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned())) {
            return Ok(());
        }
        let beside = |name: &str| path.parent().unwrap_or(Path::new("")).join(name.trim());
        for (line, content) in logical_lines(text) {
            let not_a_requirement = |source| RequestError::Line {
                path: path.to_owned(),
                line,
                source,
            };
            let (word, rest) = content.split_once([' ', '=']).unwrap_or((content.as_str(), ""));
            match word {
                "-r" | "--requirement" => self.add_file(&beside(rest), seen)?,
                "-c" | "--constraint" => {
                    let mut constraints = Self::default();
                    constraints.add_file(&beside(rest), seen)?;
                    let texts = constraints.requirements.iter().map(ToString::to_string);
                    self.constraints.extend(texts);
                }
                "-e" | "--editable" => {
                    let project = Requirement::project(&beside(rest));
                    let malformed = || RequirementError::Path(rest.to_owned());
                    self.requirements
                        .push(project.ok_or_else(malformed).map_err(not_a_requirement)?);
                }
                option if option.starts_with('-') => {
                    return Err(RequestError::Option {
                        path: path.to_owned(),
                        line,
                        option: option.to_owned(),
                    });
                }
                _ => {
                    // Hashes and other options of a requirement.
                    let requirement = content.split(" --").next().unwrap_or(&content);
                    self.requirements
                        .push(requirement.parse().map_err(not_a_requirement)?);
                }
            }
        }
        Ok(())
    }
}

/// The lines of a requirements file with their numbers, without comments, and with continued lines joined.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut joined: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (first, mut content) = joined.take().unwrap_or((number, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => {
                content.push_str(part);
                joined = Some((first, content));
            }
            None => {
                content.push_str(line);
                lines.push((first, content));
            }
        }
    }
    lines.extend(joined);
    let without_comment = |line: &str| {
        let line = line.trim();
        let end = if line.starts_with('#') {
            Some(0)
        } else {
            line.find(" #")
        };
        line.get(..end.unwrap_or(line.len()))
            .unwrap_or(line)
            .trim()
            .to_owned()
    };
    lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line)))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

#[derive(Deserialize)]
struct Project {
    project: Option<ProjectTable>,
}

#[derive(Deserialize)]
struct ProjectTable {
    dependencies: Option<Vec<String>>,
    #[serde(default)]
    dynamic: Vec<String>,
}

/// The dependencies of a `pyproject.toml`; `None` if it does not list them.
fn project(text: &str) -> Result<Option<Pinned>, toml::de::Error> {
    let project: Project = toml::from_str(text)?;
    let Some(table) = project.project else {
        return Ok(None);
    };
    if table.dynamic.iter().any(|name| name == "dependencies") {
        return Ok(None);
    }
    Ok(Some(Pinned {
        requirements: table.dependencies.unwrap_or_default(),
        constraints: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::file_tree;

    fn of(folder: &Path, file: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let request = Request::new(&[], &[folder.join(file)]).map_err(|error| error.to_string())?;
        let requirements = request.requirements.iter().map(ToString::to_string);
        Ok((requirements.collect(), request.constraints))
    }

    #[test]
    fn a_requirements_file_may_include_others_and_itself() {
        let root = file_tree(&[
            (
                "all.txt",
                "# all\nsix>=1  # old\n-r more/more.txt\n-c pins.txt\n-e ./mine\n",
            ),
            (
                "more/more.txt",
                "numpy==2.4.6 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n-r ../all.txt\n",
            ),
            ("pins.txt", "numpy<3\n"),
            ("mine/pyproject.toml", ""),
        ]);
        let (requirements, constraints) = of(root.path(), "all.txt").unwrap();
        let mine = root.path().join("./mine").display().to_string();
        assert_eq!(requirements, ["six>=1", "numpy==2.4.6", &mine]);
        assert_eq!(constraints, ["numpy<3"]);
    }

    #[test]
    fn files_that_cannot_be_used_say_where() {
        let root = file_tree(&[
            ("option.txt", "six\n--index-url https://example.org\n"),
            ("line.txt", "six\n\n!!!\n"),
            ("empty.txt", "# nothing\n"),
            (
                "pyproject.toml",
                "[project]\nname = 'a'\ndynamic = ['dependencies']\n",
            ),
            ("uv.lock", "package = 1"),
        ]);
        for (file, part) in [
            (
                "option.txt",
                "option.txt, line 2: --index-url is not read from files",
            ),
            ("line.txt", "line.txt, line 3: '!!!' is not a requirement"),
            ("empty.txt", "no packages given"),
            ("pyproject.toml", "has no [project] table with dependencies"),
            ("uv.lock", "uv.lock is malformed"),
            ("missing.txt", "cannot read"),
        ] {
            let error = of(root.path(), file).unwrap_err();
            assert!(error.contains(part), "{file}: {error}");
        }
    }

    #[test]
    fn a_project_lists_its_dependencies() {
        let root = file_tree(&[(
            "pyproject.toml",
            "[project]\ndependencies = ['six', 'numpy>=2']\n",
        )]);
        assert_eq!(of(root.path(), "pyproject.toml").unwrap().0, ["six", "numpy>=2"]);
    }

    proptest! {
        #[test]
        fn lines_keep_their_numbers(text in "[a-z#\\\\ \n]{0,80}") {
            for (number, line) in logical_lines(&text) {
                prop_assert!(number <= text.lines().count());
                prop_assert!(!line.is_empty());
            }
        }
    }
}
