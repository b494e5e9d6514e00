//! A comparison as GitHub-flavoured markdown: the comment of a pull request, or the summary of a job.

use crate::markdown::list;
use ftbench_analyse::compare::{CellComparison, Change, Comparison, Verdict, WorkloadComparison};
use ftbench_schema::text::{self, escape_markdown as escape};

/// The maximum length of a name, in characters; a page has room for any sensible name.
const LONGEST_NAME: usize = 200;

/// Renders the verdict first, then the changes. All cells, and how they were compared, are folded up.
///
/// Names from workloads and machines are escaped, so that they show literally and cannot inject markup.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let verdict = text::capitalised(&super::verdict(comparison));
    let changed: Vec<&CellComparison> = super::by_verdict(comparison)
        .into_iter()
        .filter(|cell| matches!(cell.verdict, Verdict::Slower | Verdict::Faster))
        .collect();
    let wholes = super::workloads_by_verdict(comparison);
    let changed_wholes: Vec<&WorkloadComparison> = wholes
        .iter()
        .copied()
        .filter(|whole| matches!(whole.verdict, Verdict::Slower | Verdict::Faster))
        .collect();
    let (important, other): (Vec<_>, Vec<_>) = super::groups(comparison)
        .into_iter()
        .partition(|group| matches!(group.change, Change::Broken | Change::Fixed));
    let cells = |cells: &[&CellComparison]| super::cell_table(cells, true, LONGEST_NAME).markdown();
    let sentences =
        |groups: &[super::Group<'_>]| list(groups.iter().map(|group| escape(&super::group_sentence(group))));
    let parts = [
        format!("**{}**\n", escape(&verdict)),
        list(
            super::remarks(comparison)
                .iter()
                .map(|line| format!("warning: {}", escape(line))),
        ),
        super::workload_table(&changed_wholes).markdown(),
        cells(&changed),
        sentences(&important),
        super::mean_table(comparison).markdown(),
        details(
            &format!("All {} compared cells", comparison.cells.len()),
            &cells(&super::by_verdict(comparison)),
        ),
        details(
            &format!("All {} workloads as a whole", wholes.len()),
            &super::workload_table(&wholes).markdown(),
        ),
        details("Cells without a ratio", &sentences(&other)),
        details(
            "Differences between the sides",
            &list(comparison.differences.iter().map(|line| escape(line))),
        ),
        small(&super::sentences(comparison)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn details(title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    // Without the empty lines the body would not be read as markdown.
    format!(
        "<details><summary>{}</summary>\n\n{body}\n</details>\n",
        escape(title)
    )
}

fn small(sentences: &[String]) -> String {
    let escaped: Vec<String> = sentences.iter().map(|sentence| escape(sentence)).collect();
    format!("<sub>{}.</sub>\n", escaped.join(".<br>"))
}
