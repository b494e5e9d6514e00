//! Whether the interpreters can be compared.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::Builds;
use ftbench_schema::{InterpreterFacts, Tag, WarningKind, builds, pair_warnings};

/// The first minor version of Python 3 that can be built without the GIL (PEP 703).
const FIRST_FREE_THREADED_MINOR: u16 = 13;

/// How to get a pair of builds that differ in nothing but the GIL: of the newest version among those at hand that there
/// can be one of, else the newest that can be had.
fn get_a_pair(builds: &[InterpreterFacts]) -> String {
    let minors = builds
        .iter()
        .filter_map(Tag::of)
        .filter(|tag| tag.major == 3)
        .map(|tag| tag.minor);
    let newest = minors.filter(|minor| *minor >= FIRST_FREE_THREADED_MINOR).max();
    let words = newest.map_or_else(String::new, |minor| format!(" 3.{minor} 3.{minor}t"));
    format!("'ftbench python install{words}' gets a pair that is built alike")
}

/// What would be measured with. Without a free-threaded build nothing is wrong with the numbers, they only do not say
/// what ftbench is for: a warning.
pub fn interpreters(builds: &Builds) -> Vec<Finding> {
    let check = Check::Interpreters;
    let mut findings: Vec<Finding> = builds
        .skipped
        .iter()
        .map(|reason| {
            Finding::new(check, Severity::Warning, reason.as_str())
                .effect("It is left out of every comparison.")
                .remedy("'ftbench python list' shows what can be used")
        })
        .collect();
    let tags: Vec<&str> = builds.interpreters.iter().map(|one| one.tag.as_str()).collect();
    let found = tags.join(", ");
    findings.push(if tags.is_empty() {
        Finding::new(check, Severity::Spoils, "no interpreter was found")
            .effect("There is nothing to measure with.")
            .remedy(get_a_pair(&builds.interpreters))
    } else if !builds.interpreters.iter().any(|one| one.free_threaded) {
        Finding::new(
            check,
            Severity::Warning,
            format!("{found}; none is free-threaded"),
        )
        .effect(
            "Threads stay flat on every build here: what running without the GIL would give is not measured.",
        )
        .remedy(get_a_pair(&builds.interpreters))
    } else if builds.interpreters.iter().all(|one| one.free_threaded) {
        Finding::new(
            check,
            Severity::Warning,
            format!("{found}; all are free-threaded"),
        )
        .effect(
            "What the free-threaded build costs on one worker cannot be told without a GIL build beside it.",
        )
        .remedy(get_a_pair(&builds.interpreters))
    } else {
        Finding::ok(check, found)
    });
    findings
}

/// `--with-pydebug` compiles assertions, reference debugging and hooks of the memory allocator in, and most often no
/// optimisation (<https://docs.python.org/3/using/configure.html#python-debug-build>): several times slower, unevenly
/// between operations, so even two debug builds do not compare as the release builds do.
pub fn debug_build(builds: &Builds) -> Finding {
    let check = Check::DebugBuild;
    let debug: Vec<&str> = builds
        .interpreters
        .iter()
        .filter(|one| one.build.debug)
        .map(|one| one.tag.as_str())
        .collect();
    if debug.is_empty() {
        return Finding::ok(check, "none");
    }
    Finding::new(check, Severity::Spoils, debug.join(", "))
        .effect("The interpreter checks itself all the time, some operations far more than others: no ratio holds for a release build.")
        .remedy("measure release builds: leave it out with '-p'")
}

/// What separates the builds of a pair besides the GIL.
///
/// It spoils where the difference is known to be as large as what is asked about. The free-threaded build costs some 5 to
/// 40 percent on one worker (<https://docs.python.org/3/howto/free-threading-python.html>). PGO and LTO are worth 10 to
/// 20 (<https://docs.python.org/3/using/configure.html#performance-options> recommends both "for best performance"), the
/// optimisation level more, and a shared libpython cost a pure-Python loop 18 to 25 when we measured it. A debug build is told by a check of its own. Another
/// patch version, compiler or a JIT that is compiled in is likely to be less: a warning.
pub fn build_differences(builds: &Builds) -> Vec<Finding> {
    let (free_threaded, with_gil): (Vec<_>, Vec<_>) = self::builds(&builds.interpreters)
        .into_iter()
        .partition(|one| one.free_threaded);
    let pairs = with_gil.into_iter().flat_map(|gil| {
        free_threaded
            .iter()
            .map(move |other| [gil.clone(), (*other).clone()])
    });
    let findings: Vec<Finding> = pairs.filter_map(|pair| difference(&pair)).collect();
    if findings.is_empty() {
        return vec![Finding::ok(Check::BuildDifferences, "none besides the GIL")];
    }
    findings
}

