//! `ftbench fleet collect`.

use super::{print, remark, style};
use crate::cli::{FleetCollectArgs, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::fleet::{Collected, FleetFolder, Outcome};
use ftbench_present::fleet::words;
use ftbench_present::table::{Column, Table};
use ftbench_schema::text::{self, counted};
use ftbench_schema::{FleetEntry, FleetIndex, RunStatus};

/// Why nothing was collected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum CollectError {
    /// None of the given folders has a run of a fleet.
    #[error("no run of a fleet was found: {0}")]
    NoRuns(String),
}

impl Failure for CollectError {}

/// Merges runs into the folder of a fleet.
pub fn collect(arguments: &FleetCollectArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let path = &arguments.out;
    let waiting = || {
        remark(
            output,
            &format!(
                "waiting for another ftbench that collects into {}",
                path.display()
            ),
        );
    };
    let folder = FleetFolder::open(path, waiting)?;
    let collected = folder.add(&arguments.runs)?;
    let (index, foreign) = folder.write_index()?;
    let left_where_they_are = collected.iter().chain(&foreign).filter_map(complaint);
    let complaints: Vec<String> = left_where_they_are.collect();
    let Some(index) = index else {
        return Err(CollectError::NoRuns(complaints.join("; ")).into());
    };
    for complaint in &complaints {
        remark(output, &format!("warning: {complaint}"));
    }
    remark(output, &summary(&collected));
    print(&format!("{}\n", table(&index).list(style(output))))?;
    for remark_of_fleet in remarks(&index) {
        remark(output, &remark_of_fleet);
    }
    remark(
        output,
        &format!(
            "wrote the fleet to {path}; 'ftbench report {path}' makes its page",
            path = path.display()
        ),
    );
    Ok(if complaints.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::BadAnswer
    })
}

fn complaint(collected: &Collected) -> Option<String> {
    let path = collected.path.display();
    match &collected.outcome {
        Outcome::Refused(reason) => Some(text::line(&format!("{path} {reason}"))),
        Outcome::Added(_) | Outcome::Updated(_) | Outcome::Known(_) | Outcome::GivenTwice => None,
    }
}

/// How many runs were added, updated, known and given twice.
fn summary(collected: &[Collected]) -> String {
    let count = |is: fn(&Outcome) -> bool| collected.iter().filter(|one| is(&one.outcome)).count();
    let kinds = [
        (count(|outcome| matches!(outcome, Outcome::Added(_))), "added"),
        (count(|outcome| matches!(outcome, Outcome::Updated(_))), "updated"),
        (
            count(|outcome| matches!(outcome, Outcome::Known(_))),
            "already there",
        ),
        (
            count(|outcome| matches!(outcome, Outcome::GivenTwice)),
            "given twice and counted once",
        ),
        (
            count(|outcome| matches!(outcome, Outcome::Refused(_))),
            "left out",
        ),
    ];
    let some = kinds.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = some
        .map(|(count, what)| format!("{} {what}", counted(count, "run")))
        .collect();
    parts.join(", ")
}

fn table(index: &FleetIndex) -> Table {
    let each = || index.runs.iter();
    Table::new(vec![
        Column::figures("shard", each().map(|run| run.shard)),
        Column::words("node", each().map(|run| run.node.clone())),
        Column::words("status", each().map(status)),
        Column::figures("trials", each().map(|run| run.trials)),
        Column::words("run", each().map(|run| run.folder.clone())),
        Column::words("", each().map(|run| run.left_out.clone().unwrap_or_default())),
    ])
}

/// The state of a run in words.
pub fn status(run: &FleetEntry) -> &'static str {
    match run.status {
        RunStatus::Complete => "complete",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Running => "running, or killed",
    }
}

/// What is missing from a fleet.
pub fn remarks(index: &FleetIndex) -> Vec<String> {
    let missing = index.missing();
    let shards: Vec<String> = missing.iter().map(u32::to_string).collect();
    let unfinished = index
        .counted()
        .filter(|run| run.status != RunStatus::Complete)
        .count();
    let mut remarks = Vec::new();
    if !missing.is_empty() {
        let noun = if missing.len() == 1 { "shard" } else { "shards" };
        remarks.push(format!(
            "no run of {noun} {} of {} was collected",
            shards.join(", "),
            index.shards
        ));
    }
    if unfinished > 0 {
        remarks.push(format!(
            "{} not complete: resume with 'ftbench run --resume', on the same machine, and collect again",
            if unfinished == 1 {
                "1 run is".to_owned()
            } else {
                format!("{unfinished} runs are")
            }
        ));
    }
    let clocks = index.runs.iter();
    remarks.extend(clocks.filter_map(|run| Some(words::clock(&run.node, run.clock_error_s?))));
    remarks
}
