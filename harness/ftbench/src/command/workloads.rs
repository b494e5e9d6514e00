//! `ftbench workloads`.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::run::interpreters::Install;
use super::run::listing::PythonLister;
use super::run::packages::Packages;
use super::run::{code, contract};
use super::{cache_folder, json, print, remark, style};
use crate::assets::{Assets, catalogue};
use crate::cli::{ForeignArgs, ListFormat, OutputOptions, WorkloadsCommand};
use crate::error::{Error, ExitStatus, Failure, SystemError};
use crate::outside;
use crate::workload::code::LARGEST_FILE_BYTES;
use crate::workload::{Arms, Workload, WorkloadError};
use ftbench_present::table::{Column, Table};
use ftbench_schema::{Format, Model, WorkloadKind};

/// A workload as `--format json` shows it.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    case: Option<&'a str>,
    kind: WorkloadKind,
    summary: &'a str,
    source: &'a str,
    shows: &'a str,
    models: &'a [Model],
    dependencies: &'a [String],
    requires_python: String,
    path: String,
    /// The tool that the file was written for, if that is another one.
    format: Option<Format>,
    /// Why it cannot be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
}

impl<'a> From<&'a Workload> for Entry<'a> {
    fn from(workload: &'a Workload) -> Self {
        Self {
            name: &workload.name,
            case: workload.case.as_deref(),
            kind: workload.metadata.kind,
            summary: &workload.metadata.summary,
            source: &workload.metadata.source,
            shows: &workload.metadata.shows,
            models: &workload.metadata.models,
            dependencies: &workload.metadata.dependencies,
            requires_python: workload.metadata.requires_python.to_string(),
            path: workload.path.display().to_string(),
            format: workload.format(),
            fault: None,
        }
    }
}

/// The template for a new workload.
const TEMPLATE: &str = include_str!("../workload/template.py");

/// Lists the suite, shows one workload, or writes a new one.
pub fn workloads(command: WorkloadsCommand, output: OutputOptions) -> Result<ExitStatus, Error> {
    if let WorkloadsCommand::New { name } = &command {
        return new(name, output);
    }
    let assets = Assets::unpack(&cache_folder()?)?;
    let catalogue = catalogue(&assets.workloads)?;
    let lister = PythonLister {
        assets: &assets,
        arms: &Arms::default(),
        packages: &Packages::default(),
        interpreters: &[],
        install: Install::Never,
        options: &ForeignArgs::default(),
        output,
        selected: OnceCell::new(),
    };
    match command {
        WorkloadsCommand::List(arguments) => {
            let lister = PythonLister {
                packages: &Packages::requested(&arguments.packages)?,
                interpreters: arguments.python.as_slice(),
                install: Install::Never,
                options: &arguments.foreign,
                ..lister
            };
            let found = catalogue.resolve(&arguments.workloads, &lister)?;
            let chosen = code::chosen(found, &arguments.foreign)?;
            let mut faults = vec![None; chosen.len()];
            let is_own = |workload: &Workload| !workload.path.starts_with(&assets.workloads);
            let has_own = chosen
                .iter()
                .any(|workload| workload.is_file() && is_own(workload));
            if has_own && let Ok(first) = lister.interpreter() {
                let python = Path::new(&first.path);
                faults = contract::faults(python, &chosen, &assets.workloads);
            }
            print(&match arguments.format {
                ListFormat::Json => {
                    let entries = chosen.iter().zip(&faults).map(|(workload, fault)| Entry {
                        fault: fault.as_deref(),
                        ..Entry::from(workload)
                    });
                    json(&entries.collect::<Vec<_>>())?
                }
                ListFormat::Table => table(&chosen, &faults, output),
            })?;
        }
        WorkloadsCommand::Show { workload, format } => {
            let chosen = catalogue.resolve(&[workload], &lister)?;
            match format {
                ListFormat::Json => {
                    for workload in &chosen {
                        print(&json(&Entry::from(workload))?)?;
                    }
                }
                ListFormat::Table => print(&sources(&chosen)?)?,
            }
        }
        WorkloadsCommand::New { .. } => {}
    }
    Ok(ExitStatus::Success)
}

