//! Asks hwloc for the machine's topology and turns it into the plain value of [`super::topology`].

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use hwlocality::Topology as Hwloc;
use hwlocality::cpu::cpuset::CpuSet;
use hwlocality::errors::RawHwlocError;
use hwlocality::ffi::PositiveInt;
use hwlocality::object::TopologyObject;
use hwlocality::object::attributes::ObjectAttributes;
use hwlocality::object::types::ObjectType;
use hwlocality::topology::builder::BuildFlags;

use self::child::{ChildOutcome, try_in_child};
use super::description;
use super::topology::{Pu, SharedCache, Topology};
use crate::error::{ExitStatus, Failure};

/// Variables that make hwloc describe a machine other than this one.
const DESCRIPTION_VARIABLES: [&str; 2] = [description::XML_FILE, description::SYNTHETIC];
/// The variable that makes hwloc treat such a description as this machine's.
const THIS_SYSTEM: &str = "HWLOC_THISSYSTEM";

/// Why there is no topology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// hwloc failed.
    #[error(
        "hwloc cannot read this machine's topology: {0}\nsee what 'lstopo' (package hwloc) says, or pin nothing with '--pin none'"
    )]
    Hwloc(String),
    /// hwloc cannot use the description in the environment, and would silently use the real machine.
    #[error(
        "hwloc cannot use {variable}={value}\nfix the description ('lstopo' shows whether it is valid) or unset {variable}"
    )]
    Description {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// hwloc must not read the description in the environment.
    #[error(
        "ftbench does not pass {variable}={value} to hwloc: {reason}\ngive another description, or unset {variable}"
    )]
    Refused {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The child process that tries the description cannot use it; this is its message.
    #[error("{0}")]
    UnusableInChild(String),
    /// The topology has no processing units, or one that the operating system has no number for.
    #[error(
        "hwloc's topology cannot be used: {0}\nfix the description that HWLOC_XMLFILE or HWLOC_SYNTHETIC names, or unset it"
    )]
    Unusable(&'static str),
}

impl Failure for DiscoveryError {
    fn exit_status(&self) -> ExitStatus {
        // Descriptions too, because they come from the environment and describe the machine.
        ExitStatus::MachineFailed
    }
}

impl From<RawHwlocError> for DiscoveryError {
    fn from(error: RawHwlocError) -> Self {
        let cause = error.errno.map(|errno| errno.to_string());
        Self::Hwloc(cause.unwrap_or_else(|| error.to_string()))
    }
}

/// hwloc's own topology, which binding needs, and the plain value that everything else uses.
#[derive(Debug)]
pub struct Discovered {
    hwloc: Hwloc,
    topology: Topology,
}

impl Discovered {
    /// Asks hwloc, which honours `HWLOC_SYNTHETIC` and `HWLOC_XMLFILE`.
    ///
    /// # Errors
    ///
    /// When hwloc fails, or cannot use the description in the environment.
    pub fn load() -> Result<Self, DiscoveryError> {
        refuse_dangerous_description(|variable| env::var_os(variable))?;
        refuse_crashing_description(|variable| env::var_os(variable))?;
        Self::load_unchecked()
    }

    /// Like [`Self::load`], but without trying a description first, so it may crash. For the child that tries it.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn load_unchecked() -> Result<Self, DiscoveryError> {
        let hwloc = Hwloc::builder()
            // Without this flag hwloc leaves out what the cpuset forbids, and the drawing could not show it.
            .with_flags(BuildFlags::INCLUDE_DISALLOWED)
            .map_err(|error| DiscoveryError::Hwloc(error.to_string()))?
            .build()
            .map_err(|error| {
                let unusable = unusable_description(|variable| env::var_os(variable));
                unusable.unwrap_or_else(|| error.into())
            })?;
        refuse_ignored_description(&hwloc, |variable| env::var_os(variable))?;
        Self::from_hwloc(hwloc)
    }

    /// Uses a topology that was loaded already.
    ///
    /// # Errors
    ///
    /// When it has no PUs, or one without an OS index.
    pub fn from_hwloc(hwloc: Hwloc) -> Result<Self, DiscoveryError> {
        let topology = plain(&hwloc)?;
        Ok(Self { hwloc, topology })
    }

    /// The plain value.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// hwloc's own topology.
    pub(super) const fn hwloc(&self) -> &Hwloc {
        &self.hwloc
    }
}

