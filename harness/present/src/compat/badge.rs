//! A badge: two boxes with words, for a README.

use std::fmt::Write;

use ftbench_schema::text::escape_markup as escape;
use ftbench_schema::{Compat, CompatVerdict};

/// Height, in pixels, as of the badges that READMEs have.
const HEIGHT: usize = 20;

/// Space beside words, pixels.
const PADDING: usize = 6;

/// Width of a character of the font, on average, in tenths of a pixel. `textLength` makes the words fit.
const CHARACTER_TENTHS: usize = 66;

/// Draws the tree's verdict on its builds as SVG.
#[must_use]
pub fn badge(compat: &Compat) -> String {
    let builds: Vec<&str> = compat.builds.iter().map(|build| build.tag.as_str()).collect();
    let label = format!("Python {}", builds.join(", "));
    let verdict = compat.verdict.to_string();
    let colour = match compat.verdict {
        CompatVerdict::NoBlockerFound => "#166d30",
        CompatVerdict::NotTried => "#825000",
        _ => "#b41c26",
    };
    let width = |words: &str| words.chars().count() * CHARACTER_TENTHS / 10;
    let (left, right) = (width(&label), width(&verdict));
    let (left_box, right_box) = (left + 2 * PADDING, right + 2 * PADDING);
    let title = escape(&format!("{label}: {verdict}"));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\">\
         <title>{title}</title>\
         <rect width=\"{left_box}\" height=\"{HEIGHT}\" fill=\"#444c56\"/>\
         <rect x=\"{left_box}\" width=\"{right_box}\" height=\"{HEIGHT}\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">",
        left_box + right_box
    );
    for (x, length, words) in [(PADDING, left, &label), (left_box + PADDING, right, &verdict)] {
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<text x=\"{x}\" y=\"14\" textLength=\"{length}\">{}</text>",
            escape(words)
        );
    }
    svg.push_str("</g></svg>\n");
    svg
}
