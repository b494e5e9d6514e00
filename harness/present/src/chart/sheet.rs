//! The surface that every body draws on: a canvas with a scale and the area that the frame leaves free.

use super::canvas::{Anchor, Canvas, Letters};
use super::error::ChartError;
use super::font::Face;
use super::ink::Ink;
use super::layout::Frame;

/// Size of the labels, pixels of the usual size.
pub(super) const LABEL_EM: f64 = 12.5;

/// On a narrow screen the style sheet of a page makes letters so many times as large, since the whole picture shrinks.
pub(super) const NARROW_GROWTH: f64 = 1.8;

pub(super) type Drawn = Result<(), ChartError>;

/// Converts a count to a float, for arithmetic with places.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A canvas to draw on, and how.
pub(super) struct Sheet<'a> {
    pub(super) canvas: &'a Canvas,
    /// Pixels to one of the usual size.
    pub(super) unit: f64,
    /// What the frame leaves to the body.
    pub(super) area: Frame,
    /// Whether the page around the picture has its legend and shrinks it on narrow screens.
    pub(super) is_bare: bool,
}

impl Sheet<'_> {
    pub(super) fn face(&self, em: f64, bold: bool) -> Face {
        Face {
            em: em * self.unit,
            bold,
        }
    }

    pub(super) fn letters(&self, em: f64, ink: Ink, anchor: Anchor) -> Letters {
        Letters {
            face: self.face(em, false),
            ink,
            anchor,
            is_centred: false,
            class: None,
        }
    }

    /// How many times as large as drawn letters may become.
    pub(super) fn growth(&self) -> f64 {
        if self.is_bare { NARROW_GROWTH } else { 1.0 }
    }
}
