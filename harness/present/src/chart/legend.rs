//! Keys with their names in a line above the plot, for the bodies that have no room beside what they name.

use super::canvas::{Anchor, Pen, Place, at};
use super::error::ChartError;
use super::ink::Ink;
use super::sheet::{Drawn, LABEL_EM, Sheet};

/// The picture before a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    /// As bars look.
    Box { ink: Ink, filled: bool },
    /// As a line looks.
    Line(Pen),
    /// As dots look.
    Dot(Shape, Ink),
}

/// The shape of a dot, which distinguishes it without its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Disc,
    Triangle,
    Diamond,
    Square,
    Ring,
    Cross,
}

/// A key and its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: Key,
    pub words: String,
}

/// Draws the entries after each other, in as many lines as they take, from this middle on. Returns
/// the middle of the last line.
pub(super) fn draw(sheet: &Sheet<'_>, entries: &[Entry], middle: f64) -> Result<f64, ChartError> {
    const KEY: f64 = 22.0;
    let unit = sheet.unit;
    let face = sheet.face(LABEL_EM, false);
    let (mut x, mut y) = (sheet.area.left, middle);
    for entry in entries {
        let words = face.fit(&entry.words, sheet.area.width() - 2.0 * KEY * unit);
        let width = KEY * unit + face.width(&words);
        if x > sheet.area.left && x + width > sheet.area.right {
            x = sheet.area.left;
            y += 19.0 * unit;
        }
        key(sheet, &entry.key, at(x + 7.0 * unit, y))?;
        let letters = sheet.letters(LABEL_EM, Ink::Text, Anchor::Start);
        let place = at(x + KEY * unit, y + 0.36 * LABEL_EM * unit);
        sheet.canvas.text(&words, place, letters)?;
        x += width + 18.0 * unit;
    }
    Ok(y)
}

fn key(sheet: &Sheet<'_>, key: &Key, centre: Place) -> Drawn {
    let unit = sheet.unit;
    match key {
        Key::Box { ink, filled } => {
            let corner = |x: f64, y: f64| at(centre.x + x * unit, centre.y + y * unit);
            let mut corners = vec![
                corner(-7.0, -5.0),
                corner(7.0, -5.0),
                corner(7.0, 5.0),
                corner(-7.0, 5.0),
            ];
            if *filled {
                return sheet.canvas.polygon(&corners, *ink, 1.0);
            }
            let again: Vec<Place> = corners.iter().copied().take(2).collect();
            corners.extend(again);
            sheet.canvas.line(&corners, Pen::solid(*ink, 1.5 * unit))
        }
        Key::Line(pen) => {
            let ends = [
                at(centre.x - 7.0 * unit, centre.y),
                at(centre.x + 9.0 * unit, centre.y),
            ];
            sheet.canvas.line(&ends, *pen)
        }
        Key::Dot(shape, ink) => dot(sheet, *shape, centre, *ink),
    }
}

/// A dot of a shape.
pub(super) fn dot(sheet: &Sheet<'_>, shape: Shape, centre: Place, ink: Ink) -> Drawn {
    let size = 4.2 * sheet.unit;
    let corner = |x: f64, y: f64| at(centre.x + x * size, centre.y + y * size);
    let pen = Pen::solid(ink, 1.8 * sheet.unit);
    match shape {
        Shape::Disc => sheet.canvas.disc(centre, 0.55 * size, ink),
        Shape::Ring => sheet.canvas.ring(centre, 0.9 * size, pen),
        Shape::Triangle => {
            let corners = [corner(0.0, -1.15), corner(1.1, 0.8), corner(-1.1, 0.8)];
            sheet.canvas.polygon(&corners, ink, 1.0)
        }
        Shape::Diamond => {
            let corners = [
                corner(0.0, -1.3),
                corner(1.3, 0.0),
                corner(0.0, 1.3),
                corner(-1.3, 0.0),
            ];
            sheet.canvas.polygon(&corners, ink, 1.0)
        }
        Shape::Square => {
            let corners = [
                corner(-0.9, -0.9),
                corner(0.9, -0.9),
                corner(0.9, 0.9),
                corner(-0.9, 0.9),
            ];
            sheet.canvas.polygon(&corners, ink, 1.0)
        }
        Shape::Cross => {
            sheet.canvas.line(&[corner(-1.0, -1.0), corner(1.0, 1.0)], pen)?;
            sheet.canvas.line(&[corner(-1.0, 1.0), corner(1.0, -1.0)], pen)
        }
    }
}
