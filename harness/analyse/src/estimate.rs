//! Estimates from the trials of a cell, and ratios between cells. The round is the independent unit: the samples of one
//! trial share a process and its memory layout, so they are first condensed into one value.

use std::collections::BTreeMap;

use super::bootstrap::median_interval;
use super::location::{Location, location};
use super::sample::{Sample, mean, median};
use ftbench_schema::{Estimate, Sample as RecordedSample, Trial, TrialStatus, units};

/// Two samples of a trial count as equally fast if they differ by at most this share of the faster one.
const EQUALLY_FAST_WITHIN: f64 = 0.02;

/// Minimum number of rounds in which both trials have undisturbed samples.
const MIN_UNDISTURBED_ROUNDS: usize = 5;

/// Maximum half-width of an undisturbed ratio's interval, as a share of the estimate.
const MAX_UNDISTURBED_HALF_WIDTH: f64 = 0.05;

/// One value for each round.
pub type ByRound = BTreeMap<u32, f64>;

/// Returns, for every successful trial, the median of `value` over its counted samples.
pub fn trial_values(trials: &[&Trial], value: impl Fn(&RecordedSample) -> f64) -> ByRound {
    usable(trials)
        .filter_map(|trial| {
            let mut values: Vec<f64> = trial.counted_samples().map(&value).collect();
            (!values.is_empty()).then(|| (trial.round, median(&mut values)))
        })
        .collect()
}

/// Returns `value` of every successful trial.
pub fn once_per_trial(trials: &[&Trial], value: impl Fn(&Trial) -> Option<f64>) -> ByRound {
    usable(trials)
        .filter_map(|trial| Some((trial.round, value(trial)?)))
        .collect()
}

fn usable<'t>(trials: &[&'t Trial]) -> impl Iterator<Item = &'t Trial> {
    trials
        .iter()
        .copied()
        .filter(|trial| trial.status == TrialStatus::Ok)
}

/// Returns the median over rounds with its interval; `None` with too few rounds.
#[must_use]
pub fn over_rounds(values: &ByRound) -> Option<Estimate> {
    median_interval(&Sample::new(values.values().copied().collect())?)
}

/// The makespans of a cell's successful trials, from which its ratios to other cells are computed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Makespans(BTreeMap<u32, InRound>);

/// The makespans of one trial.
#[derive(Debug, Clone, PartialEq)]
struct InRound {
    /// The trial value, seconds.
    value_s: f64,
    /// The fastest sample, seconds, if the next one is equally fast and it is therefore undisturbed.
    undisturbed_s: Option<f64>,
    /// The group of trials that it took turns with.
    group: Option<u64>,
    /// The samples taken in sweeps, in the order of sweeps.
    in_turn: Vec<InSweep>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct InSweep {
    sweep: u32,
    window: u32,
    makespan_s: f64,
}

impl InRound {
    /// Takes the makespans of a successful trial; `None` without a counted sample.
    fn of(trial: &Trial) -> Option<Self> {
        let seconds = |sample: &RecordedSample| units::seconds(sample.makespan_ns());
        let samples: Vec<&RecordedSample> = trial.counted_samples().collect();
        let is_together =
            |a: &&RecordedSample, b: &&RecordedSample| a.window.is_some() && a.window == b.window;
        let windows = samples.chunk_by(is_together);
        let mut values_s: Vec<f64> = windows
            .map(|window| mean(&window.iter().map(|sample| seconds(sample)).collect::<Vec<_>>()))
            .collect();
        let in_turn = samples.iter().filter_map(|sample| {
            Some(InSweep {
                sweep: sample.turn?.sweep,
                window: sample.window.unwrap_or(sample.turn?.sweep),
                makespan_s: seconds(sample),
            })
        });
        (!values_s.is_empty()).then(|| Self {
            in_turn: in_turn.collect(),
            value_s: median(&mut values_s),
            undisturbed_s: undisturbed(samples.iter().map(|sample| seconds(sample)).collect()),
            group: trial.group,
        })
    }

