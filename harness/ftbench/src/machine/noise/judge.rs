//! Decides when a sample counts as disturbed. The figures stay in the record, and estimates use every sample; this only
//! names the causes for the reader.

use ftbench_schema::{Disturbance, Noise};

/// Share of the PUs' time in other processes. Work that computes takes longer by the time that others take from its
/// PU, and 2 % is the design's smallest effect of interest. The same share confirms a coarse figure from the other
/// side: the time for which the trial's threads were ready and waited.
pub const OTHERS_SHARE: f64 = 0.02;

/// Share of the PUs' time that the hypervisor took. Half of the share of processes, because whoever had the core also
/// evicted data from its caches, which the figure does not show.
pub const STEAL_SHARE: f64 = 0.01;

/// Share of the time for which something on the machine waited for memory: half of the smallest effect of interest,
/// because reclaiming memory also slows down what does not wait.
pub const MEMORY_PRESSURE_SHARE: f64 = 0.01;

/// The causes in `noise` that are above their thresholds. Throttling has no threshold: once is too often. `own_pus`
/// says whether every worker has a PU of its own.
///
/// A share of others that is counted in coarse steps must be above its threshold by a step, because in a short sample a
/// single step is above it; or the trial's threads must have waited for as long, which is counted in nanoseconds. By
/// itself their waiting says little, because they also wait for each other: a main thread for the worker on its PU,
/// workers that share one. Steal counts from its first step, because it is rare and a step proves that there was some.
#[must_use]
pub fn disturbances(noise: &Noise, own_pus: bool) -> Vec<Disturbance> {
    let capacity_ns = noise.capacity_ns() as f64;
    let above =
        |part_ns: Option<u64>, share: f64| part_ns.is_some_and(|part| part as f64 > share * capacity_ns);
    let certain_others = noise
        .others_ns
        .map(|others| others.saturating_sub(noise.others_resolution_ns.unwrap_or(0)));
    let confirmed =
        own_pus && above(noise.others_ns, OTHERS_SHARE) && above(noise.run_queue_ns, OTHERS_SHARE);
    let throttled = [noise.quota_throttled_periods, noise.quota_throttled_ns]
        .into_iter()
        .flatten()
        .any(|count| count > 0);
    let memory_limit_ns = MEMORY_PRESSURE_SHARE * noise.interval_ns as f64;
    [
        (Disturbance::Steal, above(noise.steal_ns, STEAL_SHARE)),
        (
            Disturbance::Others,
            confirmed || above(certain_others, OTHERS_SHARE),
        ),
        (Disturbance::QuotaThrottled, throttled),
        (
            Disturbance::ThermalThrottled,
            noise.thermal_throttles.is_some_and(|count| count > 0),
        ),
        (
            Disturbance::MemoryPressure,
            noise
                .memory_pressure_ns
                .is_some_and(|waited| waited as f64 > memory_limit_ns),
        ),
    ]
    .into_iter()
    .filter_map(|(cause, is_above)| is_above.then_some(cause))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn quiet() -> Noise {
        Noise {
            interval_ns: 100 * MS,
            pus: vec![0, 1],
            steal_ns: Some(0),
            others_ns: Some(0),
            run_queue_ns: Some(0),
            ..Noise::default()
        }
    }

    #[test]
    fn nothing_disturbs_a_quiet_sample_or_one_of_which_nothing_is_known() {
        assert!(disturbances(&quiet(), true).is_empty());
        assert!(disturbances(&Noise::default(), true).is_empty());
    }

    #[test]
    fn shares_are_of_all_pus() {
        // 2 % of 2 PUs for 100 ms are 4 ms, 1 % are 2 ms.
        let with = |steal_ns, others_ns| Noise {
            steal_ns: Some(steal_ns),
            others_ns: Some(others_ns),
            ..quiet()
        };
        assert!(disturbances(&with(2 * MS, 4 * MS), true).is_empty());
        assert_eq!(
            disturbances(&with(2 * MS + 1, 4 * MS + 1), true),
            [Disturbance::Steal, Disturbance::Others]
        );
    }

    #[test]
    fn coarse_figures_must_be_above_by_a_step() {
        let coarse = |others_ns| Noise {
            others_ns: Some(others_ns),
            others_resolution_ns: Some(20 * MS),
            ..quiet()
        };
        assert!(disturbances(&coarse(24 * MS), true).is_empty());
        assert_eq!(disturbances(&coarse(25 * MS), true), [Disturbance::Others]);
    }

    #[test]
    fn waiting_confirms_a_coarse_figure_but_is_not_a_cause() {
        let waiting = |others_ns, run_queue_ns| Noise {
            others_ns: Some(others_ns),
            others_resolution_ns: Some(20 * MS),
            run_queue_ns: Some(run_queue_ns),
            ..quiet()
        };
        let confirmed = waiting(5 * MS, 5 * MS);
        assert_eq!(disturbances(&confirmed, true), [Disturbance::Others]);
        assert!(
            disturbances(&confirmed, false).is_empty(),
            "workers that share PUs wait for each other"
        );
        assert!(disturbances(&waiting(3 * MS, 50 * MS), true).is_empty());
        assert!(disturbances(&waiting(5 * MS, 3 * MS), true).is_empty());
    }

    #[test]
    fn throttling_and_memory_pressure_are_causes() {
        let bad = Noise {
            quota_throttled_ns: Some(1),
            thermal_throttles: Some(1),
            memory_pressure_ns: Some(2 * MS),
            io_pressure_ns: Some(90 * MS),
            cpu_pressure_ns: Some(90 * MS),
            ..quiet()
        };
        assert_eq!(
            disturbances(&bad, true),
            [
                Disturbance::QuotaThrottled,
                Disturbance::ThermalThrottled,
                Disturbance::MemoryPressure
            ]
        );
    }
}
