//! A backend of plotters that writes SVG: with the colours of a theme for a file, with classes and `data-` attributes for a
//! page.
//!
//! plotters passes shapes and places. What they mean (which ink, which series, which value) has no room in its styles and
//! stands in [`Look`], which the canvas sets before each shape.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::{self, Display, Formatter, Write as _};
use std::rc::Rc;

use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::ink::{Ink, OnPage};
use super::look::{Anchor, Group, Look};
use super::theme::Theme;
use ftbench_schema::Model;
use ftbench_schema::text::escape_markup;

/// Where a picture goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// Into a file of its own, in these colours.
    File(Theme),
    /// Into a page, whose style sheet has the colours and whose script finds series and values.
    Page,
}

/// The picture as far as it is written. Lengths are tenths of a pixel.
#[derive(Debug)]
pub(super) struct Svg {
    target: Target,
    size: (u32, u32),
    written: String,
    pub(super) look: Look,
    /// The model of the group that is open.
    group: Option<Model>,
    /// Attributes of the path that is open: neighbours with the same look become one path.
    path: Option<String>,
    /// Size of letters that need no attribute of their own.
    usual_em: i32,
}

impl Svg {
    pub(super) fn new(target: Target, size: (u32, u32), usual_em: i32) -> Self {
        Self {
            target,
            size,
            written: String::new(),
            look: Look::default(),
            group: None,
            path: None,
            usual_em,
        }
    }

    /// Everything that was drawn.
    pub(super) fn take(&mut self) -> String {
        self.close_path();
        std::mem::take(&mut self.written)
    }

    /// Starts a group of a page; files have none.
    pub(super) fn open_group(&mut self, group: Group<'_>) {
        if self.target != Target::Page {
            return;
        }
        self.close_path();
        self.group = Some(group.family.family());
        let mut attributes = Attributes::default();
        if let Some(series) = group.series {
            attributes.class("series");
            attributes.set("data-series", series);
        }
        attributes.class(&format!("m-{}", group.family.family()));
        let title = escape_markup(group.title);
        // Writing to a string does not fail.
        let _ = if title.is_empty() {
            write!(self.written, "<g{attributes}>")
        } else {
            write!(self.written, "<g{attributes} role=\"img\"><title>{title}</title>")
        };
    }

    pub(super) fn close_group(&mut self) {
        if self.group.take().is_some() {
            self.close_path();
            self.written.push_str("</g>\n");
        }
    }

    fn close_path(&mut self) {
        if self.path.take().is_some() {
            self.written.push_str("\"/>\n");
        }
    }

    /// Adds a shape to the open path if that looks the same and both may be one, else starts a path.
    fn path(&mut self, outline: &str) {
        let attributes = self.attributes().to_string();
        if self.path.as_ref() != Some(&attributes) {
            self.close_path();
            let _ = write!(self.written, "<path{attributes} d=\"");
            self.path = Some(attributes);
        }
        self.written.push_str(outline);
        if !self.joins() {
            self.close_path();
        }
    }

    /// Whether neighbours with this look may become one path: where they overlap, that must not show.
    fn joins(&self) -> bool {
        let Look { fill, stroke, .. } = &self.look;
        let is_value = self.look.datum.is_some() && self.target == Target::Page;
        let is_flat = match (fill, stroke) {
            (Some((_, opacity)), None) => *opacity >= 1.0,
            (None, _) => true,
            (Some(_), Some(_)) => false,
        };
        is_flat && !is_value
    }

    /// Attributes of a shape with the look.
    fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        if let Some((ink, opacity)) = self.look.fill {
            self.paint(&mut attributes, "fill", "f", ink);
            if opacity < 1.0 {
                attributes.set("fill-opacity", opacity);
            }
        }
        if let Some(pen) = self.look.stroke {
            self.paint(&mut attributes, "stroke", "s", pen.ink);
            if pen.opacity < 1.0 {
                attributes.set("stroke-opacity", pen.opacity);
            }
            attributes.set("stroke-width", tenths(pen.width).max(1));
            if let Some([dash, gap]) = pen.dash {
                attributes.set(
                    "stroke-dasharray",
                    format_args!("{} {}", tenths(dash), tenths(gap)),
                );
            }
        }
        if self.look.is_dot {
            attributes.set("stroke-linecap", "round");
        }
        if let (Some(datum), Target::Page) = (&self.look.datum, self.target) {
            attributes.class(if datum.is_below { "point below" } else { "point" });
            attributes.set("data-n", datum.x);
            attributes.set("data-v", escape_markup(&datum.words));
        }
        attributes
    }

    fn paint(&self, attributes: &mut Attributes, property: &str, letter: &str, ink: Ink) {
        match (self.target, ink.on_page()) {
            (Target::File(theme), _) => attributes.set(property, ink.colour(&theme).hex()),
            (Target::Page, OnPage::Value(value)) => attributes.set(property, value),
            (Target::Page, OnPage::Class(class)) => {
                if let Ink::Model(model, _) = ink
                    && self.group != Some(model.family())
                {
                    attributes.class(&format!("m-{}", model.family()));
                }
                attributes.class(&format!("{letter}-{class}"));
            }
        }
    }

    fn text(&mut self, words: &str, (x, y): BackendCoord) {
        let Some(letters) = self.look.letters else { return };
        self.close_path();
        let mut attributes = Attributes::default();
        attributes.set("x", x);
        attributes.set("y", y);
        if letters.is_centred {
            attributes.set("dy", ".36em");
        }
        self.paint(&mut attributes, "fill", "f", letters.ink);
        let em = tenths(letters.face.em);
        if em != self.usual_em {
            attributes.set("font-size", em);
        }
        match letters.anchor {
            Anchor::Start => {}
            Anchor::Middle => attributes.set("text-anchor", "middle"),
            Anchor::End => attributes.set("text-anchor", "end"),
        }
        if letters.face.bold {
            attributes.set("font-weight", "bold");
        }
        if let (Some(class), Target::Page) = (letters.class, self.target) {
            attributes.class(class);
        }
        let _ = writeln!(self.written, "<text{attributes}>{}</text>", escape_markup(words));
    }
}