    fn in_sweep(&self, sweep: u32) -> Option<f64> {
        let found = self.in_turn.binary_search_by_key(&sweep, |sample| sample.sweep);
        Some(self.in_turn.get(found.ok()?)?.makespan_s)
    }
}

impl Makespans {
    /// Collects the makespans of a cell's successful trials.
    #[must_use]
    pub fn of(trials: &[&Trial]) -> Self {
        let of_trials = usable(trials).filter_map(|trial| Some((trial.round, InRound::of(trial)?)));
        Self(of_trials.collect())
    }

    /// Adds another trial of the cell.
    pub fn add(&mut self, trial: &Trial) {
        self.0.extend(Self::of(&[trial]).0);
    }

    /// Returns the trial values, seconds.
    #[must_use]
    pub fn by_round(&self) -> ByRound {
        let values = self.0.iter();
        values.map(|(&round, trial)| (round, trial.value_s)).collect()
    }

    /// Returns the number of rounds with a trial.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(u32, f64)> for Makespans {
    /// Creates makespans from trial values, seconds, of trials that did not take turns.
    fn from_iter<I: IntoIterator<Item = (u32, f64)>>(values: I) -> Self {
        let in_round = |value_s| InRound {
            value_s,
            undisturbed_s: None,
            group: None,
            in_turn: Vec::new(),
        };
        let values = values.into_iter();
        Self(values.map(|(round, value)| (round, in_round(value))).collect())
    }
}

/// Returns the logarithm of the first product of times divided by the second, for every round that has all of them.
///
/// If all trials of a round took turns, this is the median over windows of sweeps, each computed from the times of
/// these sweeps alone. They are milliseconds apart, so disturbances of the machine affect all of them. Otherwise it is
/// computed from the trial values. The samples of a window are added up before they are compared, so that rare events,
/// such as garbage collections, count in proportion to their time.
#[must_use]
pub fn log_contrast(over: &[&Makespans], under: &[&Makespans]) -> ByRound {
    let rounds = over.first().into_iter().flat_map(|first| first.0.keys());
    let log = |round: u32| {
        let (over, under) = (in_round(over, round)?, in_round(under, round)?);
        in_turn(&over, &under).or_else(|| log_quotient(&over, &under, |trial| Some(trial.value_s)))
    };
    rounds.filter_map(|&round| Some((round, log(round)?))).collect()
}

fn in_round<'m>(cells: &[&'m Makespans], round: u32) -> Option<Vec<&'m InRound>> {
    cells.iter().map(|makespans| makespans.0.get(&round)).collect()
}

/// Returns the median over windows, each with the samples of the sweeps that all of these trials have; `None` for
/// trials that did not take turns with each other.
fn in_turn(over: &[&InRound], under: &[&InRound]) -> Option<f64> {
    let first = over.first()?;
    first.group?;
    let all = || over.iter().chain(under);
    if all().any(|trial| trial.group != first.group) {
        return None;
    }
    let is_common = |sample: &&InSweep| all().all(|trial| trial.in_sweep(sample.sweep).is_some());
    let common: Vec<&InSweep> = first.in_turn.iter().filter(is_common).collect();
    let log = |window: &[&InSweep]| {
        log_quotient(over, under, |trial| {
            window.iter().map(|sample| trial.in_sweep(sample.sweep)).sum()
        })
    };
    let windows = common.chunk_by(|a, b| a.window == b.window);
    let mut logs: Vec<f64> = windows.filter_map(log).collect();
    (!logs.is_empty()).then(|| median(&mut logs))
}

/// Returns the logarithm of the quotient of two products. Each product is added up separately, so that equal sides give
/// exactly 0.
fn log_quotient(
    over: &[&InRound],
    under: &[&InRound],
    value: impl Fn(&InRound) -> Option<f64>,
) -> Option<f64> {
    let logs =
        |trials: &[&InRound]| -> Option<f64> { trials.iter().map(|trial| Some(value(trial)?.ln())).sum() };
    Some(logs(over)? - logs(under)?)
}

/// Returns the fastest of these times if the next one is at most [`EQUALLY_FAST_WITHIN`] slower.
fn undisturbed(mut times_s: Vec<f64>) -> Option<f64> {
    times_s.sort_by(f64::total_cmp);
    let (fastest_s, next_s) = (times_s.first()?, times_s.get(1)?);
    (*next_s <= fastest_s * (1.0 + EQUALLY_FAST_WITHIN)).then_some(*fastest_s)
}

