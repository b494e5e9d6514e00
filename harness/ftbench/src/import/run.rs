//! Assembles a run from pyperf's files.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Subject, kind, placement, subject};
use super::pyperf::{Benchmark, Metadata, Run, Source};
use super::rounds::Rounds;
use super::trials::{TrialMaker, ended_at, units};
use super::warnings::warnings;
use super::{ImportError, Reason, sides};
use ftbench_schema::{
    Cell, Curve, GilState, ImportFacts, ImportedFile, InterpreterFacts, Manifest, Order, PackageOptions,
    Plan, PlannedCell, RunStatus, SCHEMA_VERSION, Scaling, Settings, StoppedBy, Stopping, Trial,
    WorkloadFacts,
};

/// The run assembled from files.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The manifest of the run.
    pub manifest: Manifest,
    /// A trial for each of pyperf's processes.
    pub trials: Vec<Trial>,
}

/// Assembles a run from the files, in their order: each file has one interpreter, or several if it was merged from
/// several files.
///
/// # Errors
/// The file that cannot be imported, and the reason.
pub fn assemble(
    sources: &[Source],
    command_line: Vec<String>,
    ftbench_version: &str,
) -> Result<Imported, ImportError> {
    let benchmarks = sources.iter().map(|source| source.suite.benchmarks.as_slice());
    let mut assembly = Assembly {
        rounds: Rounds::of(benchmarks),
        ..Assembly::default()
    };
    for (number, source) in sources.iter().enumerate() {
        let fault = |reason| ImportError {
            file: source.name.clone(),
            reason,
        };
        assembly.add_source(number, source).map_err(fault)?;
    }
    assembly.name_interpreters(sources);
    for (part, source) in assembly.parts() {
        let name = sources.get(source).map_or("", |source| source.name.as_str());
        assembly.add_trials(part).map_err(|reason| ImportError {
            file: name.to_owned(),
            reason,
        })?;
    }
    let manifest = assembly.manifest(sources, command_line, ftbench_version);
    Ok(Imported {
        manifest,
        trials: assembly.trials,
    })
}

/// A benchmark of a file, and the cell that it becomes.
struct Part<'a> {
    benchmark: &'a Benchmark,
    /// The number of the file.
    source: usize,
    /// The number of the interpreter.
    interpreter: usize,
    subject: Subject,
}

/// An interpreter of a file.
struct Side {
    facts: InterpreterFacts,
    source: usize,
}

#[derive(Default)]
struct Assembly<'a> {
    parts: Vec<Part<'a>>,
    sides: Vec<Side>,
    workloads: Vec<WorkloadFacts>,
    rounds: Rounds,
    cells: Vec<PlannedCell>,
    trials: Vec<Trial>,
}

impl<'a> Assembly<'a> {
    /// Adds the benchmarks of a file.
    fn add_source(&mut self, number: usize, source: &'a Source) -> Result<(), Reason> {
        for benchmark in &source.suite.benchmarks {
            let Some(first) = benchmark.runs.first() else {
                continue;
            };
            let facts = sides::interpreter(&first.metadata)?;
            let known = self
                .sides
                .iter()
                .position(|side| side.source == number && side.facts == facts);
            let interpreter = known.unwrap_or(self.sides.len());
            if known.is_none() {
                self.sides.push(Side {
                    facts,
                    source: number,
                });
            }
            let subject = subject(&benchmark.name, &first.metadata);
            self.add_workload(&subject.workload, source, first);
            self.parts.push(Part {
                benchmark,
                source: number,
                interpreter,
                subject,
            });
        }
        Ok(())
    }

    fn add_workload(&mut self, name: &str, source: &Source, run: &Run) {
        if self.workloads.iter().any(|known| known.name == name) {
            return;
        }
        let text = |key| run.metadata.text(key).unwrap_or_default().to_owned();
        self.workloads.push(WorkloadFacts {
            name: name.to_owned(),
            kind: kind(&run.metadata),
            summary: text("description"),
            models: Vec::new(),
            dependencies: Vec::new(),
            source: String::new(),
            shows: String::new(),
            path: source.name.clone(),
            sha256: text("workload_sha256"),
            case: None,
            format: None,
            arguments: Vec::new(),
            callable: None,
            call: None,
            command: None,
            extension: None,
            units: Some(units(run)),
            failure: None,
            ceiling: None,
        });
    }

    /// Adds the name of the file to interpreters that would have the same tag as another.
    fn name_interpreters(&mut self, sources: &[Source]) {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for side in &self.sides {
            *count.entry(side.facts.tag.clone()).or_default() += 1;
        }
        let mut taken = BTreeSet::new();
        for side in &mut self.sides {
            if count.get(&side.facts.tag).copied().unwrap_or(0) > 1 {
                let file = sources.get(side.source).map_or("", |source| source.name.as_str());
                side.facts.tag = format!("{}@{}", side.facts.tag, stem(file));
            }
            let plain = side.facts.tag.clone();
            let mut number = 2;
            while !taken.insert(side.facts.tag.clone()) {
                side.facts.tag = format!("{plain}-{number}");
                number += 1;
            }
        }
    }

    /// The parts in the order of the plan, by workload, interpreter and workers, each with the number of its file.
    fn parts(&mut self) -> Vec<(Part<'a>, usize)> {
        let mut parts: Vec<(Part<'a>, usize)> = std::mem::take(&mut self.parts)
            .into_iter()
            .map(|part| {
                let source = part.source;
                (part, source)
            })
            .collect();
        let position = |part: &Part<'_>| {
            let mut workloads = self.workloads.iter();
            workloads.position(|workload| workload.name == part.subject.workload)
        };
        parts.sort_by_key(|(part, _)| {
            let Subject {
                host, model, workers, ..
            } = part.subject;
            (position(part), part.interpreter, host, model, workers)
        });
        parts
    }

