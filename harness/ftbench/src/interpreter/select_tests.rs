#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use super::*;
use crate::error::{ExitStatus, Failure};
use crate::interpreter::fixtures::{found, found_one};
use crate::interpreter::{ProbeError, Rejected, Source};
use ftbench_schema::{GilState, JitState, Switch, Version};

/// Selects among interpreters that respect their switches.
fn select(found: &Found, wanted: &[Wanted]) -> Result<Selection, SelectError> {
    super::select(found, wanted, &|one, switches| {
        let mut facts = one.facts.clone();
        facts.switches = switches.iter().collect();
        for switch in switches.iter() {
            match switch {
                Switch::Gil => facts.gil = GilState::On,
                Switch::Nogil => facts.gil = GilState::Off,
                Switch::Jit => facts.jit = Some(JitState::On),
                Switch::Nojit => facts.jit = Some(JitState::Off),
                Switch::Notlbc => {}
            }
        }
        Ok(facts)
    })
}

fn wanted(words: &[&str]) -> Vec<Wanted> {
    words.iter().map(|&word| Wanted::new(word, |_| false)).collect()
}

fn given(full_tag: &str, path: &str) -> FoundInterpreter {
    FoundInterpreter {
        source: Source::ExplicitPath,
        given_as: vec![path.into()],
        ..found_one(full_tag)
    }
}

fn rejected(path: &str) -> Rejected {
    Rejected {
        path: path.into(),
        source: Source::ExplicitPath,
        given_as: vec![path.into()],
        reason: ProbeError::TooOld {
            path: path.into(),
            version: Version::new(2, 7, 18),
        },
    }
}

/// The tag and version of each interpreter.
fn shown(selection: &Selection) -> Vec<String> {
    let shown = |one: &InterpreterFacts| format!("{}={}", one.tag, one.version);
    selection.interpreters.iter().map(shown).collect()
}

fn messages(selection: &Selection) -> Vec<&str> {
    selection
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect()
}

#[test]
fn requested_interpreters_keep_their_order_and_tags() {
    let found = found(&["3.13.0", "3.13.15", "3.13.15t", "3.12.1"]);
    let selection = select(&found, &wanted(&["3.13t", "3.13.15", "3.12", "3.13"])).unwrap();
    assert_eq!(
        shown(&selection),
        ["3.13t=3.13.15", "3.13.15=3.13.15", "3.12=3.12.1"]
    );
    assert_eq!(selection.baseline, "3.13.15");
    assert!(selection.warnings.is_empty());
    let older = select(&found, &wanted(&["3.13.0"])).unwrap();
    assert_eq!(shown(&older), ["3.13.0=3.13.0"]);
}

#[test]
fn build_and_its_variants_are_separate_interpreters() {
    let found = found(&["3.13.15", "3.13.15t", "3.14.2t"]);
    let words = [
        "3.13t+gil",
        "3.13t",
        "3.13",
        "3.14.2t+notlbc+nogil",
        "3.13.15t+gil",
    ];
    let selection = select(&found, &wanted(&words)).unwrap();
    let shown: Vec<_> = selection
        .interpreters
        .iter()
        .map(|one| (one.tag.as_str(), one.gil))
        .collect();
    assert_eq!(
        shown,
        [
            ("3.13t+gil", GilState::On),
            ("3.13t", GilState::Off),
            ("3.13", GilState::On),
            ("3.14.2t+nogil+notlbc", GilState::Off)
        ]
    );
    assert_eq!(
        selection.baseline, "3.13",
        "a GIL build, not a build with its GIL on"
    );
    assert!(selection.warnings.is_empty());
}