/// Returns the ratio a/b of undisturbed samples: exp of the centre over rounds of log(a/b), with the fastest sample of
/// each round.
///
/// `None` with fewer than five rounds in which the two fastest samples of both are equally fast, or with an interval of
/// more than 5 % on either side: in that case whole rounds are disturbed and cannot be distinguished from the others.
/// `docs/decisions.md` has the simulation behind the rule.
#[must_use]
pub fn undisturbed_ratio(a: &Makespans, b: &Makespans) -> Option<Estimate> {
    let log = |round: &u32| {
        let [a, b] = [a, b].map(|makespans| makespans.0.get(round)?.undisturbed_s);
        Some((*round, a?.ln() - b?.ln()))
    };
    let logs: ByRound = a.0.keys().filter_map(log).collect();
    let is_enough = logs.len() >= MIN_UNDISTURBED_ROUNDS;
    let found = centre_of(logs).filter(|_| is_enough)?.centre;
    (half_width(found) <= MAX_UNDISTURBED_HALF_WIDTH).then_some(found)
}

/// Returns the ratio a/b, paired by sweep and round: exp of the centre over rounds of log(a/b) with its interval, and
/// the p value of no difference; `None` with too few rounds in common.
#[must_use]
pub fn paired_ratio(a: &Makespans, b: &Makespans) -> Option<Location> {
    centre_of(log_contrast(&[a], &[b]))
}

/// Returns the ratio whose logarithms these are: exp of their centre over rounds; `None` with too few rounds.
#[must_use]
pub fn centre_of(logs: ByRound) -> Option<Location> {
    let Location { centre, p_value } = location(&Sample::new(logs.into_values().collect())?)?;
    Some(Location {
        centre: map(centre, f64::exp),
        p_value,
    })
}

/// Returns exp of the centre over rounds of the mean over several ratios, given as logarithms. Uses only rounds that
/// all of them have, because the means of other rounds would not be comparable.
#[must_use]
pub fn geometric_mean(log_ratios: &[ByRound]) -> Option<Estimate> {
    let means = log_ratios.first()?.keys().filter_map(|round| {
        let of_round: Option<Vec<f64>> = log_ratios.iter().map(|logs| logs.get(round).copied()).collect();
        Some((*round, mean(&of_round?)))
    });
    centre_of(means.collect()).map(|found| found.centre)
}

/// Returns half the width of an interval as a share of its estimate.
#[must_use]
pub fn half_width(interval: Estimate) -> f64 {
    (interval.high - interval.low) / 2.0 / interval.estimate.abs()
}

