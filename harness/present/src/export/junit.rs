//! JUnit XML of a run: a suite for each workload and a test for each cell, so that CI shows a failed cell as a failed
//! test.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::ExportError;
use ftbench_schema::{CellStatus, CellSummary, Estimate, Summary, Trial, text};

/// Renders every cell of the summary. A test's time is the time of all samples of the cell's trials.
///
/// # Errors
/// If the XML writer fails.
pub fn render(summary: &Summary, trials: &[Trial]) -> Result<String, ExportError> {
    let mut report = Report::new(format!("ftbench {}", text::line(&summary.run.name)));
    let mut suites: Vec<TestSuite> = Vec::new();
    for cell in &summary.cells {
        let name = text::line(&cell.workload);
        let position = suites
            .iter()
            .position(|suite| suite.name.as_str() == name)
            .unwrap_or_else(|| {
                let mut suite = TestSuite::new(name.clone());
                suite.add_property(Property::new("machine", text::line(&summary.machine.hostname)));
                suites.push(suite);
                suites.len() - 1
            });
        if let Some(suite) = suites.get_mut(position) {
            suite.add_test_case(case(cell, trials));
        }
    }
    report.add_test_suites(suites);
    Ok(report.to_string()?)
}

fn case(summary: &CellSummary, trials: &[Trial]) -> TestCase {
    let cell = &summary.cell;
    let mut case = TestCase::new(text::line(&cell.to_string()), status(summary));
    case.set_classname(text::line(&format!("ftbench.{}", cell.workload)));
    let own = trials.iter().filter(|trial| trial.cell == *cell);
    let time_in_samples_ns = own.map(Trial::time_in_samples_ns).fold(0, u64::saturating_add);
    case.set_time(std::time::Duration::from_nanos(time_in_samples_ns));
    let figures = [
        ("makespan_s", summary.makespan_s),
        ("speedup", summary.speedup),
        ("vs_baseline", summary.vs_baseline),
        ("ceiling_fraction", summary.ceiling_fraction),
    ];
    for (name, estimate) in figures {
        if let Some(Estimate { estimate, low, high }) = estimate {
            case.add_property(Property::new(name, format!("{estimate} [{low}, {high}]")));
        }
    }
    case
}

/// The status of a test. A cell that fails a run fails its test. A cell whose GIL was re-enabled is skipped: it was
/// measured, but not as its name says.
fn status(summary: &CellSummary) -> TestCaseStatus {
    let reason = summary.reason.as_deref().unwrap_or_default();
    let first = text::line(reason.lines().next().unwrap_or_default());
    match summary.status {
        CellStatus::Ok => TestCaseStatus::success(),
        CellStatus::Skipped => skipped(first),
        CellStatus::GilReenabled => skipped(format!("{}: {first}", summary.status.words())),
        CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let whole: Vec<String> = text::lines(reason).collect();
            status
                .set_type(summary.status.words())
                .set_message(first)
                .set_description(whole.join("\n"));
            status
        }
    }
}

fn skipped(message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
