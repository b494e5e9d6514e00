//! What was run, on what, and how, as names and values.

use serde::Serialize;

use super::escape::{self, Piece};
use crate::noise;
use ftbench_schema::{
    CommitFacts, Disturbance, Format, Host, InterpreterFacts, Manifest, Scaling, Session, Settings,
    StoppedBy, Summary, WorkloadFacts, text, units,
};

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Makes a fact; `None` where the value is not known.
fn fact(name: &str, value: impl Into<String>) -> Option<Fact> {
    let value = text::line(&value.into());
    (!value.is_empty()).then(|| Fact {
        name: name.to_owned(),
        value,
    })
}

/// Returns the facts about the machine.
#[must_use]
pub fn machine(summary: &Summary) -> Vec<Fact> {
    let machine = &summary.machine;
    let topology = &machine.topology;
    let allowed = topology.allowed_pus.len();
    let usable = if allowed == 0 {
        String::new()
    } else {
        format!(" ({allowed} usable)")
    };
    let parts = [
        (topology.cores, "core", ""),
        (topology.pus, "PU", usable.as_str()),
        (topology.packages, "socket", ""),
        (topology.numa_nodes, "NUMA node", ""),
    ];
    // Of a run that was imported not all is known.
    let known = parts.into_iter().filter(|(count, _, _)| *count > 0);
    let shape: Vec<String> = known
        .map(|(count, noun, more)| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            format!("{}{more}", text::counted(count, noun))
        })
        .collect();
    let memory = Some(machine.memory_bytes).filter(|&bytes| bytes > 0);
    let kernel = match machine.kernel.as_str() {
        "" => String::new(),
        kernel => format!(", kernel {kernel}"),
    };
    let quota = machine
        .cpu_quota
        .map(|quota| format!("{} CPUs", units::number(quota, 1)));
    [
        fact("Processor", &machine.cpu_model),
        fact("Shape", shape.join(", ")),
        fact("CPU quota", quota.unwrap_or_default()),
        fact(
            "Memory",
            memory.map(|bytes| units::bytes(bytes as f64)).unwrap_or_default(),
        ),
        fact("System", format!("{}{kernel}", machine.os)),
        fact("Architecture", &machine.architecture),
        fact("Host name", &machine.hostname),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How the run went.
#[must_use]
pub fn run(summary: &Summary, manifest: &Manifest) -> Vec<Fact> {
    let run = &summary.run;
    let settings = &manifest.plan.settings;
    let words: Vec<String> = manifest
        .command_line
        .iter()
        .map(|word| escape::shell_word(word))
        .collect();
    let rounds = summary.cells.iter().map(|cell| cell.rounds).max().unwrap_or(0);
    let samples = format!(
        "{} in a trial, after {}; {} in all",
        text::counted(
            usize::try_from(settings.samples).unwrap_or(usize::MAX),
            "counted sample"
        ),
        text::counted(usize::try_from(settings.warmups).unwrap_or(usize::MAX), "warm-up"),
        summary
            .cells
            .iter()
            .map(|cell| u64::from(cell.samples))
            .sum::<u64>(),
    );
    [
        fact("Command", words.join(" ")),
        fact("Started", &run.started_at),
        fact("Ended", run.ended_at.clone().unwrap_or_default()),
        fact("Resumed", resumed(&manifest.sessions)),
        fact(
            "Rounds",
            format!("{rounds}, {}", stopping(settings, summary.stopped_by)),
        ),
        fact("Samples", samples),
        fact("Profile", &run.profile),
        fact("Scaling", scaling(run.scaling)),
        fact("Placement", &settings.pin),
        fact("Loop factory", settings.loop_factory.clone().unwrap_or_default()),
        fact("Baseline", format!("{} serial", baseline(summary))),
        fact("Commit", run.commit.as_ref().map(commit).unwrap_or_default()),
        fact("Arms", arms(summary)),
        fact("Labels", labels(summary)),
        fact("Seed", run.seed.to_string()),
        fact("ftbench", &run.ftbench_version),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The baseline's tag, with the first arm where there are arms.
fn baseline(summary: &Summary) -> String {
    let first = summary.arms.first().map(|arm| arm.name.as_str());
    Host::Spawn.label(&summary.run.baseline, first)
}

fn commit(facts: &CommitFacts) -> String {
    let time = facts.committed_at.as_ref().map(|time| format!(" of {time}"));
    let dirty = if facts.dirty == Some(true) {
        ", with changes"
    } else {
        ""
    };
    format!("{}{}{dirty}", facts.id, time.unwrap_or_default())
}

/// `base: /code/old (commit 0123...); new: /code/new`.
fn arms(summary: &Summary) -> String {
    let arms = summary.arms.iter().map(|arm| {
        let commit = arm
            .commit
            .as_ref()
            .map(|facts| format!(" (commit {})", commit(facts)));
        format!("{}: {}{}", arm.name, arm.path, commit.unwrap_or_default())
    });
    arms.collect::<Vec<String>>().join("; ")
}

fn labels(summary: &Summary) -> String {
    let labels = summary.run.labels.iter();
    let words = labels.map(|(key, value)| format!("{key}={value}"));
    words.collect::<Vec<String>>().join(", ")
}

/// When a run was resumed; empty when it was made in one session.
fn resumed(sessions: &[Session]) -> String {
    let later: Vec<&str> = sessions
        .iter()
        .skip(1)
        .map(|session| session.started_at.as_str())
        .collect();
    match later.as_slice() {
        [] => String::new(),
        [once] => (*once).to_owned(),
        [.., last] => format!("{} times, the last time {last}", later.len()),
    }
}

const fn scaling(scaling: Scaling) -> &'static str {
    match scaling {
        Scaling::Strong => "strong: workers share the same work",
        Scaling::Weak => "weak: each worker does all of the work, so work grows with workers",
    }
}

fn stopping(settings: &Settings, ended_by: Option<StoppedBy>) -> String {
    let rule = settings.stopping;
    let ended = match ended_by {
        Some(StoppedBy::Rounds) => "ended by the number of rounds",
        Some(StoppedBy::Precision) => "ended when every interval was narrow enough",
        Some(StoppedBy::Budget) => "ended when a further round would not have fitted into the time",
        Some(StoppedBy::Interrupt) => "interrupted",
        None => "not ended",
    };
    let precision = rule.precision.map(|share| {
        format!(
            ", until intervals are within {} %",
            units::number(100.0 * share, 1)
        )
    });
    let budget = rule
        .budget_s
        .map(|seconds| format!(", for up to {}", units::duration(seconds)));
    format!(
        "{ended} (rule, fixed before: {} to {} rounds{}{})",
        rule.min_rounds,
        rule.max_rounds,
        precision.unwrap_or_default(),
        budget.unwrap_or_default()
    )
}

/// The facts about one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Its tag.
    pub tag: String,
    /// Implementation and full version.
    pub version: String,
    /// Whether it can run without the GIL, and whether it did at start-up.
    pub gil: String,
    /// How it was built.
    pub build: String,
    /// The compiler.
    pub compiler: String,
    /// The executable.
    pub path: String,
}

/// Returns the interpreters of a run.
#[must_use]
pub fn builds(summary: &Summary) -> Vec<Build> {
    summary.interpreters.iter().map(build).collect()
}

fn build(facts: &InterpreterFacts) -> Build {
    let kind = if facts.free_threaded {
        "free-threaded build"
    } else {
        "GIL build"
    };
    Build {
        tag: text::line(&facts.tag),
        version: format!("{} {}", facts.implementation, text::line(&facts.version)),
        gil: format!("{kind}, GIL {} at start-up", facts.gil),
        build: match facts.build_words().as_slice() {
            [] => "unknown".to_owned(),
            words => text::line(&words.join(", ")),
        },
        compiler: text::line(&facts.build.compiler),
        path: text::line(&facts.path),
    }
}

/// What a workload is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkloadDescription {
    /// What kind of work it does.
    pub kind: &'static str,
    /// One line on what it does.
    pub summary: String,
    /// What its scaling shows.
    pub shows: String,
    /// Where it comes from, with links.
    pub source: Vec<Piece>,
    /// Further names and values.
    pub facts: Vec<Fact>,
}

