//! The bundled font, for plotters to measure with and for resvg to draw with.

use std::sync::{Arc, LazyLock};

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use resvg::usvg::fontdb::{Database, Source};

use super::error::ChartError;
use ftbench_schema::text;

/// Inter's two weights, under the SIL Open Font License 1.1, which stands beside them.
pub(super) const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
pub(super) const SEMI_BOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");

/// The family that an SVG asks for: the bundled font, and what a viewer may take where it does not have it. plotters knows
/// the bundled font by this whole list.
pub(super) const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

/// plotters measures with the height of a line for the size, which is 1.21 em in Inter; somewhat more leaves room for other
/// fonts.
const SIZE_TO_EM: f64 = 1.24;

static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
        && register_font(FAMILY, FontStyle::Bold, SEMI_BOLD).is_ok()
});

/// Makes the font known to plotters.
pub(super) fn register() -> Result<(), ChartError> {
    if *REGISTERED {
        Ok(())
    } else {
        Err(ChartError::Font)
    }
}

/// Text size, em in pixels, and weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Face {
    pub em: f64,
    pub bold: bool,
}

/// plotters returns whole pixels, rounded down; a hundredfold size gives hundredths.
const FINER: f64 = 100.0;

impl Face {
    pub(super) const fn style(self) -> FontStyle {
        if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        }
    }

    /// Measures the width of a text, pixels. plotters measures some 2.5 % too wide, which leaves room for other fonts.
    pub(super) fn width(self, words: &str) -> f64 {
        let size = self.em * SIZE_TO_EM * FINER;
        FontDesc::new(FontFamily::Name(FAMILY), size, self.style())
            .layout_box(words)
            .map_or_else(
                |_| self.em * 0.6 * f64::from(u32::try_from(words.chars().count()).unwrap_or(u32::MAX)),
                |(_, (width, _))| f64::from(width) / FINER,
            )
    }

    /// Cuts the text to as much of its beginning as fits with an ellipsis.
    pub(super) fn fit(self, words: &str, room: f64) -> String {
        // Room that was made for the text may have lost its last digits since.
        let room = room + 1.0 / FINER;
        if self.width(words) <= room {
            return words.to_owned();
        }
        let characters = words.chars().count();
        let (mut fits, mut too_long) = (0, characters);
        while too_long - fits > 1 {
            let middle = fits.midpoint(too_long);
            if self.width(&text::shorten(words, middle)) <= room {
                fits = middle;
            } else {
                too_long = middle;
            }
        }
        text::shorten(words, fits)
    }

    /// Breaks the text into at most `most` lines, cut where there is no room.
    pub(super) fn wrap(self, words: &str, room: f64, most: usize) -> Vec<String> {
        Measured::of(self, words).wrap(room, most)
    }

    /// Breaks the text into at most two lines, about as long as each other.
    pub(super) fn balance(self, words: &str, room: f64) -> Vec<String> {
        let measured = Measured::of(self, words);
        let mut lines = measured.wrap(room, 2);
        let mut narrower = room;
        while lines.len() == 2 && narrower > room / 2.0 {
            narrower -= room / 40.0;
            let tried = measured.wrap(narrower, 2);
            if tried.join(" ") != lines.join(" ") {
                break;
            }
            lines = tried;
        }
        lines
    }
}

/// The words of a text, each measured once however often lines are broken. plotters adds up advances, and what a `kern`
/// table takes off, which Inter's files do not have: a line is as wide as its words and the spaces between them.
struct Measured<'text> {
    face: Face,
    space: f64,
    words: Vec<(&'text str, f64)>,
}

impl<'text> Measured<'text> {
    fn of(face: Face, text: &'text str) -> Self {
        // What was rounded down must not add up to less than the line.
        let at_most = |words: &str| face.width(words) + 1.0 / FINER;
        Self {
            face,
            space: at_most(" "),
            words: unbreakable(text)
                .into_iter()
                .map(|word| (word, at_most(word)))
                .collect(),
        }
    }

    fn wrap(&self, room: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line_width = 0.0;
        for &(word, width) in &self.words {
            let longer = line_width + self.space + width;
            match lines.last_mut() {
                Some(line) if longer <= room => {
                    line.push(' ');
                    line.push_str(word);
                    line_width = longer;
                }
                _ => {
                    lines.push(word.to_owned());
                    line_width = width;
                }
            }
        }
        if lines.len() > most {
            let rest = lines.split_off(most.saturating_sub(1)).join(" ");
            lines.push(rest);
        }
        lines.iter().map(|line| self.face.fit(line, room)).collect()
    }
}

/// The parts between which a line may break: words, but a number and the `%` behind it are one.
fn unbreakable(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (space, _) in text.match_indices(' ') {
        if !text.get(space + 1..).unwrap_or_default().starts_with('%') {
            parts.extend(text.get(start..space));
            start = space + 1;
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.is_empty());
    parts
}

/// The font for resvg.
pub(super) fn database() -> Arc<Database> {
    static DATABASE: LazyLock<Arc<Database>> = LazyLock::new(|| {
        let mut database = Database::new();
        for bytes in [REGULAR, SEMI_BOLD] {
            database.load_font_source(Source::Binary(Arc::new(bytes)));
        }
        database.set_sans_serif_family("Inter");
        Arc::new(database)
    });
    Arc::clone(&DATABASE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PROSE: &str = "Intervals cover 95 % of runs like this one, by the exact distribution of a resampled median; \
                         a line without one had too few rounds. AV To LT, Yes: pairs that other fonts kern.";

    #[test]
    fn lines_of_words_that_fit_are_not_cut() {
        register().unwrap();
        for (em, bold) in [(11.0, false), (12.0, false), (13.0, true), (20.0, true)] {
            let face = Face { em, bold };
            for room in 120..1_000 {
                let lines = face.wrap(PROSE, f64::from(room), usize::MAX);
                assert_eq!(lines.join(" "), PROSE, "{face:?}, {room} pixels");
            }
        }
    }

    #[test]
    fn a_line_is_as_wide_as_its_parts() {
        register().unwrap();
        for bold in [false, true] {
            let face = Face { em: 12.0, bold };
            let parts: Vec<f64> = PROSE.split_inclusive(' ').map(|part| face.width(part)).collect();
            let off = face.width(PROSE) - parts.iter().sum::<f64>();
            let rounding = f64::from(u32::try_from(parts.len()).unwrap()) / FINER;
            assert!((0.0..=rounding).contains(&off), "{off} pixels, {face:?}");
        }
    }
}
