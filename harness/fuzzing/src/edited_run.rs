//! A run with well-formed records but arbitrary values. Random bytes are seldom a valid record, so here the bytes
//! choose which value of a valid record is replaced, and by what.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{self, Kind, Material};
use ftbench_present::page::{self, Report};
use ftbench_present::style::Style;
use ftbench_present::terminal;
use ftbench_present::{csv, json, markdown};
use ftbench_schema::{Manifest, SamplesByCell, Trial};

/// A manifest with one workload, two interpreters and eight cells.
const MANIFEST: &str = include_str!("base-run.json");
/// A trial of one of the cells.
const TRIAL: &str = include_str!("base-trial.json");

/// Maximum number of edits of one run. Each takes this many bytes, and `scripts/fuzz.sh` limits inputs accordingly.
const MAX_EDITS: usize = 12;
const EDIT_BYTES: usize = 4;

/// Number of rounds of the run, taken from the first byte: enough for every kind of interval.
const MAX_ROUNDS: u8 = 12;

/// A run before edits.
struct Base {
    /// The manifest and the trials as in the files. Edits are made to a copy.
    documents: Vec<Value>,
    manifest: Manifest,
    trials: Vec<Trial>,
}

thread_local! {
    /// Indexed by the number of rounds.
    static BASES: [OnceCell<Option<Base>>; MAX_ROUNDS as usize] = const {
        [const { OnceCell::new() }; MAX_ROUNDS as usize]
    };
}

/// A run edited by bytes.
#[derive(Debug)]
pub struct EditedRun {
    manifest: Manifest,
    trials: Vec<Trial>,
    /// Index in [`Kind::ALL`] of the chart to render; one past the end for the page. Each input renders only one of
    /// them, because that takes most of the time.
    shown_as: usize,
}

impl EditedRun {
    /// Edits a run. Returns `None` if the edited records are not valid.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (&first, edits) = bytes.split_first()?;
        BASES.with(|bases| {
            let rounds = first % MAX_ROUNDS;
            let base = bases.get(usize::from(rounds))?.get_or_init(|| Base::of(rounds));
            let (manifest, trials) = base.as_ref()?.edited(edits)?;
            Some(Self {
                manifest,
                trials,
                shown_as: usize::from(first / MAX_ROUNDS) % (Kind::ALL.len() + 1),
            })
        })
    }

    /// Shows the run in every table, and in one chart or the page.
    pub fn show(self) {
        let summary = summarise("run", &self.manifest, &self.trials);
        let written = json::summary(&summary);
        assert!(written.is_ok(), "{:?}", written.err());
        for width in [None, Some(20), Some(100)] {
            let shown = terminal::render(&summary, Style { colour: false, width });
            let control = shown.chars().find(|char| char.is_control() && *char != '\n');
            assert_eq!(control, None, "{shown:?}");
        }
        let _ = markdown::render(&summary);
        let mut rows = Vec::new();
        let _ = csv::write_samples(&self.trials, summary.run.scaling, &mut rows);
        let Some(kind) = Kind::ALL.get(self.shown_as) else {
            let html = page::html(Report {
                summary: &summary,
                manifest: &self.manifest,
                samples: &SamplesByCell::of_trials(&self.trials),
            });
            if let Ok(html) = html {
                assert!(!html.contains("<script>alert"), "foreign text in the page");
            }
            return;
        };
        let names: Vec<String> = summary.workloads.iter().map(|one| one.name.clone()).collect();
        let material = Material::of_run(summary, self.trials);
        for workload in names.iter().take(2) {
            // A chart, or the reason why there is none.
            let _ = chart::svg(&chart::make(*kind, &material, workload));
        }
    }
}

impl Base {
    fn of(rounds: u8) -> Option<Self> {
        let manifest: Value = serde_json::from_str(MANIFEST).ok()?;
        let trials = base_trials(&manifest, rounds)?;
        let read = |trial: &Value| serde_json::from_value(trial.clone()).ok();
        Some(Self {
            trials: trials.iter().map(read).collect::<Option<_>>()?,
            manifest: serde_json::from_value(manifest.clone()).ok()?,
            documents: [vec![manifest], trials].concat(),
        })
    }

    /// Returns the edited records. Only records with edits are parsed again.
    fn edited(&self, edits: &[u8]) -> Option<(Manifest, Vec<Trial>)> {
        let mut edited: BTreeMap<usize, Value> = BTreeMap::new();
        for edit in edits.chunks_exact(EDIT_BYTES).take(MAX_EDITS) {
            let &[document, high, low, value] = edit else {
                continue;
            };
            let number = usize::from(document) % self.documents.len();
            let document = match edited.entry(number) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.documents.get(number)?.clone()),
            };
            change(document, usize::from(u16::from_be_bytes([high, low])), value);
        }
        let manifest = match edited.remove(&0) {
            Some(manifest) => serde_json::from_value(manifest).ok()?,
            None => self.manifest.clone(),
        };
        let edited = edited
            .into_iter()
            .map(|(number, trial)| Some((number - 1, serde_json::from_value(trial).ok()?)));
        let edited: Vec<(usize, Trial)> = edited.collect::<Option<_>>()?;
        let mut trials = self.trials.clone();
        for (at, trial) in edited {
            *trials.get_mut(at)? = trial;
        }
        Some((manifest, trials))
    }
}