/// What a workload says about itself.
#[must_use]
pub fn about(facts: &WorkloadFacts) -> WorkloadDescription {
    let units = facts.units.map(|units| format!("{units} in one sample"));
    let ceiling = facts
        .ceiling
        .as_ref()
        .map(|ceiling| format!("the native kernel {}", ceiling.kernel));
    let sha = text::short_hash(&facts.sha256);
    let (call, command) = (facts.call.as_ref(), facts.command.as_ref());
    let server = command.and_then(|command| command.server.as_ref());
    let figures = command.map_or(&[][..], |command| &command.figures);
    let figures: Vec<String> = figures
        .iter()
        .map(|figure| format!("{} = {}", text::line(&figure.name), text::line(&figure.pattern)))
        .collect();
    WorkloadDescription {
        kind: facts.kind.name(),
        summary: text::line(&facts.summary),
        shows: text::line(&facts.shows),
        source: escape::pieces(&facts.source),
        facts: [
            fact("Units of work", units.unwrap_or_default()),
            fact("Ceiling", ceiling.unwrap_or_default()),
            fact("Needs", facts.dependencies.join(", ")),
            fact("Case", facts.case.clone().unwrap_or_default()),
            fact(
                "Benchmark of",
                facts.format.map(Format::name).unwrap_or_default().to_owned(),
            ),
            fact("Callable", facts.callable.clone().unwrap_or_default()),
            fact(
                "Call",
                call.map(|call| text::line(&call.call)).unwrap_or_default(),
            ),
            fact(
                "Setup",
                call.map(|call| text::line(&call.setup)).unwrap_or_default(),
            ),
            fact(
                "Command",
                command
                    .map(|command| text::line(&command.line))
                    .unwrap_or_default(),
            ),
            fact(
                "Server",
                server.map(|server| text::line(&server.line)).unwrap_or_default(),
            ),
            fact(
                "Ready when it answers",
                server.map(|server| text::line(&server.ready)).unwrap_or_default(),
            ),
            fact("Figures", figures.join(", ")),
            fact("File", &facts.path),
            fact("SHA-256", sha),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// The environment of every trial.
#[must_use]
pub fn environment(manifest: &Manifest) -> Vec<Fact> {
    let of = |(name, value): (&String, &String)| Fact {
        name: text::line(name),
        value: text::line(value),
    };
    manifest.environment.iter().map(of).collect()
}

/// Where figures of noise and cost come from.
#[must_use]
pub fn sources(summary: &Summary) -> Vec<Fact> {
    let of = |source: &ftbench_schema::Source| Fact {
        name: text::line(&source.name.replace('_', " ")),
        value: match (&source.from, &source.reason) {
            (Some(from), _) => text::line(from),
            (None, Some(reason)) => format!("not readable here: {}", text::line(reason)),
            (None, None) => "not readable here".to_owned(),
        },
    };
    summary.sources.iter().map(of).collect()
}

/// How quiet the run was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quiet {
    /// A sentence about the disturbed samples.
    pub words: String,
    /// Counted samples.
    pub samples: u32,
    /// Counted samples that something disturbed.
    pub disturbed: u32,
    /// The share of disturbed samples, per cent.
    pub percent: String,
    /// The style class: `calm`, `uneasy` or `noisy`.
    pub tone: &'static str,
    /// The causes of disturbance.
    pub causes: Vec<Fact>,
}

/// Maximum share of disturbed samples of a run that is called calm; up to [`UNEASY_SHARE`] it is called uneasy. This
/// only chooses a style: the analysis decides about the warning and its text.
const CALM_SHARE: f64 = 0.05;
/// See [`CALM_SHARE`].
const UNEASY_SHARE: f64 = 0.25;

/// How quiet the run was; `None` where noise was not read.
#[must_use]
pub fn quiet(summary: &Summary) -> Option<Quiet> {
    let quiet = summary.quiet.as_ref()?;
    let share = f64::from(quiet.disturbed) / f64::from(quiet.samples.max(1));
    let words = noise::quiet(quiet);
    let cause = |(cause, samples): (&Disturbance, &u32)| Fact {
        name: cause.words().to_owned(),
        value: text::counted(usize::try_from(*samples).unwrap_or(usize::MAX), "sample"),
    };
    Some(Quiet {
        words: words.strip_prefix("noise: ").unwrap_or(&words).to_owned(),
        samples: quiet.samples,
        disturbed: quiet.disturbed,
        percent: units::number(100.0 * share, if share < 0.1 { 1 } else { 0 }),
        tone: if share <= CALM_SHARE {
            "calm"
        } else if share <= UNEASY_SHARE {
            "uneasy"
        } else {
            "noisy"
        },
        causes: quiet.by.iter().map(cause).collect(),
    })
}
