//! The sessions of a run: their records, what differs between them, and the time that they took.

use jiff::Timestamp;

use crate::record::folder::RunFolder;
use crate::record::store::StoreError;
use ftbench_schema::{
    CommitFacts, Manifest, RunStatus, Session, StoppedBy, Trial, Warning, WarningKind, units,
};

/// The kernel's mark of this start of the computer.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How much of a commit's name is shown, characters.
const SHORT_COMMIT: usize = 12;

/// The folder of a run and the manifest in it.
#[derive(Debug)]
pub struct RunRecord {
    /// The folder.
    pub folder: RunFolder,
    /// What the folder says of the run, or will say when the manifest is written next.
    pub manifest: Manifest,
}

impl RunRecord {
    /// Records that this process measures the run, with the code at this commit.
    pub fn begin_session(&mut self, commit: Option<CommitFacts>) -> Result<(), StoreError> {
        let manifest = &mut self.manifest;
        let own = own(commit);
        let is_new = |warning: &Warning| !manifest.warnings.contains(warning);
        let difference = difference(&manifest.sessions, &own).filter(is_new);
        manifest.warnings.extend(difference);
        manifest.sessions.push(own);
        manifest.status = RunStatus::Running;
        (manifest.stopped_by, manifest.ended_at) = (None, None);
        self.write()
    }

    /// Restarts the clock of the session: the time that a run may take does not include the installation of packages.
    pub fn restart_session_clock(&mut self) {
        if let Some(session) = self.manifest.sessions.last_mut() {
            session.started_at = Timestamp::now().to_string();
        }
    }

    /// Records that the session is over, and what ended it.
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

/// What earlier sessions of a run made, and the time that they took; nothing for a new run.
#[derive(Debug, Default)]
pub struct EarlierSessions {
    /// Their trials.
    pub trials: Vec<Trial>,
    /// Their time, seconds.
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

/// This process as a session that starts now, with the code at this commit.
fn own(commit: Option<CommitFacts>) -> Session {
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

/// The session of a version of ftbench that recorded none, and wrote no checksums.
pub fn unrecorded(manifest: &Manifest) -> Session {
    Session {
        started_at: manifest.started_at.clone(),
        ended_at: manifest.ended_at.clone(),
        ftbench_version: manifest.ftbench_version.clone(),
        kernel: manifest.machine.kernel.clone(),
        ..Session::default()
    }
}

/// Warns of what may differ between sessions: versions of ftbench and of the kernel, and the commit where it moved and what
/// is measured of it did not.
fn difference(earlier: &[Session], own: &Session) -> Option<Warning> {
    let first = earlier.first()?;
    let commit = |session: &Session| -> String {
        let id = session.commit.as_ref().map(|commit| commit.id.as_str());
        id.unwrap_or_default().chars().take(SHORT_COMMIT).collect()
    };
    let differs = |what: &str, was: &str, is: &str| {
        (was != is && !was.is_empty() && !is.is_empty()).then(|| format!("{what} {was}, then {is}"))
    };
    let differences: Vec<String> = [
        differs("ftbench", &first.ftbench_version, &own.ftbench_version),
        differs("kernel", &first.kernel, &own.kernel),
        differs("commit", &commit(first), &commit(own)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!differences.is_empty()).then(|| {
        Warning::of_run(
            WarningKind::SessionsDiffer,
            format!(
                "the run was stopped and gone on with, and not all of it was made with the same: {}",
                differences.join("; ")
            ),
        )
    })
}

/// Time that sessions took, seconds. One that was killed took until the end of its last trial. Only times of day are
/// subtracted, because the monotonic clock restarts with the computer.
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
            ..own(None)
        }
    }

    #[test]
    fn a_killed_session_took_until_its_last_trial() {
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
        // In calibration, before its first trial.
        let early = session("2026-01-03T00:00:00Z", None);
        assert!((spent_s(&[killed.clone(), early], &trials[..2]) - 25.0).abs() < 1e-9);
        // A clock that was set back, and times that are none.
        let backwards = session("2026-01-01T00:00:00Z", Some("2025-01-01T00:00:00Z"));
        assert!(spent_s(&[backwards], &[]).abs() < 1e-9);
        assert!(spent_s(&[session("yesterday", None)], &trials).abs() < 1e-9);
    }

    #[test]
    fn other_versions_are_reported() {
        let now = own(None);
        assert_eq!(difference(std::slice::from_ref(&now), &now), None);
        let older = Session {
            ftbench_version: "0.0.9".to_owned(),
            ..now.clone()
        };
        let warning = difference(&[older], &now);
        assert!(warning.is_some_and(|warning| warning.message.contains("ftbench 0.0.9, then")));
    }

    #[test]
    fn a_commit_that_moved_is_reported_where_both_are_known() {
        let at = |id: &str| {
            own(Some(CommitFacts {
                id: id.to_owned(),
                committed_at: None,
                dirty: Some(false),
            }))
        };
        let [first, second] = [at(&"1a".repeat(20)), at(&"2b".repeat(20))];
        assert_eq!(difference(std::slice::from_ref(&first), &first), None);
        assert_eq!(difference(std::slice::from_ref(&first), &own(None)), None);
        assert_eq!(difference(&[own(None)], &first), None);
        let message = difference(&[first], &second).map(|warning| warning.message);
        insta::assert_snapshot!(message.unwrap_or_default(), @"the run was stopped and gone on with, and not all of it was made with the same: commit 1a1a1a1a1a1a, then 2b2b2b2b2b2b");
    }
}
