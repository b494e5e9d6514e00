//! What the page's script draws: series of values with intervals, lines to compare with, and the spread of samples.

use serde::Serialize;

use super::fits;
use super::spread::{self, Named, Spread};
use crate::headline;
use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{
    CellStatus, CellSummary, Estimate, GilState, Host, Model, SamplesByCell, Scaling, Summary, text,
};

/// The charts of one workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Charts {
    /// The workload's name.
    pub workload: String,
    /// What can be shown, the most telling first.
    pub metrics: Vec<Metric>,
    /// The curves.
    pub series: Vec<Series>,
    /// How samples lie around their medians.
    pub spread: Option<Spread>,
}

impl Charts {
    /// Whether the ceiling is drawn in any of them.
    #[must_use]
    pub fn has_ceiling(&self) -> bool {
        let mut lines = self.metrics.iter().flat_map(|metric| &metric.references);
        lines.any(|line| line.measured)
    }
}

/// One thing that a chart can show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// Its word in the page.
    pub key: &'static str,
    /// What its button says.
    pub name: &'static str,
    /// What its axis is called.
    pub axis: String,
    /// What follows a number on its axis.
    pub suffix: &'static str,
    /// The curves' values.
    pub values: Vec<Curve>,
    /// Lines to compare with.
    pub references: Vec<Reference>,
}

/// The values of one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Position of its series.
    pub series: usize,
    /// Its values, by workers.
    pub points: Vec<Value>,
    /// A fitted law, as workers and value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fit: Vec<[f64; 2]>,
}

/// A value at a number of workers: workers, estimate, the interval's ends, and all of it in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value(pub u32, pub f64, pub f64, pub f64, pub String);

/// A line to compare with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Its name.
    pub name: &'static str,
    /// Whether it was measured rather than reckoned.
    pub measured: bool,
    /// Its corners, as workers and value.
    pub points: Vec<[f64; 2]>,
}

/// One model on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// The model's family, which its colour stands for.
    pub family: &'static str,
    /// The GIL's state, which its line and markers stand for.
    pub gil: Option<GilState>,
    /// Which of the four shapes its markers have, among series with the same colour and line.
    pub marker: usize,
}

/// What makes a series.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    interpreter: String,
    host: Host,
    arm: Option<String>,
    model: Model,
}

impl Key {
    fn of(cell: &CellSummary) -> Self {
        Self {
            interpreter: cell.interpreter.clone(),
            host: cell.host,
            arm: cell.arm.clone(),
            model: cell.model,
        }
    }
}

/// The charts of the cells of one workload.
#[must_use]
pub fn of_workload(summary: &Summary, workload: &str, samples: &SamplesByCell) -> Charts {
    let drawn = |cell: &&CellSummary| {
        let measured = matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled);
        cell.workload == workload && measured && cell.makespan_s.is_some()
    };
    let cells: Vec<&CellSummary> = summary.cells.iter().filter(drawn).collect();
    let (ceiling, own): (Vec<&CellSummary>, Vec<&CellSummary>) =
        cells.into_iter().partition(|cell| cell.is_native());
    let mut keys: Vec<Key> = Vec::new();
    for cell in &own {
        let key = Key::of(cell);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let series = series(summary, &keys, &own);
    let place = |cell: &CellSummary| keys.iter().position(|key| *key == Key::of(cell));
    let drawing = Drawing {
        summary,
        own: &own,
        ceiling: &ceiling,
        place: &place,
    };
    let named: Vec<Named<'_>> = own
        .iter()
        .filter_map(|cell| {
            Some(Named {
                series: place(cell)?,
                workers: cell.workers,
                samples: samples.of_cell(&cell.cell)?,
            })
        })
        .collect();
    Charts {
        workload: text::line(workload),
        metrics: drawing.metrics(),
        series,
        spread: spread::of_cells(&named),
    }
}

