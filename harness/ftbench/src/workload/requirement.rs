//! Parses the packages that a workload needs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::LazyLock;
use std::{fmt, io};

use pep440_rs::VersionSpecifiers;
use regex::Regex;

use super::arm::tree::{files_of_tree, sha256_of_files};
use crate::outside;

/// One package to install.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// From an index, or wherever the installer is configured to look.
    Named {
        /// The requirement as it was written.
        text: String,
        /// The package's name, normalised.
        name: String,
    },
    /// A wheel on this machine.
    Wheel(PathBuf),
    /// A project on this machine, which is built for each interpreter.
    Project(PathBuf),
}

/// Why a word is not a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// It does not begin with a package's name, or does not continue as a requirement does.
    #[error(
        "'{0}' is not a requirement; write a package's name and optionally versions, such as 'numpy>=2,<3'"
    )]
    Form(String),
    /// The versions are malformed.
    #[error("'{text}' has malformed versions: {reason}")]
    Versions {
        /// The word.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// Another file or folder.
    #[error(
        "'{0}' is a path, but neither a wheel nor a folder with a pyproject.toml or setup.py; give one of these"
    )]
    Path(String),
}

/// Name, extras, versions or address, marker: the parts of a requirement (PEP 508,
/// <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>). Addresses and markers are left to
/// the installer; what must not happen is that a word reaches it as an option or as a file.
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static REQUIREMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s*
        (?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*
        (?:\[[A-Za-z0-9._,\s-]*\])?\s*
        (?:@\s*(?<address>[^\s;]+)|\(?(?<versions>[^;()@]*)\)?)\s*
        (?:;(?<marker>.+))?$",
    )
    .expect("a valid pattern")
});

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(word: &str) -> Result<Self, RequirementError> {
        let text = word.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.starts_with('-') {
            return Err(RequirementError::Form(text));
        }
        let is_local = text.starts_with(['.', '/', '~']) || (text.contains('/') && !text.contains('@'));
        if Path::new(&text).extension().is_some_and(|suffix| suffix == "whl") && !text.contains("://") {
            let wheel = Self::Wheel(PathBuf::from(&text));
            // A wheel is named after its package.
            return if wheel.name().is_empty() {
                Err(RequirementError::Form(text))
            } else {
                Ok(wheel)
            };
        }
        if is_local {
            let project = Self::project(Path::new(&text));
            return project.ok_or(RequirementError::Path(text));
        }
        let Some(parts) = REQUIREMENT.captures(&text) else {
            return Err(RequirementError::Form(text));
        };
        let versions = parts
            .name("versions")
            .map_or("", |versions| versions.as_str().trim());
        if !versions.is_empty() {
            if !versions.starts_with(['<', '>', '=', '!', '~']) {
                return Err(RequirementError::Form(text));
            }
            if let Err(error) = versions.parse::<VersionSpecifiers>() {
                let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
                return Err(RequirementError::Versions { text, reason });
            }
        }
        let name = normalised(parts.name("name").map_or("", |name| name.as_str()));
        Ok(Self::Named { text, name })
    }
}

impl Requirement {
    /// The project in a folder, if it has one.
    #[must_use]
    pub fn project(folder: &Path) -> Option<Self> {
        let has = |name: &str| folder.join(name).is_file();
        (has("pyproject.toml") || has("setup.py")).then(|| Self::Project(folder.to_owned()))
    }

    /// The file or folder that it is on this machine, if it is one, and the SHA-256 of its contents, hexadecimal; `None`
    /// instead of that for a folder with too much to read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn contents(&self) -> io::Result<Option<(&Path, Option<String>)>> {
        Ok(match self {
            Self::Named { .. } => None,
            Self::Wheel(path) => Some((path, Some(outside::sha256(path, u64::MAX)?))),
            Self::Project(path) => {
                let sources = files_of_tree(path)?.map(|mut files| {
                    files.retain(|file| !is_product(file.strip_prefix(path).unwrap_or(file)));
                    files
                });
                let digest = sources.map(|files| sha256_of_files(path, &files)).transpose()?;
                Some((path, digest.flatten()))
            }
        })
    }

    /// The package's name, normalised; for a wheel, the one in its file name; for a project, that of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Named { name, .. } => name.clone(),
            Self::Project(path) => {
                let folder = path.file_name().unwrap_or_default();
                normalised(&folder.to_string_lossy())
            }
            Self::Wheel(path) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                normalised(file.split('-').next().unwrap_or_default())
            }
        }
    }

    /// Whether the requirement has an environment marker, and so applies to some interpreters only.
    #[must_use]
    pub fn has_marker(&self) -> bool {
        matches!(self, Self::Named { text, .. } if text.contains(';'))
    }
}

