//! Tables of cells: finished words, each with its number so that the page can sort by it.

use serde::Serialize;

use crate::headline::Verdict;
use crate::rows;
use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{CellStatus, CellSummary, Difference, Estimate, Host, Model, Summary, text};

/// A table of cells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What its columns are.
    pub columns: Vec<Column>,
    /// One row for each cell.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    /// Its meaning, for those who do not know the word.
    pub meaning: &'static str,
    /// Whether it holds numbers.
    pub number: bool,
    /// Whether a phone has it in the row's heading instead.
    pub in_heading: bool,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The interpreter, for filters.
    pub interpreter: String,
    /// The model's name.
    pub model: &'static str,
    /// The model's family, which the row's colour stands for.
    pub family: &'static str,
    /// The status of the cell, in words.
    pub status: &'static str,
    /// Whether it is of the ceiling.
    pub native: bool,
    /// What is shown below the row's heading on a phone, where the columns that hold it do not fit.
    pub also: String,
    /// One entry for each column.
    pub entries: Vec<Entry>,
}

/// An entry of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The words or the number.
    pub text: String,
    /// The interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// The number that it is sorted by, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its class: `better`, `worse`, `bad`, `dim`, or not at all.
    pub tone: &'static str,
}

impl Entry {
    fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            interval: None,
            value: None,
            tone: "",
        }
    }

    fn estimate(estimate: Option<Estimate>, format: impl Fn(f64) -> String) -> Self {
        let Some(known) = estimate.filter(|known| known.estimate.is_finite()) else {
            return Self {
                tone: "dim",
                ..Self::words(units::UNKNOWN)
            };
        };
        let certain = known.low == known.estimate && known.high == known.estimate;
        Self {
            text: format(known.estimate),
            interval: (!certain).then(|| format!("[{}, {}]", format(known.low), format(known.high))),
            value: Some(format!("{:.4e}", known.estimate)),
            tone: "",
        }
    }

    fn ratio(ratio: Option<Estimate>, difference: Option<Difference>) -> Self {
        let decimals = ratio.map_or(2, |known| units::ratio_decimals(known.estimate));
        let tone = match (ratio, difference) {
            (Some(known), Some(difference)) if difference.differs && known.estimate > 1.0 => "better",
            (Some(_), Some(difference)) if difference.differs => "worse",
            _ => "",
        };
        let entry = Self::estimate(ratio, |value| units::number(value, decimals));
        if entry.value.is_some() {
            Self { tone, ..entry }
        } else {
            entry
        }
    }

    /// Writes a duration in a unit of its own, which the interval does not repeat.
    fn duration(seconds: Option<Estimate>) -> Self {
        let typical = seconds.map_or(1.0, |known| known.estimate);
        let unit = TimeUnit::for_typical(typical);
        let decimals = units::decimals_for(unit.from_seconds(typical), 3);
        let mut entry = Self::estimate(seconds, |value| unit.format(value, decimals));
        if entry.value.is_some() {
            entry.text = format!("{} {}", entry.text, unit.symbol());
        }
        entry
    }

    fn percent(share: Option<Estimate>, decimals: usize) -> Self {
        Self::estimate(share, |share| units::number(100.0 * share, decimals))
    }
}

/// The heading of a column that all cells together have no room for.
const EFFICIENCY: &str = "Efficiency (%)";

/// Bytes of a kibibyte and a mebibyte (IEC 80000-13).
const KIBIBYTE: f64 = 1024.0;
const MEBIBYTE: f64 = 1_048_576.0;

/// How a column is filled.
type Fill<'a> = Box<dyn Fn(&CellSummary) -> Entry + 'a>;

struct Filled<'a> {
    column: Column,
    fill: Fill<'a>,
}

fn words<'a>(heading: &str, meaning: &'static str, fill: impl Fn(&CellSummary) -> Entry + 'a) -> Filled<'a> {
    Filled {
        column: Column {
            heading: heading.to_owned(),
            meaning,
            number: false,
            in_heading: false,
        },
        fill: Box::new(fill),
    }
}

fn number<'a>(heading: &str, meaning: &'static str, fill: impl Fn(&CellSummary) -> Entry + 'a) -> Filled<'a> {
    let mut filled = words(heading, meaning, fill);
    filled.column.number = true;
    filled
}

/// Makes the table of all cells of a run except those that were skipped.
#[must_use]
pub fn overview(summary: &Summary) -> Table {
    let mut columns = vec![words("Workload", "what was run", |cell| {
        Entry::words(text::line(&cell.workload))
    })];
    columns.extend(identity(summary));
    columns.push(number(
        "Makespan",
        "time from handing out the work to the last result",
        |cell| Entry::duration(cell.makespan_s),
    ));
    columns.extend(ratios(summary));
    columns.push(status());
    columns.retain(|filled| filled.column.heading != EFFICIENCY);
    let mut table = table(summary, columns, |_| true);
    for row in &mut table.rows {
        row.also = format!("{} {}", row.interpreter, row.model);
    }
    table
}

