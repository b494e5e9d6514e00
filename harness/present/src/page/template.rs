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

use super::model::Page;
use super::{PageError, escape};
use crate::chart::Theme;
use ftbench_schema::Model;

const PAGE: &str = include_str!("../../assets/report/page.html");
const STYLE: &str = include_str!("../../assets/report/style.css");
/// In the order in which they need each other.
const SCRIPTS: [&str; 6] = [
    include_str!("../../assets/report/dom.js"),
    include_str!("../../assets/report/scale.js"),
    include_str!("../../assets/report/chart.js"),
    include_str!("../../assets/report/spread.js"),
    include_str!("../../assets/report/table.js"),
    include_str!("../../assets/report/main.js"),
];

/// The page as HTML.
pub fn fill(page: &Page) -> Result<String, PageError> {
    let style = style();
    let script = script();
    let charts: Vec<_> = page.workloads.iter().map(|workload| &workload.charts).collect();
    let environment = environment(PAGE)?;
    let filled = environment.get_template("page.html")?.render(context! {
        page => Value::from(Serde(page)),
        policy => policy(&style, &script),
        style => Value::from_safe_string(style),
        script => Value::from_safe_string(script),
        charts => Value::from_safe_string(escape::json(&charts)?),
    })?;
    Ok(filled)
}

/// Fills the template of a page without scripts, whose charts are drawings of our own: `page.charts` gets them as `svg`.
pub(crate) fn fill_static(
    template: &str,
    page: &impl Serialize,
    style: &str,
    svgs: &[String],
) -> Result<String, PageError> {
    let environment = environment(template)?;
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    let svgs: Vec<Value> = svgs.iter().cloned().map(Value::from_safe_string).collect();
    let filled = environment.get_template("page.html")?.render(context! {
        page => Value::from(Serde(page)),
        policy,
        style => Value::from_safe_string(style.to_owned()),
        svgs,
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
    environment.add_template("page.html", template)?;
    Ok(environment)
}

/// Nothing may be fetched or run but this style and this script
/// (<https://www.w3.org/TR/CSP3/#grammardef-hash-source>).
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// The style sheet, with the colours that models have in every chart.
pub(crate) fn style() -> String {
    let mut style = String::new();
    let dark = colours(&Theme::DARK);
    // Writing to a string does not fail. Paper is light whatever the reader's setting.
    let _ = write!(
        style,
        ":root{{{}}}@media screen{{:root[data-theme=\"dark\"]{{{dark}}}}}\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n{STYLE}",
        colours(&Theme::LIGHT)
    );
    style
}

fn colours(theme: &Theme) -> String {
    let colour = |chart_colour: crate::chart::Colour| {
        format!("rgb({} {} {})", chart_colour.0, chart_colour.1, chart_colour.2)
    };
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
    ];
    for (name, value) in named {
        let _ = write!(variables, "--{name}:{};", colour(value));
    }
    variables
}

/// The scripts in one scope of their own, none of whose names are the page's.
fn script() -> String {
    format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.join("\n"))
}
