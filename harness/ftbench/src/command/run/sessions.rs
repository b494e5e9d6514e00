//! The sessions of a run: their records, their differences, and the time that they took.

use jiff::Timestamp;

use crate::record::folder::RunFolder;
use crate::record::store::StoreError;
use ftbench_schema::{
    CommitFacts, Manifest, RunStatus, Session, StoppedBy, Trial, Warning, WarningKind, units,
};

/// The file with the kernel's identifier of this boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The length of a commit in messages, characters.
const SHORT_COMMIT: usize = 12;

/// The folder of a run and the manifest in it.
#[derive(Debug)]
pub struct RunRecord {
    /// The folder.
    pub folder: RunFolder,
    /// The manifest in the folder, or the one that will be written next.
    pub manifest: Manifest,
}

impl RunRecord {
    /// Records that this process starts a session, with the code at this commit.
    pub fn begin_session(&mut self, commit: Option<CommitFacts>) -> Result<(), StoreError> {
        let manifest = &mut self.manifest;
        let session = new_session(commit);
        let is_new = |warning: &Warning| !manifest.warnings.contains(warning);
        let difference = difference(&manifest.sessions, &session).filter(is_new);
        manifest.warnings.extend(difference);
        manifest.sessions.push(session);
        manifest.status = RunStatus::Running;
        (manifest.stopped_by, manifest.ended_at) = (None, None);
        self.write()
    }

    /// Restarts the clock of the session, because the time limit of a run does not include installing packages.
    pub fn restart_session_clock(&mut self) {
        if let Some(session) = self.manifest.sessions.last_mut() {
            session.started_at = Timestamp::now().to_string();
        }
    }

    /// Records the end of the session, and what ended it.
    pub fn end_session(&mut self, stopped_by: StoppedBy) -> Result<(), StoreError> {
        let manifest = &mut self.manifest;
        manifest.status = match stopped_by {
            StoppedBy::Interrupt => RunStatus::Interrupted,
            StoppedBy::Rounds | StoppedBy::Precision | StoppedBy::Budget => RunStatus::Complete,
        };
        manifest.stopped_by = Some(stopped_by);
        manifest.ended_at = Some(Timestamp::now().to_string());
        if let Some(session) = manifest.sessions.last_mut() {
            session.ended_at.clone_from(&manifest.ended_at);
        }
        self.write()
    }

    /// Writes the manifest to the folder.
    pub fn write(&mut self) -> Result<(), StoreError> {
        self.folder.write_manifest(&self.manifest)
    }
}

/// The trials and the time of a run's earlier sessions; empty for a new run.
#[derive(Debug, Default)]
pub struct EarlierSessions {
    /// Their trials.
    pub trials: Vec<Trial>,
    /// The time that they took, seconds.
    pub spent_s: f64,
}

impl EarlierSessions {
    /// The sessions of a manifest, which made these trials.
    pub fn of_run(manifest: &Manifest, trials: Vec<Trial>) -> Self {
        Self {
            spent_s: spent_s(&manifest.sessions, &trials),
            trials,
        }
    }
}

/// The session of this process, which starts now, with the code at this commit.
fn new_session(commit: Option<CommitFacts>) -> Session {
    Session {
        started_at: Timestamp::now().to_string(),
        ended_at: None,
        ftbench_version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        process_id: Some(std::process::id()),
        boot_id: std::fs::read_to_string(BOOT_ID)
            .ok()
            .map(|id| id.trim().to_owned()),
        checksums: true,
        commit,
    }
}

/// The session of an old version of ftbench, which recorded no sessions and wrote no checksums.
pub fn unrecorded(manifest: &Manifest) -> Session {
    Session {
        started_at: manifest.started_at.clone(),
        ended_at: manifest.ended_at.clone(),
        ftbench_version: manifest.ftbench_version.clone(),
        kernel: manifest.machine.kernel.clone(),
        ..Session::default()
    }
}