/// Makes the table of the cells of one workload, with all their figures.
#[must_use]
pub fn of_workload(summary: &Summary, workload: &str) -> Table {
    let of_it = |cell: &&CellSummary| cell.workload == workload;
    let makespans = || {
        let measured = summary
            .cells
            .iter()
            .filter(of_it)
            .filter_map(|cell| cell.makespan_s);
        measured.map(|makespan| makespan.estimate)
    };
    let typical = units::typical(makespans()).unwrap_or(1.0);
    let unit = TimeUnit::for_typical(typical);
    let decimals = units::decimals_for(unit.from_seconds(typical), 3);
    let mut columns = identity(summary);
    let heading = format!("Makespan ({})", unit.symbol());
    columns.push(number(
        &heading,
        "time from handing out the work to the last result",
        move |cell| Entry::estimate(cell.makespan_s, |seconds| unit.format(seconds, decimals)),
    ));
    let rate = |cell: &CellSummary| cell.units_per_s.filter(|_| !cell.is_native());
    let rates = summary.cells.iter().filter(of_it).filter_map(rate);
    let typical = units::typical(rates.map(|rate| rate.estimate)).unwrap_or(1.0);
    let (divisor, prefix) = units::si_prefix(typical);
    let decimals = units::decimals_for(typical / divisor, 3);
    columns.push(number(
        format!("{prefix} units/s").trim_start(),
        "units of work per second, of all workers together",
        move |cell| Entry::estimate(rate(cell), |rate| units::number(rate / divisor, decimals)),
    ));
    columns.extend(ratios(summary));
    columns.push(number(
        "Memory (MiB)",
        "peak of all processes together; pages that they share are counted once",
        |cell| {
            Entry::estimate(cell.memory_peak_bytes.or(cell.pss_peak_bytes), |bytes| {
                units::number(bytes / MEBIBYTE, 1)
            })
        },
    ));
    columns.push(number(
        "Growth (KiB)",
        "anonymous and shared memory that each sample adds; far from 0 is a leak",
        |cell| {
            Entry::estimate(cell.memory_growth_bytes, |bytes| {
                units::number(bytes / KIBIBYTE, 0)
            })
        },
    ));
    columns.push(number(
        "CPU (%)",
        "CPU time over the time that the workers had",
        |cell| Entry::percent(cell.cost.cpu_utilisation, 0),
    ));
    columns.push(number(
        "GC (%)",
        "time in garbage collections over the makespan",
        |cell| Entry::percent(cell.collection_fraction, 1),
    ));
    columns.push(number(
        "Longest GC",
        "the longest garbage collection of a trial",
        |cell| Entry::duration(cell.longest_collection_s),
    ));
    columns.push(number(
        "Start-up",
        "time to create the pool; for a command, to run an empty program",
        |cell| Entry::duration(cell.startup_s),
    ));
    columns.push(number(
        "Noise (%)",
        "share of its PUs' time that the hypervisor and other processes took",
        |cell| Entry::percent(cell.cost.noise, 1),
    ));
    columns.push(number("Samples", "counted samples", |cell| Entry {
        value: Some(cell.samples.to_string()),
        ..Entry::words(cell.samples.to_string())
    }));
    columns.push(status());
    table(summary, columns, |cell| cell.workload == workload)
}

/// The columns that identify a cell.
fn identity<'a>(summary: &Summary) -> Vec<Filled<'a>> {
    let mut columns = vec![
        words(
            "Interpreter",
            "the tag of the Python build; t: free-threaded",
            |cell| Entry::words(text::line(&cell.interpreter)),
        ),
        words("GIL", "whether the global interpreter lock was on", |cell| {
            Entry::words(rows::gil_word(cell.gil))
        }),
        words("Model", "how workers run", |cell| Entry::words(cell.model.name())),
    ];
    if summary.cells.iter().any(|cell| cell.host != Host::Spawn) {
        columns.push(words("Host", "which program the interpreter ran in", |cell| {
            Entry::words(cell.host.name())
        }));
    }
    if summary.cells.iter().any(|cell| cell.arm.is_some()) {
        columns.push(words("Arm", "which version of the code", |cell| {
            Entry::words(text::line(cell.arm.as_deref().unwrap_or_default()))
        }));
    }
    for filled in &mut columns {
        filled.column.in_heading = true;
    }
    columns.push(number("Workers", "how many at the same time", |cell| Entry {
        value: Some(cell.workers.to_string()),
        ..Entry::words(cell.workers.to_string())
    }));
    columns
}

