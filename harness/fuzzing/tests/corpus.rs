//! Runs the corpus of the fuzz targets, and some thousand mutations of it, through the same functions in an ordinary
//! build. This runs everywhere in seconds and keeps errors that a fuzzer once found from coming back. `scripts/fuzz.sh`
//! runs the actual fuzzer.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ftbench_fuzzing::{TARGETS, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Number of mutations of each target's corpus; slow targets have fewer.
const MUTATIONS: u32 = 1_000;
const SLOW_TARGET_MUTATIONS: u32 = 20;
const SLOW: [&str; 3] = ["analysis", "command_line", "hwloc_synthetic"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Returns the names of the files in a folder, without their extensions.
fn stems(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

/// Returns a target's inputs by name.
fn corpus(target: Target) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(target.name);
    let mut inputs: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), std::fs::read(&path).unwrap())
        })
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names.len(), TARGETS.len());
    assert_eq!(stems(&folder().join("fuzz_targets")), names);
    assert_eq!(stems(&folder().join("corpus")), names);
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
        let program = std::fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("run(\"{name}\", bytes)")), "{name}");
    }
}

#[test]
fn corpus_causes_no_panic() {
    let mut failed = Vec::new();
    for target in TARGETS {
        for (name, input) in corpus(target) {
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// One change of some bytes: removal, insertion, replacement or repetition.
#[derive(Debug, Clone)]
struct Change {
    kind: u8,
    at: prop::sample::Index,
    length: usize,
    bytes: Vec<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let digits = prop_oneof![
        Just(b"0".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"18446744073709551615".to_vec()),
        Just(b"4294967295".to_vec()),
        Just(b"1e308".to_vec()),
        Just("\u{202e}ä😀".as_bytes().to_vec()),
        Just(b"null".to_vec()),
        prop::collection::vec(any::<u8>(), 1..6),
    ];
    (0_u8..4, any::<prop::sample::Index>(), 1_usize..12, digits).prop_map(|(kind, at, length, bytes)| {
        Change {
            kind,
            at,
            length,
            bytes,
        }
    })
}

fn changed(input: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for change in changes {
        let at = change.at.index(bytes.len() + 1);
        let end = (at + change.length).min(bytes.len());
        match change.kind {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, change.bytes.clone())),
            2 => drop(bytes.splice(at..end, change.bytes.clone())),
            _ => {
                let part = bytes.get(at..end).unwrap().to_vec();
                bytes.splice(at..at, part.repeat(3));
            }
        }
    }
    bytes
}

#[test]
fn mutations_of_the_corpus_cause_no_panic() {
    for target in TARGETS {
        let inputs: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, input)| input).collect();
        let slow = SLOW.contains(&target.name);
        let config = Config {
            cases: if slow { SLOW_TARGET_MUTATIONS } else { MUTATIONS },
            max_shrink_iters: 200,
            failure_persistence: None,
            ..Config::default()
        };
        // The same mutations every time; finding new inputs is the fuzzer's task.
        let generator = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let strategy = (
            prop::sample::select(inputs),
            prop::collection::vec(change(), 0..5),
        );
        let result = TestRunner::new_with_rng(config, generator).run(&strategy, |(input, changes)| {
            (target.run)(&changed(&input, &changes));
            Ok(())
        });
        assert!(result.is_ok(), "{}: {}", target.name, result.unwrap_err());
    }
}
