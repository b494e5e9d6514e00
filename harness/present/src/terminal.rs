//! The result of a run on a terminal: findings, warnings, tables, failures and skipped cells.

use ftbench_schema::{CellStatus, Model, Summary};

use super::arms;
use super::headline::{self, Clause, Verdict};
use super::laws_table;
use super::noise;
use super::reasons::{failures, skipped};
use super::reported;
use super::rows::{self, Group, Row};
use super::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use super::table::{self, Cell, Column, Table, Tone};
use ftbench_schema::text;

/// Renders all parts, separated by empty lines, with a final newline.
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
        reported::startups(summary).join("\n"),
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

/// The comparisons between arms, which are the purpose of a run with arms.
fn arms(summary: &Summary, style: Style) -> String {
    let comparisons = arms::comparisons(summary);
    let subjects = comparisons.iter().map(|found| found.subject.chars().count() + 1);
    let widest = subjects.max().unwrap_or(0).min(40);
    let sentence = |found: &arms::Comparison| {
        let clauses: Vec<String> = found
            .clauses
            .iter()
            .map(|clause| coloured(clause, style))
            .collect();
        let subject = format!("{:<widest$}", found.subject.clone() + ":");
        format!("{} {}", style.paint(BOLD, &subject), clauses.join("; "))
    };
    let lines: Vec<String> = comparisons.iter().map(sentence).collect();
    lines.join("\n")
}

fn arm_table(summary: &Summary, style: Style) -> String {
    let table = arms::table(summary);
    if table.is_empty() {
        return String::new();
    }
    format!("{}\n{}", style.paint(BOLD, "Arms compared"), table.list(style))
}

fn coloured(clause: &Clause, style: Style) -> String {
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
        let found = finding.sentence(several, |clause| coloured(clause, style));
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
    let quiet = summary.quiet.as_ref().map(noise::quiet);
    let sensitivity = summary.sensitivity.as_ref().map(noise::sensitivity);
    let lines = [quiet, sensitivity].into_iter().flatten();
    let lines: Vec<String> = lines.map(|line| style.paint(DIM, &line)).collect();
    lines.join("\n")
}

fn warnings(summary: &Summary, style: Style) -> String {
    let messages = rows::notices(summary);
    let paragraphs: Vec<String> = messages
        .iter()
        .map(|message| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), message, style))
        .collect();
    paragraphs.join("\n")
}

