//! Charts with curves over numbers of workers: speedup, throughput, efficiency, interpreters and memory.

use crate::chart::{Axis, Body, Chart, Lines, Scale, Series, Tick, axis, words};
use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{CellSummary, Estimate, GilState, Model, Scaling, Summary, text};

use super::curve_words;
use super::material::Material;
use super::measured::{LONGEST_NAME, Line, Quantity, counts, measured, measured_as, series, thin_out};
use super::show::Show;
use super::shown::{MOST_WORKERS_LINEAR, of_lines, value_range, workers_axis};

/// The cells of a workload, the ceiling's apart.
struct Cells<'a> {
    all: Vec<&'a CellSummary>,
    own: Vec<&'a CellSummary>,
    ceiling: Vec<&'a CellSummary>,
}

impl<'a> Cells<'a> {
    fn of(summary: &'a Summary, workload: &str) -> Self {
        let all: Vec<&CellSummary> = summary
            .cells
            .iter()
            .filter(|cell| cell.workload == workload)
            .collect();
        let (ceiling, own) = all.iter().partition(|cell| cell.is_native());
        Self { all, own, ceiling }
    }
}

/// Speedup over workers. Where no cell has a speedup at 2 workers or more it shows makespans instead, and where there are
/// none of those either it says so.
pub(super) fn scaling(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let lines = measured(summary, &cells.own, Quantity::Speedup);
    let climbs = |line: &Line<'_>| line.values.iter().any(|(workers, _)| *workers > 1);
    let chart = if lines.iter().any(climbs) {
        let title = match summary.run.scaling {
            Scaling::Strong => "Speedup over one worker (higher is better)",
            Scaling::Weak => "Scaled speedup over one worker: work grows with workers (higher is better)",
        };
        of_lines(
            summary,
            lines,
            &cells.ceiling,
            &Show::new(Quantity::Speedup, title),
        )
    } else {
        of_makespans(summary, &cells.own)
    };
    let finding = match words::title_words(summary, workload) {
        Some(finding) => finding,
        None if matches!(chart.body, Body::Nothing(_)) => "nothing was measured".to_owned(),
        None => "time by interpreter and model".to_owned(),
    };
    framed(chart, material, workload, &cells, &finding)
}

/// Speedup over the number of workers.
pub(super) fn efficiency(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let lines = measured(summary, &cells.own, Quantity::Efficiency);
    let finding = curve_words::efficiency(&lines);
    let title = "Efficiency: speedup over the number of workers (higher is better)";
    let chart = of_lines(
        summary,
        lines,
        &cells.ceiling,
        &Show::new(Quantity::Efficiency, title),
    );
    framed(chart, material, workload, &cells, &finding)
}

/// Units of work a second.
pub(super) fn throughput(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let lines = measured(summary, &cells.own, Quantity::Throughput);
    let finding = curve_words::throughput(&lines);
    let show = Show::throughput(&lines);
    let mut chart = of_lines(summary, lines, &cells.ceiling, &show);
    if matches!(chart.body, Body::Lines(_)) {
        let fastest = "Ideal and ceiling start at the fastest curve's one worker.";
        chart.caption.push(fastest.to_owned());
    }
    framed(chart, material, workload, &cells, &finding)
}

/// One model across interpreters: against the baseline where all were measured in one run, in units a second otherwise.
pub(super) fn interpreters(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let mut cells = Cells::of(summary, workload);
    let models = [Model::Threads, Model::Processes, Model::Interpreters];
    let has = |model: &Model| {
        cells
            .own
            .iter()
            .any(|cell| cell.model == *model && cell.makespan_s.is_some())
    };
    let first = cells
        .own
        .iter()
        .map(|cell| cell.model)
        .find(|model| *model != Model::Serial);
    let model = models.into_iter().find(has).or(first).unwrap_or(Model::Serial);
    cells.own.retain(|cell| cell.model == model);
    cells.all.retain(|cell| cell.model == model && !cell.is_native());
    let joined = material.is_joined();
    let quantity = if joined {
        Quantity::Throughput
    } else {
        Quantity::Speed
    };
    let lines = measured(summary, &cells.own, quantity);
    let baseline = text::line(&summary.run.baseline);
    let finding = curve_words::interpreters(&lines, model, (!joined).then_some(baseline.as_str()));
    let title = format!("Speed with {model} over serial on {baseline} (higher is better)");
    let show = if joined {
        Show::throughput(&lines)
    } else {
        Show::new(Quantity::Speed, &title)
    };
    let mut chart = of_lines(summary, lines, &[], &show);
    if let Body::Lines(body) = &mut chart.body {
        strengths(&mut body.series);
    }
    framed(chart, material, workload, &cells, &finding)
}

