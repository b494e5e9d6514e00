//! Puts the font into an SVG or a page, so that the file looks the same wherever it is opened: of each weight the letters
//! that its pictures have, some 30 kB, as an OpenType font in a `data:` address.

use std::collections::BTreeSet;

use allsorts::binary::read::ReadScope;
use allsorts::font::MatchingPresentation;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resvg::usvg::roxmltree::{Document, Node};

use super::error::ChartError;
use super::font::{REGULAR, SEMI_BOLD};

/// The name of the font in pictures.
const NAME: &str = "Inter";

/// The glyph in place of those that a font lacks, which every font begins with.
const MISSING: u16 = 0;

/// Adds the font to a picture. Letters that the font lacks are left to the viewer's own.
///
/// # Errors
/// When it is not an SVG of [`super::svg`]'s.
pub(super) fn with_font(svg: &str) -> Result<String, ChartError> {
    let document = Document::parse(svg).map_err(resvg::usvg::Error::ParsingFailed)?;
    let rules = rules([false, true].map(|bold| letters(&document, bold)))?;
    if rules.is_empty() {
        return Ok(svg.to_owned());
    }
    let style = format!("<style>\n{rules}</style>\n");
    let at = document
        .root_element()
        .children()
        // What is read aloud has to come first.
        .find(|node| node.is_element() && !has_name(node, &["title", "desc"]))
        .map_or(svg.len(), |first| first.range().start);
    let (before, behind) = svg.split_at_checked(at).unwrap_or((svg, ""));
    Ok([before, &style, behind].concat())
}

/// The rules of a style sheet for these pictures.
///
/// # Errors
/// When one of them is not an SVG of [`super::page_svg`]'s or [`super::page_body`]'s.
pub(super) fn rules_for<'a>(svgs: impl IntoIterator<Item = &'a str>) -> Result<String, ChartError> {
    let mut all = [BTreeSet::new(), BTreeSet::new()];
    for svg in svgs {
        let document = Document::parse(svg).map_err(resvg::usvg::Error::ParsingFailed)?;
        for (letters_so_far, bold) in all.iter_mut().zip([false, true]) {
            letters_so_far.extend(letters(&document, bold));
        }
    }
    rules(all)
}

/// A rule for each weight, the regular one first, that has letters.
fn rules(letters: [BTreeSet<char>; 2]) -> Result<String, ChartError> {
    let mut rules = String::new();
    for ((font, weight), letters) in [(REGULAR, "normal"), (SEMI_BOLD, "bold")]
        .into_iter()
        .zip(letters)
    {
        if !letters.is_empty() {
            let part = STANDARD.encode(part_of(font, &letters)?);
            rules.push_str(&format!(
                "@font-face{{font-family:{NAME};font-weight:{weight};\
                 src:url(data:font/otf;base64,{part}) format(\"opentype\")}}\n"
            ));
        }
    }
    Ok(rules)
}

/// Whether an element of SVG has one of these names.
fn has_name(node: &Node<'_, '_>, names: &[&str]) -> bool {
    node.is_element() && names.contains(&node.tag_name().name())
}

/// Collects the letters of a picture in one weight.
fn letters(document: &Document<'_>, bold: bool) -> BTreeSet<char> {
    document
        .descendants()
        .filter(|node| has_name(node, &["text"]))
        .filter(|node| (node.attribute("font-weight") == Some("bold")) == bold)
        .flat_map(|node| node.descendants().filter_map(|inner| inner.text()))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_control())
        .collect()
}

/// Cuts the part with these letters out of a font.
fn part_of(font: &[u8], letters: &BTreeSet<char>) -> Result<Vec<u8>, ChartError> {
    let data = ReadScope::new(font)
        .read::<FontData<'_>>()
        .map_err(|_| ChartError::Font)?;
    let tables = || data.table_provider(0).map_err(|_| ChartError::Font);
    let mut named = allsorts::Font::new(tables()?).map_err(|_| ChartError::Font)?;
    let mut glyphs = BTreeSet::from([MISSING]);
    for letter in letters {
        glyphs.insert(
            named
                .lookup_glyph_index(*letter, MatchingPresentation::NotRequired, None)
                .0,
        );
    }
    let glyphs: Vec<u16> = glyphs.into_iter().collect();
    // Browsers read no other kind of table of letters.
    subset(&tables()?, &glyphs, &SubsetProfile::Minimal, CmapTarget::Unicode).map_err(|_| ChartError::Font)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use resvg::usvg::fontdb::Database;

    use super::*;
    use crate::chart;
    use crate::chart::gallery::scaling;
    use ftbench_fixtures::summaries;

    /// The fonts in a picture.
    fn fonts(svg: &str) -> Vec<Vec<u8>> {
        svg.split("base64,")
            .skip(1)
            .map(|part| STANDARD.decode(part.split(')').next().unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn a_picture_carries_its_letters() {
        let bare = chart::svg(&scaling(&summaries::two_cores(), "fib")).unwrap();
        let svg = with_font(&bare).unwrap();
        assert_eq!(svg, with_font(&bare).unwrap());
        let fonts = fonts(&svg);
        assert_eq!(fonts.len(), 2);
        for font in &fonts {
            assert!(font.len() < 40_000, "{} bytes", font.len());
            let mut database = Database::new();
            database.load_font_data(font.clone());
            assert_eq!(database.faces().count(), 1);
        }
        // What was drawn is drawn, and what is read aloud comes first.
        let (before, rest) = svg.split_once("<style>\n").unwrap();
        let (_, behind) = rest.split_once("</style>\n").unwrap();
        assert_eq!([before, behind].concat(), bare);
        assert!(svg.find("</desc>").unwrap() < svg.find("<style>").unwrap());
        let document = Document::parse(&svg).unwrap();
        assert!(letters(&document, true).contains(&'f') && letters(&document, false).contains(&'2'));
    }

    #[test]
    fn letters_that_the_font_lacks_are_left_out() {
        let text = |words: &str| {
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><title>t</title><text>{words}</text></svg>")
        };
        let [latin, more] = [text("ab"), text("ab\u{1f40d}\u{3042}")].map(|svg| with_font(&svg).unwrap());
        assert_eq!(fonts(&latin), fonts(&more));
        let none = with_font("<svg xmlns=\"http://www.w3.org/2000/svg\"><title>t</title></svg>").unwrap();
        assert!(fonts(&none).is_empty());
        assert!(with_font("not a picture").is_err());
    }
}
