//! PNG out of the SVG.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::error::ChartError;
use super::font;

/// Maximum pixels on a side: common viewers open up to 16384.
const LARGEST_SIDE: f32 = 16_384.0;

/// Rasterises an SVG that [`svg`](super::svg) made, with `scale` pixels to each of its own.
///
/// # Errors
/// When the text is not an SVG, or the picture would be empty or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, ChartError> {
    rasterise(svg, scale)?
        .encode_png()
        .map_err(|error| ChartError::Encode(error.to_string()))
}

/// The pixels of an SVG. See [`png`].
pub(super) fn rasterise(svg: &str, scale: f32) -> Result<Pixmap, ChartError> {
    let options = Options {
        fontdb: font::database(),
        font_family: "Inter".to_owned(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let fits = |side: f32| (1.0..=LARGEST_SIDE).contains(&(side * scale));
    let too_large = || ChartError::TooLarge { width, height, scale };
    if !fits(width) || !fits(height) {
        return Err(too_large());
    }
    // Between 1 and 16384: nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let pixels = |side: f32| (side * scale).ceil() as u32;
    let mut picture = Pixmap::new(pixels(width), pixels(height)).ok_or_else(too_large)?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    Ok(picture)
}