/// Peak memory of a trial's processes.
pub(super) fn memory(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let lines = measured(summary, &cells.own, Quantity::Memory);
    let finding = curve_words::memory(&lines);
    let all_have = |of: fn(&CellSummary) -> Option<Estimate>| {
        let mut cells = cells.own.iter();
        cells.all(|cell| of(cell).is_some() || cell.rss_peak_bytes.is_none())
    };
    let of = if all_have(|cell| cell.memory_peak_bytes) {
        "shared pages counted once"
    } else if all_have(|cell| cell.pss_peak_bytes) {
        "shared pages counted once (PSS)"
    } else {
        "pages shared by processes counted in each (RSS)"
    };
    let title = format!("Peak memory of all processes, MiB, {of} (lower is better)");
    let mut show = Show::new(Quantity::Memory, &title);
    show.factor = 1.0 / f64::from(1 << 20);
    show.words = units::bytes;
    let chart = of_lines(summary, lines, &[], &show);
    framed(chart, material, workload, &cells, &finding)
}

/// Weaker colours for the earlier of several series with the same GIL state.
fn strengths(series: &mut [Series]) {
    for gil in [Some(GilState::On), Some(GilState::Off), None] {
        let alike = || |one: &&mut Series| one.gil == gil;
        let number = series.iter().filter(|one| one.gil == gil).count();
        let steps = f64::from(u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX));
        let mut strength = if number > 1 { 0.5 } else { 1.0 };
        for one in series.iter_mut().filter(alike()) {
            one.strength = strength;
            strength += 0.5 / steps.max(1.0);
        }
    }
}

/// The chart in its frame.
fn framed(mut chart: Chart, material: &Material, workload: &str, cells: &Cells<'_>, finding: &str) -> Chart {
    let name = text::shorten(&text::line(workload), LONGEST_NAME);
    chart.title = format!("{name}: {finding}");
    let ceiling = chart.has_ceiling();
    let key = "Solid and filled: GIL off. Dashed and hollow: GIL on. Bands: 95 % intervals.";
    material.frame(&mut chart, &cells.all, key);
    if ceiling {
        // Before the method, which comes last, and after what must not be cut off.
        let method = chart.caption.len().saturating_sub(1);
        chart
            .caption
            .insert(method, words::ceiling(&material.summary, workload));
    }
    chart
}

/// Makespans, where there is no speedup to show.
fn of_makespans(summary: &Summary, cells: &[&CellSummary]) -> Chart {
    let mut lines = measured_as(summary, cells, |cell| cell.makespan_s);
    let too_many = thin_out(&mut lines);
    let estimates = lines
        .iter()
        .flat_map(|line| line.values.iter().map(|(_, value)| value.estimate));
    let Some(typical) = units::typical(estimates) else {
        return Chart::of(Body::Nothing("No cell of this workload has a figure.".to_owned()));
    };
    let unit = TimeUnit::for_typical(typical);
    let mut series = series(&lines, unit.from_seconds(1.0), units::duration);
    let (low, high) = value_range(&series);
    let title = format!("Makespan, {} (lower is better)", unit.symbol());
    let y = axis::value_axis(title, Scale::Linear, low, high);
    let counts = counts(&lines);
    let (x, why) = match counts.as_slice() {
        [only] => (
            side_by_side(&mut series, *only),
            "Times, not speedups: only one number of workers was measured; ask for more, such as -n 1,2.",
        ),
        _ => {
            let most = counts.last().copied().unwrap_or(1);
            let scale = if most > MOST_WORKERS_LINEAR {
                Scale::Log2
            } else {
                Scale::Linear
            };
            (
                workers_axis(&counts, scale),
                "Times, not speedups: there is no cell with one worker to compare with; add 1 to -n.",
            )
        }
    };
    Chart {
        caption: too_many.into_iter().chain([why.to_owned()]).collect(),
        ..Chart::of(Body::Lines(Lines {
            x,
            y,
            series,
            references: Vec::new(),
        }))
    }
}

/// With one number of workers the x axis is of no use: every series gets a place of its own along it.
fn side_by_side(series: &mut [Series], workers: u32) -> Axis {
    let mut ticks = Vec::new();
    let mut place = 0.0;
    for series in series {
        place += 1.0;
        for point in &mut series.points {
            point.x = place;
        }
        ticks.push(Tick {
            value: place,
            // Tag and model below each other.
            label: series.label.replacen(' ', "\n", 1),
        });
    }
    Axis {
        title: text::counted(usize::try_from(workers).unwrap_or(usize::MAX), "worker"),
        scale: Scale::Linear,
        low: 0.0,
        high: place + 1.0,
        ticks,
    }
}
