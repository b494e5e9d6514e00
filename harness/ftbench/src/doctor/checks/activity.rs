//! Other activity on the machine.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Activity, Moment, Stat, Ticks, Unknown};
use crate::machine::topology::Topology;
use ftbench_schema::{text::counted, units};

/// Other runnable tasks per PU from which on the load spoils. With one such task per PU, a worker shares its PU
/// wherever it is bound, and gets about half of it.
const SPOILING_RUNNABLE_PER_PU: f64 = 1.0;

/// The share of the PUs' time in other programs from which on the load spoils. They keep at least every second PU busy.
/// A single worker still gets a free PU, because other tasks move away from it; all workers together do not. So the
/// load bends the curve instead of shifting it, and pairing cannot cancel that.
const SPOILING_BUSY_SHARE: f64 = 0.5;

/// The share of the PUs' time in other programs from which on the load is a warning: the default smallest effect.
const NOTICEABLE_BUSY_SHARE: f64 = 0.02;

/// The load average per PU from which on the last minute was not quiet, even if the last half second was.
const RECENT_LOAD_PER_PU: f64 = 0.5;

/// The stolen share of the CPU time demanded from which on steal spoils. It exceeds the differences that most users
/// want to measure, and it comes in bursts, so that it hits one cell of a pair.
const SPOILING_STEAL_SHARE: f64 = 0.05;

/// The stolen share from which on steal is a warning. It widens intervals that could otherwise be 1 %.
const NOTICEABLE_STEAL_SHARE: f64 = 0.005;

/// The minimum number of demanded ticks for a share of steal. With 20 ticks, the share has steps of 5 %; with fewer, a
/// single tick would decide it.
const ENOUGH_TICKS: u64 = 20;

/// The sum over the PUs that this process may use, or over all PUs if the topology is another machine's.
fn sum_of_allowed(stat: &Stat, topology: &Topology) -> Ticks {
    let allowed = topology.allowed_pus();
    let known = allowed.iter().any(|pu| stat.pus.contains_key(pu));
    let mut sum = Ticks::default();
    for (_, ticks) in stat.pus.iter().filter(|(pu, _)| !known || allowed.contains(pu)) {
        sum.busy += ticks.busy;
        sum.idle += ticks.idle;
        sum.steal += ticks.steal;
    }
    sum
}

/// The first and the last state of the PUs that this process may use.
struct Window {
    first: Ticks,
    last: Ticks,
}

impl Window {
    fn of(activity: &Activity, topology: &Topology) -> Result<Self, Unknown> {
        let nothing = || Unknown::Other("nothing was sampled".to_owned());
        let stat = |moment: Option<&Moment>| match moment {
            Some(moment) => moment
                .stat
                .as_ref()
                .map_err(Clone::clone)
                .map(|stat| sum_of_allowed(stat, topology)),
            None => Err(nothing()),
        };
        Ok(Self {
            first: stat(activity.moments.first())?,
            last: stat(activity.moments.last())?,
        })
    }

    /// The ticks between the two states. The kernel's idle counters may run backwards
    /// (`Documentation/filesystems/proc.rst`).
    const fn difference(&self) -> Ticks {
        Ticks {
            busy: self.last.busy.saturating_sub(self.first.busy),
            idle: self.last.idle.saturating_sub(self.first.idle),
            steal: self.last.steal.saturating_sub(self.first.steal),
        }
    }
}

/// The share of `a` in `a + b`; 0 if both are 0.
fn share(a: u64, b: u64) -> f64 {
    if a == 0 { 0.0 } else { a as f64 / (a + b) as f64 }
}

/// Checks the load of other programs while ftbench slept: the busy time of the allowed PUs and the runnable tasks of
/// the machine, both from `/proc/stat` (`Documentation/filesystems/proc.rst`, 1.7).
pub fn load(activity: &Activity, topology: &Topology) -> Finding {
    let check = Check::Load;
    let window = match Window::of(activity, topology) {
        Ok(window) => window.difference(),
        Err(why) => return Finding::unknown(check, &why),
    };
    let busy = share(window.busy + window.steal, window.idle);
    let pus = topology.allowed_pus().len();
    let machine = pus_of_machine(activity, topology);
    let runnable = runnable_of_others(activity);
    // Tasks are counted on the whole machine. If only some PUs are allowed, all of the tasks may run on the others.
    let per_pu = runnable.filter(|_| pus == machine).unwrap_or(0.0) / machine as f64;
    let mut found = format!(
        "other programs use {} of {}",
        units::per_cent(busy, 1),
        counted(pus, "PU")
    );
    if let Some(runnable) = runnable {
        found.push_str(&format!(", {runnable:.1} other tasks are runnable"));
    }
    let quieter = "stop other programs ('top' shows them), or bind to other PUs with '--pin LIST'";
    if busy >= SPOILING_BUSY_SHARE || per_pu >= SPOILING_RUNNABLE_PER_PU {
        return Finding::new(check, Severity::Spoils, found)
            .effect(
                "Few workers still find free PUs and many do not: curves bend because of the load, not because of the \
                 GIL, and pairing cannot cancel that.",
            )
            .remedy(quieter);
    }
    if busy >= NOTICEABLE_BUSY_SHARE {
        return Finding::new(check, Severity::Warning, found)
            .effect(
                "Other programs interrupt some samples: intervals get wider, most at the largest number of workers.",
            )
            .remedy(quieter);
    }
    match &activity.load_average {
        Ok(average) if *average >= RECENT_LOAD_PER_PU * machine as f64 => Finding::new(
            check,
            Severity::Note,
            format!("{found}; load average {average:.2}"),
        )
        .effect("The machine is quiet now but was not in the last minute: that load may come back."),
        _ => Finding::ok(check, found),
    }
}

