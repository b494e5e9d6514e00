//! Tags, the short names of interpreters, such as `3.13`, `3.13t`, `3.13.15t`, `3.15.0rc1`, `3.13d`, `pypy3.11` and,
//! with a run-time switch, `3.13t+gil`; and the differences between two builds apart from the GIL.

use std::fmt;
use std::str::FromStr;

use itertools::Itertools;

use super::interpreter::{Implementation, InterpreterFacts, Stage, Switch, Version, number, parse_stage};
use super::run::{Warning, WarningKind};
use super::suggest::{did_you_mean, nearest};

/// The parsed tag of an interpreter: implementation, version of the language, kind of build, and run-time switches.
///
/// Ordered as in tables: CPython first, then by version from old to new, GIL before free-threaded, release before
/// debug. A tag without a patch version comes before tags with one, and a build before its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag {
    /// The implementation.
    pub implementation: Implementation,
    /// The 3 in `3.13.15t`.
    pub major: u16,
    /// The 13 in `3.13.15t`.
    pub minor: u16,
    /// The 15 in `3.13.15t`; `None` matches any.
    pub patch: Option<u16>,
    /// The rc1 in `3.15.0rc1t`; always `Final` without a patch version.
    pub stage: Stage,
    /// Whether the build can run without the GIL: the `t` in `3.13t`.
    pub free_threaded: bool,
    /// Whether it is a debug build: the `d` in `3.13d`. With both, `t` comes first, as in CPython's own `sys.abiflags`.
    pub debug: bool,
    /// Its run-time switches: the `+gil` in `3.13t+gil`.
    pub switches: Switches,
}

/// The reason why a text is not the tag of an interpreter that ftbench can measure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It does not have the form of a tag.
    #[error(
        "'{0}' is not an interpreter tag; tags look like 3.13, 3.13t (free-threaded), 3.13.15t, 3.13d (debug) or \
         pypy3.11, and a path contains a '/'"
    )]
    Malformed(String),
    /// It has run-time switches (`+`), but only a build is accepted.
    #[error(
        "'{0}' is a run-time variant, but only builds can be installed; give the build alone, such as 3.14 or 3.14t"
    )]
    Variant(String),
    /// It has an unknown run-time switch.
    #[error(
        "'{given}': unknown switch '{name}'{}; the switches are {}",
        did_you_mean(nearest),
        every_switch()
    )]
    UnknownSwitch {
        /// The text that was given.
        given: String,
        /// The unknown switch.
        name: String,
        /// The names of switches, most similar first.
        nearest: Vec<String>,
    },
    /// Two of its switches set the same environment variable.
    #[error("'{0}' sets {1} twice; give each switch once, and only one of a pair such as gil and nogil")]
    SwitchTwice(String, &'static str),
    /// It is the label of one of several builds of the same version and kind.
    #[error(
        "'{0}' is the label of one of several builds of the same version; give its path instead, as shown by \
         'ftbench python list'"
    )]
    Label(String),
    /// Its version is older than the oldest that ftbench measures.
    #[error("'{0}' is too old: ftbench measures Python 3.9 and newer")]
    TooOld(String),
    /// It specifies a kind of build that PyPy does not have.
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
    /// Returns the most specific tag of an interpreter, with its patch version; `None` if the version cannot be parsed.
    #[must_use]
    pub fn of(facts: &InterpreterFacts) -> Option<Self> {
        let version = facts.version.parse().ok()?;
        Some(Self::of_build(facts, version))
    }

    /// Returns the most specific tag of an interpreter whose version is already parsed.
    #[must_use]
    pub fn of_build(facts: &InterpreterFacts, version: Version) -> Self {
        Self {
            implementation: facts.implementation,
            major: version.major,
            minor: version.minor,
            patch: Some(version.patch),
            stage: version.stage,
            free_threaded: facts.free_threaded,
            debug: facts.build.debug,
            switches: Switches::of(&facts.switches),
        }
    }

    /// Returns the tag without its patch version.
    #[must_use]
    pub const fn short(self) -> Self {
        Self {
            patch: None,
            stage: Stage::Final,
            ..self
        }
    }

    /// Returns the tag without its switches: the build that it is a variant of.
    #[must_use]
    pub const fn build(self) -> Self {
        Self {
            switches: Switches::NONE,
            ..self
        }
    }

    /// Whether the tag matches an interpreter: `3.15` matches pre-releases too, `3.15.0` only that release.
    #[must_use]
    pub fn matches(&self, facts: &InterpreterFacts) -> bool {
        Self::of(facts).is_some_and(|full| *self == full || *self == full.short())
    }

    /// The key that [`Ord`] compares.
    fn sort_key(&self) -> impl Ord {
        let not_cpython = self.implementation != Implementation::CPython;
        let version = (self.major, self.minor, self.patch, self.stage);
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
            text.push_str(&format!(".{patch}{}", self.stage));
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
            // The plus of a development build, `3.16.0a0+`, which [`Version`] accepts too.
            Some((build, "")) if parse(build).is_some_and(|tag| tag.patch.is_some()) => (build, None),
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
            tag.switches = Switches::parse(names, text)?;
        }
        Ok(tag)
    }
}

