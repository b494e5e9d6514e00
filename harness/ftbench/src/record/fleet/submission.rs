//! Plan files, and what else is written before the shards of a fleet are measured.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::FleetError;
use crate::outside;
use crate::record::store::{self, STAGING_PREFIX};
use ftbench_schema::{FleetJobs, FleetPlan, text};

/// Name of the folder of runs in a fleet's folder.
pub const RUNS: &str = "runs";
/// Name of the record of the jobs of a fleet.
pub const JOBS: &str = "jobs.json";
/// Name of the folder of plan files in the folder of a fleet that was submitted.
pub const PLANS: &str = "plans";
/// Name of the folder of what jobs print.
pub const LOGS: &str = "logs";
/// Name of the script that every job runs.
pub const SCRIPT: &str = "job.sh";
/// Name of the copy of ftbench that jobs run if their nodes may not have it.
pub const PROGRAM: &str = "ftbench";
/// Largest plan file or index that is read, bytes.
pub(super) const LARGEST_PLAN_BYTES: u64 = 64 << 20;

/// Size of the end of a job's output in which its error is looked for, bytes.
const LOG_END_BYTES: u64 = 16 << 10;

/// Reads a plan file.
///
/// # Errors
/// When it is not one.
pub fn read_plan(path: &Path) -> Result<FleetPlan, FleetError> {
    let bytes = outside::read(path, LARGEST_PLAN_BYTES).map_err(|source| FleetError::Plan {
        path: path.to_owned(),
        source,
    })?;
    parse_plan(&bytes, path)
}

/// Parses a plan; `path` is for messages.
///
/// # Errors
/// When it is not one.
pub fn parse_plan(bytes: &[u8], path: &Path) -> Result<FleetPlan, FleetError> {
    let plan: FleetPlan = store::parse(bytes, path)?;
    if !plan.shard.is_possible() {
        return Err(FleetError::Shard {
            path: path.to_owned(),
            shard: plan.shard.shard,
            shards: plan.shard.shards,
        });
    }
    Ok(plan)
}

/// Makes a folder, which must be new or empty.
///
/// # Errors
/// When it is not, or cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), FleetError> {
    fs::create_dir_all(folder).map_err(FleetError::write(folder))?;
    let mut there = fs::read_dir(folder).map_err(FleetError::write(folder))?;
    if there.next().is_some() {
        return Err(FleetError::NotEmpty(folder.to_owned()));
    }
    Ok(())
}

/// Writes the plan files of a fleet into a folder, and returns their paths.
///
/// # Errors
/// When they cannot be written.
pub fn write_plans(folder: &Path, plans: &[FleetPlan]) -> Result<Vec<PathBuf>, FleetError> {
    let write = |plan: &FleetPlan| {
        let path = folder.join(plan_name(plan.shard.shard));
        write_json(&path, plan)?;
        Ok(path)
    };
    plans.iter().map(write).collect()
}

/// Name of the plan file of a shard.
#[must_use]
pub fn plan_name(shard: u32) -> String {
    format!("shard-{shard}.json")
}

pub(super) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), FleetError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| FleetError::Write {
        path: path.to_owned(),
        source: error.into(),
    })?;
    Ok(store::write_bytes(path, &[bytes.as_slice(), b"\n"].concat())?)
}

/// Makes the folder of a fleet that is about to be submitted, with the folders in it.
///
/// # Errors
/// When it is not new or empty, or cannot be written.
pub fn make_submission(folder: &Path) -> Result<(), FleetError> {
    if is_unsubmitted(folder) {
        remove_submission(folder);
    }
    make_folder(folder)?;
    for name in [PLANS, RUNS, LOGS] {
        let path = folder.join(name);
        fs::create_dir_all(&path).map_err(FleetError::write(&path))?;
    }
    Ok(())
}

/// Writes the files of a fleet that is about to be submitted: its plans, the script of its jobs, and their record, which
/// is the last. A folder without it is what a process left that was killed before it submitted anything.
///
/// # Errors
/// When they cannot be written.
pub fn write_submission(
    folder: &Path,
    plans: &[FleetPlan],
    script: &str,
    jobs: &FleetJobs,
) -> Result<(), FleetError> {
    write_plans(&folder.join(PLANS), plans)?;
    store::write_bytes(&folder.join(SCRIPT), script.as_bytes())?;
    write_jobs(folder, jobs)
}

/// Copies the running ftbench into the folder of a fleet.
///
/// # Errors
/// When it cannot be written.
pub fn copy_program(program: &Path, folder: &Path) -> Result<(), FleetError> {
    let path = folder.join(PROGRAM);
    fs::copy(program, &path)
        .map(|_| ())
        .map_err(FleetError::write(&path))
}

