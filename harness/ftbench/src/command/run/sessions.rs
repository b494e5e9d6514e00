//! The sittings of a run: their beginnings, their ends, and the time that they took.

use jiff::Timestamp;

use ftbench_schema::{CommitFacts, Manifest, Session, Trial, Warning, WarningKind};

/// The kernel's mark of this start of the computer.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How much of a commit's name is told, characters.
const TOLD_OF_COMMIT: usize = 12;

/// This process as a sitting that begins now, with the code at this commit.
pub(super) fn own(commit: Option<CommitFacts>) -> Session {
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

/// The sitting of a version of ftbench that recorded none, and wrote no checksums.
pub(super) fn unrecorded(manifest: &Manifest) -> Session {
    Session {
        started_at: manifest.started_at.clone(),
        ended_at: manifest.ended_at.clone(),
        ftbench_version: manifest.ftbench_version.clone(),
        kernel: manifest.machine.kernel.clone(),
        ..Session::default()
    }
}

/// Whether this process has begun a sitting and not ended it.
pub(super) fn has_begun(manifest: &Manifest) -> bool {
    manifest.sessions.last().is_some_and(is_own)
}

fn is_own(sitting: &Session) -> bool {
    sitting.process_id == Some(std::process::id()) && sitting.ended_at.is_none()
}

/// Writes into the manifest that this process has ended its sitting, if it has begun one.
pub(super) fn end(manifest: &mut Manifest) {
    if let Some(sitting) = manifest.sessions.last_mut().filter(|sitting| is_own(sitting)) {
        sitting.ended_at = Some(Timestamp::now().to_string());
    }
}

/// What may differ between sittings and is told: versions of ftbench and of the kernel, and the commit where it moved and
/// what is measured of it did not.
pub(super) fn difference(earlier: &[Session], own: &Session) -> Option<Warning> {
    let first = earlier.first()?;
    let commit = |session: &Session| -> String {
        let id = session.commit.as_ref().map(|commit| commit.id.as_str());
        id.unwrap_or_default().chars().take(TOLD_OF_COMMIT).collect()
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

/// Time that sittings took, seconds. One that was killed took until the end of its last trial. Only times of day are
/// subtracted, for the monotonic clock begins anew when the computer does.
pub(super) fn spent_s(sessions: &[Session], trials: &[Trial]) -> f64 {
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
                .map(|(at, duration_ns)| at.duration_since(start).as_secs_f64() + duration_ns as f64 / 1e9)
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
    fn a_killed_sitting_took_until_its_last_trial() {
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
    fn other_versions_are_told() {
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
    fn a_commit_that_moved_is_told_where_both_are_known() {
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
