//! A comparison as GitHub-flavoured markdown: the comment of a pull request, or the summary of a job.

use crate::markdown::escape;
use ftbench_analyse::compare::{CellComparison, Change, Comparison, Verdict, WorkloadComparison};

/// The verdict first, then what changed; all cells, and how they were compared, folded up.
///
/// Names from workloads and machines are escaped, so that they show as they are and start nothing.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut verdict = super::verdict(comparison);
    if let Some(first) = verdict.get_mut(..1) {
        first.make_ascii_uppercase();
    }
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
    let (telling, other): (Vec<_>, Vec<_>) = super::groups(comparison)
        .into_iter()
        .partition(|group| matches!(group.change, Change::Broken | Change::Mended));
    let sentences =
        |groups: &[super::Group<'_>]| list(groups.iter().map(|group| escape(&super::group_sentence(group))));
    let parts = [
        format!("**{}**\n", escape(&verdict)),
        list(
            super::remarks(comparison)
                .iter()
                .map(|line| format!("warning: {}", escape(line))),
        ),
        workloads(&changed_wholes),
        cells(&changed),
        sentences(&telling),
        means(comparison),
        details(
            &format!("All {} compared cells", comparison.cells.len()),
            &cells(&super::by_verdict(comparison)),
        ),
        details(
            &format!("All {} workloads as a whole", wholes.len()),
            &workloads(&wholes),
        ),
        details("Cells without a ratio", &sentences(&other)),
        details(
            "In what the sides differ",
            &list(comparison.differences.iter().map(|line| escape(line))),
        ),
        small(&super::sentences(comparison)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.map(|item| format!("- {item}\n")).collect()
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

fn cells(cells: &[&CellComparison]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let mut table =
        "| workload | interpreter | model | workers | BASE | NEW | NEW / BASE | verdict |\n| --- | --- | --- | ---: | ---: | ---: | ---: | --- |\n"
            .to_owned();
    for cell in cells {
        let verdict = told(cell.verdict);
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {verdict} |\n",
            escape(&cell.cell.workload),
            cell.cell.interpreter.as_deref().map_or_else(String::new, escape),
            cell.cell.model,
            cell.cell.workers,
            super::per_unit(cell.base_s_per_unit),
            super::per_unit(cell.new_s_per_unit),
            super::ratio(cell.ratio),
        ));
    }
    table
}

fn told(verdict: Verdict) -> String {
    let words = verdict.words();
    match verdict {
        Verdict::Slower | Verdict::Faster => format!("**{words}**"),
        Verdict::Same | Verdict::CannotTell => words.to_owned(),
    }
}

fn workloads(workloads: &[&WorkloadComparison]) -> String {
    if workloads.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "| {} |\n| --- | ---: | ---: | --- |\n",
        super::WORKLOAD_HEADINGS.join(" | ")
    );
    for whole in workloads {
        table.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            escape(&whole.workload),
            whole.cells,
            super::ratio(whole.ratio),
            told(whole.verdict),
        ));
    }
    table
}

fn means(comparison: &Comparison) -> String {
    if comparison.geometric_means.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "| {} |\n| --- | ---: | ---: | ---: |\n",
        super::MEAN_HEADINGS.join(" | ")
    );
    for mean in &comparison.geometric_means {
        table.push_str(&format!("| {} |\n", super::mean(mean).join(" | ")));
    }
    table
}
