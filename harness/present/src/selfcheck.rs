//! The output of `ftbench selfcheck`.

use ftbench_analyse::selfcheck::{Experiment, Report};
use ftbench_schema::{Cell, units};

/// The line that announces the experiments.
#[must_use]
pub fn opening(cell: &Cell, experiments: u32, seconds: f64, [first, second]: [u64; 2]) -> String {
    let arms = if first == second {
        "two identical arms".to_owned()
    } else {
        format!("one arm does {first} units, the other {second}")
    };
    format!("{experiments} experiments of {seconds} s: {cell}, {arms}")
}

/// One line on an experiment.
#[must_use]
pub fn line(number: u32, experiment: &Experiment) -> String {
    let centre = experiment.ratio.centre;
    format!(
        "{:3}  {:.4} [{:.4}, {:.4}]  {} rounds{}",
        number + 1,
        centre.estimate,
        centre.low,
        centre.high,
        experiment.rounds,
        if experiment.called_different() {
            "  different"
        } else {
            ""
        },
    )
}

/// The results of all experiments.
#[must_use]
pub fn summary(report: &Report) -> String {
    let percent = |share: f64| units::number(share * 100.0, 2);
    let expected = if report.effect == 0.0 {
        "identical arms; at most 5 % should be".to_owned()
    } else {
        format!(
            "a true slowdown of {} %; at least 80 % should be",
            percent(report.effect)
        )
    };
    format!(
        "called different: {} of {} ({expected}): {}\n\
         intervals excluding 1: {} of {}\n\
         median ratio: {}\n\
         median half-width: {} %\n\
         an experiment: {} rounds in {} s (medians)\n",
        report.called_different,
        report.experiments,
        if report.passed { "passed" } else { "not passed" },
        report.intervals_excluding_1,
        report.experiments,
        units::number(report.median_ratio, 4),
        percent(report.median_half_width),
        units::number(report.median_rounds, 0),
        units::number(report.median_experiment_s, 1),
    )
}