/// The mean over the moments, without ftbench itself, which is running while it reads the file.
fn runnable_of_others(activity: &Activity) -> Option<f64> {
    let seen: Vec<f64> = activity
        .moments
        .iter()
        .filter_map(|moment| moment.stat.as_ref().ok()?.runnable)
        .map(|tasks| f64::from(tasks.saturating_sub(1)))
        .collect();
    (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
}

/// The number of PUs over which runnable tasks and the load average are spread.
fn pus_of_machine(activity: &Activity, topology: &Topology) -> usize {
    let counted = activity
        .moments
        .first()
        .and_then(|moment| Some(moment.stat.as_ref().ok()?.pus.len()));
    counted.unwrap_or(0).max(topology.allowed_pus().len()).max(1)
}

/// Checks the time that the allowed PUs wanted and another guest got: `steal` in `Documentation/filesystems/proc.rst`,
/// 1.7.
///
/// An idle PU wants no time, so nothing can be stolen from it. If too little time was wanted, the share since boot is
/// reported instead. That share can only warn, because the steal may be long over.
pub fn steal(activity: &Activity, topology: &Topology) -> Finding {
    let check = Check::Steal;
    let window = match Window::of(activity, topology) {
        Ok(window) => window,
        Err(why) => return Finding::unknown(check, &why),
    };
    let now = window.difference();
    let since_boot = share(window.last.steal, window.last.busy);
    let share_now = (now.steal + now.busy >= ENOUGH_TICKS).then(|| share(now.steal, now.busy));
    let found = match share_now {
        Some(share) => format!(
            "{} of the CPU time demanded now, {} since boot",
            units::per_cent(share, 1),
            units::per_cent(since_boot, 1)
        ),
        None => format!(
            "{} of the CPU time demanded since boot; too idle to measure now",
            units::per_cent(since_boot, 1)
        ),
    };
    let elsewhere = "measure when the host is quieter, or on an instance with dedicated cores";
    if share_now.is_some_and(|share| share >= SPOILING_STEAL_SHARE) {
        return Finding::new(check, Severity::Spoils, found)
            .effect(
                "The hypervisor gives these PUs to other guests in bursts, which hit one cell of a pair and not the \
                 other, and many workers more than one.",
            )
            .remedy(elsewhere);
    }
    if share_now.unwrap_or(0.0).max(since_boot) >= NOTICEABLE_STEAL_SHARE {
        return Finding::new(check, Severity::Warning, found)
            .effect("Other guests take time from some samples: intervals get wider.")
            .remedy(elsewhere);
    }
    Finding::ok(check, found)
}

/// Checks the processor flag `hypervisor` (CPUID leaf 1, ECX bit 31, which Intel and AMD reserve for hypervisors) and
/// the product that the firmware names. A virtual machine is only a warning, because pairing is designed for it.
pub fn virtualisation(activity: &Activity) -> Finding {
    /// Vendors and products of virtual machines in `/sys/class/dmi/id`. They are needed if the processor has no such
    /// flag, as on arm64.
    const VIRTUAL: [&str; 9] = [
        "QEMU",
        "KVM",
        "VMware",
        "VirtualBox",
        "Xen",
        "Bochs",
        "Virtual Machine",
        "Amazon EC2",
        "Google Compute Engine",
    ];
    let check = Check::Virtualisation;
    let product = activity.product.as_str();
    // Amazon's bare-metal instances have "metal" in their names.
    let named = VIRTUAL.iter().any(|name| product.contains(name)) && !product.contains("metal");
    if !activity.hypervisor && !named {
        return Finding::ok(check, if product.is_empty() { "none" } else { product });
    }
    let found = if product.is_empty() {
        "a virtual machine".to_owned()
    } else {
        format!("a virtual machine: {product}")
    };
    Finding::new(check, Severity::Warning, found)
        .effect(
            "Neighbours, frequency and the true layout of cores cannot be seen from here. Compare within a run, never \
             times from different hours or instances.",
        )
        .remedy("for absolute times, use a machine of your own")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::machine::discovery::samples;

    /// PUs 0 and 1 with the same ticks, and PU 99, which is not allowed, with an hour of work.
    fn moment(ticks: Ticks, runnable: u32) -> Moment {
        let foreign = Ticks {
            busy: 360_000 * u64::from(runnable),
            ..ticks
        };
        Moment {
            stat: Ok(Stat {
                pus: BTreeMap::from([(0, ticks), (1, ticks), (99, foreign)]),
                runnable: Some(runnable),
            }),
            swapped_pages: Ok(0),
            throttle_events: None,
        }
    }

    fn activity(ticks: [Ticks; 2], runnable: u32) -> Activity {
        Activity {
            moments: ticks.map(|ticks| moment(ticks, runnable)).to_vec(),
            seconds: 0.5,
            load_average: Ok(0.1),
            hypervisor: false,
            product: String::new(),
        }
    }

    fn ticks(busy: u64, idle: u64, steal: u64) -> Ticks {
        Ticks { busy, idle, steal }
    }

    fn two_pus() -> Topology {
        samples::synthetic("pack:1 [numa] core:2 pu:1")
    }

    #[test]
    fn load_spoils_from_half_of_the_allowed_time_on() {
        let judged = |busy: u64, idle: u64, runnable| {
            load(
                &activity([ticks(10, 10, 0), ticks(10 + busy, 10 + idle, 0)], runnable),
                &two_pus(),
            )
        };
        assert_eq!(judged(0, 50, 1).severity, Severity::Ok);
        assert_eq!(
            judged(0, 50, 1).found,
            "other programs use 0.0 % of 2 PUs, 0.0 other tasks are runnable"
        );
        assert_eq!(judged(2, 48, 1).severity, Severity::Warning);
        assert_eq!(judged(25, 25, 1).severity, Severity::Spoils);
        // Four tasks including ftbench are three others for three PUs, and may all run on the PU that is not allowed.
        assert_eq!(judged(0, 50, 4).severity, Severity::Ok);
        let mut all_allowed = activity([ticks(0, 0, 0), ticks(0, 50, 0)], 3);
        for moment in &mut all_allowed.moments {
            moment.stat = moment.stat.clone().map(|mut stat| {
                stat.pus.remove(&99);
                stat
            });
        }
        assert_eq!(load(&all_allowed, &two_pus()).severity, Severity::Spoils);
    }

    #[test]
    fn busy_last_minute_is_noted() {
        let mut calm = activity([ticks(0, 0, 0), ticks(0, 50, 0)], 1);
        calm.load_average = Ok(1.62);
        let noted = load(&calm, &two_pus());
        assert_eq!(noted.severity, Severity::Note);
        assert!(noted.found.ends_with("load average 1.62"), "{}", noted.found);
    }

    #[test]
    fn steal_is_relative_to_the_time_demanded() {
        let judged = |now: Ticks| {
            let boot = ticks(10_000, 50_000, 10);
            let last = ticks(boot.busy + now.busy, boot.idle + now.idle, boot.steal + now.steal);
            steal(&activity([boot, last], 1), &two_pus())
        };
        let idle = judged(ticks(1, 49, 1));
        assert_eq!(idle.severity, Severity::Ok);
        assert_eq!(
            idle.found,
            "0.1 % of the CPU time demanded since boot; too idle to measure now"
        );
        assert_eq!(judged(ticks(40, 7, 3)).severity, Severity::Spoils);
        assert_eq!(judged(ticks(99, 0, 1)).severity, Severity::Warning);
        assert_eq!(judged(ticks(50, 0, 0)).severity, Severity::Ok);
        let history = steal(&activity([ticks(90, 0, 10); 2], 1), &two_pus());
        assert_eq!(
            (history.severity, history.found.contains("10.0 %")),
            (Severity::Warning, true)
        );
    }

    #[test]
    fn counters_that_run_backwards_are_tolerated() {
        let backwards = activity([ticks(10, 10, 10), ticks(5, 5, 5)], 0);
        assert_eq!(load(&backwards, &two_pus()).severity, Severity::Ok);
        assert_eq!(steal(&backwards, &two_pus()).severity, Severity::Warning);
    }

    #[test]
    fn virtual_machines_are_detected_by_flag_or_by_name() {
        let judged = |hypervisor, product: &str| {
            let product = product.to_owned();
            virtualisation(&Activity {
                hypervisor,
                product,
                ..activity([Ticks::default(); 2], 1)
            })
        };
        assert_eq!(judged(false, "").severity, Severity::Ok);
        assert_eq!(judged(false, "LENOVO 21CB").found, "LENOVO 21CB");
        assert_eq!(judged(false, "Amazon EC2 c7g.metal").severity, Severity::Ok);
        assert_eq!(judged(false, "Amazon EC2 c7g.large").severity, Severity::Warning);
        assert_eq!(judged(true, "").severity, Severity::Warning);
    }
}
