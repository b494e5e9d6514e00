//! Tags: the short names of interpreters, such as `3.13`, `3.13t`, `3.13.15t`, `3.13d`, `pypy3.11` and, with a run-time
//! switch, `3.13t+gil`.

use std::fmt;
use std::str::FromStr;

use super::switches::Switches;
use super::version::{Version, number};
use crate::suggest::did_you_mean;
use crate::{Implementation, InterpreterFacts, Switch};

/// Which interpreter is meant: implementation, version of the language, kind of build, and run-time switches.
///
/// Ordered as tables show them: CPython first, then by version from old to new, GIL before free-threaded, release
/// before debug; a tag without a patch version stands before those with one, a build before its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag {
    /// Which implementation.
    pub implementation: Implementation,
    /// The 3 of `3.13.15t`.
    pub major: u16,
    /// The 13 of `3.13.15t`.
    pub minor: u16,
    /// The 15 of `3.13.15t`; `None` stands for any.
    pub patch: Option<u16>,
    /// A build that can run without the GIL: the `t` of `3.13t`.
    pub free_threaded: bool,
    /// A debug build: the `d` of `3.13d`; with both, `t` comes first, as in CPython's own `sys.abiflags`.
    pub debug: bool,
    /// Its run-time switches: the `+gil` of `3.13t+gil`.
    pub switches: Switches,
}

/// Why a text is not the tag of an interpreter that ftbench can measure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It has not the form of a tag.
    #[error(
        "'{0}' is not the tag of an interpreter; tags look like 3.13, 3.13t (free-threaded), 3.13.15t, 3.13d (debug) \
         or pypy3.11, and a path has a '/' in it"
    )]
    Malformed(String),
    /// It asks for run-time switches, with `+`, where only a build can be meant.
    #[error(
        "'{0}' asks for a run-time variant, and only builds can be installed; give the build alone, such as 3.14 or \
         3.14t"
    )]
    Variant(String),
    /// It asks for a run-time switch that there is not.
    #[error(
        "'{given}': there is no switch '{name}'{}; there are {}",
        did_you_mean(nearest),
        every_switch()
    )]
    UnknownSwitch {
        /// The text that was given.
        given: String,
        /// What is no switch.
        name: String,
        /// The names of switches, the nearest first.
        nearest: Vec<String>,
    },
    /// Two of its switches set the same variable.
    #[error("'{0}' sets {1} twice; give each switch once, and only one of a pair such as gil and nogil")]
    SwitchTwice(String, &'static str),
    /// It is the label of one build among several of the same version and kind.
    #[error(
        "'{0}' is how one of several builds of the same version is shown; give its path instead, which \
         'ftbench python list' tells"
    )]
    Label(String),
    /// Its version is below the oldest that ftbench measures.
    #[error("'{0}' is too old: ftbench measures Python 3.9 and newer")]
    TooOld(String),
    /// It asks PyPy for a kind of build that only CPython has.
    #[error("'{0}' does not exist: only CPython has free-threaded (t) and debug (d) builds; try pypy3.11")]
    PyPyBuild(String),
}

impl TagError {
    /// The text that was given.
    #[must_use]
    pub fn given(&self) -> &str {
        match self {
            Self::Malformed(text)
            | Self::Variant(text)
            | Self::UnknownSwitch { given: text, .. }
            | Self::SwitchTwice(text, _)
            | Self::Label(text)
            | Self::TooOld(text)
            | Self::PyPyBuild(text) => text,
        }
    }
}

fn every_switch() -> String {
    Switch::ALL.map(Switch::name).join(", ")
}

impl Tag {
    /// The tag that tells most of an interpreter, patch version included; `None` if its version cannot be read.
    #[must_use]
    pub fn of(facts: &InterpreterFacts) -> Option<Self> {
        let version = facts.version.parse().ok()?;
        Some(Self::of_build(facts, version))
    }

    /// The same, for an interpreter whose version was read already.
    #[must_use]
    pub fn of_build(facts: &InterpreterFacts, version: Version) -> Self {
        Self {
            implementation: facts.implementation,
            major: version.major,
            minor: version.minor,
            patch: Some(version.patch),
            free_threaded: facts.free_threaded,
            debug: facts.build.debug,
            switches: Switches::of(&facts.switches),
        }
    }

    /// The same without the patch version.
    #[must_use]
    pub const fn short(self) -> Self {
        Self { patch: None, ..self }
    }

    /// The same without switches: the build that it is a variant of.
    #[must_use]
    pub const fn build(self) -> Self {
        Self {
            switches: Switches::NONE,
            ..self
        }
    }

    /// Whether an interpreter is one of those that this tag means.
    #[must_use]
    pub fn matches(&self, facts: &InterpreterFacts) -> bool {
        Self::of(facts).is_some_and(|full| *self == full || *self == full.short())
    }

    /// What [`Ord`] compares.
    fn sort_key(&self) -> impl Ord {
        let not_cpython = self.implementation != Implementation::CPython;
        let version = (self.major, self.minor, self.patch);
        (
            not_cpython,
            version,
            self.debug,
            self.free_threaded,
            self.switches,
        )
    }
}

