//! Selects the interpreters of a run among those that were found. Pure.

use std::cmp::Reverse;
use std::fmt;

use super::label::{Labelled, labels};
use super::probe::ProbeError;
use super::select_error::{FIRST_FREE_THREADED_MINOR, SelectError};
use super::variant::{Refusal, ignored_switch, unavailable_switch};
use super::wanted::Wanted;
use super::{Found, FoundInterpreter};
use ftbench_schema::suggest::nearest;
use ftbench_schema::{
    Implementation, InterpreterFacts, Switches, Tag, TagError, Version, Warning, WarningKind, differences,
    distinct_builds, is_pair, pair_warnings,
};

/// Probes an interpreter again, started with these switches.
pub(super) type Reprobe<'a> =
    dyn Fn(&FoundInterpreter, Switches) -> Result<InterpreterFacts, ProbeError> + 'a;

/// The interpreters of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The interpreters, at least one, with distinct tags: each keeps the tag that it was requested by.
    pub interpreters: Vec<InterpreterFacts>,
    /// Tag of the baseline: the first GIL build, or the first of all where there is none.
    pub baseline: String,
    /// Skipped interpreters, pairs that differ in more than the GIL, a missing half of a pair.
    pub warnings: Vec<Warning>,
}

/// Picks the requested interpreters in the order of the requests, each build once for each set of switches.
///
/// A tag selects the newest interpreter that it matches: a pre-release only where no release of its series is found,
/// and of several builds of one version the one from the preferred source. An interpreter that is known only from an
/// explicit path is selected by a tag only if no other one matches. A path that cannot be measured is skipped with a
/// warning. An interpreter with switches is probed again, so that its facts are those of the variant.
///
/// # Errors
///
/// When a tag matches nothing, a build does not have a switch, or nothing is left.
pub(super) fn select(
    found: &Found,
    wanted: &[Wanted],
    reprobe: &Reprobe<'_>,
) -> Result<Selection, SelectError> {
    let mut picked: Vec<Picked<'_>> = Vec::new();
    let mut reasons = Vec::new();
    for one in wanted {
        match pick(found, one)? {
            Pick::Skipped(reason) => reasons.push(reason),
            Pick::Taken(new) => match picked.iter_mut().find(|old| old.is_same(&new)) {
                Some(old) => old.requested = old.requested.take().or(new.requested),
                None => picked.push(new),
            },
        }
    }
    if picked.is_empty() {
        return Err(SelectError::NothingLeft { reasons });
    }
    if let Some(label) = duplicate_label(&picked) {
        return Err(SelectError::SameName(label));
    }
    let mut warnings: Vec<Warning> = reasons.iter().map(skipped).collect();
    if wanted.iter().any(Wanted::is_tag) {
        // A tag may have selected another interpreter in place of a failed one.
        warnings.extend(found.failed_interpreters().map(skipped));
    }
    let facts: Result<Vec<InterpreterFacts>, SelectError> =
        picked.iter().map(|picked| picked.facts(reprobe)).collect();
    Ok(selection(&picked, facts?, warnings))
}

fn skipped(reason: impl fmt::Display) -> Warning {
    Warning::of_run(WarningKind::InterpreterSkipped, format!("skipped: {reason}"))
}

/// An interpreter for the run, its switches, and the tag that it was requested by.
struct Picked<'a> {
    one: &'a FoundInterpreter,
    switches: Switches,
    requested: Option<String>,
    /// The name that the user gave it.
    name: Option<String>,
}

impl Picked<'_> {
    /// Whether this repeats a request. The same executable under two names does not: it is compared with itself.
    fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.one, other.one) && self.switches == other.switches && self.name == other.name
    }

    fn full_tag(&self) -> Tag {
        Tag {
            switches: self.switches,
            ..self.one.full_tag()
        }
    }

    /// The label that the request fixes: `3.13`, or `3.13@new` for one with a name; `None` for a path without a name.
    fn requested_label(&self) -> Option<String> {
        match &self.name {
            None => self.requested.clone(),
            Some(name) => {
                let short = || self.full_tag().short().to_string();
                Some(format!("{}@{name}", self.requested.clone().unwrap_or_else(short)))
            }
        }
    }

    fn labelled(&self) -> Labelled {
        Labelled {
            full: self.full_tag(),
            ..self.one.labelled(self.requested_label())
        }
    }

    /// Its facts with its switches on.
    fn facts(&self, reprobe: &Reprobe<'_>) -> Result<InterpreterFacts, SelectError> {
        if self.switches.is_empty() {
            return Ok(self.one.facts.clone());
        }
        let switch_error = |Refusal { reason, remedy }| SelectError::Switches {
            requested: (self.requested.clone())
                .unwrap_or_else(|| format!("{}{}", self.one.facts.path, self.switches)),
            reason,
            remedy,
        };
        if let Some(refusal) = unavailable_switch(&self.one.facts, self.switches) {
            return Err(switch_error(refusal));
        }
        let variant = reprobe(self.one, self.switches).map_err(|error| match error {
            ProbeError::NoProcess { .. } => SelectError::NoProcess(error),
            error => switch_error(Refusal {
                reason: error.to_string(),
                remedy: format!("leave '{}' out", self.switches),
            }),
        })?;
        match ignored_switch(&variant) {
            Some(refusal) => Err(switch_error(refusal)),
            None => Ok(variant),
        }
    }
}

