//! Made-up series whose truth is known, for tests.

use std::sync::Arc;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::analyse::compare::Kernels;
use crate::record::schema::history::{
    HistoryRun, HistoryWorkload, MachineKey, Reading, RunSettings, SeriesKey,
};
use crate::record::schema::{CellStatus, Estimate, Host, Kernel, Model, NATIVE, WorkloadKind};

/// One value of a normal distribution (Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958).
pub fn normal(source: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - source.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * source.random::<f64>()).cos()
}

/// A series of nights.
#[derive(Debug, Clone, Copy)]
pub struct Nights {
    /// How many.
    pub nights: usize,
    /// Standard deviation of the logarithms.
    pub noise: f64,
    /// Correlation of neighbouring nights.
    pub correlation: f64,
    /// One night of so many goes wrong by 30 %.
    pub outlier_every: Option<usize>,
    /// The first night of another level, and by how much.
    pub step: Option<(usize, f64)>,
}

impl Default for Nights {
    fn default() -> Self {
        Self {
            nights: 30,
            noise: 0.025,
            correlation: 0.0,
            outlier_every: None,
            step: None,
        }
    }
}

impl Nights {
    /// The logarithms.
    pub fn values(&self, seed: u64) -> Vec<f64> {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let mut common = normal(&mut source);
        (0..self.nights)
            .map(|night| {
                let fresh = (1.0 - self.correlation * self.correlation).sqrt();
                common = self.correlation * common + fresh * normal(&mut source);
                let outlier = self
                    .outlier_every
                    .is_some_and(|every| source.random_range(0..every) == 0);
                let step = self.step.filter(|(first, _)| night >= *first);
                self.noise * common
                    + if outlier { 1.3_f64.ln() } else { 0.0 }
                    + step.map_or(0.0, |(_, ratio)| ratio.ln())
            })
            .collect()
    }
}

/// How a made-up machine measures.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Seed of everything.
    pub seed: u64,
    /// How many workloads; each has four cells.
    pub workloads: usize,
    /// The kinds that they are of, in turn.
    pub kinds: &'static [WorkloadKind],
    /// Standard deviation of each cell's nights.
    pub noise: f64,
    /// Correlation of a cell's neighbouring nights.
    pub correlation: f64,
    /// Standard deviation of what all cells of a night that compute have in common, the ceiling's too, and of what those
    /// have that are bound by memory. Those that wait have nothing in common.
    pub common_noise: f64,
    /// The first night on which those that compute, and their ceiling, have another level, and which.
    pub common_step: Option<(usize, f64)>,
    /// Standard deviation of what those cells of a night that compute on two PUs have in common besides, the ceiling's too.
    pub common_noise_on_two_pus: f64,
    /// Correlation of what cells have in common from night to night.
    pub common_correlation: f64,
    /// One value of so many goes wrong by 30 %.
    pub outlier_every: Option<usize>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            seed: 1,
            workloads: 6,
            kinds: &[WorkloadKind::Cpu],
            noise: 0.02,
            correlation: 0.0,
            common_noise: 0.0,
            common_step: None,
            common_noise_on_two_pus: 0.0,
            common_correlation: 0.0,
            outlier_every: None,
        }
    }
}

/// A true change.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub workload: &'static str,
    pub interpreter: &'static str,
    /// The first night of the new level.
    pub night: usize,
    pub ratio: f64,
}

impl Machine {
    fn kind(&self, workload: usize) -> WorkloadKind {
        let kinds = self.kinds.iter().cycle();
        kinds.copied().nth(workload).unwrap_or(WorkloadKind::Cpu)
    }

    /// What a night did to the workloads with these kernels.
    fn common(&self, nights: usize, kernels: Option<Kernels>) -> Vec<f64> {
        let seed = self.seed.wrapping_mul(7919);
        let common = Nights {
            nights,
            noise: self.common_noise,
            correlation: self.common_correlation,
            ..Nights::default()
        };
        match kernels {
            Some(Kernels::Computing) => Nights {
                step: self.common_step,
                ..common
            }
            .values(seed),
            Some(Kernels::Memory) => common.values(seed.wrapping_add(1)),
            None => vec![0.0; nights],
        }
    }

    /// What a night did besides to those that compute on two PUs.
    fn common_on_two_pus(&self, nights: usize) -> Vec<f64> {
        let besides = Nights {
            nights,
            noise: self.common_noise_on_two_pus,
            ..Nights::default()
        };
        besides.values(self.seed.wrapping_mul(104_729))
    }

