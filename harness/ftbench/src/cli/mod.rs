//! The command line. The only module that knows clap.

mod code;
mod compare;
mod compat;
mod completion;
mod explain;
mod export;
mod fleet;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod guard;
mod history;
mod limits;
mod parse;
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
pub use code::{ForeignArgs, PackageArgs, Variable};
pub use compare::{CompareArgs, CompareFormat, FailOn};
pub use compat::{CompatArgs, FailOnVerdict, Measured};
pub use completion::{CompletionsArgs, ManArgs, Shell, write_manual};
pub use explain::ExplainArgs;
pub use export::{ExportArgs, ExportFormat, ImportArgs, MetricName};
pub use fleet::{
    FleetCollectArgs, FleetCommand, FleetFolderArgs, FleetPlanArgs, FleetSubmitArgs, RequestError, ShardArgs,
};
use ftbench_schema::Kernel;
pub use guard::GuardArgs;
pub use history::HistoryArgs;
pub use limits::LimitOptions;
pub use parse::parse;
pub use plot::PlotArgs;
pub use resume::ResumeArgs;
pub use run::{RunArgs, RunRequest};
pub use selfcheck::{SelfcheckArgs, SelfcheckCommand};
use values::kernel_parser;
pub use values::{
    ListFormat, OrderName, PictureFormat, ProfileName, ScalingName, ShowFormat, ShowName, SummaryFormat,
    ThemeName,
};
pub use versions::{Label, VersionArgs};

const STYLES: Styles = Styles::styled()
    .header(clap::builder::styling::AnsiColor::Green.on_default().bold())
    .usage(clap::builder::styling::AnsiColor::Green.on_default().bold())
    .literal(clap::builder::styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(clap::builder::styling::AnsiColor::Cyan.on_default());

/// Measure how Python code scales over cores, on GIL and free-threaded builds of CPython
#[derive(Debug, Parser)]
#[command(name = "ftbench", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Start with 'ftbench run --profile quick'. 'ftbench help COMMAND' describes a command.\n\n\
Exit status: 0 success; 1 a cell failed, an interpreter is missing or the answer is bad; 2 the command or its input \
is wrong; 3 the machine or the environment failed; 130 interrupted, with what was measured kept."
)]
pub struct Cli {
    /// The command to execute.
    #[command(subcommand)]
    pub command: Command,
    /// Options of all commands.
    #[command(flatten)]
    pub output: OutputOptions,
}

// Each option's help is one paragraph that names its values, so that `-h` and `--help` print the same short page. The
// options that all commands share have their own section at the end; clap would mix them with a command's own.
const OUTPUT_HEADING: &str = "Options of every command";

/// Options for what ftbench prints.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = OUTPUT_HEADING)]
pub struct OutputOptions {
    /// Colour the output: always, never or auto
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
    /// Print only results and errors, no progress and no notes
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 101)]
    pub quiet: bool,
    /// Print more: every trial, every interpreter that was left out
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
    /// List Python interpreters, or install some
    #[command(subcommand)]
    Python(PythonCommand),
    /// List workloads, show one, or write a new one
    #[command(subcommand)]
    Workloads(WorkloadsCommand),
    /// Draw the machine and the order in which workers fill it
    Topology(TopologyArgs),
    /// Check this machine for anything that would skew results, and show how to fix it
    Doctor(DoctorArgs),
    /// Check ftbench's verdicts on this machine, with experiments whose outcome is known
    #[command(subcommand)]
    Selfcheck(SelfcheckCommand),
    /// Show why a workload does not scale: where time goes, and which objects workers contend for
    Explain(ExplainArgs),
    /// Check whether packages work on free-threaded builds: install, import and call them
    Compat(Box<CompatArgs>),
    /// Show the results of an earlier run
    Show(ShowArgs),
    /// Compare two runs, two interpreters of one run, or two sets of runs, and find regressions
    Compare(CompareArgs),
    /// Draw a chart of one run or of several
    Plot(PlotArgs),
    /// Write a run as a single HTML page with charts, to share with others
    Report(ReportArgs),
    /// Write a run in the format of another tool
    Export(ExportArgs),
    /// Convert results of pyperf to a run
    Import(ImportArgs),
    /// Show how figures changed from run to run, and at which run
    History(Box<HistoryArgs>),
    /// Measure on several machines, and merge the results
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Print a script for completing names of workloads, runs and interpreters in a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManArgs),
    /// Serve HTTP and an echo service on the loopback address until standard input is closed
    #[command(hide = true, name = "loopback-server")]
    LoopbackServer,
    /// Run a program, and end every process that it started when ftbench ends
    #[command(hide = true)]
    Guard(GuardArgs),
    /// Read the machine's description, which may crash this process
    #[command(hide = true, name = child::COMMAND)]
    TryTopology,
    /// Run a native kernel for the driver, which sends requests over two descriptors
    #[command(hide = true, name = "native-worker")]
    NativeWorker(NativeWorkerArgs),
}

