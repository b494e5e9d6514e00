//! The command line. The only module that knows clap.

mod compare;
mod export;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod guard;
mod history;
mod limits;
mod plot;
mod resume;
mod run;
mod selfcheck;
mod values;
mod versions;

use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::machine::discovery::child;
use crate::plan::placement::Policy;
pub use compare::{CompareArgs, CompareFormat, FailOn};
pub use export::{ExportArgs, ExportFormat, ImportArgs, MetricName};
use ftbench_schema::Kernel;
pub use guard::GuardArgs;
pub use history::HistoryArgs;
pub use limits::LimitOptions;
pub use plot::PlotArgs;
pub use resume::{ResumeArgs, parse};
pub use run::RunArgs;
pub use selfcheck::{SelfcheckArgs, SelfcheckCommand};
use values::kernel_parser;
pub use values::{
    ListFormat, OrderName, PictureFormat, ProfileName, ScalingName, ShowFormat, SummaryFormat, ThemeName,
};
pub use versions::{LabelWord, VersionArgs};

const STYLES: Styles = Styles::styled()
    .header(clap::builder::styling::AnsiColor::Green.on_default().bold())
    .usage(clap::builder::styling::AnsiColor::Green.on_default().bold())
    .literal(clap::builder::styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(clap::builder::styling::AnsiColor::Cyan.on_default());

/// Measures how Python code scales over cores, on GIL and free-threaded builds of CPython
#[derive(Debug, Parser)]
#[command(name = "ftbench", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Start with 'ftbench run --profile quick'; 'ftbench help COMMAND' tells more of a command.\n\n\
Exit status: 0 all is well; 1 a cell failed, an interpreter is missing or the answer is bad; 2 the command or its input \
is wrong; 3 the machine or the environment failed; 130 interrupted, with what was measured kept."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of all commands.
    #[command(flatten)]
    pub output: OutputOptions,
}

// Each option's help is one paragraph that names its values, so that `-h` and `--help` are the same short page; the
// options that all commands have stand last and apart, where clap would strew them among a command's own.
const OUTPUT_HEADING: &str = "Options of every command";

/// How to talk to the user.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = OUTPUT_HEADING)]
pub struct OutputOptions {
    /// Colour the output: always, never, or auto, which is on a terminal unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Colour::Auto,
        value_name = "WHEN",
        hide_possible_values = true,
        display_order = 100
    )]
    pub color: Colour,
    /// No progress and no remarks: results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 101)]
    pub quiet: bool,
    /// Tell more: every trial, every interpreter that was left out
    #[arg(short, long, global = true, display_order = 102)]
    pub verbose: bool,
}

/// When to colour the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure workloads on interpreters and draw their scaling curves
    Run(Box<RunArgs>),
    /// List Python interpreters, or get one
    #[command(subcommand)]
    Python(PythonCommand),
    /// List workloads, or show one
    #[command(subcommand)]
    Workloads(WorkloadsCommand),
    /// Draw the machine and the order in which workers fill it
    Topology(TopologyArgs),
    /// Tell what on this machine will spoil the numbers, and how to mend it
    Doctor(DoctorArgs),
    /// Show what ftbench's verdicts are worth on this machine, by experiments whose truth is known
    #[command(subcommand)]
    Selfcheck(SelfcheckCommand),
    /// Show the results of an earlier run
    Show(ShowArgs),
    /// Compare two runs, two interpreters of one, or two sets of runs, and tell regressions from noise
    Compare(CompareArgs),
    /// Draw a chart of a run, or of several
    Plot(PlotArgs),
    /// Make one page of a run, with charts, that can be sent to people
    Report(ReportArgs),
    /// Write a run in the format of another tool
    Export(ExportArgs),
    /// Make a run of what pyperf measured
    Import(ImportArgs),
    /// Tell how figures went from run to run, and where they changed
    History(Box<HistoryArgs>),
    /// Serve HTTP and an echo on the loopback address until standard input is closed
    #[command(hide = true, name = "loopback-server")]
    LoopbackServer,
    /// Run a program, and end all that it has started when ftbench is gone
    #[command(hide = true)]
    Guard(GuardArgs),
    /// Read the machine's description, which may end this process
    #[command(hide = true, name = child::COMMAND)]
    TryTopology,
    /// Run a native kernel as the driver asks over two descriptors
    #[command(hide = true, name = "native-worker")]
    NativeWorker(NativeWorkerArgs),
}

