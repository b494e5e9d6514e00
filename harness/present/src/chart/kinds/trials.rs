//! Charts of single measurements: the spread of samples, and the trials in time.

use std::collections::HashMap;

use crate::chart::rows::{self, Look, Mark, Row, Rows, Samples};
use crate::chart::time_line::{Dot, Event, TimeLine};
use crate::chart::{Body, Chart, Scale, axis};
use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{Cell, CellSummary, Disturbance, Estimate, Sample, Trial, TrialStatus, text};

use super::material::Material;
use super::workloads::{range, size_for};

/// More dots than this in a picture make a large file of one colour.
const MOST_DOTS: usize = 4000;
/// With more rows than this only the smallest and the largest number of workers are shown.
const MOST_ROWS: usize = 36;

pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(lower.midpoint(*upper))
}

fn makespan_s(sample: &Sample) -> f64 {
    units::seconds(sample.makespan_ns())
}

/// The median of a trial's counted samples, seconds; `None` when it did not end well.
fn value_s(trial: &Trial) -> Option<f64> {
    let mut values: Vec<f64> = trial.counted_samples().map(makespan_s).collect();
    (trial.status == TrialStatus::Ok).then(|| median(&mut values))?
}

/// Every counted sample of a workload, cell by cell.
pub(super) fn spread(material: &Material, workload: &str) -> Chart {
    let summary = &material.summary;
    let all: Vec<&CellSummary> = summary
        .cells
        .iter()
        .filter(|cell| cell.workload == workload)
        .collect();
    let mut trials: HashMap<Cell, Vec<&Trial>> = HashMap::new();
    for trial in &material.trials {
        if trial.cell.workload == workload && trial.status == TrialStatus::Ok {
            trials.entry(trial.cell.clone()).or_default().push(trial);
        }
    }
    let mut cells: Vec<&CellSummary> = all
        .iter()
        .copied()
        .filter(|cell| !cell.is_native() && cell.makespan_s.is_some() && trials.contains_key(&cell.cell))
        .collect();
    let mut notes = Vec::new();
    if cells.len() > MOST_ROWS {
        let most = cells.iter().map(|cell| cell.workers).max().unwrap_or(1);
        cells.retain(|cell| cell.workers == 1 || cell.workers == most);
        notes.push(format!("Only the cells with 1 and {most} workers are shown."));
    }
    let samples: usize = trials
        .values()
        .flatten()
        .map(|trial| trial.counted_samples().count())
        .sum();
    let dots: fn(&Trial) -> Vec<f64> = if samples > MOST_DOTS {
        notes.push(format!(
            "Each dot is the median of a trial: {samples} samples are too many to draw."
        ));
        |trial| value_s(trial).into_iter().collect()
    } else {
        |trial| trial.counted_samples().map(makespan_s).collect()
    };
    let typical = units::typical(cells.iter().filter_map(|cell| Some(cell.makespan_s?.estimate)));
    let unit = TimeUnit::for_typical(typical.unwrap_or(1.0));
    let mut rows: Vec<Row> = cells
        .iter()
        .filter_map(|cell| row(cell, trials.get(&cell.cell)?, unit, dots))
        .collect();
    let relative = are_far_apart(&rows);
    if relative {
        rows.iter_mut().flat_map(|row| &mut row.marks).for_each(to_shares);
    }
    let name = text::shorten(&text::line(workload), super::measured::LONGEST_NAME);
    let finding = spread_words(&rows);
    let mut chart = Chart {
        title: format!("{name}: {finding}"),
        caption: notes,
        ..strips(rows, (!relative).then_some(unit))
    };
    let key = "Filled: GIL off. Hollow: GIL on. Dots: counted samples. Vertical line: the cell's median; band: its 95 % \
               interval.";
    material.frame(&mut chart, &all, key);
    chart
}

fn row(cell: &CellSummary, trials: &[&Trial], unit: TimeUnit, dots: fn(&Trial) -> Vec<f64>) -> Option<Row> {
    let Estimate { estimate, low, high } = cell.makespan_s?;
    let dots: Vec<f64> = trials
        .iter()
        .flat_map(|trial| dots(trial))
        .map(|seconds| unit.from_seconds(seconds))
        .collect();
    let or_value = |end: f64| if end.is_finite() { end } else { estimate };
    let tag = text::shorten(&text::line(&cell.interpreter_label()), 24);
    (!dots.is_empty() && estimate.is_finite()).then(|| {
        let mark = Mark {
            value: unit.from_seconds(estimate),
            low: unit.from_seconds(or_value(low)),
            high: unit.from_seconds(or_value(high)),
            label: units::duration(estimate),
            samples: Samples::Dots(dots),
            look: Look {
                family: cell.model.family(),
                gil: cell.gil,
                strength: 1.0,
            },
        };
        Row::of(format!("{tag} {} x{}", cell.model, cell.workers), vec![mark])
    })
}

