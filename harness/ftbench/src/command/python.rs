//! `ftbench python`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::{json, print, remark, style};
use crate::cli::{ListFormat, OutputOptions, PythonCommand};
use crate::error::{Error, ExitStatus, Failure, SystemError};
use crate::interpreter::{
    Found, FoundInterpreter, PROBE_TIME_LIMIT, SearchPlaces, available_switches, discover,
};
use ftbench_present::table::Table;
use ftbench_schema::{InterpreterFacts, Switch, Tag, TagError, units};

/// The script that installs interpreters. It is embedded in the binary, so that an installed ftbench has it too.
const INSTALL_SCRIPT: &str = include_str!("../../embedded/install-python.sh");

/// An interpreter as `--format json` shows it.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    facts: &'a InterpreterFacts,
    source: &'static str,
    /// The switches that may follow its tag or path, after a '+'.
    available_switches: Vec<Switch>,
}

/// Lists interpreters, or installs some.
pub fn python(command: PythonCommand, output: OutputOptions) -> Result<ExitStatus, Error> {
    match command {
        PythonCommand::List { python, format } => list(&python, format, output),
        PythonCommand::Install { tags } => install(&tags, Stdio::inherit()),
    }
}

fn list(given: &[PathBuf], format: ListFormat, output: OutputOptions) -> Result<ExitStatus, Error> {
    let found = discover(&SearchPlaces::from_environment(), given, PROBE_TIME_LIMIT);
    match format {
        ListFormat::Json => {
            let entries: Vec<Entry<'_>> = found.interpreters.iter().map(entry).collect();
            print(&json(&entries)?)?;
        }
        ListFormat::Table if found.interpreters.is_empty() => {
            remark(
                output,
                "no interpreter found; install a pair with 'ftbench python install'",
            );
        }
        ListFormat::Table => {
            let rows = found.interpreters.iter().map(row);
            let heading = ["tag", "version", "GIL", "build", "switches", "from", "path"];
            print(&format!(
                "{}\n",
                Table::of_rows(heading, rows).list(style(output))
            ))?;
        }
    }
    Ok(report_rejected(&found, output))
}

fn entry(found: &FoundInterpreter) -> Entry<'_> {
    Entry {
        facts: &found.facts,
        source: found.source.name(),
        available_switches: available_switches(&found.facts),
    }
}

fn row(found: &FoundInterpreter) -> [String; 7] {
    let facts = &found.facts;
    [
        facts.tag.clone(),
        format!("{} {}", facts.implementation, facts.version),
        facts.gil.to_string(),
        words_or_none(&facts.build_words()),
        switch_words(facts),
        found.source.name().to_owned(),
        facts.path.clone(),
    ]
}

/// The run-time switches that a build has, such as `gil, nogil`.
fn switch_words(facts: &InterpreterFacts) -> String {
    let names: Vec<&str> = available_switches(facts).into_iter().map(Switch::name).collect();
    words_or_none(&names)
}

fn words_or_none(words: &[&str]) -> String {
    if words.is_empty() {
        units::UNKNOWN.to_owned()
    } else {
        words.join(", ")
    }
}

/// Reports the executables that were given and cannot be used, and interpreters that do not answer; with `--verbose`,
/// also the other rejected ones. Returns the exit status.
fn report_rejected(found: &Found, output: OutputOptions) -> ExitStatus {
    let mut status = ExitStatus::Success;
    for rejected in &found.rejected {
        match rejected.reason.exit_status() {
            ExitStatus::MachineFailed => status = ExitStatus::MachineFailed,
            own if !rejected.given_as.is_empty() && status == ExitStatus::Success => status = own,
            _ => {}
        }
        let expected = !rejected.given_as.is_empty() || rejected.is_failed_interpreter();
        if output.verbose || expected {
            remark(output, &format!("left out: {}", rejected.reason));
        }
    }
    status
}

/// Runs the script with the tags, or for the newest pair if there are none. Its messages go to the user unchanged, and
/// the paths of what is installed to `paths`.
pub(super) fn install(tags: &[String], paths: Stdio) -> Result<ExitStatus, Error> {
    for text in tags {
        let tag: Tag = text.parse()?;
        if tag != tag.build() {
            return Err(TagError::Variant(text.clone()).into());
        }
    }
    let failed = || SystemError::of("run bash", "install bash");
    let script = tempfile::Builder::new()
        .prefix("ftbench-install-python-")
        .suffix(".sh")
        .tempfile()
        .map_err(failed())?;
    std::fs::write(script.path(), INSTALL_SCRIPT).map_err(failed())?;
    let status = Command::new("bash")
        .arg(script.path())
        .args(tags)
        .args(tags.is_empty().then_some("--newest-pair"))
        .stdin(Stdio::null())
        .stdout(paths)
        .status()
        .map_err(failed())?;
    Ok(match status.code() {
        Some(0) => ExitStatus::Success,
        Some(2) => ExitStatus::WrongInput,
        Some(130) | None => ExitStatus::Interrupted,
        Some(_) => ExitStatus::BadAnswer,
    })
}