/// The form that the installer accepts.
impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { text, .. } => formatter.pad(text),
            Self::Wheel(path) | Self::Project(path) => path.display().fmt(formatter),
        }
    }
}

/// Whether a file of a project, given by its path inside it, is what building it leaves there.
fn is_product(file: &Path) -> bool {
    let mut folders = file.iter().map(OsStr::to_string_lossy);
    let is_of_build = |name: &str| {
        matches!(name, "build" | "dist" | "target" | "_skbuild" | "__pycache__")
            || name.ends_with(".egg-info")
    };
    folders.any(|name| is_of_build(&name))
        || file
            .extension()
            .is_some_and(|suffix| suffix == "so" || suffix == "o")
}

/// Normalises a package's name: names that differ only in case and in runs of `-`, `_` and `.` are equal
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub fn normalised(name: &str) -> String {
    let words: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::{file_tree, write_in};

    #[test]
    fn names_are_read_and_normalised() {
        for (word, name) in [
            ("numpy", "numpy"),
            ("numpy>=2, <3", "numpy"),
            ("Zope.Interface == 5.*", "zope-interface"),
            ("requests[security,socks]>=2.8.1", "requests"),
            ("tomli>=2; python_version < '3.11'", "tomli"),
            ("a_b @ https://example.org/a_b-1.whl", "a-b"),
            ("six (>=1)", "six"),
            ("dist/ruamel_yaml-1.0-py3-none-any.whl", "ruamel-yaml"),
        ] {
            assert_eq!(word.parse::<Requirement>().unwrap().name(), name, "{word}");
        }
    }

    #[test]
    fn projects_are_known_by_their_sources() {
        let root = file_tree(&[
            ("my_project/pyproject.toml", ""),
            ("my_project/a.pyx", "1"),
            ("old/setup.py", ""),
        ]);
        let at = |name: &str| root.path().join(name).display().to_string();
        let digest = |name: &str| {
            let requirement: Requirement = at(name).parse().unwrap();
            let (path, digest) = requirement
                .contents()
                .unwrap()
                .map(|(path, digest)| (path.to_owned(), digest))
                .unwrap();
            assert_eq!(path, root.path().join(name));
            (requirement.name(), digest.unwrap())
        };
        let (name, first) = digest("my_project");
        assert_eq!((name.as_str(), digest("old").0.as_str()), ("my-project", "old"));
        for product in [
            "build/lib/a.py",
            "my_project.egg-info/PKG-INFO",
            "a.cpython-313.so",
        ] {
            write_in(&root.path().join("my_project"), product, "");
        }
        assert_eq!(digest("my_project").1, first);
        write_in(&root.path().join("my_project"), "a.pyx", "2");
        assert_ne!(digest("my_project").1, first);
        assert_eq!("six".parse::<Requirement>().unwrap().contents().unwrap(), None);
    }

    #[test]
    fn malformed_requirements_are_refused() {
        for word in [
            "",
            "-r file",
            "--index-url=x",
            "numpy two",
            "numpy=2",
            "numpy>=two",
            "./folder",
            "a/b",
            "six@",
            "dist/-none-any.whl",
        ] {
            let error = word.parse::<Requirement>().unwrap_err();
            assert_eq!(error.to_string().lines().count(), 1, "{word}: {error}");
        }
        let error = |word: &str| word.parse::<Requirement>().unwrap_err().to_string();
        assert!(
            error("numpy>=two").contains("malformed versions"),
            "{}",
            error("numpy>=two")
        );
        assert!(
            error("./folder").contains("pyproject.toml"),
            "{}",
            error("./folder")
        );
    }

    proptest! {
        #[test]
        fn no_word_becomes_an_option(word in "\\PC{0,20}") {
            if let Ok(requirement) = word.parse::<Requirement>() {
                let text = requirement.to_string();
                prop_assert!(!text.starts_with('-'), "{text}");
            }
        }
    }
}
