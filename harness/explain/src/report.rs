//! Compares one worker with several, over all rounds.

use std::collections::{BTreeMap, BTreeSet};

use ftbench_analyse::location::mean_interval;
use ftbench_analyse::sample::Sample;
use ftbench_schema::{CategoryTime, Contended, Estimate, ObjectFacts, SamplingCost};

use crate::category::Category;
use crate::profile::{Line, Profile};

/// Confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// Minimum share of the rounds in which something is contended, to report it.
const MIN_ROUNDS: f64 = 0.5;

/// Maximum number of Python functions of a contended object.
const MAX_FUNCTIONS: usize = 4;

/// The process of one cell in one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// What its workers did.
    pub profile: Profile,
    /// The workers' time per unit of work, without sampling, nanoseconds.
    pub unit_ns: f64,
    /// Makespan with sampling over that without.
    pub cost: f64,
    /// Whether the GIL was on.
    pub gil_enabled: bool,
    /// The module that switched it on; `None` if it was on from the start, or off.
    pub gil_enabled_by: Option<String>,
    /// The object at each contended line of the profile.
    pub objects: Vec<Option<ObjectFacts>>,
    /// Names of Python functions by the address of their code object.
    pub functions: BTreeMap<u64, String>,
}

/// The processes with one worker and with all workers in the same round.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// With one worker.
    pub one: Process,
    /// With all of them.
    pub all: Process,
}

/// Categories in which workers do nothing, which come last: they are effects of other programs and of the division of the
/// work rather than of what workers do.
const IDLE: [Category; 2] = [Category::WithoutCpu, Category::NoWork];

/// The workers' time per unit of work in all categories together, and in each of them: those whose time rises most
/// come first, and those in which nothing is done last. `None` with fewer than two rounds.
#[must_use]
pub fn time(rounds: &[Round]) -> Option<(CategoryTime, Vec<CategoryTime>)> {
    let processes = rounds.iter().flat_map(|round| [&round.one, &round.all]);
    let categories: BTreeSet<&Category> = processes
        .flat_map(|process| process.profile.shares.keys())
        .collect();
    let total = compared(rounds, "all", None, |process| process.unit_ns)?;
    let time_in = |category: &Category| {
        compared(rounds, category.name(), category.detail(), |process| {
            process.unit_ns * process.profile.shares.get(category).copied().unwrap_or_default()
        })
    };
    let mut times: Vec<CategoryTime> = categories.into_iter().filter_map(time_in).collect();
    let is_idle = |time: &CategoryTime| IDLE.iter().any(|idle| idle.name() == time.category);
    times.sort_by(|a, b| {
        let by_rise = b.rise_ns.estimate.total_cmp(&a.rise_ns.estimate);
        is_idle(a).cmp(&is_idle(b)).then(by_rise)
    });
    Some((total, times))
}

