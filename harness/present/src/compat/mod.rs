//! The output of `ftbench compat`: a tree and tables, Markdown, a page, a badge, and a text to paste into an issue.

mod badge;
mod page;

use std::collections::BTreeSet;
use std::fmt::Write;

use itertools::Itertools;

pub use badge::badge;
pub use page::html;

use super::rows::Figure;
use super::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use super::table::{Cell, Column, Table, Tone};
use ftbench_analyse::compat::{Change, blockers, judged_builds, resolved_differently};
use ftbench_schema::text::{self, escape_markdown as escape};
use ftbench_schema::units;
use ftbench_schema::{
    Compat, CompatPackage, CompatVerdict, CurveVerdict, Distribution, Evidence, MeasuredCall, Outcome,
    PackageOnBuild,
};

/// Maximum number of names in a sentence.
const MAX_NAMES: usize = 6;

/// Maximum number of lines of a traceback in a text for an issue.
const MAX_TRACEBACK_LINES: usize = 12;

/// The sentence that answers the question.
#[must_use]
pub fn headline(compat: &Compat) -> String {
    let builds: Vec<&str> = judged_builds(compat).map(|build| build.tag.as_str()).collect();
    let builds = text::all_of(&builds);
    let count = text::counted(compat.packages.len() as u64, "package");
    let blocked = blockers(compat);
    let is_not_tried = |package: &&CompatPackage| package.verdict == CompatVerdict::NotTried;
    let not_tried = compat.packages.iter().filter(is_not_tried).count();
    let mut words = match blocked.as_slice() {
        [] if not_tried == compat.packages.len() => format!("nothing of {count} was tried on {builds}"),
        [] => format!("no blocker found in {count} on {builds}"),
        [one] => format!("1 of {count} blocks on {builds}: {}", one.name),
        several => format!(
            "{} of {count} block on {builds}: {}",
            several.len(),
            some(several.iter().map(|package| package.name.as_str()))
        ),
    };
    if not_tried > 0 && not_tried < compat.packages.len() {
        // Writing to a String cannot fail.
        let _ = write!(words, "; {not_tried} not tried");
    }
    if compat.interrupted {
        words.push_str("; interrupted");
    }
    words
}

/// The first of these words, and how many more there are.
fn some<'a>(words: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = words.len().saturating_sub(MAX_NAMES);
    let shown = words.take(MAX_NAMES).join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The result for a terminal.
#[must_use]
pub fn terminal(compat: &Compat, style: Style) -> String {
    let mut parts = vec![style.paint(BOLD, &headline(compat))];
    parts.push(tree(compat, style));
    parts.push(table(compat).list(style));
    parts.push(scaling(compat).list(style));
    let differently = different_versions(compat);
    if !differently.is_empty() {
        parts.push(format!("resolved differently:\n{}", differently.list(style)));
    }
    let blocked = blockers(compat);
    let lines = blocked.iter().map(|package| {
        let label = style.paint(RED, &package.name);
        hanging(
            &label,
            package.name.chars().count(),
            &blocker(compat, package),
            style,
        )
    });
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        parts.push(lines.join("\n"));
    }
    parts.retain(|part| !part.is_empty());
    format!("{}\n", parts.join("\n\n"))
}

/// On which builds a package blocks, why, and where to report it.
fn blocker(compat: &Compat, package: &CompatPackage) -> String {
    let is_blocked = |tag: &&str| {
        let on = package.builds.get(*tag);
        on.is_some_and(|on| on.verdict == package.verdict && on.blocked_by.is_none())
    };
    let tags = judged_builds(compat).map(|build| build.tag.as_str());
    let on = if compat.builds.len() > 1 {
        format!(" ({})", tags.filter(is_blocked).join(", "))
    } else {
        String::new()
    };
    let tracker = package.tracker.as_ref();
    let tracker = tracker.map_or_else(String::new, |tracker| format!(" (report it at {tracker})"));
    text::line(&format!("{}{on}: {}{tracker}", package.verdict, package.reason))
}