/// Parses the part before the switches.
fn parse(text: &str) -> Option<Tag> {
    let (implementation, rest) = match text.strip_prefix(PYPY) {
        Some(rest) => (Implementation::PyPy, rest),
        None => (Implementation::CPython, text),
    };
    let flags_at = rest.find(|letter: char| letter.is_ascii_alphabetic());
    let (version, rest) = rest.split_at(flags_at.unwrap_or(rest.len()));
    // Flags contain no digits.
    let (stage, flags) = rest.split_at(
        rest.rfind(|letter: char| letter.is_ascii_digit())
            .map_or(0, |last| last + 1),
    );
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
        stage: parse_stage(stage)?,
        free_threaded,
        debug,
        switches: Switches::NONE,
    };
    let is_whole = parts.next().is_none() && (tag.patch.is_some() || tag.stage == Stage::Final);
    is_whole.then_some(tag)
}

/// A combination of run-time switches: at most one for each environment variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Switches {
    gil: Option<bool>,
    jit: Option<bool>,
    /// Thread-local bytecode is off.
    notlbc: bool,
}

impl Switches {
    /// No switches: the unmodified build.
    pub const NONE: Self = Self {
        gil: None,
        jit: None,
        notlbc: false,
    };

    /// Adds a switch; `None` if its variable is already set.
    #[must_use]
    pub fn with(self, switch: Switch) -> Option<Self> {
        let is_set = self.iter().any(|other| other.variable() == switch.variable());
        let with = match switch {
            Switch::Gil | Switch::Nogil => Self {
                gil: Some(switch == Switch::Gil),
                ..self
            },
            Switch::Jit | Switch::Nojit => Self {
                jit: Some(switch == Switch::Jit),
                ..self
            },
            Switch::Notlbc => Self { notlbc: true, ..self },
        };
        (!is_set).then_some(with)
    }

    /// Collects the switches of a record. Of two that set the same variable, the first one wins.
    #[must_use]
    pub fn of(recorded: &[Switch]) -> Self {
        recorded.iter().fold(Self::NONE, |switches, &one| {
            switches.with(one).unwrap_or(switches)
        })
    }

    /// Parses the part of `given` after the first `+`, such as `gil+notlbc`, in any order.
    ///
    /// # Errors
    /// Returns an error if a switch is unknown, or if two set the same variable.
    pub fn parse(names: &str, given: &str) -> Result<Self, TagError> {
        names.split('+').try_fold(Self::NONE, |switches, name| {
            let switch = Switch::named(name).ok_or_else(|| TagError::UnknownSwitch {
                given: given.to_owned(),
                name: name.to_owned(),
                nearest: nearest(name, Switch::ALL.map(Switch::name)),
            })?;
            switches
                .with(switch)
                .ok_or_else(|| TagError::SwitchTwice(given.to_owned(), switch.variable()))
        })
    }

    /// Iterates over the switches in the order of [`Switch::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| match switch {
            Switch::Gil => self.gil == Some(true),
            Switch::Nogil => self.gil == Some(false),
            Switch::Jit => self.jit == Some(true),
            Switch::Nojit => self.jit == Some(false),
            Switch::Notlbc => self.notlbc,
        })
    }

    /// Whether there are no switches.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

/// Formats the suffix of a tag, such as `+gil+notlbc`; empty for none.
impl fmt::Display for Switches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.iter().map(|switch| format!("+{switch}")).collect();
        formatter.pad(&text)
    }
}

