//! Reads the samples of a record that may be too large for memory: in pieces, on all cores, keeping of each sample only
//! what [`SamplesByCell`] holds.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io;

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::line::{self, Entry};
use super::lines::{Damage, Lines, find_repetitions};
use super::store::{Checksums, StoreError, TrialsFile};
use ftbench_schema::{Cell, SamplesByCell, TrialStatus, Warning};

/// How much of the file one task reads, bytes: small enough for many more tasks than cores, and large enough that
/// starting a task takes little of its time.
const PIECE_BYTES: u64 = 4 << 20;

/// The fields of a trial that are needed; everything else is skipped without being stored.
#[derive(Deserialize)]
struct SlimTrial<'a> {
    schema: u64,
    trial: u64,
    cell: Cell,
    status: TrialStatus,
    #[serde(borrow)]
    samples: Vec<SlimSample<'a>>,
}

#[derive(Deserialize)]
struct SlimSample<'a> {
    warmup: bool,
    start_ns: u64,
    end_ns: u64,
    #[serde(borrow, default)]
    reported: BTreeMap<Cow<'a, str>, f64>,
    #[serde(default)]
    noise: Option<SlimNoise>,
}

#[derive(Deserialize)]
struct SlimNoise {
    #[serde(default)]
    disturbed_by: Vec<IgnoredAny>,
}

impl<'line> Entry<'line> for SlimTrial<'line> {
    fn schema(&self) -> u64 {
        self.schema
    }

    fn trial(&self) -> u64 {
        self.trial
    }
}

/// The samples of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSamples {
    /// The counted samples of usable trials, by cell.
    pub samples: SamplesByCell,
    /// What is wrong with the record; empty when it is as it was written.
    pub warnings: Vec<Warning>,
}

/// Reads the counted samples of a record's usable trials. Like [`super::store::read_trials`] it leaves out damaged
/// lines and repeated trials.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &TrialsFile, checksums: Checksums) -> Result<RecordedSamples, StoreError> {
    let unreadable = |source| StoreError::unreadable(file.path(), source);
    let record = Record { file, checksums };
    let mut read = record.read(&HashSet::new()).map_err(unreadable)?;
    let mut damage = std::mem::take(&mut read.damage);
    let repeated = find_repetitions(read.numbered.iter().copied(), &mut damage);
    if !repeated.is_empty() {
        // This is rare enough for a second pass.
        read = record.read(&repeated).map_err(unreadable)?;
    }
    Ok(RecordedSamples {
        samples: read.samples,
        warnings: damage.warnings(file).map_err(unreadable)?,
    })
}

/// A file that is read in pieces.
#[derive(Clone, Copy)]
struct Record<'a> {
    file: &'a TrialsFile,
    checksums: Checksums,
}

/// What was read from a part of the file.
#[derive(Default)]
struct Piece {
    samples: SamplesByCell,
    damage: Damage,
    /// The number of each trial, and where it begins.
    numbered: Vec<(u64, u64)>,
}

impl Record<'_> {
    /// Reads all trials except those that begin at these positions.
    fn read(self, except: &HashSet<u64>) -> io::Result<Piece> {
        let pieces: Vec<io::Result<Piece>> = (0..self.file.size_bytes().div_ceil(PIECE_BYTES))
            .into_par_iter()
            .map(|piece| self.read_piece(piece * PIECE_BYTES, except))
            .collect();
        let mut all = Piece::default();
        for piece in pieces {
            let piece = piece?;
            all.samples.append(piece.samples);
            all.damage.append(piece.damage);
            all.numbered.extend(piece.numbered);
        }
        Ok(all)
    }

    /// Reads the lines that begin in the piece from `from` on, to their ends.
    fn read_piece(self, from: u64, except: &HashSet<u64>) -> io::Result<Piece> {
        let end = from + PIECE_BYTES;
        let mut lines = Lines::beginning_in(self.file, from..end)?;
        let mut piece = Piece::default();
        while lines.position() < end {
            let Some(raw) = lines.next()? else {
                break;
            };
            let decoded = raw
                .bytes
                .map(|bytes| line::decode::<SlimTrial<'_>>(bytes, self.checksums));
            for (position, trial) in piece.damage.intact_entries(raw, decoded) {
                piece.numbered.push((trial.trial, position));
                if !except.contains(&position) {
                    add_trial(trial, &mut piece.samples);
                }
            }
        }
        Ok(piece)
    }
}

fn add_trial(trial: SlimTrial<'_>, samples: &mut SamplesByCell) {
    if trial.status != TrialStatus::Ok {
        return;
    }
    let of_cell = samples.of_cell_mut(&trial.cell);
    for sample in trial.samples.iter().filter(|sample| !sample.warmup) {
        let noise = sample.noise.as_ref();
        of_cell.add(
            sample.end_ns.saturating_sub(sample.start_ns),
            noise.is_some_and(|noise| !noise.disturbed_by.is_empty()),
            sample
                .reported
                .iter()
                .map(|(name, figure)| (name.as_ref(), *figure)),
        );
    }
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
