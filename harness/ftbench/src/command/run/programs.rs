//! Checks that the programs of `--command` exist before anything is measured.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::RunError;
use crate::cli::RunRequest;
use ftbench_schema::suggest;

/// Refuses a command whose program is a plain name that no folder of the trials' `PATH` has. Paths and placeholders are
/// left to the trial, and so is every name if packages are installed, which may bring programs.
pub fn check(arguments: &RunRequest) -> Result<(), RunError> {
    if !arguments.packages.with.is_empty() {
        return Ok(());
    }
    let given = arguments.env.iter().rfind(|variable| variable.name == "PATH");
    let path = match given {
        Some(variable) => Some(OsString::from(&variable.value)),
        None => std::env::var_os("PATH"),
    };
    let Some(path) = path else { return Ok(()) };
    for line in arguments.code.command.iter().chain(&arguments.code.with_server) {
        let program = shlex::split(line).and_then(|words| words.into_iter().next());
        if let Some(program) = program.filter(|program| is_plain_name(program) && !is_on(&path, program)) {
            return Err(RunError::NoProgram {
                line: line.clone(),
                hint: suggest::did_you_mean(&resembling(&path, &program)),
                program,
            });
        }
    }
    Ok(())
}

fn is_plain_name(program: &str) -> bool {
    !program.is_empty() && !program.contains(['/', '{'])
}

fn is_on(path: &OsStr, program: &str) -> bool {
    std::env::split_paths(path).any(|folder| is_executable(&folder.join(program)))
}

fn is_executable(file: &Path) -> bool {
    let is_program = |facts: std::fs::Metadata| facts.is_file() && facts.permissions().mode() & 0o111 != 0;
    file.metadata().is_ok_and(is_program)
}

/// The programs of which a name is likely a typo.
fn resembling(path: &OsStr, program: &str) -> Vec<String> {
    let entries = |folder: PathBuf| folder.read_dir().into_iter().flatten().flatten();
    let names = std::env::split_paths(path).flat_map(entries);
    let mut names: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names.dedup();
    let likely = |name: &&str| suggest::is_likely_typo(program, [*name]);
    let resembling: Vec<&str> = names.iter().map(String::as_str).filter(likely).collect();
    suggest::nearest(program, resembling)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_schema::Model;

    fn checked(command: &str, path: &Path) -> Result<(), RunError> {
        let mut arguments = RunRequest::of_model(Model::Threads, Vec::new());
        arguments.code.command = vec![command.to_owned()];
        arguments.env = vec![format!("PATH={}", path.display()).parse().unwrap()];
        check(&arguments)
    }

    #[test]
    fn missing_program_is_refused_with_the_nearest_name() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sorter");
        std::fs::write(&program, "").unwrap();
        let not_executable = checked("sorter", folder.path());
        assert!(not_executable.is_err());
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(checked("sorter --threads {workers}", folder.path()).is_ok());
        let missing = checked("srter big.txt", folder.path()).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "cannot start 'srter big.txt': no program 'srter' was found (did you mean 'sorter'?); give its path, or install it"
        );
        let unlike = checked("wget", folder.path()).unwrap_err();
        assert!(unlike.to_string().contains("'wget' was found; give"));
    }

    #[test]
    fn paths_and_placeholders_are_left_to_the_trial() {
        let folder = tempfile::tempdir().unwrap();
        for command in ["./program", "{python} app.py", "/nowhere/program"] {
            assert!(checked(command, folder.path()).is_ok(), "{command}");
        }
    }
}
