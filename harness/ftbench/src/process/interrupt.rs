//! Being told to stop: Ctrl-C, or a signal from outside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::error::SystemError;

/// Tells whether ftbench was told to stop. The first signal asks for a clean end; the second one ends it at once.
///
/// A hangup is neither second nor first to another: shells send it to jobs that the kernel has told already, and systemd
/// after `SIGTERM` (`SendSIGHUP=`, systemd.kill(5)), so that of one closed window several signals may come.
#[derive(Debug)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    /// Readable from the first signal on, and never read, so that every wait ends.
    bell: UnixStream,
    /// Held so that the bell stays silent, not hung up, when nothing is listened to.
    ringer: UnixStream,
}

impl Interrupt {
    /// Listens to `SIGINT`, `SIGTERM` and `SIGHUP` from now on.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen() -> Result<Self, SystemError> {
        Self::listening().map_err(SystemError::of(
            "listen to signals",
            "raise the limit ('ulimit -a')",
        ))
    }

    fn listening() -> io::Result<Self> {
        let interrupt = Self::never()?;
        let asked_on_purpose = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the flag is still down at the first signal and up at the second.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked_on_purpose))?;
            signal_hook::flag::register(signal, Arc::clone(&asked_on_purpose))?;
            interrupt.heed(signal)?;
        }
        // What `nohup` has had ignored stays so.
        if !ignored_signals().contains(&SIGHUP) {
            interrupt.heed(SIGHUP)?;
        }
        // Passed over, so that a limit on the size of files (`ulimit -f`) is an error of the write that meets it, which
        // can be told, as a full disk is, and not the end without a word.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(interrupt)
    }

    fn heed(&self, signal: i32) -> io::Result<()> {
        signal_hook::flag::register(signal, Arc::clone(&self.asked))?;
        signal_hook::low_level::pipe::register(signal, self.ringer.try_clone()?)?;
        Ok(())
    }

    /// Listens to nothing.
    ///
    /// # Errors
    /// When the system refuses a pair of sockets.
    pub fn never() -> io::Result<Self> {
        let (bell, ringer) = UnixStream::pair()?;
        Ok(Self {
            asked: Arc::new(AtomicBool::new(false)),
            bell,
            ringer,
        })
    }

    /// Whether a signal has come.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// A descriptor that is readable once a signal has come.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// The signals that this process was told to ignore by who started it; none where the system does not tell.
fn ignored_signals() -> Vec<i32> {
    let mask = procfs::process::Process::myself()
        .and_then(|process| process.status())
        .map_or(0, |status| status.sigign);
    (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
}
