//! What a terminal shows after a run: findings, warnings, the table, what failed and what was skipped.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, LineStyle, Table, Width};

use ftbench_schema::{CellStatus, Model, Summary};

use super::arms;
use super::headline::{self, Clause, Verdict};
use super::laws_table;
use super::listing;
use super::noise;
use super::reasons::{failures, skipped};
use super::reported;
use super::rows::{self, Group, Row, Tone};
use super::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use ftbench_schema::text;

/// The whole of it, each part apart by an empty line, ending with a line end.
#[must_use]
pub fn render(summary: &Summary, style: Style) -> String {
    let parts = [
        arms(summary, style),
        findings(summary, style),
        overheads(summary, style),
        warnings(summary, style),
        tables(summary, style),
        arm_table(summary, style),
        reported_figures(summary, style),
        laws_table::render(summary, style),
        failures(summary, style),
        skipped(summary, style),
        quiet(summary, style),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return "nothing was measured\n".to_owned();
    }
    parts.join("\n\n") + "\n"
}

/// How versions of the code compare: what a run with arms was made for.
fn arms(summary: &Summary, style: Style) -> String {
    let comparisons = arms::comparisons(summary);
    let subjects = comparisons.iter().map(|found| found.subject.chars().count() + 1);
    let widest = subjects.max().unwrap_or(0).min(40);
    let sentence = |found: &arms::Comparison| {
        let clauses: Vec<String> = found
            .clauses
            .iter()
            .map(|clause| dressed(clause, style))
            .collect();
        let subject = format!("{:<widest$}", found.subject.clone() + ":");
        format!("{} {}", style.paint(BOLD, &subject), clauses.join("; "))
    };
    let lines: Vec<String> = comparisons.iter().map(sentence).collect();
    lines.join("\n")
}

fn arm_table(summary: &Summary, style: Style) -> String {
    let rows = arms::rows(summary);
    if rows.is_empty() {
        return String::new();
    }
    let table = listing::render(&arms::HEADING, rows, style);
    format!("{}\n{}", style.paint(BOLD, "Arms compared"), table.trim_end())
}

fn dressed(clause: &Clause, style: Style) -> String {
    match clause.verdict {
        Verdict::Faster => style.paint(GREEN, &clause.words),
        Verdict::Slower => style.paint(RED, &clause.words),
        Verdict::Flat | Verdict::Unclear => clause.words.clone(),
    }
}

fn findings(summary: &Summary, style: Style) -> String {
    let findings = headline::findings(summary);
    let several = rows::groups(summary).len() > 1;
    let subjects = findings
        .iter()
        .map(|finding| finding.subject().chars().count() + 1);
    let widest = subjects.max().unwrap_or(0).min(40);
    let sentence = |finding: &headline::Finding| {
        let found = finding.sentence(several, |clause| dressed(clause, style));
        let subject = format!("{:<widest$}", finding.subject() + ":");
        format!("{} {found}", style.paint(BOLD, &subject))
    };
    let lines: Vec<String> = findings.iter().map(sentence).collect();
    lines.join("\n")
}

fn overheads(summary: &Summary, style: Style) -> String {
    let lines = noise::overheads(summary);
    let lines: Vec<String> = lines.iter().map(|line| style.paint(BOLD, line)).collect();
    lines.join("\n")
}

fn quiet(summary: &Summary, style: Style) -> String {
    let told = summary.quiet.as_ref().map(noise::quiet);
    told.map(|line| style.paint(DIM, &line)).unwrap_or_default()
}

fn warnings(summary: &Summary, style: Style) -> String {
    let messages = rows::notices(summary);
    let paragraphs: Vec<String> = messages
        .iter()
        .map(|message| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), message, style))
        .collect();
    paragraphs.join("\n")
}