fn ratios<'a>(summary: &Summary) -> Vec<Filled<'a>> {
    let mut columns = vec![
        number("Speedup", "its own time with one worker over its time", |cell| {
            Entry::ratio(
                cell.speedup.filter(|_| cell.model != Model::Serial),
                cell.speedup_difference,
            )
        }),
        number(EFFICIENCY, "speedup over workers", |cell| {
            Entry::percent(cell.efficiency.filter(|_| cell.model != Model::Serial), 0)
        }),
    ];
    if rows::has_ceiling(summary) {
        columns.push(number(
            "% of ceiling",
            "its speedup over the native kernel's on the same PUs",
            |cell| Entry::percent(cell.ceiling_fraction, 0),
        ));
    }
    columns.push(number(
        &rows::baseline_heading(summary),
        "the baseline interpreter's serial time over its time",
        |cell| Entry::ratio(cell.vs_baseline, cell.vs_baseline_difference),
    ));
    columns
}

fn status<'a>() -> Filled<'a> {
    words("Status", "what became of the cell", |cell| Entry {
        tone: match cell.status {
            CellStatus::Ok | CellStatus::Skipped => "dim",
            CellStatus::GilReenabled => "warn",
            CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult => "bad",
        },
        ..Entry::words(cell.status.words())
    })
}

/// Makes the table of these cells, without the columns in which no cell has a figure.
fn table(summary: &Summary, columns: Vec<Filled<'_>>, wanted: impl Fn(&CellSummary) -> bool) -> Table {
    let shown = |cell: &&CellSummary| cell.status != CellStatus::Skipped && wanted(cell);
    let cells: Vec<&CellSummary> = summary.cells.iter().filter(shown).collect();
    // The first column is the heading.
    let (mut columns, filled): (Vec<Column>, Vec<Vec<Entry>>) = columns
        .into_iter()
        .map(|Filled { column, fill }| {
            (
                column,
                cells.iter().map(|cell| fill(cell)).collect::<Vec<Entry>>(),
            )
        })
        .filter(|(column, entries)| !column.number || entries.iter().any(|entry| entry.value.is_some()))
        .unzip();
    if let Some(first) = columns.first_mut() {
        first.in_heading = false;
    }
    let mut by_column: Vec<std::vec::IntoIter<Entry>> = filled.into_iter().map(Vec::into_iter).collect();
    let rows = cells
        .iter()
        .map(|cell| Row {
            interpreter: text::line(&Host::Spawn.label(&cell.interpreter, cell.arm.as_deref())),
            model: cell.model.name(),
            family: cell.model.family().name(),
            status: cell.status.words(),
            native: cell.is_native(),
            also: cell.model.name().to_owned(),
            entries: by_column.iter_mut().filter_map(Iterator::next).collect(),
        })
        .collect();
    Table { columns, rows }
}

/// The class of a verdict, and the sign that shows it without colour.
#[must_use]
pub const fn verdict_dress(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Faster => ("faster", "▲"),
        Verdict::Flat => ("flat", "▬"),
        Verdict::Slower => ("slower", "▼"),
        Verdict::Unclear => ("unclear", "?"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    fn headings(table: &Table) -> Vec<&str> {
        table
            .columns
            .iter()
            .map(|column| column.heading.as_str())
            .collect()
    }

    #[test]
    fn columns_without_a_figure_are_left_out() {
        let table = of_workload(&summaries::two_cores(), "fib");
        let headings = headings(&table);
        assert!(
            !headings.contains(&"Noise (%)") && !headings.contains(&"% of ceiling"),
            "{headings:?}"
        );
        assert!(table.rows.iter().all(|row| row.entries.len() == headings.len()));
        let ceiling = of_workload(&summaries::with_ceiling(), "fib");
        assert!(self::headings(&ceiling).contains(&"% of ceiling"));
    }

    #[test]
    fn failed_cells_are_rows_and_skipped_ones_are_not() {
        let summary = summaries::without_figures();
        let table = overview(&summary);
        assert!(table.rows.iter().all(|row| row.status != "skipped"));
        assert!(table.rows.iter().any(|row| row.status == "timed out"));
        let skipped = summary
            .cells
            .iter()
            .filter(|cell| cell.status == CellStatus::Skipped);
        assert_eq!(table.rows.len() + skipped.count(), summary.cells.len());
    }

    #[test]
    fn numbers_sort_by_value_and_not_by_digits() {
        let table = overview(&summaries::many_cores());
        let place = headings(&table)
            .iter()
            .position(|heading| *heading == "Makespan")
            .unwrap();
        for row in &table.rows {
            let seconds: f64 = row
                .entries
                .get(place)
                .unwrap()
                .value
                .as_ref()
                .unwrap()
                .parse()
                .unwrap();
            assert!(seconds > 0.0 && seconds < 1e3);
        }
    }
}
