//! Reads a record line by line, and collects what is wrong with it.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use super::line::{Decoded, Fault, LARGEST_LINE_BYTES};
use super::trials_file::{TrialsFile, TrialsReader};
use ftbench_schema::text::counted;
use ftbench_schema::{Warning, WarningKind};

/// How much is read at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Maximum number of damaged lines, and of repeated trials, that are listed one by one.
const MAX_LISTED: usize = 5;

/// A line as it is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Where it begins, bytes.
    pub position: u64,
    /// Its bytes without the line end; `None` when it is longer than any trial and was skipped.
    pub bytes: Option<&'a [u8]>,
    /// Whether it has a line end.
    pub ended: bool,
}

/// Reads lines, and holds no more in memory than the longest trial takes.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<TrialsReader>,
    position: u64,
    line: Vec<u8>,
}

impl Lines {
    /// Reads all lines.
    pub fn of(file: &TrialsFile) -> Self {
        Self::from(file, 0)
    }

    fn from(file: &TrialsFile, position: u64) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, file.read_from(position)),
            position,
            line: Vec::new(),
        }
    }

    /// Reads from the first line that begins within these bytes, or from their end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn beginning_in(file: &TrialsFile, bytes: Range<u64>) -> io::Result<Self> {
        // Starts at the byte before, so that a line that begins exactly there is found.
        let Some(position) = bytes.start.checked_sub(1) else {
            return Ok(Self::of(file));
        };
        let mut lines = Self::from(file, position);
        let mut within = lines.reader.by_ref().take(bytes.end.saturating_sub(position));
        lines.position += within.skip_until(b'\n')? as u64;
        Ok(lines)
    }

    /// Where the next line begins, bytes.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let position = self.position;
        self.line.clear();
        let limit = LARGEST_LINE_BYTES as u64 + 1;
        let read_bytes = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.line)? as u64;
        if read_bytes == 0 {
            return Ok(None);
        }
        self.position += read_bytes;
        if self.line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(Some(RawLine {
                position,
                bytes: Some(&self.line),
                ended: true,
            }));
        }
        if read_bytes < limit {
            return Ok(Some(RawLine {
                position,
                bytes: Some(&self.line),
                ended: false,
            }));
        }
        self.position += self.reader.skip_until(b'\n')? as u64;
        self.line = Vec::new();
        Ok(Some(RawLine {
            position,
            bytes: None,
            ended: true,
        }))
    }
}

/// A damaged line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DamagedLine {
    position: u64,
    fault: Fault,
    /// Intact trials in it.
    saved: usize,
}

/// What is wrong with a record, found while reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// The first damaged lines; the others are only counted.
    lines: Vec<DamagedLine>,
    count: usize,
    saved: usize,
    /// Numbers of repeated trials.
    repeated: Vec<u64>,
}

impl Damage {
    /// Takes the result of a line, and notes its damage. Returns the intact entries, each with where it begins in the
    /// file.
    pub fn intact_entries<T>(&mut self, line: RawLine<'_>, decoded: Option<Decoded<T>>) -> Vec<(u64, T)> {
        let (fault, saved) = match decoded {
            Some(Decoded::Intact(entry)) => return vec![(line.position, entry)],
            Some(Decoded::Damaged { fault, saved }) => (fault, saved),
            None => (Fault::TooLong, Vec::new()),
        };
        self.count += 1;
        self.saved += saved.len();
        if self.lines.len() < MAX_LISTED {
            self.lines.push(DamagedLine {
                position: line.position,
                fault: if line.ended { fault } else { Fault::CutOff },
                saved: saved.len(),
            });
        }
        saved
            .into_iter()
            .map(|(from, entry)| (line.position + from as u64, entry))
            .collect()
    }

    /// Notes that a trial is repeated.
    pub fn note_repeated(&mut self, trial: u64) {
        self.repeated.push(trial);
    }

    /// Appends the damage that was found further on in the file.
    pub fn append(&mut self, later: Self) {
        self.count += later.count;
        self.saved += later.saved;
        let room = MAX_LISTED.saturating_sub(self.lines.len());
        self.lines.extend(later.lines.into_iter().take(room));
        self.repeated.extend(later.repeated);
    }

    /// The warnings of the damage for the summary; empty when the record is as it was written.
    ///
    /// # Errors
    /// When the file cannot be read again, to count its lines.
    pub fn warnings(&self, file: &TrialsFile) -> io::Result<Vec<Warning>> {
        let name = file.path().file_name().unwrap_or_default().to_string_lossy();
        let mut messages = Vec::new();
        if let Some(reason) = file.damage() {
            messages.push(format!(
                "{name} is damaged ({reason}): only its first {} bytes could be unpacked",
                file.size_bytes()
            ));
        }
        if self.count > 0 {
            messages.push(self.lines_message(&name, &line_numbers(file, &self.lines)?));
        }
        if !self.repeated.is_empty() {
            let numbers: Vec<String> = self.repeated.iter().map(u64::to_string).collect();
            messages.push(format!(
                "{name} has {}, of which only the first copy counts: {}",
                counted(self.repeated.len(), "repeated trial"),
                abridged(numbers, self.repeated.len())
            ));
        }
        let warning = |message| Warning::of_run(WarningKind::DamagedRecord, message);
        Ok(messages.into_iter().map(warning).collect())
    }

    fn lines_message(&self, name: &str, numbers: &[usize]) -> String {
        let listed = self
            .lines
            .iter()
            .zip(numbers)
            .map(|(damaged, number)| format!("line {number} ({})", damaged.fault))
            .collect();
        let lines = counted(self.count, "damaged line");
        let left_out = match self.saved {
            0 => "whose trials are left out".to_owned(),
            saved => format!("from which {} could be read", counted(saved, "trial")),
        };
        format!("{name} has {lines}, {left_out}: {}", abridged(listed, self.count))
    }
}

/// The first of `count` items, and how many more there are.
fn abridged(mut items: Vec<String>, count: usize) -> String {
    items.truncate(MAX_LISTED);
    if count > items.len() {
        items.push(format!("{} more", count - items.len()));
    }
    items.join(", ")
}

/// The numbers, from 1, of these lines, which are in the order of the file.
fn line_numbers(file: &TrialsFile, lines: &[DamagedLine]) -> io::Result<Vec<usize>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file.read_from(0));
    let (mut position, mut number) = (0, 1);
    let mut numbers = Vec::new();
    for line in lines {
        while position < line.position {
            let skipped_bytes = reader.skip_until(b'\n')? as u64;
            if skipped_bytes == 0 {
                break;
            }
            position += skipped_bytes;
            number += 1;
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// Finds the entries that repeat an earlier trial. `numbered` has, in the order of the file, the trial of each entry
/// and where it begins. Returns where the repetitions begin.
pub fn find_repetitions(numbered: impl Iterator<Item = (u64, u64)>, damage: &mut Damage) -> HashSet<u64> {
    let mut seen = HashSet::new();
    let mut repeated = HashSet::new();
    for (trial, position) in numbered {
        if !seen.insert(trial) {
            damage.note_repeated(trial);
            repeated.insert(position);
        }
    }
    repeated
}