fn series(summary: &Summary, keys: &[Key], cells: &[&CellSummary]) -> Vec<Series> {
    let several_hosts = keys.iter().any(|key| key.host != Host::Spawn);
    let mut series: Vec<Series> = Vec::new();
    for key in keys {
        let of_key = cells.iter().filter(|cell| Key::of(cell) == *key);
        let seen = of_key
            .filter_map(|cell| cell.gil)
            .max_by_key(|gil| *gil == GilState::On);
        let facts = || {
            summary
                .interpreters
                .iter()
                .find(|facts| facts.tag == key.interpreter)
        };
        let gil = seen.or_else(|| facts().map(|facts| facts.gil));
        let family = key.model.family().name();
        let alike = series
            .iter()
            .filter(|other| other.family == family && other.gil == gil)
            .count();
        let host = if several_hosts {
            format!(" ({})", key.host)
        } else {
            String::new()
        };
        let arm = key
            .arm
            .as_ref()
            .map_or_else(String::new, |arm| format!(" {}", text::line(arm)));
        series.push(Series {
            name: format!("{}{arm} {}{host}", text::line(&key.interpreter), key.model),
            family,
            gil,
            marker: alike % 4,
        });
    }
    series
}

struct Drawing<'a> {
    summary: &'a Summary,
    own: &'a [&'a CellSummary],
    ceiling: &'a [&'a CellSummary],
    place: &'a dyn Fn(&CellSummary) -> Option<usize>,
}

impl Drawing<'_> {
    /// Metrics that have a value. Speedup and efficiency take a second number of workers.
    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            self.speedup(),
            self.throughput(),
            self.efficiency(),
            self.makespan(),
        ];
        let scales = |metric: &Metric| {
            let mut points = metric.values.iter().flat_map(|curve| &curve.points);
            points.any(|point| point.0 > 1)
        };
        metrics.retain(|metric| match metric.key {
            "speedup" | "efficiency" => scales(metric),
            _ => !metric.values.is_empty(),
        });
        metrics
    }

    fn speedup(&self) -> Metric {
        let axis = match self.summary.run.scaling {
            Scaling::Strong => "Speedup over one worker",
            Scaling::Weak => "Scaled speedup over one worker",
        };
        let value = |cell: &CellSummary| cell.speedup.filter(|_| cell.model != Model::Serial);
        let values = self.with_fits(self.curves(&value, &headline::with_interval));
        let drawn = drawn_workers(&values);
        let mut references = ideal(&drawn, |workers| workers);
        references.extend(self.measured_ceiling(&drawn, |speedup, _| speedup));
        Metric {
            key: "speedup",
            name: "Speedup",
            axis: axis.to_owned(),
            suffix: "×",
            values,
            references,
        }
    }

    fn efficiency(&self) -> Metric {
        let value = |cell: &CellSummary| {
            let efficiency = cell.efficiency.filter(|_| cell.model != Model::Serial);
            efficiency.map(|share| scaled(share, 100.0))
        };
        let values = self.curves(&value, &|share| with_unit(share, "%", 0));
        let drawn = drawn_workers(&values);
        let mut references = ideal(&drawn, |_| 100.0);
        references.extend(self.measured_ceiling(&drawn, |speedup, workers| 100.0 * speedup / workers));
        Metric {
            key: "efficiency",
            name: "Efficiency",
            axis: "Efficiency: speedup per worker".to_owned(),
            suffix: " %",
            values,
            references,
        }
    }

    fn throughput(&self) -> Metric {
        let scaling = self.summary.run.scaling;
        let value = |cell: &CellSummary| {
            let work = match scaling {
                Scaling::Strong => 1.0,
                Scaling::Weak => f64::from(cell.workers),
            };
            let units = cell.units? as f64 * work;
            let makespan = cell.makespan_s.filter(|makespan| makespan.estimate > 0.0)?;
            Some(Estimate {
                estimate: units / makespan.estimate,
                low: units / makespan.high,
                high: units / makespan.low,
            })
        };
        let words = |rate: Estimate| with_unit(rate, "units/s", units::decimals_for(rate.estimate, 3));
        Metric {
            key: "throughput",
            name: "Throughput",
            axis: "Throughput, units of work per second".to_owned(),
            suffix: "",
            values: self.curves(&value, &words),
            references: Vec::new(),
        }
    }

    fn makespan(&self) -> Metric {
        let estimates = self.own.iter().filter_map(|cell| cell.makespan_s);
        let typical = units::typical(estimates.map(|makespan| makespan.estimate)).unwrap_or(1.0);
        let unit = TimeUnit::for_typical(typical);
        let value = |cell: &CellSummary| {
            cell.makespan_s
                .map(|makespan| scaled(makespan, unit.from_seconds(1.0)))
        };
        let words = |time: Estimate| with_unit(time, unit.symbol(), units::decimals_for(time.estimate, 3));
        Metric {
            key: "makespan",
            name: "Makespan",
            axis: format!("Makespan, {} (lower is better)", unit.symbol()),
            suffix: "",
            values: self.curves(&value, &words),
            references: Vec::new(),
        }
    }

    fn curves(
        &self,
        value: &dyn Fn(&CellSummary) -> Option<Estimate>,
        words: &dyn Fn(Estimate) -> String,
    ) -> Vec<Curve> {
        let mut curves: Vec<Curve> = Vec::new();
        for cell in self.own {
            let estimate = value(cell).filter(|known| known.estimate.is_finite());
            let (Some(estimate), Some(series)) = (estimate, (self.place)(cell)) else {
                continue;
            };
            let point = point(cell.workers, estimate, words);
            match curves.iter_mut().find(|curve| curve.series == series) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    series,
                    points: vec![point],
                    fit: Vec::new(),
                }),
            }
        }
        for curve in &mut curves {
            curve.points.sort_by_key(|point| point.0);
            curve.points.dedup_by_key(|point| point.0);
        }
        curves
    }

    /// Curves of speedups with the laws that were fitted to them.
    fn with_fits(&self, mut curves: Vec<Curve>) -> Vec<Curve> {
        for curve in &mut curves {
            let mut cells = self.own.iter();
            if let Some(cell) = cells.find(|cell| (self.place)(cell) == Some(curve.series)) {
                let line = fits::line(self.summary, cell);
                curve.fit = line.into_iter().map(|corner| corner.map(significant)).collect();
            }
        }
        curves
    }

    /// The ceiling as far as the axis of workers goes: where the largest cells of Python failed it was measured beyond.
    fn measured_ceiling(&self, drawn: &[u32], value: impl Fn(f64, f64) -> f64) -> Option<Reference> {
        let (fewest, most) = (*drawn.first()?, *drawn.last()?);
        let mut points: Vec<[f64; 2]> = self
            .ceiling
            .iter()
            .filter(|cell| (fewest..=most).contains(&cell.workers))
            .filter_map(|cell| {
                let workers = f64::from(cell.workers);
                Some([workers, value(cell.speedup?.estimate, workers)])
            })
            .filter(|[_, value]| value.is_finite())
            .collect();
        points.sort_by(|[a, _], [b, _]| a.total_cmp(b));
        (points.len() > 1).then_some(Reference {
            name: "ceiling",
            measured: true,
            points,
        })
    }
}

