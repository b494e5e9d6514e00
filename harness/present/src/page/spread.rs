//! How samples lie around their cell's median, counted in bins so that a million of them make a small file.

use serde::Serialize;

use ftbench_schema::{CellSamples, units};

/// Bins across the whole axis; one is two or three pixels on a phone.
const BINS: u32 = 96;

/// Values so far out, as shares of all values of a workload, are counted at the ends of the axis instead of making it
/// so long that the rest is a speck.
const OUTLYING_SHARE: f64 = 0.005;

/// The axis is never shorter than this on either side of the median, as a share of it: noise of a part in a thousand
/// should look like what it is.
const SHORTEST: f64 = 0.01;

/// The spread of all cells of a workload, on one axis of deviations from the cell's own median.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// Lower end of the axis, per cent.
    pub low_percent: f64,
    /// Upper end, per cent.
    pub high_percent: f64,
    /// Bins between them.
    pub bins: u32,
    /// One for each cell with samples.
    pub cells: Vec<CellSpread>,
}

/// The samples of one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSpread {
    /// Position of its series in the chart's list.
    pub series: usize,
    /// How many workers.
    pub workers: u32,
    /// How many samples.
    pub samples: usize,
    /// How many of them something disturbed.
    pub disturbed: usize,
    /// The median, in words.
    pub median: String,
    /// The 5th, 25th, 75th and 95th percentile, as per cent from the median.
    pub percentiles: [f64; 4],
    /// Smallest and largest, likewise.
    pub ends: [f64; 2],
    /// Bins that are not empty: number, samples in it, disturbed ones among them.
    pub counts: Vec<[u32; 3]>,
}

/// A cell's samples with what they belong to.
pub struct Named<'a> {
    /// Position of its series in the chart's list.
    pub series: usize,
    /// How many workers.
    pub workers: u32,
    /// Its samples.
    pub samples: &'a CellSamples,
}

