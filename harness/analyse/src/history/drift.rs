//! The drift of a whole machine from run to run, measured by the ceiling's native cells.
//!
//! The speed of a shared machine varies between nights, here by 5 to 10 %. Native kernels are the same code every
//! night, so their common factor is the machine's: the median over the native cells of each one's time divided by its
//! own median (a one-way median polish, Tukey, "Exploratory Data Analysis", 1977). Arithmetic and memory do not slow
//! down together, and neither do one PU alone and several, which share power and caches and, as hardware threads,
//! cores. Therefore each of the two groups of kernels has separate factors for each number of PUs, which apply to the
//! cells on as many PUs with such a ceiling. Workloads without a kernel, which wait, are left as measured. A group's
//! factors are divided out of a machine's times if that makes the median series clearly less noisy; on a quiet machine
//! it would only add the noise of the kernels. A new version of ftbench may compile its kernels differently, so each
//! version has its own medians.

use std::collections::{BTreeMap, HashMap};

use super::confirm::MIN_NIGHTS;
use super::findings::{MachineDrift, Night, Series, Subject};
use super::noise;
use super::series::logarithm;
use crate::compare::{Load, pus_of_workers};
use crate::sample::median;
use ftbench_schema::history::HistoryRun;
use ftbench_schema::{Kernel, KernelGroup};

/// The drift is divided out if the spread becomes less than this share of the original. Over 30 nights, a reduction by
/// less than a tenth may be chance.
const MAX_REMAINING_SPREAD: f64 = 0.9;

/// Divides the drift out of the series of cells if that reduces their noise, and returns what was done for each
/// machine, group of kernels and number of PUs.
pub fn divide(series: &mut [Series], native: &[Series], runs: &[HistoryRun]) -> Vec<MachineDrift> {
    let group_of = |one: &Series| Some((one.machine, load(one, runs)?));
    let mut native_by_group: BTreeMap<(usize, Load), Vec<&Series>> = BTreeMap::new();
    for one in native {
        if let Some(group) = group_of(one) {
            native_by_group.entry(group).or_default().push(one);
        }
    }
    let mut own: BTreeMap<(usize, Load), Vec<&mut Series>> = BTreeMap::new();
    for one in series {
        if let Some(group) = group_of(one) {
            own.entry(group).or_default().push(one);
        }
    }
    let drifts = own.into_iter().filter_map(|(group, mut own)| {
        let native = native_by_group.get(&group)?;
        let spreads = divide_group(&mut own, native, runs)?;
        let (machine, Load { kernels, pus }) = group;
        Some(MachineDrift {
            machine,
            kernels,
            pus,
            native_series: native.len(),
            spread: spreads.spread,
            spread_divided: spreads.spread_divided,
            divided: spreads.is_quieter(),
        })
    });
    drifts.collect()
}

/// Returns the load that a cell's series puts on the machine.
fn load(series: &Series, runs: &[HistoryRun]) -> Option<Load> {
    let Subject::Cell(key) = &series.subject else {
        return None;
    };
    let kernels = KernelGroup::of(kernel(series, runs)?);
    // The PUs of each cell are not part of the history. Workers that do not wait have one each.
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
        self.spread_divided < MAX_REMAINING_SPREAD * self.spread
    }
}

/// Divides the drift measured by native series out of other series if that makes them quieter by a tenth; `None` if no
/// series is long enough.
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

/// Returns the kernel of a series' workload in the newest run that has one. Runs can leave out the ceiling.
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

/// The identity of a kernel's machine code: the version of ftbench and the kernel.
type Code<'r> = (&'r str, Option<Kernel>);

/// Returns the logarithm of each run's common factor.
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

/// Returns the spread of a series around its median, as measured and with the factors divided out; `None` for a short
/// series.
fn spreads(nights: &[Night], factors: &HashMap<usize, f64>) -> Option<[f64; 2]> {
    let raw: Vec<f64> = nights.iter().filter_map(logarithm).collect();
    let divided: Vec<f64> = nights
        .iter()
        .filter_map(|night| Some(logarithm(night)? - factors.get(&night.run).copied().unwrap_or(0.0)))
        .collect();
    (raw.len() >= 2 * MIN_NIGHTS).then(|| [noise::spread(&raw), noise::spread(&divided)])
}
