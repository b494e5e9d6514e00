//! Checks how many cores can be used, and what else may use them.

use std::collections::BTreeSet;

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::Cores;
use crate::machine::topology::list_of_pus;
use ftbench_schema::text::counted;

/// Checks that there are at least two cores. Scaling cannot be measured on one: two workers take turns there, and a
/// build without the GIL looks no better than one with it.
pub fn cores(cores: &Cores) -> Finding {
    let topology = &cores.topology;
    let usable = topology.allowed_cores();
    let found = format!("{} of {} can be used", usable, counted(topology.cores, "core"));
    if usable > 1 {
        return Finding::ok(Check::Cores, found);
    }
    let finding = Finding::new(Check::Cores, Severity::Spoils, found).effect(
        "Workers take turns on one core: threads look flat on every build, with the GIL or without, and no speedup \
         says anything.",
    );
    if topology.cores > 1 {
        finding.remedy("widen the cpuset: see 'taskset -cp $$', or the container's '--cpuset-cpus'")
    } else {
        finding.remedy("measure on a machine with at least 2 cores")
    }
}

/// Checks the quota. Once the threads of a control group together have used the quota, the kernel stops all of them for
/// the rest of the period, usually 100 ms (`Documentation/scheduler/sched-bwc.rst`). That affects cells with many
/// workers and not those with few, and pairing cannot cancel it. So a quota below the cores spoils every scaling curve.
pub fn quota(cores: &Cores) -> Finding {
    let usable = cores.topology.allowed_cores();
    match cores.quota {
        Err(ref why) => Finding::unknown(Check::CpuQuota, why),
        Ok(None) => Finding::ok(Check::CpuQuota, "no limit on CPU time"),
        Ok(Some(quota)) if quota >= usable as f64 => Finding::ok(
            Check::CpuQuota,
            format!("{quota} CPUs' worth of time for {}", counted(usable, "core")),
        ),
        Ok(Some(quota)) => Finding::new(
            Check::CpuQuota,
            Severity::Spoils,
            format!("{quota} CPUs' worth of time for {}", counted(usable, "core")),
        )
        .effect(
            "When the workers together have used up the quota, the kernel stops them all until the next period: more \
             workers look slower than they are.",
        )
        .remedy(format!(
            "raise the quota ('docker update --cpus {usable} CONTAINER', or the pod's CPU limit), or stay below it \
             with '-n'"
        )),
    }
}

/// Checks the cpuset. ftbench stays within the cores that it leaves, but cannot know what runs on the others: the
/// sibling of an allowed hardware thread may belong to another program.
pub fn cpuset(cores: &Cores) -> Finding {
    let topology = &cores.topology;
    let allowed = topology.allowed_pus();
    let found = format!(
        "{} of {} ({})",
        allowed.len(),
        counted(topology.pus.len(), "PU"),
        list_of_pus(&allowed)
    );
    if allowed.len() == topology.pus.len() {
        return Finding::ok(Check::Cpuset, found);
    }
    let own_cores: BTreeSet<u32> = topology.allowed().map(|pu| pu.core).collect();
    let foreign_siblings: Vec<u32> = topology
        .pus
        .iter()
        .filter(|pu| !pu.allowed && own_cores.contains(&pu.core))
        .map(|pu| pu.os_index)
        .collect();
    if foreign_siblings.is_empty() {
        return Finding::new(Check::Cpuset, Severity::Note, found).effect(
            "Curves end at the allowed cores. Programs on the other cores still use caches, memory bandwidth and \
             power.",
        );
    }
    let siblings = list_of_pus(&foreign_siblings);
    Finding::new(
        Check::Cpuset,
        Severity::Warning,
        format!("{found}; not the siblings {siblings}"),
    )
    .effect(
        "Programs on the sibling hardware threads take up to half of the throughput of these cores when they \
         compute.",
    )
    .remedy(format!("give whole cores: add PUs {siblings} to the cpuset"))
}

/// Checks for SMT. Two hardware threads of a core share its execution units. ftbench puts one worker on each core
/// (`--pin cores`), so its own workers do not share a core, but other programs may. LLVM's benchmarking tips
/// (<https://llvm.org/docs/Benchmarking.html>) turn siblings off; the switch is `smt/control` in
/// `Documentation/ABI/testing/sysfs-devices-system-cpu`.
pub fn smt(cores: &Cores) -> Finding {
    let topology = &cores.topology;
    let threads = topology.pus.iter().map(|pu| pu.smt_rank + 1).max().unwrap_or(1);
    if threads < 2 {
        return Finding::ok(Check::Smt, "one hardware thread per core");
    }
    Finding::new(Check::Smt, Severity::Note, format!("up to {threads} hardware threads per core"))
        .effect(
            "With '--pin cores' every worker has its own core, and the sibling idles unless something else runs there. \
             With '--pin smt' two workers share a core, and the second adds a speedup of only about 1.2 to 1.3.",
        )
        .remedy("on a dedicated machine: 'echo off | sudo tee /sys/devices/system/cpu/smt/control'")
}