/// Whether a folder has only what [`write_submission`] writes before the record of the jobs.
fn is_unsubmitted(folder: &Path) -> bool {
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    };
    let is_plan = |name: &String| {
        let number = name
            .strip_prefix("shard-")
            .and_then(|rest| rest.strip_suffix(".json"));
        let is_number = number.is_some_and(|number| number.parse::<u32>().is_ok());
        is_number || name.ends_with(".tar.gz") || name.starts_with(STAGING_PREFIX)
    };
    let found = names(folder);
    let is_ours = |name: &String| {
        [PLANS, RUNS, LOGS, SCRIPT, PROGRAM].contains(&name.as_str()) || name.starts_with(STAGING_PREFIX)
    };
    found.iter().any(|name| name == PLANS)
        && found.iter().all(is_ours)
        && names(&folder.join(PLANS)).iter().all(is_plan)
        && [RUNS, LOGS]
            .iter()
            .all(|name| names(&folder.join(name)).is_empty())
}

/// Removes the files of a fleet of which no job was accepted, so that it can be submitted again. The record of the jobs
/// is the first, so that [`is_unsubmitted`] recognises what is left if this is killed.
pub fn remove_submission(folder: &Path) {
    // What cannot be removed is named when the folder is used again.
    for name in [JOBS, SCRIPT, PROGRAM] {
        let _ = fs::remove_file(folder.join(name));
    }
    for name in [LOGS, RUNS, PLANS] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    remove_leftovers(folder);
}

/// Removes what processes were writing to a folder when they were killed.
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING_PREFIX) {
            // What cannot be removed does no harm.
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}

/// Replaces the record of the jobs of a fleet.
///
/// # Errors
/// When it cannot be written.
pub fn write_jobs(folder: &Path, jobs: &FleetJobs) -> Result<(), FleetError> {
    write_json(&folder.join(JOBS), jobs)
}

/// Reads the record of the jobs of a fleet.
///
/// # Errors
/// When there is none.
pub fn read_jobs(folder: &Path) -> Result<FleetJobs, FleetError> {
    let path = folder.join(JOBS);
    let bytes = outside::read(&path, LARGEST_PLAN_BYTES).map_err(|source| FleetError::Jobs {
        path: path.clone(),
        source,
    })?;
    Ok(store::parse(&bytes, &path)?)
}

/// The last error in the output of a shard's job; `None` if there is none.
#[must_use]
pub fn last_error(folder: &Path, shard: u32) -> Option<String> {
    let printed = outside::end(
        &folder.join(LOGS).join(format!("shard-{shard}.log")),
        LOG_END_BYTES,
    );
    let mut lines = text::lines(&printed);
    lines.rfind(|line| line.contains("error: "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::fleets::plan_of;
    use ftbench_fixtures::records::manifest;
    use ftbench_schema::SCHEMA_VERSION;

    #[test]
    fn submission_that_was_killed_before_any_job_is_written_again_and_other_folders_are_not() {
        let above = tempfile::tempdir().unwrap();
        let plans = [plan_of(&manifest(&[]))];
        let jobs = FleetJobs {
            schema: SCHEMA_VERSION,
            fleet: plans[0].shard.fleet.clone(),
            engine: "slurm".to_owned(),
            job_name: "ftbench".to_owned(),
            submitted_at: "2026-11-30T08:00:00Z".to_owned(),
            options: Vec::new(),
            groups: Vec::new(),
        };
        let folder = above.path().join("fleet");
        let write =
            || make_submission(&folder).and_then(|()| write_submission(&folder, &plans, "#!/bin/sh", &jobs));
        write().unwrap();
        assert!(matches!(write().unwrap_err(), FleetError::NotEmpty(_)));
        for steps in [&[JOBS][..], &[JOBS, SCRIPT], &[JOBS, SCRIPT, RUNS]] {
            for name in steps {
                let path = folder.join(name);
                fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
            }
            write().unwrap();
            assert_eq!(read_jobs(&folder).unwrap(), jobs);
        }
        fs::remove_file(folder.join(JOBS)).unwrap();
        for foreign in ["notes", "plans/notes", "runs/shard-0-n0"] {
            let path = folder.join(foreign);
            fs::write(&path, "mine").unwrap();
            assert!(
                matches!(write().unwrap_err(), FleetError::NotEmpty(_)),
                "{foreign}"
            );
            assert!(folder.join(SCRIPT).exists());
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn plan_with_contradicting_numbers_is_damaged() {
        let mut plan = plan_of(&manifest(&[]));
        let parse = |plan: &FleetPlan| parse_plan(&serde_json::to_vec(plan).unwrap(), Path::new("p.json"));
        assert_eq!(parse(&plan).unwrap(), plan);
        plan.shard.shard = 1;
        insta::assert_snapshot!(parse(&plan).unwrap_err(), @"p.json is damaged: shard 1 of 1; plan or collect the fleet again");
        plan.schema = 99;
        assert!(
            parse(&plan)
                .unwrap_err()
                .to_string()
                .contains("use a newer ftbench")
        );
    }
}