/// Attributes of an element, written with a blank before each.
#[derive(Default)]
struct Attributes {
    classes: String,
    others: String,
}

impl Attributes {
    fn class(&mut self, class: &str) {
        if !self.classes.split(' ').any(|known| known == class) {
            let blank = if self.classes.is_empty() { "" } else { " " };
            self.classes.push_str(blank);
            self.classes.push_str(class);
        }
    }

    fn set(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.others, " {name}=\"{value}\"");
    }
}

impl Display for Attributes {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if !self.classes.is_empty() {
            write!(formatter, " class=\"{}\"", self.classes)?;
        }
        formatter.write_str(&self.others)
    }
}

/// Pixels as tenths of one; a float's cast saturates, so nothing can go wrong.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn tenths(pixels: f64) -> i32 {
    (pixels * 10.0).round() as i32
}

/// The data of a path through these places: `M1,2H5V7L3,4`.
fn outline(places: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut outline = String::new();
    let mut last: Option<BackendCoord> = None;
    for (x, y) in places {
        let _ = match last {
            None => write!(outline, "M{x},{y}"),
            Some(before) if before == (x, y) => Ok(()),
            Some((before, _)) if before == x => write!(outline, "V{y}"),
            Some((_, before)) if before == y => write!(outline, "H{x}"),
            Some(_) => write!(outline, "L{x},{y}"),
        };
        last = Some((x, y));
    }
    outline
}

/// plotters' side of a picture, of which the canvas holds the other.
pub(super) struct Writer(pub(super) Rc<RefCell<Svg>>);

type Written = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Writer {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.borrow().size
    }

    fn ensure_prepared(&mut self) -> Written {
        Ok(())
    }

    fn present(&mut self) -> Written {
        Ok(())
    }

    /// No shape of ours is made of pixels.
    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Written {
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        _: &S,
    ) -> Written {
        self.0.borrow_mut().path(&outline(path));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        _: &S,
    ) -> Written {
        self.0.borrow_mut().path(&(outline(corners) + "z"));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, _: &S, _: bool) -> Written {
        let mut svg = self.0.borrow_mut();
        if svg.look.is_dot {
            svg.path(&format!("M{x},{y}h0"));
            return Ok(());
        }
        let (left, across) = (i64::from(x) - i64::from(radius), 2 * i64::from(radius));
        let half = format!("a{radius},{radius} 0 1 0");
        svg.path(&format!("M{left},{y}{half} {across},0{half}-{across},0z"));
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, _: &S, place: BackendCoord) -> Written {
        self.0.borrow_mut().text(words, place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::look::{Datum, Pen};

    fn drawn(target: Target, draw: impl Fn(&mut Svg)) -> String {
        let mut svg = Svg::new(target, (100, 100), 125);
        draw(&mut svg);
        svg.take()
    }

    fn dashed_lines(svg: &mut Svg) {
        for (y, ink) in [
            (1, Ink::Grid),
            (2, Ink::Grid),
            (3, Ink::Model(Model::Threads, 1.0)),
        ] {
            svg.look = Look {
                stroke: Some(Pen {
                    dash: Some([0.3, 0.4]),
                    ..Pen::solid(ink, 1.0)
                }),
                ..Look::default()
            };
            svg.path(&outline([(0, y), (9, y), (9, 9), (4, 5)]));
        }
    }

    #[test]
    fn neighbours_with_the_same_look_are_one_path() {
        assert_eq!(
            drawn(Target::File(Theme::LIGHT), dashed_lines),
            "<path stroke=\"#e4e7eb\" stroke-width=\"10\" stroke-dasharray=\"3 4\" d=\"M0,1H9V9L4,5M0,2H9V9L4,5\"/>\n\
             <path stroke=\"#00529f\" stroke-width=\"10\" stroke-dasharray=\"3 4\" d=\"M0,3H9V9L4,5\"/>\n"
        );
    }

    #[test]
    fn pages_have_classes_in_place_of_colours() {
        let drawn = drawn(Target::Page, |svg| {
            dashed_lines(svg);
            svg.open_group(Group {
                family: Model::ProcessesFork,
                series: Some(3),
                title: "",
            });
            svg.look = Look {
                fill: Some((Ink::Model(Model::Processes, 1.0), 1.0)),
                datum: Some(Datum {
                    x: 2.0,
                    words: "1.9x <b>".to_owned(),
                    is_below: false,
                }),
                ..Look::default()
            };
            svg.path("M1,2z");
            svg.close_group();
        });
        assert_eq!(
            drawn,
            "<path class=\"s-grid\" stroke-width=\"10\" stroke-dasharray=\"3 4\" d=\"M0,1H9V9L4,5M0,2H9V9L4,5\"/>\n\
             <path class=\"m-threads s-model\" stroke-width=\"10\" stroke-dasharray=\"3 4\" d=\"M0,3H9V9L4,5\"/>\n\
             <g class=\"series m-processes\" data-series=\"3\"><path class=\"f-model point\" data-n=\"2\" \
             data-v=\"1.9x &lt;b&gt;\" d=\"M1,2z\"/>\n</g>\n"
        );
    }
}
