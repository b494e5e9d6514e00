//! Runs a program that must not outlive ftbench, such as an installer.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// A handle of a program. Dropping it ends the program and everything that it has started, which also happens when
/// ftbench is killed.
#[derive(Debug)]
pub struct GuardedProgram(UnixStream);

/// Puts a command below a guard of its own (`ftbench guard`), which ends it and everything that it has started when the
/// [`GuardedProgram`] is dropped. The new command keeps the program, arguments, environment changes and folder. Its
/// standard input is taken, the caller sets its outputs, and its exit status is the program's.
///
/// # Errors
/// When the system refuses a pair of sockets.
pub fn guarded(plain: &Command) -> io::Result<(Command, GuardedProgram)> {
    let (own, guards) = UnixStream::pair()?;
    // This program itself, even if its file has been replaced since.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("ftbench")
        .args(["guard", "--plain", "--"])
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(OwnedFd::from(guards))
        // Out of the terminal's foreground: Ctrl-C is for ftbench.
        .process_group(0);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = plain.get_current_dir() {
        command.current_dir(folder);
    }
    Ok((command, GuardedProgram(own)))
}

impl GuardedProgram {
    /// Ends the program and everything that it has started, and waits until all of it is gone.
    ///
    /// # Errors
    /// When its guard cannot be waited for.
    pub fn end(self, guard: &mut Child) -> io::Result<()> {
        drop(self.0);
        guard.wait().map(drop)
    }
}