/// One line per workload. The long columns, its source and what it shows, are included only with `--verbose`.
fn table(workloads: &[Workload], faults: &[Option<String>], output: OutputOptions) -> String {
    let summaries = workloads.iter().zip(faults).map(|(workload, fault)| {
        let parts = [Some(&workload.metadata.summary), fault.as_ref()]
            .into_iter()
            .flatten();
        let parts: Vec<&str> = parts
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("; ")
    });
    let column =
        |heading: &str, text: fn(&Workload) -> String| Column::words(heading, workloads.iter().map(text));
    let mut columns = vec![
        column("workload", |workload| workload.name.clone()),
        column("kind", |workload| workload.metadata.kind.to_string()),
        column("needs", |workload| workload.metadata.dependencies.join(", ")),
        Column::words("what it does", summaries),
    ];
    if workloads.iter().any(|workload| workload.format().is_some()) {
        let tool = |workload: &Workload| workload.format().map_or("", Format::name).to_owned();
        columns.insert(1, column("for", tool));
    }
    if output.verbose {
        columns.push(column("what it shows", |workload| {
            workload.metadata.shows.clone()
        }));
        columns.push(column("source", |workload| workload.metadata.source.clone()));
    }
    format!("{}\n", Table::new(columns).list(style(output)))
}

/// The contents of the workloads' files. A file has its metadata at the top and contains all of its cases.
fn sources(workloads: &[Workload]) -> Result<String, WorkloadError> {
    let mut shown = String::new();
    let mut paths: Vec<&Path> = workloads.iter().map(|workload| workload.path.as_path()).collect();
    paths.dedup();
    for path in paths {
        let source = outside::read(path, LARGEST_FILE_BYTES).map_err(|source| WorkloadError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        shown.push_str(&format!(
            "# {}\n{}",
            path.display(),
            String::from_utf8_lossy(&source)
        ));
    }
    Ok(shown)
}

/// Why a new workload cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {reason}", path.display())]
struct NewWorkloadError {
    path: PathBuf,
    reason: &'static str,
}

impl Failure for NewWorkloadError {}

/// Writes the template to a new file, and suggests the next command.
fn new(name: &Path, output: OutputOptions) -> Result<ExitStatus, Error> {
    let mut path = name.as_os_str().to_owned();
    if name.extension().is_none_or(|suffix| suffix != "py") {
        path.push(".py");
    }
    let path = PathBuf::from(path);
    let refused = |path: &Path, reason| {
        let path = path.to_owned();
        Error::from(NewWorkloadError { path, reason })
    };
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => refused(&path, "it already exists; give another name"),
        io::ErrorKind::NotFound => refused(&path, "its folder does not exist; create it first"),
        _ => {
            let action = format!("write {}", path.display());
            SystemError::of(action, "free some space, or give another name")(error).into()
        }
    };
    if name.file_name().is_none() {
        return Err(refused(name, "it is a folder; give a file name too"));
    }
    let mut file = File::create_new(&path).map_err(cannot)?;
    file.write_all(TEMPLATE.as_bytes()).map_err(cannot)?;
    let written = path.display();
    print(&format!("{written}\n"))?;
    let word = quoted(&path);
    remark(
        output,
        &format!("edit it, then run 'ftbench run {word} --profile quick'"),
    );
    Ok(ExitStatus::Success)
}

/// Quotes a path as one word for a shell.
fn quoted(path: &Path) -> String {
    let word = path.display().to_string();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_-./+,:@%".contains(char);
    let word = if word.starts_with('-') {
        format!("./{word}")
    } else {
        word
    };
    if word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_quoted_as_one_shell_word() {
        assert_eq!(quoted(Path::new("a/b_1.py")), "a/b_1.py");
        assert_eq!(quoted(Path::new("it's.py")), "'it'\\''s.py'");
        assert_eq!(quoted(Path::new("-x.py")), "./-x.py");
    }
}
