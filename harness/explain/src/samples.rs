//! The file that the sampler writes. `harness/sampler/sampler.c` describes its layout.

pub use crate::registers::machine::REGISTERS;
use crate::registers::machine::{INSTRUCTION_POINTER, STACK_POINTER};

/// Python frames in a sample.
pub const FRAMES: usize = 4;

const WORD: usize = size_of::<u64>();

/// One moment of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample<'a> {
    /// When it was taken, `CLOCK_MONOTONIC`, nanoseconds.
    pub time_ns: u64,
    /// Its registers.
    pub registers: [u64; REGISTERS],
    /// Addresses of the code objects of its innermost Python frames, innermost first; 0 where there is none.
    pub frames: [u64; FRAMES],
    /// Its stack from `rsp` on.
    pub stack: &'a [u8],
}

impl Sample<'_> {
    /// The address of the instruction that was next.
    #[must_use]
    pub const fn instruction_pointer(&self) -> u64 {
        self.registers[INSTRUCTION_POINTER]
    }

    /// The stack pointer.
    #[must_use]
    pub const fn stack_pointer(&self) -> u64 {
        self.registers[STACK_POINTER]
    }

    /// The 64-bit number at an address; `None` outside the part of the stack that the sample has.
    #[must_use]
    pub fn stack_word(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.stack_pointer())?).ok()?;
        word(self.stack.get(offset..)?)
    }
}

/// The samples of one worker, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSamples<'a> {
    /// The kernel's id of its thread.
    pub thread_id: u64,
    /// Samples for which there was no room.
    pub lost: u64,
    /// The others.
    pub samples: Vec<Sample<'a>>,
}

/// The file of samples ends in the middle of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file of samples is damaged")]
pub struct Damaged;

/// Reads the file of the sampler.
///
/// # Errors
/// When the file is not complete.
pub fn read(mut bytes: &[u8]) -> Result<Vec<WorkerSamples<'_>>, Damaged> {
    let mut workers = Vec::new();
    while !bytes.is_empty() {
        let [thread_id, lost, size] = words(&mut bytes)?;
        let mut own = take(&mut bytes, size)?;
        let mut samples = Vec::new();
        while !own.is_empty() {
            let [time_ns] = words(&mut own)?;
            let registers = words(&mut own)?;
            let frames = words(&mut own)?;
            let [stack_bytes] = words(&mut own)?;
            let stack = take(&mut own, stack_bytes)?;
            samples.push(Sample {
                time_ns,
                registers,
                frames,
                stack,
            });
        }
        workers.push(WorkerSamples {
            thread_id,
            lost,
            samples,
        });
    }
    Ok(workers)
}

fn take<'a>(bytes: &mut &'a [u8], size: u64) -> Result<&'a [u8], Damaged> {
    let size = usize::try_from(size).map_err(|_| Damaged)?;
    let (taken, rest) = bytes.split_at_checked(size).ok_or(Damaged)?;
    *bytes = rest;
    Ok(taken)
}

fn words<const N: usize>(bytes: &mut &[u8]) -> Result<[u64; N], Damaged> {
    let taken = take(bytes, (N * WORD) as u64)?;
    let mut words = [0; N];
    for (place, chunk) in words.iter_mut().zip(taken.chunks_exact(WORD)) {
        *place = word(chunk).ok_or(Damaged)?;
    }
    Ok(words)
}

fn word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(stack: &[u8]) -> Vec<u8> {
        let mut sample: Vec<u64> = vec![5];
        sample.extend(0..REGISTERS as u64);
        sample.extend([7; FRAMES]);
        sample.push(stack.len() as u64);
        let mut own: Vec<u8> = sample.iter().flat_map(|word| word.to_le_bytes()).collect();
        own.extend(stack);
        let mut bytes: Vec<u8> = [9, 1, own.len() as u64]
            .iter()
            .flat_map(|word: &u64| word.to_le_bytes())
            .collect();
        bytes.extend(own);
        bytes
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let stack: Vec<u8> = (0..16).collect();
        let bytes = file(&stack);
        let [worker] = &read(&bytes).unwrap()[..] else {
            unreachable!()
        };
        assert_eq!((worker.thread_id, worker.lost), (9, 1));
        let [sample] = &worker.samples[..] else {
            unreachable!()
        };
        assert_eq!(
            (sample.time_ns, sample.instruction_pointer()),
            (5, INSTRUCTION_POINTER as u64)
        );
        assert_eq!(sample.stack, stack);
        let start = STACK_POINTER as u64;
        assert_eq!(sample.stack_word(start), Some(0x0706_0504_0302_0100));
        assert_eq!(sample.stack_word(start + 9), None);
        assert_eq!(sample.stack_word(start - 1), None);
    }

    #[test]
    fn every_incomplete_file_is_refused() {
        let bytes = file(&[0; 8]);
        for length in 1..bytes.len() {
            assert_eq!(read(&bytes[..length]), Err(Damaged), "{length}");
        }
        assert_eq!(read(&[]), Ok(Vec::new()));
    }
}
