use super::*;
use crate::style::Style;
use crate::terminal::render;
use ftbench_fixtures::records::cell;
use ftbench_fixtures::summaries;
use ftbench_schema::{Model, NATIVE};

const fn estimate(estimate: f64, low: f64, high: f64) -> Estimate {
    Estimate { estimate, low, high }
}

fn curve(interpreter: &str, cause: LimitCause, speedup: f64) -> CurveLaws {
    let curve = cell(interpreter, Model::Threads, 1).curve;
    let mut laws = summaries::unfitted(curve, &[1, 2, 4, 8], cause, summaries::estimate(speedup, 2.0));
    laws.not_fitted = Some(NotFitted::FewWorkerCounts { counts: 3, needed: 4 });
    laws.limit.disturbed_share = Some(0.42);
    laws
}

fn with_fit(curve: CurveLaws, law: Law, serial_fraction: Estimate, crosstalk: Option<Estimate>) -> CurveLaws {
    let reciprocal = Estimate {
        estimate: 1.0 / serial_fraction.estimate,
        low: 1.0 / serial_fraction.high,
        high: 1.0 / serial_fraction.low,
    };
    let peak = |crosstalk: f64| ((1.0 - serial_fraction.estimate) / crosstalk).sqrt();
    let fit = LawFit {
        law,
        serial_fraction,
        crosstalk,
        peak_workers: crosstalk.map(|crosstalk| Estimate {
            estimate: peak(crosstalk.estimate),
            low: peak(crosstalk.high),
            high: peak(crosstalk.low),
        }),
        speedup_limit: (law == Law::Amdahl && serial_fraction.low > 0.0).then_some(reciprocal),
        relative_error: 0.012,
    };
    CurveLaws {
        fits: vec![fit],
        simplest_law: Some(law),
        not_fitted: None,
        ..curve
    }
}

/// Every cause, with and without a law.
fn every_cause() -> Vec<CurveLaws> {
    let mut disturbed = curve("3.13t", LimitCause::Unexplained, 5.1);
    disturbed.not_fitted = Some(NotFitted::FewCores);
    disturbed.limit.undisturbed_speedup = Some(estimate(7.8, 7.7, 7.9));
    let gil = estimate(0.99, 0.98, 1.0);
    let turns = estimate(0.05, 0.04, 0.06);
    let peaked = Some(estimate(0.025, 0.02, 0.03));
    let later = Some(estimate(0.0004, 0.0002, 0.0006));
    let mut shared = curve("3.13t", LimitCause::Machine, 1.93);
    shared.limit.cores = 2.0;
    shared.limit.ceiling_fraction = Some(summaries::estimate(0.98, 2.0));
    let mut machine = curve("3.13t", LimitCause::Machine, 7.5);
    machine.limit.ceiling_fraction = Some(summaries::estimate(0.98, 2.0));
    let mut cores = curve("3.13t", LimitCause::Cores, 1.93);
    cores.limit.cores = 2.0;
    let mut poor = with_fit(
        curve("3.13t", LimitCause::SerialFraction, 3.0),
        Law::Amdahl,
        turns,
        None,
    );
    poor.fits.iter_mut().for_each(|fit| fit.relative_error = 0.2);
    vec![
        curve("3.13", LimitCause::Gil, 1.01),
        with_fit(curve("3.13", LimitCause::Gil, 1.01), Law::Amdahl, gil, None),
        curve("3.13", LimitCause::Gil, 6.5),
        with_fit(
            curve("3.13", LimitCause::GilInPart, 5.9),
            Law::Amdahl,
            turns,
            None,
        ),
        curve("3.13t", LimitCause::OneThread, 0.98),
        cores,
        shared,
        with_fit(machine, Law::Amdahl, estimate(0.01, 0.008, 0.012), None),
        curve("3.13t", LimitCause::Crosstalk, 0.6),
        with_fit(
            curve("3.13t", LimitCause::Crosstalk, 2.0),
            Law::Usl,
            turns,
            peaked,
        ),
        with_fit(curve("3.13t", LimitCause::Crosstalk, 5.5), Law::Usl, turns, later),
        with_fit(
            curve("3.13t", LimitCause::SerialFraction, 5.9),
            Law::Amdahl,
            turns,
            None,
        ),
        with_fit(
            curve("3.13t", LimitCause::SerialFraction, 7.6),
            Law::Gustafson,
            turns,
            None,
        ),
        poor,
        curve("3.13t", LimitCause::Unexplained, 5.9),
        curve("3.13t", LimitCause::Superlinear, 9.1),
        with_fit(
            curve("3.13t", LimitCause::NothingSeen, 7.9),
            Law::Amdahl,
            estimate(0.0, 0.0, 0.003),
            None,
        ),
        curve("3.13t", LimitCause::Unclear, 1.3),
        disturbed,
    ]
}

