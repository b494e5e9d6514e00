//! A comparison as JUnit's XML, which CI servers show: a test case for each cell and for each
//! workload as a whole, in a suite for each workload.

use itertools::Itertools;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use ftbench_analyse::compare::{
    CellComparison, Change, Comparison, Key, Unmatched, Verdict, WorkloadComparison,
};
use ftbench_schema::Estimate;

/// Renders a comparison. A regression is a failure; a cell with an unclear verdict, or without a ratio, is skipped.
///
/// # Errors
/// If the XML cannot be written, which never happens for a comparison from the analysis.
pub fn render(comparison: &Comparison) -> Result<String, SerializeError> {
    let mut report = Report::new("ftbench compare");
    report.add_test_suites(suites(comparison));
    report.to_string()
}

/// A suite for each workload.
pub(super) fn suites(comparison: &Comparison) -> Vec<TestSuite> {
    let keys = comparison.cells.iter().map(|cell| &cell.cell);
    let keys = keys.chain(comparison.unmatched.iter().map(|one| &one.cell));
    let mut suites = Vec::new();
    for workload in keys.map(|key| key.workload.as_str()).unique() {
        let mut suite = TestSuite::new(workload);
        let is_of_workload = |key: &Key| key.workload == workload;
        suite.add_test_cases(
            comparison
                .cells
                .iter()
                .filter(|one| is_of_workload(&one.cell))
                .map(measured),
        );
        suite.add_test_cases(
            comparison
                .workloads
                .iter()
                .filter(|whole| whole.workload == workload)
                .map(whole),
        );
        suite.add_test_cases(
            comparison
                .unmatched
                .iter()
                .filter(|one| is_of_workload(&one.cell))
                .map(unmatched),
        );
        for (number, sentence) in super::sentences(comparison).into_iter().enumerate() {
            suite.add_property((format!("comparison.{number}"), sentence));
        }
        suites.push(suite);
    }
    suites
}

fn measured(cell: &CellComparison) -> TestCase {
    with_verdict(case(&cell.cell), cell.ratio, cell.verdict)
}

fn whole(whole: &WorkloadComparison) -> TestCase {
    let name = format!("{} as a whole, on one PU", whole.workload);
    with_verdict(named(&name, &whole.workload), whole.ratio, whole.verdict)
}

fn with_verdict(mut case: TestCase, ratio: Estimate, verdict: Verdict) -> TestCase {
    let ratio = format!("NEW / BASE {}", super::ratio(ratio));
    case.status = match verdict {
        Verdict::Slower => failure("slower", &ratio),
        Verdict::CannotTell => skipped(&format!("cannot tell: {ratio}")),
        Verdict::Faster | Verdict::Same => TestCaseStatus::success(),
    };
    case.set_system_out(format!("{}: {ratio}", verdict.words()));
    case
}

fn unmatched(one: &Unmatched) -> TestCase {
    let words = one.change.words();
    let reason = one.reason.as_deref().unwrap_or(words);
    let mut case = case(&one.cell);
    case.status = match one.change {
        Change::Broken => failure(words, reason),
        Change::StillBroken
        | Change::Fixed
        | Change::Added
        | Change::Gone
        | Change::NotMeasured
        | Change::OtherWork
        | Change::TooFewRounds => skipped(&format!("{words}: {reason}")),
    };
    case
}

fn case(key: &Key) -> TestCase {
    named(&super::name(key), &key.workload)
}

fn named(name: &str, workload: &str) -> TestCase {
    let mut case = TestCase::new(name, TestCaseStatus::success());
    case.set_classname(format!("ftbench.{workload}"));
    case
}

fn failure(kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
