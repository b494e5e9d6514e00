//! A fleet on a terminal.

use super::words;
use crate::style::{BOLD, DIM, Style, YELLOW, hanging};
use ftbench_analyse::fleet::Fleet;
use ftbench_schema::text;

/// Maximum number of machines that are listed; `--format json` and the page have all.
const MAX_MACHINES: usize = 40;

/// Maximum number of comparisons that are listed.
const MAX_COMPARISONS: usize = 10;

/// Renders all parts, separated by empty lines, with a final newline.
#[must_use]
pub fn render(fleet: &Fleet, style: Style) -> String {
    let mut parts = vec![style.paint(BOLD, &words::opening(fleet))];
    let notices = words::missing(fleet).into_iter();
    let notices =
        notices.map(|line| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), &line, style));
    parts.push(notices.collect::<Vec<_>>().join("\n"));
    parts.push(words::machines(fleet).first(MAX_MACHINES).list(style));
    parts.push(words::claims(fleet).join("\n"));
    parts.push(words::node_effects(fleet).join("\n"));
    parts.push(words::kind_differences(fleet).join("\n"));
    parts.push(words::comparisons(fleet).first(MAX_COMPARISONS).list(style));
    let unlike = words::unlike(fleet);
    if !unlike.is_empty() {
        let heading = style.paint(BOLD, "Not the same on all machines");
        parts.push(format!("{heading}\n{}", unlike.join("\n")));
    }
    for workload in words::workloads(fleet) {
        let table = words::figures(fleet, workload, words::MAX_COLUMNS);
        let heading = style.paint(BOLD, &text::line(workload));
        parts.push(format!("{heading}\n{}", table.list(style)));
    }
    let by_kind = fleet.machines.len() > words::MAX_COLUMNS;
    parts.push(style.paint(DIM, &words::method(fleet, by_kind)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}