/// The numbers of workers of a chart's curves, from the fewest to the most.
fn drawn_workers(curves: &[Curve]) -> Vec<u32> {
    let points = curves.iter().flat_map(|curve| &curve.points);
    let mut workers: Vec<u32> = points.map(|point| point.0).collect();
    workers.sort_unstable();
    workers.dedup();
    workers
}

fn ideal(drawn: &[u32], value: impl Fn(f64) -> f64) -> Vec<Reference> {
    if drawn.len() < 2 {
        return Vec::new();
    }
    let workers = drawn.iter().copied().map(f64::from);
    vec![Reference {
        name: "ideal",
        measured: false,
        points: workers.map(|workers| [workers, value(workers)]).collect(),
    }]
}

fn scaled(estimate: Estimate, factor: f64) -> Estimate {
    Estimate {
        estimate: estimate.estimate * factor,
        low: estimate.low * factor,
        high: estimate.high * factor,
    }
}

/// An end of an interval that is not known lies at the value.
fn point(workers: u32, value: Estimate, words: &dyn Fn(Estimate) -> String) -> Value {
    let end = |end: f64| significant(if end.is_finite() { end } else { value.estimate });
    Value(
        workers,
        significant(value.estimate),
        end(value.low),
        end(value.high),
        words(value),
    )
}

/// To six significant digits, which is more than a screen has pixels and half as many characters as all of them.
fn significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn with_unit(estimate: Estimate, unit: &str, decimals: usize) -> String {
    let number = |value: f64| units::number(value, decimals);
    format!(
        "{} {unit} [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

#[cfg(test)]
#[path = "charts_tests.rs"]
mod tests;
