//! Series of values over an axis of numbers of workers, with lines to compare with.

mod curves;
mod draw;
mod labels;
mod series;

pub(super) use draw::draw;
pub(super) use series::description;
pub use series::{Lines, Marker, Point, ReferenceKind, ReferenceLine, Series};
