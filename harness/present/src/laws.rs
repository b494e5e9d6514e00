//! Scaling laws in words: what limits each curve, and the table of what was fitted.

use std::cmp::Reverse;

use ftbench_analyse::laws::verdict::{self, FLAT_WITHIN};
use ftbench_schema::{CurveLaws, CurveVerdict, Estimate, Law, LawFit, Limit, LimitCause, NotFitted, Summary};

use super::headline::with_interval;
use super::table::{Column, Table};
use ftbench_schema::{text, units};

/// A law that misses what was measured by more than this share is said to.
const POOR_FIT: f64 = 0.1;

/// How many times as large an undisturbed speedup has to be, at least, to be told beside the typical one.
const WORTH_SAYING: f64 = 1.05;

/// A share of disturbed samples from which an unclear interval is put down to them.
const MANY_DISTURBED: f64 = 0.1;

/// The curves of one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct OfWorkload<'a> {
    /// The workload's name, as the summary has it.
    pub workload: &'a str,
    /// Its curves, in the order of the plan; the ceiling's last.
    pub curves: Vec<&'a CurveLaws>,
}

/// The curves of a summary by workload.
#[must_use]
pub fn by_workload(summary: &Summary) -> Vec<OfWorkload<'_>> {
    let mut found: Vec<OfWorkload<'_>> = Vec::new();
    for curve in &summary.laws {
        match found.iter_mut().find(|known| known.workload == curve.workload) {
            Some(known) => known.curves.push(curve),
            None => found.push(OfWorkload {
                workload: &curve.workload,
                curves: vec![curve],
            }),
        }
    }
    found
}

/// What a curve is of: `threads on 3.13t`, or `the ceiling`.
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
    // What happens beyond the cores no law that was fitted within them explains.
    let fit = curve.best_fit().filter(|_| curve.fitted_up_to.is_none());
    let mut told = of_cause(curve, fit);
    let uses_law = !matches!(
        curve.limit.cause,
        LimitCause::Cores | LimitCause::Superlinear | LimitCause::Unclear | LimitCause::Untold
    );
    if let Some(fit) = fit.filter(|fit| uses_law && fit.relative_error > POOR_FIT) {
        told.push_str(&format!(
            "; the law misses by {}",
            units::per_cent(fit.relative_error, 0)
        ));
    }
    // A neighbour on the machine may have slowed most samples down.
    let undisturbed = curve.limit.undisturbed_speedup;
    if let Some(speedup) =
        undisturbed.filter(|speedup| speedup.low > curve.limit.speedup.estimate * WORTH_SAYING)
    {
        told.push_str(&format!("; undisturbed {}", with_interval(speedup)));
    }
    told
}

