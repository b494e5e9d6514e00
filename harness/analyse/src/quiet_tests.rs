#![allow(clippy::unwrap_used)]

use super::*;
use crate::cost;
use ftbench_fixtures::records::{cell, trial};
use ftbench_schema::{Cost, Model};

const MS: u64 = 1_000_000;

/// Trials of a cell with two workers, with a makespan of 100 ms and 10 ms around it. `change` is called for every
/// counted sample.
fn trials(change: impl Fn(u32, u32, &mut Noise, &mut Cost)) -> Vec<Trial> {
    let two = cell("3.13t", Model::Threads, 2);
    let mut trials: Vec<Trial> = (0..5).map(|round| trial(&two, round, 100)).collect();
    for trial in &mut trials {
        for sample in &mut trial.samples {
            sample.end_ns = sample.start_ns + 100 * MS;
            let mut noise = Noise {
                interval_ns: 110 * MS,
                pus: vec![0, 1],
                steal_ns: Some(0),
                others_ns: Some(0),
                ..Noise::default()
            };
            let mut cost = Cost {
                cpu_time_ns: Some(210 * MS),
                ..Cost::default()
            };
            if sample.warmup {
                noise.disturbed_by = vec![Disturbance::Steal];
            } else {
                change(trial.round, sample.sample, &mut noise, &mut cost);
            }
            sample.noise = Some(noise);
            sample.cost = Some(cost);
        }
    }
    trials
}

fn references(trials: &[Trial]) -> Vec<&Trial> {
    trials.iter().collect()
}

#[test]
fn warm_ups_are_excluded_and_shares_refer_to_all_counted_time() {
    let trials = trials(|round, sample, noise, _| {
        // 22 ms of the 15 x 220 ms of the PUs.
        if round == 0 && sample == 1 {
            noise.steal_ns = Some(11 * MS);
            noise.others_ns = Some(11 * MS);
            noise.disturbed_by = vec![Disturbance::Steal, Disturbance::Others];
        }
    });
    let references = references(&trials);
    let quiet = of_run([references.as_slice()].into_iter()).unwrap();
    assert_eq!((quiet.samples, quiet.disturbed), (15, 1));
    assert_eq!(
        quiet.by,
        BTreeMap::from([(Disturbance::Steal, 1), (Disturbance::Others, 1)])
    );
    assert!((quiet.steal.unwrap() - 1.0 / 300.0).abs() < 1e-12);
    assert_eq!(quiet.run_queue, None);
    assert_eq!(finding(&quiet), None);
}

#[test]
fn many_disturbed_samples_cause_a_warning() {
    let quiet = Quietness {
        samples: 300,
        disturbed: 31,
        by: BTreeMap::from([(Disturbance::Steal, 4), (Disturbance::Others, 30)]),
        steal: None,
        others: None,
        run_queue: None,
    };
    insta::assert_snapshot!(finding(&quiet).unwrap().message, @"31 of 300 samples were disturbed (other processes 30, steal 4); estimates use all of them, so their intervals are wider; stop other programs on this machine, or measure more rounds");
    assert_eq!(
        finding(&Quietness {
            disturbed: 30,
            ..quiet
        }),
        None
    );
}

#[test]
fn sample_below_the_cells_usual_frequency_is_disturbed() {
    let trials = trials(|round, sample, noise, _| {
        let slow = round == 2 && sample == 3;
        noise.frequency_hz = Some(if slow { 2_700_000_000 } else { 3_000_000_000 });
    });
    let references = references(&trials);
    let quiet = of_run([references.as_slice()].into_iter()).unwrap();
    assert_eq!(quiet.by, BTreeMap::from([(Disturbance::Frequency, 1)]));
}

#[test]
fn trials_without_recorded_noise_have_no_figures() {
    let mut trials = trials(|_, _, _, _| {});
    for sample in trials.iter_mut().flat_map(|trial| &mut trial.samples) {
        sample.noise = None;
        sample.cost = None;
    }
    let references = references(&trials);
    assert_eq!(of_run([references.as_slice()].into_iter()), None);
    assert_eq!(cost::of_cell(2, &references), ftbench_schema::CellCost::default());
}

#[test]
fn utilisation_is_relative_to_the_time_available_to_workers() {
    let trials = trials(|_, sample, _, cost| {
        cost.minor_faults = (sample != 2).then_some(7);
        cost.involuntary_switches = Some(u64::from(sample));
    });
    let figures = cost::of_cell(2, &references(&trials));
    // 210 ms: two workers for 100 ms, and one thread for 10 ms.
    assert_eq!(figures.cpu_utilisation.unwrap().estimate, 1.0);
    assert_eq!(figures.cpu_time_s.unwrap().estimate, 0.21);
    assert_eq!(figures.involuntary_switches.unwrap().estimate, 2.0);
    assert_eq!(
        figures.minor_faults, None,
        "a trial with a sample without the figure has none"
    );
    assert_eq!(figures.noise.unwrap().estimate, 0.0);
    assert_eq!(
        (figures.watched_samples, figures.disturbed_samples),
        (Some(15), Some(0))
    );
}
