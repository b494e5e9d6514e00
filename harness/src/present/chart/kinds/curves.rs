//! Charts with curves over numbers of workers: speedup, throughput, efficiency, interpreters and memory.

use crate::present::chart::{
    Axis, Body, Chart, Lines, Marker, Point, ReferenceKind, ReferenceLine, Scale, Series, Tick, axis, words,
};
use crate::present::text;
use crate::present::units::{self, TimeUnit};
use crate::record::schema::{
    CellStatus, CellSummary, CurveLaws, Estimate, GilState, Host, LawFit, Model, Scaling, Summary,
};

use super::{Material, curve_words};

/// With more workers than this both axes are logarithmic, with fewer both are linear: the ideal line is straight
/// either way, and on a linear axis 1 to 4 would be a speck beside 128.
const MOST_WORKERS_LINEAR: u32 = 8;
/// Longer names are cut.
pub(in crate::present::chart) const LONGEST_NAME: usize = 28;
/// Longer tags are cut: two of one build differ before that, such as `3.14.10t+nogil+nojit` and `…+notlbc`.
pub(in crate::present::chart) const LONGEST_TAG: usize = 20;
/// More series than this cannot be followed.
const MOST_SERIES: usize = 12;
/// Corners of a fitted curve.
const FITTED_CORNERS: u32 = 40;
/// At most so many fits are told in the caption.
const MOST_FITS: usize = 4;

/// What a chart's curves are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Own time with one worker over the time.
    Speedup,
    /// Speedup over the number of workers.
    Efficiency,
    /// Units of work a second.
    Throughput,
    /// Speed against the baseline's `serial`.
    Speed,
    /// Bytes.
    Memory,
}

impl Quantity {
    fn of(self, summary: &Summary, cell: &CellSummary) -> Option<Estimate> {
        match self {
            Self::Speedup => cell.speedup.filter(|_| cell.model != Model::Serial),
            Self::Efficiency => cell.efficiency.filter(|_| cell.model != Model::Serial),
            Self::Throughput => {
                let shares = match summary.run.scaling {
                    Scaling::Strong => 1,
                    Scaling::Weak => cell.workers,
                };
                #[allow(clippy::cast_precision_loss)] // Exact up to 2^53 units.
                let units = cell.units? as f64 * f64::from(shares);
                cell.makespan_s.map(|time| Estimate {
                    estimate: units / time.estimate,
                    low: units / time.high,
                    high: units / time.low,
                })
            }
            Self::Speed => cell.vs_baseline,
            Self::Memory => cell.pss_peak_bytes.or(cell.rss_peak_bytes),
        }
    }
}

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
    let shared = cells
        .own
        .iter()
        .all(|cell| cell.pss_peak_bytes.is_some() || cell.rss_peak_bytes.is_none());
    let of = if shared {
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

/// The measured values of one model on one interpreter.
pub(super) struct Line<'a> {
    pub(super) workload: &'a str,
    pub(super) tag: &'a str,
    host: Host,
    pub(super) model: Model,
    pub(super) gil: Option<GilState>,
    /// Workers and estimate, by workers.
    pub(super) values: Vec<(u32, Estimate)>,
}

/// The values of cells, in the order of the plan. Cells that failed have none; those whose GIL came back
/// on have, and are drawn as what they were: measured with the GIL.
fn measured<'a>(summary: &'a Summary, cells: &[&'a CellSummary], quantity: Quantity) -> Vec<Line<'a>> {
    measured_as(summary, cells, |cell| quantity.of(summary, cell))
}

fn measured_as<'a>(
    summary: &'a Summary,
    cells: &[&'a CellSummary],
    value: impl Fn(&CellSummary) -> Option<Estimate>,
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for cell in cells {
        let usable = matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled);
        let Some(estimate) = value(cell).filter(|known| usable && known.estimate.is_finite()) else {
            continue;
        };
        let tag = cell.interpreter.as_str();
        let known = lines
            .iter_mut()
            .find(|line| line.tag == tag && line.host == cell.host && line.model == cell.model);
        let gil = cell.gil.or_else(|| {
            let facts = summary.interpreters.iter().find(|facts| facts.tag == tag);
            facts.map(|facts| facts.gil)
        });
        match known {
            Some(line) => {
                line.values.push((cell.workers, estimate));
                if gil == Some(GilState::On) {
                    line.gil = gil;
                }
            }
            None => lines.push(Line {
                workload: &cell.workload,
                tag,
                host: cell.host,
                model: cell.model,
                gil,
                values: vec![(cell.workers, estimate)],
            }),
        }
    }
    for line in &mut lines {
        line.values.sort_by_key(|(workers, _)| *workers);
        line.values.dedup_by_key(|(workers, _)| *workers);
    }
    lines
}

