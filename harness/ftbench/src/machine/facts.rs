//! Facts about the computer, for the record.

use std::path::Path;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

use super::topology::Topology;
use crate::outside;
use ftbench_schema::MachineFacts;

/// Asks the system about this machine. Texts that it does not report are empty. `cpu_quota` is in CPUs' worth of time.
#[must_use]
pub fn of_this_machine(topology: &Topology, cpu_quota: Option<f64>) -> MachineFacts {
    let system = System::new().map(|mut system| {
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system
    });
    let system = system.ok();
    let cpu_model = system
        .as_ref()
        .and_then(|system| Some(system.cpus().first()?.brand().trim().to_owned()));
    let os: Vec<String> = [System::name(), System::os_version()]
        .into_iter()
        .flatten()
        .collect();
    MachineFacts {
        hostname: System::host_name().unwrap_or_default(),
        cpu_model: cpu_model.unwrap_or_default(),
        os: os.join(" "),
        kernel: System::kernel_version().unwrap_or_default(),
        architecture: std::env::consts::ARCH.to_owned(),
        memory_bytes: system.map_or(0, |system| system.total_memory()),
        cpu_quota,
        microcode: microcode(),
        governor: governor(topology),
        topology: topology.facts(),
    }
}

/// The file that describes each processor. It has no microcode revision on other architectures than x86.
const PROCESSORS: &str = "/proc/cpuinfo";

/// Largest description of processors that is read, bytes: more than 10,000 of them.
const LARGEST_PROCESSORS_BYTES: u64 = 32 << 20;

fn microcode() -> Option<String> {
    let bytes = outside::read(Path::new(PROCESSORS), LARGEST_PROCESSORS_BYTES).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (_, revision) = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "microcode")?;
    Some(revision.trim().to_owned())
}

/// The governor of the first PU that this process may use.
fn governor(topology: &Topology) -> Option<String> {
    let pu = topology.facts().allowed_pus.first().copied()?;
    let path = format!("/sys/devices/system/cpu/cpu{pu}/cpufreq/scaling_governor");
    let bytes = outside::read(Path::new(&path), 4096).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::discovery::samples;

    #[test]
    fn facts_of_this_machine_are_complete() {
        let facts = of_this_machine(&samples::two_sockets_in_a_cpuset(), Some(1.5));
        assert!(facts.memory_bytes > 0);
        assert!(!facts.kernel.is_empty() && !facts.os.is_empty() && !facts.architecture.is_empty());
        assert_eq!(facts.cpu_quota, Some(1.5));
        assert_eq!(facts.topology.allowed_pus, [1, 2, 3, 6, 9, 10, 14]);
    }
}
