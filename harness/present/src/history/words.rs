//! A history in words, which are the same in every format.

use std::collections::BTreeMap;

use itertools::Itertools;

use ftbench_analyse::history::{
    Change, ChangedOnKind, Difference, DifferenceKind, Direction, History, KindVerdict, MachineDrift,
    RunLine, Series, Subject,
};
use ftbench_schema::history::{Metric, RunSettings};
use ftbench_schema::{Estimate, KernelGroup, text, units};

/// The levels of a sparkline, lowest first (Unicode block elements).
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The maximum number of blocks in a sparkline, which is as wide as a table's cell should be.
const MAX_BLOCKS: usize = 30;

/// Formats a value of the metric; a mean over cells is a plain ratio.
pub fn figure(metric: Metric, subject: &Subject, value: f64) -> String {
    match (subject, metric) {
        (Subject::Mean { .. }, _) => units::number(value, 3),
        (_, Metric::Time) => units::duration(value),
        (_, Metric::Speedup) => units::times(value),
        (_, Metric::Efficiency) => units::per_cent(value, 1),
        (_, Metric::Memory) => units::bytes(value),
    }
}

/// Formats a ratio as a change in per cent, such as `+10.1 %`.
pub fn per_cent(ratio: f64) -> String {
    let value = (ratio - 1.0) * 100.0;
    let sign = if value >= 0.05 { "+" } else { "" };
    format!("{sign}{} %", units::number(value, 1))
}

/// Formats a ratio as a change in per cent with its interval.
pub fn per_cent_interval(ratio: Estimate) -> String {
    format!(
        "{} [{}, {}]",
        per_cent(ratio.estimate),
        per_cent(ratio.low),
        per_cent(ratio.high)
    )
}

/// The name of a series.
pub fn subject(history: &History, series: &Series) -> String {
    let name = subject_name(&series.subject);
    let mut places = Vec::new();
    if history.machines.len() > 1 {
        places.push(format!("machine {}", series.machine + 1));
    }
    if let Some(own) = series.settings.and_then(|number| history.settings.get(number)) {
        places.extend(settings(history, own));
    }
    let name = text::line(&name);
    if places.is_empty() {
        name
    } else {
        format!("{name} ({})", text::line(&places.join(", ")))
    }
}

fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Cell(key) => key.to_string(),
        Subject::Mean {
            kind,
            interpreter,
            cells,
        } => format!("mean of {cells} {kind} cells on {interpreter}"),
    }
}

/// Those settings in which the runs of the history differ.
fn settings(history: &History, own: &RunSettings) -> Vec<String> {
    let differ = |same: &dyn Fn(&RunSettings) -> bool| !history.settings.iter().all(same);
    let mut words = Vec::new();
    if differ(&|other| other.pin == own.pin) {
        words.push(format!("pin {}", text::shorten(&own.pin, 30)));
    }
    if differ(&|other| other.target_sample_s == own.target_sample_s) {
        words.push(if own.target_sample_s > 0.0 {
            format!("samples of {}", units::duration(own.target_sample_s))
        } else {
            "samples of unknown length".to_owned()
        });
    }
    words
}

/// The word for a change.
pub fn verdict(metric: Metric, change: &Change) -> &'static str {
    if change.is_of_workload() {
        "changed workload"
    } else {
        direction_word(metric, change.direction)
    }
}

const fn direction_word(metric: Metric, direction: Direction) -> &'static str {
    match (metric, direction) {
        (Metric::Time, Direction::Worse) => "slower",
        (Metric::Time, Direction::Better) => "faster",
        (Metric::Memory, Direction::Worse) => "more memory",
        (Metric::Memory, Direction::Better) => "less memory",
        (_, Direction::Worse) => "scales worse",
        (_, Direction::Better) => "scales better",
    }
}

/// The date of a run.
pub fn date(run: &RunLine) -> String {
    text::line(run.started_at.get(..10).unwrap_or(&run.started_at))
}

/// The short name of a commit.
pub fn short_commit(commit: &str) -> String {
    text::shorten(&text::line(text::short_hash(commit)), 40)
}

/// A run: its date, folder and commit.
pub fn run(run: &RunLine) -> String {
    let mut words = format!("{}  {}", date(run), text::line(&run.folder));
    if let Some(commit) = &run.commit {
        words.push_str("  commit ");
        words.push_str(&short_commit(commit));
    }
    for (name, value) in &run.labels {
        words.push_str(&format!(
            "  {}={}",
            text::line(name),
            text::shorten(&text::line(value), 40)
        ));
    }
    words
}

/// One line for each difference; not for a commit, which is shown with its run.
pub fn differences(differences: &[Difference]) -> Vec<String> {
    differences
        .iter()
        .filter(|difference| difference.what != DifferenceKind::Commit)
        .map(|difference| {
            let what = match difference.what {
                DifferenceKind::Interpreter => "interpreter",
                DifferenceKind::Workload => "workload file",
                DifferenceKind::System => "system",
                DifferenceKind::Ftbench => "ftbench",
                DifferenceKind::Commit => "commit",
                DifferenceKind::Packages => "packages",
                DifferenceKind::Profile => "profile",
            };
            let (before, after) = differing(&difference.before, &difference.after);
            format!("{what}: {} -> {}", text::line(&before), text::line(&after))
        })
        .collect()
}

