//! Which of the interpreters found a run measures with. Pure.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::path::PathBuf;

use super::differences::{differences, is_pair, pair_warnings};
use super::label::{Labelled, labels};
use super::tag::{Tag, TagError};
use super::version::Stage;
use super::{Found, FoundInterpreter};
use crate::record::schema::{Implementation, InterpreterFacts, Warning, WarningKind};
use crate::suggest::{nearest, one_of};

/// The first minor version of Python 3 that can be built without the GIL (PEP 703).
const FIRST_FREE_THREADED_MINOR: u16 = 13;

/// An interpreter as the user asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By its tag.
    Tag(Tag),
    /// By its path.
    Path(PathBuf),
    /// By a word that is neither; [`select`] tells what is wrong with it and what there is.
    NotATag(TagError),
}

impl From<OsString> for Wanted {
    /// What has a `/` in it, or is not text, is a path.
    fn from(word: OsString) -> Self {
        match word.to_str() {
            Some(text) if !text.contains('/') => text.parse().map_or_else(Self::NotATag, Self::Tag),
            _ => Self::Path(word.into()),
        }
    }
}

impl From<&str> for Wanted {
    fn from(word: &str) -> Self {
        Self::from(OsString::from(word))
    }
}

/// The paths among what is wanted, for [`discover`](super::discover).
#[must_use]
pub fn wanted_paths(wanted: &[Wanted]) -> Vec<PathBuf> {
    wanted
        .iter()
        .filter_map(|wanted| match wanted {
            Wanted::Path(path) => Some(path.clone()),
            Wanted::Tag(_) | Wanted::NotATag(_) => None,
        })
        .collect()
}

/// The interpreters of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The interpreters, at least one, with distinct tags: each has the tag that it was asked for by.
    pub interpreters: Vec<InterpreterFacts>,
    /// Tag of the baseline: the first GIL build, or the first of all where there is none.
    pub baseline: String,
    /// What a reader of the run must know: interpreters left out, pairs that differ in more than the GIL, no pair.
    pub warnings: Vec<Warning>,
}

/// Why there is nothing to measure with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// There is no such interpreter here.
    #[error("no interpreter {tag} was found{}\n{}", nearest_words(nearest), how_to_get(*tag))]
    UnknownTag {
        /// What was asked for.
        tag: Tag,
        /// Tags of what there is, the nearest first.
        nearest: Vec<String>,
    },
    /// What was asked for is not a tag.
    #[error("{error}{}", nearest_words(nearest))]
    NotATag {
        /// What is wrong with it.
        error: TagError,
        /// Tags of what there is, the nearest first.
        nearest: Vec<String>,
    },
    /// Everything that was asked for had to be left out.
    #[error("no interpreter is left to measure with: {}", reasons.join("; "))]
    NothingLeft {
        /// Why, for each.
        reasons: Vec<String>,
    },
    /// There is no interpreter at all.
    #[error(
        "no Python interpreter was found; get a pair with 'ftbench python install 3.{minor}' and 'ftbench python \
         install 3.{minor}t', or give one with '-p PATH'", minor = FIRST_FREE_THREADED_MINOR
    )]
    NothingFound,
    /// A path that was not given to [`discover`](super::discover).
    #[error("{} was not looked at; this is a fault of ftbench, please report it", .0.display())]
    NotProbed(PathBuf),
}

fn nearest_words(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; nearest here: {}", one_of(names)),
    }
}

fn how_to_get(tag: Tag) -> String {
    if tag.implementation == Implementation::CPython && !tag.debug {
        format!("get it with 'ftbench python install {tag}', or give the path of one")
    } else {
        "see what there is with 'ftbench python list', or give the path of one".to_owned()
    }
}

/// Picks what was asked for, in that order, each once.
///
/// A tag means the newest of the interpreters that it matches, and among builds of one version the one from the best
/// source; one that was itself given by path is meant only if there is no other. A path that cannot be measured with
/// is left out with a warning.
///
/// # Errors
///
/// When a tag matches nothing, or nothing is left.
pub fn select(found: &Found, wanted: &[Wanted]) -> Result<Selection, SelectError> {
    let mut picked: Vec<Picked<'_>> = Vec::new();
    let mut reasons = Vec::new();
    for one in wanted {
        match pick(found, one)? {
            Pick::Left(reason) => reasons.push(reason),
            Pick::Taken(new) => match picked.iter_mut().find(|old| std::ptr::eq(old.one, new.one)) {
                Some(old) => old.asked = old.asked.take().or(new.asked),
                None => picked.push(new),
            },
        }
    }
    if picked.is_empty() {
        return Err(SelectError::NothingLeft { reasons });
    }
    let skipped = reasons.into_iter().map(|reason| Warning {
        kind: WarningKind::InterpreterSkipped,
        message: format!("skipped: {reason}"),
    });
    Ok(selection(&picked, skipped.collect()))
}

/// An interpreter for the run, and the tag that it was asked for by.
struct Picked<'a> {
    one: &'a FoundInterpreter,
    asked: Option<String>,
}

enum Pick<'a> {
    Taken(Picked<'a>),
    Left(String),
}

