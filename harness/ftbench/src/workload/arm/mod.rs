//! Arms: the versions of the user's code that one run compares.

pub(super) mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::code::{Workload, WorkloadError};
use super::requirement::Requirement;
use crate::error::{ExitStatus, Failure};
use crate::outside;
use ftbench_schema::{ArmFacts, ArmKind, Warning, WarningKind};
use tree::sha256_of_tree;

/// Longest name of an arm. Longer ones leave no room for figures in tables.
const LONGEST_NAME: usize = 24;

/// An arm as the command line gives it: `NAME=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmWord {
    /// Its name.
    pub name: String,
    /// Where the code is.
    pub path: PathBuf,
}

/// Why a word is not an arm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmWordError {
    /// It has another form.
    #[error("write NAME=PATH, such as new=src or new=my_work.py")]
    Form,
    /// The name has other characters, or too many.
    #[error(
        "'{0}' cannot name an arm: use up to {LONGEST_NAME} letters, digits, '-', '_' and '.', the first a letter or digit"
    )]
    Name(String),
}

impl FromStr for ArmWord {
    type Err = ArmWordError;

    fn from_str(word: &str) -> Result<Self, ArmWordError> {
        let (name, path) = word.split_once('=').ok_or(ArmWordError::Form)?;
        if path.is_empty() {
            return Err(ArmWordError::Form);
        }
        if !is_name(name) || name.len() > LONGEST_NAME {
            return Err(ArmWordError::Name(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            path: PathBuf::from(path),
        })
    }
}

/// Whether this can be the name of an arm, or of a workload whose files are arms.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
}

/// Why arms cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// There is only one arm.
    #[error(
        "'{0}' is the only arm, but an arm is compared with another; give two or more, the one to compare with first \
         (--arm base=PATH --arm new=PATH), or none"
    )]
    Alone(String),
    /// Two arms have the same name.
    #[error("two arms are called '{0}'; give each its own name, because results are identified by it")]
    SameName(String),
    /// The path cannot be read.
    #[error("cannot read the arm '{name}' at {}: {source}", path.display())]
    Unreadable {
        /// The arm.
        name: String,
        /// The path as it was given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is no code at the path.
    #[error("the arm '{name}' at {} {what}", path.display())]
    NotCode {
        /// The arm.
        name: String,
        /// The path as it was given.
        path: PathBuf,
        /// What is there, and what to give instead.
        what: &'static str,
    },
    /// The arms are not of one kind.
    #[error(
        "the arm '{first}' is {} and '{second}' is {}; give the same kind of thing for every arm",
        first_kind.words(),
        second_kind.words()
    )]
    Kinds {
        /// An arm.
        first: String,
        /// Its kind.
        first_kind: ArmKind,
        /// Another arm.
        second: String,
        /// Its kind.
        second_kind: ArmKind,
    },
    /// The metadata of the workload files differ.
    #[error(
        "the files of the arms '{first}' and '{second}' differ in {what}; both are measured as one workload, so make \
         their metadata say the same"
    )]
    Metadata {
        /// The first arm.
        first: String,
        /// The other one.
        second: String,
        /// What differs.
        what: &'static str,
    },
    /// A file needs an extension to be built.
    #[error(
        "the workload file of the arm '{0}' has an extension, which is not built for arms; build wheels of both \
         versions and give those"
    )]
    Extension(String),
    /// A file for another tool.
    #[error(
        "the arm '{0}' is a script for {1}; give the folder that each version of the measured code is in, and the \
         script as the workload: 'ftbench run SCRIPT.py --arm old=FOLDER --arm new=FOLDER'"
    )]
    Foreign(String, &'static str),
    /// An arm is named like an interpreter.
    #[error("an arm called '{0}' would be taken for an interpreter; call it v{0}, or something else")]
    Tag(String),
    /// Folders and wheels without a workload.
    #[error(
        "arms that are folders or wheels need a workload that imports them; name one, such as 'ftbench run my_work.py' \
         or 'ftbench run --callable my_package.module:function'"
    )]
    NoWorkload,
    /// Something else was given together with workload files.
    #[error(
        "the arms are workload files, and the only word allowed with them is one name for the workload, such as \
         my_work; leave out '{0}'"
    )]
    BesideFiles(String),
    /// A file cannot be used as a workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
}

impl Failure for ArmError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Unreadable { source, .. } => ExitStatus::for_read_error(source),
            Self::Workload(error) => error.exit_status(),
            _ => ExitStatus::WrongInput,
        }
    }
}

