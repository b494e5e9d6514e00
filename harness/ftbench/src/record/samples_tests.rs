#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;

use super::*;
use crate::record::store;
use ftbench_fixtures::records::{self, cell_of, empty_trial};
use ftbench_schema::{Disturbance, Model, Noise, Sample, Trial};

fn trial(number: u64, status: TrialStatus) -> Trial {
    let cell = cell_of(&format!("w\"{}", number % 3), "3.13", Model::Threads, 2);
    let sample = |sample: u32| Sample {
        reported: [("rate \"\\u{e9}\"".to_owned(), f64::from(sample))].into(),
        noise: (sample == 1).then(|| Noise {
            disturbed_by: vec![Disturbance::Steal],
            ..Noise::default()
        }),
        ..records::sample(&cell, sample, 1_000 * number + u64::from(sample))
    };
    Trial {
        trial: number,
        status,
        output_tail: Some("x".repeat(2_000)),
        samples: (0..4).map(sample).collect(),
        ..empty_trial(&cell)
    }
}

fn written(lines: &[Vec<u8>]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for line in lines {
        file.write_all(line).unwrap();
    }
    file
}

fn opened(file: &tempfile::NamedTempFile) -> TrialsFile {
    TrialsFile::open(file.path()).unwrap()
}

fn lines(trials: &[Trial]) -> Vec<Vec<u8>> {
    trials.iter().map(|trial| line::encode(trial).unwrap()).collect()
}

#[test]
fn reading_in_pieces_gives_what_reading_the_whole_gives() {
    // About three pieces, so that lines lie across their ends.
    let count = 3 * PIECE_BYTES / 3_000;
    let status = |number: u64| {
        if number.is_multiple_of(7) {
            TrialStatus::Failed
        } else {
            TrialStatus::Ok
        }
    };
    let mut trials: Vec<Trial> = (0..count).map(|number| trial(number, status(number))).collect();
    let mut all = lines(&trials);
    let damaged = all.len() / 2;
    all.get_mut(damaged).unwrap().truncate(700);
    trials.remove(damaged);
    // A trial of the first piece is repeated in the last one.
    all.push(lines(&trials[1..2]).remove(0));
    let file = written(&all);
    assert!(file.as_file().metadata().unwrap().len() > 2 * PIECE_BYTES);
    let read = read(&opened(&file), Checksums::Required).unwrap();
    assert_eq!(read.samples, SamplesByCell::of_trials(&trials));
    let whole = store::read_trials(file.path(), Checksums::Required).unwrap();
    assert_eq!(whole.trials, trials);
    assert_eq!(whole.warnings, read.warnings);
    assert_eq!(read.warnings.len(), 2);
}

#[test]
fn a_last_line_that_was_cut_off_is_left_out_with_a_warning() {
    let trials = [trial(1, TrialStatus::Ok), trial(2, TrialStatus::Ok)];
    let mut lines = lines(&trials);
    lines.last_mut().unwrap().truncate(500);
    let read_of = |lines: &[Vec<u8>]| read(&opened(&written(lines)), Checksums::Required).unwrap();
    let cut = read_of(&lines);
    assert_eq!(cut.samples, SamplesByCell::of_trials(&trials[..1]));
    let message = &cut.warnings.first().unwrap().message;
    assert!(message.contains("line 2 (it is cut off)"), "{message}");
    assert_eq!(read_of(&[]).samples, SamplesByCell::default());
}
