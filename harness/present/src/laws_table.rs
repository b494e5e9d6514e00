//! The terminal's part on scaling laws: a sentence on each curve, and the table of fits as wide as there is room for; of
//! many workloads how many curves each cause limits.

use ftbench_schema::Summary;

use super::laws;
use super::style::{BOLD, Style, hanging};
use super::table::ruled;
use ftbench_schema::text;

/// What is left out of the table as the terminal gets narrower, in this order: columns by number.
const LEFT_OUT: [&[usize]; 4] = [&[], &[6], &[4, 6], &[4, 5, 6]];

/// With more workloads the sentences would bury the tables above them.
const MOST_WORKLOADS: usize = 6;

/// Both parts, or counts where there are many workloads; empty without curves.
pub(super) fn render(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary).len();
    if workloads > MOST_WORKLOADS {
        return counts(summary, workloads, style);
    }
    let parts = [sentences(summary, style), table(summary, style)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// What stands for the sentences and the table of many workloads.
fn counts(summary: &Summary, workloads: usize, style: Style) -> String {
    let causes = laws::causes(summary);
    if causes.is_empty() {
        return causes;
    }
    let heading = style.paint(BOLD, &format!("what limits {workloads} workloads"));
    let told = format!("{causes}. 'ftbench report RUN' tells of each.");
    format!("{heading}\n{}", hanging(" ", 1, &told, style))
}

fn sentences(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary);
    let paragraphs = workloads.iter().filter_map(|of_workload| {
        let told = of_workload.curves.iter().filter(|curve| !curve.is_native());
        let told: Vec<(String, String)> = told
            .map(|curve| (laws::subject(curve) + ":", laws::sentence(curve)))
            .collect();
        let widest = told.iter().map(|(subject, _)| subject.chars().count()).max()?;
        let name = text::shorten(&text::line(of_workload.workload), usize::from(style.text_width()));
        let lines = told.iter().map(|(subject, sentence)| {
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
