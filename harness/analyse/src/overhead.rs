//! The overhead of the free-threaded build with one worker, where its threads have no benefit.

use super::estimate::{ByRound, Makespans, centre_of, geometric_mean, log_contrast};
use ftbench_schema::{
    Cell, Curve, Estimate, GilState, Host, Implementation, InterpreterFacts, Manifest, Model, Overhead,
    Switch, WorkloadKind,
};

/// The models for this comparison, in order of preference: with them, only the build differs between two interpreters.
const ONE_WORKER: [Model; 2] = [Model::Serial, Model::Threads];

/// Returns the ratio of the times with one worker for every pair of builds of the same minor version: one for each
/// workload that both ran, and the geometric mean over those that compute (with `None` as the workload), if there are
/// any. `makespans` returns the makespans of a cell that is `ok`, because nothing is known about the overhead if
/// something failed or switched the GIL back on.
#[must_use]
pub fn of_pairs<'m>(
    manifest: &Manifest,
    makespans: &dyn Fn(&Cell) -> Option<&'m Makespans>,
) -> Vec<Overhead> {
    let mut found = Vec::new();
    for (gil, free_threaded) in pairs(&manifest.interpreters) {
        let pair = Pair {
            gil,
            free_threaded,
            arm: manifest.plan.base_arm(),
            makespans,
        };
        found.extend(pair.overheads(manifest));
    }
    found
}

/// Pairs GIL builds with the free-threaded builds of the same implementation, minor version, debugging and use of the
/// JIT.
///
/// A free-threaded build that was started with its GIL on is included: its ratio is the overhead of the build itself,
/// apart from running without the GIL.
fn pairs(interpreters: &[InterpreterFacts]) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for gil in interpreters.iter().filter(|one| !one.free_threaded) {
        for other in interpreters.iter().filter(|one| {
            one.free_threaded && (one.gil == GilState::Off || one.switches.contains(&Switch::Gil))
        }) {
            let alike = gil.implementation == Implementation::CPython
                && other.implementation == Implementation::CPython
                && minor(&gil.version) == minor(&other.version)
                && gil.build.debug == other.build.debug
                && gil.uses_jit() == other.uses_jit();
            if alike {
                found.push((gil.tag.as_str(), other.tag.as_str()));
            }
        }
    }
    found
}

/// Returns the `3` and `13` of `3.13.15`.
fn minor(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.split('.');
    parts.next().zip(parts.next())
}

struct Pair<'a, 'm> {
    gil: &'a str,
    free_threaded: &'a str,
    /// The base arm, if there are several versions of the code.
    arm: Option<&'a str>,
    makespans: &'a dyn Fn(&Cell) -> Option<&'m Makespans>,
}

impl<'m> Pair<'_, 'm> {
    fn overheads(&self, manifest: &Manifest) -> Vec<Overhead> {
        let mut found = Vec::new();
        let mut computing: Vec<ByRound> = Vec::new();
        for workload in &manifest.workloads {
            let Some((free_threaded, gil)) = self.times(&workload.name) else {
                continue;
            };
            let logs = log_contrast(&[free_threaded], &[gil]);
            if workload.kind == WorkloadKind::Cpu {
                computing.push(logs.clone());
            }
            let ratio = centre_of(logs);
            found.extend(ratio.map(|ratio| self.overhead(Some(workload.name.clone()), 1, ratio.centre)));
        }
        let mean = geometric_mean(&computing);
        let workloads = u32::try_from(computing.len()).unwrap_or(u32::MAX);
        found.extend(mean.map(|ratio| self.overhead(None, workloads, ratio)));
        found
    }

    /// Returns the times of both builds, the free-threaded one's first, for the first model that both have.
    fn times(&self, workload: &str) -> Option<(&'m Makespans, &'m Makespans)> {
        ONE_WORKER.iter().find_map(|&model| {
            let of = |interpreter: &str| {
                let cell = Cell {
                    curve: Curve {
                        interpreter: interpreter.to_owned(),
                        host: Host::Spawn,
                        workload: workload.to_owned(),
                        arm: self.arm.map(str::to_owned),
                        model,
                    },
                    workers: 1,
                };
                (self.makespans)(&cell).filter(|times| times.rounds() > 0)
            };
            of(self.free_threaded).zip(of(self.gil))
        })
    }

    fn overhead(&self, workload: Option<String>, workloads: u32, ratio: Estimate) -> Overhead {
        Overhead {
            gil: self.gil.to_owned(),
            free_threaded: self.free_threaded.to_owned(),
            arm: self.arm.map(str::to_owned),
            workload,
            workloads,
            ratio,
        }
    }
}

#[cfg(test)]
#[path = "overhead_tests.rs"]
mod tests;
