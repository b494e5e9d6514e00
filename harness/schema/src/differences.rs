//! In what two builds differ, apart from the GIL. Pure.

use super::tag::Tag;
use crate::{Implementation, InterpreterFacts, Warning, WarningKind};

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
                "{} and {} differ in more than the GIL: {}. What separates their times may come from that.",
                gil.tag,
                free_threaded.tag,
                differences.join("; ")
            ),
        )
    })
}
