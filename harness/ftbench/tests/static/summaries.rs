//! Compares the output of `ftbench show --format json` for stored runs with their stored summaries, leaf by leaf.
//!
//! An intended change of a leaf is listed in [`INTENDED`] with its reason, until
//! `FTBENCH_WRITE_SUMMARIES=1 cargo test -p ftbench --test static summaries` has regenerated the summaries. Review the
//! differences before committing them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ftbench::record::store;
use ftbench_analyse::summary::summarise;
use ftbench_present::json;
use serde_json::Value;

use crate::paths;

/// Intended differences: the run, the path of the leaf, with `*` for any position in a list, and the reason.
const INTENDED: [(&str, &str, &str); 0] = [];

/// The relative difference allowed between numbers, because C libraries round logarithms differently.
const TOLERANCE: f64 = 1e-9;

type Leaves = BTreeMap<String, Value>;

fn leaves(value: &Value) -> Leaves {
    fn walk(value: &Value, path: String, into: &mut Leaves) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    walk(value, format!("{path}/{key}"), into);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (position, value) in items.iter().enumerate() {
                    walk(value, format!("{path}/{position}"), into);
                }
            }
            leaf => {
                into.insert(path, leaf.clone());
            }
        }
    }
    let mut found = Leaves::new();
    walk(value, String::new(), &mut found);
    found
}

fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) if one.is_f64() && other.is_f64() => {
            let [one, other] = [one, other].map(|number| number.as_f64().unwrap());
            (one - other).abs() <= TOLERANCE * one.abs().max(other.abs())
        }
        _ => one == other,
    }
}

/// A line for each leaf that is missing on one side or differs: its path, the stored value and the present one.
fn differences(stored: &Leaves, made: &Leaves) -> BTreeMap<String, String> {
    let paths = stored.keys().chain(made.keys());
    let differing = paths.filter(|path| !is_same(stored.get(*path), made.get(*path)));
    let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
    differing
        .map(|path| {
            let [was, is] = [stored, made].map(|leaves| shown(leaves.get(path)));
            (path.clone(), format!("{path} was {was}, is {is}"))
        })
        .collect()
}

fn is_matched(path: &str, pattern: &str) -> bool {
    let (parts, wanted): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), pattern.split('/').collect());
    parts.len() == wanted.len()
        && parts
            .iter()
            .zip(wanted)
            .all(|(part, wanted)| wanted == "*" || *part == wanted)
}

/// The summary that the present code makes of a run.
fn summary_of(run: &Path) -> Value {
    let run = store::read(run).unwrap();
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    serde_json::from_str(&json::summary(&summary).unwrap()).unwrap()
}

fn file(run: &str) -> PathBuf {
    paths::package()
        .join("tests/static/summaries")
        .join(run)
        .with_extension("json.gz")
}

fn stored(run: &str) -> Value {
    let mut text = String::new();
    let compressed = std::fs::File::open(file(run)).unwrap();
    GzDecoder::new(compressed).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn check(run: &Path) {
    let name = run.file_name().unwrap().to_str().unwrap();
    let made = summary_of(run);
    if std::env::var_os("FTBENCH_WRITE_SUMMARIES").is_some() {
        let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
        write!(compressed, "{made}").unwrap();
        std::fs::write(file(name), compressed.finish().unwrap()).unwrap();
    }
    let mut unintended = differences(&leaves(&stored(name)), &leaves(&made));
    for (_, pattern, reason) in INTENDED.iter().filter(|(of, ..)| *of == name) {
        let before = unintended.len();
        unintended.retain(|path, _| !is_matched(path, pattern));
        assert_ne!(
            unintended.len(),
            before,
            "{name}: nothing at {pattern} differs ({reason})"
        );
    }
    let lines: Vec<String> = unintended.into_values().collect();
    assert!(
        lines.is_empty(),
        "{name}: {} leaves differ:\n{}",
        lines.len(),
        lines.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn the_summary_of_the_run_on_two_cores_is_unchanged() {
    check(&paths::two_cores());
}

#[test]
fn the_summary_of_the_published_run_is_unchanged() {
    check(&paths::harness().join("../results/examples/2026-11-21-suite-2-cores"));
}

#[test]
fn every_leaf_that_differs_is_reported() {
    let was =
        leaves(&serde_json::json!({"a": [{"b": 1.0}, {"b": 2.0, "c": null}], "d": "ok", "e": [], "n": 3}));
    let changes = |is: Value| differences(&was, &leaves(&is)).into_values().collect::<Vec<_>>();
    let same = serde_json::json!({"a": [{"b": 1.000_000_000_01}, {"b": 2.0, "c": null}], "d": "ok", "e": [], "n": 3});
    assert!(changes(same).is_empty());
    assert_eq!(
        changes(serde_json::json!({"a": [{"b": 1.000_001}, {"b": 2.0}], "d": "failed", "e": [1], "n": 3.0})),
        [
            "/a/0/b was 1.0, is 1.000001",
            "/a/1/c was null, is absent",
            "/d was \"ok\", is \"failed\"",
            "/e was [], is absent",
            "/e/0 was absent, is 1",
            "/n was 3, is 3.0",
        ]
    );
    assert!(is_matched("/cells/12/units", "/cells/*/units"));
    for other in ["/cells/12", "/cells/12/units/0", "/laws/12/units"] {
        assert!(!is_matched(other, "/cells/*/units"), "{other}");
    }
}
