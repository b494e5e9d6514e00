//! What is made of a run folder's records: the summary, the tidy table, the charts and the report.

use crate::analyse::summary::summarise;
use crate::error::Error;
use crate::present::page::{self, Report};
use crate::present::{chart, csv};
use crate::record::schema::{SamplesByCell, Summary};
use crate::record::store::{self, CHARTS, REPORT, RunFolder, SAMPLES, SUMMARY};

/// Pixels of a chart's PNG for each of its units, for screens of high resolution and slides.
const PNG_SCALE: f32 = 2.0;

/// Reads the records back, so that what is shown is what can be shown again, and writes everything made of them.
pub fn write(folder: &RunFolder) -> Result<Summary, Error> {
    let run = store::read(folder.path())?;
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    folder.write_json(SUMMARY, &summary)?;
    let mut rows = Vec::new();
    csv::write_samples(&run.trials, &mut rows)?;
    folder.write_bytes(SAMPLES, &rows)?;
    for workload in &summary.workloads {
        write_chart(folder, &summary, &workload.name)?;
    }
    let report = page::html(Report {
        summary: &summary,
        manifest: &run.manifest,
        samples: &SamplesByCell::of_trials(&run.trials),
    })?;
    folder.write_bytes(REPORT, report.as_bytes())?;
    Ok(summary)
}

fn write_chart(folder: &RunFolder, summary: &Summary, workload: &str) -> Result<(), Error> {
    let failed = |source| Error::Chart {
        workload: workload.to_owned(),
        source,
    };
    let chart = chart::scaling(summary, workload);
    let svg = chart::svg(&chart).map_err(failed)?;
    let png = chart::png(&svg, PNG_SCALE).map_err(failed)?;
    let name = file_name(workload);
    folder.write_bytes(&format!("{CHARTS}/{name}.svg"), svg.as_bytes())?;
    folder.write_bytes(&format!("{CHARTS}/{name}.png"), &png)?;
    Ok(())
}

/// A workload's name as the name of a file: the stem of its own file, less what other systems do not take.
fn file_name(workload: &str) -> String {
    workload
        .chars()
        .map(|char| {
            if char.is_alphanumeric() || "-_.".contains(char) {
                char
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_stays_in_its_folder() {
        assert_eq!(file_name("../../etc/<b>"), ".._.._etc__b_");
        assert_eq!(file_name("n-body_2.x"), "n-body_2.x");
    }
}