/// Refuses descriptions that hwloc must not read; see [`description`].
fn refuse_dangerous_description(
    variable_of: impl Fn(&str) -> Option<OsString>,
) -> Result<(), DiscoveryError> {
    for variable in DESCRIPTION_VARIABLES {
        let Some(value) = variable_of(variable).filter(|value| !value.is_empty()) else {
            continue;
        };
        if let Some(reason) = description::objection(variable, &value) {
            return Err(DiscoveryError::Refused {
                variable,
                value: value.to_string_lossy().into_owned(),
                reason,
            });
        }
    }
    Ok(())
}

/// The variable that describes another machine to hwloc, and its value.
fn active_description(variable_of: impl Fn(&str) -> Option<OsString>) -> Option<(&'static str, OsString)> {
    let set = |variable| Some((variable, variable_of(variable)?));
    DESCRIPTION_VARIABLES
        .into_iter()
        .filter_map(set)
        .find(|(_, value)| !value.is_empty())
}

/// Refuses descriptions that libhwloc crashes on, because it trusts them. A child process tries them first.
fn refuse_crashing_description(variable_of: impl Fn(&str) -> Option<OsString>) -> Result<(), DiscoveryError> {
    let Some((variable, value)) = active_description(variable_of) else {
        return Ok(());
    };
    match try_in_child() {
        ChildOutcome::Usable => Ok(()),
        ChildOutcome::Unusable(message) => Err(DiscoveryError::UnusableInChild(message)),
        ChildOutcome::Failed(reason) => Err(DiscoveryError::Refused {
            variable,
            value: value.to_string_lossy().into_owned(),
            reason,
        }),
    }
}

/// Refuses a description that hwloc ignored: it falls back to the real machine, but the user wanted another one.
fn refuse_ignored_description(
    hwloc: &Hwloc,
    variable_of: impl Fn(&str) -> Option<OsString>,
) -> Result<(), DiscoveryError> {
    if !hwloc.is_this_system() || variable_of(THIS_SYSTEM).is_some() {
        return Ok(());
    }
    unusable_description(variable_of).map_or(Ok(()), Err)
}

/// The error for a description in the environment that hwloc cannot use; `None` without a description.
fn unusable_description(variable_of: impl Fn(&str) -> Option<OsString>) -> Option<DiscoveryError> {
    let (variable, value) = active_description(variable_of)?;
    Some(DiscoveryError::Description {
        variable,
        value: value.to_string_lossy().into_owned(),
    })
}

fn plain(hwloc: &Hwloc) -> Result<Topology, DiscoveryError> {
    let is_this_system = hwloc.is_this_system();
    let allowed = allowed_pus(hwloc, is_this_system)?;
    let kinds = ranked_kinds(hwloc);
    let mut pus = Vec::new();
    let mut siblings_seen: BTreeMap<u32, u32> = BTreeMap::new();
    for object in hwloc.objects_with_type(ObjectType::PU) {
        let os_index = object
            .os_index()
            .ok_or(DiscoveryError::Unusable("a PU has no OS index"))?;
        // Some machines report no cores; then each PU counts as one.
        let core = narrow(
            object
                .first_ancestor_with_type(ObjectType::Core)
                .unwrap_or(object)
                .logical_index(),
        );
        let seen = siblings_seen.entry(core).or_default();
        let smt_rank = *seen;
        *seen += 1;
        let rank = kinds.iter().find(|(cpuset, _)| has(cpuset, os_index));
        pus.push(Pu {
            os_index: narrow(os_index),
            core,
            package: ancestor_index(object, ObjectType::Package).unwrap_or(0),
            die: ancestor_index(object, ObjectType::Die),
            numa_node: nearest_numa_node(hwloc, object).unwrap_or(0),
            cache: shared_cache(object),
            smt_rank,
            efficiency: rank.map_or(0, |(_, rank)| *rank),
            allowed: has(&allowed, os_index),
        });
    }
    if pus.is_empty() {
        return Err(DiscoveryError::Unusable("it has no PUs"));
    }
    Ok(Topology {
        packages: count(hwloc, ObjectType::Package).max(1),
        numa_nodes: count(hwloc, ObjectType::NUMANode).max(1),
        cores: narrow(siblings_seen.len()),
        pus,
        is_this_system,
    })
}