    fn add_trials(&mut self, part: Part<'a>) -> Result<(), Reason> {
        let Some(side) = self.sides.get(part.interpreter) else {
            return Ok(());
        };
        let cell = Cell {
            curve: Curve {
                interpreter: side.facts.tag.clone(),
                host: part.subject.host,
                workload: part.subject.workload.clone(),
                arm: None,
                model: part.subject.model,
            },
            workers: part.subject.workers,
        };
        if self.cells.iter().any(|planned| planned.cell == cell) {
            return Err(Reason::Broken {
                place: part.benchmark.name.clone(),
                what: format!("'{cell}' occurs twice"),
            });
        }
        let mut workloads = self.workloads.iter();
        let units = workloads
            .find(|workload| workload.name == cell.workload)
            .and_then(|workload| workload.units)
            .unwrap_or(1);
        let placement = part
            .benchmark
            .runs
            .first()
            .map(|run| placement(&run.metadata))
            .unwrap_or_default();
        let maker = TrialMaker {
            units,
            placement: &placement,
            gil_enabled: side.facts.gil == GilState::On,
            cell: &cell,
        };
        let rounds = self.rounds.of_benchmark(part.source, part.benchmark);
        for (run, round) in part.benchmark.runs.iter().zip(rounds) {
            let number = self.trials.len() as u64;
            let trial = maker.trial(run, number, round).map_err(|value| Reason::Size {
                place: part.benchmark.name.clone(),
                value,
            })?;
            self.trials.push(trial);
        }
        self.cells.push(PlannedCell {
            cell,
            placement,
            client_placement: Vec::new(),
            skipped: None,
        });
        Ok(())
    }

    fn manifest(&self, sources: &[Source], command_line: Vec<String>, ftbench_version: &str) -> Manifest {
        let first = first_run(sources);
        let empty = Metadata::default();
        let metadata = first.map_or(&empty, |run| &run.metadata);
        let machine = sides::machine(metadata);
        let tool_version = metadata.text("perf_version").unwrap_or_default().to_owned();
        let with_gil = self.sides.iter().find(|side| side.facts.gil == GilState::On);
        let baseline = with_gil.or(self.sides.first());
        Manifest {
            schema: SCHEMA_VERSION,
            ftbench_version: ftbench_version.to_owned(),
            command_line,
            started_at: self
                .trials
                .iter()
                .map(|trial| trial.started_at.clone())
                .filter(|time| !time.is_empty())
                .min()
                .unwrap_or_default(),
            ended_at: self.trials.iter().filter_map(ended_at).max(),
            status: RunStatus::Complete,
            stopped_by: Some(StoppedBy::Rounds),
            seed: sources.first().map_or(0, |source| seed(&source.sha256)),
            warnings: warnings(sources, self.rounds.sources(), &machine),
            machine,
            interpreters: self.sides.iter().map(|side| side.facts.clone()).collect(),
            workloads: self.workloads.clone(),
            plan: Plan {
                settings: self.settings(metadata),
                baseline: baseline.map(|side| side.facts.tag.clone()).unwrap_or_default(),
                cells: self.cells.clone(),
            },
            environment: BTreeMap::new(),
            variables: Vec::new(),
            environments: Vec::new(),
            sources: Vec::new(),
            hosts: Vec::new(),
            extensions: Vec::new(),
            arms: Vec::new(),
            commit: None,
            modules: None,
            labels: BTreeMap::new(),
            fleet: None,
            packages: PackageOptions::default(),
            sessions: Vec::new(),
            imported: Some(ImportFacts {
                format: "pyperf".to_owned(),
                tool_version,
                files: sources
                    .iter()
                    .map(|source| ImportedFile {
                        name: source.name.clone(),
                        sha256: source.sha256.clone(),
                    })
                    .collect(),
            }),
        }
    }

    fn settings(&self, metadata: &Metadata) -> Settings {
        let max = |count: &dyn Fn(&Trial) -> usize| {
            let max = self.trials.iter().map(count).max().unwrap_or(0);
            u32::try_from(max).unwrap_or(u32::MAX)
        };
        let mut rounds: BTreeMap<&Cell, u32> = BTreeMap::new();
        for trial in &self.trials {
            *rounds.entry(&trial.cell).or_default() += 1;
        }
        Settings {
            profile: "imported".to_owned(),
            stopping: Stopping {
                min_rounds: rounds.values().copied().min().unwrap_or(0),
                max_rounds: rounds.values().copied().max().unwrap_or(0),
                precision: None,
                budget_s: None,
            },
            warmups: max(&|trial| trial.samples.len() - trial.counted_samples().count()),
            samples: max(&|trial| trial.counted_samples().count()),
            window: 1,
            order: Order::Trials,
            warmup_s: 0.0,
            target_sample_s: 0.0,
            step_time_limit_s: 0.0,
            loop_factory: None,
            limits: None,
            scaling: match metadata.text("scaling") {
                Some("weak") => Scaling::Weak,
                _ => Scaling::Strong,
            },
            pin: "not known".to_owned(),
        }
    }
}

fn first_run(sources: &[Source]) -> Option<&Run> {
    sources.first()?.suite.benchmarks.first()?.runs.first()
}

/// Derives the seed from the first file, so that the same files give the same intervals.
fn seed(sha256: &str) -> u64 {
    let digits = sha256.get(..8).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

/// The stem of a file name: `base` for `base.json.gz`.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".json").unwrap_or(name)
}
