//! The rows of a result table, independent of format: the terminal and the Markdown table share them.

use ftbench_schema::{
    CellStatus, CellSummary, Difference, Estimate, GilState, Host, Model, RunStatus, Summary,
};
use itertools::Itertools;

use super::table::Tone;
use ftbench_schema::text;
use ftbench_schema::units::{self, TimeUnit};

/// The rows of one workload, with the unit of their times.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The workload's name, as the summary has it.
    pub workload: String,
    /// The unit of all makespans of the group, chosen by their median.
    pub unit: TimeUnit,
    /// The SI prefix of its units per second.
    pub rate_prefix: &'static str,
    /// The rows, one for each cell that was tried, in the order of the plan.
    pub rows: Vec<Row>,
}

/// One cell's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The interpreter's tag, as the summary has it, and its host where that is not its own executable.
    pub interpreter: String,
    /// How workers run.
    pub model: Model,
    /// The number of workers.
    pub workers: u32,
    /// Its makespan in the group's unit.
    pub makespan: Figure,
    /// Units of work per second, divided by the group's prefix; unknown for the ceiling, whose units are others.
    pub units_per_s: Figure,
    /// Its time with one worker divided by its time.
    pub speedup: Figure,
    /// Its speedup as a percentage of the ceiling's.
    pub ceiling_fraction: Figure,
    /// The baseline's `serial` time divided by its time.
    pub vs_baseline: Figure,
    /// The GIL state while it was measured.
    pub gil: Option<GilState>,
    /// Its status.
    pub status: CellStatus,
    /// Whether it belongs to the ceiling, with which other cells are compared.
    pub native: bool,
}

/// An estimate as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The value, or [`units::UNKNOWN`].
    pub value: String,
    /// The ends of the interval; `None` if there is no interval, as for a cell compared with itself.
    pub interval: Option<String>,
    /// Good or bad where the whole interval of a ratio differs from 1 by more than the smallest effect of interest.
    pub tone: Tone,
}

/// The value from which decimals of a number mean nothing.
const LARGE: f64 = 1000.0;

impl Figure {
    fn new(estimate: Option<Estimate>, format: impl Fn(f64) -> String) -> Self {
        let Some(known) = estimate.filter(|known| known.estimate.is_finite()) else {
            return Self {
                value: units::UNKNOWN.to_owned(),
                interval: None,
                tone: Tone::Plain,
            };
        };
        let certain = known.low == known.estimate && known.high == known.estimate;
        let interval = (!certain).then(|| format!("[{}, {}]", format(known.low), format(known.high)));
        Self {
            value: format(known.estimate),
            interval,
            tone: Tone::Plain,
        }
    }

    pub(super) fn ratio(estimate: Option<Estimate>, difference: Option<Difference>) -> Self {
        let decimals = estimate.map_or(2, |known| units::ratio_decimals(known.estimate));
        let mut figure = Self::new(estimate, |value| units::number(value, decimals));
        figure.tone = match (estimate, difference) {
            (Some(known), Some(difference)) if difference.differs && known.estimate > 1.0 => Tone::Good,
            (Some(_), Some(difference)) if difference.differs => Tone::Bad,
            _ => Tone::Plain,
        };
        figure
    }

    /// A number that a workload reports, with as many decimals as its size needs.
    pub(super) fn plain(estimate: Option<Estimate>) -> Self {
        let size = estimate.map_or(0.0, |known| known.high.abs().max(known.estimate.abs()));
        let whole = estimate.is_some_and(|known| {
            [known.estimate, known.low, known.high]
                .iter()
                .all(|value| value.fract() == 0.0)
        });
        let decimals = units::decimals_for(size, 3);
        Self::new(estimate, |value| {
            if whole || size >= LARGE {
                units::whole(value)
            } else {
                units::number(value, decimals)
            }
        })
    }

    /// A share in per cent, without the sign, which is in the heading. It has no tone: close to the ceiling is neither
    /// better nor worse.
    pub(super) fn percent(estimate: Option<Estimate>) -> Self {
        Self::new(estimate, |share| units::number(100.0 * share, 0))
    }

    /// Returns value and interval together: `1.96 [1.93, 1.99]`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.interval {
            Some(interval) => format!("{} {interval}", self.value),
            None => self.value.clone(),
        }
    }
}

/// Right-aligns the values of a column, and its intervals.
#[must_use]
pub fn align(figures: &[&Figure], with_interval: bool) -> Vec<String> {
    let interval_of = |figure: &Figure| {
        let interval = figure.interval.as_deref().filter(|_| with_interval);
        interval.unwrap_or_default().to_owned()
    };
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let value_width = widest(&mut figures.iter().map(|figure| figure.value.len()));
    let interval_width = widest(&mut figures.iter().map(|figure| interval_of(figure).len()));
    figures
        .iter()
        .map(|figure| {
            let value = format!("{:>value_width$}", figure.value);
            if interval_width == 0 {
                value
            } else {
                format!("{value} {:>interval_width$}", interval_of(figure))
            }
        })
        .collect()
}

