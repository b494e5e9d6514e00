//! Parses the command line.

use std::io::{self, Write};
use std::process;

use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory, FromArgMatches, Id};

use super::{Cli, completion};
use ftbench_schema::suggest;

/// What `ftbench` prints without arguments.
const FIRST_STEPS: &str = "\
ftbench measures how Python code scales over cores, on GIL and free-threaded builds of CPython.

  ftbench python install                     get both builds of CPython, unless installed
  ftbench run fib --profile quick            measure a workload of the suite, in a minute
  ftbench run bench.py                       your benchmarks for pyperf, asv or pytest, unchanged
  ftbench run --call 'f(25)' --setup 'from my_module import f'
  ftbench explain bench.py                   why it does not scale
  ftbench doctor                             what on this machine would skew results

'ftbench help' lists all commands, and 'ftbench help run' describes one.
";

/// The exit status of a wrong command line, as clap's.
const USAGE_ERROR: i32 = 2;

/// Parses the command line of this process. Ends the process if it only has to print help, an error, or what would
/// complete a command line.
#[must_use]
pub fn parse() -> Cli {
    completion::complete();
    if std::env::args_os().len() <= 1 {
        // Nothing can be reported when standard output is closed.
        let _ = io::stdout().write_all(FIRST_STEPS.as_bytes());
        process::exit(USAGE_ERROR);
    }
    let parsed = command().try_get_matches().and_then(|mut matches| {
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command()))
    });
    parsed.unwrap_or_else(|error| shortened(error).exit())
}

/// Leaves out the list of all values where a message suggests one, and suggests a command where clap finds none similar
/// enough, as for two letters in the wrong order.
fn shortened(mut error: clap::Error) -> clap::Error {
    if let (None, Some(ContextValue::String(given))) = (
        error.get(ContextKind::SuggestedSubcommand),
        error.get(ContextKind::InvalidSubcommand),
    ) {
        let command = command();
        let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
        let likely = suggest::likely(given, shown.map(Command::get_name));
        if !likely.is_empty() {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(likely));
        }
    }
    if error.get(ContextKind::SuggestedValue).is_some() {
        error.remove(ContextKind::ValidValue);
    }
    error
}

/// The commands, in which `--resume` and `--plan` conflict with every option that defines a run. A list of names would
/// miss options that are added later.
pub(super) fn command() -> Command {
    Cli::command().mut_subcommand("run", |run| {
        let all_but = |allowed: &[&str]| -> Vec<Id> {
            let ids = run.get_arguments().map(|argument| argument.get_id().clone());
            ids.filter(|id| !allowed.contains(&id.as_str())).collect()
        };
        let beside_resume = all_but(&["resume", "format"]);
        let beside_plan = all_but(&["plan", "out", "dry_run", "yes", "format"]);
        run.mut_arg("resume", |resume| resume.conflicts_with_all(beside_resume))
            .mut_arg("plan", |plan| plan.conflicts_with_all(beside_plan))
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
    fn a_misspelt_value_is_answered_by_the_nearest_or_by_all() {
        let message = |model: &str| {
            let parsed = command().try_get_matches_from(["ftbench", "run", "-m", model]);
            shortened(parsed.unwrap_err()).to_string()
        };
        let near = message("thread");
        assert!(near.contains("'threads'") && !near.contains("asyncio"), "{near}");
        let far = message("zzz");
        assert!(
            far.contains("threads") && far.contains("asyncio-threads"),
            "{far}"
        );
    }

    #[test]
    fn a_misspelt_command_is_answered_by_the_nearest() {
        let message = |name: &str| {
            let parsed = command().try_get_matches_from(["ftbench", name]);
            shortened(parsed.unwrap_err()).to_string()
        };
        assert!(
            message("rnu").contains("similar subcommand exists: 'run'"),
            "{}",
            message("rnu")
        );
        assert!(message("reports").contains("'report'"));
        assert!(!message("zzzzzzzz").contains("similar"));
    }

    #[test]
    fn first_steps_name_commands_that_exist() {
        for line in FIRST_STEPS.lines().filter(|line| line.starts_with("  ftbench")) {
            let words = line.split("  ").find(|part| part.starts_with("ftbench")).unwrap();
            let parsed = command().try_get_matches_from(shlex::split(words).unwrap());
            assert!(parsed.is_ok(), "{words}");
        }
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
