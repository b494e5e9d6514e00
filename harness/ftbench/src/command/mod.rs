//! The commands: thin layers over the stages.

pub mod compare;
mod compat;
mod completions;
mod doctor;
mod error;
pub mod explain;
pub mod export;
mod fleet;
mod guard;
pub mod history;
pub mod import;
mod native_worker;
pub mod plot;
mod python;
mod report;
mod run;
mod selector;
mod selfcheck;
mod show;
mod topology;
mod workloads;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use etcetera::BaseStrategy;
use rustix::termios::Winsize;
use serde::Serialize;

use crate::cli::{Cli, Colour, Command, FleetCommand, OutputOptions};
use crate::error::{Error, ExitStatus, SystemError};
use crate::services::loopback;
use error::{NoCacheFolder, OutputError};
use ftbench_present::style::Style;

/// Executes the command line.
///
/// # Errors
/// The error to report to the user.
pub fn execute(cli: Cli) -> Result<ExitStatus, Error> {
    let output = cli.output;
    if analyses(&cli.command) {
        start_threads()?;
    }
    match cli.command {
        Command::Run(arguments) => run::run(&arguments, output),
        Command::Python(command) => python::python(command, output),
        Command::Workloads(command) => workloads::workloads(command, output),
        Command::Topology(arguments) => topology::topology(&arguments, output),
        Command::Doctor(arguments) => doctor::doctor(&arguments, output),
        Command::Selfcheck(command) => selfcheck::selfcheck(&command, output),
        Command::Explain(arguments) => explain::explain(&arguments, output),
        Command::Compat(arguments) => compat::compat(&arguments, output),
        Command::Compare(arguments) => compare::compare(&arguments, output),
        Command::Plot(arguments) => plot::plot(&arguments, output),
        Command::Show(arguments) => show::show(&arguments, output),
        Command::Report(arguments) => report::report(&arguments, output),
        Command::Export(arguments) => export::export(&arguments, output),
        Command::Import(arguments) => import::import(&arguments, output),
        Command::History(arguments) => history::history(&arguments, output),
        Command::Fleet(command) => fleet::fleet(&command, output),
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Man(arguments) => completions::man(&arguments),
        Command::LoopbackServer => {
            loopback::serve(|addresses| write_out(format!("{addresses}\n").as_bytes()))
                .map_err(server_error())?;
            Ok(ExitStatus::Success)
        }
        Command::Guard(arguments) => guard::guard(arguments),
        Command::TryTopology => topology::try_topology(),
        Command::NativeWorker(arguments) => native_worker::native_worker(&arguments),
    }
}

/// Writes to standard output and flushes it.
fn print(text: &str) -> Result<(), OutputError> {
    write_out(text.as_bytes()).map_err(OutputError::Write)
}

fn write_out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Formats a value as indented JSON that ends with a newline.
fn json(value: &impl Serialize) -> Result<String, OutputError> {
    let mut text = serde_json::to_string_pretty(value).map_err(OutputError::Json)?;
    text.push('\n');
    Ok(text)
}

/// Whether the command reads runs without measuring anything.
const fn analyses(command: &Command) -> bool {
    matches!(
        command,
        Command::Compare(_)
            | Command::Plot(_)
            | Command::Show(_)
            | Command::Report(_)
            | Command::Export(_)
            | Command::Import(_)
            | Command::History(_)
            | Command::Fleet(FleetCommand::Collect(_))
    )
}

/// Starts the threads of the analysis, once. Rayon would start them itself, but panics when the system refuses them.
fn start_threads() -> Result<(), SystemError> {
    let remedy = "raise the limit ('ulimit -a'), or set RAYON_NUM_THREADS=1";
    let built = rayon::ThreadPoolBuilder::new().build_global();
    built
        .map_err(io::Error::other)
        .map_err(SystemError::of("start threads", remedy))
}

/// Returns a function that turns the system's error into the error that a service for workloads cannot be started.
fn server_error() -> impl FnOnce(io::Error) -> SystemError {
    SystemError::of(
        "start the loopback server",
        "leave out workloads that need it, such as http_fetch",
    )
}

fn working_directory() -> Result<PathBuf, SystemError> {
    std::env::current_dir().map_err(SystemError::of(
        "find the working directory",
        "start ftbench in a folder that exists",
    ))
}

/// The words of the command line. What is not UTF-8 is replaced.
fn command_line() -> Vec<String> {
    std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// Writes a remark to standard error, unless quiet.
fn remark(output: OutputOptions, text: &str) {
    if !output.quiet {
        // Nothing can be reported when standard error is closed.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// The style of results on standard output.
fn style(output: OutputOptions) -> Style {
    let stdout = io::stdout();
    Style {
        colour: has_colour(output, &stdout),
        width: stdout.is_terminal().then(terminal_width).flatten(),
    }
}

/// Whether to colour what goes to a stream. Respects `NO_COLOR` (<https://no-color.org>).
fn has_colour(output: OutputOptions, stream: &impl IsTerminal) -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    match output.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => stream.is_terminal() && !no_colour && !dumb,
    }
}

fn terminal_width() -> Option<u16> {
    let columns = window_size()?.ws_col;
    (columns > 0).then_some(columns)
}

/// The size of the terminal behind standard output; `None` if it is not one.
fn window_size() -> Option<Winsize> {
    rustix::termios::tcgetwinsize(io::stdout()).ok()
}

/// ftbench's folder in the user's cache: `$XDG_CACHE_HOME/ftbench` or `~/.cache/ftbench`.
fn cache_folder() -> Result<PathBuf, NoCacheFolder> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| NoCacheFolder)?;
    Ok(strategy.cache_dir().join("ftbench"))
}
