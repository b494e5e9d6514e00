//! Errors of charts, and the sizes that they may have.

/// A chart could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The size asked for leaves no room for the plot.
    #[error("a chart of {width}x{height} has no room for its labels; ask for {least_width}x{least_height} or more",
        least_width = Size::SMALLEST.width, least_height = Size::SMALLEST.height)]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The size asked for is more than a picture may have.
    #[error(
        "a picture of {width}x{height} at scale {scale} is too large or empty; ask for a smaller size or scale"
    )]
    TooLarge {
        /// Pixels.
        width: f32,
        /// Pixels.
        height: f32,
        /// Picture pixels to one of these.
        scale: f32,
    },
    /// An axis was named that the chart does not have.
    #[error("this chart has no {0} axis with a title; leave out its label, or take --title")]
    NoAxis(&'static str),
    /// The bundled font cannot be read.
    #[error("the bundled font cannot be read; this build of ftbench is damaged: install it again")]
    Font,
    /// plotters refused.
    #[error("the chart could not be drawn: {0}; please report this with the run's summary.json")]
    Draw(String),
    /// The source of a PNG is not an SVG.
    #[error("the chart's SVG could not be read: {0}; make it again with 'ftbench plot'")]
    Svg(#[from] resvg::usvg::Error),
    /// The PNG encoder refused.
    #[error("the chart could not be written as PNG: {0}; take the SVG instead")]
    Encode(String),
}

/// Pixels of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

impl Size {
    /// The smallest size that has room for labels.
    pub const SMALLEST: Self = Self {
        width: 480,
        height: 300,
    };
}

impl Default for Size {
    fn default() -> Self {
        Self {
            width: 960,
            height: 600,
        }
    }
}
