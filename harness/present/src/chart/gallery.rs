//! Pictures and pages for people to look at: `FTBENCH_GALLERY=DIR cargo test -p ftbench-present --lib gallery -- --ignored` draws them.

use super::{Chart, Kind, Material, Size, Theme, make, png, svg};
use crate::page::{self, Report};
use ftbench_analyse::history::{Options, analyse};
use ftbench_fixtures::summaries::{self, SyntheticCell};
use ftbench_fixtures::{nights, records};
use ftbench_schema::{CellStatus, Model, Overhead, SamplesByCell, Summary};

/// The scaling chart of a workload.
pub(super) fn scaling(summary: &Summary, workload: &str) -> Chart {
    make(
        Kind::Scaling,
        &Material::of_run(summary.clone(), Vec::new()),
        workload,
    )
}

/// The hard cases, each under a name.
pub(super) fn pictures() -> Vec<(&'static str, Chart)> {
    let two = summaries::two_cores();
    let many = summaries::many_cores();
    let mut dark = scaling(&many, "nbody");
    dark.theme = Theme::DARK;
    dark.size = Size {
        width: 1920,
        height: 1080,
    };
    let mut small = scaling(&many, "nbody");
    small.size = Size::SMALLEST;
    let hostile = summaries::hostile();
    let bad_name = hostile
        .cells
        .first()
        .map(|cell| cell.workload.clone())
        .unwrap_or_default();
    let mut without_gil_pair = two.clone();
    without_gil_pair.cells.retain(|cell| cell.interpreter == "3.13");
    vec![
        ("two", scaling(&two, "fib")),
        ("many", scaling(&many, "nbody")),
        ("dark", dark),
        ("small", small),
        ("hostile", scaling(&hostile, &bad_name)),
        ("hostile-tag", scaling(&hostile, "nbody")),
        ("alike", scaling(&alike(), "fib")),
        ("below-one", scaling(&below_one(), "fib")),
        ("one-worker", scaling(&only(&two, &[1]), "fib")),
        ("without-one", scaling(&only(&many, &[64, 128]), "nbody")),
        ("one-64-128", scaling(&only(&many, &[1, 64, 128]), "nbody")),
        ("one-to-eight", scaling(&only(&many, &[1, 2, 4, 8]), "nbody")),
        ("failed", scaling(&partly_failed(), "fib")),
        ("nothing", scaling(&summaries::without_figures(), "fib")),
        ("no-pair", scaling(&without_gil_pair, "fib")),
        ("crowd", scaling(&crowd(), "fib")),
        ("ceiling", scaling(&summaries::with_ceiling(), "fib")),
        ("ceiling-many", scaling(&ceiling_of_many(), "nbody")),
        ("variants", scaling(&variants(), "fib")),
    ]
}

/// One build with several sets of switches, the longest possible among them.
pub(super) fn variants() -> Summary {
    let mut summary = summaries::two_cores();
    let build: Vec<_> = summary
        .cells
        .iter()
        .filter(|cell| cell.interpreter == "3.13t" && cell.model == Model::Threads)
        .cloned()
        .collect();
    for switches in ["+gil", "+nogil", "+nogil+nojit", "+nogil+notlbc"] {
        let tag = format!("3.13.15t{switches}");
        let mut facts = ftbench_fixtures::interpreters::interpreter("3.13t", "3.13.15");
        facts.tag.clone_from(&tag);
        summary.interpreters.push(facts);
        summary.cells.extend(build.iter().cloned().map(|mut cell| {
            cell.interpreter.clone_from(&tag);
            cell
        }));
    }
    summary
}

/// Every kind of runs that are easy and hard, in the usual size and in the smallest.
pub(super) fn every_kind() -> Vec<(String, Chart)> {
    let runs = [
        ("suite", summaries::suite(), "nbody"),
        ("many", ceiling_of_many(), "nbody"),
        ("hostile", summaries::hostile(), "nbody"),
        ("crowd", crowd(), "fib"),
        ("nothing", summaries::without_figures(), "fib"),
    ];
    let mut made = Vec::new();
    for (name, mut summary, workload) in runs {
        for facts in &summary.workloads {
            summary.free_threading_overhead.push(Overhead {
                gil: "3.13".to_owned(),
                free_threaded: "3.13t".to_owned(),
                arm: None,
                workload: Some(facts.name.clone()),
                workloads: 1,
                ratio: summaries::estimate(1.1, 3.0),
            });
        }
        let material = Material::of_run(summary, Vec::new());
        for kind in Kind::ALL {
            let chart = make(kind, &material, workload);
            let small = Chart {
                size: Size::SMALLEST,
                ..chart.clone()
            };
            made.push((format!("{name}-{}-small", kind.name()), small));
            made.push((format!("{name}-{}", kind.name()), chart));
        }
    }
    made
}

