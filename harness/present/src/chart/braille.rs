//! A chart as text: its lines and bars as braille patterns of two by four dots, its words as words.
//!
//! The body is laid out as for a picture, for a grid of characters that are about as wide as the chart's letters. What is
//! not text is rasterised with one pixel for each dot; grid lines and bands are too faint to set any.

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};
use resvg::usvg::roxmltree::{Document, Node};

use anstyle::{Ansi256Color, Color, Style as Ansi};

use super::drawn::Chart;
use super::error::{ChartError, Size};
use super::frame;
use super::png::rasterise;
use super::svg::Target;
use crate::style::{BOLD, DIM, Style, wrapped};
use ftbench_schema::text;

/// Pixels of the chart in a character, across and down.
const CELL: Size = Size { width: 7, height: 14 };
/// Dots in a character, across and down.
const DOTS: (u32, u32) = (2, 4);
/// Pixels to a dot. Characters are twice as high as wide, so dots are square.
const DOT_SCALE: f32 = 2.0 / 7.0;

/// The bits of the dots of a character, from top to bottom, of the left and of the right column (Unicode 15, Braille
/// Patterns).
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BLANK_PATTERN: u32 = 0x2800;

/// The opacity from which a pixel sets its dot.
const MIN_ALPHA: u8 = 110;

/// The narrowest body, characters, and its height if nothing else is known.
const MIN_COLUMNS: u16 = 60;
const MIN_ROWS: u16 = 16;

/// Draws a chart as text for a terminal with this many rows, with a final newline.
///
/// # Errors
/// When the drawing library refuses.
pub fn braille(chart: &Chart, style: Style, rows: Option<u16>) -> Result<String, ChartError> {
    let columns = style.text_width().max(MIN_COLUMNS);
    let rows = rows
        .map_or(MIN_ROWS + 4, |rows| rows.saturating_sub(8))
        .max(MIN_ROWS);
    let mut parts: Vec<String> = Vec::new();
    let paragraph = |ansi: Ansi, words: &str| {
        let lines = wrapped(&text::line(words), style);
        lines
            .iter()
            .map(|line| style.paint(ansi, line) + "\n")
            .collect::<String>()
    };
    parts.push(paragraph(BOLD, &chart.title));
    parts.extend(chart.subtitle.iter().map(|line| paragraph(DIM, line)));
    parts.push("\n".to_owned());
    parts.push(body(chart, style, columns, rows)?);
    parts.push("\n".to_owned());
    parts.extend(chart.caption.iter().map(|line| paragraph(DIM, line)));
    Ok(parts.concat())
}

/// The body of the chart in a grid of this many characters.
fn body(chart: &Chart, style: Style, columns: u16, rows: u16) -> Result<String, ChartError> {
    let sized = Chart {
        size: Size {
            width: u32::from(columns) * CELL.width,
            height: u32::from(rows) * CELL.height,
        },
        ..chart.clone()
    };
    let svg = frame::unframed(&sized, Target::File(chart.theme))?;
    let mut grid = Grid::new(usize::from(columns), usize::from(rows));
    // The writer gives each text a line of its own.
    let is_shape = |line: &&str| !line.starts_with("<text");
    let shapes: Vec<&str> = svg.lines().filter(is_shape).collect();
    grid.set_dots(&rasterise(&shapes.join("\n"), DOT_SCALE)?);
    let document = Document::parse(&svg).map_err(|error| ChartError::Draw(error.to_string()))?;
    let plain = [chart.theme.text.hex(), chart.theme.muted.hex()];
    for node in document.descendants().filter(|node| node.has_tag_name("text")) {
        grid.write(node, &plain);
    }
    Ok(grid.lines(style))
}

/// One character of the drawing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Square {
    character: Option<char>,
    colour: Option<[u8; 3]>,
}

/// The characters of a drawing, row by row.
struct Grid {
    columns: usize,
    squares: Vec<Square>,
}