/// Series of lines. `scale` is what an estimate is multiplied with, `words` its last value as a label.
fn series(lines: &[Line<'_>], scale: f64, words: impl Fn(f64) -> String) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for line in lines {
        let family = line.model.family();
        let alike = series
            .iter()
            .filter(|other| other.family == family && other.gil == line.gil)
            .count();
        let points: Vec<Point> = line
            .values
            .iter()
            .map(|(workers, value)| point(*workers, *value, scale))
            .collect();
        series.push(Series {
            label: series_name(line),
            strength: 1.0,
            value_label: line
                .values
                .last()
                .map(|(_, value)| words(value.estimate))
                .unwrap_or_default(),
            family,
            gil: line.gil,
            marker: Marker::nth(alike),
            points,
        });
    }
    series
}

pub(super) fn series_name(line: &Line<'_>) -> String {
    let model = line.model.name();
    // Most models leave room for the whole tag; of the longest both are cut.
    let room = LONGEST_NAME.saturating_sub(model.len() + 1).max(LONGEST_NAME / 2);
    let tag = text::shorten(&text::line(line.tag), room.min(LONGEST_TAG));
    text::shorten(&format!("{} {model}", line.host.label(&tag)), LONGEST_NAME)
}

/// An end of an interval that is not known lies at the value.
fn point(workers: u32, value: Estimate, scale: f64) -> Point {
    let or_value = |end: f64| if end.is_finite() { end } else { value.estimate };
    Point {
        x: f64::from(workers),
        y: value.estimate * scale,
        low: or_value(value.low) * scale,
        high: or_value(value.high) * scale,
    }
}

