//! One line of `trials.jsonl`: a trial as JSON whose last key is a checksum of all that stands before it. Pure.
//!
//! The checksum is CRC-32 as zlib and gzip have it (ISO 3309; Python's `zlib.crc32`), so that any language can check it.
//! It is there for what disks, crashes and editors do: it finds every error of up to three bits in a line of up to
//! 11 kB and every burst of up to 32 bits (Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", DSN
//! 2002), and lets one of four thousand million other alterations pass. It is no protection against somebody who alters
//! a record on purpose.

use serde::Deserialize;

use ftbench_schema::{SCHEMA_VERSION, Trial};

/// Longest line that is written or read, bytes. A trial of 1,000 samples by 500 workers is shorter.
pub const LARGEST_LINE_BYTES: usize = 64 << 20;

/// What a line begins with. Nothing else in it can be this: in strings the quotation marks are escaped, and no other
/// object of a trial has this key.
const BEGINNING: &[u8] = b"{\"schema\":";

/// What stands before the digits of the checksum, and behind them.
const CHECKSUM_KEY: &[u8] = b",\"crc32\":\"";
const CHECKSUM_DIGITS: usize = 8;
const END: &[u8] = b"\"}";

/// Whether lines without a checksum count, as versions before checksums wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// Every line must have one that fits.
    Required,
    /// Those that are there must fit.
    WhereThere,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no words.
    #[error("it is empty")]
    Empty,
    /// The file ends in its middle.
    #[error("it is cut off")]
    CutOff,
    /// What it says is not what was written.
    #[error("its checksum does not fit")]
    Altered,
    /// Nothing tells whether it is what was written.
    #[error("it has no checksum")]
    NoChecksum,
    /// It is no trial.
    #[error("{0}")]
    Malformed(String),
    /// A later ftbench wrote it.
    #[error("it has format {0}; this ftbench reads up to {SCHEMA_VERSION}")]
    TooNew(u64),
    /// No trial is that long.
    #[error("it is longer than {} MiB", LARGEST_LINE_BYTES >> 20)]
    TooLong,
}

/// What a line is read into: a trial, or the parts of one.
pub trait Entry<'line>: Deserialize<'line> {
    /// Version of the record's format.
    fn schema(&self) -> u64;
    /// Its number in the run.
    fn trial(&self) -> u64;
}

impl Entry<'_> for Trial {
    fn schema(&self) -> u64 {
        u64::from(self.schema)
    }

    fn trial(&self) -> u64 {
        self.trial
    }
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken<T> {
    /// It is as it was written.
    Whole(T),
    /// It is not.
    Damaged {
        /// What is wrong with it.
        fault: Fault,
        /// What stands whole in it, with where it begins: a line that was torn and runs into the next one costs
        /// only itself.
        saved: Vec<(usize, T)>,
    },
}

/// A trial as a line, with its line end.
///
/// # Errors
/// When it cannot be told as JSON.
pub fn encode(trial: &Trial) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(trial)?;
    // The closing brace, which comes again behind the checksum.
    line.pop();
    let checksum = crc32fast::hash(&line);
    line.extend_from_slice(CHECKSUM_KEY);
    line.extend_from_slice(format!("{checksum:08x}").as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok(line)
}

/// Reads a line, given without its line end.
pub fn take<'line, T: Entry<'line>>(line: &'line [u8], checksums: Checksums) -> Taken<T> {
    match whole(line, checksums) {
        Ok(entry) => Taken::Whole(entry),
        Err(fault) => Taken::Damaged {
            fault,
            saved: beginnings(line)
                .filter_map(|(from, part)| Some((from, whole(part, checksums).ok()?)))
                .collect(),
        },
    }
}

fn whole<'line, T: Entry<'line>>(line: &'line [u8], checksums: Checksums) -> Result<T, Fault> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Empty);
    }
    match checksum_fits(line) {
        Some(true) => {}
        Some(false) => return Err(Fault::Altered),
        None if checksums == Checksums::Required => return Err(Fault::NoChecksum),
        None => {}
    }
    match serde_json::from_slice::<T>(line) {
        Ok(entry) if entry.schema() > u64::from(SCHEMA_VERSION) => Err(Fault::TooNew(entry.schema())),
        Ok(entry) => Ok(entry),
        Err(error) => Err(later_format(line).unwrap_or_else(|| Fault::Malformed(error.to_string()))),
    }
}

/// `None` for a line without a checksum.
fn checksum_fits(line: &[u8]) -> Option<bool> {
    let line = line.strip_suffix(END)?;
    let (line, digits) = line.split_at_checked(line.len().checked_sub(CHECKSUM_DIGITS)?)?;
    let said = line.strip_suffix(CHECKSUM_KEY)?;
    // Digits that are none do not fit either.
    let recorded = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    Some(recorded == Some(crc32fast::hash(said)))
}

/// Of a line that cannot be read since its format is a later one.
fn later_format(line: &[u8]) -> Option<Fault> {
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }
    let Version { schema } = serde_json::from_slice(line).ok()?;
    (schema > u64::from(SCHEMA_VERSION)).then_some(Fault::TooNew(schema))
}

/// The parts of a line that begin as a line does, with where they begin, up to the last brace before the next one.
fn beginnings(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut starts = Vec::new();
    for (at, window) in line.windows(BEGINNING.len()).enumerate() {
        if window == BEGINNING {
            starts.push(at);
        }
    }
    let ends: Vec<usize> = starts.iter().copied().skip(1).chain([line.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(from, to)| {
        let part = line.get(from..to)?;
        let last = part.iter().rposition(|&byte| byte == b'}')?;
        Some((from, part.get(..=last)?))
    })
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
