//! A comparison for the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, LineStyle, Table};

use crate::listing;
use crate::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use ftbench_analyse::compare::{CellComparison, Change, Comparison, Verdict};
use ftbench_schema::text;

/// The whole of it, the verdict first, each part apart by an empty line, ending with a line end.
#[must_use]
pub fn render(comparison: &Comparison, style: Style) -> String {
    let parts = [
        opening(comparison, style),
        cells(comparison, style),
        unmatched(comparison, style),
        workloads(comparison, style),
        means(comparison, style),
        differences(comparison, style),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn opening(comparison: &Comparison, style: Style) -> String {
    let colour = if comparison.has_regression() { RED } else { GREEN };
    let mut lines = vec![style.paint(colour.bold(), &super::verdict(comparison))];
    let told = super::sentences(comparison);
    lines.extend(told.iter().map(|line| hanging("-", 1, line, style)));
    let remarks = super::remarks(comparison);
    lines.extend(
        remarks
            .iter()
            .map(|line| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), line, style)),
    );
    lines.join("\n")
}

/// What is left out as the terminal gets narrower, in this order; each step keeps the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Everything,
    WithoutTimes,
    ShortNames,
}

fn cells(comparison: &Comparison, style: Style) -> String {
    let cells = super::by_verdict(comparison);
    if cells.is_empty() {
        return String::new();
    }
    let mut drawn = String::new();
    for step in [Step::Everything, Step::WithoutTimes, Step::ShortNames] {
        drawn = table(&cells, step, style).trim_fmt();
        let widest = drawn.lines().map(visible_width).max().unwrap_or(0);
        if style.width.is_none_or(|limit| widest <= usize::from(limit)) {
            break;
        }
    }
    drawn
}

/// Characters that take room, without the escapes that colour them.
fn visible_width(line: &str) -> usize {
    let mut width = 0;
    let mut in_escape = false;
    for character in line.chars() {
        match (in_escape, character) {
            (false, '\u{1b}') => in_escape = true,
            (true, 'm') => in_escape = false,
            (true, _) => {}
            (false, _) => width += 1,
        }
    }
    width
}

fn table(cells: &[&CellComparison], step: Step, style: Style) -> Table {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    if style.colour {
        table.enforce_styling();
    }
    let with_interpreter = cells.iter().any(|cell| cell.cell.interpreter.is_some());
    let mut headings = vec!["workload"];
    if with_interpreter {
        headings.push("interpreter");
    }
    headings.extend(["model", "workers"]);
    if step < Step::WithoutTimes {
        headings.extend(["BASE", "NEW"]);
    }
    headings.extend(["NEW / BASE", "verdict"]);
    let is_figure = |heading: &str| matches!(heading, "workers" | "BASE" | "NEW" | "NEW / BASE");
    let aligned = |cell: Cell, heading: &str| {
        if is_figure(heading) {
            cell.set_alignment(CellAlignment::Right)
        } else {
            cell
        }
    };
    table.set_header(
        headings
            .iter()
            .map(|heading| aligned(Cell::new(heading).add_attribute(Attribute::Dim), heading)),
    );
    let longest = if step == Step::ShortNames { 12 } else { 40 };
    for cell in cells {
        let name = |name: &str| text::shorten(&text::line(name), longest);
        let row = headings.iter().map(|heading| {
            let drawn = match *heading {
                "workload" => Cell::new(name(&cell.cell.workload)),
                "interpreter" => Cell::new(name(cell.cell.interpreter.as_deref().unwrap_or_default())),
                "model" => Cell::new(cell.cell.model),
                "workers" => Cell::new(cell.cell.workers),
                "BASE" => Cell::new(super::per_unit(cell.base_s_per_unit)),
                "NEW" => Cell::new(super::per_unit(cell.new_s_per_unit)),
                "NEW / BASE" => toned(Cell::new(super::ratio(cell.ratio)), cell.verdict),
                _ => toned(Cell::new(cell.verdict.words()), cell.verdict),
            };
            aligned(drawn, heading)
        });
        table.add_row(row.collect::<Vec<Cell>>());
    }
    let columns = headings.len();
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, u16::from(position + 1 < columns)));
    }
    table
}

fn toned(cell: Cell, verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Slower => cell.fg(Color::Red),
        Verdict::Faster => cell.fg(Color::Green),
        Verdict::CannotTell => cell.fg(Color::Yellow),
        Verdict::Same => cell,
    }
}

fn unmatched(comparison: &Comparison, style: Style) -> String {
    let groups = super::groups(comparison);
    let lines: Vec<String> = groups
        .iter()
        .map(|group| {
            let line = hanging("-", 1, &super::group_sentence(group), style);
            if group.change == Change::Broken {
                style.paint(RED, &line)
            } else {
                line
            }
        })
        .collect();
    lines.join("\n")
}

fn workloads(comparison: &Comparison, style: Style) -> String {
    let wholes = super::workloads_by_verdict(comparison);
    let rows = wholes.into_iter().map(super::workload).collect();
    listed(&super::WORKLOAD_HEADINGS, rows, style)
}

fn means(comparison: &Comparison, style: Style) -> String {
    let rows = comparison.geometric_means.iter().map(super::mean).collect();
    listed(&super::MEAN_HEADINGS, rows, style)
}

fn listed(headings: &[&str], rows: Vec<Vec<String>>, style: Style) -> String {
    if rows.is_empty() {
        return String::new();
    }
    listing::render(headings, rows, style).trim_end().to_owned()
}

fn differences(comparison: &Comparison, style: Style) -> String {
    if comparison.differences.is_empty() {
        return String::new();
    }
    let mut lines = vec![style.paint(BOLD, "in what the sides differ")];
    let told = comparison
        .differences
        .iter()
        .map(|line| hanging("-", 1, &text::line(line), style));
    lines.extend(told.map(|line| style.paint(DIM, &line)));
    lines.join("\n")
}
