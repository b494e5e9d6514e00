//! Parsers for the values of options.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use ftbench_present::chart::{Kind, Size, Theme};
use ftbench_schema::{Host, Kernel, Model, Order, Scaling};

/// How long and how precisely to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// For a first look: 5 rounds with fewer samples
    Quick,
    /// For reliable numbers: 10 to 50 rounds, until intervals are within 2 % or 10 minutes have passed
    Standard,
    /// For small differences: 20 to 200 rounds, until intervals are within 0.5 % or an hour has passed
    Thorough,
}

/// Whether more workers do the same amount of work or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScalingName {
    /// The units are split among the workers
    Strong,
    /// Each worker does all units
    Weak,
}

impl From<ScalingName> for Scaling {
    fn from(name: ScalingName) -> Self {
        match name {
            ScalingName::Strong => Self::Strong,
            ScalingName::Weak => Self::Weak,
        }
    }
}

/// The order of the samples in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderName {
    /// Compared trials run at the same time and take turns, sample by sample
    Sweeps,
    /// One trial after the other
    Trials,
}

impl From<OrderName> for Order {
    fn from(name: OrderName) -> Self {
        match name {
            OrderName::Sweeps => Self::Sweeps,
            OrderName::Trials => Self::Trials,
        }
    }
}

/// Format of a run's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    /// For the terminal.
    Table,
    /// The contents of summary.json.
    Json,
    /// For pasting into Markdown.
    Markdown,
}

/// Format of an earlier run's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For the terminal.
    Table,
    /// The contents of summary.json.
    Json,
    /// For pasting into Markdown.
    Markdown,
    /// One row per sample, as in samples.csv.
    Csv,
}

/// Format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For the terminal.
    Table,
    /// For programs.
    Json,
}

/// Format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PictureFormat {
    /// Lines and text, of any size.
    Svg,
    /// Pixels.
    Png,
}

/// How a terminal shows a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowName {
    /// As well as the terminal can.
    Auto,
    /// By kitty's graphics protocol.
    Kitty,
    /// By iTerm2's.
    Iterm2,
    /// In sixel.
    Sixel,
    /// In braille patterns.
    Braille,
}

/// Colours of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
}

impl ThemeName {
    /// Whether this is the dark theme.
    #[must_use]
    pub fn is_dark(self) -> bool {
        self == Self::Dark
    }
}

impl From<ThemeName> for Theme {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Light => Self::LIGHT,
            ThemeName::Dark => Self::DARK,
        }
    }
}

pub(super) fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name))
        .try_map(|word| Kind::named(&word).ok_or("no such kind of chart"))
}

/// Parses a width and a height in pixels. Does not check whether a chart fits.
pub(super) fn size(word: &str) -> Result<Size, String> {
    let sides = word.split_once(['x', 'X', '×']);
    let parsed =
        sides.and_then(|(width, height)| Some((width.trim().parse().ok()?, height.trim().parse().ok()?)));
    parsed
        .map(|(width, height)| Size { width, height })
        .ok_or_else(|| "give width and height in pixels, such as 1920x1080".to_owned())
}

pub(super) fn model_parser() -> impl TypedValueParser<Value = Model> {
    PossibleValuesParser::new(Model::ALL.map(Model::name)).try_map(|word| word.parse::<Model>())
}

pub(super) fn host_parser() -> impl TypedValueParser<Value = Host> {
    PossibleValuesParser::new(Host::ALL.map(Host::name))
        .try_map(|word| Host::named(&word).ok_or("no such host"))
}

pub(super) fn kernel_parser() -> impl TypedValueParser<Value = Kernel> {
    PossibleValuesParser::new(Kernel::ALL.map(Kernel::name))
        .try_map(|word| Kernel::named(&word).ok_or("no such kernel"))
}

/// Far longer than any step of a healthy trial, and short enough to wait for.
pub(super) const DEFAULT_TIMEOUT_S: f64 = 60.0;

/// The longest time limit is a day; more is likely to be a typing error.
const MAX_TIME_LIMIT_S: f64 = 86_400.0;

pub(super) fn seed(word: &str) -> Result<u64, String> {
    word.parse()
        .map_err(|_| format!("give a whole number from 0 to {}", u64::MAX))
}

/// Parses a percentage. Returns it as a fraction.
pub(super) fn percent(word: &str) -> Result<f64, String> {
    match word.strip_suffix('%').unwrap_or(word).trim().parse::<f64>() {
        Ok(percent) if (0.01..=50.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("give a percentage between 0.01 and 50, such as 1%".to_owned()),
    }
}

/// In shorter samples, handing out work and reading clocks would be a noticeable part of the time.
const MIN_SAMPLE_S: f64 = 0.001;
const MAX_SAMPLE_S: f64 = 10.0;

/// Parses a duration such as `90s`, `10m` or `1h30m`. Returns seconds.
pub(super) fn duration_s(word: &str) -> Result<f64, String> {
    match word.parse::<jiff::SignedDuration>() {
        Ok(duration) if duration.is_positive() => Ok(duration.as_secs_f64()),
        _ => Err("give a time such as 90s, 10m or 1h30m".to_owned()),
    }
}

/// Parses the length of a sample, such as `20ms`. Returns seconds.
pub(super) fn sample_s(word: &str) -> Result<f64, String> {
    match duration_s(word) {
        Ok(seconds) if (MIN_SAMPLE_S..=MAX_SAMPLE_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "give a time between {} ms and {MAX_SAMPLE_S} s, such as 20ms or 0.5s",
            MIN_SAMPLE_S * 1e3
        )),
    }
}

/// Parses a number of seconds, or a duration such as `5m`.
pub(super) fn seconds(word: &str) -> Result<f64, String> {
    match word.parse::<f64>().or_else(|_| duration_s(word)) {
        Ok(seconds) if (0.1..=MAX_TIME_LIMIT_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "give seconds between 0.1 and {MAX_TIME_LIMIT_S}, such as 60, or a time such as 5m"
        )),
    }
}