/// What is left out or shortened as the terminal gets narrower, in this order; each step keeps the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Everything,
    WithoutGil,
    ShortHeadings,
    WithoutBaselineInterval,
    WithoutMakespanInterval,
    WithoutCeilingInterval,
    WithoutBaseline,
    WithoutCeiling,
    WithoutSpeedupInterval,
    ShortNames,
}

impl Step {
    const ALL: [Self; 10] = [
        Self::Everything,
        Self::WithoutGil,
        Self::ShortHeadings,
        Self::WithoutBaselineInterval,
        Self::WithoutMakespanInterval,
        Self::WithoutCeilingInterval,
        Self::WithoutBaseline,
        Self::WithoutCeiling,
        Self::WithoutSpeedupInterval,
        Self::ShortNames,
    ];
}

/// What the tables of a summary have in common.
struct Layout {
    step: Step,
    baseline_heading: String,
    with_ceiling: bool,
}

impl Layout {
    fn of(summary: &Summary, step: Step) -> Self {
        Self {
            step,
            baseline_heading: if step < Step::WithoutBaselineInterval {
                rows::baseline_heading(summary)
            } else {
                rows::short_baseline_heading(summary)
            },
            with_ceiling: rows::has_ceiling(summary) && step < Step::WithoutCeiling,
        }
    }
}

/// The tables of all workloads, columns under each other, as wide as the terminal allows.
fn tables(summary: &Summary, style: Style) -> String {
    let groups = rows::groups(summary);
    let mut drawn = String::new();
    for step in Step::ALL {
        let layout = Layout::of(summary, step);
        let mut tables: Vec<Table> = groups.iter().map(|group| table(group, &layout, style)).collect();
        let width = align_columns(&mut tables);
        if style.width.is_none_or(|limit| width <= usize::from(limit)) || step == Step::ShortNames {
            let parts: Vec<String> = groups
                .iter()
                .zip(&tables)
                .map(|(group, table)| {
                    let name = text::shorten(&text::line(&group.workload), usize::from(style.text_width()));
                    format!("{}\n{}", style.paint(BOLD, &name), table.trim_fmt())
                })
                .collect();
            drawn = parts.join("\n\n");
            break;
        }
    }
    drawn
}

fn reported_figures(summary: &Summary, style: Style) -> String {
    let parts: Vec<String> = reported::tables(summary)
        .into_iter()
        .map(|table| {
            let title = format!("what {} reports", text::line(&table.workload));
            let heading: Vec<&str> = table.heading.iter().map(String::as_str).collect();
            let rows = listing::render(&heading, table.rows, style);
            format!("{}\n{}", style.paint(BOLD, &title), rows.trim_end())
        })
        .collect();
    parts.join("\n\n")
}

/// Gives the same columns of all tables the same width; the width of the whole.
fn align_columns(tables: &mut [Table]) -> usize {
    let mut widths: Vec<u16> = Vec::new();
    for table in tables.iter() {
        let own = table.column_max_content_widths();
        widths.resize(widths.len().max(own.len()), 0);
        for (width, own) in widths.iter_mut().zip(own) {
            *width = (*width).max(own);
        }
    }
    let mut total = 0;
    for table in tables {
        total = 0;
        let columns = table.column_iter().count();
        for (position, (column, width)) in table.column_iter_mut().zip(&widths).enumerate() {
            // One blank here and one where comfy-table draws the junction of its rule.
            let padding = u16::from(position + 1 < columns);
            column.set_padding((0, padding));
            let padded = width.saturating_add(padding);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
            total += usize::from(padded + padding);
        }
    }
    total
}

/// One column: its heading and its cells from top to bottom.
struct Column {
    heading: String,
    right: bool,
    cells: Vec<Cell>,
}

