//! The only place that knows plotters' drawing: lines, shapes and text at pixel places.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, RGBColor, ShapeStyle, TextStyle};

use super::error::{ChartError, Size};
use super::font::{FAMILY, Face, PLOTTERS_SIZE_TO_EM};
use super::theme::Colour;
use ftbench_schema::text::escape_markup;

/// plotters rounds to whole pixels, which bends lines and unsettles markers; it draws on a tenfold sheet instead,
/// which the SVG's `viewBox` brings back.
const FINER: f64 = 10.0;
/// Where plotters' SVG puts the baseline of a text anchored at its top, in em (plotters-svg 0.3.7, `draw_text`).
const BASELINE_EM: f64 = 0.76;

/// A place in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
}

pub(super) const fn at(x: f64, y: f64) -> Place {
    Place { x, y }
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub colour: Colour,
    pub opacity: f64,
    pub width: f64,
    /// Length of a dash and of the gap after it; `None` for a solid line.
    pub dash: Option<[f64; 2]>,
}

impl Pen {
    pub(super) const fn solid(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            opacity: 1.0,
            width,
            dash: None,
        }
    }

    fn style(self) -> ShapeStyle {
        colour(self.colour)
            .mix(self.opacity)
            .stroke_width(tenths(self.width).max(1).unsigned_abs())
    }
}

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Letters {
    pub face: Face,
    pub colour: Colour,
    pub anchor: Anchor,
}

pub(super) struct Canvas<'svg> {
    area: DrawingArea<SVGBackend<'svg>, Shift>,
}

type Drawn = Result<(), ChartError>;

impl<'svg> Canvas<'svg> {
    pub(super) fn new(svg: &'svg mut String, size: Size) -> Self {
        let finer = (finer_side(size.width), finer_side(size.height));
        Self {
            area: SVGBackend::with_string(svg, finer).into_drawing_area(),
        }
    }

    pub(super) fn fill(&self, background: Colour) -> Drawn {
        self.area.fill(&colour(background)).map_err(refused)
    }

    pub(super) fn line(&self, corners: &[Place], pen: Pen) -> Drawn {
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(finer).collect();
        match pen.dash {
            None => self.area.draw(&PathElement::new(corners, pen.style())),
            Some([dash, gap]) => {
                let dashed = DashedPathElement::new(corners, tenths(dash), tenths(gap), pen.style());
                self.area.draw(&dashed)
            }
        }
        .map_err(refused)
    }

    pub(super) fn polygon(&self, corners: &[Place], fill: Colour, opacity: f64) -> Drawn {
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(finer).collect();
        let style = colour(fill).mix(opacity).filled();
        self.area.draw(&Polygon::new(corners, style)).map_err(refused)
    }

    pub(super) fn disc(&self, centre: Place, radius: f64, fill: Colour) -> Drawn {
        let disc = Circle::new(finer(centre), tenths(radius), colour(fill).filled());
        self.area.draw(&disc).map_err(refused)
    }

    pub(super) fn ring(&self, centre: Place, radius: f64, pen: Pen) -> Drawn {
        let ring = Circle::new(finer(centre), tenths(radius), pen.style());
        self.area.draw(&ring).map_err(refused)
    }

    /// A text with its baseline at the place.
    pub(super) fn text(&self, words: &str, place: Place, letters: Letters) -> Drawn {
        if words.is_empty() {
            return Ok(());
        }
        let Letters { face, anchor, .. } = letters;
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = (face.em * FINER).round() * PLOTTERS_SIZE_TO_EM;
        let style = TextStyle {
            font: FontDesc::new(FontFamily::Name(FAMILY), size, face.style()),
            color: colour(letters.colour).to_backend_color(),
            pos: Pos::new(horizontal, VPos::Top),
        };
        let top = at(place.x, place.y - BASELINE_EM * face.em);
        self.area
            .draw(&Text::new(words, finer(top), style))
            .map_err(refused)
    }

    pub(super) fn finish(&self) -> Drawn {
        self.area.present().map_err(refused)
    }
}

fn colour(Colour(red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

/// Pixels as tenths of one; a float's cast saturates, so nothing can go wrong.
#[allow(clippy::cast_possible_truncation)]
fn tenths(pixels: f64) -> i32 {
    (pixels * FINER).round() as i32
}

fn finer_side(pixels: u32) -> u32 {
    tenths(f64::from(pixels)).unsigned_abs()
}

fn finer(place: Place) -> (i32, i32) {
    (tenths(place.x), tenths(place.y))
}

fn refused<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Draw(error.to_string())
}

/// The SVG with its own size again, and with a title and a description for people who do not see it.
pub(super) fn finish_document(drawn: &str, size: Size, title: &str, description: &str) -> String {
    let body = join_dashes(drawn.split_once('>').map_or(drawn, |(_, body)| body));
    let Size { width, height } = size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\">\n<title>{}</title>\n<desc>{}</desc>{body}",
        finer_side(width),
        finer_side(height),
        escape_markup(title),
        escape_markup(description),
    )
}

/// The drawing with neighbouring lines of the same look as one path. plotters writes every dash as a line of its own,
/// which are nine tenths of a chart's bytes.
fn join_dashes(drawn: &str) -> String {
    let mut joined = String::with_capacity(drawn.len());
    let mut last_look = None;
    for line in drawn.split_inclusive('\n') {
        let polyline = line
            .strip_prefix("<polyline ")
            .and_then(|rest| rest.split_once(" points=\""));
        let look = polyline.map(|(look, _)| look);
        if look != last_look {
            if last_look.is_some() {
                joined.push_str("\"/>\n");
            }
            if let Some(look) = look {
                joined.push_str("<path ");
                joined.push_str(look);
                joined.push_str(" d=\"");
            }
            last_look = look;
        }
        match polyline {
            Some((_, points)) => {
                joined.push('M');
                joined.push_str(points.split('"').next().unwrap_or_default().trim_end());
            }
            None => joined.push_str(line),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_become_one_path_and_other_lines_stay() {
        let drawn = "<rect/>\n<polyline a=\"1\" points=\"1,2 3,4 \"/>\n<polyline a=\"1\" points=\"5,6 7,8 \"/>\n<polyline \
                     a=\"2\" points=\"1,2 \"/>\n</svg>\n";
        assert_eq!(
            join_dashes(drawn),
            "<rect/>\n<path a=\"1\" d=\"M1,2 3,4M5,6 7,8\"/>\n<path a=\"2\" d=\"M1,2\"/>\n</svg>\n"
        );
    }
}