/// The packages below those that require them, each with its verdict. A package is drawn with those that it requires
/// once only.
fn tree(compat: &Compat, style: Style) -> String {
    let mut text = String::new();
    let mut seen = BTreeSet::new();
    let roots = compat
        .packages
        .iter()
        .filter(|package| package.is_requested || package.required_by.is_empty());
    for root in roots {
        branch(compat, root, "", "", &mut seen, style, &mut text);
    }
    text.truncate(text.trim_end().len());
    text
}

fn branch<'a>(
    compat: &'a Compat,
    package: &'a CompatPackage,
    own: &str,
    below: &str,
    seen: &mut BTreeSet<&'a str>,
    style: Style,
    text: &mut String,
) {
    let is_new = seen.insert(&package.name);
    let requires = package.builds.values().flat_map(|on| &on.requires).unique();
    let required: Vec<&CompatPackage> = requires
        .filter_map(|name| compat.packages.iter().find(|other| other.name == *name))
        .collect();
    let repeated = if is_new || required.is_empty() {
        ""
    } else {
        " (as above)"
    };
    let version = package.version.as_deref().unwrap_or_default();
    let verdict = match package.verdict {
        CompatVerdict::NoBlockerFound => String::new(),
        verdict => style.paint(paint(verdict), &format!("  {}", words(package, verdict))),
    };
    let name = text::line(&package.name);
    let version = style.paint(DIM, &text::line(&format!(" {version}{repeated}")));
    let _ = writeln!(text, "{own}{name}{version}{verdict}");
    if !is_new {
        return;
    }
    for (position, next) in required.iter().enumerate() {
        let is_last = position + 1 == required.len();
        let (own, deeper) = if is_last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        let (own, deeper) = (format!("{below}{own}"), format!("{below}{deeper}"));
        branch(compat, next, &own, &deeper, seen, style, text);
    }
}

const fn paint(verdict: CompatVerdict) -> anstyle::Style {
    match verdict {
        CompatVerdict::NoBlockerFound => GREEN,
        CompatVerdict::NotTried => YELLOW,
        _ => RED,
    }
}

const fn tone(verdict: CompatVerdict) -> Tone {
    match verdict {
        CompatVerdict::NoBlockerFound => Tone::Good,
        CompatVerdict::NotTried => Tone::Caution,
        _ => Tone::Bad,
    }
}

/// A verdict, with the package that is its cause.
fn words(package: &CompatPackage, verdict: CompatVerdict) -> String {
    match &package.blocked_by {
        Some(blocker) => format!("{verdict} (because of {blocker})"),
        None => verdict.to_string(),
    }
}

/// How calls scale, and what one thread costs; without rows if nothing was measured.
fn scaling(compat: &Compat) -> Table {
    let rows = compat.packages.iter().flat_map(|package| {
        let builds = package.builds.iter();
        builds.flat_map(|(tag, on)| on.scaling.iter().map(move |one| (tag, one)))
    });
    let rows: Vec<_> = rows.collect();
    let figures = |heading: &str, figure: &dyn Fn(&MeasuredCall) -> Figure| {
        Column::figures(heading, rows.iter().map(|(_, one)| figure(one).text()))
    };
    Table::new(vec![
        Column::words("call", rows.iter().map(|(_, one)| one.call.as_str())),
        Column::words("build", rows.iter().map(|(tag, _)| tag.as_str())),
        Column::figures("threads", rows.iter().map(|(_, one)| one.workers)),
        figures("speedup", &|one| Figure::ratio(one.speedup, None)),
        figures("% of ceiling", &|one| Figure::percent(one.ceiling_fraction)),
        figures("one thread / with GIL", &|one| Figure::ratio(one.overhead, None)),
        Column::words("verdict", rows.iter().map(|(_, one)| curve_words(one.verdict))),
    ])
}

const fn curve_words(verdict: CurveVerdict) -> &'static str {
    match verdict {
        CurveVerdict::AsTheMachine => "scales as the machine",
        CurveVerdict::Scales => "scales",
        CurveVerdict::DoesNotScale => "does not scale",
        CurveVerdict::Slower => "slower",
        CurveVerdict::CannotTell => "cannot tell",
    }
}

