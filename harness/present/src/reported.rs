//! The figures that workloads report themselves, such as lost updates, and what starting a program takes.

use ftbench_schema::{CellSummary, Summary, WorkloadFacts};
use itertools::Itertools;

use super::rows::{self, Figure};
use super::table::{Column, Table};
use ftbench_schema::text;
use ftbench_schema::units;

/// One line for each command: how long an empty program takes on each interpreter, or the command's server until it
/// answers. The figure is the median over the cells of an interpreter.
#[must_use]
pub fn startups(summary: &Summary) -> Vec<String> {
    let lines = summary.workloads.iter().filter_map(|workload| {
        let started = match workload.command.as_ref()?.server {
            Some(_) => "the server answers after",
            None => "an empty program takes",
        };
        let times = startup_times(summary, workload);
        let name = text::line(&workload.name);
        (!times.is_empty()).then(|| format!("{name}: {started} {}", times.join(", ")))
    });
    lines.collect()
}

fn startup_times(summary: &Summary, workload: &WorkloadFacts) -> Vec<String> {
    let cells = || summary.cells.iter().filter(|cell| cell.workload == workload.name);
    let times = rows::interpreter_labels(cells()).into_iter().filter_map(|label| {
        let of_label = cells().filter(|cell| cell.interpreter_label() == label);
        let startup_s = units::typical(of_label.filter_map(|cell| Some(cell.startup_s?.estimate)))?;
        Some(format!("{} on {label}", units::duration(startup_s)))
    });
    times.collect()
}

/// Each workload that reports figures, in the order of the cells, with a table of one row per cell.
#[must_use]
pub fn tables(summary: &Summary) -> Vec<(&str, Table)> {
    let reporting = summary.cells.iter().filter(|cell| !cell.reported.is_empty());
    reporting
        .map(|cell| cell.workload.as_str())
        .unique()
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
    let names = cells
        .iter()
        .flat_map(|cell| cell.reported.keys())
        .sorted()
        .dedup();
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
    use ftbench_fixtures::{records, summaries};
    use ftbench_schema::{CommandFacts, Estimate};

    #[test]
    fn starting_a_program_has_a_line_with_every_interpreter() {
        let mut summary = summaries::two_cores();
        for cell in &mut summary.cells {
            let startup_s = if cell.interpreter == "3.13" {
                0.0112
            } else {
                0.0145
            };
            cell.startup_s = Some(summaries::estimate(startup_s, 0.1));
        }
        let mut workload = records::workload("fib");
        // What a pool takes to start is in the report.
        summary.workloads = vec![workload.clone()];
        assert_eq!(startups(&summary), [""; 0]);
        workload.command = Some(CommandFacts {
            line: "{python} fib.py".to_owned(),
            expected_output: None,
            figures: Vec::new(),
            server: None,
        });
        summary.workloads = vec![workload];
        let lines = startups(&summary);
        assert_eq!(
            lines,
            ["fib: an empty program takes 11.2 ms on 3.13, 14.5 ms on 3.13t"]
        );
    }

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