/// `ftbench native-worker`.
#[derive(Debug, Args)]
pub struct NativeWorkerArgs {
    /// The kernel
    #[arg(long, value_parser = kernel_parser())]
    pub kernel: Kernel,
    /// Descriptors that requests come from and replies go to
    #[arg(long, num_args = 2, value_names = ["READ", "WRITE"], required = true)]
    pub channel: Vec<u32>,
}

/// `ftbench python`.
#[derive(Debug, Subcommand)]
pub enum PythonCommand {
    /// List the interpreters on this machine
    List {
        /// Further executables to look at
        #[arg(short, long, value_name = "PATH")]
        python: Vec<PathBuf>,
        /// Print a table, or json
        #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
        format: ListFormat,
    },
    /// Get interpreters: with uv where it can deliver, else built from source
    Install {
        /// Tags, such as 3.14, 3.14t or 3.15.0rc1; none for the newest release of which both builds can be had
        #[arg(value_name = "TAG")]
        tags: Vec<String>,
    },
}

/// `ftbench workloads`.
#[derive(Debug, Subcommand)]
pub enum WorkloadsCommand {
    /// List the standard suite
    List {
        /// Names or patterns ('fib', 'n*', 'cpu/*') of it, or paths; none for all
        #[arg(value_name = "WORKLOAD")]
        workloads: Vec<String>,
        /// Print a table, or json
        #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
        format: ListFormat,
    },
    /// Write a workload to start from, which runs as it is
    New {
        /// Its name or path; '.py' is added, and nothing is overwritten
        #[arg(value_name = "NAME")]
        name: PathBuf,
    },
    /// Show what a workload says about itself, and its source
    Show {
        /// A name of the suite, or a path
        workload: String,
        /// Print the file itself (table), or json: its metadata
        #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
        format: ListFormat,
    },
}

/// `ftbench topology`.
#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// The policy whose order is shown: cores, scatter, smt, none, or a list of PUs
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Print a drawing (table), or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

/// `ftbench doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Interpreters that would be compared, by tag or path, as 'ftbench run' takes them [default: its choice]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',')]
    pub python: Vec<String>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

/// `ftbench show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print a table, json (what summary.json holds), markdown, or csv (one row per sample, as in samples.csv)
    #[arg(long, value_enum, default_value_t = ShowFormat::Table, hide_possible_values = true)]
    pub format: ShowFormat,
}

/// `ftbench report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The file to write; one that is there is replaced [default: report.html in the run's folder]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use clap::CommandFactory;

    use super::*;
    use ftbench_schema::Model;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_page_is_one_short_page() {
        let page = |words: &[&str], switch: &str| {
            let words = ["ftbench"].iter().chain(words).chain([&switch]);
            Cli::try_parse_from(words).unwrap_err().to_string()
        };
        for words in [
            &[][..],
            &["run"],
            &["python", "list"],
            &["workloads", "show"],
            &["show"],
            &["plot"],
            &["compare"],
            &["report"],
            &["export"],
            &["import"],
            &["history"],
        ] {
            let help = page(words, "--help");
            assert_eq!(help, page(words, "-h"), "{words:?}");
            assert!(help.lines().count() <= 60, "{help}");
        }
    }

    #[test]
    fn a_misspelt_model_gets_the_nearest_and_all() {
        let error = Cli::try_parse_from(["ftbench", "run", "-m", "thread"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("'thread'") && error.contains("'threads'") && error.contains("asyncio-threads"),
            "{error}"
        );
    }

    #[test]
    fn lists_may_be_repeated_or_joined() {
        let cli = Cli::try_parse_from([
            "ftbench",
            "run",
            "fib",
            "-m",
            "serial,threads",
            "-m",
            "processes:fork",
        ])
        .unwrap();
        let Command::Run(arguments) = cli.command else {
            panic!("not run")
        };
        assert_eq!(
            arguments.model,
            [Model::Serial, Model::Threads, Model::ProcessesFork]
        );
        assert!(Cli::try_parse_from(["ftbench", "run", "--timeout", "-1"]).is_err());
        assert!(Cli::try_parse_from(["ftbench", "run", "--rounds", "0"]).is_err());
    }
}
