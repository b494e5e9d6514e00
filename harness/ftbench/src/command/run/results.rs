//! Derives the summary, the tidy table, the charts and the report from the records of a run folder.

use rayon::prelude::*;

use crate::command::plot::{PNG_SCALE, PlotError};
use crate::command::start_threads;
use crate::error::Error;
use crate::record::file_name::file_names;
use crate::record::folder::RunFolder;
use crate::record::store::{self, CHARTS, REPORT, Run, SAMPLES, SUMMARY};
use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{self, Kind, Material};
use ftbench_present::csv;
use ftbench_present::page::{self, Report};
use ftbench_schema::{SamplesByCell, Summary};

/// Writes everything that is derived from a run's records: figures, charts and the report.
pub fn write(folder: &RunFolder) -> Result<Summary, Error> {
    start_threads()?;
    let (run, summary) = write_figures(folder)?;
    write_charts(folder, &summary)?;
    let report = page::html(Report {
        summary: &summary,
        manifest: &run.manifest,
        samples: &SamplesByCell::of_trials(&run.trials),
    })?;
    folder.write_bytes(REPORT, report.as_bytes())?;
    Ok(summary)
}

/// Writes the summary and the tidy table. Reads the records back, so that `ftbench show` can show the same results
/// later.
pub fn write_figures(folder: &RunFolder) -> Result<(Run, Summary), Error> {
    let run = store::read(folder.path())?;
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    folder.write_json(SUMMARY, &summary)?;
    let mut rows = Vec::new();
    csv::write_samples(&run.trials, summary.run.scaling, &mut rows)?;
    folder.write_bytes(SAMPLES, &rows)?;
    Ok((run, summary))
}

/// Writes a scaling chart for each workload, and charts of the whole run if it has several workloads.
fn write_charts(folder: &RunFolder, summary: &Summary) -> Result<(), Error> {
    let material = Material::of_run(summary.clone(), Vec::new());
    charts(summary).par_iter().try_for_each(|(kind, workload, name)| {
        let failed = |source| PlotError::Chart {
            workload: if workload.is_empty() { "the run" } else { workload }.to_owned(),
            source,
        };
        let chart = chart::make(*kind, &material, workload);
        let svg = chart::svg(&chart).map_err(failed)?;
        let png = chart::png(&svg, PNG_SCALE).map_err(failed)?;
        let file = chart::svg_file(&svg).map_err(failed)?;
        folder.write_bytes(&format!("{CHARTS}/{name}.svg"), &file)?;
        folder.write_bytes(&format!("{CHARTS}/{name}.png"), &png)?;
        Ok(())
    })
}

/// The charts to write: their kinds, their workloads (empty for the whole run), and the names of their files.
fn charts(summary: &Summary) -> Vec<(Kind, &str, String)> {
    let workloads = summary.workloads.iter().map(|workload| workload.name.as_str());
    let mut charts: Vec<(Kind, &str, String)> = file_names(workloads)
        .into_iter()
        .map(|(workload, name)| (Kind::Scaling, workload, name))
        .collect();
    if charts.len() > 1 {
        let mut run_charts = vec![Kind::HeatMap];
        // The overhead needs a GIL build and a free-threaded build of one version.
        if !summary.free_threading_overhead.is_empty() {
            run_charts.push(Kind::Overhead);
        }
        let run_charts = run_charts.into_iter();
        charts.extend(run_charts.map(|kind| (kind, "", format!("_{}", kind.name()))));
    }
    charts
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;
    use ftbench_schema::Overhead;

    #[test]
    fn charts_with_nothing_to_compare_are_not_drawn() {
        let names = |summary: &Summary| -> Vec<String> {
            let charts = charts(summary).into_iter();
            charts.map(|(.., name)| name).collect()
        };
        let mut summary = summaries::two_cores();
        summary.workloads = ["fib", "nbody"].map(ftbench_fixtures::records::workload).to_vec();
        assert_eq!(names(&summary), ["fib", "nbody", "_heat-map"]);
        summary.free_threading_overhead.push(Overhead {
            gil: "3.13".to_owned(),
            free_threaded: "3.13t".to_owned(),
            arm: None,
            workload: Some("fib".to_owned()),
            workloads: 1,
            ratio: summaries::estimate(1.1, 2.0),
        });
        assert_eq!(names(&summary), ["fib", "nbody", "_heat-map", "_overhead"]);
        summary.workloads.truncate(1);
        assert_eq!(names(&summary), ["fib"]);
    }
}
