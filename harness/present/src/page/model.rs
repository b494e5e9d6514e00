//! Everything that the page says, in finished words and drawings: what the template is filled with.

use serde::Serialize;

use super::Report;
use super::cells::{self, Table};
use super::charts::{self, Charts};
use super::facts::{self, Build, Fact, Quiet, WorkloadDescription};
use super::findings::{self, Matrix, Statement};
use super::fits::{self, Fit};
use super::spread::quantile;
use crate::arms;
use crate::chart::{self, ChartError, Material};
use crate::noise;
use crate::rows::{self, Reason};
use ftbench_schema::{CellSamples, CellStatus, CellSummary, RunStatus, SamplesByCell, Summary, text, units};

/// Maximum number of cells named for one reason.
const MOST_CELLS: usize = 12;

/// The whole page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// Name of the run's folder.
    pub name: String,
    /// How far the run came, when it is not complete.
    pub unfinished: Option<&'static str>,
    /// The workloads, machine and builds, in a line each.
    pub lines: Vec<String>,
    /// Notices that a reader must know before the figures.
    pub notices: Vec<String>,
    /// How versions of the code compare.
    pub arms: Vec<Statement>,
    /// Every comparison of arms.
    pub arm_table: Option<ArmTable>,
    /// The findings.
    pub findings: Vec<Statement>,
    /// What free-threading costs.
    pub overheads: Vec<String>,
    /// How quiet it was.
    pub quiet: Option<Quiet>,
    /// Every workload by every curve.
    pub matrix: Option<Matrix>,
    /// All cells.
    pub overview: Table,
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// What failed, and why.
    pub failures: Vec<ReasonGroup>,
    /// What was skipped, and why.
    pub skipped: Vec<ReasonGroup>,
    /// Whether anything was compared with a ceiling.
    pub has_ceiling: bool,
    /// The run.
    pub run: Vec<Fact>,
    /// The machine.
    pub machine: Vec<Fact>,
    /// The interpreters.
    pub builds: Vec<Build>,
    /// The environment of every trial.
    pub environment: Vec<Fact>,
    /// Where figures of noise and cost come from.
    pub sources: Vec<Fact>,
}

/// Every comparison of arms, as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArmTable {
    /// The headings of the columns.
    pub heading: Vec<String>,
    /// The rows, one for each comparison.
    pub rows: Vec<Vec<String>>,
}

fn arm_table(summary: &Summary) -> Option<ArmTable> {
    let table = arms::table(summary);
    (!table.is_empty()).then(|| ArmTable {
        heading: table.headings().map(str::to_owned).collect(),
        rows: table.texts().collect(),
    })
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Its description of itself; `None` when the summary does not have one.
    pub about: Option<WorkloadDescription>,
    /// The findings on it.
    pub findings: Vec<Statement>,
    /// Its charts.
    pub charts: Charts,
    /// The scaling laws of its curves.
    pub fits: Vec<Fit>,
    /// Its cells.
    pub table: Table,
    /// What failed in it, in a line.
    pub failed: Option<String>,
    /// The figures that it reported.
    pub reported: Vec<Reported>,
}

/// A figure that a workload reported of itself, in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// Its name.
    pub name: String,
    /// The cell.
    pub cell: String,
    /// The median over samples.
    pub median: String,
    /// 5th to 95th percentile.
    pub range: String,
    /// How many samples had it.
    pub samples: usize,
}

/// Cells with the same status and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonGroup {
    /// The status of the cells.
    pub status: &'static str,
    /// The number of cells.
    pub cells: String,
    /// Which ones.
    pub names: String,
    /// Why, in a line.
    pub reason: String,
    /// The end of the traceback.
    pub traceback: String,
}

