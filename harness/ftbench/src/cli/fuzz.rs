//! What `ftbench-fuzzing` calls of this part.

use std::cell::RefCell;

use clap::{Command, CommandFactory, FromArgMatches};

use super::{Cli, values};

/// Values that are more than a word of a list.
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
    /// Putting it together takes longer than reading a command line.
    static COMMAND: RefCell<Command> = RefCell::new(Cli::command());
}

/// The words of a command line, without the program's name.
pub fn command_line<'a>(words: impl Iterator<Item = &'a str>) {
    let words = ["ftbench"].into_iter().chain(words);
    let matches = COMMAND.with_borrow_mut(|command| command.try_get_matches_from_mut(words));
    if let Err(error) = matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        assert!(!error.to_string().is_empty());
    }
}