#[test]
fn impossible_variant_is_refused() {
    let found = found(&["3.13.15", "3.13.15t"]);
    let error = |word: &str| select(&found, &wanted(&["3.13", word])).unwrap_err();
    insta::assert_snapshot!(error("3.13+gil"), @"
    3.13+gil cannot be measured: a GIL build always runs with its GIL on, so '+gil' changes nothing
    leave '+gil' out, or ask for a free-threaded build: 3.13t+gil
    ");
    insta::assert_snapshot!(error("3.13+jit"), @"
    3.13+jit cannot be measured: this build has no JIT (PEP 744: configure it with --enable-experimental-jit)
    leave '+jit' out, or give a build that has one; 'ftbench python list' shows each build's switches
    ");
    insta::assert_snapshot!(error("3.13t+gil+notlbc"), @"
    3.13t+gil+notlbc cannot be measured: only free-threaded builds of 3.14 and newer have thread-local bytecode
    leave '+notlbc' out, or ask for such a build: 3.14t+notlbc
    ");
    insta::assert_snapshot!(error("3.13t+foo"), @"'3.13t+foo': unknown switch 'foo' (did you mean 'nogil', 'nojit' or 'notlbc'?); the switches are gil, nogil, jit, nojit, notlbc");
    insta::assert_snapshot!(error("3.14t+gil"), @"
    no interpreter 3.14t was found; similar ones here: 3.13t or 3.13
    get it with 'ftbench python install 3.14t', or give the path of one
    ");
    let silent = super::select(&found, &wanted(&["3.13t+gil"]), &|one, _| {
        let path = PathBuf::from(&one.facts.path);
        Err(ProbeError::DoesNotStart {
            path,
            cause: "it exited with status 1 and said nothing".to_owned(),
        })
    });
    insta::assert_snapshot!(silent.unwrap_err(), @"
    3.13t+gil cannot be measured: /opt/3.13.15t/bin/python3 does not start: it exited with status 1 and said nothing
    leave '+gil' out
    ");
}

#[test]
fn without_a_gil_build_the_first_is_the_baseline() {
    let found = found(&["3.13.15t", "3.14.2t"]);
    assert_eq!(
        select(&found, &wanted(&["3.13t", "3.14t"])).unwrap().baseline,
        "3.13t"
    );
}

#[test]
fn tag_prefers_discovered_interpreters_over_explicit_paths() {
    let interpreters = vec![
        found_one("3.13.0"),
        given("3.13.15", "./mine"),
        given("3.13.15", "./other"),
    ];
    let found = Found::new(interpreters, Vec::new());
    let selection = select(&found, &wanted(&["3.13", "./mine", "./other"])).unwrap();
    assert_eq!(
        shown(&selection),
        ["3.13=3.13.0", "3.13.15=3.13.15", "3.13.15@path=3.13.15"]
    );
    let only_given = select(&found, &wanted(&["./other", "3.13.15"])).unwrap();
    assert_eq!(shown(&only_given), ["3.13.15@path=3.13.15", "3.13.15=3.13.15"]);
}

#[test]
fn unusable_path_is_skipped_with_the_reason() {
    let found = Found::new(vec![found_one("3.13.15")], vec![rejected("/old/python")]);
    let selection = select(&found, &wanted(&["/old/python", "3.13"])).unwrap();
    assert_eq!(shown(&selection), ["3.13=3.13.15"]);
    assert_eq!(
        messages(&selection),
        ["skipped: /old/python is Python 2.7.18, which is too old: ftbench measures Python 3.9 and newer"]
    );
    let error = select(&found, &wanted(&["/old/python"])).unwrap_err();
    insta::assert_snapshot!(error, @"no interpreter is left to measure with: /old/python is Python 2.7.18, which is too old: ftbench measures Python 3.9 and newer");
    let error = select(&found, &wanted(&["/other"])).unwrap_err();
    assert_eq!(error, SelectError::NotProbed("/other".into()));
}

#[test]
fn unknown_tag_suggests_the_nearest_and_how_to_get_it() {
    let found = found(&["3.13.15", "3.13.15t", "3.12.1", "pypy3.11.13"]);
    let error = |word: &str| select(&found, &wanted(&["3.13", word])).unwrap_err();
    insta::assert_snapshot!(error("3.14t"), @"
    no interpreter 3.14t was found; similar ones here: 3.13t, 3.13 or 3.12
    get it with 'ftbench python install 3.14t', or give the path of one
    ");
    insta::assert_snapshot!(error("pypy3.10"), @"
    no interpreter pypy3.10 was found; similar ones here: pypy3.11
    see what there is with 'ftbench python list', or give the path of one
    ");
    insta::assert_snapshot!(error("3.13x"), @"'3.13x' is not an interpreter tag; tags look like 3.13, 3.13t (free-threaded), 3.13.15t, 3.13d (debug) or pypy3.11, and a path contains a '/'; similar ones here: 3.13, 3.13t or 3.12");
    let nothing = select(&Found::default(), &wanted(&["3.13"])).unwrap_err();
    insta::assert_snapshot!(nothing, @"
    no interpreter 3.13 was found
    get it with 'ftbench python install 3.13', or give the path of one
    ");
}

#[test]
fn the_default_is_the_newest_pair() {
    let found = found(&["3.15.0", "3.14.2", "3.14.2t", "3.13.15", "3.13.15t", "3.16.0t"]);
    let selection = default_pair(&found).unwrap();
    assert_eq!(shown(&selection), ["3.14=3.14.2", "3.14t=3.14.2"]);
    assert_eq!(selection.baseline, "3.14");
    assert!(selection.warnings.is_empty());
}

#[test]
fn the_default_prefers_equal_patch_versions() {
    let selection = default_pair(&found(&["3.13.18", "3.13.15", "3.13.15t", "3.13.0", "3.13.0t"])).unwrap();
    assert_eq!(shown(&selection), ["3.13=3.13.15", "3.13t=3.13.15"]);
    let unequal = default_pair(&found(&["3.13.0", "3.13.2", "3.13.15t"])).unwrap();
    assert_eq!(shown(&unequal), ["3.13=3.13.2", "3.13t=3.13.15"]);
    assert_eq!(
        messages(&unequal),
        [
            "3.13 and 3.13t differ in more than the GIL: version 3.13.2 for 3.13 and 3.13.15 for 3.13t. This may explain \
             a part of the difference between their times."
        ]
    );
}

#[test]
fn the_default_prefers_builds_that_differ_in_nothing_else() {
    let mut with_pgo = found_one("3.13.15");
    with_pgo.facts.build.pgo = true;
    let mut plain = found_one("3.13.15");
    plain.facts.path = "/plain/python3".to_owned();
    let found = Found::new(vec![with_pgo, plain, found_one("3.13.15t")], Vec::new());
    let selection = default_pair(&found).unwrap();
    assert_eq!(selection.interpreters.first().unwrap().path, "/plain/python3");
    assert_eq!(shown(&selection), ["3.13=3.13.15", "3.13t=3.13.15"]);
}

#[test]
fn the_default_leaves_out_debug_builds_and_pre_releases() {
    let picked = |full_tags: &[&str]| shown(&default_pair(&found(full_tags)).unwrap());
    let older = ["3.13=3.13.15", "3.13t=3.13.15"];
    let with_debug = ["3.14.2d", "3.14.2td", "3.14.2", "3.13.15", "3.13.15t"];
    assert_eq!(
        picked(&[&with_debug[..], &["3.15.0a1", "3.15.0a1t"]].concat()),
        older
    );
    // Half a pair that is a pre-release does not count either.
    assert_eq!(picked(&["3.15.0", "3.15.0rc1t", "3.13.15", "3.13.15t"]), older);
}

#[test]
fn a_pre_release_is_the_default_only_where_there_is_no_other_pair() {
    let selection = default_pair(&found(&["3.14.2", "3.15.0rc1", "3.15.0rc1t"])).unwrap();
    assert_eq!(shown(&selection), ["3.15=3.15.0rc1", "3.15t=3.15.0rc1"]);
    let kinds: Vec<WarningKind> = selection.warnings.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [WarningKind::PreRelease; 2]);
    insta::assert_snapshot!(messages(&selection).join("\n"), @"
    3.15 is a pre-release, 3.15.0rc1: the release may be faster or slower
    3.15t is a pre-release, 3.15.0rc1: the release may be faster or slower
    ");
}

#[test]
fn series_selects_a_pre_release_only_without_a_release() {
    let shown = |full_tags: &[&str], words: &[&str]| {
        let selection = select(&found(full_tags), &wanted(words)).unwrap();
        (shown(&selection), selection.warnings.len())
    };
    let candidates = ["3.15.0rc1", "3.15.0rc1t", "3.15.0rc2"];
    assert_eq!(
        shown(&candidates, &["3.15", "3.15t", "3.15.0rc1"]),
        (
            vec![
                "3.15=3.15.0rc2".to_owned(),
                "3.15t=3.15.0rc1".to_owned(),
                "3.15.0rc1=3.15.0rc1".to_owned()
            ],
            4
        )
    );
    let with_release = [&candidates[..], &["3.15.0"]].concat();
    assert_eq!(
        shown(&with_release, &["3.15"]),
        (vec!["3.15=3.15.0".to_owned()], 0)
    );
    let error = select(&found(&candidates), &wanted(&["3.15.0"]))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("no interpreter 3.15.0 was found; similar ones here: 3.15"),
        "{error}"
    );
}

#[test]
fn a_version_without_free_threaded_builds_is_refused() {
    let error = select(&found(&["3.12.1"]), &wanted(&["3.12.1t"])).unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::WrongInput);
    insta::assert_snapshot!(error, @"
    3.12.1t does not exist: CPython has free-threaded builds from 3.13 on
    ask for 3.12.1, or get the newest pair with 'ftbench python install'
    ");
}

#[test]
fn without_a_pair_the_default_says_how_to_get_one() {
    let picked = |full_tags: &[&str]| {
        let selection = default_pair(&found(full_tags)).unwrap();
        let kinds: Vec<WarningKind> = selection.warnings.iter().map(|warning| warning.kind).collect();
        format!(
            "{}: {kinds:?} {}",
            shown(&selection).join(" "),
            messages(&selection).join(" ")
        )
    };
    insta::assert_snapshot!(picked(&["3.13.0", "3.12.1"]), @"3.13=3.13.0: [NoFreeThreadedBuild] no free-threaded build of CPython was found, so threads without the GIL are not measured; get one with 'ftbench python install 3.13t'");
    insta::assert_snapshot!(picked(&["3.12.1", "pypy3.11.13"]), @"3.12=3.12.1: [NoFreeThreadedBuild] no free-threaded build of CPython was found, so threads without the GIL are not measured; get one with 'ftbench python install'");
    insta::assert_snapshot!(picked(&["3.12.1", "3.13.15t"]), @"3.12=3.12.1 3.13t=3.13.15: [NoGilBuild] no GIL build of 3.13 was found to compare 3.13t with; get one with 'ftbench python install 3.13'");
    insta::assert_snapshot!(picked(&["3.13.15t"]), @"3.13t=3.13.15: [NoGilBuild] no GIL build of 3.13 was found to compare 3.13t with; get one with 'ftbench python install 3.13'");
    insta::assert_snapshot!(picked(&["pypy3.11.13"]), @"pypy3.11=3.11.13: [NoFreeThreadedBuild] no free-threaded build of CPython was found, so threads without the GIL are not measured; get one with 'ftbench python install'");
    insta::assert_snapshot!(default_pair(&Found::default()).unwrap_err(), @"
    no Python interpreter was found
    get a pair with 'ftbench python install', or give one with '-p PATH'
    ");
}

#[test]
fn given_names_distinguish_builds_of_one_version() {
    let builds = ["./b1/python3.13", "./b2/python3.13"].map(|path| given("3.13.15", path));
    let found = Found::new(builds.to_vec(), Vec::new());
    let tags = |words: &[&str]| -> Vec<String> {
        let selection = select(&found, &wanted(words)).unwrap();
        selection.interpreters.into_iter().map(|one| one.tag).collect()
    };
    assert_eq!(
        tags(&["base=./b1/python3.13", "new=./b2/python3.13"]),
        ["3.13@base", "3.13@new"]
    );
    assert_eq!(
        tags(&["a=./b1/python3.13", "b=./b1/python3.13"]),
        ["3.13@a", "3.13@b"]
    );
    assert_eq!(tags(&["a=./b1/python3.13", "a=./b1/python3.13"]), ["3.13@a"]);
    assert_eq!(
        tags(&["a=3.13.15", "./b2/python3.13"]),
        ["3.13.15@a", "3.13.15@path"]
    );
    let same = select(&found, &wanted(&["a=./b1/python3.13", "a=./b2/python3.13"])).unwrap_err();
    assert_eq!(same, SelectError::SameName("3.13@a".to_owned()));
}

/// A free-threaded build that was installed and does not answer.
fn failed() -> Rejected {
    Rejected {
        source: Source::Ftbench,
        given_as: Vec::new(),
        reason: ProbeError::TimedOut {
            path: "/cache/python3.13t".into(),
            time_limit: std::time::Duration::from_secs(40),
        },
        ..rejected("/cache/python3.13t")
    }
}

#[test]
fn installed_interpreter_that_does_not_answer_is_reported() {
    let warnings = ["skipped: /cache/python3.13t hangs: no answer within 40 s"];
    let with_pair = Found::new(vec![found_one("3.13.15"), found_one("3.13.0t")], vec![failed()]);
    assert_eq!(
        messages(&default_pair(&with_pair).unwrap()).first(),
        Some(&warnings[0])
    );
    // Another interpreter is selected in its place.
    assert_eq!(
        messages(&select(&with_pair, &wanted(&["3.13t"])).unwrap()),
        warnings
    );
    let found = Found::new(vec![given("3.13.15", "./mine")], vec![failed()]);
    assert!(messages(&select(&found, &wanted(&["./mine"])).unwrap()).is_empty());
    insta::assert_snapshot!(select(&found, &wanted(&["3.13t"])).unwrap_err(), @"
    no interpreter 3.13t was found; similar ones here: 3.13
    left out: /cache/python3.13t hangs: no answer within 40 s
    get it with 'ftbench python install 3.13t', or give the path of one
    ");
    insta::assert_snapshot!(default_pair(&Found::new(Vec::new(), vec![failed()])).unwrap_err(), @"
    no Python interpreter was found
    left out: /cache/python3.13t hangs: no answer within 40 s
    get a pair with 'ftbench python install', or give one with '-p PATH'
    ");
}

#[test]
fn installed_interpreter_that_is_too_old_is_not_reported() {
    let old = Rejected {
        source: Source::Uv,
        given_as: Vec::new(),
        ..rejected("/uv/python3.8")
    };
    let found = Found::new(vec![found_one("3.13.15"), found_one("3.13.15t")], vec![old]);
    assert!(messages(&default_pair(&found).unwrap()).is_empty());
}
