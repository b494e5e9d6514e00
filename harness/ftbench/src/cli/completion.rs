//! Completion of the command line by a shell, and the manual pages.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Shells};
use itertools::Itertools;

use super::parse::command;
use crate::assets;
use crate::interpreter::{SearchPlaces, candidates};
use crate::record::store::MANIFEST;

/// The variable in which a shell's script names the shell. With it ftbench prints candidates.
const VARIABLE: &str = "_FTBENCH_COMPLETE";

/// The folder below the working directory in which runs are by default.
const RESULTS: &str = "results";

/// `ftbench completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell: bash, zsh, fish or powershell
    #[arg(value_enum, value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
}

/// A shell whose command lines can be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

/// `ftbench man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Prints candidates and ends the process, if a shell's script has started it.
pub(super) fn complete() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

impl Shell {
    /// The script that makes the shell complete command lines of ftbench. `program` is how the shell will start ftbench:
    /// a path, or a name that it looks up.
    ///
    /// # Errors
    /// Never for these shells.
    pub fn script(self, program: &str) -> io::Result<Vec<u8>> {
        let name = self
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned());
        let shells = Shells::builtins();
        let completer = shells.completer(&name).ok_or(io::ErrorKind::Unsupported)?;
        let mut script = Vec::new();
        completer.write_registration(VARIABLE, "ftbench", "ftbench", program, &mut script)?;
        Ok(script)
    }
}

/// Writes a manual page for each command into a folder.
///
/// # Errors
/// If a page cannot be written.
pub fn write_manual(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command(), folder)
}

/// What begins with a text.
type Candidates = fn(&OsStr) -> Vec<CompletionCandidate>;

/// Completes the names of the suite's workloads, and paths of files.
pub(super) fn workload() -> ArgValueCompleter {
    any_of(&[names_of_workloads, source_paths])
}

/// Completes the names of the suite's workloads, and paths of files and runs.
pub(super) fn workload_or_run() -> ArgValueCompleter {
    any_of(&[names_of_workloads, runs, source_paths])
}

/// Completes the folders of runs, the newest first, and other folders.
pub(super) fn run() -> ArgValueCompleter {
    any_of(&[runs, |current| PathCompleter::dir().complete(current)])
}

/// Completes the tags of interpreters, as their files are named, and paths.
pub(super) fn interpreter() -> ArgValueCompleter {
    any_of(&[tags, paths_begun])
}

/// Completes from all of these, each candidate once: as a path, a folder ends with a slash.
fn any_of(sources: &'static [Candidates]) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let all = sources.iter().flat_map(|source| source(current));
        all.unique_by(|one| Path::new(one.get_value()).components().collect::<PathBuf>())
            .collect()
    })
}

/// Python files and folders.
fn source_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let is_source = |path: &Path| path.extension().is_some_and(|suffix| suffix == "py");
    PathCompleter::any().filter(is_source).complete(current)
}

/// All paths, once the user has begun one.
fn paths_begun(current: &OsStr) -> Vec<CompletionCandidate> {
    if current.is_empty() {
        Vec::new()
    } else {
        PathCompleter::any().complete(current)
    }
}

fn names_of_workloads(current: &OsStr) -> Vec<CompletionCandidate> {
    // A wrong workload is reported by the commands.
    let Ok(catalogue) = assets::catalogue(Path::new("")) else {
        return Vec::new();
    };
    let workloads = catalogue.all().iter();
    let candidate =
        |(name, help): (&str, &str)| CompletionCandidate::new(name).help(Some(help.to_owned().into()));
    workloads
        .map(|workload| (workload.name.as_str(), workload.metadata.summary.as_str()))
        .filter(|(name, _)| begins_with(OsStr::new(name), current))
        .map(candidate)
        .collect()
}

fn tags(current: &OsStr) -> Vec<CompletionCandidate> {
    let files = candidates(&SearchPlaces::from_environment(), &[]);
    let tags = files
        .iter()
        .filter_map(|file| file.path.file_name()?.to_str()?.strip_prefix("python"));
    tags.filter(|tag| tag.contains('.') && begins_with(OsStr::new(tag), current))
        .unique()
        .map(CompletionCandidate::new)
        .collect()
}

fn runs(current: &OsStr) -> Vec<CompletionCandidate> {
    let folders = fs::read_dir(RESULTS).into_iter().flatten().flatten();
    let runs = folders
        .map(|folder| folder.path())
        .filter(|folder| folder.join(MANIFEST).is_file());
    let names = runs.map(PathBuf::into_os_string).sorted().rev();
    names
        .filter(|name: &OsString| begins_with(name, current))
        .enumerate()
        .map(|(position, name)| CompletionCandidate::new(name).display_order(Some(position)))
        .collect()
}

fn begins_with(name: &OsStr, current: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(current.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn completed(words: &[&str]) -> Vec<String> {
        let words = std::iter::once("ftbench").chain(words.iter().copied());
        let words: Vec<OsString> = words.map(OsString::from).collect();
        let last = words.len() - 1;
        let mut command = command();
        command.build();
        let found = clap_complete::engine::complete(&mut command, words, last, None).unwrap();
        found
            .iter()
            .map(|one| one.get_value().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn names_of_the_suite_and_values_of_options_are_completed() {
        assert_eq!(completed(&["run", "nbo"]), ["nbody"]);
        assert_eq!(completed(&["explain", "nbo"]), ["nbody"]);
        assert_eq!(completed(&["run", "-m", "serial,thr"]), ["serial,threads"]);
        assert_eq!(completed(&["comp"]), ["compat", "compare", "completions"]);
        assert!(completed(&["run", "--prof"]).contains(&"--profile".to_owned()));
    }

    #[test]
    fn each_shell_has_a_script() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(shell.script("/opt/bin/ftbench").unwrap()).unwrap();
            assert!(
                script.contains(VARIABLE) && script.contains("/opt/bin/ftbench"),
                "{script}"
            );
        }
    }

    #[test]
    fn each_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        write_manual(folder.path()).unwrap();
        let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page("ftbench.1").contains("ftbench\\-run(1)"));
        assert!(
            page("ftbench-workloads-list.1").contains("metadata")
                || page("ftbench-run.1").contains("\\-\\-profile")
        );
    }
}