/// Checks for isolated PUs. The scheduler places no tasks on them by itself (`isolcpus` in
/// `Documentation/admin-guide/kernel-parameters.txt`), and `nohz_full` stops their timer tick
/// (`Documentation/timers/no_hz.rst`). A process runs there only if its affinity names them, hence `taskset`. pyperf's
/// guide uses them in the same way (<https://pyperf.readthedocs.io/en/latest/system.html>).
pub fn isolated(cores: &Cores) -> Finding {
    let isolated = match &cores.isolated {
        Ok(isolated) => isolated,
        Err(why) => return Finding::unknown(Check::IsolatedCpus, why),
    };
    if isolated.is_empty() {
        return Finding::ok(
            Check::IsolatedCpus,
            "none: other tasks may run between the workers",
        );
    }
    let tickless = cores.tickless.as_deref().unwrap_or_default();
    let list = list_of_pus(isolated);
    let mut found = format!("PUs {list} are isolated");
    if isolated.iter().all(|pu| tickless.contains(pu)) {
        found.push_str(" and tickless");
    }
    let allowed = cores.topology.allowed_pus();
    let inside = isolated.iter().filter(|pu| allowed.contains(pu)).count();
    if inside == allowed.len() {
        return Finding::ok(Check::IsolatedCpus, found)
            .effect("Nothing else is scheduled where the workers run: the quietest place on this machine.");
    }
    let finding = if inside == 0 {
        Finding::new(Check::IsolatedCpus, Severity::Note, found).effect(
            "These PUs are quieter than those that would be used now: nothing else is scheduled there.",
        )
    } else {
        Finding::new(Check::IsolatedCpus, Severity::Warning, found).effect(
            "Some workers would have a PU to themselves and others would not: curves bend where the isolated PUs end.",
        )
    };
    finding.remedy(format!("'taskset -c {list} ftbench run --pin {list} ...'"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::facts::Unknown;
    use crate::machine::discovery::samples;
    use crate::machine::topology::Topology;

    fn cores_of(topology: Topology) -> Cores {
        Cores {
            topology,
            quota: Ok(None),
            isolated: Ok(Vec::new()),
            tickless: Ok(Vec::new()),
        }
    }

    #[test]
    fn remedy_for_a_single_core_depends_on_the_machine() {
        let alone = cores(&cores_of(samples::one_pu()));
        assert_eq!(alone.severity, Severity::Spoils);
        assert!(alone.remedy.unwrap().contains("at least 2 cores"));
        let mut confined = samples::two_sockets();
        for pu in &mut confined.pus {
            pu.allowed = pu.core == 0;
        }
        let confined = cores(&cores_of(confined));
        assert_eq!(
            (confined.severity, confined.found.as_str()),
            (Severity::Spoils, "1 of 8 cores can be used")
        );
        assert!(confined.remedy.unwrap().contains("cpuset"));
        assert_eq!(cores(&cores_of(samples::two_sockets())).severity, Severity::Ok);
    }

    #[test]
    fn quota_spoils_only_below_the_number_of_cores() {
        let with = |limit| {
            quota(&Cores {
                quota: limit,
                ..cores_of(samples::two_sockets())
            })
        };
        assert_eq!(with(Ok(None)).severity, Severity::Ok);
        // 8 cores with 2 threads each: the default placement uses one worker per core.
        assert_eq!(with(Ok(Some(8.0))).severity, Severity::Ok);
        let low = with(Ok(Some(7.5)));
        assert_eq!(
            (low.severity, low.found.as_str()),
            (Severity::Spoils, "7.5 CPUs' worth of time for 8 cores")
        );
        let why = Unknown::Other("no idea".to_owned());
        assert_eq!(with(Err(why)).severity, Severity::Unknown);
    }

    #[test]
    fn foreign_siblings_are_worse_than_a_small_cpuset() {
        assert_eq!(cpuset(&cores_of(samples::two_sockets())).severity, Severity::Ok);
        let mut whole_cores = samples::two_sockets();
        for pu in &mut whole_cores.pus {
            pu.allowed = pu.core < 4;
        }
        assert_eq!(cpuset(&cores_of(whole_cores)).severity, Severity::Note);
        let torn = cpuset(&cores_of(samples::two_sockets_in_a_cpuset()));
        assert_eq!(torn.severity, Severity::Warning);
        assert_eq!(torn.found, "7 of 16 PUs (1-3,6,9,10,14); not the siblings 11");
    }

    #[test]
    fn smt_on_any_core_is_noted() {
        assert_eq!(smt(&cores_of(samples::one_pu())).severity, Severity::Ok);
        assert_eq!(smt(&cores_of(samples::hybrid())).severity, Severity::Note);
    }

    #[test]
    fn isolated_pus_are_a_warning_only_when_mixed_with_others() {
        let with = |isolated: &[u32], allowed: &[u32]| {
            let mut topology = samples::two_sockets();
            for pu in &mut topology.pus {
                pu.allowed = allowed.contains(&pu.os_index);
            }
            isolated_with(topology, isolated)
        };
        assert_eq!(with(&[], &[0, 1]).severity, Severity::Ok);
        assert_eq!(with(&[2, 3], &[2, 3]).severity, Severity::Ok);
        assert_eq!(with(&[2, 3], &[0, 2, 3]).severity, Severity::Warning);
        let unused = with(&[2, 3, 4], &[0, 1]);
        assert_eq!(
            (unused.severity, unused.found.as_str()),
            (Severity::Note, "PUs 2-4 are isolated and tickless")
        );
        assert_eq!(
            unused.remedy.unwrap(),
            "'taskset -c 2-4 ftbench run --pin 2-4 ...'"
        );
    }

    fn isolated_with(topology: Topology, pus: &[u32]) -> Finding {
        isolated(&Cores {
            isolated: Ok(pus.to_vec()),
            tickless: Ok(pus.to_vec()),
            ..cores_of(topology)
        })
    }
}
