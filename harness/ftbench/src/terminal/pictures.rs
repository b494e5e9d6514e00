//! How a terminal shows pictures: by what its environment says, else by asking it.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};

/// How to show a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
    /// Sixel.
    Sixel,
    /// Braille patterns, which every terminal and every file can have.
    Braille,
}

/// How long to wait for a terminal's answer. It takes a round trip, which over a network may be half a second.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(1);

/// The longest answer that is read, bytes. Terminals answer with some 20.
const MAX_ANSWER_BYTES: usize = 128;

/// "Primary device attributes", which every terminal of the last forty years answers (ECMA-48, DA).
const ASK: &[u8] = b"\x1b[c";

/// The attribute of terminals with sixel.
const SIXEL: &str = "4";

/// Finds how to show a picture on standard output. Braille, if that is not a terminal or its user wants no escape
/// sequences.
#[must_use]
pub fn protocol() -> Protocol {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if !std::io::stdout().is_terminal() || variable("TERM") == "dumb" || !variable("NO_COLOR").is_empty() {
        return Protocol::Braille;
    }
    by_environment(variable).unwrap_or_else(|| match ask() {
        Some(answer) if has_sixel(&answer) => Protocol::Sixel,
        _ => Protocol::Braille,
    })
}

/// The protocol of a terminal that its variables name. A multiplexer inherits the variables of a terminal whose protocol
/// it does not pass on.
fn by_environment(variable: impl Fn(&str) -> String) -> Option<Protocol> {
    let term = variable("TERM");
    let is_multiplexer = term.starts_with("tmux") || term.starts_with("screen");
    if is_multiplexer || !variable("TMUX").is_empty() || !variable("STY").is_empty() {
        return None;
    }
    let program = variable("TERM_PROGRAM");
    if term == "xterm-kitty"
        || term == "xterm-ghostty"
        || !variable("KITTY_WINDOW_ID").is_empty()
        || program == "ghostty"
    {
        Some(Protocol::Kitty)
    } else if program == "iTerm.app" || program == "WezTerm" || variable("LC_TERMINAL") == "iTerm2" {
        Some(Protocol::Iterm2)
    } else {
        None
    }
}

/// Whether an answer names sixel: `ESC [ ? 65 ; 1 ; 4 c`.
fn has_sixel(answer: &str) -> bool {
    attributes(answer).is_some_and(|attributes| attributes.split(';').skip(1).any(|one| one == SIXEL))
}

/// The attributes in an answer, once it is complete.
fn attributes(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("\u{1b}[?")?;
    Some(rest.split_once('c')?.0)
}

/// Asks the terminal for its attributes. `None` if there is none that may be asked, or it does not answer in time.
fn ask() -> Option<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
    // The system stops a process in the background that changes the terminal.
    if termios::tcgetpgrp(&terminal).ok()? != rustix::process::getpgrp() {
        return None;
    }
    let _quiet = Unechoed::new(&terminal)?;
    (&terminal).write_all(ASK).ok()?;
    answer(&terminal, Instant::now() + ANSWER_TIME_LIMIT)
}

/// Reads until the end of an answer or until it is too late.
fn answer(mut terminal: &File, deadline: Instant) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        let left = Timespec::try_from(left).ok()?;
        let mut waiting = [PollFd::new(&terminal, PollFlags::IN)];
        if poll(&mut waiting, Some(&left)).ok()? == 0 {
            return None;
        }
        let mut bytes = [0; MAX_ANSWER_BYTES];
        let count = terminal.read(&mut bytes).ok().filter(|&count| count > 0)?;
        read.extend_from_slice(bytes.get(..count)?);
        let text = String::from_utf8_lossy(&read);
        if attributes(&text).is_some() {
            return Some(text.into_owned());
        }
        if read.len() > MAX_ANSWER_BYTES {
            return None;
        }
    }
}

/// A terminal that neither shows what it receives nor waits for the end of a line, until this is dropped. It sends Ctrl-C
/// as a character, so that no interrupt leaves it so.
struct Unechoed<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Unechoed<'a> {
    fn new(terminal: &'a File) -> Option<Self> {
        let before = termios::tcgetattr(terminal).ok()?;
        let mut during = before.clone();
        during
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        during.special_codes[SpecialCodeIndex::VMIN] = 0;
        during.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(terminal.as_fd(), OptionalActions::Now, &during).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Unechoed<'_> {
    fn drop(&mut self) {
        // There is nobody left to report an error to.
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Protocol> {
        by_environment(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map_or_else(String::new, |(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn terminals_are_known_by_their_variables() {
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "ghostty")]), Some(Protocol::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm2));
        assert_eq!(of(&[("LC_TERMINAL", "iTerm2")]), Some(Protocol::Iterm2));
        assert_eq!(of(&[("TERM", "xterm-256color")]), None);
    }

    #[test]
    fn multiplexer_hides_the_terminal_around_it() {
        assert_eq!(of(&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")]), None);
        assert_eq!(
            of(&[("TMUX", "/tmp/tmux-0/default,1,0"), ("TERM", "xterm-kitty")]),
            None
        );
        assert_eq!(of(&[("STY", "1.pts-0"), ("TERM_PROGRAM", "WezTerm")]), None);
    }

    #[test]
    fn sixel_is_an_attribute_and_not_the_class_of_a_terminal() {
        assert!(has_sixel("\u{1b}[?63;1;2;4;6;9;15;22c"));
        assert!(has_sixel("typed ahead\u{1b}[?1;2;4c"));
        for without in [
            "\u{1b}[?1;2c",
            "\u{1b}[?4;6c",
            "\u{1b}[?62;14;44c",
            "",
            "\u{1b}[?62;4",
        ] {
            assert!(!has_sixel(without), "{without}");
        }
    }
}