/// A machine whose cores slow each other down.
fn ceiling_of_many() -> Summary {
    let mut made = summaries::many_cores();
    summaries::add_ceiling(&mut made, |workers| summaries::usl(workers, 0.001, 0.000_002));
    made
}

/// Only the cells with these numbers of workers; without one of 1 there are no speedups.
fn only(summary: &Summary, workers: &[u32]) -> Summary {
    let mut few = summary.clone();
    few.cells.retain(|cell| workers.contains(&cell.workers));
    if !workers.contains(&1) {
        few.cells.iter_mut().for_each(|cell| cell.speedup = None);
    }
    few
}

/// Six series at nearly the same values.
fn alike() -> Summary {
    let mut made = summaries::two_cores();
    made.cells.clear();
    let mut nudge = 0.0;
    for tag in ["3.13", "3.13t"] {
        for model in [Model::Threads, Model::Processes, Model::Asyncio] {
            for workers in [1, 2] {
                let speedup = if workers == 1 { 1.0 } else { 1.9 + nudge };
                let cell = SyntheticCell {
                    tag,
                    workload: "fib",
                    model,
                    workers,
                    one_worker_s: 0.3,
                    speedup,
                };
                made.cells.push(cell.summary());
            }
            nudge += 0.004;
        }
    }
    made
}

fn below_one() -> Summary {
    let mut made = summaries::two_cores();
    for cell in made
        .cells
        .iter_mut()
        .filter(|cell| cell.model == Model::Threads && cell.workers == 2)
    {
        cell.speedup = Some(summaries::estimate(0.41, 30.0));
    }
    made.warnings.push(summaries::builds_differ());
    made
}

fn partly_failed() -> Summary {
    let mut made = summaries::many_cores();
    for cell in &mut made.cells {
        cell.workload = "fib".to_owned();
        let fails = match cell.model {
            Model::Threads => cell.interpreter == "3.13t" && cell.workers > 16,
            Model::Asyncio => true,
            _ => false,
        };
        if fails {
            *cell = summaries::unmeasured(cell.clone(), CellStatus::TimedOut, "no answer within 60 s");
        }
    }
    made
}

/// More series than have room for a label.
fn crowd() -> Summary {
    let mut made = summaries::two_cores();
    made.cells.clear();
    for minor in 9..20_u32 {
        for (model, end) in [
            (Model::Threads, 1.2),
            (Model::ProcessesSpawn, 1.6),
            (Model::ProcessesFork, 1.7),
        ] {
            for workers in [1, 2, 4, 6] {
                let tag = format!("3.{minor}{}", if minor % 2 == 0 { "" } else { "t" });
                let growth = f64::from(workers - 1) * (end - 1.0 + f64::from(minor) / 50.0);
                let cell = SyntheticCell {
                    tag: &tag,
                    workload: "fib",
                    model,
                    workers,
                    one_worker_s: 0.3,
                    speedup: 1.0 + growth,
                };
                made.cells.push(cell.summary());
            }
        }
    }
    made
}

#[test]
#[ignore = "draws pictures for people"]
#[allow(clippy::disallowed_methods, reason = "draws pictures for people")]
fn gallery() {
    let Ok(folder) = std::env::var("FTBENCH_GALLERY") else {
        return;
    };
    let folder = std::path::Path::new(&folder);
    let charts = pictures().into_iter();
    let charts = charts.map(|(name, chart)| (name.to_owned(), chart));
    for (name, chart) in charts.chain(every_kind()) {
        let svg = svg(&chart).unwrap_or_default();
        let png = png(&svg, 2.0).unwrap_or_default();
        assert!(std::fs::write(folder.join(format!("{name}.png")), png).is_ok());
    }
    for (name, summary) in [
        ("two", summaries::with_ceiling()),
        ("many", ceiling_of_many()),
        ("arms", summaries::with_arms()),
        ("one", only(&summaries::two_cores(), &[1])),
    ] {
        let page = page::html(Report {
            summary: &summary,
            manifest: &records::manifest(&[]),
            samples: &SamplesByCell::default(),
        });
        let path = folder.join(format!("{name}.html"));
        assert!(std::fs::write(path, page.unwrap_or_default()).is_ok());
    }
    let step = nights::Step {
        workload: "w0",
        interpreter: "3.13t",
        night: 12,
        ratio: 0.8,
    };
    let history = analyse(
        nights::runs(30, &[step], nights::Machine::default()),
        Options::default(),
    );
    let page = crate::history::page::html(&history).unwrap_or_default();
    assert!(std::fs::write(folder.join("history.html"), page).is_ok());
}
