//! Charts with curves over numbers of workers: speedup, throughput, efficiency, makespan, interpreters and memory.

use crate::chart::{Axis, Body, Chart, Lines, Scale, Series, Tick, words};
use ftbench_schema::{CellSummary, Estimate, GilState, Model, Summary, text};

use super::material::Material;
use super::measured::{LONGEST_NAME, Line, Quantity, counts, measured};
use super::show::Show;
use super::shown::{WORKERS, of_lines};
use super::{Kind, curve_words};

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

/// A chart of a workload's curves, which a page can switch to.
pub(crate) struct Figure {
    /// The kind of chart.
    pub(crate) kind: Kind,
    /// The name of its quantity.
    pub(crate) name: &'static str,
    /// The chart, without words in its frame.
    pub(crate) chart: Chart,
}

/// Makes the charts of a workload's curves that have something to show, the most informative first. A series has the same number
/// in all of them.
pub(crate) fn figures(material: &Material, workload: &str) -> Vec<Figure> {
    let cells = Cells::of(&material.summary, workload);
    let figure = |kind: Kind, name: &'static str, chart: Option<Chart>| {
        let chart = chart.filter(|chart| matches!(chart.body, Body::Lines(_)))?;
        Some(Figure { kind, name, chart })
    };
    let climbs = |chart: &Chart| match &chart.body {
        Body::Lines(lines) => lines.x.low < lines.x.high,
        _ => false,
    };
    let mut figures: Vec<Figure> = [
        figure(Kind::Scaling, "Speedup", speedup_chart(material, &cells)),
        figure(
            Kind::Throughput,
            "Throughput",
            Some(throughput_chart(material, &cells).0),
        ),
        figure(
            Kind::Efficiency,
            "Efficiency",
            Some(efficiency_chart(material, &cells).0).filter(climbs),
        ),
        figure(Kind::Makespan, "Makespan", Some(makespan_chart(material, &cells))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut names: Vec<String> = Vec::new();
    // The last one, of times, has all series in the order of the plan.
    for figure in figures.iter_mut().rev() {
        let Body::Lines(lines) = &mut figure.chart.body else {
            continue;
        };
        for series in &mut lines.series {
            series.number = names
                .iter()
                .position(|name| *name == series.name)
                .unwrap_or_else(|| {
                    names.push(series.name.clone());
                    names.len() - 1
                });
        }
    }
    figures
}

/// Speedup over workers; `None` where no cell has a speedup at 2 workers or more.
fn speedup_chart(material: &Material, cells: &Cells<'_>) -> Option<Chart> {
    let summary = &material.summary;
    let lines = measured(summary, &cells.own, Quantity::Speedup);
    let climbs = |line: &Line<'_>| line.values.iter().any(|(workers, _)| *workers > 1);
    let show = Show::speedup(summary.run.scaling);
    lines
        .iter()
        .any(climbs)
        .then(|| of_lines(material, lines, &cells.ceiling, &show))
}

/// Speedup over the number of workers, and the finding.
fn efficiency_chart(material: &Material, cells: &Cells<'_>) -> (Chart, String) {
    let lines = measured(&material.summary, &cells.own, Quantity::Efficiency);
    let finding = curve_words::efficiency(&lines);
    let chart = of_lines(material, lines, &cells.ceiling, &Show::efficiency());
    (chart, finding)
}

/// Units of work a second, and the finding.
fn throughput_chart(material: &Material, cells: &Cells<'_>) -> (Chart, String) {
    let lines = measured(&material.summary, &cells.own, Quantity::Throughput);
    let finding = curve_words::throughput(&lines);
    let show = Show::throughput(&lines);
    let mut chart = of_lines(material, lines, &cells.ceiling, &show);
    if matches!(chart.body, Body::Lines(_)) {
        let references = if material.is_joined() || cells.ceiling.is_empty() {
            "The ideal starts"
        } else {
            "Ideal and ceiling start"
        };
        chart.caption.push(format!(
            "{references} from the fastest curve's value with one worker."
        ));
    }
    (chart, finding)
}

/// Times over workers. With one number of workers every series gets a place of its own along the axis.
fn makespan_chart(material: &Material, cells: &Cells<'_>) -> Chart {
    let lines = measured(&material.summary, &cells.own, Quantity::Makespan);
    let counts = counts(&lines);
    let show = Show::makespan(&lines);
    let mut chart = of_lines(material, lines, &[], &show);
    if let (Body::Lines(lines), [only]) = (&mut chart.body, counts.as_slice()) {
        lines.x = side_by_side(&mut lines.series, *only);
    }
    chart
}

/// Speedup over workers. Where no cell has a speedup at 2 workers or more it shows makespans instead, and where there are
/// none of those either it says so.
pub(super) fn scaling(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let chart = speedup_chart(material, &cells).unwrap_or_else(|| {
        let mut chart = makespan_chart(material, &cells);
        let is_of_one_count = |lines: &Lines| lines.x.title != WORKERS;
        chart.caption.extend(match &chart.body {
            Body::Lines(lines) if is_of_one_count(lines) => Some(
                "Times, not speedups: only one number of workers was measured; ask for more, such as -n 1,2."
                    .to_owned(),
            ),
            Body::Lines(_) => Some(
                "Times, not speedups: there is no cell with one worker to compare with; add 1 to -n."
                    .to_owned(),
            ),
            _ => None,
        });
        chart
    });
    let finding = match words::title_words(summary, workload) {
        Some(finding) => finding,
        None if matches!(chart.body, Body::Nothing(_)) => "nothing was measured".to_owned(),
        None => "time by interpreter and model".to_owned(),
    };
    framed(chart, material, workload, &cells, &finding)
}

/// Efficiency over workers.
pub(super) fn efficiency(material: &Material, workload: &str) -> Chart {
    let cells = Cells::of(&material.summary, workload);
    let (chart, finding) = efficiency_chart(material, &cells);
    framed(chart, material, workload, &cells, &finding)
}

/// Units of work a second over workers.
pub(super) fn throughput(material: &Material, workload: &str) -> Chart {
    let cells = Cells::of(&material.summary, workload);
    let (chart, finding) = throughput_chart(material, &cells);
    framed(chart, material, workload, &cells, &finding)
}

/// Times over workers.
pub(super) fn makespan(material: &Material, workload: &str) -> Chart {
    let cells = Cells::of(&material.summary, workload);
    let lines = measured(&material.summary, &cells.own, Quantity::Makespan);
    let finding = curve_words::makespan(&lines);
    let chart = makespan_chart(material, &cells);
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
        Show::ratio(Quantity::Speed, &title)
    };
    let mut chart = of_lines(material, lines, &[], &show);
    if let Body::Lines(body) = &mut chart.body {
        weaken_earlier(&mut body.series);
    }
    framed(chart, material, workload, &cells, &finding)
}

