//! Fills the template: style and script go in as they are, with their hashes in the page's Content-Security-Policy, and
//! everything else through the template engine's escaping.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::PageError;
use super::model::Page;
use crate::chart::{self, ChartError, Theme};
use ftbench_schema::Model;

/// The head of every page.
const HEAD: &str = include_str!("../../assets/head.html");
const PAGE: &str = include_str!("../../assets/report/page.html");
const STYLE: &str = include_str!("../../assets/report/style.css");
const CHART_STYLE: &str = include_str!("../../assets/chart.css");
/// In the order in which they need each other.
const SCRIPTS: [&str; 4] = [
    include_str!("../../assets/report/dom.js"),
    include_str!("../../assets/report/chart.js"),
    include_str!("../../assets/report/table.js"),
    include_str!("../../assets/report/main.js"),
];

/// Fills the template of the report.
pub fn fill(page: &Page) -> Result<String, PageError> {
    let style = style(page.workloads.iter().flat_map(|workload| workload.charts.svgs()))?;
    fill_page(PAGE, page, &style, &SCRIPTS)
}

/// Fills the template of a page, which may have scripts.
pub(crate) fn fill_page(
    template: &str,
    page: &impl Serialize,
    style: &str,
    scripts: &[&str],
) -> Result<String, PageError> {
    let script = (!scripts.is_empty()).then(|| script(scripts));
    let environment = environment(template)?;
    let filled = environment.get_template("page.html")?.render(context! {
        page => Value::from(Serde(page)),
        policy => policy(style, script.as_deref()),
        style => Value::from_safe_string(style.to_owned()),
        script => Value::from_safe_string(script.unwrap_or_default()),
    })?;
    Ok(filled)
}

fn environment(template: &str) -> Result<Environment<'_>, PageError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.add_template("head.html", HEAD)?;
    environment.add_template("page.html", template)?;
    Ok(environment)
}

/// Allows this style, the font in it and this script, and nothing else to be fetched or run
/// (<https://www.w3.org/TR/CSP3/#grammardef-hash-source>).
fn policy(style: &str, script: Option<&str>) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let script = script.map_or_else(String::new, |script| {
        format!(" script-src 'sha256-{}';", hash(script))
    });
    format!(
        "default-src 'none'; style-src 'sha256-{}'; font-src data:;{script} base-uri 'none'; form-action 'none'",
        hash(style)
    )
}

/// The style sheet of a page with these drawings: their colours, which every chart has, and their font.
pub(crate) fn style<'a>(svgs: impl IntoIterator<Item = &'a str>) -> Result<String, ChartError> {
    let dark = colours(&Theme::DARK);
    // Paper is light whatever the reader's setting.
    Ok(format!(
        ":root{{{}}}@media screen{{:root[data-theme=\"dark\"]{{{dark}}}}}\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n{}{STYLE}{CHART_STYLE}",
        colours(&Theme::LIGHT),
        chart::page_font(svgs)?
    ))
}

fn colours(theme: &Theme) -> String {
    let colour = |colour: chart::Colour| format!("rgb({} {} {})", colour.0, colour.1, colour.2);
    let mut variables = String::new();
    for model in Model::ALL.into_iter().filter(|model| model.family() == *model) {
        let _ = write!(variables, "--{}:{};", model.name(), colour(theme.of(model)));
    }
    let named = [
        ("background", theme.background),
        ("text", theme.text),
        ("muted", theme.muted),
        ("grid", theme.grid),
        ("reference", theme.reference),
        ("disturbed", theme.disturbed),
        ("better", theme.better),
    ];
    for (name, value) in named {
        let _ = write!(variables, "--{name}:{};", colour(value));
    }
    variables
}

/// Puts the scripts into one scope of their own, whose names are not the page's.
fn script(scripts: &[&str]) -> String {
    format!("(() => {{\n\"use strict\";\n{}}})();\n", scripts.join("\n"))
}
