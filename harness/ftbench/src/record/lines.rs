//! Reads a record line by line, and keeps account of what is wrong with it.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use super::line::{Fault, LARGEST_LINE_BYTES, Taken};
use super::trials_file::{TrialsFile, TrialsReader};
use ftbench_schema::text::counted;
use ftbench_schema::{Warning, WarningKind};

/// How much is asked of the system at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Damaged lines, and repeated trials, that are named one by one.
const MOST_NAMED: usize = 5;

/// A line as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Where it begins, bytes.
    pub position: u64,
    /// Without its line end; `None` when it is longer than any trial, and so was passed over.
    pub bytes: Option<&'a [u8]>,
    /// Whether it has a line end.
    pub ended: bool,
}

/// Reads lines, of which no more is held in memory than the longest trial takes.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<TrialsReader>,
    position: u64,
    line: Vec<u8>,
}

impl Lines {
    /// All lines.
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

    /// Goes to the first line that begins within these bytes, or to their end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn beginning_in(file: &TrialsFile, bytes: Range<u64>) -> io::Result<Self> {
        // From the byte before, so that a line that begins right there is found.
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
struct Damaged {
    position: u64,
    fault: Fault,
    /// Trials that stand whole in it.
    saved: usize,
}

/// What is wrong with a record, found while reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// The first of them; the others are only counted.
    lines: Vec<Damaged>,
    count: usize,
    saved: usize,
    /// Numbers of trials that came again.
    repeated: Vec<u64>,
}

impl Damage {
    /// Takes in what came of a line; gives what is to be kept of it, each with where it begins in the file.
    pub fn sift<T>(&mut self, line: RawLine<'_>, taken: Option<Taken<T>>) -> Vec<(u64, T)> {
        let (fault, saved) = match taken {
            Some(Taken::Whole(entry)) => return vec![(line.position, entry)],
            Some(Taken::Damaged { fault, saved }) => (fault, saved),
            None => (Fault::TooLong, Vec::new()),
        };
        self.count += 1;
        self.saved += saved.len();
        if self.lines.len() < MOST_NAMED {
            self.lines.push(Damaged {
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

    /// Takes in that a trial came again.
    pub fn repeated(&mut self, trial: u64) {
        self.repeated.push(trial);
    }

    /// Puts what was found further on behind what was found before.
    pub fn append(&mut self, later: Self) {
        self.count += later.count;
        self.saved += later.saved;
        let room = MOST_NAMED.saturating_sub(self.lines.len());
        self.lines.extend(later.lines.into_iter().take(room));
        self.repeated.extend(later.repeated);
    }

    /// As the reader of a summary is told; empty when the record is as it was written.
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
            messages.push(self.of_lines(&name, &line_numbers(file, &self.lines)?));
        }
        if !self.repeated.is_empty() {
            let named: Vec<String> = self.repeated.iter().map(u64::to_string).collect();
            messages.push(format!(
                "{name} has {} more than once, of which the first counts: {}",
                counted(self.repeated.len(), "trial"),
                abridged(named, self.repeated.len())
            ));
        }
        let warning = |message| Warning::of_run(WarningKind::DamagedRecord, message);
        Ok(messages.into_iter().map(warning).collect())
    }

    fn of_lines(&self, name: &str, numbers: &[usize]) -> String {
        let named = self
            .lines
            .iter()
            .zip(numbers)
            .map(|(damaged, number)| format!("line {number} ({})", damaged.fault))
            .collect();
        let lines = counted(self.count, "damaged line");
        let left_out = match self.saved {
            0 => "whose trials are left out".to_owned(),
            saved => format!("of which {} could be read", counted(saved, "trial")),
        };
        format!("{name} has {lines}, {left_out}: {}", abridged(named, self.count))
    }
}

/// The first of so many, and how many there are beside.
fn abridged(mut named: Vec<String>, count: usize) -> String {
    named.truncate(MOST_NAMED);
    if count > named.len() {
        named.push(format!("{} more", count - named.len()));
    }
    named.join(", ")
}

/// The numbers, from 1, of lines, which are in order.
fn line_numbers(file: &TrialsFile, lines: &[Damaged]) -> io::Result<Vec<usize>> {
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

/// Sees which entries repeat a trial that was there before. `numbered` tells, in the order of the file, each entry's
/// trial and where it begins; what comes out is where the repetitions begin.
pub fn repetitions(numbered: impl Iterator<Item = (u64, u64)>, damage: &mut Damage) -> HashSet<u64> {
    let mut seen = HashSet::new();
    let mut repeated = HashSet::new();
    for (trial, position) in numbered {
        if !seen.insert(trial) {
            damage.repeated(trial);
            repeated.insert(position);
        }
    }
    repeated
}
