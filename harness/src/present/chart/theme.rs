//! What colours mean, and which ones they are.

use crate::record::schema::Model;

/// Red, green and blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

/// The colours of a chart.
///
/// Models have colours of the palette of Okabe and Ito, which people with the common kinds of colour blindness can
/// tell apart: M. Okabe, K. Ito, "Color Universal Design", 2008, <https://jfly.uni-koeln.de/color/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Behind everything.
    pub background: Colour,
    /// Titles and labels.
    pub text: Colour,
    /// Subtitle, axes and caption.
    pub muted: Colour,
    /// Grid lines.
    pub grid: Colour,
    /// The line at 1, and the ideal line.
    pub reference: Colour,
    /// The model `serial`.
    pub serial: Colour,
    /// The model `threads`.
    pub threads: Colour,
    /// The models `processes`.
    pub processes: Colour,
    /// The model `interpreters`.
    pub interpreters: Colour,
    /// The model `asyncio`.
    pub asyncio: Colour,
    /// The model `asyncio-threads`.
    pub asyncio_threads: Colour,
}

impl Theme {
    /// Dark on white, for paper and pages.
    pub const LIGHT: Self = Self {
        background: Colour(255, 255, 255),
        text: Colour(31, 35, 40),
        muted: Colour(89, 99, 110),
        grid: Colour(228, 231, 235),
        reference: Colour(140, 149, 159),
        serial: Colour(110, 119, 129),
        threads: Colour(0, 114, 178),
        processes: Colour(213, 94, 0),
        interpreters: Colour(86, 180, 233),
        asyncio: Colour(0, 158, 115),
        asyncio_threads: Colour(204, 121, 167),
    };

    /// Light on dark, for slides; `threads` takes the palette's lighter blue.
    pub const DARK: Self = Self {
        background: Colour(22, 27, 34),
        text: Colour(240, 246, 252),
        muted: Colour(158, 167, 179),
        grid: Colour(45, 51, 59),
        reference: Colour(125, 133, 144),
        serial: Colour(158, 167, 179),
        threads: Colour(86, 180, 233),
        processes: Colour(230, 120, 30),
        interpreters: Colour(240, 228, 66),
        asyncio: Colour(0, 178, 130),
        asyncio_threads: Colour(204, 121, 167),
    };

    /// The colour of a model, which is that of its family.
    #[must_use]
    pub const fn of(&self, model: Model) -> Colour {
        match model {
            Model::Serial => self.serial,
            Model::Threads => self.threads,
            Model::Processes | Model::ProcessesFork | Model::ProcessesSpawn | Model::ProcessesForkserver => {
                self.processes
            }
            Model::Interpreters => self.interpreters,
            Model::Asyncio => self.asyncio,
            Model::AsyncioThreads => self.asyncio_threads,
        }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::LIGHT
    }
}
