#![allow(clippy::unwrap_used)]

use super::*;
use crate::summary::summarise;
use ftbench_fixtures::records::{cell, manifest, place_on_cores, run, trial};
use ftbench_schema::{Cell, Cost, CurveLaws, NATIVE};

/// One curve's cells in a run on two cores, six rounds, with a speedup for each number of workers.
#[derive(Clone, Copy)]
struct Made {
    interpreter: &'static str,
    model: Model,
    kind: WorkloadKind,
    cores: u32,
    speedups: &'static [(u32, f64)],
    ceiling: &'static [(u32, f64)],
    /// By how much the times on several workers stray to either side from round to round, as a logarithm.
    scatter: f64,
    /// CPUs that the workers keep busy, where that is known.
    busy_cpus: Option<f64>,
}

impl Made {
    fn cause(&self) -> LimitCause {
        self.laws().limit.cause
    }

    fn laws(&self) -> CurveLaws {
        let own = self
            .speedups
            .iter()
            .map(|point| (self.interpreter, self.model, point));
        let of_ceiling = self.ceiling.iter().map(|point| (NATIVE, Model::Threads, point));
        let (cells, speedups): (Vec<Cell>, Vec<f64>) = own
            .chain(of_ceiling)
            .map(|(interpreter, model, &(workers, speedup))| (cell(interpreter, model, workers), speedup))
            .unzip();
        let (mut manifest, mut trials) = run(&cells, 6, |round| {
            let slow = 1.0 + 0.002 * (round % 3) as f64;
            let strays = if round % 2 == 0 {
                self.scatter
            } else {
                -self.scatter
            };
            let cells = cells.iter().zip(&speedups);
            cells.map(move |(cell, speedup)| {
                let strays = if cell.workers > 1 { strays } else { 0.0 };
                (100_000.0 / speedup * slow * strays.exp()) as u64
            })
        });
        for sample in trials.iter_mut().flat_map(|trial| &mut trial.samples) {
            let busy_ns = |busy_cpus| (busy_cpus * sample.makespan_ns() as f64) as u64;
            sample.cost = self.busy_cpus.map(|busy_cpus| Cost {
                cpu_time_ns: Some(busy_ns(busy_cpus)),
                ..Cost::default()
            });
        }
        manifest.workloads.first_mut().unwrap().kind = self.kind;
        place_on_cores(&mut manifest, self.cores);
        let laws = summarise("r", &manifest, &trials).laws;
        laws.first().unwrap().clone()
    }
}

const PLAIN: Made = Made {
    interpreter: "3.13t",
    model: Model::Threads,
    kind: WorkloadKind::Cpu,
    cores: 8,
    speedups: &[(1, 1.0), (2, 1.0)],
    ceiling: &[],
    scatter: 0.0,
    busy_cpus: None,
};

#[test]
fn the_verdict_rests_on_all_that_is_known() {
    let wide = Made {
        scatter: 0.5,
        ..PLAIN
    };
    let found = wide.laws();
    assert_eq!(found.verdict, CurveVerdict::CannotTell);
    assert_eq!(found.limit.cause, LimitCause::Unclear);
    assert!(found.needs_s.unwrap() > 0.0);
    // However wide: workers that keep one CPU of eight busy take turns.
    let one_at_a_time = Made {
        busy_cpus: Some(1.06),
        ..wide
    };
    let found = one_at_a_time.laws();
    assert_eq!(found.verdict, CurveVerdict::DoesNotScale);
    assert_eq!(found.limit.cause, LimitCause::OneAtATime);
    assert_eq!(found.needs_s, None);
    let with_gil = Made {
        interpreter: "3.13",
        ..one_at_a_time
    };
    assert_eq!(with_gil.laws().verdict, CurveVerdict::DoesNotScale);
    assert_eq!(with_gil.cause(), LimitCause::Gil);
    // What waits uses one CPU or less, and is faster for it.
    let waits = Made {
        kind: WorkloadKind::Io,
        ..one_at_a_time
    };
    assert_eq!(waits.laws().verdict, CurveVerdict::CannotTell);
    let scales = Made {
        speedups: &[(1, 1.0), (2, 1.75)],
        scatter: 0.3,
        ..PLAIN
    };
    assert_eq!(scales.laws().verdict, CurveVerdict::Scales);
    assert_eq!(scales.cause(), LimitCause::Unclear);
    // The ceiling strays as the curve does, and the share of it does not.
    let as_the_machine = Made {
        ceiling: &[(1, 1.0), (2, 1.8)],
        scatter: 0.6,
        ..scales
    };
    assert_eq!(as_the_machine.laws().verdict, CurveVerdict::AsTheMachine);
    assert_eq!(as_the_machine.cause(), LimitCause::Machine);
    let slower = Made {
        speedups: &[(1, 1.0), (2, 0.6)],
        ..PLAIN
    };
    assert_eq!(slower.laws().verdict, CurveVerdict::Slower);
}

