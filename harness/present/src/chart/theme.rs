//! The colours of charts and their meanings.

use ftbench_schema::Model;

/// Red, green and blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// Mixes the colour with another: 0 is the colour itself, 1 the other.
    #[must_use]
    pub fn towards(self, other: Self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        // Between two bytes: nothing is lost.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mixed = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Self(
            mixed(self.0, other.0),
            mixed(self.1, other.1),
            mixed(self.2, other.2),
        )
    }

    /// Returns the colour as SVG and CSS write it: `#00529f`.
    pub(super) fn hex(self) -> String {
        let Self(red, green, blue) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Returns red, green and blue of light, 0 to 1 (IEC 61966-2-1).
    pub(super) fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|byte| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Computes the contrast with another colour, 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let luminance = |colour: Self| {
            let [red, green, blue] = colour.linear();
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, two) = (luminance(self), luminance(other));
        one.max(two) / one.min(two)
    }
}

/// viridis (S. van der Walt, N. Smith, 2015, CC0), ten steps of it: even in lightness, for the colour-blind and on paper.
const VIRIDIS: [Colour; 10] = [
    Colour(0x44, 0x01, 0x54),
    Colour(0x48, 0x28, 0x78),
    Colour(0x3e, 0x4a, 0x89),
    Colour(0x31, 0x68, 0x8e),
    Colour(0x26, 0x82, 0x8e),
    Colour(0x1f, 0x9e, 0x89),
    Colour(0x35, 0xb7, 0x79),
    Colour(0x6d, 0xcd, 0x59),
    Colour(0xb4, 0xde, 0x2c),
    Colour(0xfd, 0xe7, 0x25),
];

/// Returns the colour of a value in a heat map, from 0 (dark) to 1 (bright).
#[must_use]
pub fn heat(share: f64) -> Colour {
    let along = share.clamp(0.0, 1.0) * 9.0;
    // Between 0 and 9: nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let step = along.floor() as usize;
    let at = |step: usize| VIRIDIS.get(step.min(9)).copied().unwrap_or(Colour(0, 0, 0));
    at(step).towards(at(step + 1), along.fract())
}

/// Returns black or white, whichever is easier to read on a colour.
#[must_use]
pub fn ink_on(colour: Colour) -> Colour {
    let (black, white) = (Colour(0, 0, 0), Colour(255, 255, 255));
    if colour.contrast(black) >= colour.contrast(white) {
        black
    } else {
        white
    }
}

/// The colours of a chart.
///
/// Models have the hues of the palette of Okabe and Ito (M. Okabe, K. Ito, "Color Universal Design", 2008,
/// <https://jfly.uni-koeln.de/color/>), moved so far apart in lightness that people with each of the three kinds of
/// dichromacy can distinguish any two of them; a test simulates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The background.
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
    /// The model `internal`.
    pub internal: Colour,
    /// What disturbed a measurement, failed, or became worse.
    pub disturbed: Colour,
    /// What became better.
    pub better: Colour,
}

impl Theme {
    /// Dark on white, for paper and pages.
    pub const LIGHT: Self = Self {
        background: Colour(255, 255, 255),
        text: Colour(31, 35, 40),
        muted: Colour(89, 99, 110),
        grid: Colour(228, 231, 235),
        reference: Colour(140, 149, 159),
        serial: Colour(99, 106, 116),
        threads: Colour(0, 82, 159),
        processes: Colour(166, 62, 0),
        interpreters: Colour(172, 140, 0),
        asyncio: Colour(4, 159, 116),
        asyncio_threads: Colour(211, 104, 190),
        internal: Colour(90, 0, 90),
        disturbed: Colour(200, 30, 60),
        better: Colour(4, 159, 116),
    };

    /// Light on dark, for slides: the same hues, lighter.
    pub const DARK: Self = Self {
        background: Colour(22, 27, 34),
        text: Colour(240, 246, 252),
        muted: Colour(158, 167, 179),
        grid: Colour(45, 51, 59),
        reference: Colour(125, 133, 144),
        serial: Colour(167, 174, 181),
        threads: Colour(95, 196, 251),
        processes: Colour(236, 120, 31),
        interpreters: Colour(241, 222, 72),
        asyncio: Colour(3, 162, 117),
        asyncio_threads: Colour(208, 108, 192),
        internal: Colour(160, 60, 255),
        disturbed: Colour(255, 110, 120),
        better: Colour(3, 162, 117),
    };

    /// Returns the colour of a model's family.
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
            Model::Internal => self.internal,
        }
    }
}

impl Theme {
    /// Returns the colour of a model, mixed with the background: 1 is the colour itself, 0 the background.
    #[must_use]
    pub fn shaded(&self, model: Model, strength: f64) -> Colour {
        self.background.towards(self.of(model), strength)
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::LIGHT
    }
}

#[cfg(test)]
#[path = "theme_tests.rs"]
mod tests;
