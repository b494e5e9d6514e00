#![allow(clippy::unwrap_used)]

use std::io::Write;

use super::*;
use crate::record::schema::{Disturbance, Noise, Sample, Trial};
use crate::record::store;

fn trial(number: u64, status: TrialStatus) -> Trial {
    let sample = |sample: u32| Sample {
        sample,
        warmup: sample == 0,
        start_ns: 1_000,
        end_ns: 1_000 + 1_000 * number + u64::from(sample),
        gil_enabled: true,
        moved: false,
        shares: Vec::new(),
        reported: [("rate \"\\u{e9}\"".to_owned(), f64::from(sample))]
            .into_iter()
            .collect(),
        noise: (sample == 1).then(|| Noise {
            disturbed_by: vec![Disturbance::Steal],
            ..Noise::default()
        }),
        cost: None,
    };
    Trial {
        schema: SCHEMA_VERSION,
        trial: number,
        round: 0,
        cell: Cell {
            interpreter: "3.13".to_owned(),
            host: Host::Spawn,
            workload: format!("w\"{}", number % 3),
            arm: None,
            model: Model::Threads,
            workers: 2,
        },
        placement: vec![0, 1],
        units: 7,
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        duration_ns: 1,
        hash_seed: 1,
        status,
        reason: None,
        last_words: Some("x".repeat(2_000)),
        gil_enabled: Some(true),
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        workers: Vec::new(),
        samples: (0..4).map(sample).collect(),
        memory: None,
    }
}

fn written(lines: &[Vec<u8>]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for line in lines {
        file.write_all(line).unwrap();
    }
    file
}

fn lines(trials: &[Trial]) -> Vec<Vec<u8>> {
    let line = |trial: &Trial| [serde_json::to_vec(trial).unwrap(), b"\n".to_vec()].concat();
    trials.iter().map(line).collect()
}

#[test]
fn pieces_hold_what_the_whole_holds() {
    // About three pieces, so that lines lie across their ends.
    let count = 3 * PIECE_BYTES / 3_000;
    let status = |number: u64| {
        if number.is_multiple_of(7) {
            TrialStatus::Failed
        } else {
            TrialStatus::Ok
        }
    };
    let trials: Vec<Trial> = (0..count).map(|number| trial(number, status(number))).collect();
    let file = written(&lines(&trials));
    assert!(file.as_file().metadata().unwrap().len() > 2 * PIECE_BYTES);
    assert_eq!(read(file.path()).unwrap(), SamplesByCell::of_trials(&trials));
}

#[test]
fn a_last_line_that_was_cut_off_is_not_there() {
    let trials = [trial(1, TrialStatus::Ok), trial(2, TrialStatus::Ok)];
    let mut lines = lines(&trials);
    lines.last_mut().unwrap().truncate(500);
    let file = written(&lines);
    assert_eq!(read(file.path()).unwrap(), SamplesByCell::of_trials(&trials[..1]));
    assert_eq!(read(written(&[]).path()).unwrap(), SamplesByCell::default());
}

#[test]
fn damage_is_told_as_a_reader_of_whole_trials_tells_it() {
    let mut later = trial(4, TrialStatus::Ok);
    later.schema = SCHEMA_VERSION + 1;
    for bad in [
        b"{\"schema\":1}\n".to_vec(),
        b"nonsense\n".to_vec(),
        lines(&[later]).remove(0),
    ] {
        let mut all = lines(&[trial(1, TrialStatus::Ok), trial(2, TrialStatus::Ok)]);
        all.push(bad);
        let file = written(&all);
        let told = read(file.path()).unwrap_err().to_string();
        let whole = store::read_trials(file.path()).unwrap_err().to_string();
        let place = |told: &str| told.split(": ").next().map(str::to_owned);
        assert_eq!(place(&told), place(&whole));
    }
}