/// One version of the user's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The facts that a run folder keeps.
    pub facts: ArmFacts,
    /// The workloads of its file: one, or its cases; empty unless it is a file.
    workloads: Vec<Workload>,
}

/// The versions that a run compares, starting with the one that the others are compared with; none in most runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arms {
    /// The arms, all of one kind and with distinct names.
    pub all: Vec<Arm>,
}

impl Arms {
    /// Reads the arms at these paths.
    ///
    /// # Errors
    /// When there is one arm only, or arms cannot be read or compared.
    pub fn read(words: &[ArmWord]) -> Result<Self, ArmError> {
        if let [only] = words {
            return Err(ArmError::Alone(only.name.clone()));
        }
        let mut all: Vec<Arm> = Vec::new();
        for word in words {
            let arm = Arm::read(word)?;
            if all.iter().any(|other| other.facts.name == arm.facts.name) {
                return Err(ArmError::SameName(arm.facts.name));
            }
            if let Some(first) = all.first() {
                first.check_comparable(&arm)?;
            }
            all.push(arm);
        }
        Ok(Self { all })
    }

    /// Returns the names of the arms, the first one first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|arm| arm.facts.name.clone()).collect()
    }

    /// Returns the facts about the arms that a run folder keeps.
    #[must_use]
    pub fn facts(&self) -> Vec<ArmFacts> {
        self.all.iter().map(|arm| arm.facts.clone()).collect()
    }

    /// The kind of all arms; `None` without arms.
    #[must_use]
    pub fn kind(&self) -> Option<ArmKind> {
        self.all.first().map(|arm| arm.facts.kind)
    }

    /// The workloads of arms that are files: those of the first one's file, named `name` instead of its stem if that is
    /// given. Empty for other arms.
    pub fn workloads(&mut self, name: Option<&str>) -> Vec<Workload> {
        let first = self.all.first().map(|arm| arm.workloads.clone());
        let names: Vec<String> = first
            .iter()
            .flatten()
            .map(|workload| workload.name_in(name))
            .collect();
        for arm in &mut self.all {
            for (workload, name) in arm.workloads.iter_mut().zip(&names) {
                workload.name.clone_from(name);
            }
        }
        self.all
            .first()
            .map_or_else(Vec::new, |arm| arm.workloads.clone())
    }

    /// The arm's own version of a workload.
    #[must_use]
    pub fn workload<'a>(&'a self, arm: Option<&str>, workload: &'a Workload) -> &'a Workload {
        let own = self.named(arm).and_then(|arm| {
            let mut own = arm.workloads.iter();
            own.find(|own| own.name == workload.name)
        });
        own.unwrap_or(workload)
    }

    /// The wheel that an arm is.
    #[must_use]
    pub fn wheel(&self, arm: Option<&str>) -> Option<Requirement> {
        let arm = self.named(arm).filter(|arm| arm.facts.kind == ArmKind::Wheel)?;
        Some(Requirement::Wheel(PathBuf::from(&arm.facts.path)))
    }

    /// The workloads of all their files, arm by arm; none for arms that are not files.
    pub fn files(&self) -> impl Iterator<Item = &Workload> {
        self.all.iter().flat_map(|arm| &arm.workloads)
    }

    /// The folders of modules that come first on the module path, one for each arm; none for other arms.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        let folders = self.all.iter().filter(|arm| arm.facts.kind == ArmKind::Folder);
        folders.map(|arm| Path::new(&arm.facts.path)).collect()
    }

    fn named(&self, name: Option<&str>) -> Option<&Arm> {
        let name = name?;
        self.all.iter().find(|arm| arm.facts.name == name)
    }

    /// A warning for every arm that has the same contents as an earlier one.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let of_arm = |(position, arm): (usize, &Arm)| {
            let mut before = self.all.iter().take(position);
            let same = before
                .find(|other| other.facts.sha256.is_some() && other.facts.sha256 == arm.facts.sha256)?;
            let [first, second] = [&same.facts.name, &arm.facts.name];
            Some(Warning::of_run(
                WarningKind::ArmsAlike,
                format!(
                    "the arms {first} and {second} have the same contents, so any difference between them is noise; \
                     check their paths if that was not meant"
                ),
            ))
        };
        self.all.iter().enumerate().filter_map(of_arm).collect()
    }
}