/// `ftbench native-worker`.
#[derive(Debug, Args)]
pub struct NativeWorkerArgs {
    /// Kernel to run
    #[arg(long, value_parser = kernel_parser())]
    pub kernel: Kernel,
    /// Descriptors to read requests from and to write replies to
    #[arg(long, num_args = 2, value_names = ["READ", "WRITE"], required = true)]
    pub channel: Vec<u32>,
}

/// `ftbench python`.
#[derive(Debug, Subcommand)]
pub enum PythonCommand {
    /// List the interpreters on this machine
    List {
        /// More executables to list
        #[arg(short, long, value_name = "PATH")]
        python: Vec<PathBuf>,
        /// Print a table, or json
        #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
        format: ListFormat,
    },
    /// Install interpreters, with uv where it has them, else built from source
    Install {
        /// Tags such as 3.14, 3.14t or 3.15.0rc1 [default: both builds of the newest release that has both]
        #[arg(value_name = "TAG")]
        tags: Vec<String>,
    },
}

/// `ftbench workloads`.
#[derive(Debug, Subcommand)]
pub enum WorkloadsCommand {
    /// List the standard suite, or what is in files
    List(ListArgs),
    /// Write a template for a workload that runs as it is
    New {
        /// Name or path of the new file; '.py' is added, and an existing file is not overwritten
        #[arg(value_name = "NAME")]
        name: PathBuf,
    },
    /// Show the metadata and the source of a workload
    Show {
        /// Name in the suite, or path
        #[arg(add = completion::workload())]
        workload: String,
        /// Print the file itself (table), or its metadata (json)
        #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
        format: ListFormat,
    },
}

/// `ftbench workloads list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Names or patterns of the suite ('fib', 'n*', 'cpu/*'), or paths [default: the whole suite]
    #[arg(value_name = "WORKLOAD", add = completion::workload())]
    pub workloads: Vec<String>,
    /// Which benchmarks in files for other tools.
    #[command(flatten)]
    pub foreign: ForeignArgs,
    /// Packages that such files import.
    #[command(flatten)]
    pub packages: PackageArgs,
    /// Interpreter that runs files for other tools to list their benchmarks, by tag or path [default: the newest]
    #[arg(short, long, value_name = "TAG|PATH", add = completion::interpreter())]
    pub python: Option<String>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

/// `ftbench topology`.
#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// Policy whose order is shown: cores, scatter, smt, none, or a list of PUs
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Print a drawing (table), or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

/// `ftbench doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Interpreters to check, by tag or path [default: those that 'ftbench run' would use]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',', add = completion::interpreter())]
    pub python: Vec<String>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

/// `ftbench show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The folder of a run, or of a fleet, or RUN#NAME for one interpreter or arm of a run
    #[arg(value_name = "RUN", add = completion::run())]
    pub run: String,
    /// Print a table, json (as in summary.json), markdown, or csv (one row per sample, as in samples.csv)
    #[arg(long, value_enum, default_value_t = ShowFormat::Table, hide_possible_values = true)]
    pub format: ShowFormat,
}

/// `ftbench report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The folder of a run, or of a fleet
    #[arg(value_name = "RUN", add = completion::run())]
    pub run: PathBuf,
    /// File to write, replaced if it exists [default: report.html in that folder]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use clap::CommandFactory;

    use super::*;
    use ftbench_schema::Model;

    #[test]
    fn command_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_pages_are_short_and_the_same_for_both_options() {
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
            &["explain"],
            &["compat"],
            &["plot"],
            &["compare"],
            &["report"],
            &["export"],
            &["import"],
            &["history"],
            &["fleet", "plan"],
            &["fleet", "submit"],
            &["fleet", "collect"],
        ] {
            let help = page(words, "--help");
            assert_eq!(help, page(words, "-h"), "{words:?}");
            assert!(help.lines().count() <= 60, "{help}");
        }
    }

    #[test]
    fn list_options_may_be_repeated_or_joined() {
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
            arguments.request.model,
            [Model::Serial, Model::Threads, Model::ProcessesFork]
        );
        assert!(Cli::try_parse_from(["ftbench", "run", "--timeout", "-1"]).is_err());
        assert!(Cli::try_parse_from(["ftbench", "run", "--rounds", "0"]).is_err());
    }
}
