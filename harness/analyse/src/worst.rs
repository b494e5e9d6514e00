//! The curves of a run that scale worst, which `ftbench explain` measures again.

use std::fmt;

use ftbench_schema::{Cell, CellSummary, GilState, Host, InterpreterFacts, Model, Summary};

/// A curve of threads at its largest number of workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// The cell with most workers.
    pub cell: Cell,
    /// Its speedup.
    pub speedup: f64,
    /// The speedup divided by the ceiling's, or by the number of workers if there is no ceiling.
    pub fraction: f64,
    /// Whether the interpreter started with the GIL on.
    starts_with_gil: bool,
}

/// Why a curve of threads cannot be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its interpreter runs in another program.
    Host,
    /// Its work is done by programs.
    Command,
    /// The sampler does not know the interpreter.
    Interpreter,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Host => "its interpreter is embedded in another program",
            Self::Command => "it starts other programs",
            Self::Interpreter => "its interpreter is not CPython 3.13, 3.14 or 3.15",
        })
    }
}

/// What to explain of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// The curves to explain, the worst first.
    pub worst: Vec<Scaled>,
    /// Curves that scale worse than one of these and cannot be explained.
    pub left_out: Vec<(Scaled, Obstacle)>,
}

/// Chooses `count` curves of threads that scale worst. Those of interpreters that start with the GIL on come last, because
/// their threads take turns whatever they do. `name` is the interpreter or arm that they must have, if any. `is_known` is
/// whether an interpreter can be explained.
#[must_use]
pub fn worst(
    summary: &Summary,
    name: Option<&str>,
    count: usize,
    is_known: impl Fn(&InterpreterFacts) -> bool,
) -> Choice {
    let mut scaled: Vec<Scaled> = summary
        .cells
        .iter()
        .filter(|cell| name.is_none_or(|name| cell.is_named(name)))
        .filter(|cell| is_last_of_curve(summary, cell))
        .filter_map(|cell| scaled(summary, cell))
        .collect();
    scaled.sort_by(|a, b| {
        let by_gil = a.starts_with_gil.cmp(&b.starts_with_gil);
        by_gil.then(a.fraction.total_cmp(&b.fraction))
    });
    let mut choice = Choice::default();
    for curve in scaled {
        if choice.worst.len() == count {
            break;
        }
        match obstacle(summary, &curve.cell, &is_known) {
            Some(obstacle) => choice.left_out.push((curve, obstacle)),
            None => choice.worst.push(curve),
        }
    }
    choice
}

/// Whether a cell is the measured one with most workers, of several numbers, in a curve of threads.
fn is_last_of_curve(summary: &Summary, cell: &CellSummary) -> bool {
    let more = |other: &CellSummary| {
        other.curve == cell.curve && other.speedup.is_some() && other.workers > cell.workers
    };
    let is_of_threads = cell.model == Model::Threads && !cell.is_native();
    is_of_threads && cell.workers > 1 && cell.speedup.is_some() && !summary.cells.iter().any(more)
}

fn scaled(summary: &Summary, cell: &CellSummary) -> Option<Scaled> {
    let interpreter = interpreter(summary, cell)?;
    Some(Scaled {
        cell: cell.cell.clone(),
        speedup: cell.speedup?.estimate,
        fraction: cell.ceiling_fraction.or(cell.efficiency)?.estimate,
        starts_with_gil: interpreter.gil == GilState::On,
    })
}

fn obstacle(
    summary: &Summary,
    cell: &Cell,
    is_known: impl Fn(&InterpreterFacts) -> bool,
) -> Option<Obstacle> {
    let workload = summary
        .workloads
        .iter()
        .find(|workload| workload.name == cell.workload);
    if cell.host != Host::Spawn {
        Some(Obstacle::Host)
    } else if workload.is_some_and(|workload| workload.command.is_some()) {
        Some(Obstacle::Command)
    } else if !interpreter(summary, cell).is_some_and(is_known) {
        Some(Obstacle::Interpreter)
    } else {
        None
    }
}

fn interpreter<'a>(summary: &'a Summary, cell: &Cell) -> Option<&'a InterpreterFacts> {
    summary
        .interpreters
        .iter()
        .find(|interpreter| interpreter.tag == cell.interpreter)
}