impl Arm {
    fn read(word: &ArmWord) -> Result<Self, ArmError> {
        let unreadable = |source| ArmError::Unreadable {
            name: word.name.clone(),
            path: word.path.clone(),
            source,
        };
        let not_code = |what| ArmError::NotCode {
            name: word.name.clone(),
            path: word.path.clone(),
            what,
        };
        let path = word.path.canonicalize().map_err(unreadable)?;
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        let arm = |kind, path: &Path, sha256, workloads| Self {
            facts: ArmFacts {
                name: word.name.clone(),
                kind,
                path: path.display().to_string(),
                sha256,
                commit: None,
            },
            workloads,
        };
        if path.is_dir() {
            let folder = module_folder(&path);
            if !has_modules(&folder).map_err(unreadable)? {
                return Err(not_code(
                    "has no Python module in it; give the folder that holds the package",
                ));
            }
            let sha256 = sha256_of_tree(&folder).map_err(unreadable)?;
            return Ok(arm(ArmKind::Folder, &folder, sha256, Vec::new()));
        }
        match suffix {
            Some("py") => {
                let workloads = Workload::read(&path)?;
                if workloads
                    .iter()
                    .any(|workload| workload.metadata.extension.is_some())
                {
                    return Err(ArmError::Extension(word.name.clone()));
                }
                if let Some(format) = workloads.iter().find_map(Workload::format) {
                    return Err(ArmError::Foreign(word.name.clone(), format.name()));
                }
                let sha256 = workloads.first().map(|workload| workload.sha256.clone());
                Ok(arm(ArmKind::File, &path, sha256, workloads))
            }
            Some("whl") => {
                let sha256 = outside::sha256(&path, u64::MAX).map_err(unreadable)?;
                Ok(arm(ArmKind::Wheel, &path, Some(sha256), Vec::new()))
            }
            _ => Err(not_code(
                "is not a workload file (.py), folder of modules or wheel (.whl); build a wheel from sources with \
                 'pip wheel' or 'uv build'",
            )),
        }
    }

    /// Checks that an arm can be compared with this one, the first.
    fn check_comparable(&self, other: &Self) -> Result<(), ArmError> {
        if self.facts.kind != other.facts.kind {
            return Err(ArmError::Kinds {
                first: self.facts.name.clone(),
                first_kind: self.facts.kind,
                second: other.facts.name.clone(),
                second_kind: other.facts.kind,
            });
        }
        let differ = |what| ArmError::Metadata {
            first: self.facts.name.clone(),
            second: other.facts.name.clone(),
            what,
        };
        if self.workloads.len() != other.workloads.len() {
            return Err(differ("their cases"));
        }
        // Cases are sorted by name.
        for (own, others) in self.workloads.iter().zip(&other.workloads) {
            let [ours, theirs] = [&own.metadata, &others.metadata];
            let found = [
                (own.case != others.case, "their cases"),
                (ours.kind != theirs.kind, "'kind'"),
                (ours.models != theirs.models, "'models'"),
                (
                    ours.requires_python != theirs.requires_python,
                    "'requires-python'",
                ),
                (ours.services != theirs.services, "'services'"),
                (ours.ceiling != theirs.ceiling, "'ceiling'"),
            ];
            if let Some((_, what)) = found.into_iter().find(|(differs, _)| *differs) {
                return Err(differ(what));
            }
        }
        Ok(())
    }
}

/// The folder that a project's modules are in: `src`, where it has one
/// (<https://packaging.python.org/en/latest/discussions/src-layout-vs-flat-layout/>); any other folder is used itself.
fn module_folder(folder: &Path) -> PathBuf {
    let is_project = ["pyproject.toml", "setup.py", "setup.cfg"]
        .iter()
        .any(|name| folder.join(name).is_file());
    let sources = folder.join("src");
    if is_project && sources.is_dir() {
        sources
    } else {
        folder.to_owned()
    }
}

/// Whether a folder has a module or a package, in Python or compiled, right below it.
fn has_modules(folder: &Path) -> io::Result<bool> {
    let is_module = |path: &Path| {
        path.extension()
            .is_some_and(|suffix| suffix == "py" || suffix == "so")
    };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_module(&path) {
            return Ok(true);
        }
        // A folder without `__init__.py` is a package too (PEP 420).
        if let Ok(within) = fs::read_dir(&path)
            && within
                .filter_map(Result::ok)
                .any(|entry| is_module(&entry.path()))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
