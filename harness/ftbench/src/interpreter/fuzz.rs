//! Entry points for `ftbench-fuzzing`.

use std::path::PathBuf;
use std::sync::LazyLock;

use super::answer;
use super::discover::facts;
use super::find::Source;
use super::select::select;
use super::wanted::Wanted;
use super::{Found, FoundInterpreter};
use ftbench_schema::Switches;

/// Parses a probe's answer and labels two builds that gave it.
pub fn probe_answer(printed: &str) {
    let Ok(answer) = answer::parse(printed) else {
        return;
    };
    let version = answer.version;
    let facts = facts(&PathBuf::from("/python"), answer, Switches::NONE);
    let found = |source: Source| FoundInterpreter {
        facts: facts.clone(),
        version,
        source,
        given_as: Vec::new(),
    };
    let found = Found::new(vec![found(Source::Uv), found(Source::Pyenv)], Vec::new());
    let tags: Vec<&str> = found.tags().collect();
    assert!(tags.iter().all(|tag| !tag.is_empty()), "{tags:?}");
    assert_eq!(tags.len(), 2);
    assert_ne!(tags.first(), tags.last(), "two builds, two names");
}

/// Two builds of one version and one of another.
static FOUND: LazyLock<Found> = LazyLock::new(|| {
    let builds = ["3.13.15", "3.13.15t", "3.14.2"].map(|version| {
        let (number, free_threaded) = match version.strip_suffix('t') {
            Some(number) => (number, true),
            None => (version, false),
        };
        let numbers = number.replace('.', ",");
        format!(
            "ftbench-probe {{\"implementation\":\"CPython\",\"version\":[{numbers},\"final\",0],\
             \"gil_enabled\":{},\"configuration\":{{\"Py_GIL_DISABLED\":{}}}}}",
            !free_threaded,
            u8::from(free_threaded)
        )
    });
    let interpreters = builds
        .iter()
        .filter_map(|printed| answer::parse(printed).ok())
        .map(|answer| FoundInterpreter {
            version: answer.version,
            facts: facts(&PathBuf::from("/python"), answer, Switches::NONE),
            source: Source::Uv,
            given_as: Vec::new(),
        })
        .collect();
    Found::new(interpreters, Vec::new())
});

/// Selects by words of `-p` among a few builds.
pub fn selection(words: &str) {
    let wanted: Vec<Wanted> = words.lines().map(|word| Wanted::new(word, |_| false)).collect();
    assert_eq!(FOUND.interpreters.len(), 3);
    // Every request ends in a selection or in an error with a message.
    if let Err(error) = select(&FOUND, &wanted, &|one, _| Ok(one.facts.clone())) {
        assert!(!error.to_string().is_empty());
    }
}