fn table(group: &Group, layout: &Layout, style: Style) -> Table {
    let columns = columns(group, layout);
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    if style.colour {
        table.enforce_styling();
    }
    let heading = |column: &Column| {
        let alignment = if column.right {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        };
        Cell::new(&column.heading)
            .set_alignment(alignment)
            .add_attribute(Attribute::Dim)
    };
    table.set_header(columns.iter().map(heading).collect::<Vec<Cell>>());
    let mut columns: Vec<_> = columns
        .into_iter()
        .map(|column| (column.right, column.cells.into_iter()))
        .collect();
    for row_of_group in &group.rows {
        let row = columns.iter_mut().filter_map(|(right, cells)| {
            let alignment = if *right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            };
            let cell = cells.next()?.set_alignment(alignment);
            Some(if row_of_group.native {
                cell.add_attribute(Attribute::Dim)
            } else {
                cell
            })
        });
        table.add_row(row.collect::<Vec<Cell>>());
    }
    table
}

fn columns(group: &Group, layout: &Layout) -> Vec<Column> {
    let step = layout.step;
    let short = step >= Step::ShortHeadings;
    let heading = |long: &str, brief: &str| if short { brief.to_owned() } else { long.to_owned() };
    let mut columns = vec![
        words(group, heading("interpreter", "interp."), |row| {
            let longest = if step == Step::ShortNames { 8 } else { 24 };
            Cell::new(text::shorten(&text::line(&row.interpreter), longest))
        }),
        words(group, "model".to_owned(), |row| {
            let cell = Cell::new(row.model);
            if row.model == Model::Serial {
                cell.add_attribute(Attribute::Dim)
            } else {
                cell
            }
        }),
        Column {
            heading: heading("workers", "N"),
            right: true,
            cells: group.rows.iter().map(|row| Cell::new(row.workers)).collect(),
        },
        Column {
            heading: format!("makespan ({})", group.unit.symbol()),
            right: true,
            cells: figures(group, |row| &row.makespan, step < Step::WithoutMakespanInterval),
        },
        Column {
            heading: "speedup".to_owned(),
            right: true,
            cells: figures(group, |row| &row.speedup, step < Step::WithoutSpeedupInterval),
        },
    ];
    if layout.with_ceiling {
        columns.push(Column {
            heading: rows::CEILING_HEADING.to_owned(),
            right: true,
            cells: figures(
                group,
                |row| &row.ceiling_fraction,
                step < Step::WithoutCeilingInterval,
            ),
        });
    }
    if step < Step::WithoutBaseline {
        columns.push(Column {
            heading: layout.baseline_heading.clone(),
            right: true,
            cells: figures(
                group,
                |row| &row.vs_baseline,
                step < Step::WithoutBaselineInterval,
            ),
        });
    }
    if step < Step::WithoutGil {
        columns.push(words(group, "GIL".to_owned(), |row| {
            Cell::new(rows::gil_word(row.gil))
        }));
    }
    if group.rows.iter().any(|row| row.status != CellStatus::Ok) {
        columns.push(words(group, "status".to_owned(), status_cell));
    }
    columns
}

fn words(group: &Group, heading: String, cell: impl Fn(&Row) -> Cell) -> Column {
    Column {
        heading,
        right: false,
        cells: group.rows.iter().map(cell).collect(),
    }
}

fn figures(group: &Group, of: impl Fn(&Row) -> &rows::Figure, with_interval: bool) -> Vec<Cell> {
    let figures: Vec<&rows::Figure> = group.rows.iter().map(of).collect();
    rows::align(&figures, with_interval)
        .into_iter()
        .zip(figures)
        .map(|(text, figure)| match figure.tone {
            Tone::Better => Cell::new(text).fg(Color::Green),
            Tone::Worse => Cell::new(text).fg(Color::Red),
            Tone::Plain => Cell::new(text),
        })
        .collect()
}

fn status_cell(row: &Row) -> Cell {
    let cell = Cell::new(row.status.words());
    match row.status {
        CellStatus::Ok | CellStatus::Skipped => cell.add_attribute(Attribute::Dim),
        CellStatus::GilReenabled => cell.fg(Color::Yellow),
        CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult => cell.fg(Color::Red),
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
