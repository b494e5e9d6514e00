//! Values of options: words in, types out.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use ftbench_present::chart::{Kind, Size, Theme};
use ftbench_schema::{Host, Kernel, Model, Order, Scaling};

/// How long and how precisely to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// A first look: 5 rounds of short samples
    Quick,
    /// Numbers to rely on: 10 to 50 rounds, until intervals are within 2 % or 10 minutes are over
    Standard,
    /// Small differences: 20 to 200 rounds, until intervals are within 0.5 % or an hour is over
    Thorough,
}

/// Whether more workers do the same work or more of it.
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

/// How the samples of a round's trials follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderName {
    /// Trials that are compared are alive together and take turns, sample by sample
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
    /// The object of summary.json.
    Json,
    /// For pasting.
    Markdown,
}

/// Format of an earlier run's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For the terminal.
    Table,
    /// The object of summary.json.
    Json,
    /// For pasting.
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

/// Colours of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
}

impl ThemeName {
    /// Whether it is the dark one.
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

/// Pixels across and down; whether a chart has room in them, the chart says.
pub(super) fn size(word: &str) -> Result<Size, String> {
    let sides = word.split_once(['x', 'X', '×']);
    let parsed =
        sides.and_then(|(width, height)| Some((width.trim().parse().ok()?, height.trim().parse().ok()?)));
    parsed
        .map(|(width, height)| Size { width, height })
        .ok_or_else(|| "give pixels across and down, such as 1920x1080".to_owned())
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

/// Far above any step of a healthy trial, and short enough to wait for.
pub(super) const DEFAULT_TIMEOUT_S: f64 = 60.0;

/// The longest time limit is a day: more is a slip of the keyboard.
const LONGEST_LIMIT_S: f64 = 86_400.0;

pub(super) fn seed(word: &str) -> Result<u64, String> {
    word.parse()
        .map_err(|_| format!("give a whole number from 0 to {}", u64::MAX))
}

/// A share given in per cent.
pub(super) fn percent(word: &str) -> Result<f64, String> {
    match word.strip_suffix('%').unwrap_or(word).trim().parse::<f64>() {
        Ok(percent) if (0.01..=50.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("give per cent between 0.01 and 50, such as 1%".to_owned()),
    }
}

/// Below, handing work out and reading clocks would be a part of what is measured.
const SHORTEST_SAMPLE_S: f64 = 0.001;
const LONGEST_SAMPLE_S: f64 = 10.0;

/// Seconds of a duration such as `90s`, `10m` or `1h30m`.
pub(super) fn duration_s(word: &str) -> Result<f64, String> {
    match word.parse::<jiff::SignedDuration>() {
        Ok(duration) if duration.is_positive() => Ok(duration.as_secs_f64()),
        _ => Err("give a time such as 90s, 10m or 1h30m".to_owned()),
    }
}

/// Seconds that a sample may be asked to last, such as `20ms`.
pub(super) fn sample_s(word: &str) -> Result<f64, String> {
    match duration_s(word) {
        Ok(seconds) if (SHORTEST_SAMPLE_S..=LONGEST_SAMPLE_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "give a time between {} ms and {LONGEST_SAMPLE_S} s, such as 20ms or 0.5s",
            SHORTEST_SAMPLE_S * 1e3
        )),
    }
}

pub(super) fn seconds(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        Ok(seconds) if (0.1..=LONGEST_LIMIT_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "give seconds between 0.1 and {LONGEST_LIMIT_S}, such as 60"
        )),
    }
}
