//! A fleet as GitHub-flavoured Markdown.

use super::words;
use ftbench_analyse::fleet::Fleet;
use ftbench_schema::text::escape_markdown;

/// Renders all parts, with a final newline.
#[must_use]
pub fn render(fleet: &Fleet) -> String {
    let list = |lines: Vec<String>| -> String {
        let lines = lines.iter().map(|line| format!("- {}\n", escape_markdown(line)));
        lines.collect()
    };
    let mut parts = vec![format!("**{}**\n", escape_markdown(&words::opening(fleet)))];
    parts.push(list(words::missing(fleet)));
    parts.push(words::machines(fleet).markdown());
    parts.push(list(words::claims(fleet)));
    parts.push(list(words::node_effects(fleet)));
    parts.push(list(words::kind_differences(fleet)));
    parts.push(words::comparisons(fleet).markdown());
    parts.push(list(words::unlike(fleet)));
    for workload in words::workloads(fleet) {
        let table = words::figures(fleet, workload, words::MAX_COLUMNS);
        parts.push(format!(
            "### {}\n\n{}",
            escape_markdown(workload),
            table.markdown()
        ));
    }
    let by_kind = fleet.machines.len() > words::MAX_COLUMNS;
    parts.push(format!("{}\n", escape_markdown(&words::method(fleet, by_kind))));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}
