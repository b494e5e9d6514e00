//! Going on with a run.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, FromArgMatches, Id};

use super::Cli;
use super::values::SummaryFormat;

/// What `ftbench run` takes both for a new run and for one that it goes on with.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Go on with a run that was stopped, just as it was begun
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Print a table, json (as in summary.json), or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
}

/// Reads this process's command line; ends the process, with help or an error, where there is nothing to do.
#[must_use]
pub fn parse() -> Cli {
    let mut matches = command().get_matches();
    Cli::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command()).exit())
}

/// The commands, with every option that says what a run is refused beside `--resume`: those that are added later too,
/// which a list of names would miss.
fn command() -> Command {
    Cli::command().mut_subcommand("run", |run| {
        let of_a_run: Vec<Id> = run
            .get_arguments()
            .map(|argument| argument.get_id().clone())
            .filter(|id| id != "resume" && id != "format")
            .collect();
        run.mut_arg("resume", |resume| resume.conflicts_with_all(of_a_run))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::cli;

    fn parsed(words: &[&str]) -> Result<Cli, clap::Error> {
        let all = ["ftbench", "run", "--resume", "out"].iter().chain(words);
        Cli::from_arg_matches(&command().try_get_matches_from(all)?)
    }

    #[test]
    fn how_results_are_shown_may_be_said() {
        let cli = parsed(&["--format", "json", "-q", "--color", "never"]).unwrap();
        let cli::Command::Run(arguments) = cli.command else {
            panic!("no run");
        };
        assert_eq!(arguments.resumption.resume.unwrap().to_str(), Some("out"));
        parsed(&["-v"]).unwrap();
        parsed(&[]).unwrap();
    }

    #[test]
    fn nothing_that_a_run_is_may_be_said() {
        let command = command();
        let run = command.find_subcommand("run").unwrap();
        let values = [
            "1",
            "0.1",
            "10%",
            "10s",
            "cores",
            "fib",
            "serial",
            "spawn",
            "quick",
            "strong",
            "sweeps",
            "1M",
            "a.b:c",
            "base=mine.py",
        ];
        let mut tried = 0;
        for argument in run.get_arguments() {
            let id = argument.get_id().as_str();
            if ["resume", "format"].contains(&id) || argument.is_global_set() {
                continue;
            }
            let words: Vec<String> = match argument.get_long() {
                None => vec!["fib".to_owned()],
                Some(long) if !argument.get_action().takes_values() => vec![format!("--{long}")],
                Some(long) => values.iter().map(|value| format!("--{long}={value}")).collect(),
            };
            let kinds: Vec<_> = words
                .iter()
                .map(|word| parsed(&[word]).unwrap_err().kind())
                .filter(|kind| *kind == clap::error::ErrorKind::ArgumentConflict)
                .collect();
            assert!(!kinds.is_empty(), "{id} is taken beside --resume");
            tried += 1;
        }
        assert!(tried > 15, "{tried}");
    }
}
