//! Made-up summaries for tests: what a run on 2 cores and one on 128 would give, and hard cases.

use std::collections::BTreeMap;

use crate::record::schema::{
    ArmFacts, ArmKind, ArmRatio, BuildFacts, CellCost, CellStatus, CellSummary, CommitFacts, Difference,
    Estimate, GilState, Host, Implementation, InterpreterFacts, MachineFacts, Model, NATIVE, RunFacts,
    RunStatus, SCHEMA_VERSION, Scaling, StoppedBy, Summary, TopologyFacts, Warning, WarningKind,
    WorkloadFacts, WorkloadKind,
};

/// A value with an interval of so many per cent on either side.
pub fn estimate(value: f64, per_cent: f64) -> Estimate {
    Estimate {
        estimate: value,
        low: value * (1.0 - per_cent / 100.0),
        high: value * (1.0 + per_cent / 100.0),
    }
}

/// Whether a ratio is a difference: the interval leaves out 1 by more than 2 %.
pub fn difference(ratio: Estimate) -> Difference {
    let differs = ratio.low > 1.02 || ratio.high < 0.98;
    Difference {
        p_value: if differs { 0.002 } else { 0.4 },
        differs,
    }
}

/// Gunther's Universal Scalability Law: the speedup of `workers` with contention and coherence costs.
pub fn usl(workers: u32, contention: f64, coherence: f64) -> f64 {
    let count = f64::from(workers);
    count / (1.0 + contention * (count - 1.0) + coherence * count * (count - 1.0))
}

pub fn interpreter(tag: &str, version: &str) -> InterpreterFacts {
    let free_threaded = tag.ends_with('t');
    InterpreterFacts {
        tag: tag.to_owned(),
        path: format!("/opt/python/{tag}/bin/python"),
        version: version.to_owned(),
        implementation: Implementation::CPython,
        free_threaded,
        gil: GilState::from_enabled(!free_threaded),
        jit: None,
        switches: Vec::new(),
        build: BuildFacts {
            pgo: false,
            lto: false,
            jit: false,
            debug: false,
            shared: false,
            compiler: "GCC 12.2.0".to_owned(),
            optimisation: "-O3".to_owned(),
        },
        identity: None,
    }
}

/// A workload that computes.
pub fn workload(name: &str) -> WorkloadFacts {
    WorkloadFacts {
        name: name.to_owned(),
        kind: WorkloadKind::Cpu,
        summary: String::new(),
        models: Vec::new(),
        dependencies: Vec::new(),
        path: format!("/workloads/{name}.py"),
        source: String::new(),
        shows: String::new(),
        case: None,
        callable: None,
        extension: None,
        sha256: String::new(),
        units: Some(100),
        failure: None,
        ceiling: None,
    }
}

/// One measured cell.
pub struct Made<'a> {
    pub tag: &'a str,
    pub workload: &'a str,
    pub model: Model,
    pub workers: u32,
    pub one_worker_s: f64,
    pub speedup: f64,
}

impl Made<'_> {
    pub fn cell(&self) -> CellSummary {
        let makespan_s = self.one_worker_s / self.speedup;
        let speedup = (self.model != Model::Serial).then(|| {
            if self.workers == 1 {
                estimate(1.0, 0.0)
            } else {
                estimate(self.speedup, 1.5)
            }
        });
        CellSummary {
            interpreter: self.tag.to_owned(),
            gil: (self.tag != NATIVE).then(|| GilState::from_enabled(!self.tag.ends_with('t'))),
            host: Host::Spawn,
            workload: self.workload.to_owned(),
            arm: None,
            model: self.model,
            workers: self.workers,
            placement: (0..self.workers).collect(),
            status: CellStatus::Ok,
            reason: None,
            rounds: 10,
            samples: 30,
            units: Some(100),
            makespan_s: Some(estimate(makespan_s, 1.2)),
            speedup,
            speedup_difference: speedup.filter(|_| self.workers > 1).map(difference),
            vs_baseline: Some(estimate(0.347 / makespan_s, 1.7)),
            vs_baseline_difference: Some(difference(estimate(0.347 / makespan_s, 1.7))),
            efficiency: speedup.map(|ratio| estimate(ratio.estimate / f64::from(self.workers), 1.5)),
            ceiling_fraction: None,
            busy_fraction: Some(estimate(0.97, 0.5)),
            startup_s: Some(estimate(0.012, 5.0)),
            start_skew_s: Some(estimate(0.000_08, 20.0)),
            rss_peak_bytes: Some(estimate(2.4e7, 1.0)),
            pss_peak_bytes: Some(estimate(1.9e7, 1.0)),
            reported: BTreeMap::new(),
            cost: CellCost::default(),
        }
    }
}