/// The labels of the cells' interpreters, each once, in the order of the cells.
pub(super) fn interpreter_labels<'a>(cells: impl Iterator<Item = &'a CellSummary>) -> Vec<String> {
    cells.map(|cell| cell.interpreter_label()).unique().collect()
}

/// The rows of every workload; cells that were skipped on purpose have no row.
#[must_use]
pub fn groups(summary: &Summary) -> Vec<Group> {
    let cells = summary.cells.iter();
    let shown = cells.filter(|cell| cell.status != CellStatus::Skipped);
    shown
        .map(|cell| cell.workload.as_str())
        .unique()
        .map(|workload| {
            let cells: Vec<&CellSummary> = summary
                .cells
                .iter()
                .filter(|cell| cell.workload == workload && cell.status != CellStatus::Skipped)
                .collect();
            group(workload, &cells)
        })
        .collect()
}

fn group(workload: &str, cells: &[&CellSummary]) -> Group {
    let makespans = || known(cells.iter().map(|cell| cell.makespan_s));
    let unit = TimeUnit::for_typical(units::typical(makespans()).unwrap_or(1.0));
    let decimals = decimals_of(makespans().map(|makespan_s| unit.from_seconds(makespan_s)));
    let units_per_s = |cell: &CellSummary| cell.units_per_s.filter(|_| !cell.is_native());
    let rates = || known(cells.iter().map(|cell| units_per_s(cell)));
    let (divisor, rate_prefix) = units::si_prefix(units::typical(rates()).unwrap_or(1.0));
    let rate_decimals = decimals_of(rates().map(|rate| rate / divisor));
    let rows = cells
        .iter()
        .map(|cell| Row {
            native: cell.is_native(),
            interpreter: cell.interpreter_label(),
            model: cell.model,
            workers: cell.workers,
            makespan: Figure::new(cell.makespan_s, |seconds| unit.format(seconds, decimals)),
            units_per_s: Figure::new(units_per_s(cell), |rate| {
                units::number(rate / divisor, rate_decimals)
            }),
            speedup: Figure::ratio(cell.speedup, cell.speedup_difference),
            ceiling_fraction: Figure::percent(cell.ceiling_fraction),
            vs_baseline: Figure::ratio(cell.vs_baseline, cell.vs_baseline_difference),
            gil: cell.gil,
            status: cell.status,
        })
        .collect();
    Group {
        workload: workload.to_owned(),
        unit,
        rate_prefix,
        rows,
    }
}

/// The values that are known.
fn known(estimates: impl Iterator<Item = Option<Estimate>> + Clone) -> impl Iterator<Item = f64> + Clone {
    estimates.flatten().map(|known| known.estimate)
}

/// How many decimals the values of a column have: enough for three digits of the typical value and two of the smallest,
/// as far as that stays readable.
fn decimals_of(values: impl Iterator<Item = f64> + Clone) -> usize {
    let typical = units::typical(values.clone()).unwrap_or(1.0);
    let smallest = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold(typical, f64::min);
    units::decimals_for(typical, 3)
        .max(units::decimals_for(smallest, 2))
        .min(3)
}

/// The notices to read before the figures: the run's warnings, and whether the run is incomplete.
#[must_use]
pub fn notices(summary: &Summary) -> Vec<String> {
    let warnings = summary.warnings.iter();
    let mut notices: Vec<String> = warnings.map(|warning| text::line(&warning.message)).collect();
    let ended = match summary.run.status {
        RunStatus::Complete => None,
        RunStatus::Interrupted => Some("the run was interrupted; the figures cover the rounds before that"),
        RunStatus::Running => Some("the run has not ended; the figures will change"),
    };
    notices.extend(ended.map(str::to_owned));
    notices
}

/// The GIL state as a table shows it.
#[must_use]
pub const fn gil_word(gil: Option<GilState>) -> &'static str {
    match gil {
        Some(GilState::On) => "on",
        Some(GilState::Off) => "off",
        None => units::UNKNOWN,
    }
}

/// The heading of the ceiling column.
pub const CEILING_HEADING: &str = "% of ceiling";

/// Whether any cell was compared with a ceiling, so that tables need a column for it.
#[must_use]
pub fn has_ceiling(summary: &Summary) -> bool {
    summary.cells.iter().any(|cell| cell.ceiling_fraction.is_some())
}

