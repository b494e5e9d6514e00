//! Checks whether the interpreters can be compared.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::Builds;
use ftbench_schema::{InterpreterFacts, Tag, WarningKind, distinct_builds, pair_warnings};

/// The command that installs builds of the version of a pair that differ only in the GIL, where ftbench can get them.
fn install_like(pair: &[InterpreterFacts; 2]) -> String {
    let newest = pair.iter().filter_map(Tag::of).map(|tag| tag.minor).max();
    let words = newest.map_or_else(String::new, |minor| format!(" 3.{minor} 3.{minor}t"));
    format!("'ftbench python install{words}' installs a matching pair")
}

/// Checks the interpreters that would be measured. Missing a free-threaded build is a warning: the numbers are right,
/// but they do not show what ftbench is for.
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
        Finding::new(check, Severity::Spoils, "no interpreter found")
            .effect("Nothing can be measured.")
            .remedy("'ftbench python install' installs a matching pair")
    } else if !builds.interpreters.iter().any(|one| one.free_threaded) {
        Finding::new(
            check,
            Severity::Warning,
            format!("{found}; none is free-threaded"),
        )
        .effect(
            "Threads stay flat on every build here: the effect of running without the GIL is not measured.",
        )
        .remedy("'ftbench python install' installs a matching pair")
    } else if builds.interpreters.iter().all(|one| one.free_threaded) {
        Finding::new(
            check,
            Severity::Warning,
            format!("{found}; all are free-threaded"),
        )
        .effect(
            "The cost of the free-threaded build on one worker cannot be measured without a GIL build beside it.",
        )
        .remedy("'ftbench python install' installs a matching pair")
    } else {
        Finding::ok(check, found)
    });
    findings
}

/// Checks for debug builds. `--with-pydebug` compiles in assertions, reference debugging and hooks of the memory
/// allocator, usually without optimisation (<https://docs.python.org/3/using/configure.html#python-debug-build>). Such
/// a build is several times slower, unevenly between operations, so even two debug builds do not compare like release
/// builds.
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
        .effect("The interpreter checks itself, some operations far more than others: no ratio holds for a release \
                 build.")
        .remedy("measure release builds: leave out the debug build with '-p'")
}

/// Checks for differences between the builds of a pair besides the GIL.
///
/// A difference spoils if its effect is known to be as large as the cost of the free-threaded build, which is some 5 to
/// 40 percent on one worker (<https://docs.python.org/3/howto/free-threading-python.html>). PGO and LTO are worth 10 to
/// 20 percent (<https://docs.python.org/3/using/configure.html#performance-options> recommends both "for best
/// performance"), the optimisation level more, and a shared libpython cost a pure-Python loop 18 to 25 percent in our
/// measurements. Debug builds have a check of their own. Another patch version or compiler, or a JIT that is compiled
/// in, is likely to have a smaller effect and is a warning.
pub fn build_differences(builds: &Builds) -> Vec<Finding> {
    let (free_threaded, with_gil): (Vec<_>, Vec<_>) = distinct_builds(&builds.interpreters)
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

/// The finding for two builds; `None` if they do not differ, or are not a pair because of their versions or
/// implementations.
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
    let finding = Finding::new(
        Check::BuildDifferences,
        severity,
        first_sentence(&warning.message),
    )
    .effect("What separates their times may come from how they were built, not from the GIL.")
    .remedy(install_like(pair));
    Some(finding)
}

/// The first sentence of the warning. The others repeat the effect.
fn first_sentence(message: &str) -> &str {
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
    fn only_a_pair_of_builds_is_ok() {
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
        let remedy = interpreters(&builds(&["3.14.2"]))
            .pop()
            .and_then(|finding| finding.remedy);
        assert_eq!(
            remedy.as_deref(),
            Some("'ftbench python install' installs a matching pair")
        );
        let mut skipped = builds(&["3.13.15", "3.13.15t"]);
        skipped.skipped.push("skipped: /bin/sh is not Python".to_owned());
        assert_eq!(
            severities(&interpreters(&skipped)),
            [Severity::Warning, Severity::Ok]
        );
    }

    #[test]
    fn debug_build_spoils() {
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
    fn severity_of_a_difference_depends_on_its_size() {
        assert_eq!(
            severities(&build_differences(&builds(&["3.13.15", "3.13.15t"]))),
            [Severity::Ok]
        );
        // Another patch version, and another minor version, which is not a pair.
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