/// Applies an increasing function to a value and its interval.
#[must_use]
pub fn map(estimate: Estimate, function: impl Fn(f64) -> f64) -> Estimate {
    Estimate {
        estimate: function(estimate.estimate),
        low: function(estimate.low),
        high: function(estimate.high),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use ftbench_fixtures::records::{cell, trial};
    use ftbench_schema::{Model, Turn};

    /// The ratio a/b in every round that both have.
    fn ratios(a: &Makespans, b: &Makespans) -> ByRound {
        let logs = log_contrast(&[a], &[b]);
        logs.into_iter().map(|(round, log)| (round, log.exp())).collect()
    }

    fn by_round(values: &[f64]) -> Makespans {
        (0..).zip(values.iter().copied()).collect()
    }

    /// The makespans of a trial in round 0 that took turns in this group, given in milliseconds for each sweep.
    fn in_turns(group: u64, by_sweep_ms: &[(u32, u64)]) -> Makespans {
        let cell = cell("3.13t", Model::Threads, 1);
        let mut trial = trial(&cell, 0, 0);
        let like = trial.samples.pop().unwrap();
        let sample = |&(sweep, makespan_ms): &(u32, u64)| RecordedSample {
            turn: Some(Turn { sweep, position: 0 }),
            warmup: false,
            end_ns: like.start_ns + makespan_ms * 1_000_000,
            ..like.clone()
        };
        trial.samples = by_sweep_ms.iter().map(sample).collect();
        trial.group = Some(group);
        Makespans::of(&[&trial])
    }

    #[test]
    fn sweeps_are_paired_before_the_round_is_condensed() {
        // The machine is ten times slower in sweeps 1 and 2, of which b lacks one and a the other.
        let a = in_turns(7, &[(0, 10), (1, 100), (3, 12), (4, 11)]);
        let b = in_turns(7, &[(0, 20), (2, 200), (3, 24), (4, 22)]);
        let ratio = ratios(&b, &a)[&0];
        assert!((ratio - 2.0).abs() < 1e-12, "{ratio}");
        // Sweeps of different groups cannot be paired, so the trial values are used: 22 and 11.5.
        let apart = ratios(&in_turns(8, &[(0, 20), (2, 200), (3, 24), (4, 22)]), &a)[&0];
        assert!((apart - 23.0 / 11.5).abs() < 1e-12, "{apart}");
        let never = ratios(&in_turns(7, &[(5, 20)]), &a)[&0];
        assert!((never - 20.0 / 11.5).abs() < 1e-12, "{never}");
    }

    #[test]
    fn rare_slow_samples_count_in_proportion_to_their_time() {
        let in_windows = |by_sweep_ms: &[(u32, u64)]| {
            let mut makespans = in_turns(7, by_sweep_ms);
            let trial = makespans.0.get_mut(&0).unwrap();
            for sample in &mut trial.in_turn {
                sample.window = sample.sweep / 4;
            }
            makespans
        };
        // One sample in four takes five times as long.
        let a: Vec<(u32, u64)> = (0..12).map(|sweep| (sweep, 10)).collect();
        let b: Vec<(u32, u64)> = (0..12)
            .map(|sweep| (sweep, if sweep % 4 == 2 { 50 } else { 10 }))
            .collect();
        let ratio = ratios(&in_windows(&b), &in_windows(&a))[&0];
        assert!((ratio - 2.0).abs() < 1e-12, "{ratio}");
        let alone = ratios(&in_turns(7, &b), &in_turns(7, &a))[&0];
        assert!((alone - 1.0).abs() < 1e-12, "{alone}");
    }

    #[test]
    fn ceiling_fraction_is_paired_by_sweep() {
        let one = in_turns(7, &[(0, 10), (1, 30)]);
        let two = in_turns(7, &[(0, 6), (1, 18)]);
        let native = [in_turns(7, &[(0, 8), (1, 24)]), in_turns(7, &[(0, 4), (1, 12)])];
        let logs = log_contrast(&[&one, &native[1]], &[&two, &native[0]]);
        assert!((logs[&0].exp() - 10.0 / 6.0 / 2.0).abs() < 1e-12, "{logs:?}");
    }

    #[test]
    fn undisturbed_ratio_ignores_disturbances_of_most_samples() {
        let over_rounds = |by_sweep_ms: &[&[(u32, u64)]]| {
            let rounds = (0..).zip(by_sweep_ms);
            let of_round = |(round, sweeps): (u32, &&[(u32, u64)])| {
                let trial = in_turns(7, sweeps).0.into_values().next()?;
                Some((round, trial))
            };
            Makespans(rounds.filter_map(of_round).collect())
        };
        let one: [&[(u32, u64)]; 5] = [&[(0, 200), (1, 201), (2, 230)]; 5];
        // A neighbour slows down most samples with two workers.
        let two: [&[(u32, u64)]; 5] = [&[(0, 100), (1, 160), (2, 101), (3, 170), (4, 165)]; 5];
        let found = undisturbed_ratio(&over_rounds(&one), &over_rounds(&two)).unwrap();
        assert!((found.estimate - 2.0).abs() < 1e-12, "{found:?}");
        // A single fast sample may be an error, and four rounds are too few.
        let single: [&[(u32, u64)]; 5] = [&[(0, 100), (1, 160), (2, 161)]; 5];
        assert_eq!(undisturbed_ratio(&over_rounds(&one), &over_rounds(&single)), None);
        assert_eq!(
            undisturbed_ratio(&over_rounds(&one), &over_rounds(&two[..4])),
            None
        );
        // In some rounds the neighbour is always busy.
        let busy: &[(u32, u64)] = &[(0, 160), (1, 161), (2, 162)];
        let two = [two[0], busy, two[0], busy, two[0]];
        assert_eq!(undisturbed_ratio(&over_rounds(&one), &over_rounds(&two)), None);
    }

    /// Simulates ten rounds of eight samples with the same undisturbed time on this many PUs. A sample takes as long as
    /// its slowest PU. Each PU is disturbed with this probability, and then takes 1.4 times as long on average.
    fn disturbed_run(random: &mut ChaCha8Rng, pus: u32, probability: f64) -> Makespans {
        let normal = Normal::standard();
        let mut uniform = || (f64::from(random.next_u32()) + 0.5) / f64::from(u32::MAX);
        let rounds = (0..10).map(|round| {
            let process = 0.005 * normal.inverse_cdf(uniform().min(1.0 - 1e-12));
            let sample = |_| {
                let of_pu = |_| {
                    let noise = 0.003 * normal.inverse_cdf(uniform().min(1.0 - 1e-12));
                    let is_disturbed = uniform() < probability;
                    noise + if is_disturbed { -0.33 * uniform().ln() } else { 0.0 }
                };
                (process + (0..pus).map(of_pu).fold(f64::MIN, f64::max)).exp()
            };
            let times_s: Vec<f64> = (0..8).map(sample).collect();
            let in_round = InRound {
                value_s: 1.0,
                undisturbed_s: undisturbed(times_s),
                group: None,
                in_turn: Vec::new(),
            };
            (round, in_round)
        });
        Makespans(rounds.collect())
    }

    #[test]
    fn undisturbed_ratios_that_are_shown_cover_the_true_value() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (pus, probability, min_shown) in [
            (2, 0.0, 300),
            (2, 0.2, 295),
            (8, 0.1, 280),
            (16, 0.05, 280),
            (16, 0.1, 100),
        ] {
            let found: Vec<Estimate> = (0..300)
                .filter_map(|_| {
                    let one = disturbed_run(&mut random, 1, probability);
                    undisturbed_ratio(&one, &disturbed_run(&mut random, pus, probability))
                })
                .collect();
            // The slowest of many PUs is slower than a single one by chance alone, here by up to 1 %.
            let holds = |ratio: &&Estimate| ratio.low < 1.01 && ratio.high > 0.99;
            let share = found.iter().filter(holds).count() as f64 / found.len() as f64;
            assert!(
                share >= 0.95,
                "{pus} PUs, {probability}: {share:.3} of {}",
                found.len()
            );
            assert!(
                found.len() >= min_shown,
                "{pus} PUs, {probability}: {} shown",
                found.len()
            );
        }
    }

    #[test]
    fn drift_cancels_in_a_paired_ratio() {
        // The machine becomes three times slower; b is always twice as fast as a.
        let a = by_round(&[2.0, 2.6, 3.0, 4.0, 6.0]);
        let b = by_round(&[1.0, 1.3, 1.5, 2.0, 3.0]);
        let ratio = paired_ratio(&a, &b).unwrap().centre;
        assert!(
            (ratio.estimate - 2.0).abs() < 1e-12 && ratio.high - ratio.low < 1e-9,
            "{ratio:?}"
        );
    }

    #[test]
    fn ratio_uses_only_rounds_in_common() {
        let a = Makespans::from_iter([(0, 1.0), (1, 8.0), (2, 8.0), (3, 8.0)]);
        let b = Makespans::from_iter([(1, 4.0), (2, 4.0), (3, 4.0), (4, 100.0)]);
        assert!((paired_ratio(&a, &b).unwrap().centre.estimate - 2.0).abs() < 1e-12);
        assert_eq!(paired_ratio(&a, &by_round(&[1.0, 1.0])), None);
    }

    proptest! {
        #[test]
        fn swapping_the_cells_gives_the_reciprocal(pairs in prop::collection::vec((0.1_f64..10.0, 0.1_f64..10.0), 5..24)) {
            let a = by_round(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
            let b = by_round(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
            let there = paired_ratio(&a, &b).unwrap();
            let back = paired_ratio(&b, &a).unwrap();
            prop_assert!((there.centre.estimate * back.centre.estimate - 1.0).abs() < 1e-9);
            prop_assert!((there.centre.low * back.centre.high - 1.0).abs() < 1e-9);
            prop_assert!((there.p_value - back.p_value).abs() < 1e-9);
        }
    }
}