/// Makes the page.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(report: Report<'_>) -> Result<Page, ChartError> {
    let Report {
        summary,
        manifest,
        samples,
    } = report;
    let names = findings::workloads(summary);
    let material = Material::for_page(summary.clone());
    let mut overview = cells::overview(summary);
    if names.is_empty() {
        overview.columns.clear();
    }
    Ok(Page {
        name: text::line(&summary.run.name),
        unfinished: match summary.run.status {
            RunStatus::Complete => None,
            RunStatus::Interrupted => Some("interrupted"),
            RunStatus::Running => Some("not ended"),
        },
        lines: lines(summary, names.len()),
        notices: rows::notices(summary),
        arms: findings::of_arms(summary),
        arm_table: arm_table(summary),
        findings: findings::of(summary, names.len() > 1),
        overheads: noise::overheads(summary),
        quiet: facts::quiet(summary),
        matrix: findings::matrix(summary, &names),
        overview,
        workloads: names
            .iter()
            .map(|name| workload(&material, name, samples))
            .collect::<Result<_, ChartError>>()?,
        failures: why(&rows::reasons(summary, CellStatus::is_failure)),
        skipped: why(&rows::reasons(summary, |status| status == CellStatus::Skipped)),
        has_ceiling: rows::has_ceiling(summary),
        run: facts::run(summary, manifest),
        machine: facts::machine(summary),
        builds: facts::builds(summary),
        environment: facts::environment(manifest),
        sources: facts::sources(summary),
    })
}

/// Names the workloads, machine and builds.
fn lines(summary: &Summary, workloads: usize) -> Vec<String> {
    let tags: Vec<String> = summary
        .interpreters
        .iter()
        .map(|facts| text::line(&facts.tag))
        .collect();
    let day = summary.run.started_at.get(..10).unwrap_or_default();
    let of = if tags.is_empty() {
        String::new()
    } else {
        format!(" on {}", tags.join(", "))
    };
    let hardware = [chart::machine(summary), text::line(day)];
    let mut lines = vec![
        format!("{}{of}", text::counted(workloads, "workload")),
        hardware.join(" · "),
        chart::builds(summary),
    ];
    lines.retain(|line| !line.is_empty());
    lines
}

fn workload(material: &Material, name: &str, samples: &SamplesByCell) -> Result<Workload, ChartError> {
    let summary = &material.summary;
    let facts = summary.workloads.iter().find(|facts| facts.name == name);
    let of_it = |cell: &&CellSummary| cell.workload == name;
    let failed: Vec<&CellSummary> = summary
        .cells
        .iter()
        .filter(of_it)
        .filter(|cell| cell.status.is_failure())
        .collect();
    Ok(Workload {
        name: text::line(name),
        about: facts.map(facts::about),
        findings: findings::of_workload(summary, name),
        charts: charts::of_workload(material, name, samples)?,
        fits: fits::of_workload(summary, name),
        table: cells::of_workload(summary, name),
        failed: (!failed.is_empty()).then(|| rows::cell_names(&failed, MOST_CELLS)),
        reported: summary
            .cells
            .iter()
            .filter(of_it)
            .filter_map(|cell| Some((cell, samples.of_cell(&cell.cell)?)))
            .flat_map(|(cell, samples)| reported(cell, samples))
            .collect(),
    })
}

fn reported(cell: &CellSummary, samples: &CellSamples) -> Vec<Reported> {
    let of = |(name, figures): (&String, &Vec<f64>)| {
        let mut sorted: Vec<f64> = figures
            .iter()
            .copied()
            .filter(|figure| figure.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let number = |share: f64| {
            let value = quantile(&sorted, share)?;
            Some(units::number(value, units::decimals_for(value, 3)))
        };
        Some(Reported {
            name: text::line(name),
            cell: format!(
                "{} {} ×{}",
                text::line(&cell.interpreter_label()),
                cell.model,
                cell.workers
            ),
            median: number(0.5)?,
            range: format!("{} to {}", number(0.05)?, number(0.95)?),
            samples: sorted.len(),
        })
    };
    samples.reported.iter().filter_map(of).collect()
}

fn why(reasons: &[Reason<'_>]) -> Vec<ReasonGroup> {
    reasons
        .iter()
        .map(|reason| {
            let mut lines = text::lines(reason.reason);
            ReasonGroup {
                status: reason.status.words(),
                cells: text::counted(reason.cells.len(), "cell"),
                names: rows::cell_names(&reason.cells, MOST_CELLS),
                reason: lines.next().unwrap_or_default(),
                traceback: lines.collect::<Vec<String>>().join("\n"),
            }
        })
        .collect()
}
