#![allow(clippy::unwrap_used)]

use super::*;
use crate::summary::summarise;
use ftbench_fixtures::records::{cell, manifest, place_on_cores, run, trial};
use ftbench_schema::{Cell, Cost, CurveLaws, NATIVE, Noise};

/// The cells of one curve in a run of six rounds, with a speedup for each number of workers.
#[derive(Clone, Copy)]
struct TestCurve {
    interpreter: &'static str,
    model: Model,
    kind: WorkloadKind,
    cores: u32,
    speedups: &'static [(u32, f64)],
    ceiling: &'static [(u32, f64)],
    /// Alternating deviation of the times with several workers between rounds, as a logarithm.
    scatter: f64,
    /// Number of CPUs that the workers keep busy, if known.
    busy_cpus: Option<f64>,
    /// Number of workers that wait for a CPU.
    waiting_threads: f64,
}

impl TestCurve {
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
            let deviation = if round % 2 == 0 {
                self.scatter
            } else {
                -self.scatter
            };
            let cells = cells.iter().zip(&speedups);
            cells.map(move |(cell, speedup)| {
                let deviation = if cell.workers > 1 { deviation } else { 0.0 };
                (100_000.0 / speedup * slow * deviation.exp()) as u64
            })
        });
        for sample in trials.iter_mut().flat_map(|trial| &mut trial.samples) {
            let makespan_ns = sample.makespan_ns();
            let of_makespan_ns = |cpus| (cpus * makespan_ns as f64) as u64;
            sample.noise = Some(Noise {
                interval_ns: makespan_ns,
                run_queue_ns: Some(of_makespan_ns(self.waiting_threads)),
                ..Noise::default()
            });
            sample.cost = self.busy_cpus.map(|busy_cpus| Cost {
                cpu_time_ns: Some(of_makespan_ns(busy_cpus)),
                ..Cost::default()
            });
        }
        manifest.workloads.first_mut().unwrap().kind = self.kind;
        place_on_cores(&mut manifest, self.cores);
        let laws = summarise("r", &manifest, &trials).laws;
        laws.first().unwrap().clone()
    }
}

const PLAIN: TestCurve = TestCurve {
    interpreter: "3.13t",
    model: Model::Threads,
    kind: WorkloadKind::Cpu,
    cores: 8,
    speedups: &[(1, 1.0), (2, 1.0)],
    ceiling: &[],
    scatter: 0.0,
    busy_cpus: None,
    waiting_threads: 0.0,
};

#[test]
fn verdict_takes_all_evidence_into_account() {
    let wide = TestCurve {
        scatter: 0.5,
        ..PLAIN
    };
    let found = wide.laws();
    assert_eq!(found.verdict, CurveVerdict::CannotTell);
    assert_eq!(found.limit.cause, LimitCause::Unclear);
    assert!(found.needs_s.unwrap() > 0.0);
    // However wide the interval is, workers that keep one CPU of eight busy take turns.
    let one_at_a_time = TestCurve {
        busy_cpus: Some(1.06),
        ..wide
    };
    let found = one_at_a_time.laws();
    assert_eq!(found.verdict, CurveVerdict::DoesNotScale);
    assert_eq!(found.limit.cause, LimitCause::OneAtATime);
    assert_eq!(found.needs_s, None);
    let with_gil = TestCurve {
        interpreter: "3.13",
        ..one_at_a_time
    };
    assert_eq!(with_gil.laws().verdict, CurveVerdict::DoesNotScale);
    assert_eq!(with_gil.cause(), LimitCause::Gil);
    // Both workers are ready to run, and other processes use half of their CPUs.
    let beside_others = TestCurve {
        busy_cpus: Some(1.0),
        waiting_threads: 1.0,
        ..wide
    };
    assert_eq!(beside_others.laws().verdict, CurveVerdict::CannotTell);
    // One of them at a time is, and other processes use half of its CPU.
    let one_beside_others = TestCurve {
        busy_cpus: Some(0.5),
        waiting_threads: 0.45,
        ..wide
    };
    assert_eq!(one_beside_others.cause(), LimitCause::OneAtATime);
    // A workload that waits uses at most one CPU, and is faster with more workers.
    let waits = TestCurve {
        kind: WorkloadKind::Io,
        ..one_at_a_time
    };
    assert_eq!(waits.laws().verdict, CurveVerdict::CannotTell);
    let scales = TestCurve {
        speedups: &[(1, 1.0), (2, 1.75)],
        scatter: 0.3,
        ..PLAIN
    };
    assert_eq!(scales.laws().verdict, CurveVerdict::Scales);
    assert_eq!(scales.cause(), LimitCause::Unclear);
    // The ceiling varies with the curve, so the fraction of the ceiling does not vary.
    let as_the_machine = TestCurve {
        ceiling: &[(1, 1.0), (2, 1.8)],
        scatter: 0.6,
        ..scales
    };
    assert_eq!(as_the_machine.laws().verdict, CurveVerdict::AsTheMachine);
    assert_eq!(as_the_machine.cause(), LimitCause::Machine);
    let slower = TestCurve {
        speedups: &[(1, 1.0), (2, 0.6)],
        ..PLAIN
    };
    assert_eq!(slower.laws().verdict, CurveVerdict::Slower);
}

