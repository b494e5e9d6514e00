//! The order in which workers fill the machine. Pure.
//!
//! A [`Policy`] and a [`Topology`] determine the [`order()`]; a [`Placer`] assigns its PUs to workers and explains why
//! if there are too few; [`counts`] parses the requested numbers of workers.

pub mod counts;
mod order;
mod policy;

pub use order::order;
pub use policy::{Policy, PolicyError};

use crate::error::{ExitStatus, Failure};
use crate::machine::topology::{Topology, list_of_pus};
use ftbench_schema::text::counted;

/// Whether workers may share a PU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Each worker has a PU of its own; for work that computes.
    Exclusive,
    /// PUs are reused in turn when there are more workers; for work that waits.
    Shared,
}

/// Why workers cannot be placed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlacementError {
    /// The list names a PU that the machine does not have.
    #[error("'--pin {list}': this machine has no PU {pu}; it has {pus} ('ftbench topology' draws them)")]
    UnknownPu {
        /// The list, as the policy displays it.
        list: Policy,
        /// The missing PU.
        pu: u32,
        /// The PUs that exist.
        pus: String,
    },
    /// The list names a PU that this process may not use.
    #[error(
        "'--pin {list}': this process may not use PU {pu}; its cpuset and affinity mask allow {allowed}\n\
         Choose from these, or start ftbench where more are allowed ('taskset', 'docker run --cpuset-cpus')."
    )]
    ForbiddenPu {
        /// The list, as the policy displays it.
        list: Policy,
        /// The PU that is not allowed.
        pu: u32,
        /// The PUs that are allowed.
        allowed: String,
    },
    /// This process may use no PU of the topology at all.
    #[error(
        "none of the machine's PUs may be used by this process\n\
         Its cpuset and affinity mask exclude each other; start ftbench in another one, or use '--pin none'."
    )]
    NothingAllowed,
    /// More workers than PUs.
    #[error("{0}")]
    TooManyWorkers(Box<TooManyWorkers>),
    /// More workers than the control group's CPU quota lets run at full speed.
    #[error(
        "{} would be throttled: the control group's quota is {quota} CPUs' worth of time\n{}",
        counted(*.workers, "worker"),
        remedy(*.workers, *.quota)
    )]
    Quota {
        /// The requested number.
        workers: u32,
        /// CPUs' worth of time.
        quota: f64,
    },
}

impl Failure for PlacementError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NothingAllowed => ExitStatus::MachineFailed,
            _ => ExitStatus::WrongInput,
        }
    }
}

/// What is allowed and why, when there are more workers than PUs.
#[derive(Debug, Clone, PartialEq)]
pub struct TooManyWorkers {
    workers: u32,
    policy: Policy,
    order: usize,
    capacity: Capacity,
}

impl std::fmt::Display for TooManyWorkers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Capacity {
            pus,
            cores,
            allowed,
            allowed_cores,
            cpu_quota,
        } = &self.capacity;
        let (policy, order) = (&self.policy, self.order);
        let each = match policy {
            Policy::Cores | Policy::Scatter => ", one for each core",
            _ => "",
        };
        write!(
            formatter,
            "{} workers do not fit: '--pin {policy}' has {}{each}. The machine has {} on {}; cpuset and affinity \
             mask allow {} on {}",
            self.workers,
            counted(order, "PU"),
            counted(*pus, "PU"),
            counted(*cores, "core"),
            list_of_pus(allowed),
            counted(*allowed_cores, "core"),
        )?;
        if let Some(quota) = cpu_quota {
            write!(formatter, "; the CPU quota is {quota}")?;
        }
        let within_quota =
            |pus: usize| cpu_quota.map_or(pus, |quota| pus.min(workers_within(quota).max(1) as usize));
        let fits = within_quota(order);
        let (on_cores, on_pus) = (within_quota(*allowed_cores), within_quota(allowed.len()));
        write!(formatter, "\nask for at most {fits}")?;
        if matches!(policy, Policy::List(_)) && on_cores > fits {
            write!(formatter, ", use '--pin cores' for up to {on_cores}")?;
        }
        // If every core has one PU, `smt` gives no more than `cores`.
        if *policy != Policy::Smt && on_pus > fits.max(on_cores) {
            write!(formatter, ", use '--pin smt' for up to {on_pus}")?;
        }
        formatter.write_str(", or leave the workers to the scheduler with '--pin none', which has no limit")
    }
}

/// What limits the number of workers, for messages and defaults.
#[derive(Debug, Clone, PartialEq)]
struct Capacity {
    pus: usize,
    cores: usize,
    allowed: Vec<u32>,
    allowed_cores: usize,
    cpu_quota: Option<f64>,
}

/// Assigns a PU to each worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Placer {
    policy: Policy,
    order: Vec<u32>,
    capacity: Capacity,
    /// The allowed PUs in logical order, each with its core.
    cores_of_pus: Vec<(u32, u32)>,
}