/// The heading of the versus-baseline column, with the baseline's tag if that is short.
#[must_use]
pub fn baseline_heading(summary: &Summary) -> String {
    let first_arm = summary.arms.first().map(|arm| text::line(&arm.name));
    let tag = Host::Spawn.label(&text::line(&summary.run.baseline), first_arm.as_deref());
    if tag.is_empty() || tag.chars().count() > 7 {
        "vs baseline".to_owned()
    } else {
        format!("vs {tag} serial")
    }
}

/// The same heading for a narrow table, which has no room for the word `serial`.
#[must_use]
pub fn short_baseline_heading(summary: &Summary) -> String {
    let heading = baseline_heading(summary);
    heading
        .strip_suffix(" serial")
        .map(str::to_owned)
        .unwrap_or(heading)
}

/// Cells with the same status and reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason<'a> {
    /// Their status.
    pub status: CellStatus,
    /// The reason, as the summary has it; empty if it has none.
    pub reason: &'a str,
    /// The cells, in the order of the plan.
    pub cells: Vec<&'a CellSummary>,
}

/// Groups the cells whose status is `wanted` by status and reason.
#[must_use]
pub fn reasons(summary: &Summary, wanted: impl Fn(CellStatus) -> bool) -> Vec<Reason<'_>> {
    let mut found: Vec<Reason<'_>> = Vec::new();
    for cell in summary.cells.iter().filter(|cell| wanted(cell.status)) {
        let reason = cell.reason.as_deref().unwrap_or_default();
        match found
            .iter_mut()
            .find(|known| known.status == cell.status && known.reason == reason)
        {
            Some(known) => known.cells.push(cell),
            None => found.push(Reason {
                status: cell.status,
                reason,
                cells: vec![cell],
            }),
        }
    }
    found
}

/// Names cells, at most `max` names. Cells that differ only in the number of workers share one:
/// `fib 3.13 threads x1 x2, fib 3.13t threads x1`.
#[must_use]
pub fn cell_names(cells: &[&CellSummary], max: usize) -> String {
    let mut names: Vec<(String, String)> = Vec::new();
    for cell in cells {
        let name = format!(
            "{} {} {}",
            text::shorten(&text::line(&cell.workload), 32),
            text::shorten(&text::line(&cell.interpreter_label()), 24),
            cell.model
        );
        match names.last_mut().filter(|(last, _)| *last == name) {
            Some((_, workers)) => workers.push_str(&format!(" x{}", cell.workers)),
            None => names.push((name, format!(" x{}", cell.workers))),
        }
    }
    let more = names.len().saturating_sub(max);
    let mut listed: Vec<String> = names
        .into_iter()
        .take(max)
        .map(|(name, workers)| name + &workers)
        .collect();
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    fn ratio(estimate: Option<Estimate>) -> Figure {
        Figure::ratio(estimate, estimate.map(summaries::difference))
    }

    #[test]
    fn a_group_has_one_unit_and_enough_digits() {
        let groups = groups(&summaries::many_cores());
        let [group] = groups.as_slice() else {
            unreachable!("one workload, one group")
        };
        assert_eq!(group.unit, TimeUnit::Milliseconds);
        let shortest = group.rows.iter().map(|row| row.makespan.value.len()).min();
        assert_eq!(shortest, Some("9.3".len()));
    }

    #[test]
    fn a_cell_compared_with_itself_has_no_interval() {
        let figure = ratio(Some(summaries::estimate(1.0, 0.0)));
        assert_eq!(figure.text(), "1.00");
        assert_eq!(ratio(None).text(), "-");
        assert_eq!(ratio(Some(summaries::estimate(f64::NAN, 1.0))).text(), "-");
        let figure = ratio(Some(summaries::estimate(1.96, 1.5)));
        assert_eq!(
            (figure.text().as_str(), figure.tone),
            ("1.96 [1.93, 1.99]", Tone::Good)
        );
    }

    #[test]
    fn values_and_intervals_are_right_aligned() {
        let figures = [
            ratio(Some(summaries::estimate(1.0, 0.0))),
            ratio(Some(summaries::estimate(101.0, 1.0))),
            ratio(None),
        ];
        let figures: Vec<&Figure> = figures.iter().collect();
        assert_eq!(
            align(&figures, true),
            ["1.00           ", " 101 [100, 102]", "   -           "]
        );
        assert_eq!(align(&figures, false), ["1.00", " 101", "   -"]);
        assert!(align(&[], true).is_empty());
    }

    #[test]
    fn cells_with_the_same_reason_are_grouped() {
        let summary = summaries::without_figures();
        let reasons = reasons(&summary, CellStatus::is_failure);
        assert_eq!(reasons.len(), 3);
        assert_eq!(
            reasons.first().map(|reason| cell_names(&reason.cells, 2)),
            Some("fib 3.13 serial x1, fib 3.13 processes x2, and 3 more".to_owned())
        );
    }
}
