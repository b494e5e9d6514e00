//! Comparisons of two sides: two runs, two interpreters of one run, or two sets of runs. Pure.
//!
//! Cells of one run are paired in its rounds. Runs made at different times are not, and their intervals include the
//! variance between runs: [`between_runs`] estimates it, and [`drift`] the part that is due to the machine.
//! `docs/compare.md` describes the method.

pub mod between_runs;
mod differences;
mod documented;
pub mod drift;
mod drift_correction;
pub mod fleet;
mod history;
mod matching;
#[cfg(test)]
mod matching_tests;
mod material;
mod moderate;
mod obstacles;
mod paired;
mod report;
#[cfg(test)]
mod simulation_tests;
mod statuses;
mod unpaired;
mod verdict;
mod wholes;

use std::collections::BTreeMap;

pub use drift::{Drift, Load, pus_of_workers};
pub use history::is_same_machine;
pub use matching::Key;
pub use material::{Reading, Run, Side};
pub use report::{
    BetweenRuns, COMPARISON_SCHEMA_VERSION, CellComparison, Change, Common, Comparison, Counts, FailedInSome,
    GeometricMean, Pairing, SideFacts, SideName, Unmatched, WorkloadComparison,
};
pub use verdict::Verdict;

use super::multiple::SMALLEST_EFFECT;
use ftbench_schema::suggest::UnknownInterpreter;
use ftbench_schema::{Estimate, WorkloadKind};
use history::Group;
use matching::Pair;
use unpaired::{Method, UnpairedComparison};
use verdict::{TestedRatio, verdicts};

/// Options of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Smallest relative difference of interest.
    pub smallest_effect: f64,
    /// Compare runs that cannot be compared, and report why they cannot.
    pub anyway: bool,
    /// Whether the machine's drift is removed if the ceiling measured it.
    pub take_drift_out: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            smallest_effect: SMALLEST_EFFECT,
            anyway: false,
            take_drift_out: true,
        }
    }
}

/// The reason why there is no comparison.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// The runs were made under different conditions, which may change times.
    #[error("these runs cannot be compared: {}; use --anyway to compare them all the same", .0.join("; "))]
    Conditions(Vec<String>),
    /// No cell of one side has a counterpart with the same work on the other.
    #[error(
        "no cell of BASE has a counterpart in NEW: BASE has {base}, NEW has {new}; name an interpreter or an arm of each, \
         as RUN#NAME"
    )]
    NothingInCommon {
        /// The interpreters and the number of cells of BASE.
        base: String,
        /// The same for NEW.
        new: String,
    },
    /// Every workload that both sides have is a different file.
    #[error(
        "no workload is the same in BASE and NEW: the files of {0} differ; use --anyway to compare them all the same"
    )]
    OtherWorkloads(String),
    /// Both sides have the same cells, but none could be compared.
    #[error("no cell can be compared: {0}; run 'ftbench show' for details of each run")]
    NothingCompared(String),
    /// A run is on both sides.
    #[error(
        "{0} is on both sides; name two of its interpreters or arms, as {0}#3.13 {0}#3.13t, or give two runs"
    )]
    WithItself(String),
    /// The trials of a run that is compared with itself were not read.
    #[error("cannot compare {0} with itself because its rounds are not known; give its folder")]
    NoRounds(String),
    /// An interpreter that a run does not have.
    #[error(transparent)]
    UnknownInterpreter(#[from] UnknownInterpreter),
}

/// Compares two sides. `history` contains further runs; those of the same thing on the same machine are used to
/// estimate the variance between runs. It must not contain runs that are on a side.
///
/// # Errors
/// Returns an error if the sides cannot be compared.
pub fn compare(
    base: &Side<'_>,
    new: &Side<'_>,
    history: &[Run],
    options: &Options,
) -> Result<Comparison, Incomparable> {
    check_names(base)?;
    check_names(new)?;
    let in_the_same_rounds = in_the_same_rounds(base, new)?;
    let obstacles = obstacles::obstacles(base, new);
    if !obstacles.is_empty() && !options.anyway {
        return Err(Incomparable::Conditions(obstacles));
    }
    let mut pairs = matching::pairs(base, new);
    if !pairs
        .iter()
        .any(|pair| !pair.base.is_empty() && !pair.new.is_empty())
    {
        return Err(Incomparable::NothingInCommon {
            base: inventory(base),
            new: inventory(new),
        });
    }
    let mut unmatched = Vec::new();
    let mut overridden = obstacles;
    let changed = changed_workloads(&pairs, base, new);
    if options.anyway {
        overridden.extend(changed.iter().map(|(workload, why)| format!("{workload}: {why}")));
    } else {
        let (kept, other): (Vec<Pair<'_>>, Vec<Pair<'_>>) = pairs
            .into_iter()
            .partition(|pair| !changed.contains_key(&pair.key.workload));
        pairs = kept;
        unmatched.extend(other.iter().map(|pair| statuses::other_work(pair, &changed)));
        if !pairs
            .iter()
            .any(|pair| !pair.base.is_empty() && !pair.new.is_empty())
        {
            let names: Vec<String> = changed.into_keys().collect();
            return Err(Incomparable::OtherWorkloads(names.join(", ")));
        }
    }
    let (compared, left_out): (Vec<Pair<'_>>, Vec<Pair<'_>>) = pairs
        .into_iter()
        .partition(|pair| statuses::change(pair).is_none());
    unmatched.extend(left_out.iter().filter_map(statuses::change));
    let outcome = if in_the_same_rounds {
        Outcome::paired(base, &compared)
    } else {
        Outcome::unpaired(base, new, &compared, history, options)
    };
    let comparison = outcome.report(base, new, &compared, unmatched, (overridden, options));
    if comparison.has_result() {
        Ok(comparison)
    } else {
        Err(Incomparable::NothingCompared(statuses::explain_nothing_compared(
            &comparison.unmatched,
        )))
    }
}

