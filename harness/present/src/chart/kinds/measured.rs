//! The measured values that curves are drawn from.

use ftbench_schema::{CellStatus, CellSummary, Estimate, GilState, Host, Model, Summary, text};
use itertools::Itertools;

/// Longer names are cut.
pub(in crate::chart) const LONGEST_NAME: usize = 28;
/// Longer tags are cut: two of one build differ before that, such as `3.14.10t+nogil+nojit` and `…+notlbc`.
pub(in crate::chart) const LONGEST_TAG: usize = 20;
/// More series than this cannot be followed in a picture without a legend that hides some.
pub(crate) const MOST_SERIES: usize = 12;

/// What a chart's curves are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Own time with one worker over the time.
    Speedup,
    /// Speedup over the number of workers.
    Efficiency,
    /// Speedup over that of the machine's own ceiling.
    CeilingShare,
    /// Units of work a second.
    Throughput,
    /// Speed against the baseline's `serial`.
    Speed,
    /// Seconds from handing out the work to the last result.
    Makespan,
    /// Bytes.
    Memory,
}

impl Quantity {
    pub(super) fn of(self, cell: &CellSummary) -> Option<Estimate> {
        match self {
            Self::Speedup => cell.speedup.filter(|_| cell.model != Model::Serial),
            Self::Efficiency => cell.efficiency.filter(|_| cell.model != Model::Serial),
            Self::CeilingShare => cell.ceiling_fraction.filter(|_| cell.model != Model::Serial),
            Self::Throughput => cell.units_per_s,
            Self::Makespan => cell.makespan_s,
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

    /// Names what it is of, apart from the model: the tag, the host where that is not the interpreter's own executable, and
    /// the arm. A tag that is longer than `longest` is cut; an arm is kept, because it distinguishes curves.
    pub(super) fn place(&self, longest: usize) -> String {
        let tag = text::shorten(&text::line(self.tag), longest);
        let arm = self.arm.map(text::line);
        self.host.label(&tag, arm.as_deref())
    }
}

/// Collects the values of cells, in the order of the plan. Cells that failed have none; those whose GIL came back
/// on have, and are drawn as what they were: measured with the GIL.
pub(super) fn measured<'a>(
    summary: &'a Summary,
    cells: &[&'a CellSummary],
    quantity: Quantity,
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for cell in cells {
        let usable = matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled);
        let value = quantity.of(cell);
        let Some(estimate) = value.filter(|known| usable && known.estimate.is_finite()) else {
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

pub(super) fn series_name(line: &Line<'_>) -> String {
    let model = line.model.name();
    // Most models leave room for the whole tag; of the longest both are cut.
    let room = LONGEST_NAME.saturating_sub(model.len() + 1).max(LONGEST_NAME / 2);
    let place = line.place(room.min(LONGEST_TAG));
    text::shorten(&format!("{place} {model}"), LONGEST_NAME)
}

pub(super) fn counts(lines: &[Line<'_>]) -> Vec<u32> {
    let values = lines.iter().flat_map(|line| &line.values);
    values
        .map(|(workers, _)| *workers)
        .sorted_unstable()
        .dedup()
        .collect()
}

/// Keeps at most `most` lines, threads and processes first, in their order. Returns a sentence on how many are gone.
pub(super) fn thin_out(lines: &mut Vec<Line<'_>>, most: usize) -> Option<String> {
    let gone = lines.len().checked_sub(most).filter(|gone| *gone > 0)?;
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
        .take(most)
        .map(|(_, position)| position)
        .collect();
    let mut position = 0;
    lines.retain(|_| {
        position += 1;
        kept.contains(&(position - 1))
    });
    Some(format!(
        "Not drawn because there is no room: {} more series; choose with 'ftbench plot RUN#TAG' or --model.",
        gone
    ))
}
