//! Versions of the Python language, as interpreters tell them.

use std::fmt;
use std::str::FromStr;

/// A version of the language with its patch level, such as `3.13.15` or `3.15.0a1`; ordered from old to new.
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
        write!(formatter, "{major}.{minor}.{patch}")?;
        match stage {
            Stage::Alpha(number) => write!(formatter, "a{number}"),
            Stage::Beta(number) => write!(formatter, "b{number}"),
            Stage::Candidate(number) => write!(formatter, "rc{number}"),
            Stage::Final => Ok(()),
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
    Some(Version {
        major: number(major)?,
        minor: number(minor)?,
        patch: number(patch)?,
        stage: parse_stage(stage)?,
    })
}

fn parse_stage(text: &str) -> Option<Stage> {
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
            "3.15.0",
        ];
        let versions: Vec<Version> = in_order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted());
        assert!("3.8.18".parse::<Version>().unwrap().is_too_old());
        assert!(!"3.9.0".parse::<Version>().unwrap().is_too_old());
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in [
            "",
            "3",
            "3.13",
            "3.13.",
            "3.13.15+",
            "3.13.015",
            "3.13.0c1",
            "3.13.99999",
            "3.13.-1",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
