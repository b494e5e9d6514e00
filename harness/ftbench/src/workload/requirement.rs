//! Parses the packages that a workload needs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::VersionSpecifiers;
use regex::Regex;

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
    /// A folder or an archive of sources.
    #[error(
        "'{0}' is a path but not a wheel; build a wheel from it ('uv build --wheel' or 'pip wheel') and give its path"
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
            return Err(RequirementError::Path(text));
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
    /// The package's name, normalised; for a wheel, the one in its file name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Named { name, .. } => name.clone(),
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
            Self::Wheel(path) => path.display().fmt(formatter),
        }
    }
}

/// Normalises a package's name: names that differ only in case and in runs of `-`, `_` and `.` are equal
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub(super) fn normalised(name: &str) -> String {
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
            error("./folder").contains("uv build --wheel"),
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
