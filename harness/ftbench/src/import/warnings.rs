//! The warnings that a reader needs before the figures of an imported run.

use super::pyperf::Source;
use super::sides;
use ftbench_schema::{MachineFacts, Warning, WarningKind};

/// Makes the warnings on the files, which were measured in `separate` sets of rounds, and on the machine that is shown.
pub fn warnings(sources: &[Source], separate: usize, machine: &MachineFacts) -> Vec<Warning> {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let benchmarks = sources.iter().flat_map(|source| &source.suite.benchmarks);
    let tool_version = benchmarks
        .flat_map(|benchmark| &benchmark.runs)
        .find_map(|run| run.metadata.text("perf_version"));
    let tool = format!("pyperf {}", tool_version.unwrap_or_default());
    let mut messages = vec![format!(
        "imported from {} of {}: a round is one of its processes, a unit of work one of its iterations; where workers \
         ran, and what disturbed them, is not known",
        list(&names),
        tool.trim()
    )];
    if separate > 1 {
        messages.push(
            "the files were measured one after the other: no ratio between their interpreters is shown here; import each \
             into a folder of its own, and use 'ftbench compare'"
                .to_owned(),
        );
    }
    let elsewhere: Vec<&str> = sources
        .iter()
        .filter(|source| {
            let run = source
                .suite
                .benchmarks
                .first()
                .and_then(|benchmark| benchmark.runs.first());
            run.is_some_and(|run| {
                let other = sides::machine(&run.metadata);
                (other.hostname, other.cpu_model) != (machine.hostname.clone(), machine.cpu_model.clone())
            })
        })
        .map(|source| source.name.as_str())
        .collect();
    if !elsewhere.is_empty() {
        messages.push(format!(
            "{} was measured on another machine than the one shown, which is that of {}",
            list(&elsewhere),
            names.first().copied().unwrap_or_default()
        ));
    }
    let others: Vec<&str> = sources
        .iter()
        .flat_map(|source| &source.suite.others)
        .map(String::as_str)
        .collect();
    if !others.is_empty() {
        messages.push(format!("left out, because they are not times: {}", list(&others)));
    }
    messages
        .into_iter()
        .map(|message| Warning::of_run(WarningKind::Imported, message))
        .collect()
}

/// The first names of a list, and the number of the others.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