fn duplicate_label(picked: &[Picked<'_>]) -> Option<String> {
    let labels: Vec<String> = picked
        .iter()
        .filter(|one| one.name.is_some())
        .filter_map(Picked::requested_label)
        .collect();
    let mut given = labels.iter().enumerate();
    let twice = given.find(|(position, label)| labels.iter().take(*position).any(|other| other == *label));
    twice.map(|(_, label)| label.clone())
}

enum Pick<'a> {
    Taken(Picked<'a>),
    Skipped(String),
}

fn pick<'a>(found: &'a Found, wanted: &Wanted) -> Result<Pick<'a>, SelectError> {
    match wanted {
        Wanted::Tag(tag) => {
            let build = tag.build();
            let matching = found.interpreters.iter().filter(|one| build.matches(&one.facts));
            let one = matching
                .min_by_key(|one| one.is_only_given())
                .ok_or_else(|| not_found(found, build))?;
            let requested = Some(tag.to_string());
            let switches = tag.switches;
            Ok(Pick::Taken(Picked {
                switches,
                requested,
                ..as_found(one)
            }))
        }
        Wanted::Named(name, wanted) => Ok(match pick(found, wanted)? {
            Pick::Taken(picked) => Pick::Taken(Picked {
                name: Some(name.clone()),
                ..picked
            }),
            skipped @ Pick::Skipped(_) => skipped,
        }),
        Wanted::Path(path, switches) => {
            if let Some(one) = found.interpreters.iter().find(|one| one.given_as.contains(path)) {
                let switches = *switches;
                return Ok(Pick::Taken(Picked {
                    switches,
                    ..as_found(one)
                }));
            }
            let rejected = found.rejected.iter().find(|one| one.given_as.contains(path));
            rejected
                .map(|one| Pick::Skipped(one.reason.to_string()))
                .ok_or_else(|| SelectError::NotProbed(path.clone()))
        }
        Wanted::NotATag(error) => Err(SelectError::NotATag {
            nearest: match error {
                // The build is fine, its switches are not.
                TagError::UnknownSwitch { .. } | TagError::SwitchTwice(..) => Vec::new(),
                _ => nearest(error.given(), found.usable_tags()),
            },
            error: error.clone(),
        }),
    }
}

fn not_found(found: &Found, tag: Tag) -> SelectError {
    if tag.free_threaded && (tag.major, tag.minor) < (3, FIRST_FREE_THREADED_MINOR) {
        return SelectError::NeverFreeThreaded { tag };
    }
    let is_of_the_version = |other: &&str| {
        let other: Result<Tag, _> = other.parse();
        other.is_ok_and(|other| (other.major, other.minor) == (tag.major, tag.minor))
    };
    let mut candidates: Vec<&str> = found.usable_tags().filter(is_of_the_version).collect();
    if candidates.is_empty() {
        candidates = found.usable_tags().collect();
    }
    SelectError::UnknownTag {
        tag,
        nearest: nearest(&tag.to_string(), candidates),
        failed: failure_reasons(found),
    }
}