/// Medians so far apart that on one axis of times no spread would be seen.
fn are_far_apart(rows: &[Row]) -> bool {
    const FAR: f64 = 3.0;
    let medians = || rows.iter().flat_map(|row| &row.marks).map(|mark| mark.value);
    medians().fold(0.0, f64::max) > FAR * medians().fold(f64::INFINITY, f64::min)
}

/// Times as shares of the median.
fn to_shares(mark: &mut Mark) {
    let median = mark.value;
    let values = [&mut mark.value, &mut mark.low, &mut mark.high];
    let dots = match &mut mark.samples {
        Samples::Dots(dots) => dots.as_mut_slice(),
        Samples::None | Samples::Counts(_) => &mut [],
    };
    for value in values.into_iter().chain(dots) {
        *value /= median;
    }
}

/// Strips of times in a unit, or of shares of the median.
fn strips(rows: Vec<Row>, unit: Option<TimeUnit>) -> Chart {
    let marks: Vec<&Mark> = rows.iter().flat_map(|row| &row.marks).collect();
    let Some(first) = marks.first() else {
        return Chart::of(Body::Nothing("No trial of this workload ended well.".to_owned()));
    };
    let (low, high) = range(&marks, first.value);
    let dots = || marks.iter().flat_map(|mark| dots_of(mark)).copied();
    // A sample that took ten times as long as any median would squeeze the rest; it stands at the edge.
    let low = dots().fold(low, f64::min);
    let high = dots().fold(high, f64::max).min(high * 2.0);
    let x = axis::ranged_axis(
        unit.map_or_else(
            || "Makespan relative to the cell's median, which is on the right".to_owned(),
            |unit| format!("Makespan, {} (lower is better)", unit.symbol()),
        ),
        low * 0.98,
        high * 1.02,
    );
    let count = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    Chart {
        size: size_for(count, rows::BAR + rows::GAP),
        ..Chart::of(Body::Rows(Rows {
            origin: x.low,
            x,
            rows,
            uprights: Vec::new(),
            legend: Vec::new(),
        }))
    }
}

/// The single samples of a mark.
fn dots_of(mark: &Mark) -> &[f64] {
    match &mark.samples {
        Samples::Dots(dots) => dots,
        Samples::None | Samples::Counts(_) => &[],
    }
}

/// The width of the middle half of a cell's samples, relative to the median.
fn middle_half(mark: &Mark) -> f64 {
    let mut sorted = dots_of(mark).to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |quarter: usize| {
        sorted
            .get(sorted.len().saturating_sub(1) * quarter / 4)
            .copied()
            .unwrap_or(mark.value)
    };
    (at(3) - at(1)) / mark.value
}

fn spread_words(rows: &[Row]) -> String {
    let spreads: Vec<(f64, &str)> = rows
        .iter()
        .flat_map(|row| {
            row.marks
                .iter()
                .map(|mark| (middle_half(mark), row.label.as_str()))
        })
        .filter(|(spread, _)| spread.is_finite())
        .collect();
    let mut values: Vec<f64> = spreads.iter().map(|(spread, _)| *spread).collect();
    let Some(typical) = median(&mut values) else {
        return "nothing was measured".to_owned();
    };
    let per_cent = |share: f64| {
        let value = share * 100.0;
        format!("{} %", units::number(value, units::decimals_for(value, 2)))
    };
    let widest = spreads.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let widest = widest.map_or_else(String::new, |(spread, label)| {
        format!(" and up to {} ({label})", per_cent(*spread))
    });
    format!(
        "the middle half of the samples spans {} in the median cell{widest}",
        per_cent(typical)
    )
}