impl Placer {
    /// Lays out the order in which workers fill the machine. `cpu_quota` is in CPUs' worth of time.
    ///
    /// # Errors
    ///
    /// When the policy lists a PU that does not exist or is not allowed, or no PU is allowed.
    pub fn new(topology: &Topology, policy: Policy, cpu_quota: Option<f64>) -> Result<Self, PlacementError> {
        Ok(Self {
            order: order(topology, &policy)?,
            policy,
            capacity: Capacity {
                pus: topology.pus.len(),
                cores: usize::try_from(topology.cores).unwrap_or(usize::MAX),
                allowed: topology.allowed_pus(),
                allowed_cores: topology.allowed_cores(),
                cpu_quota,
            },
            cores_of_pus: topology.allowed().map(|pu| (pu.os_index, pu.core)).collect(),
        })
    }

    /// The policy that the order follows.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The PUs (OS indices) in the order in which workers fill them; empty when workers are not pinned.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// CPUs' worth of time that the control group may use; `None` when not limited.
    #[must_use]
    pub const fn cpu_quota(&self) -> Option<f64> {
        self.capacity.cpu_quota
    }

    /// How many workers the machine has room for, which is what `max` means: PUs of the order, or allowed PUs
    /// when workers are not pinned, and no more than the CPU quota allows; at least 1.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let pus = match self.policy {
            Policy::None => self.capacity.allowed.len(),
            _ => self.order.len(),
        };
        let pus = u32::try_from(pus).unwrap_or(u32::MAX);
        self.capacity
            .cpu_quota
            .map_or(pus, |quota| pus.min(workers_within(quota)))
            .max(1)
    }

    /// The PU of each of `workers` workers, in order; empty when workers are not pinned.
    ///
    /// # Errors
    ///
    /// When there are more [`Sharing::Exclusive`] workers than PUs in the order. [`check_quota`] checks the quota.
    pub fn place(&self, workers: u32, sharing: Sharing) -> Result<Vec<u32>, PlacementError> {
        if self.policy == Policy::None {
            return Ok(Vec::new());
        }
        let wanted = usize::try_from(workers).unwrap_or(usize::MAX);
        if sharing == Sharing::Exclusive && wanted > self.order.len() {
            return Err(PlacementError::TooManyWorkers(Box::new(TooManyWorkers {
                workers,
                policy: self.policy.clone(),
                order: self.order.len(),
                capacity: self.capacity.clone(),
            })));
        }
        Ok(self.order.iter().copied().cycle().take(wanted).collect())
    }

    /// The PUs that a placement leaves to the client of a server: those of all other cores or, if it uses every core,
    /// its other PUs. Empty when it leaves none, or nothing is pinned.
    #[must_use]
    pub fn left_by(&self, placement: &[u32]) -> Vec<u32> {
        if placement.is_empty() {
            return Vec::new();
        }
        let own = |(pu, _): &&(u32, u32)| placement.contains(pu);
        let cores: Vec<u32> = self
            .cores_of_pus
            .iter()
            .filter(own)
            .map(|(_, core)| *core)
            .collect();
        let free = || self.cores_of_pus.iter().filter(|one| !own(one));
        let on_other_cores: Vec<u32> = free()
            .filter(|(_, core)| !cores.contains(core))
            .map(|(pu, _)| *pu)
            .collect();
        if on_other_cores.is_empty() {
            free().map(|(pu, _)| *pu).collect()
        } else {
            on_other_cores
        }
    }

    /// Checks that the control group's CPU quota is enough for `workers` workers that compute.
    ///
    /// # Errors
    ///
    /// When it is not, and workers are pinned: [`Policy::None`] may exceed it.
    pub fn check_quota(&self, workers: u32) -> Result<(), PlacementError> {
        match (&self.policy, self.capacity.cpu_quota) {
            (Policy::None, _) | (_, None) => Ok(()),
            (_, Some(quota)) => check_quota(workers, quota),
        }
    }
}

/// Checks that a CPU quota, in CPUs' worth of time, is enough for `workers` workers that compute.
///
/// # Errors
///
/// When it is smaller than the number of workers.
pub fn check_quota(workers: u32, quota: f64) -> Result<(), PlacementError> {
    if f64::from(workers) <= quota {
        return Ok(());
    }
    Err(PlacementError::Quota { workers, quota })
}

fn remedy(workers: u32, quota: f64) -> String {
    let raise = format!(
        "raise the quota ('docker run --cpus {workers}'), or measure with the throttling, which '--pin none' allows"
    );
    match workers_within(quota) {
        0 => format!("even one worker needs a whole CPU: {raise}"),
        limit => format!("ask for at most {limit} ('-n {limit}'), {raise}"),
    }
}

/// How many workers have a whole CPU each within a quota.
fn workers_within(quota: f64) -> u32 {
    // The cast saturates, and NaN becomes 0.
    quota.floor() as u32
}

#[cfg(test)]
mod tests;
