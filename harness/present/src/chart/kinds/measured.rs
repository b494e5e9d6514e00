//! The measured values that curves are drawn of.

use crate::chart::{Marker, Point, Series};
use ftbench_schema::{CellStatus, CellSummary, Estimate, GilState, Host, Model, Scaling, Summary, text};

/// Longer names are cut.
pub(in crate::chart) const LONGEST_NAME: usize = 28;
/// Longer tags are cut: two of one build differ before that, such as `3.14.10t+nogil+nojit` and `…+notlbc`.
pub(in crate::chart) const LONGEST_TAG: usize = 20;
/// More series than this cannot be followed.
const MOST_SERIES: usize = 12;

/// What a chart's curves are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Own time with one worker over the time.
    Speedup,
    /// Speedup over the number of workers.
    Efficiency,
    /// Units of work a second.
    Throughput,
    /// Speed against the baseline's `serial`.
    Speed,
    /// Bytes.
    Memory,
}

impl Quantity {
    pub(super) fn of(self, summary: &Summary, cell: &CellSummary) -> Option<Estimate> {
        match self {
            Self::Speedup => cell.speedup.filter(|_| cell.model != Model::Serial),
            Self::Efficiency => cell.efficiency.filter(|_| cell.model != Model::Serial),
            Self::Throughput => {
                let shares = match summary.run.scaling {
                    Scaling::Strong => 1,
                    Scaling::Weak => cell.workers,
                };
                #[allow(clippy::cast_precision_loss)] // Exact up to 2^53 units.
                let units = cell.units? as f64 * f64::from(shares);
                cell.makespan_s.map(|time| Estimate {
                    estimate: units / time.estimate,
                    low: units / time.high,
                    high: units / time.low,
                })
            }
            Self::Speed => cell.vs_baseline,
            Self::Memory => cell
                .memory_peak_bytes
                .or(cell.pss_peak_bytes)
                .or(cell.rss_peak_bytes),
        }
    }
}

/// The measured values of one model on one interpreter.
pub(super) struct Line<'a> {
    pub(super) workload: &'a str,
    pub(super) tag: &'a str,
    pub(super) host: Host,
    pub(super) arm: Option<&'a str>,
    pub(super) model: Model,
    pub(super) gil: Option<GilState>,
    /// Workers and estimate, by workers.
    pub(super) values: Vec<(u32, Estimate)>,
}

impl Line<'_> {
    fn is_of(&self, cell: &CellSummary) -> bool {
        self.tag == cell.interpreter
            && self.host == cell.host
            && self.arm == cell.arm.as_deref()
            && self.model == cell.model
    }

    /// What it is of, apart from the model: the tag, the host where that is not the interpreter's own executable, and
    /// the arm. A tag that is longer than `longest` is cut; an arm is kept, for it tells curves apart.
    pub(super) fn place(&self, longest: usize) -> String {
        let tag = text::shorten(&text::line(self.tag), longest);
        let arm = self.arm.map(text::line);
        self.host.label(&tag, arm.as_deref())
    }
}

/// The values of cells, in the order of the plan. Cells that failed have none; those whose GIL came back
/// on have, and are drawn as what they were: measured with the GIL.
pub(super) fn measured<'a>(
    summary: &'a Summary,
    cells: &[&'a CellSummary],
    quantity: Quantity,
) -> Vec<Line<'a>> {
    measured_as(summary, cells, |cell| quantity.of(summary, cell))
}

pub(super) fn measured_as<'a>(
    summary: &'a Summary,
    cells: &[&'a CellSummary],
    value: impl Fn(&CellSummary) -> Option<Estimate>,
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for cell in cells {
        let usable = matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled);
        let Some(estimate) = value(cell).filter(|known| usable && known.estimate.is_finite()) else {
            continue;
        };
        let tag = cell.interpreter.as_str();
        let known = lines.iter_mut().find(|line| line.is_of(cell));
        let gil = cell.gil.or_else(|| {
            let facts = summary.interpreters.iter().find(|facts| facts.tag == tag);
            facts.map(|facts| facts.gil)
        });
        match known {
            Some(line) => {
                line.values.push((cell.workers, estimate));
                if gil == Some(GilState::On) {
                    line.gil = gil;
                }
            }
            None => lines.push(Line {
                workload: &cell.workload,
                tag,
                host: cell.host,
                arm: cell.arm.as_deref(),
                model: cell.model,
                gil,
                values: vec![(cell.workers, estimate)],
            }),
        }
    }
    for line in &mut lines {
        line.values.sort_by_key(|(workers, _)| *workers);
        line.values.dedup_by_key(|(workers, _)| *workers);
    }
    lines
}

