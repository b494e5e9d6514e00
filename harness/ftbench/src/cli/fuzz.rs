//! Entry points for `ftbench-fuzzing`.

use std::cell::RefCell;

use clap::{Command, CommandFactory, FromArgMatches};

use super::{Cli, values};

/// Parses a word as each kind of option value that is not a choice from a list.
pub fn values(word: &str) {
    if let Ok(share) = values::percent(word) {
        assert!((0.0..=0.5).contains(&share), "{word}: {share}");
    }
    if let Ok(duration_s) = values::duration_s(word) {
        assert!(duration_s > 0.0 && duration_s.is_finite(), "{word}: {duration_s}");
    }
    if let Ok(seconds) = values::seconds(word) {
        assert!(seconds.is_finite() && seconds >= 0.1, "{word}: {seconds}");
    }
    let _ = (values::seed(word), values::size(word));
}

thread_local! {
    /// Kept because building it takes longer than parsing a command line.
    static COMMAND: RefCell<Command> = RefCell::new(Cli::command());
}

/// Parses the words of a command line, without the name of the program.
pub fn command_line<'a>(words: impl Iterator<Item = &'a str>) {
    let words = ["ftbench"].into_iter().chain(words);
    let matches = COMMAND.with_borrow_mut(|command| command.try_get_matches_from_mut(words));
    if let Err(error) = matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        assert!(!error.to_string().is_empty());
    }
}
