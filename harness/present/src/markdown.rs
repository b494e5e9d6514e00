//! The result table as GitHub-flavoured markdown, for pasting into issues and posts.

use std::fmt::Write;

use ftbench_schema::{CellStatus, Summary};

use super::arms;
use super::headline;
use super::laws;
use super::noise;
use super::reasons::{Skip, skips};
use super::reported;
use super::rows::{self, Group};
use ftbench_schema::text;

/// Findings, warnings, one table for each workload, and what failed or was skipped.
///
/// Names from workloads and machines are escaped, so that they show as they are and start nothing.
#[must_use]
pub fn render(summary: &Summary) -> String {
    let groups = rows::groups(summary);
    let mut parts = Vec::new();
    parts.push(list(arms::comparisons(summary).iter().map(|found| {
        let clauses: Vec<String> = found.clauses.iter().map(|clause| escape(&clause.words)).collect();
        format!("**{}**: {}", escape(&found.subject), clauses.join("; "))
    })));
    let findings = headline::findings(summary);
    parts.push(list(findings.iter().map(|finding| {
        let found = finding.sentence(groups.len() > 1, |clause| escape(&clause.words));
        format!("**{}**: {found}", escape(&finding.subject()))
    })));
    parts.push(list(noise::overheads(summary).iter().map(|line| escape(line))));
    let notices = rows::notices(summary);
    parts.push(list(
        notices
            .iter()
            .map(|notice| format!("warning: {}", escape(notice))),
    ));
    let heading = rows::baseline_heading(summary);
    let with_ceiling = rows::has_ceiling(summary);
    parts.extend(groups.iter().map(|group| table(group, &heading, with_ceiling)));
    parts.push(arm_table(summary));
    parts.extend(reported::tables(summary).iter().map(figures));
    let curves = summary.laws.iter().filter(|curve| !curve.is_native());
    parts.push(list(curves.map(|curve| {
        let subject = format!("{}, {}", text::line(&curve.workload), laws::subject(curve));
        format!("**{}**: {}", escape(&subject), escape(&laws::sentence(curve)))
    })));
    parts.push(law_table(summary));
    let reasons = rows::reasons(summary, CellStatus::is_failure);
    parts.push(list(reasons.iter().map(|reason| {
        let names = escape(&rows::cell_names(&reason.cells, 4));
        let why = escape(text::lines(reason.reason).next().unwrap_or_default().as_str());
        format!("{}: {names}: {why}", reason.status.words())
    })));
    parts.push(list(skips(summary).iter().map(|skip| {
        let Skip { what, cells, why } = skip;
        format!("skipped: {} ({cells} cells): {}", escape(what), escape(why))
    })));
    parts.push(list(summary.quiet.iter().map(|told| escape(&noise::quiet(told)))));
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return "nothing was measured\n".to_owned();
    }
    parts.join("\n")
}

fn arm_table(summary: &Summary) -> String {
    let rows = arms::rows(summary);
    if rows.is_empty() {
        return String::new();
    }
    let line = |words: &[String]| format!("| {} |\n", words.join(" | "));
    let mut table = line(&arms::HEADING.map(str::to_owned));
    table.push_str("| --- | --- | --- | ---: | --- | ---: | --- |\n");
    for row in rows {
        let escaped: Vec<String> = row.iter().map(|word| escape(word)).collect();
        table.push_str(&line(&escaped));
    }
    table
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str("- ");
        text.push_str(&item);
        text.push('\n');
    }
    text
}

fn table(group: &Group, baseline_heading: &str, with_ceiling: bool) -> String {
    let baseline = escape(baseline_heading);
    let unit = group.unit.symbol();
    let with_status = group.rows.iter().any(|row| row.status != CellStatus::Ok);
    let mut table = format!(
        "| interpreter | GIL | workload | model | workers | makespan ({unit}) | speedup |{} {baseline} |{}\n",
        if with_ceiling {
            format!(" {} |", rows::CEILING_HEADING)
        } else {
            String::new()
        },
        if with_status { " status |" } else { "" }
    );
    table.push_str("| --- | --- | --- | --- | ---: | ---: | ---: | ---: |");
    table.push_str(if with_ceiling { " ---: |" } else { "" });
    table.push_str(if with_status { " --- |\n" } else { "\n" });
    let workload = escape(&group.workload);
    for row in &group.rows {
        // Writing to a string does not fail.
        let _ = write!(
            table,
            "| {} | {} | {workload} | {} | {} | {} | {} |",
            escape(&row.interpreter),
            rows::gil_word(row.gil),
            row.model,
            row.workers,
            row.makespan.text(),
            row.speedup.text(),
        );
        if with_ceiling {
            let _ = write!(table, " {} |", row.ceiling_fraction.text());
        }
        let _ = write!(table, " {} |", row.vs_baseline.text());
        if with_status {
            let _ = write!(table, " {} |", row.status.words());
        }
        table.push('\n');
    }
    table
}