/// What is left out or shortened as the terminal gets narrower, in this order; each step includes the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Everything,
    WithoutRateInterval,
    WithoutRate,
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
    const ALL: [Self; 12] = [
        Self::Everything,
        Self::WithoutRateInterval,
        Self::WithoutRate,
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

/// The layout that the tables of a summary share.
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

/// Renders the table of a workload whose measurement is under way, in at most `height` lines, without a line end: of its
/// rows, the first. `None` where the terminal is too narrow or too low for it, or nothing was measured yet.
#[must_use]
pub fn so_far(summary: &Summary, style: Style, height: u16) -> Option<String> {
    let groups = rows::groups(summary);
    let [group] = groups.as_slice() else {
        return None;
    };
    let layouts = Step::ALL
        .into_iter()
        .filter(|step| *step >= Step::WithoutGil)
        .map(|step| {
            let layout = Layout::of(summary, step);
            vec![Table::new(columns(group, &layout))]
        });
    let layouts: Vec<Vec<Table>> = layouts.collect();
    if !layouts.iter().any(|tables| table::fit(tables, style)) {
        return None;
    }
    let rounds = summary.cells.iter().map(|cell| cell.rounds).max().unwrap_or(0);
    let name = text::shorten(&text::line(&group.workload), usize::from(style.text_width() / 2));
    let title = format!(
        "{name} so far, {}",
        text::counted(usize::try_from(rounds).ok()?, "round")
    );
    let drawn = table::ruled(layouts, style).concat();
    let lines: Vec<&str> = drawn.lines().collect();
    let room = usize::from(height)
        .checked_sub(1)
        .filter(|room| *room > HEAD_LINES + 1)?;
    let mut shown = vec![style.paint(BOLD, &title)];
    if lines.len() <= room {
        shown.extend(lines.iter().map(|&line| line.to_owned()));
    } else {
        let kept = room - 1;
        shown.extend(lines.iter().take(kept).map(|&line| line.to_owned()));
        let more = text::counted(lines.len() - kept, "more row");
        shown.push(style.paint(DIM, &format!("and {more}")));
    }
    Some(shown.join("\n"))
}

/// Lines of a table above its rows.
const HEAD_LINES: usize = 2;

/// The tables of all workloads, their columns aligned with each other, as wide as the terminal allows.
fn tables(summary: &Summary, style: Style) -> String {
    let groups = rows::groups(summary);
    let at_step = |step: Step| -> Vec<Table> {
        let layout = Layout::of(summary, step);
        let tables = groups.iter().map(|group| Table::new(columns(group, &layout)));
        tables.collect()
    };
    let parts: Vec<String> = groups
        .iter()
        .zip(table::ruled(Step::ALL.map(at_step), style))
        .map(|(group, drawn)| {
            let name = text::shorten(&text::line(&group.workload), usize::from(style.text_width()));
            format!("{}\n{drawn}", style.paint(BOLD, &name))
        })
        .collect();
    parts.join("\n\n")
}

fn reported_figures(summary: &Summary, style: Style) -> String {
    let parts: Vec<String> = reported::tables(summary)
        .into_iter()
        .map(|(workload, table)| {
            let title = format!("what {} reports", text::line(workload));
            format!("{}\n{}", style.paint(BOLD, &title), table.list(style))
        })
        .collect();
    parts.join("\n\n")
}

/// One table for each workload, in full, with the workload's name in each row.
pub(super) fn full_tables(summary: &Summary) -> Vec<Table> {
    let layout = Layout::of(summary, Step::Everything);
    let groups = rows::groups(summary);
    let tables = groups.iter().map(|group| {
        let mut columns = columns(group, &layout);
        columns.insert(
            0,
            Column::words("workload", group.rows.iter().map(|_| &group.workload)),
        );
        Table::new(columns)
    });
    tables.collect()
}

fn columns(group: &Group, layout: &Layout) -> Vec<Column> {
    let step = layout.step;
    let short = step >= Step::ShortHeadings;
    let heading = |long: &'static str, brief: &'static str| if short { brief } else { long };
    let words = |heading: &str, cell: &dyn Fn(&Row) -> Cell| {
        Column::words(heading, group.rows.iter().map(|row| cell(row).dimmed(row.native)))
    };
    let figures = |heading: &str, with_interval: bool, of: &dyn Fn(&Row) -> &rows::Figure| {
        let figures: Vec<&rows::Figure> = group.rows.iter().map(of).collect();
        let cells = rows::align(&figures, with_interval).into_iter().zip(&group.rows);
        let cell = |(text, row): (String, &Row)| Cell::from(text).toned(of(row).tone).dimmed(row.native);
        Column::figures(heading, cells.map(cell))
    };
    let longest = if step == Step::ShortNames { 8 } else { 24 };
    let mut columns = vec![
        words(heading("interpreter", "interp."), &|row| {
            text::shorten(&text::line(&row.interpreter), longest).into()
        }),
        words("model", &|row| {
            Cell::from(row.model).dimmed(row.model == Model::Serial)
        }),
        Column::figures(
            heading("workers", "N"),
            group
                .rows
                .iter()
                .map(|row| Cell::from(row.workers).dimmed(row.native)),
        ),
        figures(
            &format!("makespan ({})", group.unit.symbol()),
            step < Step::WithoutMakespanInterval,
            &|row| &row.makespan,
        ),
    ];
    if step < Step::WithoutRate {
        let heading = format!("{} units/s", group.rate_prefix);
        columns.push(figures(
            heading.trim_start(),
            step < Step::WithoutRateInterval,
            &|row| &row.units_per_s,
        ));
    }
    columns.push(figures("speedup", step < Step::WithoutSpeedupInterval, &|row| {
        &row.speedup
    }));
    if layout.with_ceiling {
        columns.push(figures(
            rows::CEILING_HEADING,
            step < Step::WithoutCeilingInterval,
            &|row| &row.ceiling_fraction,
        ));
    }
    if step < Step::WithoutBaseline {
        columns.push(figures(
            &layout.baseline_heading,
            step < Step::WithoutBaselineInterval,
            &|row| &row.vs_baseline,
        ));
    }
    if step < Step::WithoutGil {
        columns.push(words("GIL", &|row| rows::gil_word(row.gil).into()));
    }
    if group.rows.iter().any(|row| row.status != CellStatus::Ok) {
        columns.push(words("status", &|row| status_cell(row.status)));
    }
    columns
}

fn status_cell(status: CellStatus) -> Cell {
    let cell = Cell::from(status.words());
    match status {
        CellStatus::Ok | CellStatus::Skipped => cell.dimmed(true),
        CellStatus::GilReenabled => cell.toned(Tone::Caution),
        CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult => cell.toned(Tone::Bad),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
#[path = "terminal_tests.rs"]
mod tests;
