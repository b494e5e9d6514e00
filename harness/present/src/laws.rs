//! Scaling laws in words: what limits each curve, and a table of the fits.

use std::cmp::Reverse;

use ftbench_analyse::laws::verdict::{self, FLAT_WITHIN};
use ftbench_schema::{CurveLaws, CurveVerdict, Estimate, Law, LawFit, Limit, LimitCause, NotFitted, Summary};

use super::headline::with_interval;
use super::table::{Column, Table};
use ftbench_schema::{text, units};

/// The relative error above which a sentence says by how much the law misses.
const POOR_FIT: f64 = 0.1;

/// The minimum ratio of the undisturbed speedup to the typical one for which a sentence mentions it.
const MIN_UNDISTURBED_GAIN: f64 = 1.05;

/// The share of disturbed samples above which a sentence mentions them as a cause of an unclear interval.
const MANY_DISTURBED: f64 = 0.1;

/// The curves of one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadCurves<'a> {
    /// The workload's name, as the summary has it.
    pub workload: &'a str,
    /// Its curves, in the order of the plan; the ceiling's last.
    pub curves: Vec<&'a CurveLaws>,
}

/// Groups the curves of a summary by workload.
#[must_use]
pub fn by_workload(summary: &Summary) -> Vec<WorkloadCurves<'_>> {
    let mut found: Vec<WorkloadCurves<'_>> = Vec::new();
    for curve in &summary.laws {
        match found.iter_mut().find(|known| known.workload == curve.workload) {
            Some(known) => known.curves.push(curve),
            None => found.push(WorkloadCurves {
                workload: &curve.workload,
                curves: vec![curve],
            }),
        }
    }
    found
}

/// The name of a curve: `threads on 3.13t`, or `the ceiling`.
#[must_use]
pub fn subject(curve: &CurveLaws) -> String {
    if curve.is_native() {
        "the ceiling".to_owned()
    } else {
        format!(
            "{} on {}",
            curve.model,
            curve.host.label(
                &text::shorten(&text::line(&curve.interpreter), 24),
                curve.arm.as_deref()
            )
        )
    }
}

/// What limits a curve: `serial fraction 0.99 [0.98, 1.00]: the GIL`.
#[must_use]
pub fn sentence(curve: &CurveLaws) -> String {
    // A law that was fitted within the cores does not explain what happens beyond them.
    let fit = curve.best_fit().filter(|_| curve.fitted_up_to.is_none());
    let mut words = cause_sentence(curve, fit);
    let uses_law = !matches!(
        curve.limit.cause,
        LimitCause::Cores | LimitCause::Superlinear | LimitCause::Unclear | LimitCause::Unexplained
    );
    if let Some(fit) = fit.filter(|fit| uses_law && fit.relative_error > POOR_FIT) {
        words.push_str(&format!(
            "; the law misses by {}",
            units::per_cent(fit.relative_error, 0)
        ));
    }
    // A neighbour on the machine may have slowed most samples down.
    let undisturbed = curve.limit.undisturbed_speedup;
    if let Some(speedup) =
        undisturbed.filter(|speedup| speedup.low > curve.limit.speedup.estimate * MIN_UNDISTURBED_GAIN)
    {
        words.push_str(&format!("; undisturbed {}", with_interval(speedup)));
    }
    words
}

