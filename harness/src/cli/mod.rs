//! The command line. The only module that knows clap.

mod compare;
mod export;
pub(crate) mod fuzz;
mod guard;
mod history;
mod limits;
mod resume;
mod values;
mod versions;

use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use crate::present::chart::{Kind, Size};
use crate::record::schema::{Host, Kernel, Model};
use crate::workload::{CallableName, Requirement};
pub use compare::{CompareArgs, CompareFormat, FailOn};
pub use export::{ExportArgs, ExportFormat, ImportArgs, MetricName};
pub use guard::GuardArgs;
pub use history::HistoryArgs;
pub use limits::LimitOptions;
pub use resume::{ResumeArgs, parse};
use values::{
    DEFAULT_TIMEOUT_S, duration_s, host_parser, kernel_parser, kind_parser, model_parser, percent, seconds,
    seed, size,
};
pub use values::{ListFormat, PictureFormat, ProfileName, ScalingName, ShowFormat, SummaryFormat, ThemeName};
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
Exit status: 0 all is well; 1 a cell failed or the answer is bad; 2 the command or its input is wrong; \
130 interrupted, with what was measured kept."
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

const RUN_EXAMPLES: &str = "\
Examples:
  ftbench run --profile quick
  ftbench run my_work.py -p 3.13,3.13t
  ftbench run --callable my_package.module:function --with 'numpy>=2'
  ftbench run my_work.py --arm base=../old/src --arm new=src
  ftbench run 'n*' --pin scatter --dry-run
  ftbench run --resume results/RUN";

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

/// `ftbench run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// Names or patterns of the suite ('fib', 'n*', 'cpu/*'), or files; none for the whole suite
    #[arg(value_name = "WORKLOAD")]
    pub workloads: Vec<String>,
    /// A function to call once per unit: 'package.module:function'
    #[arg(long, value_name = "FUNCTION")]
    pub callable: Vec<CallableName>,
    /// A package to install for every workload, such as 'numpy>=2'
    #[arg(long, value_name = "REQUIREMENT")]
    pub with: Vec<Requirement>,
    /// Build packages that have no wheel from source
    #[arg(long)]
    pub allow_source_builds: bool,
    /// Interpreters by tag ('3.13', '3.13t+gil') or path, perhaps named ('new=PATH') [default: the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',')]
    pub python: Vec<String>,
    /// How workers run [default: each workload's own choice]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser())]
    pub model: Vec<Model>,
    /// Numbers of workers: '1,2,4', '1-4', 'max'; 1 is always measured, for speedup is relative to it [default: powers
    /// of two up to max]
    #[arg(short = 'n', long, value_name = "COUNTS")]
    pub workers: Option<Counts>,
    /// Where workers are bound: cores, scatter, smt, none, or a list of PUs such as '0,2,4-7'
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// What interpreters run in: spawn (their own executables), embed (a Rust program, built with cargo)
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = host_parser(),
        default_value = "spawn",
        hide_possible_values = true
    )]
    pub host: Vec<Host>,
    /// What is compared, and what the run is known by.
    #[command(flatten)]
    pub versions: VersionArgs,
    /// Leave out the ceiling: native kernels that tell what the machine gives
    #[arg(long)]
    pub no_ceiling: bool,
    /// How precisely to measure: quick (5 rounds of short samples), standard (10 to 50 rounds, until intervals are within
    /// 2 %, for up to 10 minutes) or thorough (20 to 200 rounds, 0.5 %, an hour)
    #[arg(long, value_enum, default_value_t = ProfileName::Standard, hide_possible_values = true)]
    pub profile: ProfileName,
    /// How many rounds, instead of the profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: Option<u32>,
    /// Counted samples of a trial, instead of the profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Go on until every interval shown is within so much, such as 1%
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "rounds")]
    pub precision: Option<f64>,
    /// Time for the whole run, such as 90s or 1h30m, after the fewest rounds
    #[arg(long, value_name = "TIME", value_parser = duration_s, conflicts_with = "rounds")]
    pub budget: Option<f64>,
    /// Whether workers share the work (strong), or each does all of it (weak)
    #[arg(long, value_enum, default_value_t = ScalingName::Strong, hide_possible_values = true)]
    pub scaling: ScalingName,
    /// Seconds that any step of a trial may take
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S, value_parser = seconds)]
    pub timeout: f64,
    /// What a trial may use.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Seed of every random choice, to repeat an order [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// The run's folder, new or empty [default: results/<UTC time>-<host>]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show what would be measured, and measure nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Going on with a run, and how results are shown.
    #[command(flatten)]
    pub resumption: ResumeArgs,
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
        /// Tags, such as 3.13 or 3.13t
        #[arg(value_name = "TAG", required = true)]
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