#[test]
fn a_flat_curve_has_a_cause_by_what_it_runs_on() {
    assert_eq!(
        Made {
            interpreter: "3.13",
            ..PLAIN
        }
        .cause(),
        LimitCause::Gil
    );
    assert_eq!(
        Made {
            model: Model::Asyncio,
            ..PLAIN
        }
        .cause(),
        LimitCause::OneThread
    );
    assert_eq!(Made { cores: 1, ..PLAIN }.cause(), LimitCause::Cores);
    let flat_ceiling = &[(1, 1.0), (2, 1.02)];
    assert_eq!(
        Made {
            ceiling: flat_ceiling,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
    // Two counts say that it is flat, not why.
    assert_eq!(PLAIN.cause(), LimitCause::Untold);
    assert_eq!(
        Made {
            speedups: &[(1, 1.0), (2, 0.6)],
            ..PLAIN
        }
        .cause(),
        LimitCause::Crosstalk
    );
}

#[test]
fn a_curve_that_follows_the_ceiling_is_limited_by_the_machine() {
    let speedups = &[(1, 1.0), (2, 1.9), (4, 3.0), (8, 4.0)];
    let ceiling = &[(1, 1.0), (2, 1.95), (4, 3.1), (8, 4.1)];
    assert_eq!(
        Made {
            speedups,
            ceiling,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
    let far_above = &[(1, 1.0), (2, 2.0), (4, 4.0), (8, 8.0)];
    assert_ne!(
        Made {
            speedups,
            ceiling: far_above,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
}

#[test]
fn workers_without_a_core_each_lack_cores() {
    let speedups = &[(1, 1.0), (2, 1.95), (3, 1.93), (4, 1.94)];
    assert_eq!(
        Made {
            cores: 2,
            speedups,
            ..PLAIN
        }
        .cause(),
        LimitCause::Cores
    );
    // What waits needs none.
    let waiting = Made {
        cores: 2,
        kind: WorkloadKind::Io,
        speedups: &[(1, 1.0), (2, 2.0), (4, 3.95), (16, 15.8)],
        ..PLAIN
    };
    assert_eq!(waiting.cause(), LimitCause::NothingSeen);
}

#[test]
fn laws_tell_turns_from_crosstalk() {
    // Amdahl with 0.1, on eight cores.
    let turns = &[(1, 1.0), (2, 1.818), (4, 3.077), (8, 4.706)];
    assert_eq!(
        Made {
            speedups: turns,
            ..PLAIN
        }
        .cause(),
        LimitCause::SerialFraction
    );
    assert_eq!(
        Made {
            interpreter: "3.13",
            speedups: turns,
            ..PLAIN
        }
        .cause(),
        LimitCause::GilInPart
    );
    let peaked = &[(1, 1.0), (2, 1.7), (4, 2.3), (8, 1.9)];
    assert_eq!(
        Made {
            speedups: peaked,
            ..PLAIN
        }
        .cause(),
        LimitCause::Crosstalk
    );
    let three = &[(1, 1.0), (2, 1.6), (4, 2.2)];
    assert_eq!(
        Made {
            speedups: three,
            ..PLAIN
        }
        .cause(),
        LimitCause::Untold
    );
}

#[test]
fn as_many_as_workers_is_no_limit_and_more_is_remarkable() {
    let ideal = &[(1, 1.0), (2, 2.0), (4, 3.98), (8, 7.9)];
    assert_eq!(
        Made {
            speedups: ideal,
            ..PLAIN
        }
        .cause(),
        LimitCause::NothingSeen
    );
    let more = &[(1, 1.0), (2, 2.3), (4, 4.9), (8, 9.9)];
    assert_eq!(
        Made {
            speedups: more,
            ..PLAIN
        }
        .cause(),
        LimitCause::Superlinear
    );
}

#[test]
fn two_siblings_have_one_core() {
    // PUs and cores of the machine, workers, the cores that these have; the fifth and sixth machine are hybrid, with four
    // cores that have siblings and four that have none.
    let cases = [
        (16, 8, 16, 8.0),
        (16, 8, 4, 2.0),
        (16, 8, 3, 2.0),
        (4, 2, 4, 2.0),
        (12, 8, 8, 4.0),
        (12, 8, 12, 8.0),
        (8, 8, 8, 8.0),
        (32, 8, 32, 8.0),
    ];
    for (pus, machine_cores, workers, expected) in cases {
        let planned = [cell("3.13", Model::Threads, workers)];
        let mut manifest = manifest(&planned);
        let mut summary = summarise("r", &manifest, &[trial(&planned[0], 0, 100)]);
        let placed = summary.cells.first_mut().unwrap();
        placed.placement = (0..workers).collect();
        manifest.machine.topology.cores = machine_cores;
        manifest.machine.topology.pus = pus;
        manifest.machine.topology.allowed_pus = (0..pus).collect();
        manifest.plan.settings.pin = "smt".to_owned();
        assert_eq!(cores(&manifest, placed), expected, "{workers} workers, {pus} PUs");
        // Of the same PUs each has a core where siblings are not taken together.
        manifest.plan.settings.pin = "cores".to_owned();
        assert_eq!(cores(&manifest, placed), f64::from(workers.min(machine_cores)));
    }
}