#[cfg(test)]
mod tests {
    use ftbench_fixtures::interpreters::facts;
    use ftbench_fixtures::records::workload;
    use ftbench_fixtures::summaries::{SyntheticCell, estimate, summary, unmeasured};
    use ftbench_schema::{CellStatus, CommandFacts, NATIVE};

    use super::*;

    fn cell(workload: &str, tag: &str, model: Model, workers: u32, speedup: f64) -> CellSummary {
        let made = SyntheticCell {
            tag,
            workload,
            model,
            workers,
            one_worker_s: 1.0,
            speedup,
        };
        made.summary()
    }

    fn threads(workload: &str, tag: &str, workers: u32, speedup: f64) -> CellSummary {
        cell(workload, tag, Model::Threads, workers, speedup)
    }

    fn run(cells: Vec<CellSummary>) -> Summary {
        let mut run = summary(["3.12", "3.14", "3.14t"].map(facts).to_vec(), 4, cells);
        run.workloads = ["a", "b", "c"].map(workload).to_vec();
        run
    }

    fn chosen(run: &Summary, name: Option<&str>, count: usize) -> Vec<String> {
        let choice = worst(run, name, count, |interpreter| interpreter.tag != "3.12");
        let names = choice.worst.iter();
        names
            .map(|curve| {
                format!(
                    "{} {} {}",
                    curve.cell.workload, curve.cell.interpreter, curve.cell.workers
                )
            })
            .collect()
    }

    #[test]
    fn curves_are_ordered_by_what_they_reach_of_the_ceiling_at_most_workers() {
        let mut with_ceiling = threads("a", "3.14t", 4, 1.5);
        with_ceiling.ceiling_fraction = Some(estimate(0.9, 1.0));
        let run = run(vec![
            threads("b", "3.14t", 1, 1.0),
            threads("b", "3.14t", 2, 0.5),
            threads("b", "3.14t", 4, 3.0),
            with_ceiling,
            threads("c", "3.14t", 4, 2.0),
            threads("c", "3.14", 4, 0.9),
            cell("c", "3.14t", Model::Processes, 4, 0.1),
            threads("c", NATIVE, 4, 0.1),
        ]);
        assert_eq!(
            chosen(&run, None, 3),
            ["c 3.14t 4", "b 3.14t 4", "a 3.14t 4"],
            "those with the GIL come last"
        );
        assert_eq!(chosen(&run, None, 1), ["c 3.14t 4"]);
        assert_eq!(chosen(&run, Some("3.14"), 3), ["c 3.14 4"]);
        assert_eq!(chosen(&run, Some("3.13"), 3), [""; 0]);
    }

    #[test]
    fn curve_that_cannot_be_explained_is_left_out_if_it_scales_worse() {
        let mut embedded = threads("a", "3.14t", 4, 1.0);
        embedded.cell.curve.host = Host::Embed;
        let mut run = run(vec![
            embedded,
            threads("b", "3.14t", 4, 1.1),
            threads("c", "3.14t", 4, 1.2),
            threads("c", "3.12", 4, 1.0),
        ]);
        run.workloads[1].command = Some(CommandFacts {
            line: "./program".to_owned(),
            expected_output: None,
            figures: Vec::new(),
            server: None,
        });
        let choice = worst(&run, None, 1, |interpreter| interpreter.tag != "3.12");
        let reasons: Vec<Obstacle> = choice.left_out.iter().map(|(_, obstacle)| *obstacle).collect();
        assert_eq!(reasons, [Obstacle::Host, Obstacle::Command]);
        assert_eq!(choice.worst[0].cell.workload, "c");
        let choice = worst(&run, None, 3, |interpreter| interpreter.tag != "3.12");
        assert_eq!(choice.left_out[2].1, Obstacle::Interpreter);
    }

    #[test]
    fn cell_without_figures_is_not_chosen() {
        let failed = unmeasured(threads("a", "3.14t", 4, 1.0), CellStatus::Failed, "it crashed");
        let run = run(vec![
            failed,
            threads("a", "3.14t", 2, 1.0),
            threads("b", "3.14t", 1, 1.0),
        ]);
        assert_eq!(chosen(&run, None, 3), ["a 3.14t 2"]);
    }
}
