//! In what two builds differ, apart from the GIL. Pure.

use super::tag::Tag;
use crate::record::schema::{Implementation, InterpreterFacts, Warning, WarningKind};

/// Everything in which two builds differ that may change their speed, except the GIL, each in words that name the
/// builds by their tags: `PGO on 3.13 only`. A compiler or optimisation level that is not known differs from none.
#[must_use]
pub fn differences(a: &InterpreterFacts, b: &InterpreterFacts) -> Vec<String> {
    let one_has = |what: &str, in_a: bool, in_b: bool| match (in_a, in_b) {
        (true, false) => Some(format!("{what} {} only", a.tag)),
        (false, true) => Some(format!("{what} {} only", b.tag)),
        _ => None,
    };
    let values = |what: &str, of_a: &str, of_b: &str| {
        let both_known = !of_a.is_empty() && !of_b.is_empty();
        (both_known && of_a != of_b).then(|| format!("{what} {of_a} for {} and {of_b} for {}", a.tag, b.tag))
    };
    let implementations =
        [a.implementation, b.implementation].map(|implementation| implementation.to_string());
    let [implementation_of_a, implementation_of_b] = &implementations;
    // One that has no JIT cannot have it on.
    let alike_jit = a.build.jit == b.build.jit;
    [
        values("implementation", implementation_of_a, implementation_of_b),
        values("version", &a.version, &b.version),
        one_has("PGO on", a.build.pgo, b.build.pgo),
        one_has("LTO on", a.build.lto, b.build.lto),
        one_has("JIT in", a.build.jit, b.build.jit),
        one_has("JIT on in", a.uses_jit() && alike_jit, b.uses_jit() && alike_jit),
        one_has("debug build on", a.build.debug, b.build.debug),
        one_has("shared libpython on", a.build.shared, b.build.shared),
        values("compiler", &a.build.compiler, &b.build.compiler),
        values("optimisation", &a.build.optimisation, &b.build.optimisation),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A warning for every pair of a GIL and a free-threaded build of CPython, of one minor version, whose builds differ in
/// more than the GIL. A build with several sets of switches counts once.
#[must_use]
pub fn pair_warnings(interpreters: &[InterpreterFacts]) -> Vec<Warning> {
    let builds = builds(interpreters);
    let mut warnings = Vec::new();
    for gil in &builds {
        let pairs = builds.iter().filter(|other| is_pair(gil, other));
        warnings.extend(pairs.filter_map(|other| pair_warning(gil, other)));
    }
    warnings
}

/// Each executable once: the first of the interpreters that run it, whatever their switches.
#[must_use]
pub fn builds(interpreters: &[InterpreterFacts]) -> Vec<&InterpreterFacts> {
    let is_first = |(index, one): &(usize, &InterpreterFacts)| {
        let mut before = interpreters.iter().take(*index);
        !before.any(|other| other.path == one.path)
    };
    let first = interpreters.iter().enumerate().filter(is_first);
    first.map(|(_, one)| one).collect()
}

/// Whether these are a GIL and a free-threaded build of one minor version of CPython.
pub(super) fn is_pair(gil: &InterpreterFacts, free_threaded: &InterpreterFacts) -> bool {
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
                "{} and {} differ in more than the GIL: {}. What separates their times may come from that.",
                gil.tag,
                free_threaded.tag,
                differences.join("; ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::made_up::facts;
    use crate::record::schema::{GilState, JitState, Switch};

    fn build(full_tag: &str, tag: &str) -> InterpreterFacts {
        InterpreterFacts {
            tag: tag.to_owned(),
            ..facts(full_tag)
        }
    }

    #[test]
    fn builds_that_differ_in_the_gil_alone_do_not_differ() {
        let pair = [build("3.13.15", "3.13"), build("3.13.15t", "3.13t")];
        let [gil, free_threaded] = &pair;
        assert!(differences(gil, free_threaded).is_empty());
        assert!(pair_warnings(&pair).is_empty());
    }

    #[test]
    fn every_difference_is_told_in_words() {
        let mut gil = build("3.13.0", "3.13");
        gil.build.pgo = true;
        gil.build.lto = true;
        gil.build.shared = true;
        let mut free_threaded = build("3.13.15t", "3.13t");
        free_threaded.build.jit = true;
        free_threaded.build.debug = true;
        free_threaded.build.compiler = "Clang 18.1.8".to_owned();
        free_threaded.build.optimisation = "-Og".to_owned();
        insta::assert_snapshot!(differences(&gil, &free_threaded).join("\n"), @"
        version 3.13.0 for 3.13 and 3.13.15 for 3.13t
        PGO on 3.13 only
        LTO on 3.13 only
        JIT in 3.13t only
        debug build on 3.13t only
        shared libpython on 3.13 only
        compiler GCC 12.2.0 for 3.13 and Clang 18.1.8 for 3.13t
        optimisation -O3 for 3.13 and -Og for 3.13t
        ");
    }

    #[test]
    fn what_is_not_known_differs_from_nothing() {
        let mut other = build("3.13.15t", "3.13t");
        other.build.compiler.clear();
        other.build.optimisation.clear();
        assert!(differences(&build("3.13.15", "3.13"), &other).is_empty());
    }

    #[test]
    fn a_build_is_no_pair_with_itself_and_is_warned_of_once() {
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
    fn a_jit_that_is_on_is_a_difference() {
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
    fn only_pairs_of_one_minor_version_are_warned_of() {
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
                "3.13 and 3.13t differ in more than the GIL: PGO on 3.13 only. What separates their times may come from that."
            ]
        );
    }
}
