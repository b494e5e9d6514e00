//! The heat map of a whole run.

use crate::chart::heat_map::{self, Column, Field, HeatMap, HeatRow};
use crate::chart::{Axis, Body, Chart, Scale, Size, axis, words};
use crate::headline::{self, Verdict};
use ftbench_schema::{CellSummary, Estimate, Model, Summary, text, units};

use super::curve_words;
use super::material::Material;
use super::measured::{LONGEST_NAME, LONGEST_TAG};
use super::trials::median;
use super::workloads::{labels, largest, size_for, workloads};

/// More columns than this leave no room for their numbers.
const MOST_COLUMNS: usize = 18;
/// Width of a column in which the name of every model can be read, and of the rows' names with the margins, pixels.
const COLUMN: u32 = 70;
const ROW_NAMES: u32 = 260;

/// What the fields show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Speedup at the largest number of workers.
    Speedup,
    /// Speedup over the number of workers.
    Efficiency,
}

impl Shown {
    fn of(self, cell: &CellSummary) -> Option<Estimate> {
        match self {
            Self::Speedup => cell.speedup,
            Self::Efficiency => cell.efficiency,
        }
    }
}

/// Workloads by interpreter and model.
pub(super) fn heat_map(material: &Material, shown: Shown) -> Chart {
    let summary = &material.summary;
    let mut columns = columns(summary);
    let gone = columns.len().saturating_sub(MOST_COLUMNS);
    columns.truncate(MOST_COLUMNS);
    let mut most = 1;
    let rows: Vec<HeatRow> = workloads(summary)
        .into_iter()
        .map(|workload| HeatRow {
            label: text::shorten(&text::line(workload), LONGEST_NAME),
            fields: columns
                .iter()
                .map(|(tag, model)| {
                    let cell = largest(summary, workload, tag, *model);
                    most = cell.map_or(most, |cell| most.max(cell.workers));
                    field(summary, shown, (workload, tag, *model), cell)
                })
                .collect(),
        })
        .collect();
    let values = rows
        .iter()
        .flat_map(|row| &row.fields)
        .filter_map(|field| match field {
            Field::Value(value, _) | Field::Open(value, _) => Some(*value),
            Field::Without(_) => None,
        });
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let is_open = |field: &Field| matches!(field, Field::Open(..));
    let has_open = rows.iter().flat_map(|row| &row.fields).any(is_open);
    let body = if high > 0.0 {
        Body::HeatMap(HeatMap {
            scale: scale(shown, low, high),
            columns: columns
                .iter()
                .map(|(tag, model)| Column {
                    group: text::shorten(&text::line(tag), 24),
                    label: model.to_string(),
                })
                .collect(),
            rows,
        })
    } else {
        Body::Nothing("No workload has a speedup at two workers or more.".to_owned())
    };
    let size = match &body {
        Body::HeatMap(map) => {
            let rows = u32::try_from(map.rows.len()).unwrap_or(u32::MAX);
            let columns = u32::try_from(map.columns.len()).unwrap_or(u32::MAX);
            let size = size_for(f64::from(rows), heat_map::ROW);
            Size {
                width: size.width.max(ROW_NAMES + columns.saturating_mul(COLUMN)),
                ..size
            }
        }
        _ => Size::default(),
    };
    let mut chart = Chart {
        size,
        title: match shown {
            Shown::Speedup => title(summary, most),
            Shown::Efficiency => efficiency_title(summary, most),
        },
        ..Chart::of(body)
    };
    if has_open {
        let note =
            "Without colour, ?: the interval leaves open whether it gains; more rounds would settle it.";
        chart.caption.push(note.to_owned());
    }
    if gone > 0 {
        chart.caption.push(format!(
            "Not drawn because there is no room: {}; choose with RUN#TAG or --model.",
            text::counted(gone, "more column")
        ));
    }
    let cells: Vec<&CellSummary> = summary.cells.iter().filter(|cell| cell.rounds > 0).collect();
    let key = "Each workload at its largest number of workers; a dash was not measured.";
    material.frame(&mut chart, &cells, key);
    chart
}

/// Interpreters with their models, those without any cell of two workers or more left out.
fn columns(summary: &Summary) -> Vec<(String, Model)> {
    let mut columns: Vec<(String, Model)> = Vec::new();
    for (label, _) in labels(summary) {
        for model in Model::ALL {
            let of_column = |cell: &&CellSummary| {
                cell.interpreter_label() == label
                    && cell.model == model
                    && cell.workers > 1
                    && cell.rounds > 0
            };
            if summary.cells.iter().any(|cell| of_column(&cell)) {
                columns.push((label.clone(), model));
            }
        }
    }
    columns
}