/// Series of lines. `scale` is what an estimate is multiplied with, `words` its last value as a label.
pub(super) fn series(lines: &[Line<'_>], scale: f64, words: impl Fn(f64) -> String) -> Vec<Series> {
    let arms = arms(lines);
    let mut series: Vec<Series> = Vec::new();
    for line in lines {
        let family = line.model.family();
        let alike = series
            .iter()
            .filter(|other| other.family == family && other.gil == line.gil)
            .count();
        let points: Vec<Point> = line
            .values
            .iter()
            .map(|(workers, value)| point(*workers, *value, scale))
            .collect();
        series.push(Series {
            label: series_name(line),
            strength: strength(line, &arms),
            value_label: line
                .values
                .last()
                .map(|(_, value)| words(value.estimate))
                .unwrap_or_default(),
            family,
            gil: line.gil,
            marker: Marker::nth(alike),
            points,
        });
    }
    series
}

/// The arms of lines, in their order.
fn arms<'a>(lines: &[Line<'a>]) -> Vec<&'a str> {
    let mut arms: Vec<&str> = Vec::new();
    for arm in lines.iter().filter_map(|line| line.arm) {
        if !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    arms
}

/// The strength of the colour of the first of several arms; that of the last one is 1.
const FIRST_ARM: f64 = 0.5;

/// Weaker colours for the earlier of several arms.
fn strength(line: &Line<'_>, arms: &[&str]) -> f64 {
    let place = line
        .arm
        .and_then(|arm| arms.iter().position(|known| *known == arm));
    let last = arms.len().saturating_sub(1);
    match place {
        Some(place) if place < last => {
            #[allow(clippy::cast_precision_loss)] // A handful of arms.
            let along = place as f64 / last as f64;
            FIRST_ARM + (1.0 - FIRST_ARM) * along
        }
        _ => 1.0,
    }
}

pub(super) fn series_name(line: &Line<'_>) -> String {
    let model = line.model.name();
    // Most models leave room for the whole tag; of the longest both are cut.
    let room = LONGEST_NAME.saturating_sub(model.len() + 1).max(LONGEST_NAME / 2);
    let place = line.place(room.min(LONGEST_TAG));
    text::shorten(&format!("{place} {model}"), LONGEST_NAME)
}

/// An end of an interval that is not known lies at the value.
fn point(workers: u32, value: Estimate, scale: f64) -> Point {
    let or_value = |end: f64| if end.is_finite() { end } else { value.estimate };
    Point {
        x: f64::from(workers),
        y: value.estimate * scale,
        low: or_value(value.low) * scale,
        high: or_value(value.high) * scale,
    }
}

pub(super) fn counts(lines: &[Line<'_>]) -> Vec<u32> {
    let mut counts: Vec<u32> = lines
        .iter()
        .flat_map(|line| line.values.iter().map(|(workers, _)| *workers))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Leaves at most [`MOST_SERIES`], threads and processes first, in their order; tells how many are gone.
pub(super) fn thin_out(lines: &mut Vec<Line<'_>>) -> Option<String> {
    let gone = lines.len().checked_sub(MOST_SERIES).filter(|gone| *gone > 0)?;
    let importance = |model: Model| match model.family() {
        Model::Threads => 0,
        Model::Processes => 1,
        Model::Interpreters => 2,
        _ => 3,
    };
    let mut ranks: Vec<(u32, usize)> = lines
        .iter()
        .enumerate()
        .map(|(position, line)| (importance(line.model), position))
        .collect();
    ranks.sort_unstable();
    let kept: Vec<usize> = ranks
        .into_iter()
        .take(MOST_SERIES)
        .map(|(_, position)| position)
        .collect();
    let mut position = 0;
    lines.retain(|_| {
        position += 1;
        kept.contains(&(position - 1))
    });
    Some(format!(
        "Not drawn for want of room: {} more series; choose with 'ftbench plot RUN#TAG' or --model.",
        gone
    ))
}
