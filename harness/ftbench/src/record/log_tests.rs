#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::RefCell;

use proptest::prelude::*;
use rustix::fs::OFlags;

use super::*;
use crate::record::samples;
use crate::record::store::{RecordedTrials, TrialsFile, read_trials};
use ftbench_fixtures::records::{cell, trial};
use ftbench_schema::{Model, SamplesByCell};

fn trials(count: u64) -> Vec<Trial> {
    (0..count)
        .map(|number| Trial {
            trial: number,
            ..trial(&cell("3.13", Model::Threads, 2), 0, 100 + number)
        })
        .collect()
}

/// Opens a record again, as when a run is resumed.
fn reopened(path: &Path) -> (Log, RecordEnd) {
    LockedRecord::open(path).unwrap().repair().unwrap()
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

/// Reads these bytes with both readers, which must agree.
fn read(path: &Path, bytes: &[u8], checksums: Checksums) -> RecordedTrials {
    std::fs::write(path, bytes).unwrap();
    let recorded = read_trials(path, checksums).unwrap();
    let in_pieces = samples::read(&TrialsFile::open(path).unwrap(), checksums).unwrap();
    assert_eq!(in_pieces.samples, SamplesByCell::of_trials(&recorded.trials));
    assert_eq!(in_pieces.warnings, recorded.warnings);
    recorded
}

fn numbers(recorded: &RecordedTrials) -> Vec<u64> {
    recorded.trials.iter().map(|trial| trial.trial).collect()
}

fn warnings(recorded: &RecordedTrials) -> String {
    let messages: Vec<&str> = recorded
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    messages.join("\n")
}

#[test]
fn written_trials_are_read_back() {
    let made = trials(4);
    let (_folder, path, bytes) = written(&made);
    let recorded = read(&path, &bytes, Checksums::Required);
    assert_eq!(recorded.trials, made);
    assert_eq!(warnings(&recorded), "");
    assert_eq!(numbers(&read(&path, b"", Checksums::Required)), [0; 0]);
}

#[test]
fn damage_is_reported_with_its_line() {
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
    insta::assert_snapshot!(warnings(&recorded), @r"
    trials.jsonl has 2 damaged lines, whose trials are left out: line 2 (it is empty), line 4 (its checksum does not match)
    trials.jsonl has 1 repeated trial, of which only the first copy counts: 6
    ");
    let binary: Vec<Vec<u8>> = (0..9).map(|_| b"\xff\xfe{}\n".to_vec()).collect();
    let recorded = read(
        &path,
        &[lines[0].clone(), binary.concat()].concat(),
        Checksums::Required,
    );
    assert_eq!(numbers(&recorded), [0]);
    insta::assert_snapshot!(warnings(&recorded), @"trials.jsonl has 9 damaged lines, whose trials are left out: line 2 (it has no checksum), line 3 (it has no checksum), line 4 (it has no checksum), line 5 (it has no checksum), line 6 (it has no checksum), 4 more");
}

#[test]
fn a_line_that_was_torn_and_appended_to_costs_only_itself() {
    let (_folder, path, bytes) = written(&trials(3));
    let ends: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    let torn = [&bytes[..ends[0] + 50], &bytes[ends[1] + 1..]].concat();
    let recorded = read(&path, &torn, Checksums::Required);
    assert_eq!(numbers(&recorded), [0, 2]);
    insta::assert_snapshot!(warnings(&recorded), @"trials.jsonl has 1 damaged line, from which 1 trial could be read: line 2 (its checksum does not match)");
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
    insta::assert_snapshot!(warnings(&recorded), @"trials.jsonl has 1 damaged line, whose trials are left out: line 2 (it is longer than 64 MiB)");
}

#[test]
fn only_one_process_can_append() {
    let (_folder, path, bytes) = written(&trials(2));
    let (first, end) = reopened(&path);
    assert_eq!(end, RecordEnd::Whole);
    assert_eq!(first.lock(), Lock::Held);
    assert!(matches!(LockedRecord::open(&path), Err(OpenError::InUse)));
    // It can still be read.
    assert_eq!(read_trials(&path, Checksums::Required).unwrap().trials.len(), 2);
    drop(first);
    reopened(&path);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(matches!(Log::create(&path), Err(OpenError::System(_))));
}

#[test]
fn a_record_that_was_removed_or_moved_is_not_in_place() {
    let (folder, path, _) = written(&trials(1));
    let (log, _) = reopened(&path);
    assert!(log.is_in_place());
    let moved = folder.path().join("moved");
    std::fs::rename(&path, &moved).unwrap();
    assert!(!log.is_in_place());
    std::fs::copy(&moved, &path).unwrap();
    assert!(!log.is_in_place());
}

/// Cuts a record off at `at`, reopens it and appends a trial. Returns how it ended, and what it holds now.
fn appended(bytes: &[u8], at: usize) -> (RecordEnd, RecordedTrials, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    std::fs::write(&path, &bytes[..at]).unwrap();
    let (mut log, end) = reopened(&path);
    let next = Trial {
        trial: 99,
        ..trials(1).remove(0)
    };
    log.append(&next).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (end, read(&path, &bytes, Checksums::Required), bytes)
}

#[test]
fn a_torn_end_is_cut_off_before_the_next_line() {
    let (_folder, _, bytes) = written(&trials(2));
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let (end, recorded, _) = appended(&bytes, first + 60);
    assert_eq!(end, RecordEnd::CutOff(60));
    assert_eq!(
        (numbers(&recorded), warnings(&recorded)),
        (vec![0, 99], String::new())
    );
    let (end, recorded, _) = appended(&bytes, bytes.len() - 1);
    assert_eq!(end, RecordEnd::Whole);
    assert_eq!(numbers(&recorded), [0, 1, 99]);
}

#[test]
fn a_write_that_fails_leaves_whole_lines() {
    // A file size limit applies to a whole process, and a full disk needs a disk of its own: see
    // tests/e2e/bad_input/out.rs and tests/e2e/resume/disk.rs. This test uses the device that is always full.
    let Ok(file) = OpenOptions::new().append(true).open("/dev/full") else {
        return;
    };
    let mut log = Log {
        path: PathBuf::from("/dev/full"),
        file,
        lock: Lock::Unsupported,
        whole_bytes: 0,
    };
    let error = log.append(&trials(1).remove(0)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(log.whole_bytes, 0);
}

/// A file that logs its calls, in order.
#[derive(Debug, Default)]
struct LoggedFile {
    calls: RefCell<Vec<String>>,
    syncs_fail: bool,
}

impl LoggedFile {
    fn sync(&self, how: &str) -> io::Result<()> {
        self.calls.borrow_mut().push(how.to_owned());
        if self.syncs_fail {
            Err(io::Error::other("the disk is gone"))
        } else {
            Ok(())
        }
    }
}

impl Write for LoggedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls.borrow_mut().push(format!("write {}", bytes.len()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RecordFile for LoggedFile {
    fn sync_data(&self) -> io::Result<()> {
        self.sync("sync_data")
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync("sync_all")
    }

    fn set_len(&self, size_bytes: u64) -> io::Result<()> {
        self.calls.borrow_mut().push(format!("set_len {size_bytes}"));
        Ok(())
    }
}

fn log_of(file: LoggedFile, whole_bytes: u64) -> Log<LoggedFile> {
    Log {
        path: PathBuf::from("trials.jsonl"),
        file,
        lock: Lock::Held,
        whole_bytes,
    }
}

#[test]
fn appending_returns_only_when_the_trial_is_on_the_disk() {
    let made = trials(2);
    let [first, second] = [&made[0], &made[1]].map(|trial| line::encode(trial).unwrap().len());
    let mut log = log_of(LoggedFile::default(), 0);
    log.append(&made[0]).unwrap();
    assert_eq!(
        *log.file.calls.borrow(),
        [format!("write {first}"), "sync_data".to_owned()]
    );
    log.append(&made[1]).unwrap();
    assert_eq!(
        log.file.calls.borrow()[2..],
        [format!("write {second}"), "sync_data".to_owned()]
    );
    assert_eq!(log.whole_bytes, (first + second) as u64);
}

#[test]
fn a_trial_that_may_not_be_on_the_disk_is_removed() {
    let file = LoggedFile {
        syncs_fail: true,
        ..LoggedFile::default()
    };
    let mut log = log_of(file, 40);
    let error = log.append(&trials(1).remove(0)).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
    assert_eq!(log.whole_bytes, 40);
    assert_eq!(
        log.file.calls.borrow()[1..],
        ["sync_data", "set_len 40", "sync_all"]
    );
}

#[test]
fn missing_support_for_locks_is_detected() {
    let (_folder, path, _) = written(&trials(1));
    // Locking such a descriptor fails as on file systems without locks: with an error other than WOULDBLOCK.
    let flags = i32::try_from(OFlags::PATH.bits()).unwrap();
    let file = std::os::unix::fs::OpenOptionsExt::custom_flags(OpenOptions::new().read(true), flags)
        .open(&path)
        .unwrap();
    assert_eq!(lock(&file).unwrap(), Lock::Unsupported);
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
        let (_, resumed, after) = appended(&bytes, at);
        prop_assert_eq!(warnings(&resumed), "");
        prop_assert_eq!(resumed.trials.len(), recorded.trials.len() + 1);
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