/// The PUs that the cpuset allows and, on this machine, this thread's affinity mask too (`taskset` sets it).
fn allowed_pus(hwloc: &Hwloc, is_this_system: bool) -> Result<CpuSet, DiscoveryError> {
    let mut allowed = hwloc.allowed_cpuset().clone_target();
    if is_this_system {
        /// The calling thread, for `sched_getaffinity`.
        const CALLING_THREAD: i32 = 0;
        allowed &= &hwloc.tid_cpu_binding(CALLING_THREAD)?;
    }
    Ok(hwloc.cpuset() & &allowed)
}

/// Whether a PU is in a set. Sets are queried rather than iterated, because those of a description may be infinite.
fn has(set: &CpuSet, os_index: usize) -> bool {
    PositiveInt::try_from(os_index).is_ok_and(|index| set.is_set(index))
}

/// The CPU kinds that hwloc knows and could rank, with their ranks.
fn ranked_kinds(hwloc: &Hwloc) -> Vec<(CpuSet, u32)> {
    let Ok(kinds) = hwloc.cpu_kinds() else {
        return Vec::new();
    };
    kinds
        .filter_map(|kind| Some((kind.cpuset, narrow(kind.efficiency?))))
        .collect()
}

/// The smallest NUMA node that holds the PU: a node of slower memory may span the whole machine.
fn nearest_numa_node(hwloc: &Hwloc, pu: &TopologyObject) -> Option<u32> {
    let own = pu.cpuset()?;
    hwloc
        .objects_with_type(ObjectType::NUMANode)
        .filter_map(|node| Some((node, node.cpuset()?)))
        .filter(|(_, cpuset)| cpuset.includes(own))
        .min_by_key(|(node, cpuset)| (cpuset.weight().unwrap_or(usize::MAX), node.logical_index()))
        .and_then(|(node, _)| node.os_index())
        .map(narrow)
}

/// The outermost cache of data that more than one core is under.
fn shared_cache(pu: &TopologyObject) -> Option<SharedCache> {
    let core = pu.first_ancestor_with_type(ObjectType::Core).unwrap_or(pu);
    let outermost = pu
        .ancestors()
        .filter(|object| object.object_type().is_cpu_data_cache())
        .last()?;
    if outermost.cpuset()?.weight() <= core.cpuset()?.weight() {
        return None;
    }
    let Some(ObjectAttributes::Cache(attributes)) = outermost.attributes() else {
        return None;
    };
    Some(SharedCache {
        level: narrow(attributes.depth()),
        index: narrow(outermost.logical_index()),
    })
}

fn ancestor_index(object: &TopologyObject, kind: ObjectType) -> Option<u32> {
    object
        .first_ancestor_with_type(kind)
        .map(|ancestor| narrow(ancestor.logical_index()))
}

fn count(hwloc: &Hwloc, kind: ObjectType) -> u32 {
    narrow(hwloc.objects_with_type(kind).count())
}

/// Narrows a number that hwloc itself keeps in 32 bits (`unsigned`), so that nothing is lost.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub mod child;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