/// How a cause is worded beside the number of curves that it limits.
enum CauseWords {
    /// The name of the limit.
    Limits(&'static str),
    /// No limit to name: words that go before the number.
    Otherwise(&'static str),
}

const fn cause_words(cause: LimitCause) -> CauseWords {
    match cause {
        LimitCause::Gil => CauseWords::Limits("the GIL"),
        LimitCause::GilInPart => CauseWords::Limits("turns under the GIL"),
        LimitCause::OneThread => CauseWords::Limits("a shared thread"),
        LimitCause::OneAtATime => CauseWords::Limits("one worker at a time"),
        LimitCause::Cores => CauseWords::Limits("too few cores"),
        LimitCause::Machine => CauseWords::Limits("the machine"),
        LimitCause::Crosstalk => CauseWords::Limits("crosstalk"),
        LimitCause::SerialFraction => CauseWords::Limits("a serial fraction"),
        LimitCause::NothingSeen => CauseWords::Otherwise("no limit seen in"),
        LimitCause::Superlinear => CauseWords::Otherwise("more speedup than workers in"),
        LimitCause::Unexplained => CauseWords::Otherwise("no cause found in"),
        LimitCause::Unclear => CauseWords::Otherwise("too wide an interval in"),
    }
}

/// Counts the curves that each cause limits, without the ceiling's:
/// `the GIL limits 40 curves, crosstalk 6; no limit seen in 12`. Empty without curves.
#[must_use]
pub fn causes(summary: &Summary) -> String {
    let mut counts: Vec<(LimitCause, usize)> = Vec::new();
    for curve in summary.laws.iter().filter(|curve| !curve.is_native()) {
        let cause = curve.limit.cause;
        match counts.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += 1,
            None => counts.push((cause, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let (mut limits, mut otherwise) = (Vec::new(), Vec::new());
    for (cause, count) in counts {
        match cause_words(cause) {
            CauseWords::Limits(what) if limits.is_empty() => {
                limits.push(format!("{what} limits {}", text::counted(count, "curve")));
            }
            CauseWords::Limits(what) => limits.push(format!("{what} {count}")),
            CauseWords::Otherwise(what) => otherwise.push(format!("{what} {count}")),
        }
    }
    let parts = [limits.join(", "), otherwise.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

fn cause_sentence(curve: &CurveLaws, fit: Option<&LawFit>) -> String {
    let limit = &curve.limit;
    let grown = on_workers(limit);
    match limit.cause {
        LimitCause::Gil => match fit {
            Some(fit) if fit.serial_fraction.estimate > 0.5 => format!("{}: the GIL", serial(fit)),
            _ if limit.speedup.estimate > 1.0 + FLAT_WITHIN => {
                format!("{grown}, one CPU busy all the time: the GIL")
            }
            _ => format!("{grown}: the GIL"),
        },
        LimitCause::GilInPart => format!(
            "{}; the GIL is on, and what needs it takes turns",
            fit.map_or(grown, serial_with_limit)
        ),
        LimitCause::OneThread => format!("{grown}: all tasks share one thread"),
        LimitCause::OneAtATime => {
            format!("{grown}: one worker at a time, because of a lock, a serial part or waiting")
        }
        LimitCause::Cores => format!("{grown}: they have {}", cores(limit)),
        LimitCause::Machine => as_good_as_the_machine(limit, fit),
        LimitCause::Crosstalk => crosstalk(limit, fit),
        LimitCause::SerialFraction => fit.map_or(grown, serial_with_limit),
        LimitCause::Unexplained => unexplained(curve, &grown),
        LimitCause::Superlinear => {
            format!("{grown}, more than linear: something slows one worker down but not several")
        }
        LimitCause::NothingSeen => match fit {
            Some(fit) => format!(
                "{grown}, no limit seen; serial fraction at most {}",
                fraction(fit.serial_fraction.high, fit.serial_fraction)
            ),
            None => format!("{grown}, no limit seen"),
        },
        LimitCause::Unclear => unclear(curve),
    }
}

/// `flat at 1.01x on 2 workers`, `slower, 0.61x on 2 workers`, `1.92x on 2 workers`.
fn on_workers(limit: &Limit) -> String {
    let has_a_wide_interval = verdict::on(limit.speedup) == CurveVerdict::CannotTell;
    if has_a_wide_interval {
        // The cause then rests on other facts, such as how many CPUs were busy.
        let busy = limit.busy_cpus.map_or_else(String::new, |busy| {
            format!(", {} CPUs busy", units::number(busy, 1))
        });
        return format!(
            "{} on {}{busy}",
            with_interval(limit.speedup),
            workers(limit.workers)
        );
    }
    let speedup = limit.speedup.estimate;
    let how = if speedup > 1.0 + FLAT_WITHIN {
        ""
    } else if speedup >= 1.0 - FLAT_WITHIN {
        "flat at "
    } else {
        "slower, "
    };
    format!("{how}{} on {}", units::times(speedup), workers(limit.workers))
}

fn workers(count: u32) -> String {
    text::counted(usize::try_from(count).unwrap_or(usize::MAX), "worker")
}

fn cores(limit: &Limit) -> String {
    if limit.cores.fract() == 0.0 {
        let count = units::number(limit.cores, 0);
        let noun = if limit.cores > 1.0 { "cores" } else { "core" };
        format!("{count} {noun}")
    } else {
        format!("the time of {} cores", units::number(limit.cores, 1))
    }
}

fn as_good_as_the_machine(limit: &Limit, fit: Option<&LawFit>) -> String {
    let grown = on_workers(limit);
    let share = limit.ceiling_fraction.map_or_else(String::new, |fraction| {
        format!(", {} of the ceiling", per_cent_with_interval(fraction))
    });
    let shares_cores = limit.cores < f64::from(limit.workers);
    let with = if shares_cores {
        format!(", which have {}", cores(limit))
    } else {
        fit.map_or_else(String::new, |fit| format!(", {}", serial(fit)))
    };
    format!("as good as the machine: {grown}{with}{share}")
}

fn crosstalk(limit: &Limit, fit: Option<&LawFit>) -> String {
    let Some((fit, peak)) = fit.and_then(|fit| Some((fit, fit.peak_workers?))) else {
        return format!("crosstalk: {}", on_workers(limit));
    };
    let range = format!(
        "[{}, {}]",
        units::number(peak.low, 0),
        units::number(peak.high, 0)
    );
    let best = peak.estimate.round().max(1.0);
    let count = units::number(best, 0);
    let noun = if best > 1.0 { "workers" } else { "worker" };
    let at_best = units::times(fit.speedup(best));
    if best < 2.0 {
        format!(
            "crosstalk: best with {count} {noun} {range}, {}",
            on_workers(limit)
        )
    } else if best <= f64::from(limit.workers) {
        format!("crosstalk: best with {count} {noun} {range}, {at_best}")
    } else {
        format!(
            "crosstalk: by the law, best with about {count} {noun} {range}, {at_best}, more than were measured"
        )
    }
}

fn unexplained(curve: &CurveLaws, grown: &str) -> String {
    let limit = &curve.limit;
    let of_ideal = || units::per_cent(limit.speedup.estimate / f64::from(limit.workers), 0) + " of ideal";
    let of_ceiling = |fraction| per_cent_with_interval(fraction) + " of the ceiling";
    let share = limit.ceiling_fraction.map_or_else(of_ideal, of_ceiling);
    let shares_cores = curve.fitted_up_to.map(|_| NotFitted::SharedCores);
    match curve.not_fitted.or(shares_cores) {
        Some(NotFitted::FewWorkerCounts { needed, .. }) => {
            format!("{grown}, {share}; {needed} worker counts are needed to find the cause")
        }
        Some(NotFitted::FewRounds { needed, .. }) => {
            format!("{grown}, {share}; {needed} rounds are needed to find the cause")
        }
        Some(NotFitted::FewCores) => format!("{grown}, {share}"),
        Some(NotFitted::SharedCores) => {
            format!(
                "{grown}, which have {}; finding the cause takes a core for each",
                cores(limit)
            )
        }
        None => format!("{grown}, {share}; too small a loss to find the cause"),
    }
}

/// The sentence for an interval that is too wide for a cause, and perhaps for a verdict.
fn unclear(curve: &CurveLaws) -> String {
    let limit = &curve.limit;
    let speedup = with_interval(limit.speedup);
    let workers = workers(limit.workers);
    let mut words = match (curve.verdict, curve.needs_s) {
        (CurveVerdict::CannotTell, Some(needs_s)) => format!(
            "cannot tell, {speedup} on {workers}; measuring {} for about {} more should settle it",
            text::shorten(&text::line(&curve.workload), 24),
            roughly(needs_s)
        ),
        (CurveVerdict::CannotTell, None) => format!("cannot tell, {speedup} on {workers}"),
        _ => format!("scales, {speedup} on {workers}; the interval is too wide to show what limits it"),
    };
    if let Some(share) = limit.disturbed_share.filter(|share| *share > MANY_DISTURBED) {
        words.push_str(&format!(
            "; {} of its samples were disturbed",
            units::per_cent(share, 0)
        ));
    }
    words
}

/// A rounded duration: `40 s`, `3 min`.
pub(crate) fn roughly(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{} s", units::number(seconds, 0))
    } else {
        format!("{} min", units::number(seconds / 60.0, 0))
    }
}

fn serial(fit: &LawFit) -> String {
    format!("serial fraction {}", fraction_with_interval(fit.serial_fraction))
}

fn serial_with_limit(fit: &LawFit) -> String {
    let serial = serial(fit);
    match (fit.law, fit.speedup_limit, fit.peak_workers) {
        (Law::Gustafson, ..) => format!(
            "{serial} of the time: each worker adds {}",
            units::times(1.0 - fit.serial_fraction.estimate)
        ),
        (_, Some(limit), _) => {
            format!("{serial}: at most {}, however many workers", with_interval(limit))
        }
        (_, None, Some(peak)) => format!(
            "{serial} and crosstalk: by the law, best with about {} workers",
            units::number(peak.estimate.round(), 0)
        ),
        _ => serial,
    }
}

/// Formats `value` with as many decimals as show two digits of the interval's upper end, from 2 to 4.
fn fraction(value: f64, of: Estimate) -> String {
    units::number(value, units::decimals_for(of.high, 2).clamp(2, 4))
}

fn fraction_with_interval(estimate: Estimate) -> String {
    let number = |value: f64| fraction(value, estimate);
    format!(
        "{} [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

fn per_cent_with_interval(share: Estimate) -> String {
    let number = |share: f64| units::number(100.0 * share, 0);
    format!(
        "{} % [{}, {}]",
        number(share.estimate),
        number(share.low),
        number(share.high)
    )
}

/// The fits, one row each.
#[must_use]
pub fn table(summary: &Summary) -> Table {
    let fitted = summary.laws.iter();
    let fitted: Vec<(&CurveLaws, &LawFit)> = fitted
        .filter_map(|curve| Some((curve, curve.best_fit()?)))
        .collect();
    let words = |heading: &str, text: fn(&CurveLaws, &LawFit) -> String| {
        Column::words(heading, fitted.iter().map(|(curve, fit)| text(curve, fit)))
    };
    let figures = |heading: &str, text: fn(&LawFit) -> String| {
        Column::figures(heading, fitted.iter().map(|(_, fit)| text(fit)))
    };
    Table::new(vec![
        words("workload", |curve, _| {
            text::shorten(&text::line(&curve.workload), 24)
        }),
        words("curve", |curve, _| subject(curve)),
        words("law", law),
        figures("serial fraction", |fit| {
            fraction_with_interval(fit.serial_fraction)
        }),
        figures("crosstalk", |fit| {
            fit.crosstalk
                .map_or_else(|| units::UNKNOWN.to_owned(), crosstalk_figure)
        }),
        figures("best N", |fit| {
            let number = |value: f64| units::number(value, 0);
            fit.peak_workers.map_or_else(
                || units::UNKNOWN.to_owned(),
                |peak| {
                    format!(
                        "{} [{}, {}]",
                        number(peak.estimate),
                        number(peak.low),
                        number(peak.high)
                    )
                },
            )
        }),
        figures("misses by", |fit| units::per_cent(fit.relative_error, 1)),
    ])
}

/// The law's name, and the largest number of workers it was fitted to if more were measured: `USL up to 8`.
#[must_use]
pub fn law(curve: &CurveLaws, fit: &LawFit) -> String {
    curve.fitted_up_to.map_or_else(
        || fit.law.name().to_owned(),
        |max| format!("{} up to {max}", fit.law),
    )
}

/// Formats crosstalk, which is often far below a thousandth: `2.1e-4 [1.8e-4, 2.4e-4]`.
fn crosstalk_figure(estimate: Estimate) -> String {
    let number = |value: f64| {
        if value == 0.0 {
            "0".to_owned()
        } else {
            format!("{value:.1e}")
        }
    };
    format!(
        "{} [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod tests;