fn compared(
    rounds: &[Round],
    category: &str,
    detail: Option<&str>,
    time_ns: impl Fn(&Process) -> f64,
) -> Option<CategoryTime> {
    Some(CategoryTime {
        category: category.to_owned(),
        detail: detail.map(str::to_owned),
        one_worker_ns: mean(rounds.iter().map(|round| time_ns(&round.one)))?,
        all_workers_ns: mean(rounds.iter().map(|round| time_ns(&round.all)))?,
        rise_ns: mean(
            rounds
                .iter()
                .map(|round| time_ns(&round.all) - time_ns(&round.one)),
        )?,
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<Estimate> {
    mean_interval(&Sample::new(values.collect())?, CONFIDENCE)
}

/// Whether the GIL was on in any process, and the first module that is known to have switched it on.
#[must_use]
pub fn gil(rounds: &[Round]) -> (bool, Option<String>) {
    let processes = || rounds.iter().flat_map(|round| [&round.one, &round.all]);
    let is_on = processes().any(|process| process.gil_enabled);
    (
        is_on,
        processes().find_map(|process| process.gil_enabled_by.clone()),
    )
}

/// The cost of sampling. `None` with fewer than two rounds.
#[must_use]
pub fn cost(rounds: &[Round]) -> Option<SamplingCost> {
    let profiles = || {
        rounds
            .iter()
            .flat_map(|round| [&round.one.profile, &round.all.profile])
    };
    Some(SamplingCost {
        one_worker: mean(rounds.iter().map(|round| round.one.cost))?,
        all_workers: mean(rounds.iter().map(|round| round.all.cost))?,
        samples: profiles().map(|profile| profile.samples).sum(),
        lost: profiles().map(|profile| profile.lost).sum(),
    })
}

/// What makes a contended thing the same in several processes, where it has other addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    object: Option<String>,
    type_name: Option<String>,
    field: String,
}

/// What several workers contend for in most rounds; the most costly first.
#[must_use]
pub fn contended(rounds: &[Round]) -> Vec<Contended> {
    let mut found = BTreeMap::<Identity, Vec<(usize, Contended)>>::new();
    for (number, round) in rounds.iter().enumerate() {
        let process = &round.all;
        for (line, object) in process.profile.lines.iter().zip(&process.objects) {
            let contended = described(line, object.as_ref(), &process.functions);
            let identity = Identity {
                object: contended.object.clone(),
                type_name: contended.type_name.clone(),
                field: contended.field.clone(),
            };
            found.entry(identity).or_default().push((number, contended));
        }
    }
    let merged = found.into_values().filter_map(|seen| {
        let in_rounds: BTreeSet<usize> = seen.iter().map(|(round, _)| *round).collect();
        if (in_rounds.len() as f64) < MIN_ROUNDS * rounds.len() as f64 {
            return None;
        }
        let seen = seen.into_iter().map(|(_, contended)| contended);
        let mut merged = seen.reduce(|mut merged, next| {
            merged.share += next.share;
            merged.workers = merged.workers.max(next.workers);
            merged.functions.extend(next.functions);
            merged
        })?;
        merged.share /= rounds.len() as f64;
        merged.functions = most_frequent(&merged.functions);
        Some(merged)
    });
    let mut merged: Vec<Contended> = merged.collect();
    merged.sort_by(|a, b| b.share.total_cmp(&a.share));
    merged
}

fn described(line: &Line, object: Option<&ObjectFacts>, functions: &BTreeMap<u64, String>) -> Contended {
    let names = line.code.iter().filter_map(|code| functions.get(code).cloned());
    Contended {
        object: object.and_then(|object| object.path.clone()),
        type_name: object.map(|object| object.type_name.clone()),
        size_bytes: object
            .filter(|object| object.path.is_some())
            .map(|object| object.size),
        field: match object {
            Some(object) => object.field.clone(),
            None if line.c_function.is_empty() => "memory of the interpreter or a library".to_owned(),
            None => format!("used by {}", line.c_function),
        },
        share: line.share,
        workers: line.workers,
        functions: names.collect(),
    }
}

/// The distinct names, most frequent first, at most [`MAX_FUNCTIONS`].
fn most_frequent(names: &[String]) -> Vec<String> {
    let mut counts = BTreeMap::<&String, usize>::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
        .into_iter()
        .take(MAX_FUNCTIONS)
        .map(|(name, _)| name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn process(unit_ns: f64, shares: &[(Category, f64)]) -> Process {
        Process {
            profile: Profile {
                shares: shares.iter().cloned().collect(),
                lines: Vec::new(),
                has_symbols: true,
                samples: 100,
                lost: 1,
            },
            unit_ns,
            cost: 1.01,
            gil_enabled: false,
            gil_enabled_by: None,
            objects: Vec::new(),
            functions: BTreeMap::new(),
        }
    }

    fn round(extra: f64) -> Round {
        Round {
            one: process(100.0, &[(Category::Interpreter, 1.0)]),
            all: process(
                200.0 + extra,
                &[
                    (Category::Interpreter, 0.2),
                    (Category::SharedReferenceCounts, 0.3),
                    (Category::WithoutCpu, 0.5),
                ],
            ),
        }
    }

    fn with_line(mut round: Round, object: Option<ObjectFacts>) -> Round {
        round.all.profile.lines.push(Line {
            address: 0x1000,
            share: 0.2,
            workers: 2,
            code: vec![7, 8],
            c_function: "type_lookup".to_owned(),
        });
        round.all.objects.push(object);
        round.all.functions.insert(7, "work".to_owned());
        round
    }

    fn object(path: Option<&str>) -> ObjectFacts {
        ObjectFacts {
            type_name: "list".to_owned(),
            size: 56,
            field: "shared reference count".to_owned(),
            path: path.map(str::to_owned),
        }
    }

    #[test]
    fn category_that_rises_comes_first() {
        let (total, time) = time(&[round(0.0), round(20.0)]).unwrap();
        let names: Vec<&str> = time.iter().map(|time| time.category.as_str()).collect();
        assert_eq!(
            names,
            ["shared reference counts", "interpreter", "waiting for a PU"]
        );
        assert!((total.rise_ns.estimate - 110.0).abs() < 1e-9);
        assert!((time[0].rise_ns.estimate - 63.0).abs() < 1e-9);
        assert!((time[0].one_worker_ns.estimate).abs() < 1e-9);
        assert!(time[0].rise_ns.low < 63.0 && time[0].rise_ns.high > 63.0);
    }

    #[test]
    fn one_round_has_no_interval() {
        assert_eq!(time(&[round(0.0)]), None);
        assert_eq!(cost(&[round(0.0)]), None);
        assert_eq!(
            cost(&[round(0.0), round(1.0)]).map(|cost| (cost.samples, cost.lost)),
            Some((400, 4))
        );
    }

    #[test]
    fn the_same_object_of_several_rounds_is_one() {
        let named = || with_line(round(0.0), Some(object(Some("module.LIST"))));
        let found = contended(&[named(), named(), round(0.0)]);
        let [only] = &found[..] else {
            unreachable!("{found:?}")
        };
        assert_eq!(only.object.as_deref(), Some("module.LIST"));
        assert_eq!(only.functions, ["work"]);
        assert!((only.share - 0.4 / 3.0).abs() < 1e-9);
        assert!(
            contended(&[named(), round(0.0), round(0.0)]).is_empty(),
            "in one round of three"
        );
    }

    #[test]
    fn what_is_not_known_to_have_lived_has_no_name() {
        let found = contended(&[with_line(round(0.0), Some(object(None)))]);
        let [only] = &found[..] else {
            unreachable!("{found:?}")
        };
        assert_eq!(
            (only.object.as_deref(), only.type_name.as_deref()),
            (None, Some("list"))
        );
        let found = contended(&[with_line(round(0.0), None)]);
        let [only] = &found[..] else {
            unreachable!("{found:?}")
        };
        assert_eq!(only.field, "used by type_lookup");
    }
}
