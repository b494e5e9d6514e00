//! The surface that every body draws on: a canvas with a scale, a theme and the area that the frame leaves free.

use super::canvas::{Anchor, Canvas, Letters};
use super::error::ChartError;
use super::font::Face;
use super::layout::Frame;
use super::theme::{Colour, Theme};

/// Size of the labels, pixels of the usual size.
pub(super) const LABEL_EM: f64 = 12.5;

pub(super) type Drawn = Result<(), ChartError>;

/// Converts a count to a float, for arithmetic with places.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A canvas to draw on, and how.
pub(super) struct Sheet<'a, 'svg> {
    pub(super) canvas: &'a Canvas<'svg>,
    pub(super) theme: &'a Theme,
    /// Pixels to one of the usual size.
    pub(super) unit: f64,
    /// What the frame leaves to the body.
    pub(super) area: Frame,
}

impl Sheet<'_, '_> {
    pub(super) fn face(&self, em: f64, bold: bool) -> Face {
        Face {
            em: em * self.unit,
            bold,
        }
    }

    pub(super) fn letters(&self, em: f64, colour: Colour, anchor: Anchor) -> Letters {
        Letters {
            face: self.face(em, false),
            colour,
            anchor,
        }
    }
}
