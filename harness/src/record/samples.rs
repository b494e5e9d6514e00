//! Reads the samples of a record that may be too large for memory: in pieces, on all cores, keeping of each sample only
//! what [`SamplesByCell`] holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::schema::{Cell, Host, Model, SCHEMA_VERSION, SamplesByCell, TrialStatus};
use super::store::{StoreError, parse};
use crate::outside;

/// How much of the file one task reads, bytes: many more tasks than cores, each far longer than starting it.
const PIECE_BYTES: u64 = 4 << 20;

/// How much is asked of the system at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// The fields of a trial that are wanted; everything else is skipped without being stored.
#[derive(Deserialize)]
struct Line<'a> {
    schema: u64,
    #[serde(borrow)]
    cell: LineCell<'a>,
    status: TrialStatus,
    #[serde(borrow)]
    samples: Vec<LineSample<'a>>,
}

#[derive(Deserialize)]
struct LineCell<'a> {
    #[serde(borrow)]
    interpreter: Cow<'a, str>,
    host: Host,
    #[serde(borrow)]
    workload: Cow<'a, str>,
    model: Model,
    workers: u32,
}

#[derive(Deserialize)]
struct LineSample<'a> {
    warmup: bool,
    start_ns: u64,
    end_ns: u64,
    #[serde(borrow, default)]
    reported: BTreeMap<Cow<'a, str>, f64>,
    #[serde(default)]
    noise: Option<LineNoise>,
}

#[derive(Deserialize)]
struct LineNoise {
    #[serde(default)]
    disturbed_by: Vec<IgnoredAny>,
}

/// Reads the counted samples of a record's usable trials. Like [`super::store::read`] it leaves out a last line that
/// was cut off in the middle, and refuses lines of a later format.
///
/// # Errors
/// Names the line that cannot be read.
pub fn read(path: &Path) -> Result<SamplesByCell, StoreError> {
    let unreadable = |source| StoreError::Read {
        path: path.to_owned(),
        source,
    };
    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    let pieces: Vec<Result<SamplesByCell, StoreError>> = (0..size_bytes.div_ceil(PIECE_BYTES))
        .into_par_iter()
        .map(|piece| read_piece(path, piece * PIECE_BYTES))
        .collect();
    let mut all = SamplesByCell::default();
    for piece in pieces {
        all.append(piece?);
    }
    Ok(all)
}

/// Reads the lines that begin in the piece from `from` on, to their ends.
fn read_piece(path: &Path, from: u64) -> Result<SamplesByCell, StoreError> {
    let unreadable = |source| StoreError::Read {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, outside::open(path).map_err(unreadable)?);
    let mut position = first_line(&mut reader, from).map_err(unreadable)?;
    let mut samples = SamplesByCell::default();
    let mut line = Vec::new();
    while position < from + PIECE_BYTES {
        line.clear();
        let read_bytes = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        if read_bytes == 0 || line.last() != Some(&b'\n') {
            break;
        }
        take(&line, &mut samples).map_err(|error| damaged(path, position, &line, &error))?;
        position += read_bytes as u64;
    }
    Ok(samples)
}

/// Goes to the first line that begins at `from` or later, and tells where that is.
fn first_line(reader: &mut BufReader<File>, from: u64) -> io::Result<u64> {
    if from == 0 {
        return Ok(0);
    }
    // From the byte before, so that a line that begins at `from` is found.
    reader.seek(SeekFrom::Start(from - 1))?;
    let skipped_bytes = reader.skip_until(b'\n')?;
    Ok(from - 1 + skipped_bytes as u64)
}

fn take(line: &[u8], samples: &mut SamplesByCell) -> Result<(), serde_json::Error> {
    let trial: Line<'_> = serde_json::from_slice(line)?;
    if trial.schema > u64::from(SCHEMA_VERSION) {
        return Err(serde::de::Error::custom("of a later format"));
    }
    if trial.status != TrialStatus::Ok {
        return Ok(());
    }
    let cell = Cell {
        interpreter: trial.cell.interpreter.into_owned(),
        host: trial.cell.host,
        workload: trial.cell.workload.into_owned(),
        model: trial.cell.model,
        workers: trial.cell.workers,
    };
    let of_cell = samples.of_cell_mut(&cell);
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
    Ok(())
}

/// What is wrong with a line, told as a reader of whole trials would.
fn damaged(path: &Path, position: u64, line: &[u8], error: &serde_json::Error) -> StoreError {
    let number = line_number(path, position).ok();
    match parse::<IgnoredAny>(line, path, number) {
        Err(error) => error,
        Ok(_) => StoreError::Damaged {
            path: path.to_owned(),
            line: number,
            reason: error.to_string(),
        },
    }
}

/// The number, from 1, of the line that begins at `position`.
fn line_number(path: &Path, position: u64) -> io::Result<usize> {
    let mut before = BufReader::new(io::Read::take(File::open(path)?, position));
    let mut number = 1;
    while before.skip_until(b'\n')? > 0 {
        number += 1;
    }
    Ok(number)
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