/// One model on several machines: units of work a second, and the share of each machine's own ceiling. The material has
/// only that model.
pub(crate) fn of_machines(material: &Material, workload: &str) -> Vec<Chart> {
    let summary = &material.summary;
    let cells = Cells::of(summary, workload);
    let chart = |quantity: Quantity| {
        let lines = measured(summary, &cells.own, quantity);
        let (show, finding) = match quantity {
            Quantity::Throughput => (Show::throughput(&lines), curve_words::throughput(&lines)),
            _ => (
                Show::ceiling_share(),
                "share of each machine's own ceiling".to_owned(),
            ),
        };
        let mut chart = of_lines(material, lines, &[], &show);
        if let Body::Lines(body) = &mut chart.body {
            weaken_earlier(&mut body.series);
        }
        framed(chart, material, workload, &cells, &finding)
    };
    [Quantity::Throughput, Quantity::CeilingShare]
        .map(chart)
        .into_iter()
        .filter(|chart| matches!(chart.body, Body::Lines(_)))
        .collect()
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
    let chart = of_lines(material, lines, &[], &Show::memory(of));
    framed(chart, material, workload, &cells, &finding)
}

/// Weaker colours for the earlier of several series with the same GIL state.
fn weaken_earlier(series: &mut [Series]) {
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