fn check_names(side: &Side<'_>) -> Result<(), UnknownInterpreter> {
    let Some(name) = &side.interpreter else {
        return Ok(());
    };
    let without = side
        .runs
        .iter()
        .find(|run| !run.summary.cells.iter().any(|cell| side.has(cell)));
    match without {
        None => Ok(()),
        Some(run) => Err(UnknownInterpreter::new(&run.summary, name)),
    }
}

/// Whether the sides are parts of the same runs.
fn in_the_same_rounds(base: &Side<'_>, new: &Side<'_>) -> Result<bool, Incomparable> {
    let on_both = |run: &&Run| new.runs.iter().any(|other| std::ptr::eq(*other, *run));
    let shared: Vec<&Run> = base.runs.iter().copied().filter(|run| on_both(run)).collect();
    let Some(first) = shared.first() else {
        return Ok(false);
    };
    let all = shared.len() == base.runs.len() && shared.len() == new.runs.len();
    if !all || base.interpreter == new.interpreter || base.interpreter.is_none() || new.interpreter.is_none()
    {
        return Err(Incomparable::WithItself(first.summary.run.name.clone()));
    }
    match shared.iter().find(|run| run.makespans.is_empty()) {
        Some(run) => Err(Incomparable::NoRounds(run.summary.run.name.clone())),
        None => Ok(true),
    }
}

fn inventory(side: &Side<'_>) -> String {
    let mut labels: Vec<String> = match &side.interpreter {
        Some(name) => vec![name.clone()],
        None => side.runs.iter().flat_map(|run| run.labels()).collect(),
    };
    labels.sort();
    labels.dedup();
    let cells = side
        .runs
        .iter()
        .flat_map(|run| &run.summary.cells)
        .filter(|cell| side.has(cell))
        .count();
    format!(
        "{cells} cells of {}",
        if labels.is_empty() {
            "no interpreter".to_owned()
        } else {
            labels.join(", ")
        }
    )
}