/// Returns one trial of each cell in each round.
fn base_trials(manifest: &Value, rounds: u8) -> Option<Vec<Value>> {
    let template: Value = serde_json::from_str(TRIAL).ok()?;
    let cells = manifest.pointer("/plan/cells")?.as_array()?;
    let mut trials = Vec::new();
    for round in 0..rounds {
        for planned in cells {
            let mut trial = template.clone();
            let number = trials.len();
            for (key, value) in [("trial", json!(number)), ("round", json!(round))] {
                *trial.get_mut(key)? = value;
            }
            let cell = trial.get_mut("cell")?.as_object_mut()?;
            for (key, value) in cell.iter_mut() {
                *value = planned.get(key)?.clone();
            }
            trials.push(trial);
        }
    }
    Some(trials)
}

/// Replaces the value at a position, repeats it if it is in a list, or removes it.
fn change(document: &mut Value, place: usize, how: u8) {
    let pointers = pointers(document);
    let Some(pointer) = pointers.get(place % pointers.len().max(1)) else {
        return;
    };
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match (how, document.pointer_mut(parent)) {
        (0..=15, Some(Value::Array(list))) => {
            if let Some(one) = key.parse::<usize>().ok().and_then(|at| list.get(at)).cloned() {
                list.extend(std::iter::repeat_n(one, usize::from(how) + 1));
            }
        }
        (16..=23, Some(Value::Array(list))) => list.clear(),
        (0..=23, Some(Value::Object(object))) => {
            object.remove(key);
        }
        (_, _) => {
            if let Some(value) = document.pointer_mut(pointer) {
                *value = replacement(value, how);
            }
        }
    }
}

/// Returns a value at the limit of its type, or one with a special meaning elsewhere.
fn replacement(value: &Value, how: u8) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(255),
        json!(i32::MAX),
        json!(u32::MAX),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1_u64 << 53),
        json!(-1),
        json!(0.0),
        json!(-0.0),
        json!(5e-324),
        json!(1e308),
        json!(-1e308),
        json!(0.1),
    ];
    let words = [
        "",
        "native",
        "3.13t",
        "3.13",
        "fib",
        "<script>alert(1)</script>",
        "\u{1b}[2J\u{7}\r\n\t\0",
        "\u{202e}\u{ffff}😀 ä",
        "../../../etc/passwd",
        "2026-11-21T11:20:05.187266007Z",
        "threads",
        "processes:spawn",
        "wrong_result",
        "=1+1",
    ];
    let pick = |list: &[Value]| list.get(usize::from(how) % list.len().max(1)).cloned();
    let picked = match value {
        Value::Number(_) => pick(&numbers),
        Value::String(_) if how == u8::MAX => Some(json!("long ".repeat(10_000))),
        Value::String(_) => pick(&words.map(Value::from)),
        Value::Bool(now) => Some(json!(!now)),
        Value::Null => pick(&[json!(1), json!(""), json!([]), json!(true)]),
        Value::Array(_) => pick(&[json!([]), Value::Null]),
        Value::Object(_) => pick(&[json!({}), Value::Null]),
    };
    picked.unwrap_or(Value::Null)
}

/// Returns the JSON pointers (RFC 6901) of everything in a value.
fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), value)];
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Array(list) => {
                left.extend(
                    list.iter()
                        .enumerate()
                        .map(|(at, one)| (format!("{path}/{at}"), one)),
                );
            }
            Value::Object(object) => {
                let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
                left.extend(
                    object
                        .iter()
                        .map(|(key, one)| (format!("{path}/{}", escaped(key)), one)),
                );
            }
            _ => {}
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn run_without_edits_is_valid() {
        for rounds in [0, 3, 11] {
            for shown_as in 0..=Kind::ALL.len() {
                let first = rounds + MAX_ROUNDS * u8::try_from(shown_as).unwrap();
                let run = EditedRun::of(&[first]).unwrap();
                assert_eq!(
                    run.trials.len(),
                    usize::from(rounds) * run.manifest.plan.cells.len()
                );
                run.show();
            }
        }
    }

    #[test]
    fn edited_records_equal_the_edited_documents_parsed_again() {
        let rounds = 2;
        let base = Base::of(rounds).unwrap();
        let last = u8::try_from(base.documents.len() - 1).unwrap();
        let mut valid_edits = 0;
        for document in [0, 1, last] {
            for place in 0..400_u16 {
                let [high, low] = place.to_be_bytes();
                let edit = [document, high, low, 24];
                let mut documents = base.documents.clone();
                change(&mut documents[usize::from(document)], usize::from(place), 24);
                let trials = documents.split_off(1).into_iter().map(serde_json::from_value);
                let trials: Result<Vec<Trial>, _> = trials.collect();
                let manifest: Result<Manifest, _> = serde_json::from_value(documents.remove(0));
                let expected = manifest.ok().zip(trials.ok());
                assert_eq!(base.edited(&edit), expected, "{edit:?}");
                valid_edits += usize::from(
                    expected.is_some_and(|read| read != (base.manifest.clone(), base.trials.clone())),
                );
            }
        }
        assert!(valid_edits > 100, "{valid_edits}");
    }

    #[test]
    fn edit_changes_one_value() {
        let mut document = json!({"a": [1, 2], "b": "word"});
        let at = |document: &Value, wanted: &str| {
            pointers(document)
                .iter()
                .position(|pointer| pointer == wanted)
                .unwrap()
        };
        let place = at(&document, "/a/1");
        change(&mut document, place, 32);
        assert_eq!(document, json!({"a": [1, -1e308_f64], "b": "word"}));
        let place = at(&document, "/b");
        change(&mut document, place, 0);
        assert_eq!(document.get("b"), None);
        let place = at(&document, "/a/0");
        change(&mut document, place, 1);
        assert_eq!(document["a"].as_array().unwrap().len(), 4);
    }
}
