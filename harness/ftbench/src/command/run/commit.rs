//! The commit of the measured code, as reported by `git`. There is none without git or outside a repository.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::bounded;
use ftbench_schema::CommitFacts;

/// The time limit of a git command. Git may be slow to find changes on a slow disk, and no figure depends on them.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Environment variables that redirect git to another repository. Git sets them for its hooks.
const REDIRECTING_VARIABLES: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// The checked-out commit of the working tree that contains a file or folder, and whether the file or anything in the
/// folder differs from that commit.
pub fn of_path(path: &Path) -> Option<CommitFacts> {
    let is_folder = path.is_dir();
    let folder = if is_folder { path } else { path.parent()? };
    let output = git(folder, &["log", "-1", "--format=%H %cI"])?;
    let mut facts = parse(&output)?;
    let file = path
        .file_name()
        .map(|name| format!(":(literal){}", name.display()));
    let pathspec = if is_folder { ".".to_owned() } else { file? };
    let changes = git(
        folder,
        &[
            "status",
            "--porcelain",
            "--untracked-files=normal",
            "--",
            &pathspec,
            ":(exclude,glob)**/__pycache__/**",
        ],
    );
    facts.dirty = changes.map(|changes| !changes.trim().is_empty());
    Some(facts)
}

/// The commit that the user named. It has a full hash and a time if the repository of the working directory has it.
pub fn named(id: &str) -> CommitFacts {
    let words = ["log", "-1", "--format=%H %cI", "--end-of-options", id, "--"];
    git(Path::new("."), &words)
        .and_then(|output| parse(&output))
        .unwrap_or_else(|| CommitFacts {
            id: id.to_owned(),
            committed_at: None,
            dirty: None,
        })
}

/// Parses a line with the full hash and the time.
fn parse(output: &str) -> Option<CommitFacts> {
    let (id, time) = output.trim().split_once(' ')?;
    let is_hash = !id.is_empty() && id.chars().all(|char| char.is_ascii_hexdigit());
    is_hash.then(|| CommitFacts {
        id: id.to_owned(),
        committed_at: time.parse::<jiff::Timestamp>().ok().map(|time| time.to_string()),
        dirty: None,
    })
}

/// Returns what git prints; `None` if it is missing or fails. Takes no locks and starts no file system monitor.
fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false"])
        .args(words)
        .env("GIT_OPTIONAL_LOCKS", "0");
    for name in REDIRECTING_VARIABLES {
        command.env_remove(name);
    }
    let ended = bounded::run(&mut command, TIME_LIMIT).ok()?;
    let succeeded = ended.status.is_some_and(|status| status.success());
    succeeded.then(|| String::from_utf8_lossy(&ended.output).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn in_repository(folder: &Path, words: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@b.c"])
            .args(words)
            .current_dir(folder)
            .env("GIT_COMMITTER_DATE", "2026-11-21T09:00:00+01:00");
        for name in REDIRECTING_VARIABLES {
            command.env_remove(name);
        }
        assert!(command.output().unwrap().status.success(), "{words:?}");
    }

    #[test]
    fn commit_has_an_id_a_time_and_a_dirty_flag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let file = path.join("[a] *.py");
        std::fs::write(&file, "1").unwrap();
        assert_eq!(of_path(&file), None, "no repository");
        in_repository(path, &["init", "--quiet"]);
        assert_eq!(of_path(&file), None, "no commit");
        in_repository(path, &["add", "."]);
        in_repository(path, &["commit", "--quiet", "-m", "first"]);
        let clean = of_path(&file).unwrap();
        assert_eq!(clean.committed_at.as_deref(), Some("2026-11-21T08:00:00Z"));
        assert_eq!((clean.id.len(), clean.dirty), (40, Some(false)));
        assert_eq!(of_path(path), Some(clean.clone()));
        std::fs::create_dir(path.join("__pycache__")).unwrap();
        std::fs::write(path.join("__pycache__/a.pyc"), "").unwrap();
        std::fs::write(path.join("other.py"), "").unwrap();
        assert_eq!(of_path(&file), Some(clean.clone()), "another file changed");
        assert_eq!(of_path(path).unwrap().dirty, Some(true), "one is not tracked");
        std::fs::remove_file(path.join("other.py")).unwrap();
        assert_eq!(of_path(path).unwrap().dirty, Some(false), "caches do not count");
        std::fs::write(&file, "2").unwrap();
        assert_eq!(of_path(&file).unwrap().dirty, Some(true));
    }

    #[test]
    fn commit_that_git_does_not_know_is_kept_as_given() {
        for id in ["no-such-commit", "--all", "r1234"] {
            let facts = named(id);
            assert_eq!((facts.id.as_str(), facts.committed_at), (id, None));
        }
        assert_eq!(parse("not a hash"), None);
        assert_eq!(parse(""), None);
    }
}
