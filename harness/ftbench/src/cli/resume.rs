//! The options with which `ftbench run` resumes a run.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, FromArgMatches, Id};

use super::values::SummaryFormat;
use super::{Cli, completion};

/// The options that `ftbench run` accepts for a resumed run.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Resume a run that was stopped, with the options it was started with
    #[arg(long, value_name = "DIR", add = completion::run())]
    pub resume: Option<PathBuf>,
    /// Print a table, json (as in summary.json), or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
}

/// Parses the command line of this process. Ends the process if it only has to print help, an error, or what would
/// complete a command line.
#[must_use]
pub fn parse() -> Cli {
    completion::complete();
    let mut matches = command().get_matches();
    Cli::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command()).exit())
}

/// The commands, in which `--resume` conflicts with every option that defines a run. A list of names would miss options
/// that are added later.
pub(super) fn command() -> Command {
    Cli::command().mut_subcommand("run", |run| {
        let run_options: Vec<Id> = run
            .get_arguments()
            .map(|argument| argument.get_id().clone())
            .filter(|id| id != "resume" && id != "format")
            .collect();
        run.mut_arg("resume", |resume| resume.conflicts_with_all(run_options))
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
    fn output_options_are_accepted_beside_resume() {
        let cli = parsed(&["--format", "json", "-q", "--color", "never"]).unwrap();
        let cli::Command::Run(arguments) = cli.command else {
            panic!("not run");
        };
        assert_eq!(arguments.resumption.resume.unwrap().to_str(), Some("out"));
        parsed(&["-v"]).unwrap();
        parsed(&[]).unwrap();
    }

    #[test]
    fn options_that_define_a_run_are_refused_beside_resume() {
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
            "tcp://localhost:1",
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
            assert!(!kinds.is_empty(), "{id} is accepted beside --resume");
            tried += 1;
        }
        assert!(tried > 15, "{tried}");
    }
}