/// A cell that was not measured.
pub fn unmeasured(mut cell: CellSummary, status: CellStatus, reason: &str) -> CellSummary {
    cell.status = status;
    cell.reason = Some(reason.to_owned());
    cell.gil = None;
    cell.rounds = 0;
    cell.samples = 0;
    cell.makespan_s = None;
    cell.speedup = None;
    cell.speedup_difference = None;
    cell.vs_baseline = None;
    cell.vs_baseline_difference = None;
    cell.efficiency = None;
    cell
}

pub fn summary(interpreters: Vec<InterpreterFacts>, cores: u32, cells: Vec<CellSummary>) -> Summary {
    Summary {
        schema: SCHEMA_VERSION,
        run: RunFacts {
            name: "20261121T080000Z-bench".to_owned(),
            ftbench_version: "0.1.0".to_owned(),
            started_at: "2026-11-21T08:00:00Z".to_owned(),
            ended_at: Some("2026-11-21T08:01:00Z".to_owned()),
            status: RunStatus::Complete,
            seed: 7,
            profile: "quick".to_owned(),
            scaling: Scaling::Strong,
            pin: Some("cores".to_owned()),
            target_sample_s: Some(0.06),
            baseline: "3.13".to_owned(),
            commit: None,
            labels: BTreeMap::new(),
        },
        machine: MachineFacts {
            hostname: "bench".to_owned(),
            cpu_model: "AMD EPYC 9554 64-Core Processor".to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0".to_owned(),
            architecture: "x86_64".to_owned(),
            memory_bytes: 8 << 30,
            cpu_quota: None,
            topology: TopologyFacts {
                packages: 1,
                numa_nodes: 1,
                cores,
                pus: cores,
                allowed_pus: (0..cores).collect(),
            },
        },
        interpreters,
        workloads: Vec::new(),
        environments: Vec::new(),
        arms: Vec::new(),
        arm_ratios: Vec::new(),
        sources: Vec::new(),
        quiet: None,
        free_threading_overhead: Vec::new(),
        laws: Vec::new(),
        stopped_by: Some(StoppedBy::Rounds),
        warnings: Vec::new(),
        cells,
    }
}

/// `fib` and `nbody` on 3.13 and 3.13t, threads and processes, 1 and 2 workers: what FACTS.md found.
pub fn two_cores() -> Summary {
    let mut cells = Vec::new();
    for (workload, scale) in [("fib", 1.0), ("nbody", 0.6)] {
        for (tag, serial_s, threads, processes) in [("3.13", 0.347, 0.99, 1.89), ("3.13t", 0.380, 1.93, 1.94)]
        {
            for (model, workers, speedup) in [
                (Model::Serial, 1, 1.0),
                (Model::Threads, 1, 1.0),
                (Model::Threads, 2, threads - 0.01 * scale),
                (Model::Processes, 1, 1.0),
                (Model::Processes, 2, processes - 0.02 * scale),
            ] {
                let one_worker_s = scale * serial_s * if model == Model::Processes { 1.08 } else { 1.0 };
                let made = Made {
                    tag,
                    workload,
                    model,
                    workers,
                    one_worker_s,
                    speedup,
                };
                let mut cell = made.cell();
                cell.vs_baseline = Some(estimate(0.347 * scale * speedup / one_worker_s, 1.7));
                cell.vs_baseline_difference = cell.vs_baseline.map(difference);
                cells.push(cell);
            }
        }
    }
    let interpreters = vec![interpreter("3.13", "3.13.15"), interpreter("3.13t", "3.13.15")];
    summary(interpreters, 2, cells)
}

