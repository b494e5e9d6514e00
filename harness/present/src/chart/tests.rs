use resvg::tiny_skia::{Pixmap, Rect};
use resvg::usvg::{Group, Node, Options, Tree};

use super::gallery::{every_kind, pictures, scaling, variants};
use super::*;
use ftbench_fixtures::summaries;
use ftbench_schema::{CellStatus, GilState, Summary, Warning, WarningKind};

/// The curves of a chart.
fn curves(chart: &Chart) -> &Lines {
    match &chart.body {
        Body::Lines(lines) => lines,
        other => panic!("no curves: {other:?}"),
    }
}

fn tree(drawn: &str) -> Tree {
    let options = Options {
        fontdb: font::database(),
        ..Options::default()
    };
    Tree::from_str(drawn, &options).unwrap()
}

/// Where every text of a picture stands.
fn texts(group: &Group) -> Vec<(String, Rect)> {
    let mut found = Vec::new();
    for node in group.children() {
        match node {
            Node::Group(inner) => found.extend(texts(inner)),
            Node::Text(text) => {
                let words: String = text.chunks().iter().map(|chunk| chunk.text()).collect();
                // The ink, not the line: labels may stand closer than lines of text.
                found.push((words, text.flattened().abs_bounding_box()));
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
    found
}

#[test]
fn no_text_leaves_the_picture_or_lies_over_another() {
    let curves = pictures()
        .into_iter()
        .map(|(name, chart)| (name.to_owned(), chart));
    for (name, chart) in curves.chain(every_kind()) {
        let tree = tree(&svg(&chart).unwrap());
        let texts = texts(tree.root());
        assert!(texts.len() >= 4, "{name}: {texts:?}");
        for (position, (words, place)) in texts.iter().enumerate() {
            assert!(
                place.left() >= 0.0 && place.top() >= 0.0,
                "{name}: {words} at {place:?}"
            );
            let (width, height) = (tree.size().width(), tree.size().height());
            assert!(
                place.right() <= width && place.bottom() <= height,
                "{name}: {words} at {place:?}"
            );
            for (others, other) in texts.iter().skip(position + 1) {
                let apart = place.right() <= other.left()
                    || other.right() <= place.left()
                    || place.bottom() <= other.top()
                    || other.bottom() <= place.top();
                assert!(apart, "{name}: '{words}' lies over '{others}'");
            }
        }
    }
}

#[test]
fn files_stay_small_and_the_same() {
    for (name, chart) in pictures() {
        let drawn = svg(&chart).unwrap();
        assert!(
            drawn.len() < 60_000 || name == "crowd",
            "{name}: {} bytes",
            drawn.len()
        );
        assert_eq!(drawn, svg(&chart).unwrap(), "{name}");
    }
}

#[test]
fn names_stay_text() {
    for (name, chart) in pictures()
        .into_iter()
        .filter(|(name, _)| name.starts_with("hostile"))
    {
        let drawn = svg(&chart).unwrap();
        assert!(!drawn.contains("<script") && !drawn.contains("<b>"), "{name}");
        assert!(drawn.contains("&lt;"), "{name}");
    }
}

#[test]
fn the_png_has_the_size_asked_for_and_is_not_blank() {
    let drawn = svg(&scaling(&summaries::two_cores(), "fib")).unwrap();
    let picture = Pixmap::decode_png(&png(&drawn, 2.0).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (1920, 1200));
    let Colour(red, green, blue) = Theme::LIGHT.threads;
    let threads = picture
        .pixels()
        .iter()
        .filter(|pixel| (pixel.red(), pixel.green(), pixel.blue()) == (red, green, blue));
    assert!(threads.count() > 1000);
}

#[test]
fn axes_are_linear_for_few_workers_and_logarithmic_for_many() {
    let few = scaling(&summaries::two_cores(), "fib");
    let few = curves(&few);
    assert_eq!((few.x.scale, few.y.scale), (Scale::Linear, Scale::Linear));
    let many = scaling(&summaries::many_cores(), "nbody");
    let many = curves(&many);
    assert_eq!((many.x.scale, many.y.scale), (Scale::Log2, Scale::Log2));
    let mut ticks: Vec<f64> = many.x.ticks.iter().map(|tick| tick.value).collect();
    ticks.sort_by(f64::total_cmp);
    assert_eq!(ticks, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 96.0, 128.0]);
}

#[test]
fn series_differ_in_colour_line_or_marker() {
    let chart = scaling(&summaries::many_cores(), "nbody");
    assert_eq!(curves(&chart).series.len(), 12, "serial is not drawn");
    let mut looks: Vec<String> = curves(&chart)
        .series
        .iter()
        .map(|series| format!("{} {:?} {:?}", series.family, series.gil, series.marker))
        .collect();
    looks.sort();
    looks.dedup();
    assert_eq!(looks.len(), 12, "{looks:?}");
}

#[test]
fn variants_of_a_build_keep_names_of_their_own() {
    let chart = scaling(&variants(), "fib");
    let mut names: Vec<&str> = curves(&chart)
        .series
        .iter()
        .map(|series| series.label.as_str())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
    for name in [
        "3.13t threads",
        "3.13.15t+gil threads",
        "3.13.15t+nogil+nojit threads",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn the_ceiling_is_a_reference_and_not_a_series() {
    let plain = scaling(&summaries::two_cores(), "fib");
    let chart = scaling(&summaries::with_ceiling(), "fib");
    assert_eq!(
        (&curves(&chart).series, &chart.title),
        (&curves(&plain).series, &plain.title)
    );
    let measured: Vec<&ReferenceLine> = curves(&chart)
        .references
        .iter()
        .filter(|line| line.kind == ReferenceKind::Measured)
        .collect();
    let [line] = measured.as_slice() else {
        panic!("{measured:?}")
    };
    assert_eq!(
        (line.label.as_str(), line.corners.as_slice()),
        ("ceiling", [[1.0, 1.0], [2.0, 1.99]].as_slice())
    );
    let drawn = svg(&chart).unwrap();
    assert!(
        drawn.contains(">\nceiling\n<") || drawn.contains(">ceiling<"),
        "{drawn}"
    );
    assert!(drawn.contains("ceiling: 1.00 at 1, 1.99 at 2."));
}

#[test]
fn a_ceiling_above_the_ideal_line_stays_in_the_picture() {
    let mut summary = summaries::with_ceiling();
    for cell in summary
        .cells
        .iter_mut()
        .filter(|cell| cell.is_native() && cell.workers == 2)
    {
        cell.speedup = Some(summaries::estimate(2.4, 2.0));
    }
    assert!(curves(&scaling(&summary, "fib")).y.high >= 2.4);
}

#[test]
fn a_ceiling_that_failed_is_not_drawn_and_said_to_be_missing() {
    let mut summary = summaries::with_ceiling();
    for cell in summary.cells.iter_mut().filter(|cell| cell.is_native()) {
        *cell = summaries::unmeasured(cell.clone(), CellStatus::Failed, "no");
    }
    let chart = scaling(&summary, "fib");
    assert!(
        curves(&chart)
            .references
            .iter()
            .all(|line| line.kind != ReferenceKind::Measured)
    );
    assert!(
        chart
            .caption
            .iter()
            .any(|words| words.contains("all of native threads")),
        "{:?}",
        chart.caption
    );
}

#[test]
fn a_cell_whose_gil_came_back_is_drawn_with_the_gil() {
    let mut summary = summaries::two_cores();
    for cell in &mut summary.cells {
        if cell.interpreter == "3.13t" {
            cell.status = CellStatus::GilReenabled;
            cell.gil = Some(GilState::On);
        }
    }
    let chart = scaling(&summary, "fib");
    assert!(
        curves(&chart)
            .series
            .iter()
            .all(|series| series.gil == Some(GilState::On))
    );
}

#[test]
fn titles_and_captions_describe_the_finding() {
    let words: Vec<String> = pictures()
        .into_iter()
        .map(|(name, chart)| format!("{name}: {}\n  {}", chart.title, chart.caption.join("\n  ")))
        .collect();
    insta::assert_snapshot!(words.join("\n"), @r"
    two: fib: threads reach 1.92x on 3.13t, stay flat on 3.13, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    many: nbody: threads reach 81.1x–104x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    dark: nbody: threads reach 81.1x–104x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    small: nbody: threads reach 81.1x–104x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    hostile: <script>alert('|')</script>…: threads reach 1.92x on 3.13t, stay flat on 3.13, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    hostile-tag: nbody: threads reach 1.92x on 3.13t|<b>, stay flat on 3.13|<b>, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    alike: fib: threads reach 1.90x–1.91x on 3.13 and 3.13t, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    below-one: fib: threads fall to 0.41x on 3.13 and 3.13t, at 2 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    one-worker: fib: time by interpreter and model
      Times, not speedups: only one number of workers was measured; ask for more, such as -n 1,2.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    without-one: nbody: time by interpreter and model
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Times, not speedups: there is no cell with one worker to compare with; add 1 to -n.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    one-64-128: nbody: threads reach 81.1x–104x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    one-to-eight: nbody: threads reach 7.88x–7.94x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 8 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    failed: fib: threads reach 104x on 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Failed, so not drawn: all of 3.13 asyncio; 3.13t threads at 32, 64, 96, 128; all of 3.13t asyncio; all of 3.14 asyncio; and 1 more.
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    nothing: fib: nothing was measured
      Failed, so not drawn: all of 3.13 serial; all of 3.13 threads; 3.13 processes at 2; all of 3.13t serial; and 2 more.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. seed 7, profile quick, ftbench 0.1.0.
    no-pair: fib: threads stay flat on 3.13, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    crowd: fib: threads reach 2.90x–3.90x on 11 interpreters, at 6 workers
      Not drawn because there is no room: 21 more series; choose with 'ftbench plot RUN#TAG' or --model.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    ceiling: fib: threads reach 1.92x on 3.13t, stay flat on 3.13, at 2 workers
      Ceiling: a native kernel on the same PUs, in the same rounds.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    ceiling-many: nbody: threads reach 81.1x–104x on 3.13t and 3.14t, stay flat on 3.13 and 3.14, at 128 workers
      Note: 3.14 and 3.14t differ in more than the GIL: PGO and LTO only in 3.14. Build both alike to compare them.
      Ceiling: a native kernel on the same PUs, in the same rounds.
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    variants: fib: threads reach 1.92x on 5 interpreters, stay flat on 3.13, at 2 workers
      Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals. 10 rounds, seed 7, profile quick, ftbench 0.1.0.
    ");
}

#[test]
fn builds_of_unknown_version_are_not_named() {
    let mut summary = summaries::two_cores();
    let lines = |summary: &Summary| scaling(summary, "fib").subtitle;
    let [machine, _] = lines(&summary).try_into().unwrap();
    summary.interpreters[0].version.clear();
    assert_eq!(
        lines(&summary),
        [machine.clone(), "CPython 3.13.15 (3.13t: -O3)".to_owned()]
    );
    summary.interpreters[1].version.clear();
    assert_eq!(lines(&summary), [machine]);
}

#[test]
fn a_chart_of_one_workload_omits_notes_on_others() {
    let mut summary = summaries::two_cores();
    let warning = |workload: &str| {
        let message = format!("{workload} is strange");
        Warning::of_workloads(WarningKind::GilReenabled, message, vec![workload.to_owned()])
    };
    summary.warnings = vec![warning("fib"), warning("nbody")];
    let caption = scaling(&summary, "fib").caption.join("\n");
    assert!(caption.contains("Note: fib is strange"), "{caption}");
    assert!(!caption.contains("nbody"), "{caption}");
}

#[test]
fn impossible_sizes_are_errors() {
    let mut chart = scaling(&summaries::two_cores(), "no such workload");
    assert!(svg(&chart).is_ok());
    chart.size = Size {
        width: 10,
        height: 10,
    };
    insta::assert_snapshot!(svg(&chart).unwrap_err(), @"a chart of 10x10 has no room for its labels; ask for 480x300 or more");
    chart.size = Size {
        width: 20_000,
        height: 10_000,
    };
    insta::assert_snapshot!(svg(&chart).unwrap_err(), @"a picture of 20000x10000 at scale 1 is too large or empty; ask for a smaller size or scale");
    assert!(matches!(png("not an svg", 1.0), Err(ChartError::Svg(_))));
    let drawn = svg(&scaling(&summaries::two_cores(), "fib")).unwrap();
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
        assert!(
            matches!(png(&drawn, scale), Err(ChartError::TooLarge { .. })),
            "{scale}"
        );
    }
}

#[test]
fn numbers_that_are_not_finite_are_not_drawn() {
    let mut summary = summaries::many_cores();
    let strange = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1.0,
        1e300,
        1e-300,
    ];
    for (cell, value) in summary.cells.iter_mut().zip(strange.into_iter().cycle()) {
        let estimate = ftbench_schema::Estimate {
            estimate: value,
            low: -value,
            high: f64::NAN,
        };
        cell.speedup = Some(estimate);
        cell.makespan_s = Some(estimate);
    }
    let drawn = svg(&scaling(&summary, "nbody")).unwrap();
    assert!(!drawn.contains("NaN"));
    summary.cells.iter_mut().for_each(|cell| cell.speedup = None);
    assert!(svg(&scaling(&summary, "nbody")).is_ok());
}

#[test]
fn arms_have_curves_of_their_own_the_first_paler() {
    let material = Material::of_run(summaries::with_arms(), Vec::new());
    let chart = make(Kind::Scaling, &material, "fib");
    let shown: Vec<(&str, f64)> = curves(&chart)
        .series
        .iter()
        .map(|series| (series.label.as_str(), series.strength))
        .collect();
    assert_eq!(
        shown,
        [
            ("3.13 base threads", 0.5),
            ("3.13 new threads", 1.0),
            ("3.13t base threads", 0.5),
            ("3.13t new threads", 1.0),
        ]
    );
    for kind in Kind::ALL {
        svg(&make(kind, &material, "fib")).unwrap();
    }
}
