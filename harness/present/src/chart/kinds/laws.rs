//! Fitted laws as curves, and in words.

use crate::chart::{ReferenceKind, ReferenceLine};
use crate::laws::law;
use ftbench_schema::{CurveLaws, Estimate, LawFit, Summary, units};

use super::measured::{Line, Quantity, series_name};
use super::show::Show;

/// Corners of a fitted curve.
const FITTED_CORNERS: u32 = 40;
/// At most so many fits are told in the caption.
const MOST_FITS: usize = 4;

/// Fitted laws: the curves, and what is said of them.
pub(super) struct Fits {
    pub(super) curves: Vec<ReferenceLine>,
    pub(super) told: Option<String>,
}

pub(super) fn fits(summary: &Summary, lines: &[Line<'_>], show: &Show, (fewest, most): (u32, u32)) -> Fits {
    let mut curves = Vec::new();
    let mut told = Vec::new();
    if !matches!(
        show.quantity,
        Quantity::Speedup | Quantity::Efficiency | Quantity::Throughput
    ) {
        return Fits { curves, told: None };
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
            continue;
        };
        let most = laws.fitted_up_to.map_or(most, |fitted| most.min(fitted));
        let (low, high) = (f64::from(fewest), f64::from(most.max(fewest)));
        let corner = |step: u32| {
            let workers = low * (high / low).powf(f64::from(step) / f64::from(FITTED_CORNERS));
            [
                workers,
                show.of_speedup(fit.speedup(workers), workers, one_worker.estimate),
            ]
        };
        curves.push(ReferenceLine {
            label: String::new(),
            corners: (0..=FITTED_CORNERS).map(corner).collect(),
            kind: ReferenceKind::Fitted(line.model.family()),
        });
        told.push(format!("{} {}", series_name(line), of_fit(&law(laws, fit), fit)));
    }
    let more = told.len().saturating_sub(MOST_FITS);
    told.truncate(MOST_FITS);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let told = (!told.is_empty()).then(|| format!("Thin dashes: fitted laws; {}.", told.join("; ")));
    Fits { curves, told }
}

/// A fit's parameters, and the number of workers beyond which more of them make it slower.
fn of_fit(law: &str, fit: &LawFit) -> String {
    let percent = |share: f64| {
        let value = share * 100.0;
        format!("{} %", units::number(value, units::decimals_for(value, 2)))
    };
    let mut told = format!("{law}, serial fraction {}", percent(fit.serial_fraction.estimate));
    if let Some(crosstalk) = fit.crosstalk {
        told.push_str(&format!(", crosstalk {}", percent(crosstalk.estimate)));
    }
    if let Some(peak) = fit.peak_workers {
        let best = peak.estimate.round().max(1.0);
        let noun = if best > 1.0 { "workers" } else { "worker" };
        told.push_str(&format!(", best at {} {noun}", units::number(best, 0)));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;
    use ftbench_schema::Law;

    #[test]
    fn a_fit_with_a_peak_tells_how_many_workers_pay() {
        let exact = |value: f64| summaries::estimate(value, 0.0);
        let fit = |peak: Option<f64>| LawFit {
            law: Law::Usl,
            serial_fraction: exact(0.02),
            crosstalk: Some(exact(0.004)),
            peak_workers: peak.map(exact),
            speedup_limit: None,
            relative_error: 0.01,
        };
        let told = "USL, serial fraction 2.0 %, crosstalk 0.40 %";
        assert_eq!(of_fit("USL", &fit(None)), told);
        assert_eq!(
            of_fit("USL", &fit(Some(15.65))),
            format!("{told}, best at 16 workers")
        );
        assert_eq!(
            of_fit("USL", &fit(Some(1.2))),
            format!("{told}, best at 1 worker")
        );
    }
}
