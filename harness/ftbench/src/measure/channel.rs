//! The driver's end of a worker's pipes: reads replies line by line, and keeps the end of what the workload prints.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::process::guard::driver_side::GuardedWorker;
use crate::process::interrupt::Interrupt;

/// Longest reply that is accepted, bytes. A sample of 1,024 workers has about 150 kB.
const LONGEST_REPLY_BYTES: usize = 8 << 20;

/// How much of a workload's output is kept, bytes. The end is kept, because a traceback comes last.
const KEPT_OUTPUT_BYTES: usize = 16 << 10;

const CHUNK_BYTES: usize = 64 << 10;

/// Why there is no reply.
#[derive(Debug, PartialEq, Eq)]
pub enum NoReply {
    /// The deadline has passed.
    TimedOut,
    /// The process has ended or closed its end of the pipe.
    Ended,
    /// A line is longer than any reply.
    TooLong,
    /// The workload has printed more than the limit allows.
    TooMuchOutput,
    /// ftbench was asked to stop.
    Interrupted,
    /// Waiting or reading failed.
    System(rustix::io::Errno),
}

/// The pipes on which a worker's replies and output arrive.
#[derive(Debug)]
pub struct Channel {
    replies: OwnedFd,
    output: Option<OwnedFd>,
    printed_bytes: u64,
    output_limit_bytes: u64,
    lines: Lines,
    tail: Tail,
}

impl Channel {
    /// Reads replies from one pipe, and at most `output_limit_bytes` of output from another.
    #[must_use]
    pub fn new(replies: OwnedFd, output: OwnedFd, output_limit_bytes: u64) -> Self {
        Self {
            replies,
            output: Some(output),
            printed_bytes: 0,
            output_limit_bytes,
            lines: Lines::default(),
            tail: Tail::default(),
        }
    }

    /// Sleeps until the next reply arrives.
    ///
    /// # Errors
    /// When no reply arrives; the error says why.
    pub fn receive(
        &mut self,
        deadline: Instant,
        interrupt: &Interrupt,
        guarded: &mut GuardedWorker,
    ) -> Result<Vec<u8>, NoReply> {
        loop {
            if let Some(line) = self.lines.next_line() {
                return Ok(line);
            }
            if self.lines.pending_bytes() > LONGEST_REPLY_BYTES {
                return Err(NoReply::TooLong);
            }
            // What the worker sent before it ended is still to be read.
            if guarded.has_ended() && !readable_now(self.replies.as_fd()) {
                return Err(NoReply::Ended);
            }
            let ready = self.wait(deadline, interrupt, guarded)?;
            if ready.output {
                self.read_output()?;
                if self.has_printed_too_much() {
                    return Err(NoReply::TooMuchOutput);
                }
            }
            if ready.guard {
                read_report(guarded)?;
            }
            if ready.replies && !self.read_replies()? {
                return Err(NoReply::Ended);
            }
        }
    }

    /// Whether something has arrived that no request asked for.
    #[must_use]
    pub fn has_unsolicited_reply(&self) -> bool {
        self.lines.pending_bytes() > 0 || readable_now(self.replies.as_fd())
    }

    /// Whether part of a reply has arrived.
    #[must_use]
    pub fn has_partial_reply(&self) -> bool {
        self.lines.pending_bytes() > 0
    }

    /// Reads what is printed until the worker has ended or the deadline passes.
    pub fn read_until_end(&mut self, deadline: Instant, interrupt: &Interrupt, guarded: &mut GuardedWorker) {
        while !guarded.has_ended() {
            let Ok(ready) = self.wait(deadline, interrupt, guarded) else {
                return;
            };
            if ready.output && self.read_output().is_err() {
                return;
            }
            if ready.guard && read_report(guarded).is_err() {
                return;
            }
            if ready.replies && !matches!(self.read_replies(), Ok(true)) {
                return;
            }
        }
    }

    /// The end of what was printed, including what is still in the pipe. Call this once every process that prints has
    /// ended.
    pub fn last_output(&mut self) -> String {
        while let Some(output) = &self.output
            && readable_now(output.as_fd())
            && !self.has_printed_too_much()
        {
            if self.read_output().is_err() {
                break;
            }
        }
        self.tail.text()
    }

