//! Maps pyperf's benchmarks to ftbench's cells.

use super::pyperf::Metadata;
use ftbench_schema::{Host, Model, WorkloadKind};

/// The cell of a benchmark, without its interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The workload.
    pub workload: String,
    /// The program that the interpreter ran in.
    pub host: Host,
    /// How workers ran.
    pub model: Model,
    /// The number of workers.
    pub workers: u32,
}

/// Returns the cell that ftbench exported, or else one serial worker for a benchmark of pyperf's own.
pub fn subject(benchmark: &str, metadata: &Metadata) -> Subject {
    exported(metadata).unwrap_or_else(|| Subject {
        workload: benchmark.to_owned(),
        host: Host::Spawn,
        model: Model::Serial,
        workers: 1,
    })
}

fn exported(metadata: &Metadata) -> Option<Subject> {
    metadata.text("ftbench_version")?;
    let exported = Subject {
        workload: metadata.text("workload")?.to_owned(),
        host: metadata.text("host").map_or(Some(Host::Spawn), Host::named)?,
        model: metadata.text("model")?.parse().ok()?,
        workers: u32::try_from(metadata.count("workers")?).ok()?,
    };
    let possible = exported.workers == 1 || (exported.workers > 1 && exported.model != Model::Serial);
    possible.then_some(exported)
}

/// The kind of a benchmark. pyperf does not record one; most of what it measures computes.
pub fn kind(metadata: &Metadata) -> WorkloadKind {
    const KINDS: [WorkloadKind; 5] = [
        WorkloadKind::Cpu,
        WorkloadKind::Io,
        WorkloadKind::Mixed,
        WorkloadKind::Shared,
        WorkloadKind::Memory,
    ];
    let stated = metadata.text("kind");
    let known = KINDS.into_iter().find(|kind| Some(kind.name()) == stated);
    known.unwrap_or(WorkloadKind::Cpu)
}

/// The PUs of a cell that ftbench exported.
pub fn placement(metadata: &Metadata) -> Vec<u32> {
    let affinity = metadata
        .text("ftbench_version")
        .and_then(|_| metadata.text("cpu_affinity"));
    let pus: Option<Vec<u32>> =
        affinity.map(|list| list.split(',').map_while(|pu| pu.parse().ok()).collect());
    pus.unwrap_or_default()
}
