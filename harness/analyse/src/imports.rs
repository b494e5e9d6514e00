//! Detects workloads whose import does the work of a script, which every process of a trial then repeats.

use std::path::Path;

use ftbench_schema::{Manifest, Trial, Warning, WarningKind, WorkloadFacts, text, units};

/// Minimum time of an import that counts, seconds, even where samples are shorter: a file that defines things takes a
/// few milliseconds, and one that makes a table or two tens of them.
const MIN_IMPORT_S: f64 = 0.1;

/// Returns a warning about each workload whose import takes longer than a sample, or leaves threads running.
#[must_use]
pub fn findings(manifest: &Manifest, trials: &[Trial]) -> Vec<Warning> {
    let allowed_s = manifest.plan.settings.target_sample_s.max(MIN_IMPORT_S);
    let of_workload = |facts: &WorkloadFacts| {
        let own = || trials.iter().filter(|trial| trial.cell.workload == facts.name);
        // The shortest, because other work on the machine can make any import take long.
        let import_s = own()
            .filter_map(|trial| trial.import_ns)
            .min()
            .map(units::seconds)?;
        let threads = own().filter_map(|trial| trial.import_threads).max().unwrap_or(0);
        let took = (import_s > allowed_s).then(|| format!("took {}", units::duration(import_s)));
        let left = (threads > 0).then(|| format!("left {} running", text::counted(threads, "thread")));
        let observed: Vec<String> = [took, left].into_iter().flatten().collect();
        (!observed.is_empty()).then(|| {
            let message = format!(
                "importing {} {}, in every process; put the code that runs the script under \
                 `if __name__ == '__main__':`, and what the workload needs into 'setup'",
                module(facts),
                observed.join(" and ")
            );
            Warning::of_workloads(WarningKind::ImportRunsCode, message, vec![facts.name.clone()])
        })
    };
    manifest.workloads.iter().filter_map(of_workload).collect()
}

/// The file's name or, of a callable, the module.
fn module(facts: &WorkloadFacts) -> String {
    match facts
        .callable
        .as_deref()
        .and_then(|callable| callable.split(':').next())
    {
        Some(module) => module.to_owned(),
        None => Path::new(&facts.path)
            .file_name()
            .map_or_else(|| facts.name.clone(), |name| name.to_string_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, manifest, trial};
    use ftbench_schema::Model;

    /// The messages about a workload, given the time in milliseconds and the threads left of its trials' imports.
    fn found(callable: Option<&str>, imports: &[(u64, u32)]) -> Vec<String> {
        let cell = cell("3.13t", Model::Threads, 1);
        let mut manifest = manifest(std::slice::from_ref(&cell));
        for facts in &mut manifest.workloads {
            facts.path = "/work/bench.py".to_owned();
            facts.callable = callable.map(str::to_owned);
        }
        let trials: Vec<Trial> = imports
            .iter()
            .map(|&(import_ms, threads)| {
                let mut trial = trial(&cell, 0, 100);
                trial.import_ns = Some(import_ms * 1_000_000);
                trial.import_threads = Some(threads);
                trial
            })
            .collect();
        let found = findings(&manifest, &trials);
        found.into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn imports_that_run_a_script_are_warned_about_once() {
        insta::assert_snapshot!(found(None, &[(2_100, 0), (2_300, 0)]).join("\n"), @"importing bench.py took 2.10 s, in every process; put the code that runs the script under `if __name__ == '__main__':`, and what the workload needs into 'setup'");
        let both = found(Some("bench:fib"), &[(2_100, 3)]);
        assert_eq!(both.len(), 1);
        assert!(
            both.concat()
                .starts_with("importing bench took 2.10 s and left 3 threads running, in every process;")
        );
        assert!(
            found(None, &[(1, 1)])
                .concat()
                .starts_with("importing bench.py left 1 thread running,")
        );
    }

    #[test]
    fn imports_that_are_short_at_least_once_cause_no_warning() {
        assert_eq!(found(None, &[(2_100, 0), (20, 0)]), Vec::<String>::new());
        assert_eq!(found(None, &[]), Vec::<String>::new());
    }
}