/// Two comma-separated lists, without the entries that they share.
fn differing(before: &str, after: &str) -> (String, String) {
    let parts = |list: &str| list.split(", ").map(str::to_owned).collect::<Vec<String>>();
    let (old, new) = (parts(before), parts(after));
    let without = |list: &[String], other: &[String]| {
        let left: Vec<&str> = list
            .iter()
            .filter(|part| !other.contains(part))
            .map(String::as_str)
            .collect();
        if left.is_empty() {
            "none".to_owned()
        } else {
            left.join(", ")
        }
    };
    (without(&old, &new), without(&new, &old))
}

/// The noise of a series; empty for one without values, which has none.
pub fn noise(series: &Series) -> String {
    if series.levels.is_empty() {
        String::new()
    } else {
        units::per_cent(series.noise, 1)
    }
}

/// The opening line.
pub fn opening(history: &History) -> String {
    let cells = history
        .series
        .iter()
        .filter(|series| matches!(series.subject, Subject::Cell(_)))
        .count();
    let (Some(first), Some(last)) = (history.runs.first(), history.runs.last()) else {
        return "no run with a summary was found".to_owned();
    };
    let machines = if history.machines.len() > 1 {
        format!(" on {}", text::counted(history.machines.len(), "machine"))
    } else {
        String::new()
    };
    format!(
        "{} from {} to {}{machines}: {} of {}",
        text::counted(history.runs.len(), "run"),
        date(first),
        date(last),
        history.metric.words(),
        text::counted(cells, "cell"),
    )
}

/// Notes on how to read the history.
pub fn notes(history: &History) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(drifts(history));
    if history.settings.len() > 1 {
        let kinds = history.settings.iter().enumerate().map(|(number, own)| {
            let is_own = |run: &&RunLine| run.settings == Some(number);
            let runs = history.runs.iter().filter(is_own).count();
            let words = settings(history, own).join(", ");
            format!("{} ({})", text::line(&words), text::counted(runs, "run"))
        });
        let kinds: Vec<String> = kinds.collect();
        notes.push(format!(
            "Runs with different settings make separate series: {}.",
            kinds.join("; ")
        ));
    }
    if history.hostnames_left_out {
        notes.push("Most host names occur only once, so they do not distinguish machines.".to_owned());
    }
    let min_runs = 2 * ftbench_analyse::history::MIN_NIGHTS;
    if !history.runs.is_empty() && history.runs.len() < min_runs {
        notes.push(format!(
            "With fewer than {min_runs} runs, no change can be found."
        ));
    }
    if let Some(shared) = history.changes.iter().find(|change| change.is_shared())
        && let Some(run) = history.runs.get(shared.first_after)
    {
        notes.push(format!(
            "Nearly all cells changed in the same way on {}: the cause is probably the machine, its settings or the \
             whole build rather than one workload.",
            date(run)
        ));
    }
    if !history.passed_over.is_empty() {
        notes.push(format!(
            "skipped {}:",
            text::counted(history.passed_over.len(), "folder")
        ));
    }
    notes
}

/// Sentences on the drift of the machines: for each machine and group of kernels, one on the numbers of PUs where the
/// drift is divided out, and one on those where it is not.
fn drifts(history: &History) -> Vec<String> {
    let mut groups: BTreeMap<(usize, KernelGroup, bool), Vec<&MachineDrift>> = BTreeMap::new();
    for one in &history.drift {
        let group = (one.machine, one.kernels, !one.divided);
        groups.entry(group).or_default().push(one);
    }
    let sentences = groups.into_iter().map(|((machine, kernels, kept), drifts)| {
        let of = if history.machines.len() > 1 {
            format!("machine {}", machine + 1)
        } else {
            "the machine".to_owned()
        };
        let spreads = spreads(&drifts);
        let (kernels, workloads) = match kernels {
            KernelGroup::Computing => ("computing", "compute"),
            KernelGroup::Memory => ("memory", "are bound by memory"),
        };
        if kept {
            format!(
                "The drift of {of}, as the ceiling's {kernels} kernels show it, was not divided out where that would not make \
                 the series clearly quieter: {spreads}."
            )
        } else {
            format!(
                "The drift of {of} from run to run, as the ceiling's {kernels} kernels show it on the same number of PUs, \
                 is divided out of workloads that {workloads}: their median series varies by {spreads}."
            )
        }
    });
    sentences.collect()
}

/// The spreads of series with the drift divided out and as measured, for each number of PUs.
fn spreads(drifts: &[&MachineDrift]) -> String {
    let percent = |share: f64| units::number(share * 100.0, 1);
    let each = drifts.iter().map(|one| {
        let (divided, measured) = (percent(one.spread_divided), percent(one.spread));
        format!(
            "{divided} % instead of {measured} % on {}",
            text::counted(one.pus, "PU")
        )
    });
    each.collect::<Vec<_>>().join(", ")
}

