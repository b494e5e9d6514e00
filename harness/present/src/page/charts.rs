//! The charts of one workload, drawn for the page: figures that a reader can switch between, the legend of their series,
//! and the spread of the samples.

use serde::Serialize;

use super::spread::{self, Named};
use crate::chart::{self, Body, ChartError, Figure, Kind, Lines, Material, ReferenceKind, Size};
use ftbench_schema::{CellSummary, SamplesByCell, text};

/// Width of a picture, pixels; a page scales it to the room that there is.
const WIDTH: u32 = 720;
/// Height of a picture with one plot, and of one with two.
const HEIGHT: u32 = 380;
const HEIGHT_OF_TWO: u32 = 560;

/// The charts of one workload.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Charts {
    /// The pictures to choose from, the most informative first.
    pub pictures: Vec<Picture>,
    /// The series of all pictures, by number.
    pub series: Vec<Series>,
    /// How samples lie around their medians, as SVG.
    pub spread: Option<String>,
    /// Whether the ceiling is drawn in any of them.
    pub has_ceiling: bool,
}

impl Charts {
    /// All drawings.
    pub fn svgs(&self) -> impl Iterator<Item = &str> {
        let pictures = self.pictures.iter().map(|picture| &picture.svg);
        pictures.chain(&self.spread).map(String::as_str)
    }
}

/// A drawing of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picture {
    /// The key by which the page's script selects the picture.
    pub key: String,
    /// The name of its quantity.
    pub name: &'static str,
    /// `at 2 workers`, where all values are at one number of workers.
    pub at: Option<String>,
    /// The drawing.
    pub svg: String,
}

/// One model on one interpreter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its line and marker, as SVG.
    pub key: String,
}

/// Draws the charts of the cells of one workload.
///
/// # Errors
/// When the drawing library refuses.
pub fn of_workload(
    material: &Material,
    workload: &str,
    samples: &SamplesByCell,
) -> Result<Charts, ChartError> {
    let mut charts = Charts::default();
    let mut names: Vec<Option<chart::Series>> = Vec::new();
    for Figure {
        kind,
        name,
        mut chart,
    } in chart::figures(material, workload)
    {
        let Body::Lines(lines) = &chart.body else {
            continue;
        };
        let mut measured = lines.references.iter();
        charts.has_ceiling |= measured.any(|line| line.kind == ReferenceKind::Measured);
        for series in &lines.series {
            if names.len() <= series.number {
                names.resize(series.number + 1, None);
            }
            if let Some(slot) = names.get_mut(series.number) {
                slot.get_or_insert_with(|| series.clone());
            }
        }
        chart.size = Size {
            width: WIDTH,
            height: if lines.per_worker.is_some() {
                HEIGHT_OF_TWO
            } else {
                HEIGHT
            },
        };
        let at = only_count(lines);
        chart.title = format!(
            "{name} of {}. Arrow keys move between points.",
            text::line(workload)
        );
        keep_fits(&mut chart.body, kind == Kind::Scaling);
        charts.pictures.push(Picture {
            key: name.to_lowercase(),
            name,
            at,
            svg: chart::page_body(&chart)?,
        });
    }
    let all: Vec<chart::Series> = names.into_iter().flatten().collect();
    let spread = spread::chart(&named(material, workload, samples, &all));
    charts.spread = spread.map(|chart| chart::page_body(&chart)).transpose()?;
    for series in all {
        charts.series.push(Series {
            key: chart::page_key(&series)?,
            name: series.name,
        });
    }
    Ok(charts)
}

/// The number of workers, where there is one only and the axis has the series in its place.
fn only_count(lines: &Lines) -> Option<String> {
    (lines.x.title != chart::WORKERS).then(|| format!("at {}", lines.x.title))
}

/// Laws are fitted to speedups, and drawn there only: the other figures would say the same again.
fn keep_fits(body: &mut Body, kept: bool) {
    if let (Body::Lines(lines), false) = (body, kept) {
        for series in &mut lines.series {
            series.fit.clear();
        }
    }
}

/// The cells of a workload that have samples, with their series.
fn named<'a>(
    material: &'a Material,
    workload: &str,
    samples: &'a SamplesByCell,
    all: &[chart::Series],
) -> Vec<Named<'a>> {
    let of_cell = |cell: &'a CellSummary| {
        let name = format!("{} {}", text::line(&cell.interpreter_label()), cell.model);
        let series = all.iter().find(|series| series.name == name)?;
        Some(Named {
            name: format!("{name} ×{}", cell.workers),
            series: series.number,
            family: series.family,
            strength: series.strength,
            samples: samples.of_cell(&cell.cell)?,
        })
    };
    let cells = material.summary.cells.iter();
    cells
        .filter(|cell| cell.workload == workload && !cell.is_native())
        .filter_map(of_cell)
        .collect()
}

#[cfg(test)]
#[path = "charts_tests.rs"]
mod tests;