/// `fib` in two arms: faster, unclear, slower and the same.
pub fn with_arms() -> Summary {
    let mut made = two_cores();
    made.cells
        .retain(|cell| cell.workload == "fib" && cell.model != Model::Processes);
    let ratios = [1.08, 1.05, 1.02, 0.91, 0.94, 1.0];
    let per_cent = [2.8, 2.8, 4.9, 2.2, 2.2, 1.0];
    let mut arm_ratios = Vec::new();
    let mut cells = Vec::new();
    for ((cell, ratio), per_cent) in made.cells.iter().zip(ratios).zip(per_cent) {
        let ratio = estimate(ratio, per_cent);
        arm_ratios.push(ArmRatio {
            workload: cell.workload.clone(),
            interpreter: cell.interpreter.clone(),
            host: cell.host,
            model: cell.model,
            workers: cell.workers,
            base: "base".to_owned(),
            arm: "new".to_owned(),
            rounds: 10,
            ratio,
            difference: difference(ratio),
        });
        for arm in ["base", "new"] {
            let mut cell = cell.clone();
            cell.arm = Some(arm.to_owned());
            cells.push(cell);
        }
    }
    cells.sort_by_key(|cell| (cell.interpreter.clone(), cell.arm.clone()));
    made.cells = cells;
    made.arm_ratios = arm_ratios;
    made.arms = ["base", "new"]
        .map(|name| ArmFacts {
            name: name.to_owned(),
            kind: ArmKind::Folder,
            path: format!("/code/{name}"),
            sha256: Some(format!("{name:0>64}")),
            commit: Some(CommitFacts {
                id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
                committed_at: Some("2026-11-20T22:00:00Z".to_owned()),
                dirty: Some(name == "new"),
            }),
        })
        .to_vec();
    made
}

/// A run of the whole suite on 2 cores: what waits goes to 16 workers, and stands first.
pub fn suite() -> Summary {
    let mut made = two_cores();
    let mut waiting = Vec::new();
    for (tag, speedup) in [("3.13", 8.2), ("3.13t", 10.9)] {
        for (model, workers) in [(Model::Threads, 2), (Model::Threads, 16), (Model::Processes, 2)] {
            let made = Made {
                tag,
                workload: "http_fetch",
                model,
                workers,
                one_worker_s: 0.4,
                speedup: if workers == 2 { 1.9 } else { speedup },
            };
            waiting.push(made.cell());
        }
    }
    let more = made.cells.iter().filter(|cell| cell.workload == "nbody").cloned();
    let more: Vec<CellSummary> = more
        .flat_map(|cell| {
            ["spectral_norm", "mandelbrot"].map(|name| CellSummary {
                workload: name.to_owned(),
                ..cell.clone()
            })
        })
        .collect();
    made.cells.extend(more);
    made.cells.splice(..0, waiting);
    let names = ["http_fetch", "fib", "nbody", "spectral_norm", "mandelbrot"];
    made.workloads = names.map(workload).to_vec();
    if let Some(first) = made.workloads.first_mut() {
        first.kind = WorkloadKind::Io;
    }
    made
}

/// The two on 2 cores, with a ceiling of 1.99 on 2 workers over both.
pub fn with_ceiling() -> Summary {
    let mut made = two_cores();
    add_ceiling(&mut made, |workers| {
        f64::from(workers) - 0.01 * f64::from(workers - 1)
    });
    made
}