fn pick<'a>(found: &'a Found, wanted: &Wanted) -> Result<Pick<'a>, SelectError> {
    match wanted {
        Wanted::Tag(tag) => {
            let matching = found.interpreters.iter().filter(|one| tag.matches(&one.facts));
            let one =
                matching
                    .min_by_key(|one| one.is_only_given())
                    .ok_or_else(|| SelectError::UnknownTag {
                        tag: *tag,
                        nearest: nearest(&tag.to_string(), found.usable_tags()),
                    })?;
            let asked = Some(tag.to_string());
            Ok(Pick::Taken(Picked { one, asked }))
        }
        Wanted::Path(path) => {
            if let Some(one) = found.interpreters.iter().find(|one| one.given_as.contains(path)) {
                return Ok(Pick::Taken(Picked { one, asked: None }));
            }
            let rejected = found.rejected.iter().find(|one| one.given_as.contains(path));
            rejected
                .map(|one| Pick::Left(one.reason.to_string()))
                .ok_or_else(|| SelectError::NotProbed(path.clone()))
        }
        Wanted::NotATag(error) => Err(SelectError::NotATag {
            error: error.clone(),
            nearest: nearest(error.given(), found.usable_tags()),
        }),
    }
}

/// Gives those that were picked distinct tags, and finds the baseline and the pairs that are not alike.
fn selection(picked: &[Picked<'_>], mut warnings: Vec<Warning>) -> Selection {
    let labelled: Vec<Labelled> = picked
        .iter()
        .map(|picked| picked.one.labelled(picked.asked.clone()))
        .collect();
    let interpreters: Vec<InterpreterFacts> = picked
        .iter()
        .zip(labels(&labelled))
        .map(|(picked, tag)| InterpreterFacts {
            tag,
            ..picked.one.facts.clone()
        })
        .collect();
    let first_gil = interpreters.iter().find(|one| !one.free_threaded);
    let baseline = first_gil.or(interpreters.first()).map(|one| one.tag.clone());
    warnings.extend(pair_warnings(&interpreters));
    Selection {
        baseline: baseline.unwrap_or_default(),
        interpreters,
        warnings,
    }
}

/// Picks what a run measures with when nothing was asked for: the newest minor version of which there are both a GIL and
/// a free-threaded release build of CPython.
///
/// Within it, builds of the same patch version go before others, then such as differ in nothing but the GIL, then newer
/// ones. Pre-releases are taken only if there is no pair without. Where there is no pair, the newest of each kind, with
/// a warning that says how to get one.
///
/// # Errors
///
/// When nothing was found at all.
pub fn default_pair(found: &Found) -> Result<Selection, SelectError> {
    let builds = || found.interpreters.iter().filter(|one| one.is_cpython_release());
    let best = builds()
        .flat_map(|gil| builds().map(move |free_threaded| (gil, free_threaded)))
        .filter(|(gil, free_threaded)| is_pair(&gil.facts, &free_threaded.facts))
        .min_by_key(|(gil, free_threaded)| {
            let pre_release = [gil, free_threaded].iter().any(|one| one.is_pre_release());
            let minor = (gil.version.major, gil.version.minor);
            let other_version = gil.version != free_threaded.version;
            let unlike = !differences(&gil.facts, &free_threaded.facts).is_empty();
            let age = (Reverse(gil.version), Reverse(free_threaded.version));
            (pre_release, Reverse(minor), other_version, unlike, age)
        });
    if let Some((gil, free_threaded)) = best {
        return Ok(selection(&[gil, free_threaded].map(unasked), Vec::new()));
    }
    // `min_by_key` takes the first of equals, and they stand from new to old.
    let newest = |free_threaded: bool| {
        builds()
            .filter(|one| one.facts.free_threaded == free_threaded)
            .min_by_key(|one| one.is_pre_release())
    };
    let mut picked: Vec<&FoundInterpreter> = [newest(false), newest(true)].into_iter().flatten().collect();
    if picked.is_empty() {
        picked.extend(found.interpreters.first());
    }
    let warning = no_pair_warning(&picked).ok_or(SelectError::NothingFound)?;
    let picked: Vec<Picked<'_>> = picked.into_iter().map(unasked).collect();
    Ok(selection(&picked, vec![warning]))
}

const fn unasked(one: &FoundInterpreter) -> Picked<'_> {
    Picked { one, asked: None }
}

/// What is missing for a pair, and the command that gets it; `None` if nothing was picked.
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
        let minor = FIRST_FREE_THREADED_MINOR;
        format!("'ftbench python install 3.{minor}' and 'ftbench python install 3.{minor}t'")
    };
    let (kind, message) = if free_threaded {
        let missing = format!(
            "no GIL build of {}.{} was found to compare {tag} with",
            tag.major, tag.minor
        );
        (
            WarningKind::BuildsDiffer,
            format!("{missing}; get one with {get}"),
        )
    } else {
        let missing =
            "no free-threaded build of CPython was found, so threads without the GIL are not measured";
        (
            WarningKind::NoFreeThreadedBuild,
            format!("{missing}; get one with {get}"),
        )
    };
    Some(Warning { kind, message })
}

impl FoundInterpreter {
    fn is_cpython_release(&self) -> bool {
        self.facts.implementation == Implementation::CPython && !self.facts.build.debug
    }

    fn is_pre_release(&self) -> bool {
        self.version.stage != Stage::Final
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