/// Returns the workloads whose cells cannot be compared, with the reasons.
fn changed_workloads(pairs: &[Pair<'_>], base: &Side<'_>, new: &Side<'_>) -> BTreeMap<String, String> {
    let workloads = pairs.iter().map(|pair| &pair.key.workload);
    workloads
        .filter_map(|name| Some((name.clone(), obstacles::obstacle_of(name, base, new)?)))
        .collect()
}

/// The ratios of the pairs, computed in either way.
struct Outcome {
    found: BTreeMap<usize, TestedRatio>,
    means: Vec<GeometricMean>,
    /// `None` for pairs in the same rounds.
    unpaired: Option<UnpairedComparison>,
}

impl Outcome {
    fn paired(side: &Side<'_>, pairs: &[Pair<'_>]) -> Self {
        let found = paired::ratios(&side.runs, pairs);
        let mean = |positions: &[usize]| {
            let chosen: Vec<&Pair<'_>> = positions.iter().filter_map(|&at| pairs.get(at)).collect();
            paired::geometric_mean(&side.runs, &chosen)
        };
        Self {
            means: means(pairs, &found, mean),
            found,
            unpaired: None,
        }
    }

    fn unpaired(
        base: &Side<'_>,
        new: &Side<'_>,
        pairs: &[Pair<'_>],
        history: &[Run],
        options: &Options,
    ) -> Self {
        let with_interpreter = matching::with_interpreter(base, new);
        let name = |side: &Side<'_>| {
            if with_interpreter {
                None
            } else {
                matching::only_label(side)
            }
        };
        let of_history = base
            .runs
            .first()
            .map(|like| history::similar_runs(history, like))
            .unwrap_or_default();
        let of_base = of_history
            .into_iter()
            .chain([base.runs.clone()])
            .map(|runs| (runs, name(base)));
        let groups: Vec<Group<'_>> = of_base
            .chain([(new.runs.clone(), name(new))])
            .map(|(runs, interpreter)| Group { runs, interpreter })
            .collect();
        let method = Method {
            base: &base.runs,
            new: &new.runs,
            groups: &groups,
            take_drift_out: options.take_drift_out,
        };
        let unpaired = method.compare(pairs);
        Self {
            means: means(pairs, &unpaired.found, |positions| {
                unpaired.geometric_mean(positions).map(|found| found.ratio)
            }),
            found: unpaired.found.clone(),
            unpaired: Some(unpaired),
        }
    }

    fn report(
        self,
        base: &Side<'_>,
        new: &Side<'_>,
        pairs: &[Pair<'_>],
        mut unmatched: Vec<Unmatched>,
        (overridden, options): (Vec<String>, &Options),
    ) -> Comparison {
        let (positions, found): (Vec<usize>, Vec<TestedRatio>) =
            self.found.iter().map(|(at, found)| (*at, *found)).unzip();
        let verdicts = verdicts(&found, options.smallest_effect);
        let mut cells = Vec::new();
        for ((position, found), verdict) in positions.iter().zip(found).zip(verdicts) {
            let as_measured = self
                .unpaired
                .as_ref()
                .and_then(|unpaired| unpaired.as_measured.get(position).copied());
            let pair = pairs.get(*position);
            cells.extend(pair.map(|pair| CellComparison::new(pair, &found, verdict, as_measured)));
        }
        let unknown = pairs
            .iter()
            .enumerate()
            .filter(|(position, _)| !self.found.contains_key(position));
        let paired_in = self.unpaired.is_none().then_some(base.runs.as_slice());
        unmatched.extend(unknown.map(|(_, pair)| statuses::too_few_rounds(pair, paired_in)));
        let compared = pairs
            .iter()
            .enumerate()
            .filter(|(at, _)| self.found.contains_key(at));
        Comparison {
            schema: COMPARISON_SCHEMA_VERSION,
            base: SideFacts::of(base),
            new: SideFacts::of(new),
            pairing: if self.unpaired.is_some() {
                Pairing::DifferentTimes
            } else {
                Pairing::SameRounds
            },
            interpreters_matched: !matching::with_interpreter(base, new),
            smallest_effect: options.smallest_effect,
            counts: Counts::of(&cells, &unmatched),
            drift: self
                .unpaired
                .as_ref()
                .map(|unpaired| unpaired.drifts.clone())
                .unwrap_or_default(),
            between_runs: self.unpaired.as_ref().and_then(BetweenRuns::of),
            workloads: self
                .unpaired
                .as_ref()
                .map(|unpaired| wholes::workloads(pairs, unpaired, options.smallest_effect))
                .unwrap_or_default(),
            geometric_means: self.means,
            cells,
            unmatched,
            failed_in_some: compared
                .flat_map(|(_, pair)| statuses::failed_in_some(pair))
                .collect(),
            overridden,
            differences: differences::differences_of(base, new),
            cautions: obstacles::cautions(base, new),
        }
    }
}

/// Returns the geometric mean for every kind of workload, and over all if there are several kinds.
fn means(
    pairs: &[Pair<'_>],
    found: &BTreeMap<usize, TestedRatio>,
    mean: impl Fn(&[usize]) -> Option<Estimate>,
) -> Vec<GeometricMean> {
    let mut by_kind: BTreeMap<&'static str, (Option<WorkloadKind>, Vec<usize>)> = BTreeMap::new();
    let mut all = Vec::new();
    for (position, pair) in pairs
        .iter()
        .enumerate()
        .filter(|(position, _)| found.contains_key(position))
    {
        let name = pair.kind.map_or("", WorkloadKind::name);
        by_kind
            .entry(name)
            .or_insert((pair.kind, Vec::new()))
            .1
            .push(position);
        all.push(position);
    }
    let several = by_kind.len() > 1;
    let mut means: Vec<(Option<WorkloadKind>, Vec<usize>)> =
        by_kind.into_values().filter(|(kind, _)| kind.is_some()).collect();
    if several {
        means.push((None, all));
    }
    let mean_of = |(kind, positions): (Option<WorkloadKind>, Vec<usize>)| {
        let mut workloads: Vec<&str> = positions
            .iter()
            .filter_map(|&at| Some(pairs.get(at)?.key.workload.as_str()))
            .collect();
        workloads.sort_unstable();
        workloads.dedup();
        Some(GeometricMean {
            kind,
            workloads: workloads.len(),
            cells: positions.len(),
            ratio: mean(&positions)?,
        })
    };
    means.into_iter().filter_map(mean_of).collect()
}