/// Gives every workload the cells of a ceiling of so much at a number of workers, and holds the others against it.
pub fn add_ceiling(made: &mut Summary, speedup: impl Fn(u32) -> f64) {
    let mut ceiling: Vec<CellSummary> = Vec::new();
    for cell in &mut made.cells {
        let Some(own) = cell.speedup else { continue };
        let certain = cell.workers == 1;
        let share = own.estimate / speedup(cell.workers);
        cell.ceiling_fraction = Some(estimate(share, if certain { 0.0 } else { 1.8 }));
        let known = |native: &CellSummary| native.workload == cell.workload && native.workers == cell.workers;
        if !ceiling.iter().any(known) {
            let native = Made {
                tag: NATIVE,
                workload: &cell.workload,
                model: Model::Threads,
                workers: cell.workers,
                one_worker_s: 0.4,
                speedup: speedup(cell.workers),
            };
            ceiling.push(CellSummary {
                vs_baseline: None,
                ..native.cell()
            });
        }
    }
    made.cells.extend(ceiling);
}

/// `nbody` on four interpreters, threads, processes and asyncio, 1 to 128 workers.
pub fn many_cores() -> Summary {
    let tags = ["3.13", "3.13t", "3.14", "3.14t"];
    let mut cells = Vec::new();
    for (position, tag) in tags.into_iter().enumerate() {
        let step = f64::from(u32::try_from(position).unwrap_or(0));
        let free = tag.ends_with('t');
        for model in [Model::Serial, Model::Threads, Model::Processes, Model::Asyncio] {
            for workers in [1, 2, 4, 8, 16, 32, 64, 96, 128] {
                if model == Model::Serial && workers > 1 {
                    continue;
                }
                let speedup = match (model, free) {
                    (Model::Serial, _) => 1.0,
                    (Model::Threads, true) => usl(workers, 0.004 / (step + 1.0), 0.000_02 / step),
                    (Model::Threads, false) => usl(workers, 1.01, 0.000_2 * (step + 1.0)),
                    (Model::Processes, _) => usl(workers, 0.006 + 0.001 * step, 0.000_02),
                    _ => usl(workers, 1.0, 0.000_01 * step),
                };
                let one_worker_s = 0.8 - 0.05 * step;
                cells.push(
                    Made {
                        tag,
                        workload: "nbody",
                        model,
                        workers,
                        one_worker_s,
                        speedup,
                    }
                    .cell(),
                );
            }
        }
    }
    let interpreters = tags
        .into_iter()
        .map(|tag| {
            interpreter(
                tag,
                if tag.starts_with("3.13") {
                    "3.13.15"
                } else {
                    "3.14.2"
                },
            )
        })
        .collect();
    let mut made = summary(interpreters, 128, cells);
    made.machine.topology.packages = 2;
    made.machine.topology.pus = 256;
    made.warnings.push(builds_differ());
    made
}

pub fn builds_differ() -> Warning {
    Warning::of_run(
        WarningKind::BuildsDiffer,
        "3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare \
                  them."
            .to_owned(),
    )
}

/// Every way in which a cell can have no figures.
pub fn without_figures() -> Summary {
    let mut made = two_cores();
    let traceback = "ZeroDivisionError: division by zero\nTraceback (most recent call last):\n  File \"fib.py\", line \
                     9, in work\n    return 1 / 0\nZeroDivisionError: division by zero";
    let ways = [
        (CellStatus::Failed, traceback),
        (CellStatus::TimedOut, "no answer to 'sample' within 60 s"),
        (CellStatus::WrongResult, "check: expected 6765, got 6764"),
        (CellStatus::Skipped, "serial has one worker only"),
    ];
    made.cells = made
        .cells
        .into_iter()
        .zip(ways.into_iter().cycle())
        .map(|(cell, (status, reason))| unmeasured(cell, status, reason))
        .collect();
    made
}

/// Names that try to break out of tables and charts.
pub fn hostile() -> Summary {
    let mut made = two_cores();
    for cell in &mut made.cells {
        if cell.workload == "fib" {
            cell.workload = "<script>alert('|')</script>\n\u{1b}[2J".to_owned() + &"long".repeat(60);
        }
    }
    made.machine.cpu_model = "\"&<\u{0}>|`".to_owned();
    made.cells
        .iter_mut()
        .filter(|cell| cell.workload == "nbody")
        .for_each(|cell| cell.interpreter.push_str("|<b>"));
    made
}