/// The trials of a run in time, against their cells' medians.
pub(super) fn time_line(material: &Material) -> Chart {
    let summary = &material.summary;
    let mut by_cell: HashMap<&Cell, Vec<f64>> = HashMap::new();
    for trial in &material.trials {
        if let Some(value) = value_s(trial) {
            by_cell.entry(&trial.cell).or_default().push(value);
        }
    }
    let medians: HashMap<&Cell, f64> = by_cell
        .into_iter()
        .filter_map(|(cell, mut values)| Some((cell, median(&mut values)?)))
        .collect();
    let start = instant(&summary.run.started_at);
    let mut dots: Vec<Dot> = material
        .trials
        .iter()
        .filter_map(|trial| {
            let x = instant(&trial.started_at)? - start?;
            let ratio = value_s(trial).zip(medians.get(&trial.cell));
            Some(Dot {
                x,
                y: ratio.map_or(f64::NAN, |(value, median)| value / median),
                event: event(trial),
            })
        })
        .filter(|dot| dot.y.is_finite() || dot.event == Event::Failed)
        .collect();
    let counts: Vec<(Event, usize)> = Event::ALL
        .into_iter()
        .map(|event| (event, dots.iter().filter(|dot| dot.event == event).count()))
        .filter(|(_, trials)| *trials > 0)
        .collect();
    let mut notes = Vec::new();
    let every = dots.len().div_ceil(MOST_DOTS).max(1);
    if every > 1 {
        notes.push(format!(
            "One trial in {every} is drawn; the counts in the legend are those of all trials."
        ));
        dots = dots.into_iter().step_by(every).collect();
    }
    let mut chart = Chart {
        title: time_line_words(&counts),
        caption: notes,
        ..dotted(dots, counts)
    };
    let cells: Vec<&CellSummary> = summary.cells.iter().filter(|cell| cell.rounds > 0).collect();
    let key = "A mark is a trial: the median of its samples over its cell's median. A trial that was disturbed in several \
               ways has the first matching mark of the legend. Estimates use disturbed trials too.";
    material.frame(&mut chart, &cells, key);
    chart
}

/// Seconds since 1970 of an RFC 3339 time.
fn instant(time: &str) -> Option<f64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    #[allow(clippy::cast_precision_loss)] // Milliseconds of some ten thousand years are exact.
    Some(time.as_millisecond() as f64 / 1e3)
}

fn event(trial: &Trial) -> Event {
    if trial.status != TrialStatus::Ok {
        return Event::Failed;
    }
    let moved = trial.counted_samples().any(|sample| sample.moved);
    let noises = trial.counted_samples().filter_map(|sample| sample.noise.as_ref());
    let of_noise = noises
        .flat_map(|noise| &noise.disturbed_by)
        .map(|disturbance| match disturbance {
            Disturbance::Steal => Event::Steal,
            Disturbance::Others => Event::Others,
            Disturbance::QuotaThrottled
            | Disturbance::ThermalThrottled
            | Disturbance::MemoryPressure
            | Disturbance::Frequency => Event::Otherwise,
        });
    of_noise
        .chain(moved.then_some(Event::Moved))
        .min()
        .unwrap_or(Event::Quiet)
}

fn dotted(mut dots: Vec<Dot>, counts: Vec<(Event, usize)>) -> Chart {
    if dots.is_empty() {
        return Chart::of(Body::Nothing("No trial was recorded.".to_owned()));
    }
    let ratios = || dots.iter().map(|dot| dot.y).filter(|ratio| ratio.is_finite());
    let low = ratios().fold(0.95, f64::min).max(0.25);
    let high = ratios().fold(1.05, f64::max).min(4.0);
    let margin = (high - low) * 0.04;
    let mut y = axis::ranged_axis(
        "Time of a trial over its cell's median (lower is better)".to_owned(),
        low - margin,
        high + margin,
    );
    for tick in &mut y.ticks {
        tick.label.push('x');
    }
    let bottom = y.low;
    let last = dots.iter().map(|dot| dot.x).fold(1.0, f64::max);
    let (unit, name) = match last {
        long if long > 7200.0 => (3600.0, "hours"),
        middling if middling > 180.0 => (60.0, "minutes"),
        _ => (1.0, "seconds"),
    };
    for dot in &mut dots {
        dot.x /= unit;
        if !dot.y.is_finite() {
            dot.y = bottom;
        }
    }
    let title = format!("Time since the run began, {name}");
    let x = axis::value_axis(title, Scale::Linear, 0.0, last / unit);
    Chart::of(Body::TimeLine(TimeLine { x, y, dots, counts }))
}

fn time_line_words(counts: &[(Event, usize)]) -> String {
    let all: usize = counts.iter().map(|(_, trials)| trials).sum();
    let of = |event: Event| {
        counts
            .iter()
            .find(|(known, _)| *known == event)
            .map_or(0, |(_, trials)| *trials)
    };
    let failed = of(Event::Failed);
    let disturbed = all - of(Event::Quiet) - failed;
    let failures = if failed > 0 {
        format!(", {failed} failed")
    } else {
        String::new()
    };
    let trials = text::counted(all, "trial");
    if disturbed == 0 {
        return format!("None of {trials} was disturbed by what was looked at{failures}");
    }
    let worst = counts
        .iter()
        .filter(|(event, _)| !matches!(event, Event::Quiet | Event::Failed))
        .max_by_key(|(_, trials)| *trials);
    let most = worst.map_or_else(String::new, |(event, trials)| {
        format!(", most by {} ({trials})", event.words())
    });
    let were = text::was(disturbed);
    format!("{disturbed} of {trials} {were} disturbed{most}{failures}")
}
