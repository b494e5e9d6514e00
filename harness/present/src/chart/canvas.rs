//! The only place that knows plotters' drawing: lines, shapes and text at pixel places.

use std::cell::RefCell;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::{BLACK, Color as _, FontDesc, FontFamily, ShapeStyle, TextStyle};

use super::error::{ChartError, Size};
use super::font::FAMILY;
use super::ink::Ink;
use super::look::Group;
pub(super) use super::look::{Anchor, Letters, Look, Pen};
use super::svg::{Svg, Target, Writer, tenths};
use ftbench_schema::text::escape_markup;

/// A place in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
}

pub(super) const fn at(x: f64, y: f64) -> Place {
    Place { x, y }
}

/// The surface of a picture: 10 units of it are a pixel, since plotters rounds to whole ones.
pub(super) struct Canvas {
    svg: Rc<RefCell<Svg>>,
    area: DrawingArea<Writer, Shift>,
    target: Target,
    size: Size,
    /// Size of letters that need no attribute of their own, pixels.
    usual_em: f64,
}

type Drawn = Result<(), ChartError>;

impl Canvas {
    pub(super) fn new(target: Target, size: Size, usual_em: f64) -> Self {
        let finer = (tenths_of_side(size.width), tenths_of_side(size.height));
        let svg = Rc::new(RefCell::new(Svg::new(target, finer, tenths(usual_em))));
        Self {
            area: Writer(Rc::clone(&svg)).into_drawing_area(),
            svg,
            target,
            size,
            usual_em,
        }
    }

    fn set(&self, look: Look) {
        self.svg.borrow_mut().look = look;
    }

    pub(super) fn fill(&self, background: Ink) -> Drawn {
        let (right, bottom) = (f64::from(self.size.width), f64::from(self.size.height));
        let corners = [at(0.0, 0.0), at(right, 0.0), at(right, bottom), at(0.0, bottom)];
        self.polygon(&corners, background, 1.0)
    }

    /// Draws what belongs to one series or row.
    pub(super) fn group(&self, group: Group<'_>, draw: impl FnOnce() -> Drawn) -> Drawn {
        self.svg.borrow_mut().open_group(group);
        let drawn = draw();
        self.svg.borrow_mut().close_group();
        drawn
    }

    pub(super) fn line(&self, corners: &[Place], pen: Pen) -> Drawn {
        self.set(Look {
            stroke: Some(pen),
            ..Look::default()
        });
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(finer).collect();
        self.area
            .draw(&PathElement::new(corners, any_style()))
            .map_err(refused)
    }

    pub(super) fn polygon(&self, corners: &[Place], fill: Ink, opacity: f64) -> Drawn {
        let look = Look {
            fill: Some((fill, opacity)),
            ..Look::default()
        };
        self.shape(corners, look)
    }

    /// A polygon of any look.
    pub(super) fn shape(&self, corners: &[Place], look: Look) -> Drawn {
        self.set(look);
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(finer).collect();
        self.area
            .draw(&Polygon::new(corners, any_style()))
            .map_err(refused)
    }

    pub(super) fn disc(&self, centre: Place, radius: f64, fill: Ink) -> Drawn {
        let look = Look {
            stroke: Some(Pen::solid(fill, 2.0 * radius)),
            is_dot: true,
            ..Look::default()
        };
        self.circle(centre, radius, look)
    }

    pub(super) fn ring(&self, centre: Place, radius: f64, pen: Pen) -> Drawn {
        let look = Look {
            stroke: Some(pen),
            ..Look::default()
        };
        self.circle(centre, radius, look)
    }

    /// A circle of any look.
    pub(super) fn circle(&self, centre: Place, radius: f64, look: Look) -> Drawn {
        self.set(look);
        let circle = Circle::new(finer(centre), tenths(radius), any_style());
        self.area.draw(&circle).map_err(refused)
    }

    /// A text at the place.
    pub(super) fn text(&self, words: &str, place: Place, letters: Letters) -> Drawn {
        if words.is_empty() {
            return Ok(());
        }
        self.set(Look {
            letters: Some(letters),
            ..Look::default()
        });
        let font = FontDesc::new(FontFamily::Name(FAMILY), letters.face.em, letters.face.style());
        self.area
            .draw(&Text::new(words, finer(place), TextStyle::from(font)))
            .map_err(refused)
    }

    /// The picture before a name in the legend of a page, which is not read aloud.
    pub(super) fn finish_key(&self) -> Result<String, ChartError> {
        self.area.present().map_err(refused)?;
        let (across, down) = (tenths_of_side(self.size.width), tenths_of_side(self.size.height));
        let drawn = self.svg.borrow_mut().take();
        Ok(format!(
            "<svg class=\"legend-key\" viewBox=\"0 0 {across} {down}\" fill=\"none\" aria-hidden=\"true\">{drawn}</svg>"
        ))
    }

    /// The whole picture, with a title and a description for people who do not see it.
    pub(super) fn finish(&self, title: &str, description: &str) -> Result<String, ChartError> {
        self.area.present().map_err(refused)?;
        let Size { width, height } = self.size;
        let (across, down) = (tenths_of_side(width), tenths_of_side(height));
        let own = match self.target {
            Target::File(_) => format!(
                "xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"{FAMILY}\" role=\"img\""
            ),
            // Points of a picture without a description can be reached one by one.
            Target::Page if description.is_empty() => {
                format!(
                    "class=\"drawing\" role=\"group\" aria-label=\"{}\"",
                    escape_markup(title)
                )
            }
            Target::Page => "class=\"drawing\" role=\"img\"".to_owned(),
        };
        let described = if description.is_empty() {
            String::new()
        } else {
            format!(
                "\n<title>{}</title>\n<desc>{}</desc>",
                escape_markup(title),
                escape_markup(description)
            )
        };
        let drawn = self.svg.borrow_mut().take();
        let em = tenths(self.usual_em);
        Ok(format!(
            "<svg {own} viewBox=\"0 0 {across} {down}\" font-size=\"{em}\" fill=\"none\">{described}\n{drawn}</svg>\n"
        ))
    }
}

/// What plotters wants to know of a shape's look, and [`Writer`] does not.
fn any_style() -> ShapeStyle {
    BLACK.filled()
}

fn tenths_of_side(pixels: u32) -> u32 {
    tenths(f64::from(pixels)).unsigned_abs()
}

fn finer(place: Place) -> (i32, i32) {
    (tenths(place.x), tenths(place.y))
}

fn refused<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Draw(error.to_string())
}