/// The version of a package on all builds.
fn version(package: &CompatPackage) -> &str {
    let is_resolved = package.builds.values().any(|on| on.version.is_some());
    match &package.version {
        Some(version) => version,
        None if is_resolved => "differs",
        None => units::UNKNOWN,
    }
}

/// What was found on each build.
fn table(compat: &Compat) -> Table {
    let packages = || compat.packages.iter();
    let mut columns = vec![
        Column::words("package", packages().map(|package| package.name.as_str())),
        Column::words("version", packages().map(version)),
    ];
    for build in &compat.builds {
        let on = |package: &CompatPackage| package.builds.get(&build.tag).cloned();
        let verdicts = packages().map(|package| match on(package) {
            Some(on) => Cell::from(on.verdict).toned(tone(on.verdict)),
            None => Cell::from("not required"),
        });
        columns.push(Column::words(&build.tag, verdicts));
        let files = packages().map(|package| on(package).map_or("", |on| distribution(&on)));
        columns.push(Column::words("file", files));
        let evidence = packages().map(|package| on(package).map_or_else(String::new, |on| evidence(&on)));
        columns.push(Column::words("rests on", evidence));
    }
    let declared = packages().map(|package| {
        let classifiers = package.builds.values().filter_map(|on| on.classifier.clone());
        classifiers.into_iter().next().unwrap_or_default()
    });
    let declared: Vec<String> = declared.collect();
    if declared.iter().any(|classifier| !classifier.is_empty()) {
        columns.push(Column::words("declares", declared));
    }
    columns.push(Column::words(
        "required by",
        packages().map(|package| package.required_by.join(", ")),
    ));
    Table::new(columns)
}

/// The file that a build gets, in a word or two.
const fn distribution(on: &PackageOnBuild) -> &'static str {
    match on.distribution {
        Distribution::BuildWheel => "wheel",
        Distribution::StableAbiWheel => "stable ABI",
        Distribution::IndependentWheel => "any build",
        Distribution::GilOnlyWheel => "GIL only",
        Distribution::SourceOnly => "source",
        Distribution::Local => "local",
        Distribution::Nothing => "none",
    }
}

/// What a verdict rests on: the strongest evidence, with how much of it there is.
fn evidence(on: &PackageOnBuild) -> String {
    match on.rests_on.last() {
        Some(Evidence::Stressed | Evidence::Measured) => {
            let calls: u64 = on.calls.iter().map(|call| call.calls).sum();
            format!("{calls} calls in threads")
        }
        Some(Evidence::Imported) => text::counted(on.imports.len() as u64, "import"),
        Some(Evidence::Installed) => "installed".to_owned(),
        Some(Evidence::Resolved) => "the index".to_owned(),
        None => String::new(),
    }
}

/// The packages whose versions differ between builds.
fn different_versions(compat: &Compat) -> Table {
    let packages = resolved_differently(compat);
    let mut columns = vec![Column::words(
        "package",
        packages.iter().map(|package| package.name.as_str()),
    )];
    for build in &compat.builds {
        let versions = packages.iter().map(|package| {
            let on = package.builds.get(&build.tag);
            on.and_then(|on| on.version.clone())
                .unwrap_or_else(|| "not required".to_owned())
        });
        columns.push(Column::words(&build.tag, versions));
    }
    Table::new(columns)
}

/// The result as GitHub-flavoured Markdown. What comes from packages is escaped.
#[must_use]
pub fn markdown(compat: &Compat) -> String {
    let mut text = format!("**{}**\n\n", escape(&headline(compat)));
    text.push_str(&table(compat).markdown());
    let scaling = scaling(compat);
    if !scaling.is_empty() {
        let _ = write!(text, "\n{}", scaling.markdown());
    }
    let differently = different_versions(compat);
    if !differently.is_empty() {
        let _ = write!(text, "\nResolved differently:\n\n{}", differently.markdown());
    }
    let blocked = blockers(compat);
    if !blocked.is_empty() {
        text.push_str("\nBlockers:\n\n");
    }
    for package in blocked {
        let _ = writeln!(
            text,
            "- **{}**: {}",
            escape(&package.name),
            escape(&blocker(compat, package))
        );
    }
    text
}

