//! The drift of a whole machine from run to run, as the ceiling's native cells saw it.
//!
//! A shared machine is slower one night than the next, by 5 to 10 % here. Native kernels are the same code every night, so
//! their common factor is the machine's: the median over the native cells of each one's time over its own median (a
//! one-way median polish, Tukey, "Exploratory Data Analysis", 1977). Arithmetic and memory do not get slower together, nor
//! do one PU alone and several, which share power and caches and, as hardware threads, cores. So each of the two groups of
//! kernels has factors of its own for each number of PUs, for the cells on as many whose ceiling it is; workloads without a
//! kernel, which wait, stay as they were measured. A group's factors are divided out of a machine's times where that makes
//! the median series clearly quieter; on a quiet machine it would only add the kernels' own noise. A new ftbench may compile
//! its kernels differently, so each of its versions has medians of its own.

use std::collections::{BTreeMap, HashMap};

use super::confirm::FEWEST_NIGHTS;
use super::findings::{MachineDrift, Night, Series, Subject};
use super::noise;
use super::series::logarithm;
use crate::compare::{Load, pus_of_workers};
use crate::sample::median;
use ftbench_schema::history::HistoryRun;
use ftbench_schema::{Kernel, Kernels};

/// Dividing the drift out is worthwhile where the spread becomes less than this share of what it was: over 30 nights less
/// than a tenth is chance.
const WORTHWHILE: f64 = 0.9;

/// Divides the drift out of the series of cells where that helps; tells what was done for each machine, group of
/// kernels and number of PUs.
pub fn divide(series: &mut [Series], native: &[Series], runs: &[HistoryRun]) -> Vec<MachineDrift> {
    let group_of = |one: &Series| Some((one.machine, load(one, runs)?));
    let mut saw: BTreeMap<(usize, Load), Vec<&Series>> = BTreeMap::new();
    for one in native {
        if let Some(group) = group_of(one) {
            saw.entry(group).or_default().push(one);
        }
    }
    let mut own: BTreeMap<(usize, Load), Vec<&mut Series>> = BTreeMap::new();
    for one in series {
        if let Some(group) = group_of(one) {
            own.entry(group).or_default().push(one);
        }
    }
    let told = own.into_iter().filter_map(|(group, mut own)| {
        let saw = saw.get(&group)?;
        let found = divide_group(&mut own, saw, runs)?;
        let (machine, Load { kernels, pus }) = group;
        Some(MachineDrift {
            machine,
            kernels,
            pus,
            native_series: saw.len(),
            spread: found.spread,
            spread_divided: found.spread_divided,
            divided: found.is_quieter(),
        })
    });
    told.collect()
}

/// What a cell's series keeps busy of the machine.
fn load(series: &Series, runs: &[HistoryRun]) -> Option<Load> {
    let Subject::Cell(key) = &series.subject else {
        return None;
    };
    let kernels = Kernels::of(kernel(series, runs)?);
    // The PUs of each cell are not kept over the nights; workers that do not wait have one each.
    let pus = pus_of_workers(key.model, key.workers);
    Some(Load { kernels, pus })
}

/// Robust standard deviation of the median series, as measured and with the drift divided out.
struct Spreads {
    spread: f64,
    spread_divided: f64,
}

impl Spreads {
    fn is_quieter(&self) -> bool {
        self.spread_divided < WORTHWHILE * self.spread
    }
}

/// Divides the drift that native series saw out of other series where that makes them quieter by a tenth; `None` where no
/// series is long enough to tell.
fn divide_group(series: &mut [&mut Series], native: &[&Series], runs: &[HistoryRun]) -> Option<Spreads> {
    let factors = factors(native, runs);
    let spreads: Vec<[f64; 2]> = series
        .iter()
        .filter_map(|series| spreads(&series.nights, &factors))
        .collect();
    if spreads.is_empty() {
        return None;
    }
    let typical = |which: fn(&[f64; 2]) -> f64| {
        let mut values: Vec<f64> = spreads.iter().map(which).collect();
        median(&mut values)
    };
    let found = Spreads {
        spread: typical(|[raw, _]| *raw),
        spread_divided: typical(|[_, divided]| *divided),
    };
    if found.is_quieter() {
        for night in series.iter_mut().flat_map(|series| &mut series.nights) {
            let factor = factors.get(&night.run).copied().unwrap_or(0.0);
            night.adjusted = night.adjusted.map(|value| value / factor.exp());
        }
    }
    Some(found)
}

/// The kernel of a series' workload in its newest run that had one; runs can leave the ceiling out.
fn kernel(series: &Series, runs: &[HistoryRun]) -> Option<Kernel> {
    let mut nights = series.nights.iter().rev();
    nights.find_map(|night| kernel_at(series, night, runs))
}

fn kernel_at(series: &Series, night: &Night, runs: &[HistoryRun]) -> Option<Kernel> {
    let Subject::Cell(key) = &series.subject else {
        return None;
    };
    runs.get(night.run)?.workloads.get(&key.workload)?.kernel
}

/// What a kernel's machine code comes from: the version of ftbench, and which kernel it is.
type Code<'r> = (&'r str, Option<Kernel>);

/// Logarithm of each run's common factor.
fn factors(native: &[&Series], runs: &[HistoryRun]) -> HashMap<usize, f64> {
    let mut by_run: HashMap<usize, Vec<f64>> = HashMap::new();
    for series in native {
        let mut by_code: HashMap<Code<'_>, Vec<(usize, f64)>> = HashMap::new();
        for night in &series.nights {
            if let (Some(value), Some(run)) = (logarithm(night), runs.get(night.run)) {
                by_code
                    .entry((&run.ftbench_version, kernel_at(series, night, runs)))
                    .or_default()
                    .push((night.run, value));
            }
        }
        for nights in by_code.into_values() {
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
    (raw.len() >= 2 * FEWEST_NIGHTS).then(|| [noise::spread(&raw), noise::spread(&divided)])
}
