//! Going on with a run.

use std::path::PathBuf;

use clap::Args;

use super::values::SummaryFormat;

/// What `ftbench run` takes both for a new run and for one that it goes on with. Kept apart from the options that say
/// what a run is, so that every one of those, also one that is added later, is refused beside `--resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Go on with a run that was stopped, as it was begun; takes no option that changes a run
    // The groups that clap makes of the options of these structs.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["RunArgs", "LimitOptions", "VersionArgs"])]
    pub resume: Option<PathBuf>,
    /// Print a table, json (as in summary.json), or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use clap::{CommandFactory, Parser};

    use crate::cli::{Cli, Command};

    fn parsed(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["ftbench", "run", "--resume", "out"].iter().chain(words))
    }

    #[test]
    fn how_results_are_shown_may_be_said() {
        let cli = parsed(&["--format", "json", "-q", "--color", "never"]).unwrap();
        let Command::Run(arguments) = cli.command else {
            panic!("no run");
        };
        assert_eq!(arguments.resumption.resume.unwrap().to_str(), Some("out"));
        parsed(&["-v"]).unwrap();
        parsed(&[]).unwrap();
    }

    #[test]
    fn nothing_that_a_run_is_may_be_said() {
        let command = Cli::command();
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