impl Grid {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            squares: vec![Square::default(); columns * rows],
        }
    }

    fn square(&mut self, column: usize, row: usize) -> Option<&mut Square> {
        let place = row * self.columns + column;
        self.squares.get_mut(place).filter(|_| column < self.columns)
    }

    /// Sets the dots of a picture with one pixel for each.
    fn set_dots(&mut self, picture: &Pixmap) {
        let (across, down) = DOTS;
        let rows = self.squares.len() / self.columns.max(1);
        for row in 0..rows {
            for column in 0..self.columns {
                let mut bits = 0;
                let mut pixels: Vec<PremultipliedColorU8> = Vec::new();
                for (x, of_column) in (0..across).zip(BITS) {
                    for (y, bit) in (0..down).zip(of_column) {
                        let place = |square: usize, dots: u32, dot: u32| {
                            u32::try_from(square).ok().map(|square| square * dots + dot)
                        };
                        let (Some(x), Some(y)) = (place(column, across, x), place(row, down, y)) else {
                            continue;
                        };
                        let pixel = picture.pixel(x, y);
                        if let Some(pixel) = pixel.filter(|pixel| pixel.alpha() >= MIN_ALPHA) {
                            bits |= bit;
                            pixels.push(pixel);
                        }
                    }
                }
                if let Some(square) = self.square(column, row).filter(|_| bits != 0) {
                    square.character = char::from_u32(BLANK_PATTERN + u32::from(bits));
                    square.colour = Some(mean_colour(&pixels));
                }
            }
        }
    }

    /// Writes a text of the picture. `plain` are the colours of ordinary text.
    fn write(&mut self, node: Node<'_, '_>, plain: &[String; 2]) {
        let number = |name: &str| node.attribute(name)?.parse::<f64>().ok();
        let (Some(x), Some(y)) = (number("x"), number("y")) else {
            return;
        };
        let words: Vec<char> = node.text().unwrap_or_default().chars().collect();
        // Lengths are tenths of a pixel. A baseline is below the middle of its letters.
        let middle = if node.attribute("dy").is_some() {
            y / 10.0
        } else {
            y / 10.0 - 4.0
        };
        let row = (middle / f64::from(CELL.height)).floor();
        let length = words.len() as f64;
        let before = match node.attribute("text-anchor") {
            Some("middle") => length / 2.0,
            Some(_) => length,
            None => 0.0,
        };
        let first = (x / 10.0 / f64::from(CELL.width) - before).round();
        // At the right edge, move it in rather than cut it off.
        let first = first.min(self.columns as f64 - length).max(0.0);
        if row < 0.0 {
            return;
        }
        let fill = node
            .attribute("fill")
            .filter(|fill| plain.iter().all(|one| one != fill));
        let colour = fill.and_then(parse_hex);
        // A cast saturates.
        let (first, row) = (first as usize, row as usize);
        for (place, character) in words.into_iter().enumerate() {
            if let Some(square) = self.square(first + place, row) {
                *square = Square {
                    character: Some(character),
                    colour,
                };
            }
        }
    }

    fn lines(&self, style: Style) -> String {
        let line = |squares: &[Square]| {
            let used = squares.iter().rposition(|square| square.character.is_some());
            let squares = squares.get(..used.map_or(0, |last| last + 1)).unwrap_or_default();
            let runs = squares.chunk_by(|a, b| a.colour == b.colour);
            let painted = runs.map(|run| {
                let words: String = run.iter().map(|square| square.character.unwrap_or(' ')).collect();
                match run.first().and_then(|square| square.colour) {
                    Some(colour) => style.paint(nearest(colour), &words),
                    None => words,
                }
            });
            painted.collect::<String>() + "\n"
        };
        self.squares.chunks(self.columns.max(1)).map(line).collect()
    }
}

/// The mean of the colours of pixels.
fn mean_colour(pixels: &[PremultipliedColorU8]) -> [u8; 3] {
    let count = pixels.len().max(1) as f64;
    let mean = |channel: fn(PremultipliedColorU8) -> u8| {
        let share =
            |pixel: &PremultipliedColorU8| f64::from(channel(*pixel)) / f64::from(pixel.alpha().max(1));
        // Between 0 and 255; a cast saturates.
        (pixels.iter().map(share).sum::<f64>() / count * 255.0).round() as u8
    };
    [
        mean(PremultipliedColorU8::red),
        mean(PremultipliedColorU8::green),
        mean(PremultipliedColorU8::blue),
    ]
}

/// The nearest of the 6 x 6 x 6 colours that terminals have.
fn nearest(colour: [u8; 3]) -> Ansi {
    let [red, green, blue] = colour.map(|byte| (u16::from(byte) * 5 + 127) / 255);
    let number = u8::try_from(16 + 36 * red + 6 * green + blue).unwrap_or(u8::MAX);
    Ansi::new().fg_color(Some(Color::Ansi256(Ansi256Color(number))))
}

fn parse_hex(colour: &str) -> Option<[u8; 3]> {
    let number = u32::from_str_radix(colour.strip_prefix('#')?, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chart::{Kind, Material, make};
    use ftbench_fixtures::summaries;

    fn drawn(kind: Kind, style: Style) -> String {
        let material = Material::of_run(summaries::many_cores(), Vec::new());
        let first = material.summary.cells.first().unwrap().workload.clone();
        let workload = if kind.of_one_workload() {
            first
        } else {
            String::new()
        };
        braille(&make(kind, &material, &workload), style, Some(24)).unwrap()
    }

    #[test]
    fn chart_as_text_has_its_words_and_fits_the_terminal() {
        for width in [40, 80, 120] {
            let style = Style {
                colour: false,
                width: Some(width),
            };
            let text = drawn(Kind::Scaling, style);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width.max(MIN_COLUMNS)), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
            for words in ["speedup", "workers", "3.13t", "128"] {
                assert!(text.to_lowercase().contains(words), "no {words}:\n{text}");
            }
            let dots = text
                .chars()
                .filter(|character| ('\u{2801}'..='\u{28ff}').contains(character));
            assert!(dots.count() > 50, "{text}");
        }
    }

    #[test]
    fn every_kind_of_chart_can_be_text() {
        for kind in Kind::ALL {
            let coloured = drawn(
                kind,
                Style {
                    colour: true,
                    width: Some(100),
                },
            );
            assert!(coloured.ends_with('\n'), "{}", kind.name());
        }
    }

    #[test]
    fn dots_are_numbered_as_braille_is() {
        let mut grid = Grid::new(1, 1);
        let mut picture = Pixmap::new(2, 4).unwrap();
        let set = resvg::tiny_skia::Color::from_rgba8(0, 95, 255, 255)
            .premultiply()
            .to_color_u8();
        for place in [0, 7] {
            *picture.pixels_mut().get_mut(place).unwrap() = set;
        }
        grid.set_dots(&picture);
        assert_eq!(grid.lines(Style::default()), "⢁\n");
        let colour = Style {
            colour: true,
            width: None,
        };
        assert!(
            grid.lines(colour).contains("\u{1b}[38;5;"),
            "{}",
            grid.lines(colour)
        );
    }
}
