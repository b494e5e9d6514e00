use super::*;
use ftbench_fixtures::summaries;
use ftbench_schema::{Estimate, Model};

fn plain(summary: &Summary, width: u16) -> String {
    render(
        summary,
        Style {
            colour: false,
            width: Some(width),
        },
    )
}

#[test]
fn eighty_columns_hold_every_interval() {
    insta::assert_snapshot!(plain(&summaries::two_cores(), 80), @r"
    threads on 3.13:    flat (0.98x) on fib, nbody at 2 workers
    threads on 3.13t:   1.92x on fib, nbody at 2 workers
    processes on 3.13:  1.87x to 1.88x on fib, nbody at 2 workers
    processes on 3.13t: 1.92x to 1.93x on fib, nbody at 2 workers

    fib
    interp.  model      N   makespan (ms)            speedup     vs 3.13 serial
    ───────────────────────────────────────────────────────────────────────────
    3.13     serial     1  347 [343, 351]     -               1.00 [0.98, 1.02]
    3.13     threads    1  347 [343, 351]  1.00               1.00 [0.98, 1.02]
    3.13     threads    2  354 [350, 358]  0.98 [0.97, 0.99]  0.98 [0.96, 1.00]
    3.13     processes  1  375 [370, 379]  1.00               0.93 [0.91, 0.94]
    3.13     processes  2  200 [198, 203]  1.87 [1.84, 1.90]  1.73 [1.70, 1.76]
    3.13t    serial     1  380 [375, 385]     -               0.91 [0.90, 0.93]
    3.13t    threads    1  380 [375, 385]  1.00               0.91 [0.90, 0.93]
    3.13t    threads    2  198 [196, 200]  1.92 [1.89, 1.95]  1.75 [1.72, 1.78]
    3.13t    processes  1  410 [405, 415]  1.00               0.85 [0.83, 0.86]
    3.13t    processes  2  214 [211, 216]  1.92 [1.89, 1.95]  1.62 [1.60, 1.65]

    nbody
    interp.  model      N   makespan (ms)            speedup     vs 3.13 serial
    ───────────────────────────────────────────────────────────────────────────
    3.13     serial     1  208 [206, 211]     -               1.00 [0.98, 1.02]
    3.13     threads    1  208 [206, 211]  1.00               1.00 [0.98, 1.02]
    3.13     threads    2  212 [209, 214]  0.98 [0.97, 1.00]  0.98 [0.97, 1.00]
    3.13     processes  1  225 [222, 228]  1.00               0.93 [0.91, 0.94]
    3.13     processes  2  120 [118, 121]  1.88 [1.85, 1.91]  1.74 [1.71, 1.77]
    3.13t    serial     1  228 [225, 231]     -               0.91 [0.90, 0.93]
    3.13t    threads    1  228 [225, 231]  1.00               0.91 [0.90, 0.93]
    3.13t    threads    2  119 [117, 120]  1.92 [1.90, 1.95]  1.76 [1.73, 1.79]
    3.13t    processes  1  246 [243, 249]  1.00               0.85 [0.83, 0.86]
    3.13t    processes  2  128 [126, 129]  1.93 [1.90, 1.96]  1.63 [1.60, 1.66]
    ");
}

#[test]
fn eighty_columns_hold_the_share_of_the_ceiling() {
    let mut summary = summaries::with_ceiling();
    summary.cells.retain(|cell| cell.workload == "fib");
    insta::assert_snapshot!(plain(&summary, 80), @r"
    threads on 3.13:    flat (0.98x) at 2 workers
    threads on 3.13t:   1.92x [1.89, 1.95] at 2 workers
    processes on 3.13:  1.87x [1.84, 1.90] at 2 workers
    processes on 3.13t: 1.92x [1.89, 1.95] at 2 workers

    fib
    interp.  model      N   makespan (ms)            speedup  % of ceiling  vs 3.13
    ───────────────────────────────────────────────────────────────────────────────
    3.13     serial     1  347 [343, 351]     -                 -              1.00
    3.13     threads    1  347 [343, 351]  1.00               100              1.00
    3.13     threads    2  354 [350, 358]  0.98 [0.97, 0.99]   49 [48, 50]     0.98
    3.13     processes  1  375 [370, 379]  1.00               100              0.93
    3.13     processes  2  200 [198, 203]  1.87 [1.84, 1.90]   94 [92, 96]     1.73
    3.13t    serial     1  380 [375, 385]     -                 -              0.91
    3.13t    threads    1  380 [375, 385]  1.00               100              0.91
    3.13t    threads    2  198 [196, 200]  1.92 [1.89, 1.95]   96 [95, 98]     1.75
    3.13t    processes  1  410 [405, 415]  1.00               100              0.85
    3.13t    processes  2  214 [211, 216]  1.92 [1.89, 1.95]   96 [95, 98]     1.62
    native   threads    1  400 [395, 405]  1.00                 -                 -
    native   threads    2  201 [199, 203]  1.99 [1.96, 2.02]    -                 -
    ");
}

#[test]
fn a_wide_terminal_has_the_ceiling_in_full() {
    let mut summary = summaries::with_ceiling();
    summary
        .cells
        .retain(|cell| cell.workload == "fib" && cell.model == Model::Threads);
    insta::assert_snapshot!(plain(&summary, 120), @r"
    threads on 3.13:  flat (0.98x) at 2 workers
    threads on 3.13t: 1.92x [1.89, 1.95] at 2 workers

    fib
    interpreter  model    workers   makespan (ms)         units/s            speedup  % of ceiling     vs 3.13 serial  GIL
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    3.13         threads        1  347 [343, 351]  288 [285, 292]  1.00               100           1.00 [0.98, 1.02]  on
    3.13         threads        2  354 [350, 358]  282 [279, 286]  0.98 [0.97, 0.99]   49 [48, 50]  0.98 [0.96, 1.00]  on
    3.13t        threads        1  380 [375, 385]  263 [260, 266]  1.00               100           0.91 [0.90, 0.93]  off
    3.13t        threads        2  198 [196, 200]  505 [499, 511]  1.92 [1.89, 1.95]   96 [95, 98]  1.75 [1.72, 1.78]  off
    native       threads        1  400 [395, 405]    -             1.00                 -              -               -
    native       threads        2  201 [199, 203]    -             1.99 [1.96, 2.02]    -              -               -
    ");
}

#[test]
fn a_summary_without_a_ceiling_has_no_column_for_it() {
    let mut summary = summaries::with_ceiling();
    summary
        .cells
        .retain(|cell| !(cell.workload == "nbody" && cell.is_native()) && cell.workers == 2);
    for cell in &mut summary.cells {
        if cell.workload == "nbody" {
            cell.ceiling_fraction = None;
        }
    }
    let text = plain(&summary, 120);
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("interp")).collect();
    assert_eq!(headings.len(), 2);
    assert!(
        headings.iter().all(|line| line.contains("% of ceiling")),
        "{text}"
    );
    summary.cells.retain(|cell| cell.workload == "nbody");
    assert!(!plain(&summary, 120).contains("ceiling"));
}

#[test]
fn a_wide_terminal_has_the_gil_too() {
    let mut summary = summaries::two_cores();
    summary
        .cells
        .retain(|cell| cell.workload == "fib" && cell.model != Model::Serial);
    insta::assert_snapshot!(plain(&summary, 120), @r"
    threads on 3.13:    flat (0.98x) at 2 workers
    threads on 3.13t:   1.92x [1.89, 1.95] at 2 workers
    processes on 3.13:  1.87x [1.84, 1.90] at 2 workers
    processes on 3.13t: 1.92x [1.89, 1.95] at 2 workers

    fib
    interpreter  model      workers   makespan (ms)         units/s            speedup     vs 3.13 serial  GIL
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    3.13         threads          1  347 [343, 351]  288 [285, 292]  1.00               1.00 [0.98, 1.02]  on
    3.13         threads          2  354 [350, 358]  282 [279, 286]  0.98 [0.97, 0.99]  0.98 [0.96, 1.00]  on
    3.13         processes        1  375 [370, 379]  267 [264, 270]  1.00               0.93 [0.91, 0.94]  on
    3.13         processes        2  200 [198, 203]  499 [493, 505]  1.87 [1.84, 1.90]  1.73 [1.70, 1.76]  on
    3.13t        threads          1  380 [375, 385]  263 [260, 266]  1.00               0.91 [0.90, 0.93]  off
    3.13t        threads          2  198 [196, 200]  505 [499, 511]  1.92 [1.89, 1.95]  1.75 [1.72, 1.78]  off
    3.13t        processes        1  410 [405, 415]  244 [241, 247]  1.00               0.85 [0.83, 0.86]  off
    3.13t        processes        2  214 [211, 216]  468 [462, 474]  1.92 [1.89, 1.95]  1.62 [1.60, 1.65]  off
    ");
}

#[test]
fn failures_and_skipped_cells_are_listed() {
    let mut summary = summaries::without_figures();
    summary.warnings.push(summaries::builds_differ());
    insta::assert_snapshot!(plain(&summary, 80), @r#"
    warning: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14.
             Build both alike to compare them.

    fib
    interp.  model      N  makespan (s)  speedup  vs 3.13 serial  status
    ──────────────────────────────────────────────────────────────────────────
    3.13     serial     1             -        -               -  failed
    3.13     threads    1             -        -               -  timed out
    3.13     threads    2             -        -               -  wrong result
    3.13     processes  2             -        -               -  failed
    3.13t    serial     1             -        -               -  timed out
    3.13t    threads    1             -        -               -  wrong result
    3.13t    processes  1             -        -               -  failed
    3.13t    processes  2             -        -               -  timed out

    nbody
    interp.  model      N  makespan (s)  speedup  vs 3.13 serial  status
    ──────────────────────────────────────────────────────────────────────────
    3.13     serial     1             -        -               -  wrong result
    3.13     threads    2             -        -               -  failed
    3.13     processes  1             -        -               -  timed out
    3.13     processes  2             -        -               -  wrong result
    3.13t    threads    1             -        -               -  failed
    3.13t    threads    2             -        -               -  timed out
    3.13t    processes  1             -        -               -  wrong result

    failed: fib 3.13 serial x1, fib 3.13 processes x2, fib 3.13t processes x1, nbody
            3.13 threads x2, and 1 more
      ZeroDivisionError: division by zero
        Traceback (most recent call last):
          File "fib.py", line 9, in work
            return 1 / 0
        ZeroDivisionError: division by zero
    timed out: fib 3.13 threads x1, fib 3.13t serial x1, fib 3.13t processes x2,
               nbody 3.13 processes x1, and 1 more
      no answer to 'sample' within 60 s
    wrong result: fib 3.13 threads x2, fib 3.13t threads x1, nbody 3.13 serial x1,
                  nbody 3.13 processes x2, and 1 more
      check: expected 6765, got 6764

    Not measured
    cells                                  how many  why
    processes, threads and serial on 3.13         5  serial has one worker only
    and 3.13t: fib and nbody
    "#);
}

#[test]
fn every_width_renders_and_no_table_overruns_it() {
    for summary in [
        summaries::two_cores(),
        summaries::many_cores(),
        summaries::with_ceiling(),
        summaries::hostile(),
        summaries::without_figures(),
    ] {
        for width in [0, 1, 30, 60, 72, 80, 100, 200] {
            let text = plain(&summary, width);
            assert!(!text.contains('\u{1b}'), "colour at {width}");
            if width >= 60 {
                let wide: Vec<&str> = tables_of(&text)
                    .filter(|line| line.chars().count() > usize::from(width))
                    .collect();
                assert!(wide.is_empty(), "{width}: {wide:?}");
            }
        }
    }
}

/// The lines of a text that belong to its tables.
fn tables_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| ["─", "interp", "3.1"].iter().any(|start| line.starts_with(start)))
}

#[test]
fn colour_is_used_only_if_requested() {
    let coloured = render(
        &summaries::two_cores(),
        Style {
            colour: true,
            width: Some(80),
        },
    );
    assert!(coloured.contains("\u{1b}["));
    assert!(!render(&summaries::two_cores(), Style::default()).contains('\u{1b}'));
}

#[test]
fn an_empty_summary_says_so() {
    let mut summary = summaries::two_cores();
    summary.cells.clear();
    assert_eq!(plain(&summary, 80), "nothing was measured\n");
}

#[test]
fn figures_that_are_not_numbers_are_unknown() {
    let mut summary = summaries::two_cores();
    let nothing = Estimate {
        estimate: f64::NAN,
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };
    for cell in &mut summary.cells {
        cell.makespan_s = Some(nothing);
        cell.speedup = Some(nothing);
        cell.vs_baseline = Some(nothing);
    }
    let text = plain(&summary, 80);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn a_run_with_arms_says_first_how_they_compare() {
    let shown = plain(&summaries::with_arms(), 100);
    assert!(
        shown.starts_with("new on 3.13:  1.08x as fast as base [1.05, 1.11], serial; "),
        "{shown}"
    );
    for words in [
        "threads on 3.13 base:",
        "Arms compared",
        "vs baseline",
        "cannot tell",
        "same within 2 %",
    ] {
        assert!(shown.contains(words), "no {words:?} in\n{shown}");
    }
}

/// Figures of `fib` after three rounds, as they are known while a run goes on.
fn begun() -> Summary {
    let mut summary = summaries::with_ceiling();
    summary.cells.retain(|cell| cell.workload == "fib");
    for cell in &mut summary.cells {
        cell.rounds = 3;
        (cell.gil, cell.units_per_s) = (None, None);
    }
    summary
}

#[test]
fn a_table_so_far_says_so_and_fits_the_terminal() {
    let style = |width| Style {
        colour: false,
        width: Some(width),
    };
    let table = so_far(&begun(), style(80), 24).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.first(), Some(&"fib so far, 3 rounds"));
    assert_eq!(lines.len(), 3 + begun().cells.len());
    assert!(!table.contains("GIL") && !table.contains("units/s"), "{table}");
    for (width, height) in [(48, 24), (60, 10), (80, 6), (200, 50)] {
        let Some(table) = so_far(&begun(), style(width), height) else {
            panic!("no table for {width} x {height}");
        };
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines.len() <= usize::from(height), "{table}");
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() <= usize::from(width)),
            "{table}"
        );
    }
    let low = so_far(&begun(), style(80), 6).unwrap();
    assert!(low.ends_with("and 10 more rows"), "{low}");
    for (width, height) in [(40, 24), (80, 3), (0, 0)] {
        assert_eq!(so_far(&begun(), style(width), height), None);
    }
}

#[test]
fn nothing_measured_so_far_has_no_table() {
    let mut summary = begun();
    summary.cells.clear();
    assert_eq!(so_far(&summary, Style::default(), 24), None);
}
