//! The comparison of two fleets: a table of verdicts, then the comparison of each machine in the format of one run.

use itertools::Itertools;
use quick_junit::{Report, SerializeError};

use super::{junit, markdown, table};
use crate::style::{BOLD, GREEN, RED, Style, YELLOW, hanging};
use crate::table::{Column, Table};
use ftbench_analyse::compare::fleet::{FleetComparison, MachineComparison};
use ftbench_schema::text::{self, counted, escape_markdown as escape};

/// On which machines there is a regression, in one line.
fn verdict(fleets: &FleetComparison) -> String {
    let compared = counted(fleets.machines.len(), "machine");
    let worse: Vec<&MachineComparison> = fleets
        .machines
        .iter()
        .filter(|one| one.comparison.has_regression())
        .collect();
    if worse.is_empty() {
        return format!("no regression on any of {compared}");
    }
    let names = worse.iter().map(|one| text::line(&one.machine)).join(", ");
    format!("regression on {} of {compared}: {names}", worse.len())
}

fn verdicts(fleets: &FleetComparison) -> Table {
    let each = || fleets.machines.iter();
    Table::new(vec![
        Column::words("machine", each().map(|one| one.machine.clone())),
        Column::words("processor", each().map(|one| one.cpu_model.clone())),
        Column::figures("cores", each().map(|one| one.cores)),
        Column::words("verdict", each().map(|one| super::verdict(&one.comparison))),
    ])
}

/// Renders all parts for the terminal.
#[must_use]
pub fn table(fleets: &FleetComparison, style: Style) -> String {
    let colour = if fleets.has_regression() { RED } else { GREEN };
    let mut opening = vec![style.paint(colour.bold(), &verdict(fleets))];
    opening.extend(fleets.left_out.iter().map(|line| {
        let word = style.paint(YELLOW, "warning:");
        hanging(&word, "warning:".len(), &text::line(line), style)
    }));
    let mut parts = vec![opening.join("\n"), verdicts(fleets).list(style)];
    parts.extend(fleets.machines.iter().map(|one| {
        let heading = style.paint(BOLD, &text::line(&one.machine));
        let comparison = table::render(&one.comparison, style);
        format!("{heading}\n{}", comparison.trim_end())
    }));
    parts.join("\n\n") + "\n"
}

/// Renders all parts as Markdown.
#[must_use]
pub fn markdown(fleets: &FleetComparison) -> String {
    let mut parts = vec![format!("**{}**\n", escape(&verdict(fleets)))];
    parts.extend(
        fleets
            .left_out
            .iter()
            .map(|line| format!("- warning: {}\n", escape(line))),
    );
    parts.push(verdicts(fleets).markdown());
    parts.extend(fleets.machines.iter().map(|one| {
        let comparison = markdown::render(&one.comparison);
        format!("### {}\n\n{comparison}", escape(&one.machine))
    }));
    parts.join("\n")
}

/// Renders all comparisons as one report, in which the names of suites begin with the machine's.
///
/// # Errors
/// If the XML cannot be written, which never happens for a comparison from the analysis.
pub fn junit(fleets: &FleetComparison) -> Result<String, SerializeError> {
    let mut report = Report::new("ftbench compare");
    for one in &fleets.machines {
        for mut suite in junit::suites(&one.comparison) {
            suite.name = format!("{}: {}", one.machine, suite.name.as_str()).into();
            report.add_test_suite(suite);
        }
    }
    report.to_string()
}
