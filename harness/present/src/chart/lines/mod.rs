//! Series of values over an axis of numbers of workers, with lines to compare with.

mod curves;
mod draw;
mod labels;
mod series;

pub(super) use draw::{draw, key};
pub use series::{Lines, Marker, Point, ReferenceKind, ReferenceLine, Series};
pub(super) use series::{description, efficiency_words};
