//! The figures that workloads report themselves, such as lost updates.

use ftbench_schema::{CellSummary, Summary};

use super::rows::{self, Figure};
use super::table::{Column, Table};
use ftbench_schema::text;

/// Each workload that reports figures, in the order of the cells, with a table of one row per cell.
#[must_use]
pub fn tables(summary: &Summary) -> Vec<(&str, Table)> {
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
            (workload, table(&cells))
        })
        .collect()
}

fn table(cells: &[&CellSummary]) -> Table {
    let mut names: Vec<&String> = cells.iter().flat_map(|cell| cell.reported.keys()).collect();
    names.sort();
    names.dedup();
    let mut columns = vec![
        Column::words("interpreter", cells.iter().map(|cell| cell.interpreter_label())),
        Column::words("model", cells.iter().map(|cell| cell.model)),
        Column::figures("workers", cells.iter().map(|cell| cell.workers)),
    ];
    columns.extend(names.into_iter().map(|name| {
        let figures: Vec<Figure> = cells
            .iter()
            .map(|cell| Figure::plain(cell.reported.get(name).copied()))
            .collect();
        let heading = text::line(name).replace('_', " ");
        Column::figures(&heading, rows::align(&figures.iter().collect::<Vec<_>>(), true))
    }));
    Table::new(columns)
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
            cell.reported
                .insert("updates".to_owned(), summaries::estimate(600_000.0, 0.0));
        }
        let tables = tables(&summary);
        let (_, table) = tables.first().unwrap();
        insta::assert_snapshot!(table.markdown(), @r"
        | interpreter | model | workers | lost updates | updates |
        | --- | --- | ---: | ---: | ---: |
        | 3.13 | serial | 1 | 0 | 600,000 |
        | 3.13 | threads | 1 | 40,299 [39,100, 184,724] | 600,000 |
        ");
    }
}