/// One line for each machine; empty if there is only one.
pub fn machines(history: &History) -> Vec<String> {
    if history.machines.len() < 2 {
        return Vec::new();
    }
    history
        .machines
        .iter()
        .enumerate()
        .map(|(number, machine)| {
            let name = if machine.hostname.is_empty() {
                String::new()
            } else {
                format!("{}, ", machine.hostname)
            };
            let quota = machine.cpu_quota.map_or_else(String::new, |quota| {
                format!(", quota of {} CPUs", units::number(quota, 1))
            });
            let runs = history.runs.iter().filter(|run| run.machine == number).count();
            let mut kinds = history.kinds.iter();
            let kind = kinds.find(|kind| kind.machines.contains(&number));
            let kind = kind.filter(|_| history.kinds.len() > 1);
            let kind = kind.map_or_else(String::new, |kind| format!(" (kind {})", kind.name));
            text::line(&format!(
                "machine {}{kind}: {name}{}, {} PUs{quota}, {}",
                number + 1,
                machine.cpu_model,
                machine.pus,
                text::counted(runs, "run")
            ))
        })
        .collect()
}

/// Maximum number of cells that a verdict names.
const MAX_NAMED: usize = 3;

/// What recently changed on which kinds of machines, one sentence for each direction and set of kinds; empty if all
/// machines are of one kind.
pub fn verdicts(history: &History) -> Vec<String> {
    let places = |verdict: &KindVerdict| {
        let names = |is_meant: &dyn Fn(&ChangedOnKind) -> bool| -> Vec<&str> {
            let meant = verdict.kinds.iter().filter(|on| is_meant(on));
            let kinds = meant.filter_map(|on| history.kinds.get(on.kind));
            kinds.map(|kind| kind.name.as_str()).collect()
        };
        let on = names(&ChangedOnKind::is_of_kind);
        let on_some = names(&|on| on.changed > 0 && !on.is_of_kind());
        let not_on = names(&|on| on.changed == 0);
        let parts = [
            (!on.is_empty()).then(|| format!("on {}", kinds_in_words(&on))),
            (!on_some.is_empty()).then(|| format!("on some machines of {}", kinds_in_words(&on_some))),
            (!not_on.is_empty()).then(|| format!("not on {}", kinds_in_words(&not_on))),
        ];
        parts.into_iter().flatten().join(", ")
    };
    let mut groups: Vec<(Direction, String, Vec<&Subject>)> = Vec::new();
    for verdict in &history.verdicts {
        let place = places(verdict);
        let known = groups
            .iter_mut()
            .find(|(direction, known, _)| *direction == verdict.direction && *known == place);
        match known {
            Some((.., subjects)) => subjects.push(&verdict.subject),
            None => groups.push((verdict.direction, place, vec![&verdict.subject])),
        }
    }
    let sentence = |(direction, place, subjects): (Direction, String, Vec<&Subject>)| {
        let word = text::capitalised(direction_word(history.metric, direction));
        let named = subjects
            .iter()
            .take(MAX_NAMED)
            .map(|subject| subject_name(subject));
        let more = subjects.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "{word} {place}: {}{more}",
            named.map(|name| text::line(&name)).join(", ")
        )
    };
    groups.into_iter().map(sentence).collect()
}

/// `kind A`, `kinds A and C`, `kinds A, B and C`.
fn kinds_in_words(names: &[&str]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("kind{plural} {}", text::all_of(names))
}

/// Draws the values of a series as blocks, the newest last.
pub fn sparkline(series: &Series) -> String {
    let values: Vec<Option<f64>> = series.nights.iter().map(|night| night.adjusted).collect();
    let shown = values
        .get(values.len().saturating_sub(MAX_BLOCKS)..)
        .unwrap_or(&[]);
    let low = shown.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    shown
        .iter()
        .map(|value| match value {
            None => ' ',
            Some(value) => {
                // Values that differ by less than 5 % look flat.
                let range = (high - low).max(0.05 * high);
                let share = (value - low) / range * (BLOCKS.len() - 1) as f64;
                // Between 0 and 7, and a cast saturates.
                BLOCKS.get(share.round() as usize).copied().unwrap_or('▁')
            }
        })
        .collect()
}

/// Remarks on a series: whether it is new, its missing and failed nights, and its drift.
pub fn remarks(series: &Series) -> String {
    let mut remarks = Vec::new();
    if series.new {
        remarks.push("new".to_owned());
    }
    if series.missing > 0 {
        remarks.push(format!("{} missing", series.missing));
    }
    let failed = series
        .nights
        .iter()
        .filter(|night| night.status.is_failure())
        .count();
    if failed > 0 {
        remarks.push(format!("{failed} failed"));
    }
    if let Some(drift) = series.levels.last().and_then(|level| level.drift) {
        remarks.push(format!("drifts by {}", per_cent(drift)));
    }
    remarks.join(", ")
}
