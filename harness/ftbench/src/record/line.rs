//! One line of `trials.jsonl`: a trial as JSON whose last key is a checksum of everything before it. Pure.
//!
//! The checksum is CRC-32 as in zlib and gzip (ISO 3309; Python's `zlib.crc32`), so that any language can check it. It
//! detects damage by disks, crashes and editors: every error of up to three bits in a line of up to 11 kB and every
//! burst of up to 32 bits (Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", DSN 2002). Of other
//! changes, one in four thousand million passes. It does not protect against deliberate changes.

use serde::Deserialize;

use ftbench_schema::{SCHEMA_VERSION, Trial};

/// Longest line that is written or read, bytes. A trial of 1,000 samples by 500 workers is shorter.
pub const LARGEST_LINE_BYTES: usize = 64 << 20;

/// The first bytes of a line. They occur nowhere else in it, because quotation marks in strings are escaped and no
/// other object of a trial has this key.
const BEGINNING: &[u8] = b"{\"schema\":";

/// The bytes before the digits of the checksum; [`END`] comes after them.
const CHECKSUM_KEY: &[u8] = b",\"crc32\":\"";
const CHECKSUM_DIGITS: usize = 8;
const END: &[u8] = b"\"}";

/// Whether lines without a checksum count, as earlier versions wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// Every line must have a checksum that matches.
    Required,
    /// A checksum must match if there is one.
    Optional,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// The file ends in the middle of it.
    #[error("it is cut off")]
    CutOff,
    /// It is not what was written.
    #[error("its checksum does not match")]
    Altered,
    /// It cannot be checked, because it has no checksum.
    #[error("it has no checksum")]
    NoChecksum,
    /// It is not a trial.
    #[error("{0}")]
    Malformed(String),
    /// A later ftbench wrote it.
    #[error("it has format {0}; this ftbench reads up to {SCHEMA_VERSION}")]
    TooNew(u64),
    /// No trial is that long.
    #[error("it is longer than {} MiB", LARGEST_LINE_BYTES >> 20)]
    TooLong,
}

/// The value that a line is decoded into: a trial, or parts of one.
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

/// The result of decoding a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded<T> {
    /// It is as it was written.
    Intact(T),
    /// It is damaged.
    Damaged {
        /// What is wrong with it.
        fault: Fault,
        /// The intact entries in it, with where they begin: a torn line that runs into the next one costs only itself.
        saved: Vec<(usize, T)>,
    },
}

/// Encodes a trial as a line, with its line end.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn encode(trial: &Trial) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(trial)?;
    // Removes the closing brace, which comes again after the checksum.
    line.pop();
    let checksum = crc32fast::hash(&line);
    line.extend_from_slice(CHECKSUM_KEY);
    line.extend_from_slice(format!("{checksum:08x}").as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok(line)
}

/// Decodes a line, given without its line end.
pub fn decode<'line, T: Entry<'line>>(line: &'line [u8], checksums: Checksums) -> Decoded<T> {
    match decode_intact(line, checksums) {
        Ok(entry) => Decoded::Intact(entry),
        Err(fault) => Decoded::Damaged {
            fault,
            saved: candidates(line)
                .filter_map(|(from, part)| Some((from, decode_intact(part, checksums).ok()?)))
                .collect(),
        },
    }
}

fn decode_intact<'line, T: Entry<'line>>(line: &'line [u8], checksums: Checksums) -> Result<T, Fault> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Empty);
    }
    match checksum_matches(line) {
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

/// Whether the checksum of a line matches; `None` for a line without one.
fn checksum_matches(line: &[u8]) -> Option<bool> {
    let line = line.strip_suffix(END)?;
    let (line, digits) = line.split_at_checked(line.len().checked_sub(CHECKSUM_DIGITS)?)?;
    let content = line.strip_suffix(CHECKSUM_KEY)?;
    // Invalid digits do not match either.
    let recorded = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    Some(recorded == Some(crc32fast::hash(content)))
}

/// The fault of a line that cannot be parsed because its format is newer; `None` if that is not the reason.
fn later_format(line: &[u8]) -> Option<Fault> {
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }
    let Version { schema } = serde_json::from_slice(line).ok()?;
    (schema > u64::from(SCHEMA_VERSION)).then_some(Fault::TooNew(schema))
}

/// The parts of a line that begin like a line, with where they begin. Each ends with the last brace before the next
/// part.
fn candidates(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
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