/// Describes all differences between two builds that may affect their speed, except the GIL, naming the builds by their
/// tags: `PGO on 3.13 only`. An unknown compiler or optimisation level does not count as a difference.
#[must_use]
pub fn differences(a: &InterpreterFacts, b: &InterpreterFacts) -> Vec<String> {
    let one_has = |what: &str, in_a: bool, in_b: bool| match (in_a, in_b) {
        (true, false) => Some(format!("{what} {} only", a.tag)),
        (false, true) => Some(format!("{what} {} only", b.tag)),
        _ => None,
    };
    let values = |what: &str, value_a: &str, value_b: &str| {
        let both_known = !value_a.is_empty() && !value_b.is_empty();
        (both_known && value_a != value_b)
            .then(|| format!("{what} {value_a} for {} and {value_b} for {}", a.tag, b.tag))
    };
    let implementations =
        [a.implementation, b.implementation].map(|implementation| implementation.to_string());
    let [implementation_a, implementation_b] = &implementations;
    // A build without a JIT cannot have it on.
    let both_or_neither_jit = a.build.jit == b.build.jit;
    [
        values("implementation", implementation_a, implementation_b),
        values("version", &a.version, &b.version),
        one_has("PGO on", a.build.pgo, b.build.pgo),
        one_has("LTO on", a.build.lto, b.build.lto),
        one_has("JIT in", a.build.jit, b.build.jit),
        one_has(
            "JIT on in",
            a.uses_jit() && both_or_neither_jit,
            b.uses_jit() && both_or_neither_jit,
        ),
        one_has(
            "tail-calling interpreter in",
            a.build.tail_calls,
            b.build.tail_calls,
        ),
        one_has("debug build on", a.build.debug, b.build.debug),
        one_has("shared libpython on", a.build.shared, b.build.shared),
        values("compiler", &a.build.compiler, &b.build.compiler),
        values("optimisation", &a.build.optimisation, &b.build.optimisation),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns a warning for every pair of a GIL and a free-threaded build of CPython of the same minor version whose
/// builds differ in more than the GIL. A build with several sets of switches counts once.
#[must_use]
pub fn pair_warnings(interpreters: &[InterpreterFacts]) -> Vec<Warning> {
    let builds = distinct_builds(interpreters);
    let mut warnings = Vec::new();
    for gil in &builds {
        let pairs = builds.iter().filter(|other| is_pair(gil, other));
        warnings.extend(pairs.filter_map(|other| pair_warning(gil, other)));
    }
    warnings
}

/// Returns each executable once: the first interpreter that uses it, whatever its switches.
#[must_use]
pub fn distinct_builds(interpreters: &[InterpreterFacts]) -> Vec<&InterpreterFacts> {
    interpreters.iter().unique_by(|one| &one.path).collect()
}

/// Whether these are a GIL build and a free-threaded build of the same minor version of CPython.
#[must_use]
pub fn is_pair(gil: &InterpreterFacts, free_threaded: &InterpreterFacts) -> bool {
    let minor = |facts: &InterpreterFacts| Tag::of(facts).map(|tag| (tag.major, tag.minor));
    let both_cpython = [gil, free_threaded]
        .iter()
        .all(|one| one.implementation == Implementation::CPython);
    both_cpython && !gil.free_threaded && free_threaded.free_threaded && minor(gil) == minor(free_threaded)
}

fn pair_warning(gil: &InterpreterFacts, free_threaded: &InterpreterFacts) -> Option<Warning> {
    let differences = differences(gil, free_threaded);
    (!differences.is_empty()).then(|| {
        Warning::of_run(
            WarningKind::BuildsDiffer,
            format!(
                "{} and {} differ in more than the GIL: {}. This may explain a part of the difference between their times.",
                gil.tag,
                free_threaded.tag,
                differences.join("; ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    fn any_stage() -> impl Strategy<Value = Stage> {
        prop_oneof![
            any::<u16>().prop_map(Stage::Alpha),
            any::<u16>().prop_map(Stage::Beta),
            any::<u16>().prop_map(Stage::Candidate),
            Just(Stage::Final),
        ]
    }

    proptest! {
        #[test]
        fn tags_are_ordered_like_their_versions(
            patches in any::<[u16; 2]>(), a in any_stage(), b in any_stage()
        ) {
            let versions = [(patches[0], a), (patches[1], b), (patches[0], b)]
                .map(|(patch, stage)| Version { stage, ..Version::new(3, 16, patch) });
            let tags = versions.map(|version| tag(&version.to_string()));
            for (version, tag) in versions.iter().zip(&tags) {
                for (other_version, other_tag) in versions.iter().zip(&tags) {
                    prop_assert_eq!(version.cmp(other_version), tag.cmp(other_tag));
                }
            }
        }

        #[test]
        fn displayed_tags_parse_to_themselves(
            pypy in any::<bool>(), minor in 9..=u16::MAX, patch in any::<Option<u16>>(), flags in any::<[bool; 2]>(),
            stage in any_stage(),
            switches in proptest::sample::subsequence(Switch::ALL.to_vec(), 0..=5)
        ) {
            let switches = Switches::of(&switches);
            let [free_threaded, debug] = flags.map(|flag| flag && !pypy);
            let implementation = if pypy { Implementation::PyPy } else { Implementation::CPython };
            let stage = patch.map_or(Stage::Final, |_| stage);
            let tag = Tag { implementation, major: 3, minor, patch, stage, free_threaded, debug, switches };
            prop_assert_eq!(tag.to_string().parse::<Tag>().unwrap(), tag);
        }

        #[test]
        fn parsed_tags_are_displayed_unchanged(text in "(pypy)?[0-9]{1,2}\\.[0-9]{1,2}(\\.[0-9]{1,2}((a|b|rc)[0-9]{1,2})?)?t?d?((\\+gil|\\+nogil)?(\\+jit|\\+nojit)?(\\+notlbc)?)") {
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert_eq!(tag.to_string(), text);
            }
        }

        #[test]
        fn parsing_never_panics(text in "(3.13t\\+)?\\PC{0,12}") {
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
            "3.15.0a7",
            "3.15.0b1",
            "3.15.0rc1",
            "3.15.0rc1t",
            "3.15.0rc2",
            "3.15.0",
            "3.16.0a0",
            "pypy3.11",
        ];
        assert!(in_order.map(tag).is_sorted());
    }

    #[test]
    fn future_versions_are_tags() {
        for (text, shown) in [
            ("3.16.0a0", "3.16.0a0"),
            ("3.16.0a0+", "3.16.0a0"),
            ("3.17.0b1t", "3.17.0b1t"),
            ("3.17.0b1t+", "3.17.0b1t"),
            ("3.15.0rc1+", "3.15.0rc1"),
            ("3.15.0rc1td+gil", "3.15.0rc1td+gil"),
            ("4.0.0a1", "4.0.0a1"),
        ] {
            assert_eq!(tag(text).to_string(), shown);
        }
    }

    #[test]
    fn malformed_tags_are_rejected_with_a_reason() {
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
            "3.15rc1",
            "3.15.0c1",
            "3.15.0rc",
            "3.15.0rc01",
            "3.15.0rc1.1",
            "3.15.0t1",
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
        insta::assert_snapshot!(why("3.13x"), @"'3.13x' is not an interpreter tag; tags look like 3.13, 3.13t (free-threaded), 3.13.15t, 3.13d (debug) or pypy3.11, and a path contains a '/'");
    }

    proptest! {
        #[test]
        fn switches_have_a_fixed_order(
            mut picked in proptest::sample::subsequence(Switch::ALL.to_vec(), 1..=5).prop_shuffle()
        ) {
            let mut variables = std::collections::HashSet::new();
            picked.retain(|switch| variables.insert(switch.variable()));
            let switches = Switches::of(&picked);
            let names: Vec<&str> = picked.iter().map(|switch| switch.name()).collect();
            prop_assert_eq!(Switches::parse(&names.join("+"), "").unwrap(), switches);
            let mut sorted = picked.clone();
            sorted.sort_by_key(|switch| Switch::ALL.iter().position(|other| other == switch));
            prop_assert_eq!(switches.iter().collect::<Vec<_>>(), sorted);
        }
    }

    #[test]
    fn each_variable_has_at_most_one_switch() {
        let gil = Switches::NONE.with(Switch::Gil).unwrap();
        assert_eq!(gil.with(Switch::Nogil), None);
        assert_eq!(gil.with(Switch::Gil), None);
        assert_eq!(gil.with(Switch::Notlbc).unwrap().to_string(), "+gil+notlbc");
        assert_eq!(Switches::of(&[Switch::Gil, Switch::Nogil]), gil);
        assert!(Switches::NONE.is_empty() && !gil.is_empty());
    }

    #[test]
    fn unknown_switches_are_rejected_with_suggestions() {
        let why = |names: &str| {
            Switches::parse(names, &format!("3.13t+{names}"))
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(why("gill"), @"'3.13t+gill': unknown switch 'gill' (did you mean 'gil'?); the switches are gil, nogil, jit, nojit, notlbc");
        insta::assert_snapshot!(why("gil+"), @"'3.13t+gil+': unknown switch '' (did you mean 'gil', 'nogil' or 'jit'?); the switches are gil, nogil, jit, nojit, notlbc");
        insta::assert_snapshot!(why("gil+nogil"), @"'3.13t+gil+nogil' sets PYTHON_GIL twice; give each switch once, and only one of a pair such as gil and nogil");
    }
}