#[test]
fn cause_of_a_flat_curve_depends_on_where_it_runs() {
    assert_eq!(
        TestCurve {
            interpreter: "3.13",
            ..PLAIN
        }
        .cause(),
        LimitCause::Gil
    );
    assert_eq!(
        TestCurve {
            model: Model::Asyncio,
            ..PLAIN
        }
        .cause(),
        LimitCause::OneThread
    );
    assert_eq!(TestCurve { cores: 1, ..PLAIN }.cause(), LimitCause::Cores);
    let flat_ceiling = &[(1, 1.0), (2, 1.02)];
    assert_eq!(
        TestCurve {
            ceiling: flat_ceiling,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
    // Two counts show that it is flat, but not why.
    assert_eq!(PLAIN.cause(), LimitCause::Unexplained);
    assert_eq!(
        TestCurve {
            speedups: &[(1, 1.0), (2, 0.6)],
            ..PLAIN
        }
        .cause(),
        LimitCause::Crosstalk
    );
}

#[test]
fn curve_that_follows_the_ceiling_is_limited_by_the_machine() {
    let speedups = &[(1, 1.0), (2, 1.9), (4, 3.0), (8, 4.0)];
    let ceiling = &[(1, 1.0), (2, 1.95), (4, 3.1), (8, 4.1)];
    assert_eq!(
        TestCurve {
            speedups,
            ceiling,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
    let far_above = &[(1, 1.0), (2, 2.0), (4, 4.0), (8, 8.0)];
    assert_ne!(
        TestCurve {
            speedups,
            ceiling: far_above,
            ..PLAIN
        }
        .cause(),
        LimitCause::Machine
    );
}

#[test]
fn more_workers_than_cores_are_limited_by_cores() {
    let speedups = &[(1, 1.0), (2, 1.95), (3, 1.93), (4, 1.94)];
    assert_eq!(
        TestCurve {
            cores: 2,
            speedups,
            ..PLAIN
        }
        .cause(),
        LimitCause::Cores
    );
    // A workload that waits does not need a core for each worker.
    let waiting = TestCurve {
        cores: 2,
        kind: WorkloadKind::Io,
        speedups: &[(1, 1.0), (2, 2.0), (4, 3.95), (16, 15.8)],
        ..PLAIN
    };
    assert_eq!(waiting.cause(), LimitCause::NothingSeen);
}

#[test]
fn laws_distinguish_serial_fraction_from_crosstalk() {
    // Amdahl's law with s = 0.1, on eight cores.
    let turns = &[(1, 1.0), (2, 1.818), (4, 3.077), (8, 4.706)];
    assert_eq!(
        TestCurve {
            speedups: turns,
            ..PLAIN
        }
        .cause(),
        LimitCause::SerialFraction
    );
    assert_eq!(
        TestCurve {
            interpreter: "3.13",
            speedups: turns,
            ..PLAIN
        }
        .cause(),
        LimitCause::GilInPart
    );
    let peaked = &[(1, 1.0), (2, 1.7), (4, 2.3), (8, 1.9)];
    assert_eq!(
        TestCurve {
            speedups: peaked,
            ..PLAIN
        }
        .cause(),
        LimitCause::Crosstalk
    );
    let three = &[(1, 1.0), (2, 1.6), (4, 2.2)];
    assert_eq!(
        TestCurve {
            speedups: three,
            ..PLAIN
        }
        .cause(),
        LimitCause::Unexplained
    );
}

#[test]
fn ideal_speedup_has_no_limit_and_larger_one_is_superlinear() {
    let ideal = &[(1, 1.0), (2, 2.0), (4, 3.98), (8, 7.9)];
    assert_eq!(
        TestCurve {
            speedups: ideal,
            ..PLAIN
        }
        .cause(),
        LimitCause::NothingSeen
    );
    let more = &[(1, 1.0), (2, 2.3), (4, 4.9), (8, 9.9)];
    assert_eq!(
        TestCurve {
            speedups: more,
            ..PLAIN
        }
        .cause(),
        LimitCause::Superlinear
    );
}

#[test]
fn disturbed_share_counts_only_samples_with_readings() {
    let cells = [cell("3.13t", Model::Threads, 1)];
    let (manifest, trials) = run(&cells, 6, |_| vec![100_000]);
    let mut summary = summarise("r", &manifest, &trials);
    let cell = summary.cells.first_mut().unwrap();
    assert_eq!(disturbed_share(&[cell]), None);
    (cell.cost.watched_samples, cell.cost.disturbed_samples) = (Some(4), Some(3));
    assert_eq!(disturbed_share(&[cell]), Some(0.75));
}

#[test]
fn two_siblings_share_one_core() {
    // PUs and cores of the machine, number of workers, and expected cores. The fifth and sixth machines are hybrid,
    // with four cores that have siblings and four that have none.
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
        // If siblings are not placed together, each of these PUs has its own core.
        manifest.plan.settings.pin = "cores".to_owned();
        assert_eq!(cores(&manifest, placed), f64::from(workers.min(machine_cores)));
    }
}
