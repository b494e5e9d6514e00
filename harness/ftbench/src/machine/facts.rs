//! Facts about the computer, for the record.

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

use super::topology::Topology;
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
        topology: topology.facts(),
    }
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
