//! What a colour means. A file has the colours of its theme; a page has classes and variables, which its style sheet
//! gives the colours of the reader's theme.

use super::theme::{Colour, Theme};
use ftbench_schema::Model;

/// What something is painted with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ink {
    /// Like what lies behind everything.
    Background,
    /// Titles and labels.
    Text,
    /// Subtitle, axes and caption.
    Muted,
    /// Grid lines.
    Grid,
    /// The line at 1, the ideal line and the ceiling.
    Reference,
    /// What disturbed a measurement, failed, or became worse.
    Disturbed,
    /// What became better.
    Better,
    /// The colour of a model's family, and its strength: 1 is the colour itself, 0 the background.
    Model(Model, f64),
    /// The same colour in every theme.
    Fixed(Colour),
}

/// How an [`Ink`] is written on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OnPage {
    /// By a class with this ending.
    Class(&'static str),
    /// By a value of the attribute.
    Value(String),
}

impl Ink {
    /// Returns the ink's colour in a theme.
    pub(super) fn colour(self, theme: &Theme) -> Colour {
        match self {
            Self::Background => theme.background,
            Self::Text => theme.text,
            Self::Muted => theme.muted,
            Self::Grid => theme.grid,
            Self::Reference => theme.reference,
            Self::Disturbed => theme.disturbed,
            Self::Better => theme.better,
            Self::Model(model, strength) => theme.shaded(model, strength),
            Self::Fixed(colour) => colour,
        }
    }

    /// Returns how a page writes the ink. The class of a model takes its colour from the nearest element with a class
    /// `m-FAMILY`.
    pub(super) fn on_page(self) -> OnPage {
        match self {
            Self::Background => OnPage::Class("background"),
            Self::Text => OnPage::Class("text"),
            Self::Muted => OnPage::Class("muted"),
            Self::Grid => OnPage::Class("grid"),
            Self::Reference => OnPage::Class("reference"),
            Self::Disturbed => OnPage::Class("disturbed"),
            Self::Better => OnPage::Class("better"),
            Self::Model(_, strength) if strength >= 1.0 => OnPage::Class("model"),
            Self::Model(model, strength) => OnPage::Value(format!(
                "color-mix(in srgb,var(--{}) {:.0}%,var(--background))",
                model.family().name(),
                strength * 100.0
            )),
            Self::Fixed(colour) => OnPage::Value(colour.hex()),
        }
    }
}