    fn nights(&self, nights: usize, native: bool) -> Nights {
        Nights {
            nights,
            noise: if native { 0.01 } else { self.noise },
            correlation: if native { 0.0 } else { self.correlation },
            outlier_every: self.outlier_every.filter(|_| !native),
            step: None,
        }
    }
}

/// Nightly runs of cells `w0`, `w1` and so on, on 3.13 and 3.13t with 1 and 2 threads, and of the ceiling of those that
/// do not wait.
pub fn runs(nights: usize, steps: &[Step], machine: Machine) -> Vec<HistoryRun> {
    let mut made: Vec<HistoryRun> = (0..nights).map(|night| empty_run(night, machine)).collect();
    let interpreters = ["3.13", "3.13t", NATIVE];
    let mut number = machine.seed.wrapping_mul(1_000_003);
    for workload in 0..machine.workloads {
        let kernel = Kernel::usual(machine.kind(workload));
        let kernels = kernel.map(Kernels::of);
        let common = machine.common(nights, kernels);
        let on_two_pus = machine.common_on_two_pus(nights);
        for interpreter in interpreters {
            for workers in [1, 2] {
                number += 1;
                if interpreter == NATIVE && kernel.is_none() {
                    continue;
                }
                let key = Arc::new(SeriesKey {
                    workload: format!("w{workload}"),
                    interpreter: interpreter.to_owned(),
                    host: Host::Spawn,
                    arm: None,
                    model: Model::Threads,
                    workers,
                    weak: false,
                });
                let own = machine.nights(nights, interpreter == NATIVE).values(number);
                for (night, run) in made.iter_mut().enumerate() {
                    let step: f64 = steps
                        .iter()
                        .filter(|step| step.workload == key.workload && step.interpreter == key.interpreter)
                        .filter(|step| night >= step.night)
                        .map(|step| step.ratio)
                        .product();
                    let at = |values: &[f64]| values.get(night).copied().unwrap_or(0.0);
                    let shares = workers == 2 && kernels == Some(Kernels::Computing);
                    let moved = at(&own) + at(&common) + if shares { at(&on_two_pus) } else { 0.0 };
                    let value = 1e-3 * f64::from(workers) * step * moved.exp();
                    run.readings.push(Reading {
                        key: Arc::clone(&key),
                        status: CellStatus::Ok,
                        value: Some(Estimate {
                            estimate: value,
                            low: value * 0.99,
                            high: value * 1.01,
                        }),
                    });
                }
            }
        }
    }
    made
}

/// All figures of a run, so many times as large.
pub fn multiply(run: &mut HistoryRun, factor: f64) {
    for value in run
        .readings
        .iter_mut()
        .filter_map(|reading| reading.value.as_mut())
    {
        value.estimate *= factor;
        value.low *= factor;
        value.high *= factor;
    }
}

/// A commit's name for each night, with digits as mixed as those of real ones.
pub fn commit(night: usize) -> String {
    let mut digits = hex::encode(Sha256::digest(night.to_string()));
    digits.truncate(40);
    digits
}

fn empty_run(night: usize, machine: Machine) -> HistoryRun {
    let workload = |number: usize| {
        let kind = machine.kind(number);
        let facts = HistoryWorkload {
            kind,
            sha256: "0".repeat(64),
            kernel: Kernel::usual(kind),
        };
        (format!("w{number}"), facts)
    };
    HistoryRun {
        folder: format!("night-{night:03}"),
        name: format!("night-{night:03}"),
        started_at: format!("2026-{:02}-{:02}T02:00:00Z", 1 + night / 28, 1 + night % 28),
        commit: Some(commit(night)),
        labels: std::collections::BTreeMap::new(),
        ftbench_version: "0.1.0".to_owned(),
        profile: "standard".to_owned(),
        settings: Some(RunSettings {
            pin: "cores".to_owned(),
            target_sample_s: 0.1,
        }),
        machine: MachineKey {
            hostname: "bench".to_owned(),
            cpu_model: "made up".to_owned(),
            architecture: "x86_64".to_owned(),
            cores: 2,
            pus: 2,
            cpu_quota: None,
        },
        system: "none, kernel 0".to_owned(),
        builds: ["3.13", "3.13t"]
            .map(|tag| (tag.to_owned(), "CPython 3.13.15, -O3".to_owned()))
            .into_iter()
            .collect(),
        environments: Vec::new(),
        workloads: (0..machine.workloads).map(workload).collect(),
        readings: Vec::new(),
    }
}
