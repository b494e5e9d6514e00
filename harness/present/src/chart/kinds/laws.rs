//! Fitted laws as curves, and in words.

use crate::laws::law;
use ftbench_schema::{CurveLaws, Estimate, Law, LawFit, Summary, units};

use super::measured::{Line, Quantity, series_name};
use super::show::Show;

/// Corners of a fitted curve.
const FITTED_CORNERS: u32 = 24;
/// Maximum number of fits described in the caption.
const MOST_FITS: usize = 4;

/// Fitted laws.
pub(super) struct Fits {
    /// The corners of each line's law, x and y; none where the line has no law.
    pub(super) curves: Vec<Vec<[f64; 2]>>,
    /// A sentence about them.
    pub(super) words: Option<String>,
}

pub(super) fn fits(summary: &Summary, lines: &[Line<'_>], show: &Show, (min, max): (u32, u32)) -> Fits {
    let mut curves = Vec::new();
    let mut words = Vec::new();
    let mut has_usl = false;
    if !matches!(
        show.quantity,
        Quantity::Speedup | Quantity::Efficiency | Quantity::Throughput
    ) {
        return Fits { curves, words: None };
    }
    let fitted = |line: &Line<'_>| {
        let of_line = |laws: &&CurveLaws| {
            laws.interpreter == line.tag
                && laws.host == line.host
                && laws.arm.as_deref() == line.arm
                && laws.model == line.model
        };
        let mut laws = summary.laws.iter().filter(|laws| line.workload == laws.workload);
        let laws = laws.find(|laws| of_line(laws))?;
        Some((laws, laws.best_fit()?))
    };
    for line in lines {
        let one_worker = match show.quantity {
            Quantity::Throughput => line.values.iter().find(|(workers, _)| *workers == 1),
            _ => Some(&(
                1,
                Estimate {
                    estimate: 1.0,
                    low: 1.0,
                    high: 1.0,
                },
            )),
        };
        let Some(((laws, fit), (_, one_worker))) = fitted(line).zip(one_worker) else {
            curves.push(Vec::new());
            continue;
        };
        let last = laws.fitted_up_to.map_or(max, |fitted| max.min(fitted));
        let (low, high) = (f64::from(min), f64::from(last.max(min)));
        let corner = |step: u32| {
            let workers = low * (high / low).powf(f64::from(step) / f64::from(FITTED_CORNERS));
            [
                workers,
                show.of_speedup(fit.speedup(workers), workers, one_worker.estimate),
            ]
        };
        curves.push((0..=FITTED_CORNERS).map(corner).collect());
        has_usl |= fit.law == Law::Usl;
        words.push(format!(
            "{} {}",
            series_name(line),
            fit_words(&law(laws, fit), fit)
        ));
    }
    let more = words.len().saturating_sub(MOST_FITS);
    words.truncate(MOST_FITS);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    let long_name = if has_usl {
        " (USL: Universal Scalability Law)"
    } else {
        ""
    };
    let words =
        (!words.is_empty()).then(|| format!("Thin dashes: fitted laws{long_name}; {}.", words.join("; ")));
    Fits { curves, words }
}

/// Lists a fit's parameters, and the number of workers beyond which more of them make it slower.
fn fit_words(law: &str, fit: &LawFit) -> String {
    let percent = |share: f64| {
        let value = share * 100.0;
        format!("{} %", units::number(value, units::decimals_for(value, 2)))
    };
    let mut words = format!("{law}, serial fraction {}", percent(fit.serial_fraction.estimate));
    if let Some(crosstalk) = fit.crosstalk {
        words.push_str(&format!(", crosstalk {}", percent(crosstalk.estimate)));
    }
    if let Some(peak) = fit.peak_workers {
        let best = peak.estimate.round().max(1.0);
        let noun = if best > 1.0 { "workers" } else { "worker" };
        words.push_str(&format!(", best at {} {noun}", units::number(best, 0)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn a_fit_with_a_peak_says_how_many_workers_are_best() {
        let exact = |value: f64| summaries::estimate(value, 0.0);
        let fit = |peak: Option<f64>| LawFit {
            law: Law::Usl,
            serial_fraction: exact(0.02),
            crosstalk: Some(exact(0.004)),
            peak_workers: peak.map(exact),
            speedup_limit: None,
            relative_error: 0.01,
        };
        let words = "USL, serial fraction 2.0 %, crosstalk 0.40 %";
        assert_eq!(fit_words("USL", &fit(None)), words);
        assert_eq!(
            fit_words("USL", &fit(Some(15.65))),
            format!("{words}, best at 16 workers")
        );
        assert_eq!(
            fit_words("USL", &fit(Some(1.2))),
            format!("{words}, best at 1 worker")
        );
    }
}
