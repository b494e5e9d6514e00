//! Detects requests to stop: Ctrl-C, or a signal from outside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::error::SystemError;

/// Detects whether ftbench was asked to stop. The first signal requests a clean end; the second one ends it at once.
///
/// A hangup requests a clean end, but counts neither as a first nor as a second signal: one closed window may cause
/// several signals, because shells send hangups to jobs that the kernel has already signalled, and systemd sends one
/// after `SIGTERM` (`SendSIGHUP=`, systemd.kill(5)).
#[derive(Debug)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Readable from the first signal on, and never read, so that every wait ends.
    receiver: UnixStream,
    /// Held so that the receiver stays open, and not readable, when no signal is awaited.
    sender: UnixStream,
}

impl Interrupt {
    /// Listens to `SIGINT`, `SIGTERM` and `SIGHUP` from now on.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen() -> Result<Self, SystemError> {
        Self::install_handlers().map_err(SystemError::of(
            "listen to signals",
            "raise the limit ('ulimit -a')",
        ))
    }

    fn install_handlers() -> io::Result<Self> {
        let interrupt = Self::never()?;
        let signalled_before = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the flag is still down at the first signal and up at the second.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&signalled_before))?;
            signal_hook::flag::register(signal, Arc::clone(&signalled_before))?;
            interrupt.stop_at(signal)?;
        }
        // Hangups that `nohup` has had ignored stay ignored.
        if !ignored_signals().contains(&SIGHUP) {
            interrupt.stop_at(SIGHUP)?;
        }
        // Caught without effect, so that a file size limit (`ulimit -f`) is an error of the write that exceeds it,
        // which is reported like a full disk, instead of ending ftbench without a message.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(interrupt)
    }

    fn stop_at(&self, signal: i32) -> io::Result<()> {
        signal_hook::flag::register(signal, Arc::clone(&self.requested))?;
        signal_hook::low_level::pipe::register(signal, self.sender.try_clone()?)?;
        Ok(())
    }

    /// An interrupt that never comes.
    ///
    /// # Errors
    /// When the system refuses a pair of sockets.
    pub fn never() -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;
        Ok(Self {
            requested: Arc::new(AtomicBool::new(false)),
            receiver,
            sender,
        })
    }

    /// Whether a signal has come.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Whether a signal has come, or comes within this time.
    #[must_use]
    pub fn is_requested_within(&self, limit: Duration) -> bool {
        let mut signal = [PollFd::new(&self.receiver, PollFlags::IN)];
        if let Ok(timeout) = Timespec::try_from(limit) {
            // An error leaves what is known.
            let _ = poll(&mut signal, Some(&timeout));
        }
        self.is_requested()
    }

    /// A descriptor that is readable once a signal has come.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

/// The signals that this process has inherited as ignored; empty where the system does not report them.
fn ignored_signals() -> Vec<i32> {
    let mask = procfs::process::Process::myself()
        .and_then(|process| process.status())
        .map_or(0, |status| status.sigign);
    (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
}