/// The spread of these cells; `None` where no cell has samples.
#[must_use]
pub fn of_cells(cells: &[Named<'_>]) -> Option<Spread> {
    let sorted: Vec<(&Named<'_>, Vec<f64>, f64)> = cells
        .iter()
        .filter_map(|named| {
            let mut seconds: Vec<f64> = named
                .samples
                .makespans_ns
                .iter()
                .map(|&nanoseconds| units::seconds(nanoseconds))
                .collect();
            seconds.sort_by(f64::total_cmp);
            let median = quantile(&seconds, 0.5)?;
            (median > 0.0).then_some((named, seconds, median))
        })
        .collect();
    let mut low: f64 = -SHORTEST;
    let mut high: f64 = SHORTEST;
    for (_, seconds, median) in &sorted {
        low = low.min(quantile(seconds, OUTLYING_SHARE)? / median - 1.0);
        high = high.max(quantile(seconds, 1.0 - OUTLYING_SHARE)? / median - 1.0);
    }
    // One wild cell should not squeeze the others: the axis ends where the widest but a few do.
    let high = high.min(upper_end(&sorted).max(SHORTEST));
    let axis = Axis { low, high };
    let cells: Vec<CellSpread> = sorted
        .iter()
        .map(|(named, seconds, median)| of_cell(named, seconds, *median, &axis))
        .collect();
    (!cells.is_empty()).then(|| Spread {
        low_percent: rounded(100.0 * low),
        high_percent: rounded(100.0 * high),
        bins: BINS,
        cells,
    })
}

/// Three times the 90th percentile of the cells' own upper ends.
fn upper_end(sorted: &[(&Named<'_>, Vec<f64>, f64)]) -> f64 {
    let mut ends: Vec<f64> = sorted
        .iter()
        .filter_map(|(_, seconds, median)| Some(quantile(seconds, 1.0 - OUTLYING_SHARE)? / median - 1.0))
        .collect();
    ends.sort_by(f64::total_cmp);
    3.0 * quantile(&ends, 0.9).unwrap_or(SHORTEST)
}

struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// The bin of a deviation; what lies beyond the ends is in the last one there.
    fn bin(&self, deviation: f64) -> u32 {
        let share = (deviation - self.low) / (self.high - self.low);
        // A cast from float saturates, and NaN becomes 0.
        ((share * f64::from(BINS)) as u32).min(BINS - 1)
    }
}

fn of_cell(named: &Named<'_>, sorted: &[f64], median: f64, axis: &Axis) -> CellSpread {
    let deviation = |seconds: f64| seconds / median - 1.0;
    let mut counts: Vec<[u32; 3]> = (0..BINS).map(|bin| [bin, 0, 0]).collect();
    let samples = named.samples;
    for (&nanoseconds, &disturbed) in samples.makespans_ns.iter().zip(&samples.disturbed) {
        let bin = axis.bin(deviation(units::seconds(nanoseconds)));
        if let Some([_, all, of_them]) = counts.get_mut(bin as usize) {
            *all += 1;
            *of_them += u32::from(disturbed);
        }
    }
    counts.retain(|[_, all, _]| *all > 0);
    let per_cent = |share: f64| rounded(100.0 * deviation(quantile(sorted, share).unwrap_or(median)));
    CellSpread {
        series: named.series,
        workers: named.workers,
        samples: sorted.len(),
        disturbed: samples.disturbed.iter().filter(|disturbed| **disturbed).count(),
        median: units::duration(median),
        percentiles: [0.05, 0.25, 0.75, 0.95].map(per_cent),
        ends: [0.0, 1.0].map(per_cent),
        counts,
    }
}

/// The quantile of sorted values, linear between them (R's type 7: R. J. Hyndman, Y. Fan, "Sample quantiles in
/// statistical packages", The American Statistician 50(4), 1996); `None` of nothing.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let low = *sorted.get(below as usize)?;
    let high = *sorted.get((below as usize + 1).min(last))?;
    Some(low + (high - low) * (place - below))
}

/// To a thousandth, which is all that a picture can show.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(makespans_ns: &[u64]) -> CellSamples {
        let mut samples = CellSamples::default();
        for (position, makespan_ns) in makespans_ns.iter().enumerate() {
            samples.add(*makespan_ns, position == 0, None);
        }
        samples
    }

    fn spread(makespans_ns: &[u64]) -> Option<Spread> {
        let samples = samples(makespans_ns);
        of_cells(&[Named {
            series: 0,
            workers: 1,
            samples: &samples,
        }])
    }

    #[test]
    fn quantiles_lie_between_the_values() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 1.0), Some(4.0));
        assert_eq!(quantile(&[7.0], 0.3), Some(7.0));
        assert_eq!(quantile(&[], 0.3), None);
    }

    #[test]
    fn deviations_are_from_the_cells_own_median() {
        let spread = spread(&[110_000_000, 100_000_000, 100_000_000, 90_000_000, 100_000_000]).unwrap();
        let cell = spread.cells.first().unwrap();
        assert_eq!(cell.median, "100 ms");
        assert_eq!(cell.ends, [-10.0, 10.0]);
        assert_eq!((cell.samples, cell.disturbed), (5, 1));
        assert!(
            spread.low_percent < -9.0 && spread.high_percent > 9.0,
            "{spread:?}"
        );
    }

    #[test]
    fn cells_without_time_or_samples_have_no_spread() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[0, 0]), None);
    }

    proptest! {
        #[test]
        fn every_sample_is_in_a_bin(makespans_ns in proptest::collection::vec(1u64..u64::MAX / 2, 1..200)) {
            let spread = spread(&makespans_ns).unwrap();
            let cell = spread.cells.first().unwrap();
            let counted: u32 = cell.counts.iter().map(|[_, all, _]| all).sum();
            prop_assert_eq!(counted as usize, makespans_ns.len());
            prop_assert!(spread.low_percent < spread.high_percent);
        }
    }
}
