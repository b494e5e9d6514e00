#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::analyse::summary::tests::{cell, trial};
use crate::record::samples;
use crate::record::schema::{Model, SamplesByCell};
use crate::record::store::{Recorded, read_trials};

fn trials(count: u64) -> Vec<Trial> {
    (0..count)
        .map(|number| Trial {
            trial: number,
            ..trial(&cell("3.13", Model::Threads, 2), 0, 100 + number)
        })
        .collect()
}

/// A record of these trials, and its bytes.
fn written(trials: &[Trial]) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    let mut log = Log::create(&path).unwrap();
    for trial in trials {
        log.append(trial).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

/// What both readers make of these bytes.
fn read(path: &Path, bytes: &[u8], checksums: Checksums) -> Recorded {
    std::fs::write(path, bytes).unwrap();
    let recorded = read_trials(path, checksums).unwrap();
    let in_pieces = samples::read(path, checksums).unwrap();
    assert_eq!(in_pieces.samples, SamplesByCell::of_trials(&recorded.trials));
    assert_eq!(in_pieces.warnings, recorded.warnings);
    recorded
}

fn numbers(recorded: &Recorded) -> Vec<u64> {
    recorded.trials.iter().map(|trial| trial.trial).collect()
}

fn told(recorded: &Recorded) -> String {
    let messages: Vec<&str> = recorded
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    messages.join("\n")
}

#[test]
fn what_is_read_is_what_was_written() {
    let made = trials(4);
    let (_folder, path, bytes) = written(&made);
    let recorded = read(&path, &bytes, Checksums::Required);
    assert_eq!(recorded.trials, made);
    assert_eq!(told(&recorded), "");
    assert_eq!(numbers(&read(&path, b"", Checksums::Required)), [0; 0]);
}

#[test]
fn damage_is_told_with_its_line() {
    let (_folder, path, bytes) = written(&trials(9));
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    lines[1] = b"\n".to_vec();
    lines[3][20] ^= 1;
    let second_but_one = lines[6].clone();
    lines.push(second_but_one);
    let recorded = read(&path, &lines.concat(), Checksums::Required);
    assert_eq!(numbers(&recorded), [0, 2, 4, 5, 6, 7, 8]);
    insta::assert_snapshot!(told(&recorded), @r"
    trials.jsonl has 2 damaged lines, whose trials are left out: line 2 (it is empty), line 4 (its checksum does not fit)
    trials.jsonl has 1 trial more than once, of which the first counts: 6
    ");
    let binary: Vec<Vec<u8>> = (0..9).map(|_| b"\xff\xfe{}\n".to_vec()).collect();
    let recorded = read(
        &path,
        &[lines[0].clone(), binary.concat()].concat(),
        Checksums::Required,
    );
    assert_eq!(numbers(&recorded), [0]);
    insta::assert_snapshot!(told(&recorded), @"trials.jsonl has 9 damaged lines, whose trials are left out: line 2 (it has no checksum), line 3 (it has no checksum), line 4 (it has no checksum), line 5 (it has no checksum), line 6 (it has no checksum), 4 more");
}

#[test]
fn a_line_that_was_torn_and_appended_to_costs_only_itself() {
    let (_folder, path, bytes) = written(&trials(3));
    let ends: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    let torn = [&bytes[..ends[0] + 50], &bytes[ends[1] + 1..]].concat();
    let recorded = read(&path, &torn, Checksums::Required);
    assert_eq!(numbers(&recorded), [0, 2]);
    insta::assert_snapshot!(told(&recorded), @"trials.jsonl has 1 damaged line, of which 1 trial could be read: line 2 (its checksum does not fit)");
}

#[test]
fn a_huge_line_costs_only_itself() {
    let (_folder, path, bytes) = written(&trials(2));
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let huge = vec![b'x'; LARGEST_LINE_BYTES + 1];
    let recorded = read(
        &path,
        &[&bytes[..end], &huge, b"\n", &bytes[end..]].concat(),
        Checksums::Required,
    );
    assert_eq!(numbers(&recorded), [0, 1]);
    insta::assert_snapshot!(told(&recorded), @"trials.jsonl has 1 damaged line, whose trials are left out: line 2 (it is longer than 64 MiB)");
}

#[test]
fn one_process_at_a_time() {
    let (_folder, path, bytes) = written(&trials(2));
    let (first, ending) = Log::open(&path).unwrap();
    assert_eq!(ending, Ending::Whole);
    assert!(matches!(Log::open(&path), Err(OpenError::InUse)));
    // Reading goes on.
    assert_eq!(read_trials(&path, Checksums::Required).unwrap().trials.len(), 2);
    drop(first);
    Log::open(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(matches!(Log::create(&path), Err(OpenError::System(_))));
}

#[test]
fn a_record_that_was_removed_or_moved_is_not_in_place() {
    let (folder, path, _) = written(&trials(1));
    let (log, _) = Log::open(&path).unwrap();
    assert!(log.is_in_place());
    let moved = folder.path().join("moved");
    std::fs::rename(&path, &moved).unwrap();
    assert!(!log.is_in_place());
    std::fs::copy(&moved, &path).unwrap();
    assert!(!log.is_in_place());
}

/// Of a file that goes on without a line end before `at` (or ends there), opened again and appended to.
fn appended(bytes: &[u8], at: usize) -> (Ending, Recorded, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    std::fs::write(&path, &bytes[..at]).unwrap();
    let (mut log, ending) = Log::open(&path).unwrap();
    let next = Trial {
        trial: 99,
        ..trials(1).remove(0)
    };
    log.append(&next).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (ending, read(&path, &bytes, Checksums::Required), bytes)
}

#[test]
fn a_torn_end_is_cut_off_before_the_next_line() {
    let (_folder, _, bytes) = written(&trials(2));
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let (ending, recorded, _) = appended(&bytes, first + 60);
    assert_eq!(ending, Ending::CutOff(60));
    assert_eq!(
        (numbers(&recorded), told(&recorded)),
        (vec![0, 99], String::new())
    );
    let (ending, recorded, _) = appended(&bytes, bytes.len() - 1);
    assert_eq!(ending, Ending::Whole);
    assert_eq!(numbers(&recorded), [0, 1, 99]);
}

#[test]
fn a_write_that_fails_leaves_whole_lines() {
    // The size of files is limited for the whole process, so in one of its own: see the tests in tests/resume.rs. Here
    // the device that is always full.
    let Ok(file) = OpenOptions::new().append(true).open("/dev/full") else {
        return;
    };
    let mut log = Log {
        path: PathBuf::from("/dev/full"),
        file,
        whole_bytes: 0,
    };
    let error = log.append(&trials(1).remove(0)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(log.whole_bytes, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_truncation_costs_at_most_its_line(at: prop::sample::Index) {
        let made = trials(5);
        let (_folder, path, bytes) = written(&made);
        let at = at.index(bytes.len());
        let whole = bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
        let recorded = read(&path, &bytes[..at], Checksums::Required);
        prop_assert!(recorded.trials.len() >= whole);
        prop_assert_eq!(&recorded.trials[..], &made[..recorded.trials.len()]);
        let (_, gone_on, after) = appended(&bytes, at);
        prop_assert_eq!(told(&gone_on), "");
        prop_assert_eq!(gone_on.trials.len(), recorded.trials.len() + 1);
        prop_assert!(after.ends_with(b"\n"));
    }

    #[test]
    fn a_flipped_byte_costs_at_most_its_line(at: prop::sample::Index, flip in 1_u8..=255) {
        let made = trials(5);
        let (_folder, path, mut bytes) = written(&made);
        let at = at.index(bytes.len());
        let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
        bytes[at] ^= flip;
        let recorded = read(&path, &bytes, Checksums::Required);
        let lost: Vec<u64> = made
            .iter()
            .filter(|trial| !recorded.trials.contains(trial))
            .map(|trial| trial.trial)
            .collect();
        prop_assert!(lost.is_empty() || lost == [line], "{:?}", lost);
        prop_assert!(recorded.trials.iter().all(|trial| made.contains(trial)));
    }
}