    fn wait(
        &self,
        deadline: Instant,
        interrupt: &Interrupt,
        guarded: &GuardedWorker,
    ) -> Result<Ready, NoReply> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoReply::TimedOut);
        }
        let timeout = Timespec::try_from(left).map_err(|_| NoReply::TimedOut)?;
        let mut fds = vec![
            PollFd::new(&self.replies, PollFlags::IN),
            PollFd::from_borrowed_fd(guarded.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(interrupt.as_fd(), PollFlags::IN),
        ];
        if let Some(output) = &self.output {
            fds.push(PollFd::new(output, PollFlags::IN));
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return Err(NoReply::TimedOut),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            Err(errno) => return Err(NoReply::System(errno)),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut next = || ready.next().unwrap_or(false);
        let (replies, guard, interrupted, output) = (next(), next(), next(), next());
        if interrupted {
            return Err(NoReply::Interrupted);
        }
        Ok(Ready {
            replies,
            guard,
            output,
        })
    }

    fn read_replies(&mut self) -> Result<bool, NoReply> {
        let mut chunk = [0; CHUNK_BYTES];
        let read = read(self.replies.as_fd(), &mut chunk)?;
        self.lines.push(chunk.get(..read).unwrap_or_default());
        Ok(read > 0)
    }

    const fn has_printed_too_much(&self) -> bool {
        self.printed_bytes > self.output_limit_bytes
    }

    fn read_output(&mut self) -> Result<(), NoReply> {
        let Some(output) = &self.output else { return Ok(()) };
        let mut chunk = [0; CHUNK_BYTES];
        let read = read(output.as_fd(), &mut chunk)?;
        if read == 0 {
            self.output = None;
        }
        self.printed_bytes = self.printed_bytes.saturating_add(read as u64);
        self.tail.push(chunk.get(..read).unwrap_or_default());
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Ready {
    replies: bool,
    guard: bool,
    output: bool,
}

fn read_report(guarded: &mut GuardedWorker) -> Result<(), NoReply> {
    guarded.read_report().map_err(|error| {
        NoReply::System(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO))
    })
}

fn read(fd: BorrowedFd<'_>, chunk: &mut [u8]) -> Result<usize, NoReply> {
    loop {
        match rustix::io::read(fd, &mut *chunk) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(NoReply::System),
        }
    }
}

fn readable_now(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Splits the bytes that arrive into lines.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// How many of `bytes` have already been searched for a line end.
    searched: usize,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(end) = unsearched.iter().position(|&byte| byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let end = self.searched + end;
        let rest = self.bytes.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        line.truncate(end);
        self.searched = 0;
        Some(line)
    }

    fn pending_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The last bytes of a stream.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEPT_OUTPUT_BYTES {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let surplus = self.bytes.len().saturating_sub(KEPT_OUTPUT_BYTES);
        if surplus > 0 {
            self.bytes.drain(..surplus);
            self.cut = true;
        }
    }

    fn text(&mut self) -> String {
        self.trim();
        let text = String::from_utf8_lossy(&self.bytes).trim().to_owned();
        if self.cut { format!("... {text}") } else { text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn output_of_exactly_the_limit_is_not_too_much() {
        let (replies, _) = rustix::pipe::pipe().unwrap();
        let (output, printer) = rustix::pipe::pipe().unwrap();
        let mut channel = Channel::new(replies, output, 6);
        for (printed, too_much) in [("four", false), ("ok", false), ("!", true)] {
            rustix::io::write(&printer, printed.as_bytes()).unwrap();
            channel.read_output().unwrap();
            assert_eq!(channel.has_printed_too_much(), too_much, "{printed}");
        }
    }

    proptest! {
        #[test]
        fn lines_survive_any_chunking(lines in prop::collection::vec("[a-z]{0,12}", 0..8), cuts in prop::collection::vec(1_usize..7, 1..40)) {
            let stream: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
            let mut buffer = Lines::default();
            let mut found = Vec::new();
            let mut rest = stream.as_slice();
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                buffer.push(chunk);
                rest = after;
                while let Some(line) = buffer.next_line() {
                    found.push(String::from_utf8(line).unwrap());
                }
            }
            prop_assert_eq!(found, lines);
            prop_assert_eq!(buffer.pending_bytes(), 0);
        }

        #[test]
        fn a_tail_is_bounded_and_keeps_the_end(pieces in prop::collection::vec(1_usize..9000, 0..12)) {
            let mut tail = Tail::default();
            for (index, &length) in pieces.iter().enumerate() {
                tail.push(&vec![b'a' + u8::try_from(index).unwrap(); length]);
                prop_assert!(tail.bytes.len() <= 2 * KEPT_OUTPUT_BYTES);
            }
            let text = tail.text();
            prop_assert!(text.len() <= KEPT_OUTPUT_BYTES + 4);
            if let Some(last) = pieces.len().checked_sub(1) {
                prop_assert!(text.ends_with(char::from(b'a' + u8::try_from(last).unwrap())));
            }
        }
    }
}
