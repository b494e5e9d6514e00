//! How samples lie around their cell's median, counted in bins so that a million of them make a small page.

use crate::chart::{
    Axis, Bin, Body, Chart, Counts, Look, Mark, ReferenceKind, Row, Rows, Samples, Size, VerticalReference,
    ranged_axis,
};
use ftbench_schema::{CellSamples, Model, units};

/// Bins across the whole axis; one is two or three pixels on a phone.
const BINS: u32 = 96;

/// Values so far out, as shares of all values of a workload, are counted at the ends of the axis instead of making it
/// so long that the rest is a speck.
const OUTLYING_SHARE: f64 = 0.005;

/// The axis is never shorter than this on either side of the median, as a share of it: noise of a part in a thousand
/// should look like what it is.
const SHORTEST: f64 = 0.01;

/// Width of the picture, and height of a row and of what stands below the rows, pixels.
const WIDTH: u32 = 960;
const ROW: u32 = 28;
const BELOW: u32 = 70;

/// A cell's samples with what they belong to.
pub struct Named<'a> {
    /// The cell's name.
    pub name: String,
    /// The number of its series.
    pub series: usize,
    /// The model's family.
    pub family: Model,
    /// How strong its colour is, from 0 to 1.
    pub strength: f64,
    /// Its samples.
    pub samples: &'a CellSamples,
}

/// Makes the chart of these cells' samples: a row for each, all on one axis of deviations from the cell's own median, per
/// cent. `None` where no cell has samples.
#[must_use]
pub fn chart(cells: &[Named<'_>]) -> Option<Chart> {
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
    let range = Range { low, high };
    let rows: Vec<Row> = sorted
        .iter()
        .map(|(named, seconds, median)| row(named, seconds, *median, &range))
        .collect();
    let height = ROW * u32::try_from(rows.len()).ok()? + BELOW;
    (!rows.is_empty()).then(|| Chart {
        title: "Spread of the samples".to_owned(),
        size: Size { width: WIDTH, height },
        ..Chart::of(Body::Rows(Rows {
            x: axis(&range),
            origin: 0.0,
            rows,
            uprights: vec![VerticalReference {
                value: 0.0,
                label: String::new(),
                kind: ReferenceKind::Calculated,
            }],
            legend: Vec::new(),
        }))
    })
}

/// The axis of deviations, per cent.
fn axis(range: &Range) -> Axis {
    let title = "Deviation from the cell's median".to_owned();
    let mut axis = ranged_axis(title, 100.0 * range.low, 100.0 * range.high);
    for tick in &mut axis.ticks {
        tick.label = match tick.value {
            middle if middle.abs() < 1e-9 => "median".to_owned(),
            above if above > 0.0 => format!("+{} %", tick.label),
            _ => format!("{} %", tick.label.replacen('-', "−", 1)),
        };
    }
    axis
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

/// The ends of the axis, as shares of the median.
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// Finds the bin of a deviation; what lies beyond the ends is in the last one there.
    fn bin(&self, deviation: f64) -> u32 {
        let share = (deviation - self.low) / (self.high - self.low);
        // A cast from float saturates, and NaN becomes 0.
        ((share * f64::from(BINS)) as u32).min(BINS - 1)
    }

    /// The lower end of a bin, per cent.
    fn start(&self, bin: u32) -> f64 {
        100.0 * (self.low + (self.high - self.low) * f64::from(bin) / f64::from(BINS))
    }
}

fn row(named: &Named<'_>, sorted: &[f64], median: f64, range: &Range) -> Row {
    let deviation = |seconds: f64| seconds / median - 1.0;
    let mut bins: Vec<Bin> = (0..BINS)
        .map(|bin| Bin {
            from: range.start(bin),
            to: range.start(bin + 1),
            samples: 0,
            disturbed: 0,
        })
        .collect();
    let samples = named.samples;
    for (&nanoseconds, &disturbed) in samples.makespans_ns.iter().zip(&samples.disturbed) {
        let bin = range.bin(deviation(units::seconds(nanoseconds)));
        if let Some(bin) = bins.get_mut(bin as usize) {
            bin.samples += 1;
            bin.disturbed += u32::from(disturbed);
        }
    }
    bins.retain(|bin| bin.samples > 0);
    let per_cent = |share: f64| 100.0 * deviation(quantile(sorted, share).unwrap_or(median));
    let middle_half = [0.25, 0.75].map(per_cent);
    let value = format!("{}, n={}", units::duration(median), sorted.len());
    let between = |[from, to]: [f64; 2]| format!("{} to {}", signed(from), signed(to));
    Row {
        title: format!(
            "{}: median {value}, {} disturbed; middle half {}, all {}",
            named.name,
            samples.disturbed.iter().filter(|disturbed| **disturbed).count(),
            between(middle_half),
            between([0.0, 1.0].map(per_cent)),
        ),
        label: named.name.clone(),
        series: Some(named.series),
        marks: vec![Mark {
            value: 0.0,
            low: 0.0,
            high: 0.0,
            label: value,
            samples: Samples::Counts(Counts {
                bins,
                middle_half,
                nine_tenths: [0.05, 0.95].map(per_cent),
            }),
            look: Look {
                family: named.family,
                gil: None,
                strength: named.strength,
            },
        }],
    }
}

/// A deviation: `+1.2 %`.
fn signed(per_cent: f64) -> String {
    let sign = if per_cent < 0.0 { '−' } else { '+' };
    format!("{sign}{} %", units::number(per_cent.abs(), 1))
}

/// Finds the quantile of sorted values, linear between them (R's type 7: R. J. Hyndman, Y. Fan, "Sample quantiles in
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

    fn row(makespans_ns: &[u64]) -> Option<(Row, Axis)> {
        let samples = samples(makespans_ns);
        let chart = chart(&[Named {
            name: "3.13t threads ×2".to_owned(),
            series: 0,
            family: Model::Threads,
            strength: 1.0,
            samples: &samples,
        }])?;
        match chart.body {
            Body::Rows(mut rows) => Some((rows.rows.pop()?, rows.x)),
            _ => None,
        }
    }

    fn counts(row: &Row) -> &Counts {
        match &row.marks.first().unwrap().samples {
            Samples::Counts(counts) => counts,
            other => unreachable!("{other:?}"),
        }
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
        let (row, axis) = row(&[110_000_000, 100_000_000, 100_000_000, 90_000_000, 100_000_000]).unwrap();
        assert_eq!(
            row.title,
            "3.13t threads ×2: median 100 ms, n=5, 1 disturbed; middle half +0.0 % to +0.0 %, all −10.0 % to +10.0 %"
        );
        let disturbed: u32 = counts(&row).bins.iter().map(|bin| bin.disturbed).sum();
        assert_eq!(disturbed, 1);
        assert!(axis.low < -9.0 && axis.high > 9.0, "{axis:?}");
        assert!(axis.ticks.iter().any(|tick| tick.label == "median"), "{axis:?}");
    }

    #[test]
    fn cells_without_time_or_samples_have_no_row() {
        assert_eq!(row(&[]), None);
        assert_eq!(row(&[0, 0]), None);
    }

    proptest! {
        #[test]
        fn every_sample_is_in_a_bin(makespans_ns in proptest::collection::vec(1u64..u64::MAX / 2, 1..200)) {
            let (row, axis) = row(&makespans_ns).unwrap();
            let counted: u32 = counts(&row).bins.iter().map(|bin| bin.samples).sum();
            prop_assert_eq!(counted as usize, makespans_ns.len());
            prop_assert!(axis.low < axis.high);
        }
    }
}
