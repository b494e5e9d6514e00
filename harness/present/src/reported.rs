//! Figures of their own that workloads report, such as updates that were lost.

use ftbench_schema::{CellSummary, Summary};

use super::rows::{self, Figure};
use ftbench_schema::text;

/// What one workload reports: a row for each cell, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The workload.
    pub workload: String,
    /// Headings: interpreter, model, workers, then each figure's name.
    pub heading: Vec<String>,
    /// As many words in each row.
    pub rows: Vec<Vec<String>>,
}

/// A table for each workload that reports anything, in the order of the cells.
#[must_use]
pub fn tables(summary: &Summary) -> Vec<Table> {
    let mut workloads: Vec<&str> = Vec::new();
    for cell in summary.cells.iter().filter(|cell| !cell.reported.is_empty()) {
        if !workloads.contains(&cell.workload.as_str()) {
            workloads.push(&cell.workload);
        }
    }
    workloads
        .into_iter()
        .map(|workload| {
            let cells: Vec<&CellSummary> = summary
                .cells
                .iter()
                .filter(|cell| cell.workload == workload && !cell.reported.is_empty())
                .collect();
            table(workload, &cells)
        })
        .collect()
}

fn table(workload: &str, cells: &[&CellSummary]) -> Table {
    let mut names: Vec<&String> = cells.iter().flat_map(|cell| cell.reported.keys()).collect();
    names.sort();
    names.dedup();
    let mut heading = vec!["interpreter".to_owned(), "model".to_owned(), "workers".to_owned()];
    heading.extend(names.iter().map(|name| text::line(name).replace('_', " ")));
    let figures: Vec<Vec<String>> = names
        .iter()
        .map(|name| {
            let column: Vec<Figure> = cells
                .iter()
                .map(|cell| Figure::plain(cell.reported.get(*name).copied()))
                .collect();
            rows::align(&column.iter().collect::<Vec<_>>(), true)
        })
        .collect();
    let rows = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| {
            let mut row = vec![
                text::line(&cell.interpreter_label()),
                cell.model.to_string(),
                cell.workers.to_string(),
            ];
            row.extend(
                figures
                    .iter()
                    .map(|column| column.get(index).cloned().unwrap_or_default()),
            );
            row
        })
        .collect();
    Table {
        workload: workload.to_owned(),
        heading,
        rows,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::summaries;
    use ftbench_schema::Estimate;

    #[test]
    fn each_figure_has_a_column() {
        let mut summary = summaries::two_cores();
        assert_eq!(tables(&summary), []);
        let lost = |estimate, low, high| Estimate { estimate, low, high };
        let two: Vec<&mut CellSummary> = summary.cells.iter_mut().take(2).collect();
        for (cell, lost) in two
            .into_iter()
            .zip([lost(0.0, 0.0, 0.0), lost(40_299.0, 39_100.0, 184_724.0)])
        {
            cell.reported.insert("lost_updates".to_owned(), lost);
            cell.reported.insert("updates".to_owned(), exactly(600_000.0));
        }
        let tables = tables(&summary);
        let table = tables.first().unwrap();
        assert_eq!(
            table.heading,
            ["interpreter", "model", "workers", "lost updates", "updates"]
        );
        let shown: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        3.13 | serial | 1 |      0                   | 600,000
        3.13 | threads | 1 | 40,299 [39,100, 184,724] | 600,000
        ");
    }

    fn exactly(value: f64) -> Estimate {
        Estimate {
            estimate: value,
            low: value,
            high: value,
        }
    }
}