/// `ftbench selfcheck`.
#[derive(Debug, Subcommand)]
pub enum SelfcheckCommand {
    /// Compare two identical arms: how many are called different?
    Aa(SelfcheckArgs),
    /// Make one arm slower: how often is it found?
    Power {
        /// What is compared, and how long.
        #[command(flatten)]
        arguments: SelfcheckArgs,
        /// How much more work the slower arm does, such as 5%
        #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
        effect: f64,
    },
}

/// What experiments compare, and how long.
#[derive(Debug, Args)]
pub struct SelfcheckArgs {
    /// How many experiments
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub experiments: u32,
    /// Seconds of wall time of each; ten rounds are made whatever they take
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    pub seconds: f64,
    /// The interpreter: a tag or a path [default: the GIL build that 'ftbench run' would take]
    #[arg(short, long, value_name = "TAG|PATH")]
    pub python: Option<String>,
    /// The workload
    #[arg(long, value_name = "WORKLOAD", default_value = "fib")]
    pub workload: String,
    /// Counted samples of a trial, instead of the standard profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Where the worker is bound
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Seed of the orders [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

impl SelfcheckArgs {
    /// The run whose serial cell is measured.
    #[must_use]
    pub fn as_run(&self) -> RunArgs {
        RunArgs {
            workloads: vec![self.workload.clone()],
            callable: Vec::new(),
            with: Vec::new(),
            allow_source_builds: false,
            python: self.python.iter().cloned().collect(),
            model: vec![Model::Serial],
            workers: None,
            pin: self.pin.clone(),
            host: vec![Host::Spawn],
            versions: VersionArgs::default(),
            profile: ProfileName::Standard,
            no_ceiling: true,
            rounds: None,
            samples: self.samples,
            precision: None,
            budget: None,
            scaling: ScalingName::Strong,
            timeout: DEFAULT_TIMEOUT_S,
            limits: LimitOptions::default(),
            seed: self.seed,
            out: None,
            dry_run: false,
            resumption: ResumeArgs {
                resume: None,
                format: SummaryFormat::Table,
            },
        }
    }
}

const PLOT_EXAMPLES: &str = "\
Examples:
  ftbench plot RUN --workload nbody --theme dark --size 1920x1080 --format png
  ftbench plot RUN --chart heat-map
  ftbench plot RUN1#3.13t RUN2#3.14t --workload nbody --chart interpreters";

/// `ftbench plot`.
#[derive(Debug, Args)]
#[command(after_help = PLOT_EXAMPLES)]
pub struct PlotArgs {
    /// Folders of runs; several are drawn into one chart, their interpreters named by what differs. RUN#NAME is one
    /// interpreter or arm of a run
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// What to draw. Of one workload: scaling, throughput, efficiency, interpreters, memory, spread. Of the run: gil,
    /// overhead, heat-map, efficiency-map, time-line
    #[arg(long, value_name = "KIND", default_value = "scaling", value_parser = kind_parser())]
    pub chart: Kind,
    /// A workload, or a pattern such as 'n*'; a chart of one workload is drawn for each that matches [default: all]
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// Only these models [default: all]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser())]
    pub model: Vec<Model>,
    /// Dark on white (light), or light on black (dark)
    #[arg(long, value_enum, default_value_t = ThemeName::Light, hide_possible_values = true)]
    pub theme: ThemeName,
    /// Pixels, such as 1920x1080 [default: 960x600, or higher where there are many rows; a PNG has twice as many]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<Size>,
    /// The title, instead of the finding
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The title of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// The title of the vertical axis
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// Write svg, or png [default: by the name of --out, else svg]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<PictureFormat>,
    /// The file to write, - for standard output; one that is there is replaced [default: a name that says what it is,
    /// in the run's folder charts]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
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