fn counts(lines: &[Line<'_>]) -> Vec<u32> {
    let mut counts: Vec<u32> = lines
        .iter()
        .flat_map(|line| line.values.iter().map(|(workers, _)| *workers))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// How a quantity is shown.
struct Show {
    quantity: Quantity,
    title: String,
    /// What an estimate is multiplied with for the axis.
    factor: f64,
    /// An estimate in words.
    words: fn(f64) -> String,
    /// The one-worker value that ideal and ceiling are multiples of; `None` without those.
    one_worker: Option<f64>,
}

impl Show {
    fn new(quantity: Quantity, title: &str) -> Self {
        Self {
            quantity,
            title: title.to_owned(),
            factor: 1.0,
            words: match quantity {
                Quantity::Efficiency => |share| format!("{} %", units::number(share * 100.0, 0)),
                _ => units::times,
            },
            one_worker: matches!(quantity, Quantity::Speedup | Quantity::Efficiency).then_some(1.0),
        }
    }

    fn throughput(lines: &[Line<'_>]) -> Self {
        let values = || lines.iter().flat_map(|line| &line.values);
        let typical = units::typical(values().map(|(_, value)| value.estimate)).unwrap_or(1.0);
        let (factor, unit) = match typical {
            large if large >= 1e9 => (1e-9, "Billions of units"),
            large if large >= 1e6 => (1e-6, "Millions of units"),
            large if large >= 1e4 => (1e-3, "Thousands of units"),
            _ => (1.0, "Units"),
        };
        let alone = values().filter(|(workers, _)| *workers == 1);
        let fastest = alone.map(|(_, value)| value.estimate).fold(0.0, f64::max);
        Self {
            quantity: Quantity::Throughput,
            title: format!("{unit} of work per second (higher is better)"),
            factor,
            words: curve_words::per_second,
            one_worker: (fastest > 0.0).then_some(fastest),
        }
    }

    /// What a speedup is in this quantity, on the axis.
    fn of_speedup(&self, speedup: f64, workers: f64, one_worker: f64) -> f64 {
        match self.quantity {
            Quantity::Efficiency => speedup / workers,
            _ => speedup * one_worker * self.factor,
        }
    }
}

fn of_lines(summary: &Summary, mut lines: Vec<Line<'_>>, ceiling: &[&CellSummary], show: &Show) -> Chart {
    if lines.is_empty() {
        return Chart::of(Body::Nothing("No cell of this workload has a figure.".to_owned()));
    }
    let too_many = thin_out(&mut lines);
    let counts = counts(&lines);
    let (fewest, most) = (
        counts.first().copied().unwrap_or(1),
        counts.last().copied().unwrap_or(1),
    );
    let scale = if most > MOST_WORKERS_LINEAR {
        Scale::Log2
    } else {
        Scale::Linear
    };
    let series = series(&lines, show.factor, show.words);
    let x = workers_axis(&counts, scale);
    let mut references = Vec::new();
    if matches!(show.quantity, Quantity::Speedup | Quantity::Speed) {
        references.push(ReferenceLine {
            label: String::new(),
            corners: vec![[x.low, 1.0], [x.high, 1.0]],
            kind: ReferenceKind::Reckoned,
        });
    }
    if let Some(one_worker) = show.one_worker {
        let corner = |workers: u32| {
            let workers = f64::from(workers);
            [workers, show.of_speedup(workers, workers, one_worker)]
        };
        references.push(ReferenceLine {
            label: "ideal".to_owned(),
            corners: vec![corner(fewest), corner(most)],
            kind: ReferenceKind::Reckoned,
        });
        references.extend(ceiling_line(ceiling, fewest, most, |workers, speedup| {
            show.of_speedup(speedup, workers, one_worker)
        }));
    }
    let y = upward(show, &series, &references, scale);
    let fits = fits(summary, &lines, show, (fewest, most));
    references.extend(fits.curves);
    Chart {
        caption: too_many.into_iter().chain(fits.told).collect(),
        ..Chart::of(Body::Lines(Lines {
            x,
            y,
            series,
            references,
        }))
    }
}

/// The axis of values: linear from 0, or logarithmic as the axis of workers is.
fn upward(show: &Show, series: &[Series], references: &[ReferenceLine], scale: Scale) -> Axis {
    let (low, high) = value_range(series);
    let compared = references.iter().flat_map(|line| &line.corners).map(|[_, y]| *y);
    let high = compared.fold(high, f64::max);
    let title = show.title.clone();
    let mut y = match (show.quantity, scale) {
        (Quantity::Efficiency, _) | (_, Scale::Linear) => axis::value_axis(title, Scale::Linear, low, high),
        (Quantity::Speedup, Scale::Log2) => axis::value_axis(title, Scale::Log2, low, high),
        (_, Scale::Log2) if high / low > 3.0 => axis::doublings(title, low, high),
        (_, Scale::Log2) => axis::value_axis(title, Scale::Linear, low, high),
    };
    for tick in &mut y.ticks {
        match show.quantity {
            Quantity::Speedup | Quantity::Speed => tick.label.push('x'),
            Quantity::Efficiency => tick.label = format!("{} %", units::number(tick.value * 100.0, 0)),
            Quantity::Throughput | Quantity::Memory => {}
        }
    }
    y
}

/// Leaves at most [`MOST_SERIES`], threads and processes first, in their order; tells how many are gone.
fn thin_out(lines: &mut Vec<Line<'_>>) -> Option<String> {
    let gone = lines.len().checked_sub(MOST_SERIES).filter(|gone| *gone > 0)?;
    let importance = |model: Model| match model.family() {
        Model::Threads => 0,
        Model::Processes => 1,
        Model::Interpreters => 2,
        _ => 3,
    };
    let mut ranks: Vec<(u32, usize)> = lines
        .iter()
        .enumerate()
        .map(|(position, line)| (importance(line.model), position))
        .collect();
    ranks.sort_unstable();
    let kept: Vec<usize> = ranks
        .into_iter()
        .take(MOST_SERIES)
        .map(|(_, position)| position)
        .collect();
    let mut position = 0;
    lines.retain(|_| {
        position += 1;
        kept.contains(&(position - 1))
    });
    Some(format!(
        "Not drawn for want of room: {} more series; choose with 'ftbench plot RUN#TAG' or --model.",
        gone
    ))
}

/// Fitted laws: the curves, and what is said of them.
struct Fits {
    curves: Vec<ReferenceLine>,
    told: Option<String>,
}

fn fits(summary: &Summary, lines: &[Line<'_>], show: &Show, (fewest, most): (u32, u32)) -> Fits {
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
            laws.interpreter == line.tag && laws.host == line.host && laws.model == line.model
        };
        let mut laws = summary.laws.iter().filter(|laws| line.workload == laws.workload);
        laws.find(|laws| of_line(laws)).and_then(CurveLaws::best_fit)
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
        let Some((fit, (_, one_worker))) = fitted(line).zip(one_worker) else {
            continue;
        };
        let (low, high) = (f64::from(fewest), f64::from(most));
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
        told.push(format!("{} {}", series_name(line), of_fit(fit)));
    }
    let more = told.len().saturating_sub(MOST_FITS);
    told.truncate(MOST_FITS);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let told = (!told.is_empty()).then(|| format!("Thin dashes: fitted laws; {}.", told.join("; ")));
    Fits { curves, told }
}

/// A fit's parameters.
fn of_fit(fit: &LawFit) -> String {
    let percent = |share: f64| {
        let value = share * 100.0;
        format!("{} %", units::number(value, units::decimals_for(value, 2)))
    };
    let serial = format!(
        "{}, serial fraction {}",
        fit.law,
        percent(fit.serial_fraction.estimate)
    );
    fit.crosstalk.map_or_else(
        || serial.clone(),
        |crosstalk| format!("{serial}, crosstalk {}", percent(crosstalk.estimate)),
    )
}

/// The ceiling's speedups, as far as the axis of workers goes; a line takes two.
fn ceiling_line(
    cells: &[&CellSummary],
    fewest: u32,
    most: u32,
    value: impl Fn(f64, f64) -> f64,
) -> Option<ReferenceLine> {
    let mut points: Vec<(u32, f64)> = cells
        .iter()
        .filter(|cell| cell.status == CellStatus::Ok && (fewest..=most).contains(&cell.workers))
        .filter_map(|cell| Some((cell.workers, cell.speedup?.estimate)))
        .filter(|(_, speedup)| speedup.is_finite() && *speedup > 0.0)
        .collect();
    points.sort_by_key(|(workers, _)| *workers);
    (points.len() > 1).then(|| ReferenceLine {
        label: "ceiling".to_owned(),
        corners: points
            .into_iter()
            .map(|(workers, speedup)| [f64::from(workers), value(f64::from(workers), speedup)])
            .collect(),
        kind: ReferenceKind::Measured,
    })
}

/// Lowest and highest value worth showing. Ends of wide intervals may lie beyond: they would squeeze the rest.
fn value_range(series: &[Series]) -> (f64, f64) {
    let points = || {
        series
            .iter()
            .flat_map(|series| &series.points)
            .filter(|point| point.y > 0.0)
    };
    let lowest = points().map(|point| point.y).fold(f64::INFINITY, f64::min);
    let highest = points().map(|point| point.y).fold(0.0, f64::max);
    let low_end = points().map(|point| point.low).fold(lowest, f64::min);
    let high_end = points().map(|point| point.high).fold(highest, f64::max);
    (low_end.max(lowest / 1.5), high_end.min(highest * 1.5))
}

fn workers_axis(counts: &[u32], scale: Scale) -> Axis {
    Axis {
        title: "Workers".to_owned(),
        scale,
        low: f64::from(counts.first().copied().unwrap_or(1)),
        high: f64::from(counts.last().copied().unwrap_or(1)),
        ticks: axis::count_ticks(counts),
    }
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
