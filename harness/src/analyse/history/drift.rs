//! The drift of a whole machine from run to run, as the ceiling's native cells saw it.
//!
//! A shared machine is slower one night than the next, by 5 to 10 % here, for all that runs on it. Native kernels are the
//! same code every night, so their common factor is the machine's: the median over the native cells of each one's
//! time over its own median (a one-way median polish, Tukey, "Exploratory Data Analysis", 1977). It is divided out of a
//! machine's times where that makes the median series quieter; on a quiet machine it would only add the kernels' own
//! noise. A new ftbench may compile its kernels differently, so each of its versions has medians of its own.

use std::collections::HashMap;

use super::series::logarithm;
use super::{MachineDrift, Night, Series, noise};
use crate::analyse::sample::median;
use crate::record::schema::history::HistoryRun;

/// With fewer native series than this their own noise is not told from the machine's.
const FEWEST_NATIVE: usize = 1;

/// Divides the drift out of the series of cells where that helps; tells what was done for each machine.
pub fn divide(
    series: &mut [Series],
    native: &[Series],
    runs: &[HistoryRun],
    machines: usize,
) -> Vec<MachineDrift> {
    let mut told = Vec::new();
    for machine in 0..machines {
        let of_machine: Vec<&Series> = native.iter().filter(|native| native.machine == machine).collect();
        if of_machine.len() < FEWEST_NATIVE {
            continue;
        }
        let factors = factors(&of_machine, runs);
        let own = |series: &&mut Series| series.machine == machine;
        let spreads: Vec<[f64; 2]> = series
            .iter_mut()
            .filter(own)
            .filter_map(|series| spreads(&series.nights, &factors))
            .collect();
        let typical = |which: fn(&[f64; 2]) -> f64| {
            let mut values: Vec<f64> = spreads.iter().map(which).collect();
            if values.is_empty() {
                0.0
            } else {
                median(&mut values)
            }
        };
        let (spread, spread_divided) = (typical(|[raw, _]| *raw), typical(|[_, divided]| *divided));
        let divided = spread_divided < spread;
        if divided {
            for series in series.iter_mut().filter(own) {
                for night in &mut series.nights {
                    let factor = factors.get(&night.run).copied().unwrap_or(0.0);
                    night.adjusted = night.adjusted.map(|value| value / factor.exp());
                }
            }
        }
        told.push(MachineDrift {
            machine,
            native_series: of_machine.len(),
            spread,
            spread_divided,
            divided,
        });
    }
    told
}

/// Logarithm of each run's common factor.
fn factors(native: &[&Series], runs: &[HistoryRun]) -> HashMap<usize, f64> {
    let mut by_run: HashMap<usize, Vec<f64>> = HashMap::new();
    for series in native {
        let mut by_version: HashMap<&str, Vec<(usize, f64)>> = HashMap::new();
        for night in &series.nights {
            if let (Some(value), Some(run)) = (logarithm(night), runs.get(night.run)) {
                by_version
                    .entry(&run.ftbench_version)
                    .or_default()
                    .push((night.run, value));
            }
        }
        for nights in by_version.into_values() {
            let mut values: Vec<f64> = nights.iter().map(|(_, value)| *value).collect();
            let centre = median(&mut values);
            for (run, value) in nights {
                by_run.entry(run).or_default().push(value - centre);
            }
        }
    }
    by_run
        .into_iter()
        .map(|(run, mut values)| (run, median(&mut values)))
        .collect()
}

/// How far a series lies about its median, as measured and with the factors divided out; `None` for a short one.
fn spreads(nights: &[Night], factors: &HashMap<usize, f64>) -> Option<[f64; 2]> {
    let raw: Vec<f64> = nights.iter().filter_map(logarithm).collect();
    let divided: Vec<f64> = nights
        .iter()
        .filter_map(|night| Some(logarithm(night)? - factors.get(&night.run).copied().unwrap_or(0.0)))
        .collect();
    (raw.len() >= 2 * super::FEWEST_NIGHTS).then(|| [noise::spread(&raw), noise::spread(&divided)])
}