#[test]
fn every_cause_has_words() {
    let sentences: Vec<String> = every_cause().iter().map(sentence).collect();
    insta::assert_snapshot!(sentences.join("\n"), @r"
    flat at 1.01x on 8 workers: the GIL
    serial fraction 0.99 [0.98, 1.00]: the GIL
    6.50x on 8 workers, one CPU busy all the time: the GIL
    serial fraction 0.050 [0.040, 0.060]: at most 20.0x [16.7, 25.0], however many workers; the GIL is on, and what needs it takes turns
    flat at 0.98x on 8 workers: all tasks share one thread
    1.93x on 8 workers: they have 2 cores
    as good as the machine: 1.93x on 8 workers, which have 2 cores, 98 % [96, 100] of the ceiling
    as good as the machine: 7.50x on 8 workers, serial fraction 0.010 [0.008, 0.012], 98 % [96, 100] of the ceiling
    crosstalk: slower, 0.60x on 8 workers
    crosstalk: best with 6 workers [6, 7], 3.00x
    crosstalk: by the law, best with about 49 workers [40, 69], 11.3x, more than were measured
    serial fraction 0.050 [0.040, 0.060]: at most 20.0x [16.7, 25.0], however many workers
    serial fraction 0.050 [0.040, 0.060] of the time: each worker adds 0.95x
    serial fraction 0.050 [0.040, 0.060]: at most 20.0x [16.7, 25.0], however many workers; the law misses by 20 %
    5.90x on 8 workers, 74 % of ideal; 4 worker counts are needed to find the cause
    9.10x on 8 workers, more than linear: something slows one worker down but not several
    7.90x on 8 workers, no limit seen; serial fraction at most 0.0030
    cannot tell, 1.30x [1.27, 1.33] on 8 workers; measuring fib for about 42 s more should settle it; 42 % of its samples were disturbed
    5.10x on 8 workers, 64 % of ideal; undisturbed 7.80x [7.70, 7.90]
    ");
}

fn summary() -> Summary {
    let mut summary = summaries::two_cores();
    summary.cells.clear();
    summary.laws = every_cause();
    summary.laws.truncate(4);
    let native = with_fit(
        curve(NATIVE, LimitCause::NothingSeen, 7.9),
        Law::Usl,
        estimate(0.001, 0.0, 0.003),
        Some(estimate(0.0004, 0.0002, 0.0006)),
    );
    summary.laws.push(native);
    summary
}

#[test]
fn the_terminal_has_sentences_and_fits() {
    let style = Style {
        colour: false,
        width: Some(80),
    };
    insta::assert_snapshot!(render(&summary(), style), @r"
    what limits fib
      threads on 3.13: flat at 1.01x on 8 workers: the GIL
      threads on 3.13: serial fraction 0.99 [0.98, 1.00]: the GIL
      threads on 3.13: 6.50x on 8 workers, one CPU busy all the time: the GIL
      threads on 3.13: serial fraction 0.050 [0.040, 0.060]: at most 20.0x [16.7,
                       25.0], however many workers; the GIL is on, and what needs it
                       takes turns

    scaling laws
    workload  curve            law             serial fraction       best N
    ───────────────────────────────────────────────────────────────────────
    fib       threads on 3.13  Amdahl        0.99 [0.98, 1.00]            -
    fib       threads on 3.13  Amdahl     0.050 [0.040, 0.060]            -
    fib       the ceiling      USL     0.0010 [0.0000, 0.0030]  50 [41, 71]
    ");
}

/// Every cause in the curves of seven workloads, some of them several times, and a ceiling.
fn many_workloads() -> Summary {
    let mut summary = summary();
    let ceiling = summary.laws.pop();
    summary.laws = every_cause();
    summary.laws.extend(ceiling);
    for (position, curve) in summary.laws.iter_mut().enumerate() {
        curve.curve.workload = format!("workload_{}", position % 7);
    }
    summary
}

#[test]
fn with_many_workloads_the_terminal_counts_causes() {
    let style = Style {
        colour: false,
        width: Some(80),
    };
    let mut summary = many_workloads();
    insta::assert_snapshot!(render(&summary, style), @r"
    what limits 7 workloads
      the GIL limits 3 curves, crosstalk 3, a serial fraction 3, the machine 2,
      turns under the GIL 1, a shared thread 1, too few cores 1; no cause found in
      2, more speedup than workers in 1, no limit seen in 1, too wide an interval in
      1. 'ftbench report RUN' shows each.
    ");
    summary
        .laws
        .retain(|curve| curve.limit.cause == LimitCause::NothingSeen);
    assert_eq!(causes(&summary), "no limit seen in 1");
    summary.laws.retain(|curve| curve.is_native());
    assert_eq!(causes(&summary), "");
}

#[test]
fn no_line_overruns_the_terminal() {
    for (width, summary) in [60, 80, 100, 200]
        .into_iter()
        .flat_map(|width| [(width, summary()), (width, many_workloads())])
    {
        let style = Style {
            colour: false,
            width: Some(width),
        };
        let text = render(&summary, style);
        let wide = text
            .lines()
            .find(|line| line.chars().count() > usize::from(width));
        assert_eq!(wide, None, "{width}");
    }
}

#[test]
fn markdown_has_sentences_and_fits_and_escapes_names() {
    let mut summary = summary();
    for curve in &mut summary.laws {
        curve.curve.workload = "<b>|".to_owned();
    }
    let text = crate::markdown::render(&summary);
    assert!(
        text.contains("**&lt;b&gt;\\|, threads on 3.13**: flat at 1.01x on 8 workers: the GIL"),
        "{text}"
    );
    assert!(
        text.contains("| &lt;b&gt;\\| | threads on 3.13 | Amdahl | 0.99 [0.98, 1.00] | - | - | 1.2 % |"),
        "{text}"
    );
}

#[test]
fn a_law_fitted_to_fewer_counts_says_so_and_explains_no_others() {
    let turns = estimate(0.05, 0.04, 0.06);
    let mut partly = with_fit(
        curve("3.13t", LimitCause::Unexplained, 3.0),
        Law::Amdahl,
        turns,
        None,
    );
    partly.fitted_up_to = Some(4);
    partly.limit.cores = 4.0;
    let name = partly.best_fit().map(|fit| law(&partly, fit));
    assert_eq!(name.as_deref(), Some("Amdahl up to 4"));
    assert_eq!(
        sentence(&partly),
        "3.00x on 8 workers, which have 4 cores; finding the cause takes a core for each"
    );
}
