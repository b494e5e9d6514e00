//! Scaling laws on the terminal: a sentence on each curve, and a table of the fits as wide as there is room for. With
//! many workloads, only the number of curves that each cause limits.

use ftbench_schema::Summary;

use super::laws;
use super::style::{BOLD, Style, hanging};
use super::table::ruled;
use ftbench_schema::text;

/// The columns, by number, that the table leaves out as the terminal gets narrower, in this order.
const LEFT_OUT: [&[usize]; 4] = [&[], &[6], &[4, 6], &[4, 5, 6]];

/// The maximum number of workloads with sentences; more would bury the tables above them.
const MAX_WORKLOADS: usize = 6;

/// Renders sentences and table, or counts if there are many workloads; empty without curves.
pub(super) fn render(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary).len();
    if workloads > MAX_WORKLOADS {
        return counts(summary, workloads, style);
    }
    let parts = [sentences(summary, style), table(summary, style)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// The number of curves that each cause limits.
fn counts(summary: &Summary, workloads: usize, style: Style) -> String {
    let causes = laws::causes(summary);
    if causes.is_empty() {
        return causes;
    }
    let heading = style.paint(BOLD, &format!("what limits {workloads} workloads"));
    let counts = format!("{causes}. 'ftbench report RUN' shows each.");
    format!("{heading}\n{}", hanging(" ", 1, &counts, style))
}

fn sentences(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary);
    let paragraphs = workloads.iter().filter_map(|workload| {
        let curves = workload.curves.iter().filter(|curve| !curve.is_native());
        let curves: Vec<(String, String)> = curves
            .map(|curve| (laws::subject(curve) + ":", laws::sentence(curve)))
            .collect();
        let widest = curves.iter().map(|(subject, _)| subject.chars().count()).max()?;
        let name = text::shorten(&text::line(workload.workload), usize::from(style.text_width()));
        let lines = curves.iter().map(|(subject, sentence)| {
            let label = format!("  {subject:<widest$}");
            hanging(&label, widest + 2, sentence, style)
        });
        let lines: Vec<String> = lines.collect();
        let heading = format!("what limits {name}");
        Some(format!("{}\n{}", style.paint(BOLD, &heading), lines.join("\n")))
    });
    let paragraphs: Vec<String> = paragraphs.collect();
    paragraphs.join("\n\n")
}

fn table(summary: &Summary, style: Style) -> String {
    let table = laws::table(summary);
    if table.is_empty() {
        return String::new();
    }
    let layouts = LEFT_OUT.map(|left_out| vec![table.without(left_out)]);
    let drawn = ruled(layouts, style).concat();
    format!("{}\n{drawn}", style.paint(BOLD, "scaling laws"))
}