/// Warns if a session differs from the first one in the versions of ftbench or the kernel, or in the commit (which may
/// change while the measured files stay the same).
fn difference(earlier: &[Session], session: &Session) -> Option<Warning> {
    let first = earlier.first()?;
    let commit = |session: &Session| -> String {
        let id = session.commit.as_ref().map(|commit| commit.id.as_str());
        id.unwrap_or_default().chars().take(SHORT_COMMIT).collect()
    };
    let differs = |what: &str, was: &str, is: &str| {
        (was != is && !was.is_empty() && !is.is_empty()).then(|| format!("{what} {was}, then {is}"))
    };
    let differences: Vec<String> = [
        differs("ftbench", &first.ftbench_version, &session.ftbench_version),
        differs("kernel", &first.kernel, &session.kernel),
        differs("commit", &commit(first), &commit(session)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!differences.is_empty()).then(|| {
        Warning::of_run(
            WarningKind::SessionsDiffer,
            format!(
                "the run was resumed, and its sessions differ: {}",
                differences.join("; ")
            ),
        )
    })
}

/// The time that sessions took, seconds. A killed session counts until the end of its last trial. Uses times of day,
/// because the monotonic clock restarts with the computer.
fn spent_s(sessions: &[Session], trials: &[Trial]) -> f64 {
    let instant = |text: &str| text.parse::<Timestamp>().ok();
    let starts: Vec<Option<Timestamp>> = sessions
        .iter()
        .map(|session| instant(&session.started_at))
        .collect();
    let mut spent_s = 0.0;
    for (index, session) in sessions.iter().enumerate() {
        let Some(start) = starts.get(index).copied().flatten() else {
            continue;
        };
        let next = starts.get(index + 1).copied().flatten();
        let last_trial = || {
            trials
                .iter()
                .filter_map(|trial| Some((instant(&trial.started_at)?, trial.duration_ns)))
                .filter(|(at, _)| *at >= start && next.is_none_or(|next| *at < next))
                .map(|(at, duration_ns)| at.duration_since(start).as_secs_f64() + units::seconds(duration_ns))
                .fold(0.0, f64::max)
        };
        spent_s += session
            .ended_at
            .as_deref()
            .and_then(instant)
            .map_or_else(last_trial, |end| end.duration_since(start).as_secs_f64())
            .max(0.0);
    }
    spent_s
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, trial};
    use ftbench_schema::Model;

    fn session(started_at: &str, ended_at: Option<&str>) -> Session {
        Session {
            started_at: started_at.to_owned(),
            ended_at: ended_at.map(str::to_owned),
            ..new_session(None)
        }
    }

    #[test]
    fn killed_session_counts_until_its_last_trial() {
        let trial_at = |started_at: &str, seconds: u64| Trial {
            started_at: started_at.to_owned(),
            duration_ns: seconds * 1_000_000_000,
            ..trial(&cell("3.13", Model::Serial, 1), 0, 1)
        };
        let trials = [
            trial_at("2026-01-01T00:00:10Z", 5),
            trial_at("2026-01-01T00:00:20Z", 5),
            trial_at("2026-01-02T00:00:01Z", 2),
        ];
        let killed = session("2026-01-01T00:00:00Z", None);
        let ended = session("2026-01-02T00:00:00Z", Some("2026-01-02T00:00:10Z"));
        assert!((spent_s(&[killed.clone(), ended], &trials) - 35.0).abs() < 1e-9);
        // Killed in calibration, before its first trial.
        let early = session("2026-01-03T00:00:00Z", None);
        assert!((spent_s(&[killed.clone(), early], &trials[..2]) - 25.0).abs() < 1e-9);
        // A clock that was set back, and malformed times.
        let backwards = session("2026-01-01T00:00:00Z", Some("2025-01-01T00:00:00Z"));
        assert!(spent_s(&[backwards], &[]).abs() < 1e-9);
        assert!(spent_s(&[session("yesterday", None)], &trials).abs() < 1e-9);
    }

    #[test]
    fn different_version_is_reported() {
        let now = new_session(None);
        assert_eq!(difference(std::slice::from_ref(&now), &now), None);
        let older = Session {
            ftbench_version: "0.0.9".to_owned(),
            ..now.clone()
        };
        let warning = difference(&[older], &now);
        assert!(warning.is_some_and(|warning| warning.message.contains("ftbench 0.0.9, then")));
    }

    #[test]
    fn changed_commit_is_reported_if_both_are_known() {
        let at = |id: &str| {
            new_session(Some(CommitFacts {
                id: id.to_owned(),
                committed_at: None,
                dirty: Some(false),
            }))
        };
        let [first, second] = [at(&"1a".repeat(20)), at(&"2b".repeat(20))];
        assert_eq!(difference(std::slice::from_ref(&first), &first), None);
        assert_eq!(difference(std::slice::from_ref(&first), &new_session(None)), None);
        assert_eq!(difference(&[new_session(None)], &first), None);
        let message = difference(&[first], &second).map(|warning| warning.message);
        insta::assert_snapshot!(message.unwrap_or_default(), @"the run was resumed, and its sessions differ: commit 1a1a1a1a1a1a, then 2b2b2b2b2b2b");
    }
}