fn field(
    summary: &Summary,
    shown: Shown,
    (workload, tag, model): (&str, &str, Model),
    cell: Option<&CellSummary>,
) -> Field {
    let value = cell.and_then(|cell| Some((cell, shown.of(cell)?.estimate)));
    if let Some((cell, value)) = value.filter(|(_, value)| value.is_finite()) {
        let words = match shown {
            Shown::Speedup => units::times(value),
            Shown::Efficiency => units::per_cent(value, 0),
        };
        return if verdict(summary, cell) == Some(Verdict::Unclear) {
            Field::Open(value, format!("{words} ?"))
        } else {
            Field::Value(value, words)
        };
    }
    let failed = summary.cells.iter().find(|cell| {
        cell.workload == workload
            && cell.interpreter_label() == tag
            && cell.model == model
            && cell.status.is_failure()
    });
    Field::Without(failed.map_or_else(|| "–".to_owned(), |cell| cell.status.words().to_owned()))
}

/// The verdict on a cell's curve.
fn verdict(summary: &Summary, cell: &CellSummary) -> Option<Verdict> {
    let (verdict, _) = headline::curve_verdict(summary, cell, cell.speedup?);
    Some(verdict.into())
}

/// From the lowest to the highest value; 1 lies inside.
fn scale(shown: Shown, low: f64, high: f64) -> Axis {
    match shown {
        Shown::Speedup => {
            let title = "Speedup over one worker".to_owned();
            let mut scale = axis::ranged_axis(title, low.clamp(0.01, 1.0), high.max(1.5));
            for tick in &mut scale.ticks {
                tick.label.push('x');
            }
            scale
        }
        Shown::Efficiency => {
            let title = "Efficiency: speedup over the number of workers".to_owned();
            let mut scale = Axis {
                low: 0.0,
                ..axis::value_axis(title, Scale::Linear, 0.0, high.max(1.0))
            };
            scale.high = high.max(1.0);
            for tick in &mut scale.ticks {
                tick.label = units::per_cent(tick.value, 0);
            }
            scale
        }
    }
}

/// The model of a title, threads if there are any, and its interpreters. `None` if there are no cells.
fn model_of_title(summary: &Summary) -> Option<(Model, Vec<String>)> {
    let columns = columns(summary);
    let threads = columns.iter().find(|(_, model)| *model == Model::Threads);
    let model = threads.or(columns.first())?.1;
    let own = columns.into_iter().filter(|(_, other)| *other == model);
    Some((model, own.map(|(tag, _)| tag).collect()))
}

/// Returns the title: `threads gain on 40 of 45 workloads on 3.13t, on none on 3.13, at up to 128 workers`.
fn title(summary: &Summary, most: u32) -> String {
    let Some((model, tags)) = model_of_title(summary) else {
        return "Nothing was measured".to_owned();
    };
    let names = workloads(summary);
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for tag in &tags {
        let measured: Vec<&CellSummary> = names
            .iter()
            .filter_map(|workload| largest(summary, workload, tag, model))
            .collect();
        let gain = measured
            .iter()
            .filter(|cell| verdict(summary, cell) == Some(Verdict::Faster))
            .count();
        found.push((gain, measured.len(), tag.as_str()));
    }
    found.sort_by_key(|(gain, ..)| std::cmp::Reverse(*gain));
    let mut gains: Vec<String> = Vec::new();
    for (gain, measured, tag) in found {
        let tag = text::shorten(&text::line(tag), 20);
        let noun = if gains.is_empty() { " workloads" } else { "" };
        gains.push(format!("{gain} of {measured}{noun} on {tag}"));
    }
    let more = gains.len().saturating_sub(words::MOST_TAGS);
    gains.truncate(words::MOST_TAGS);
    if more > 0 {
        gains.push(format!("and {more} more"));
    }
    let gains = gains.join(", ");
    text::capitalised(&format!("{model} gain in {gains}, at up to {most} workers"))
}

/// Returns the title: `Threads use 97 % of up to 16 workers on 3.13t, 6 % on 3.13 (median of 8 workloads)`.
fn efficiency_title(summary: &Summary, most: u32) -> String {
    let Some((model, tags)) = model_of_title(summary) else {
        return "Nothing was measured".to_owned();
    };
    let names = workloads(summary);
    let mut largest_number = 0;
    let mut shares: Vec<(f64, String)> = Vec::new();
    for tag in &tags {
        let mut measured: Vec<f64> = names
            .iter()
            .filter_map(|workload| Some(largest(summary, workload, tag, model)?.efficiency?.estimate))
            .filter(|share| share.is_finite())
            .collect();
        largest_number = largest_number.max(measured.len());
        let tag = text::shorten(&text::line(tag), LONGEST_TAG);
        shares.extend(median(&mut measured).map(|share| (share, tag)));
    }
    let used = curve_words::share_words(model, &format!("up to {most} workers"), shares);
    let of = text::counted(largest_number, "workload");
    text::capitalised(&format!("{used} (median of {of})"))
}