/// What a count of curves with one cause is told as.
enum Counted {
    /// Something limits so many.
    Limits(&'static str),
    /// Nothing that could be named does.
    Otherwise(&'static str),
}

const fn counted(cause: LimitCause) -> Counted {
    match cause {
        LimitCause::Gil => Counted::Limits("the GIL"),
        LimitCause::GilInPart => Counted::Limits("turns under the GIL"),
        LimitCause::OneThread => Counted::Limits("a shared thread"),
        LimitCause::OneAtATime => Counted::Limits("one worker at a time"),
        LimitCause::Cores => Counted::Limits("too few cores"),
        LimitCause::Machine => Counted::Limits("the machine"),
        LimitCause::Crosstalk => Counted::Limits("crosstalk"),
        LimitCause::SerialFraction => Counted::Limits("a serial fraction"),
        LimitCause::NothingSeen => Counted::Otherwise("no limit seen in"),
        LimitCause::Superlinear => Counted::Otherwise("more speedup than workers in"),
        LimitCause::Untold => Counted::Otherwise("too little known of"),
        LimitCause::Unclear => Counted::Otherwise("too wide an interval in"),
    }
}

/// How many curves each cause limits, the ceiling's left out: `the GIL limits 40 curves, crosstalk 6; no limit seen in 12`.
/// Empty without curves.
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
        match counted(cause) {
            Counted::Limits(what) if limits.is_empty() => {
                limits.push(format!("{what} limits {}", text::counted(count, "curve")));
            }
            Counted::Limits(what) => limits.push(format!("{what} {count}")),
            Counted::Otherwise(what) => otherwise.push(format!("{what} {count}")),
        }
    }
    let parts = [limits.join(", "), otherwise.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

fn of_cause(curve: &CurveLaws, fit: Option<&LawFit>) -> String {
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
        LimitCause::Untold => untold(curve, &grown),
        LimitCause::Superlinear => {
            format!(
                "{grown}, more than there are: something holds one worker back that does not hold several"
            )
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
        // What is said of it rests on other facts.
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
            "crosstalk: at its best with {count} {noun} {range}, {}",
            on_workers(limit)
        )
    } else if best <= f64::from(limit.workers) {
        format!("crosstalk: at its best with {count} {noun} {range}, {at_best}")
    } else {
        format!(
            "crosstalk: by the law at its best with about {count} {noun} {range}, {at_best}, beyond those measured"
        )
    }
}

fn untold(curve: &CurveLaws, grown: &str) -> String {
    let limit = &curve.limit;
    let of_ideal = || units::per_cent(limit.speedup.estimate / f64::from(limit.workers), 0) + " of ideal";
    let of_ceiling = |fraction| per_cent_with_interval(fraction) + " of the ceiling";
    let share = limit.ceiling_fraction.map_or_else(of_ideal, of_ceiling);
    let shares_cores = curve.fitted_up_to.map(|_| NotFitted::SharedCores);
    match curve.not_fitted.or(shares_cores) {
        Some(NotFitted::FewWorkerCounts { needed, .. }) => {
            format!("{grown}, {share}; it takes {needed} worker counts to tell why")
        }
        Some(NotFitted::FewRounds { needed, .. }) => {
            format!("{grown}, {share}; it takes {needed} rounds to tell why")
        }
        Some(NotFitted::FewCores) => format!("{grown}, {share}"),
        Some(NotFitted::SharedCores) => {
            format!(
                "{grown}, which have {}; with a core for each it could be told why",
                cores(limit)
            )
        }
        None => format!("{grown}, {share}; too small a loss to tell why"),
    }
}

/// An interval that is too wide for a cause, and perhaps for a verdict.
fn unclear(curve: &CurveLaws) -> String {
    let limit = &curve.limit;
    let speedup = with_interval(limit.speedup);
    let workers = workers(limit.workers);
    let mut told = match (curve.verdict, curve.needs_s) {
        (CurveVerdict::CannotTell, Some(needs_s)) => format!(
            "cannot tell, {speedup} on {workers}; about {} more of {} would",
            roughly(needs_s),
            text::shorten(&text::line(&curve.workload), 24)
        ),
        (CurveVerdict::CannotTell, None) => format!("cannot tell, {speedup} on {workers}"),
        _ => format!("scales, {speedup} on {workers}; too wide an interval to tell what limits it"),
    };
    if let Some(share) = limit.disturbed_share.filter(|share| *share > MANY_DISTURBED) {
        told.push_str(&format!(
            "; {} of its samples were disturbed",
            units::per_cent(share, 0)
        ));
    }
    told
}

/// A duration of which only the size is known: `40 s`, `3 min`.
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
    let told = serial(fit);
    match (fit.law, fit.speedup_limit, fit.peak_workers) {
        (Law::Gustafson, ..) => format!(
            "{told} of the time: each worker adds {}",
            units::times(1.0 - fit.serial_fraction.estimate)
        ),
        (_, Some(limit), _) => {
            format!("{told}: at most {}, however many workers", with_interval(limit))
        }
        (_, None, Some(peak)) => format!(
            "{told} and crosstalk: by the law at its best with about {} workers",
            units::number(peak.estimate.round(), 0)
        ),
        _ => told,
    }
}

/// How many decimals show two digits of the interval's upper end; from 2 to 4.
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

/// The fits, a row each.
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

/// The law's name, and how far it was fitted where that is not to the end: `USL up to 8`.
#[must_use]
pub fn law(curve: &CurveLaws, fit: &LawFit) -> String {
    curve.fitted_up_to.map_or_else(
        || fit.law.name().to_owned(),
        |most| format!("{} up to {most}", fit.law),
    )
}

/// Crosstalk is often far below a thousandth: `2.1e-4 [1.8e-4, 2.4e-4]`.
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