/// Gives the picked interpreters distinct tags, chooses the baseline, and warns of pre-releases and unequal pairs.
fn selection(picked: &[Picked<'_>], facts: Vec<InterpreterFacts>, mut warnings: Vec<Warning>) -> Selection {
    let labelled: Vec<Labelled> = picked.iter().map(Picked::labelled).collect();
    let interpreters: Vec<InterpreterFacts> = facts
        .into_iter()
        .zip(labels(&labelled))
        .map(|(facts, tag)| InterpreterFacts { tag, ..facts })
        .collect();
    let first_gil = interpreters.iter().find(|one| !one.free_threaded);
    let baseline = first_gil.or(interpreters.first()).map(|one| one.tag.clone());
    warnings.extend(
        distinct_builds(&interpreters)
            .into_iter()
            .filter_map(pre_release_warning),
    );
    warnings.extend(pair_warnings(&interpreters));
    Selection {
        baseline: baseline.unwrap_or_default(),
        interpreters,
        warnings,
    }
}

fn pre_release_warning(facts: &InterpreterFacts) -> Option<Warning> {
    let version: Version = facts.version.parse().ok()?;
    version.is_pre_release().then(|| {
        Warning::of_run(
            WarningKind::PreRelease,
            format!(
                "{} is a pre-release, {version}: the release may be faster or slower",
                facts.tag
            ),
        )
    })
}

/// Picks the interpreters of a run that requests none: the newest minor version of CPython with both a GIL and a
/// free-threaded release build.
///
/// Within that version, pairs of the same patch version come first, then pairs that differ only in the GIL, then newer
/// ones. A pair with a pre-release is picked only if there is no other. Without a pair, picks the newest build of each
/// kind, with a warning that says how to get a pair.
///
/// # Errors
///
/// When no interpreter was found.
pub(super) fn default_pair(found: &Found) -> Result<Selection, SelectError> {
    let builds = || found.interpreters.iter().filter(|one| one.is_cpython_release());
    let best = builds()
        .flat_map(|gil| builds().map(move |free_threaded| (gil, free_threaded)))
        .filter(|(gil, free_threaded)| is_pair(&gil.facts, &free_threaded.facts))
        .min_by_key(|(gil, free_threaded)| {
            let pre_release = [gil, free_threaded]
                .iter()
                .any(|one| one.version.is_pre_release());
            let minor = (gil.version.major, gil.version.minor);
            let other_version = gil.version != free_threaded.version;
            let unlike = !differences(&gil.facts, &free_threaded.facts).is_empty();
            let age = (Reverse(gil.version), Reverse(free_threaded.version));
            (pre_release, Reverse(minor), other_version, unlike, age)
        });
    let mut warnings: Vec<Warning> = found.failed_interpreters().map(skipped).collect();
    if let Some((gil, free_threaded)) = best {
        return Ok(select_as_found(&[gil, free_threaded], warnings));
    }
    // `min_by_key` returns the first of equal elements, and the builds are sorted newest first.
    let newest = |free_threaded: bool| {
        builds()
            .filter(|one| one.facts.free_threaded == free_threaded)
            .min_by_key(|one| one.version.is_pre_release())
    };
    let mut picked: Vec<&FoundInterpreter> = [newest(false), newest(true)].into_iter().flatten().collect();
    if picked.is_empty() {
        picked.extend(found.interpreters.first());
    }
    warnings.push(no_pair_warning(&picked).ok_or_else(|| SelectError::NothingFound {
        failed: failure_reasons(found),
    })?);
    Ok(select_as_found(&picked, warnings))
}

fn select_as_found(builds: &[&FoundInterpreter], warnings: Vec<Warning>) -> Selection {
    let picked: Vec<Picked<'_>> = builds.iter().copied().map(as_found).collect();
    let facts = builds.iter().map(|one| one.facts.clone()).collect();
    selection(&picked, facts, warnings)
}

const fn as_found(one: &FoundInterpreter) -> Picked<'_> {
    Picked {
        one,
        switches: Switches::NONE,
        requested: None,
        name: None,
    }
}

/// Warns that half of a pair is missing, with the command that gets it; `None` if nothing was picked.
fn no_pair_warning(picked: &[&FoundInterpreter]) -> Option<Warning> {
    let newest = picked.last()?;
    let tag = newest.full_tag().short();
    let free_threaded = newest.facts.free_threaded;
    let can_be_paired = tag.implementation == Implementation::CPython
        && (tag.major, tag.minor) >= (3, FIRST_FREE_THREADED_MINOR);
    let partner = Tag {
        free_threaded: !free_threaded,
        debug: false,
        ..tag
    };
    let get = if can_be_paired {
        format!("'ftbench python install {partner}'")
    } else {
        "'ftbench python install'".to_owned()
    };
    let (kind, message) = if free_threaded {
        let missing = format!(
            "no GIL build of {}.{} was found to compare {tag} with",
            tag.major, tag.minor
        );
        (WarningKind::NoGilBuild, format!("{missing}; get one with {get}"))
    } else {
        let missing =
            "no free-threaded build of CPython was found, so threads without the GIL are not measured";
        (
            WarningKind::NoFreeThreadedBuild,
            format!("{missing}; get one with {get}"),
        )
    };
    Some(Warning::of_run(kind, message))
}

/// Why each installed interpreter that failed did so.
fn failure_reasons(found: &Found) -> Vec<String> {
    found.failed_interpreters().map(ToString::to_string).collect()
}

impl FoundInterpreter {
    fn is_cpython_release(&self) -> bool {
        self.facts.implementation == Implementation::CPython && !self.facts.build.debug
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