impl Ord for Tag {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.sort_key().cmp(&other.sort_key())
    }
}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self.implementation {
            Implementation::CPython => String::new(),
            Implementation::PyPy => PYPY.to_owned(),
        };
        text.push_str(&format!("{}.{}", self.major, self.minor));
        if let Some(patch) = self.patch {
            text.push_str(&format!(".{patch}"));
        }
        if self.free_threaded {
            text.push('t');
        }
        if self.debug {
            text.push('d');
        }
        text.push_str(&self.switches.to_string());
        formatter.pad(&text)
    }
}

const PYPY: &str = "pypy";

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        if text.contains('@') {
            return Err(TagError::Label(text.to_owned()));
        }
        let (build, names) = match text.split_once('+') {
            Some((build, names)) => (build, Some(names)),
            None => (text, None),
        };
        let mut tag = parse(build).ok_or_else(|| TagError::Malformed(text.to_owned()))?;
        if (tag.major, tag.minor) < (Version::OLDEST.major, Version::OLDEST.minor) {
            return Err(TagError::TooOld(text.to_owned()));
        }
        if tag.implementation == Implementation::PyPy && (tag.free_threaded || tag.debug) {
            return Err(TagError::PyPyBuild(text.to_owned()));
        }
        if let Some(names) = names {
            tag.switches = Switches::read(names, text)?;
        }
        Ok(tag)
    }
}

/// What stands before the switches.
fn parse(text: &str) -> Option<Tag> {
    let (implementation, rest) = match text.strip_prefix(PYPY) {
        Some(rest) => (Implementation::PyPy, rest),
        None => (Implementation::CPython, text),
    };
    let flags_at = rest.find(|letter: char| letter.is_ascii_alphabetic());
    let (version, flags) = rest.split_at(flags_at.unwrap_or(rest.len()));
    let (free_threaded, debug) = match flags {
        "" => (false, false),
        "t" => (true, false),
        "d" => (false, true),
        "td" => (true, true),
        _ => return None,
    };
    let mut parts = version.split('.');
    let tag = Tag {
        implementation,
        major: number(parts.next()?)?,
        minor: number(parts.next()?)?,
        patch: match parts.next() {
            Some(part) => Some(number(part)?),
            None => None,
        },
        free_threaded,
        debug,
        switches: Switches::NONE,
    };
    parts.next().is_none().then_some(tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(
            pypy in any::<bool>(), minor in 9..=u16::MAX, patch in any::<Option<u16>>(), flags in any::<[bool; 2]>(),
            switches in proptest::sample::subsequence(Switch::ALL.to_vec(), 0..=5)
        ) {
            let switches = Switches::of(&switches);
            let [free_threaded, debug] = flags.map(|flag| flag && !pypy);
            let implementation = if pypy { Implementation::PyPy } else { Implementation::CPython };
            let tag = Tag { implementation, major: 3, minor, patch, free_threaded, debug, switches };
            prop_assert_eq!(tag.to_string().parse::<Tag>().unwrap(), tag);
        }

        #[test]
        fn what_can_be_read_is_shown_the_same(text in "(pypy)?[0-9]{1,2}\\.[0-9]{1,2}(\\.[0-9]{1,2})?t?d?((\\+gil|\\+nogil)?(\\+jit|\\+nojit)?(\\+notlbc)?)") {
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert_eq!(tag.to_string(), text);
            }
        }

        #[test]
        fn reading_never_panics(text in "(3.13t\\+)?\\PC{0,12}") {
            let _ = text.parse::<Tag>();
        }
    }

    #[test]
    fn tags_are_ordered_as_tables_show_them() {
        let in_order = [
            "3.9",
            "3.13",
            "3.13t",
            "3.13t+gil",
            "3.13d",
            "3.13.2",
            "3.13.15",
            "3.13.15t",
            "3.14",
            "pypy3.11",
        ];
        assert!(in_order.map(tag).is_sorted());
    }

    #[test]
    fn what_is_not_a_tag_is_told_why() {
        let why = |text: &str| text.parse::<Tag>().unwrap_err();
        for text in [
            "",
            "3",
            "3.",
            "3.13x",
            "3.13dt",
            "3.13T",
            "3.013",
            "3.1.2.3",
            "python3.13",
            "fib",
            "3.13 ",
            "+gil",
            "3.13x+gil",
        ] {
            assert_eq!(why(text), TagError::Malformed(text.to_owned()));
        }
        for text in ["3.8", "2.7", "0.0", "pypy3.8"] {
            assert_eq!(why(text), TagError::TooOld(text.to_owned()));
        }
        assert_eq!(why("3.8+gil"), TagError::TooOld("3.8+gil".to_owned()));
        assert_eq!(
            why("3.14t+nogil+gil"),
            TagError::SwitchTwice("3.14t+nogil+gil".to_owned(), "PYTHON_GIL")
        );
        for text in ["3.14t+", "3.14t+foo", "3.14t+gil+"] {
            assert!(matches!(why(text), TagError::UnknownSwitch { .. }), "{text}");
        }
        assert_eq!(why("3.13.15@pyenv"), TagError::Label("3.13.15@pyenv".to_owned()));
        assert_eq!(why("pypy3.11t"), TagError::PyPyBuild("pypy3.11t".to_owned()));
        insta::assert_snapshot!(why("3.13x"), @"'3.13x' is not the tag of an interpreter; tags look like 3.13, 3.13t (free-threaded), 3.13.15t, 3.13d (debug) or pypy3.11, and a path has a '/' in it");
    }
}
