//! Tests of tags and of differences between whole builds.
#![allow(clippy::unwrap_used)]

use ftbench_fixtures::interpreters::facts;
use ftbench_schema::{GilState, InterpreterFacts, JitState, Switch, Tag, differences, pair_warnings};

fn build(full_tag: &str, tag: &str) -> InterpreterFacts {
    InterpreterFacts {
        tag: tag.to_owned(),
        ..facts(full_tag)
    }
}

#[test]
fn builds_that_differ_only_in_the_gil_have_no_differences() {
    let pair = [build("3.13.15", "3.13"), build("3.13.15t", "3.13t")];
    let [gil, free_threaded] = &pair;
    assert!(differences(gil, free_threaded).is_empty());
    assert!(pair_warnings(&pair).is_empty());
}

#[test]
fn every_difference_is_described() {
    let mut gil = build("3.13.0", "3.13");
    gil.build.pgo = true;
    gil.build.lto = true;
    gil.build.shared = true;
    let mut free_threaded = build("3.13.15t", "3.13t");
    free_threaded.build.jit = true;
    free_threaded.build.tail_calls = true;
    free_threaded.build.debug = true;
    free_threaded.build.compiler = "Clang 18.1.8".to_owned();
    free_threaded.build.optimisation = "-Og".to_owned();
    insta::assert_snapshot!(differences(&gil, &free_threaded).join("\n"), @"
    version 3.13.0 for 3.13 and 3.13.15 for 3.13t
    PGO on 3.13 only
    LTO on 3.13 only
    JIT in 3.13t only
    tail-calling interpreter in 3.13t only
    debug build on 3.13t only
    shared libpython on 3.13 only
    compiler GCC 12.2.0 for 3.13 and Clang 18.1.8 for 3.13t
    optimisation -O3 for 3.13 and -Og for 3.13t
    ");
}

#[test]
fn unknown_properties_are_not_differences() {
    let mut other = build("3.13.15t", "3.13t");
    other.build.compiler.clear();
    other.build.optimisation.clear();
    assert!(differences(&build("3.13.15", "3.13"), &other).is_empty());
}

#[test]
fn build_is_not_a_pair_with_itself_and_gets_one_warning() {
    let mut gil = build("3.13.15", "3.13");
    gil.build.pgo = true;
    let free_threaded = build("3.13.15t", "3.13t");
    let mut variant = build("3.13.15t", "3.13t+gil");
    variant.switches = vec![Switch::Gil];
    variant.gil = GilState::On;
    assert!(pair_warnings(&[free_threaded.clone(), variant.clone()]).is_empty());
    assert_eq!(pair_warnings(&[gil, variant, free_threaded]).len(), 1);
}

#[test]
fn jit_that_is_on_is_a_difference() {
    let state = |state: JitState, tag: &str| {
        let mut facts = build("3.15.0", tag);
        facts.build.jit = true;
        facts.jit = Some(state);
        facts
    };
    let (off, on) = (state(JitState::Off, "3.15"), state(JitState::On, "3.15+jit"));
    assert!(differences(&off, &off).is_empty());
    assert_eq!(differences(&off, &on), ["JIT on in 3.15+jit only"]);
    assert_eq!(
        differences(&build("3.15.0", "without"), &on),
        ["JIT in 3.15+jit only"]
    );
}

#[test]
fn only_pairs_of_the_same_minor_version_get_a_warning() {
    let mut gil = build("3.13.15", "3.13");
    gil.build.pgo = true;
    let interpreters = [
        gil,
        build("3.13.15t", "3.13t"),
        build("3.14.2t", "3.14t"),
        build("pypy3.13.15", "pypy3.13"),
    ];
    let warnings = pair_warnings(&interpreters);
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "3.13 and 3.13t differ in more than the GIL: PGO on 3.13 only. This may explain a part of the difference between their times."
        ]
    );
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

#[test]
fn minor_version_matches_its_pre_releases_and_full_version_only_itself() {
    let (candidate, release) = (facts("3.15.0rc1t"), facts("3.15.0t"));
    for meant in ["3.15t", "3.15.0rc1t", "3.15.0rc1t+"] {
        assert!(tag(meant).matches(&candidate), "{meant}");
    }
    for other in ["3.15.0t", "3.15.0rc2t", "3.15.0rc1"] {
        assert!(!tag(other).matches(&candidate), "{other}");
    }
    assert!(tag("3.15t").matches(&release) && tag("3.15.0t").matches(&release));
    assert!(!tag("3.15.0rc1t").matches(&release));
    assert_eq!(Tag::of(&candidate), Some(tag("3.15.0rc1t")));
    assert!(candidate.free_threaded && !candidate.build.debug);
}

#[test]
fn tag_matches_its_own_builds_only() {
    let build = facts("3.13.15t");
    for meant in ["3.13t", "3.13.15t"] {
        assert!(tag(meant).matches(&build), "{meant}");
    }
    for other in [
        "3.13",
        "3.13.15",
        "3.13.1t",
        "3.13td",
        "3.14t",
        "pypy3.13",
        "3.13t+gil",
    ] {
        assert!(!tag(other).matches(&build), "{other}");
    }
    assert_eq!(Tag::of(&build), Some(tag("3.13.15t")));
    let mut variant = build;
    variant.switches = vec![Switch::Gil];
    assert_eq!(Tag::of(&variant), Some(tag("3.13.15t+gil")));
    assert!(tag("3.13t+gil").matches(&variant) && !tag("3.13t").matches(&variant));
    assert_eq!(tag("3.13t+gil").build(), tag("3.13t"));
}
