//! The result as a page: one HTML file that needs nothing else, with a table that can be sorted.

use serde::Serialize;

use super::{blocker, curve_words, distribution, evidence, headline, some, version, words};
use crate::page::{self, PageError};
use crate::rows::Figure;
use ftbench_analyse::compat::blockers;
use ftbench_schema::{Compat, CompatPackage, CompatVerdict, GilDeclaration, Outcome, PackageOnBuild, text};

const PAGE: &str = include_str!("../../assets/compat/page.html");
const STYLE: &str = include_str!("../../assets/compat/style.css");
const SCRIPTS: [&str; 3] = [
    include_str!("../../assets/report/dom.js"),
    include_str!("../../assets/report/table.js"),
    include_str!("../../assets/compat/main.js"),
];

#[derive(Serialize)]
struct Page {
    headline: String,
    subtitle: String,
    builds: Vec<String>,
    blockers: Vec<Blocker>,
    packages: Vec<Row>,
}

#[derive(Serialize)]
struct Blocker {
    name: String,
    why: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    verdict: String,
    /// For sorting: the larger, the worse.
    severity: usize,
    tone: &'static str,
    required_by: String,
    tracker: Option<String>,
    on: Vec<On>,
}

#[derive(Serialize)]
struct On {
    tag: String,
    verdict: String,
    tone: &'static str,
    file: &'static str,
    evidence: String,
    reason: String,
    facts: Vec<String>,
    tracebacks: Vec<String>,
}

/// Makes the page as HTML.
///
/// # Errors
/// When the template engine or the drawing library refuses.
pub fn html(compat: &Compat) -> Result<String, PageError> {
    let page = Page {
        headline: headline(compat),
        subtitle: format!(
            "{} on {}, {}, ftbench {}",
            some(compat.requested.iter().map(String::as_str)),
            compat.platform,
            compat.started.get(..10).unwrap_or(&compat.started),
            compat.ftbench
        ),
        builds: compat.builds.iter().map(|build| build.tag.clone()).collect(),
        blockers: blockers(compat)
            .into_iter()
            .map(|package| Blocker {
                name: package.name.clone(),
                why: blocker(compat, package),
            })
            .collect(),
        packages: compat
            .packages
            .iter()
            .map(|package| row(compat, package))
            .collect(),
    };
    let style = format!("{}{STYLE}", page::style([])?);
    page::fill_page(PAGE, &page, &style, &SCRIPTS)
}

fn row(compat: &Compat, package: &CompatPackage) -> Row {
    let on = compat
        .builds
        .iter()
        .map(|build| match package.builds.get(&build.tag) {
            Some(on) => of_build(&build.tag, on),
            None => On {
                tag: build.tag.clone(),
                verdict: "not required".to_owned(),
                tone: "flat",
                file: "",
                evidence: String::new(),
                reason: String::new(),
                facts: Vec::new(),
                tracebacks: Vec::new(),
            },
        });
    let severity = CompatVerdict::ALL
        .iter()
        .position(|verdict| *verdict == package.verdict);
    Row {
        name: text::line(&package.name),
        version: version(package).to_owned(),
        verdict: words(package, package.verdict),
        severity: severity.unwrap_or_default(),
        tone: tone(package.verdict),
        required_by: package.required_by.join(", "),
        // An address of another kind could be a script.
        tracker: package
            .tracker
            .clone()
            .filter(|tracker| tracker.starts_with("https://")),
        on: on.collect(),
    }
}

fn of_build(tag: &str, on: &PackageOnBuild) -> On {
    let mut facts: Vec<String> = Vec::new();
    facts.extend(on.wheel.as_ref().map(|wheel| format!("file: {wheel}")));
    facts.extend(
        on.classifier
            .as_ref()
            .map(|level| format!("declares: Free Threading {level}")),
    );
    for import in &on.imports {
        facts.push(match import.attempt.outcome {
            Outcome::Works => format!("import {}: works", import.module),
            _ => format!("import {}: {}", import.module, import.attempt.reason),
        });
        for extension in &import.extensions {
            let declared = match extension.gil {
                GilDeclaration::NotNeeded => continue,
                GilDeclaration::Needed => "declares that it needs the GIL",
                GilDeclaration::Nothing => "declares nothing about the GIL",
                GilDeclaration::Unknown => "what it declares is not known",
            };
            facts.push(format!("{}: {declared}", extension.module));
        }
        facts.extend(import.warnings.iter().map(|warning| format!("warns: {warning}")));
    }
    for call in &on.calls {
        facts.push(match call.attempt.outcome {
            Outcome::Works => format!(
                "{}: {} equal results in {} threads",
                call.call, call.calls, call.threads
            ),
            _ => format!("{}: {}", call.call, call.attempt.reason),
        });
    }
    for one in &on.scaling {
        let speedup = Figure::ratio(one.speedup, None).text();
        let words = curve_words(one.verdict);
        facts.push(format!(
            "{}: {words}, speedup {speedup} with {} threads",
            one.call, one.workers
        ));
    }
    let attempts = on.imports.iter().map(|import| &import.attempt);
    let attempts = attempts
        .chain(&on.imports_in_threads)
        .chain(on.calls.iter().map(|call| &call.attempt));
    On {
        tag: tag.to_owned(),
        verdict: on.verdict.to_string(),
        tone: tone(on.verdict),
        file: distribution(on),
        evidence: evidence(on),
        reason: on.reason.clone(),
        facts: facts.iter().map(|fact| text::line(fact)).collect(),
        tracebacks: attempts
            .filter(|attempt| !attempt.traceback.is_empty())
            .map(|attempt| attempt.traceback.clone())
            .collect(),
    }
}

const fn tone(verdict: CompatVerdict) -> &'static str {
    match verdict {
        CompatVerdict::NoBlockerFound => "good",
        CompatVerdict::NotTried => "warn",
        _ => "bad",
    }
}