/// `None` for builds that differ in nothing else, and for those that are no pair: other versions or implementations.
fn difference(pair: &[InterpreterFacts; 2]) -> Option<Finding> {
    let warning = pair_warnings(pair)
        .into_iter()
        .find(|warning| warning.kind == WarningKind::BuildsDiffer)?;
    let [gil, free_threaded] = pair;
    let severity = if differ_much(gil, free_threaded) {
        Severity::Spoils
    } else {
        Severity::Warning
    };
    let finding = Finding::new(Check::BuildDifferences, severity, found_only(&warning.message))
        .effect("What separates their times may come from how they were built, not from the GIL.")
        .remedy(get_a_pair(pair));
    Some(finding)
}

/// The warning's first sentence; the others say what `effect` says.
fn found_only(message: &str) -> &str {
    message.split_once(". ").map_or(message, |(first, _)| first)
}

fn differ_much(a: &InterpreterFacts, b: &InterpreterFacts) -> bool {
    let (a, b) = (&a.build, &b.build);
    let levels_known = !a.optimisation.is_empty() && !b.optimisation.is_empty();
    a.pgo != b.pgo
        || a.lto != b.lto
        || a.debug != b.debug
        || a.shared != b.shared
        || (levels_known && a.optimisation != b.optimisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::interpreters::facts;

    fn builds(tags: &[&str]) -> Builds {
        Builds {
            interpreters: tags.iter().map(|tag| facts(tag)).collect(),
            skipped: Vec::new(),
        }
    }

    fn severities(findings: &[Finding]) -> Vec<Severity> {
        findings.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn a_pair_is_what_is_wanted() {
        assert_eq!(
            severities(&interpreters(&builds(&["3.13.15", "3.13.15t"]))),
            [Severity::Ok]
        );
        assert_eq!(
            severities(&interpreters(&builds(&["3.13.15"]))),
            [Severity::Warning]
        );
        assert_eq!(
            severities(&interpreters(&builds(&["3.13.15t"]))),
            [Severity::Warning]
        );
        assert_eq!(severities(&interpreters(&builds(&[]))), [Severity::Spoils]);
        let wanted = [(["3.9.1"], ""), (["3.14.2"], " 3.14 3.14t")];
        for (tags, pair) in wanted {
            let remedy = interpreters(&builds(&tags))
                .pop()
                .and_then(|finding| finding.remedy);
            assert_eq!(
                remedy,
                Some(format!(
                    "'ftbench python install{pair}' gets a pair that is built alike"
                ))
            );
        }
        let mut skipped = builds(&["3.13.15", "3.13.15t"]);
        skipped.skipped.push("skipped: /bin/sh is not Python".to_owned());
        assert_eq!(
            severities(&interpreters(&skipped)),
            [Severity::Warning, Severity::Ok]
        );
    }

    #[test]
    fn debug_builds_spoil() {
        assert_eq!(
            debug_build(&builds(&["3.13.15", "3.13.15t"])).severity,
            Severity::Ok
        );
        let spoilt = debug_build(&builds(&["3.13.15", "3.13.15td"]));
        assert_eq!(
            (spoilt.severity, spoilt.found.as_str()),
            (Severity::Spoils, "3.13.15td")
        );
    }

    #[test]
    fn differences_are_weighed() {
        assert_eq!(
            severities(&build_differences(&builds(&["3.13.15", "3.13.15t"]))),
            [Severity::Ok]
        );
        // Another patch version, and another minor one, which is no pair.
        let patch = build_differences(&builds(&["3.13.14", "3.13.15t", "3.14.0t"]));
        assert_eq!(severities(&patch), [Severity::Warning]);
        let mut optimised = builds(&["3.13.15", "3.13.15t"]);
        for one in optimised.interpreters.iter_mut().take(1) {
            one.build.pgo = true;
        }
        let found: Vec<String> = build_differences(&optimised)
            .into_iter()
            .map(|finding| finding.found)
            .collect();
        assert_eq!(severities(&build_differences(&optimised)), [Severity::Spoils]);
        assert_eq!(
            found,
            ["3.13.15 and 3.13.15t differ in more than the GIL: PGO on 3.13.15 only"]
        );
    }
}
