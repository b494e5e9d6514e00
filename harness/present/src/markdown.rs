//! The result table as GitHub-flavoured markdown, for pasting into issues and posts.

use ftbench_schema::{CellStatus, Summary};

use super::arms;
use super::headline;
use super::laws;
use super::noise;
use super::reasons::{Skip, skips};
use super::reported;
use super::rows;
use super::table::Table;
use super::terminal;
use ftbench_schema::text::{self, escape_markdown as escape};

/// Findings, warnings, one table for each workload, and what failed or was skipped.
///
/// Names from workloads and machines are escaped, so that they show literally and cannot inject markup.
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
    parts.extend(terminal::full_tables(summary).iter().map(Table::markdown));
    parts.push(arms::table(summary).markdown());
    parts.extend(
        reported::tables(summary)
            .iter()
            .map(|(workload, table)| format!("What {} reports:\n\n{}", escape(workload), table.markdown())),
    );
    parts.push(list(reported::startups(summary).iter().map(|line| escape(line))));
    let curves = summary.laws.iter().filter(|curve| !curve.is_native());
    parts.push(list(curves.map(|curve| {
        let subject = format!("{}, {}", text::line(&curve.workload), laws::subject(curve));
        format!("**{}**: {}", escape(&subject), escape(&laws::sentence(curve)))
    })));
    parts.push(laws::table(summary).markdown());
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
    let quiet = summary.quiet.as_ref().map(noise::quiet);
    let sensitivity = summary.sensitivity.as_ref().map(noise::sensitivity);
    parts.push(list(
        [quiet, sensitivity].iter().flatten().map(|line| escape(line)),
    ));
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return "nothing was measured\n".to_owned();
    }
    parts.join("\n")
}

/// A bulleted list; empty without items.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    items.map(|item| format!("- {item}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn markdown_has_findings_and_a_table() {
        let mut summary = summaries::two_cores();
        summary.cells.retain(|cell| cell.workload == "fib");
        insta::assert_snapshot!(render(&summary), @r"
        - **threads on 3.13**: flat (0.98x) at 2 workers
        - **threads on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers
        - **processes on 3.13**: 1.87x \[1.84, 1.90\] at 2 workers
        - **processes on 3.13t**: 1.92x \[1.89, 1.95\] at 2 workers

        | workload | interpreter | model | workers | makespan (ms) | units/s | speedup | vs 3.13 serial | GIL |
        | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
        | fib | 3.13 | serial | 1 | 347 [343, 351] | 288 [285, 292] | - | 1.00 [0.98, 1.02] | on |
        | fib | 3.13 | threads | 1 | 347 [343, 351] | 288 [285, 292] | 1.00 | 1.00 [0.98, 1.02] | on |
        | fib | 3.13 | threads | 2 | 354 [350, 358] | 282 [279, 286] | 0.98 [0.97, 0.99] | 0.98 [0.96, 1.00] | on |
        | fib | 3.13 | processes | 1 | 375 [370, 379] | 267 [264, 270] | 1.00 | 0.93 [0.91, 0.94] | on |
        | fib | 3.13 | processes | 2 | 200 [198, 203] | 499 [493, 505] | 1.87 [1.84, 1.90] | 1.73 [1.70, 1.76] | on |
        | fib | 3.13t | serial | 1 | 380 [375, 385] | 263 [260, 266] | - | 0.91 [0.90, 0.93] | off |
        | fib | 3.13t | threads | 1 | 380 [375, 385] | 263 [260, 266] | 1.00 | 0.91 [0.90, 0.93] | off |
        | fib | 3.13t | threads | 2 | 198 [196, 200] | 505 [499, 511] | 1.92 [1.89, 1.95] | 1.75 [1.72, 1.78] | off |
        | fib | 3.13t | processes | 1 | 410 [405, 415] | 244 [241, 247] | 1.00 | 0.85 [0.83, 0.86] | off |
        | fib | 3.13t | processes | 2 | 214 [211, 216] | 468 [462, 474] | 1.92 [1.89, 1.95] | 1.62 [1.60, 1.65] | off |
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

        | workload | interpreter | model | workers | makespan (ms) | units/s | speedup | % of ceiling | vs 3.13 serial | GIL |
        | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
        | fib | 3.13t | serial | 1 | 380 [375, 385] | 263 [260, 266] | - | - | 0.91 [0.90, 0.93] | off |
        | fib | 3.13t | threads | 1 | 380 [375, 385] | 263 [260, 266] | 1.00 | 100 | 0.91 [0.90, 0.93] | off |
        | fib | 3.13t | threads | 2 | 198 [196, 200] | 505 [499, 511] | 1.92 [1.89, 1.95] | 96 [95, 98] | 1.75 [1.72, 1.78] | off |
        | fib | 3.13t | processes | 1 | 410 [405, 415] | 244 [241, 247] | 1.00 | 100 | 0.85 [0.83, 0.86] | off |
        | fib | 3.13t | processes | 2 | 214 [211, 216] | 468 [462, 474] | 1.92 [1.89, 1.95] | 96 [95, 98] | 1.62 [1.60, 1.65] | off |
        | fib | native | threads | 1 | 400 [395, 405] | - | 1.00 | - | - | - |
        | fib | native | threads | 2 | 201 [199, 203] | - | 1.99 [1.96, 2.02] | - | - | - |
        ");
    }

    #[test]
    fn names_cannot_leave_their_table_cell() {
        let summary = summaries::hostile();
        let text = render(&summary);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 10, "{line}");
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
    fn arms_have_sentences_and_a_table() {
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