/// What a workload reports.
fn figures(table: &reported::Table) -> String {
    let row = |words: &[String]| {
        let cells: Vec<String> = words.iter().map(|word| escape(word.trim())).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = format!("What {} reports:\n\n", escape(&table.workload));
    text.push_str(&row(&table.heading));
    text.push_str(&format!("|{}\n", " --- |".repeat(table.heading.len())));
    text.extend(table.rows.iter().map(|words| row(words)));
    text
}

/// The laws that were fitted; empty without any.
fn law_table(summary: &Summary) -> String {
    let rows = laws::rows(summary);
    if rows.is_empty() {
        return String::new();
    }
    let headings = laws::HEADINGS.join(" | ");
    let mut table = format!("| {headings} |\n| --- | --- | --- | ---: | ---: | ---: | ---: |\n");
    for row in rows {
        // Intervals are no links: without a definition or a bracket after them they show as they are.
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, text)| if column < 2 { escape(text) } else { text.clone() })
            .collect();
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}

/// Text with everything that markdown, its tables and HTML give a meaning escaped (CommonMark 0.31, 2.4).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text::escape_markup(&text::line(text)).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '|' | '@') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn the_table_can_be_pasted() {
        let mut summary = summaries::two_cores();
        summary.cells.retain(|cell| cell.workload == "fib");
        insta::assert_snapshot!(render(&summary), @r"
        - **threads on 3.13**: flat (0.98x) at 2 workers
        - **threads on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers
        - **processes on 3.13**: 1.87x \[1.84, 1.90\] at 2 workers
        - **processes on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers

        | interpreter | GIL | workload | model | workers | makespan (ms) | speedup | vs 3.13 serial |
        | --- | --- | --- | --- | ---: | ---: | ---: | ---: |
        | 3.13 | on | fib | serial | 1 | 347 [343, 351] | - | 1.00 [0.98, 1.02] |
        | 3.13 | on | fib | threads | 1 | 347 [343, 351] | 1.00 | 1.00 [0.98, 1.02] |
        | 3.13 | on | fib | threads | 2 | 354 [350, 358] | 0.98 [0.97, 0.99] | 0.98 [0.96, 1.00] |
        | 3.13 | on | fib | processes | 1 | 375 [370, 379] | 1.00 | 0.93 [0.91, 0.94] |
        | 3.13 | on | fib | processes | 2 | 200 [198, 203] | 1.87 [1.84, 1.90] | 1.73 [1.70, 1.76] |
        | 3.13t | off | fib | serial | 1 | 380 [375, 385] | - | 0.91 [0.90, 0.93] |
        | 3.13t | off | fib | threads | 1 | 380 [375, 385] | 1.00 | 0.91 [0.90, 0.93] |
        | 3.13t | off | fib | threads | 2 | 198 [196, 200] | 1.92 [1.89, 1.95] | 1.75 [1.72, 1.78] |
        | 3.13t | off | fib | processes | 1 | 410 [405, 415] | 1.00 | 0.85 [0.83, 0.86] |
        | 3.13t | off | fib | processes | 2 | 214 [211, 216] | 1.92 [1.89, 1.95] | 1.62 [1.60, 1.65] |
        ");
    }

    #[test]
    fn the_ceiling_has_a_column_and_rows() {
        let mut summary = summaries::with_ceiling();
        summary
            .cells
            .retain(|cell| cell.workload == "fib" && (cell.interpreter == "3.13t" || cell.is_native()));
        insta::assert_snapshot!(render(&summary), @r"
        - **threads on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers
        - **processes on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers

        | interpreter | GIL | workload | model | workers | makespan (ms) | speedup | % of ceiling | vs 3.13 serial |
        | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
        | 3.13t | off | fib | serial | 1 | 380 [375, 385] | - | - | 0.91 [0.90, 0.93] |
        | 3.13t | off | fib | threads | 1 | 380 [375, 385] | 1.00 | 100 | 0.91 [0.90, 0.93] |
        | 3.13t | off | fib | threads | 2 | 198 [196, 200] | 1.92 [1.89, 1.95] | 96 [95, 98] | 1.75 [1.72, 1.78] |
        | 3.13t | off | fib | processes | 1 | 410 [405, 415] | 1.00 | 100 | 0.85 [0.83, 0.86] |
        | 3.13t | off | fib | processes | 2 | 214 [211, 216] | 1.92 [1.89, 1.95] | 96 [95, 98] | 1.62 [1.60, 1.65] |
        | native | - | fib | threads | 1 | 400 [395, 405] | 1.00 | - | - |
        | native | - | fib | threads | 2 | 201 [199, 203] | 1.99 [1.96, 2.02] | - | - |
        ");
    }

    #[test]
    fn names_cannot_leave_their_cell() {
        let summary = summaries::hostile();
        let text = render(&summary);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 9, "{line}");
        }
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let mut summary = summaries::two_cores();
        summary.run.status = ftbench_schema::RunStatus::Interrupted;
        assert!(render(&summary).contains("- warning: the run was interrupted"));
    }

    #[test]
    fn cells_without_figures_have_a_status() {
        let text = render(&summaries::without_figures());
        assert!(text.contains("| status |"), "{text}");
        assert!(text.contains("- skipped: "), "{text}");
    }

    #[test]
    fn arms_are_told_and_listed() {
        let shown = render(&summaries::with_arms());
        assert!(
            shown.starts_with("- **new on 3.13**: 1.08x as fast as base"),
            "{shown}"
        );
        assert!(
            shown.contains("| fib | 3.13 | serial | 1 | new | base: 1.08x "),
            "{shown}"
        );
    }
}