/// A text about a package, for its maintainers: what was tried, and what happened.
#[must_use]
pub fn issue(compat: &Compat, package: &CompatPackage) -> String {
    let builds = package.builds.iter().map(|(tag, on)| {
        let build = compat.builds.iter().find(|build| build.tag == *tag);
        let kind = match build {
            Some(build) if build.free_threaded => "free-threaded build",
            _ => "build with a GIL",
        };
        let version = build.map_or("", |build| build.version.as_str());
        let package = on.version.as_deref().unwrap_or("unknown");
        format!(
            "- CPython {version} ({kind}), {package}: {}{}",
            on.verdict,
            because(on)
        )
    });
    let mut text = format!(
        "{} on free-threaded CPython: {}\n\nTried with `ftbench compat` on {}:\n\n{}\n",
        text::line(&package.name),
        package.verdict,
        compat.platform,
        builds.map(|line| text::line(&line)).join("\n")
    );
    let failed = package.builds.values().flat_map(|on| {
        let imports = on
            .imports
            .iter()
            .map(|import| (import.module.as_str(), &import.attempt));
        let calls = on.calls.iter().map(|call| (call.call.as_str(), &call.attempt));
        let threads = on.imports_in_threads.iter();
        let threads = threads.map(|attempt| ("all modules in several threads at once", attempt));
        imports.chain(threads).chain(calls)
    });
    let failed = failed.filter(|(_, attempt)| attempt.outcome != Outcome::Works);
    for (what, attempt) in failed.unique_by(|(what, _)| *what).take(3) {
        let lines: Vec<&str> = attempt.traceback.lines().collect();
        // The innermost function is at the top after a crash, and at the bottom of an exception's traceback.
        let first = match attempt.outcome {
            Outcome::Crashes => 0,
            _ => lines.len().saturating_sub(MAX_TRACEBACK_LINES),
        };
        let shown = lines.iter().skip(first).take(MAX_TRACEBACK_LINES);
        let tail = shown.copied().collect::<Vec<_>>().join("\n");
        let _ = write!(
            text,
            "\n`{}`: {}\n\n```text\n{}\n```\n",
            text::line(what).replace('`', "'"),
            text::line(&attempt.reason),
            tail.replace("```", "'''")
        );
    }
    text
}

fn because(on: &PackageOnBuild) -> String {
    match on.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    }
}

/// The sentence if there are no changes.
const NO_CHANGES: &str = "nothing changed since then\n";

/// What changed since an earlier result, for a terminal.
#[must_use]
pub fn changes(changes: &[Change<'_>], style: Style) -> String {
    match changes {
        [] => NO_CHANGES.to_owned(),
        changes => format!("{}\n", table_of_changes(changes).list(style)),
    }
}

/// What changed since an earlier result, as GitHub-flavoured Markdown.
#[must_use]
pub fn changes_markdown(changes: &[Change<'_>]) -> String {
    match changes {
        [] => NO_CHANGES.to_owned(),
        changes => table_of_changes(changes).markdown(),
    }
}

fn table_of_changes(changes: &[Change<'_>]) -> Table {
    let side = |on: Option<&PackageOnBuild>| {
        on.map_or_else(
            || "not required".to_owned(),
            |on| format!("{} {}", on.version.as_deref().unwrap_or_default(), on.verdict),
        )
    };
    let verdict = |on: Option<&PackageOnBuild>| on.map_or(CompatVerdict::NoBlockerFound, |on| on.verdict);
    Table::new(vec![
        Column::words("package", changes.iter().map(|change| change.name)),
        Column::words("build", changes.iter().map(|change| change.build)),
        Column::words("before", changes.iter().map(|change| side(change.before))),
        Column::words(
            "now",
            changes.iter().map(|change| {
                let now = verdict(change.after);
                Cell::from(side(change.after)).toned(match now.cmp(&verdict(change.before)) {
                    std::cmp::Ordering::Less => Tone::Good,
                    std::cmp::Ordering::Equal => Tone::Plain,
                    std::cmp::Ordering::Greater => Tone::Bad,
                })
            }),
        ),
    ])
}

#[cfg(test)]
#[path = "tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
