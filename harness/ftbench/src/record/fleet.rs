//! Reads and writes the files of a fleet: plan files, and the folder into which runs are collected.

mod error;
mod submission;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use super::file_name::file_name;
use super::history::{self, FoundRuns, relative_name};
use super::log::end_of_last_line;
use super::store::{self, MANIFEST, STAGING_PREFIX, SUMMARY, TRIALS};
use super::trials_file::{TrialsFile, compressed};
use crate::outside;
pub use error::FleetError;
use ftbench_schema::history::SkippedFolder;
use ftbench_schema::{
    FleetEntry, FleetIndex, FleetJobs, FleetRun, MAX_SHARDS, Manifest, SCHEMA_VERSION, choose_counted,
};
pub use submission::{
    JOBS, LOGS, PLANS, PROGRAM, RUNS, SCRIPT, copy_program, last_error, make_folder, make_submission,
    parse_plan, plan_name, read_jobs, read_plan, remove_submission, write_jobs, write_plans,
    write_submission,
};
use submission::{LARGEST_PLAN_BYTES, remove_leftovers, write_json};

/// Name of the index of a fleet's folder.
pub const INDEX: &str = history::FLEET_INDEX;
/// Name of the file that is locked while runs are collected.
const LOCK: &str = ".lock";

/// How far clocks may differ before it is reported, seconds. Clocks that are synchronised differ by less, and so do those
/// of nodes and of the server of their file system.
const CLOCK_TOLERANCE_S: f64 = 60.0;

/// The size of the pieces in which records are compared, bytes.
const PIECE_BYTES: u64 = 256 << 10;

/// The runs of a fleet in its folder as they are now, whether they were collected or not.
#[must_use]
pub fn runs_of(jobs: &FleetJobs, folder: &Path) -> Vec<FleetEntry> {
    let names = run_folders(folder).into_iter();
    let entries = names.filter_map(|name| {
        let (manifest, run) = header(&folder.join(RUNS).join(&name)).ok()?;
        let is_own = run.shard.fleet == jobs.fleet;
        is_own.then(|| entry(folder, name, &manifest, run, Some(jobs)).ok())?
    });
    entries.collect()
}

/// Whether a folder is that of a fleet.
#[must_use]
pub fn is_fleet(folder: &Path) -> bool {
    folder.join(INDEX).is_file()
}

/// Reads the index of a fleet's folder.
///
/// # Errors
/// When it cannot be read.
pub fn read_index(folder: &Path) -> Result<FleetIndex, FleetError> {
    let path = folder.join(INDEX);
    let bytes = outside::read(&path, LARGEST_PLAN_BYTES).map_err(|source| FleetError::Index {
        path: path.clone(),
        source,
    })?;
    parse_index(&bytes, &path)
}

/// Parses an index; `path` is for messages.
///
/// # Errors
/// When it is not one.
pub fn parse_index(bytes: &[u8], path: &Path) -> Result<FleetIndex, FleetError> {
    let index: FleetIndex = store::parse(bytes, path)?;
    if index.shards > MAX_SHARDS {
        return Err(FleetError::Shard {
            path: path.to_owned(),
            shard: 0,
            shards: index.shards,
        });
    }
    Ok(index)
}

/// Finds the runs below a folder as [`history::find`] does, without those that are not a part of the results of their
/// fleet: another run of the same shard or node counts.
///
/// # Errors
/// When the folder itself cannot be listed.
pub fn find_counted(root: &Path) -> io::Result<FoundRuns> {
    let mut found = history::find(root)?;
    for fleet in &found.fleets {
        // A run of a fleet whose index cannot be read is a run all the same.
        let runs = read_index(fleet).map(|index| index.runs).unwrap_or_default();
        for run in runs {
            let Some(reason) = run.left_out else { continue };
            let folder = fleet.join(run.folder);
            let before = found.folders.len();
            found.folders.retain(|known| *known != folder);
            if found.folders.len() < before {
                found.skipped.push(SkippedFolder {
                    folder: relative_name(root, &folder),
                    reason,
                });
            }
        }
    }
    Ok(found)
}

/// What became of a run that was given to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was copied to this folder of the fleet.
    Added(String),
    /// It replaced a copy with fewer trials.
    Updated(String),
    /// The fleet has it already, with as many trials or more.
    Known(String),
    /// It was given twice in this call.
    GivenTwice,
    /// It is left where it is, with the reason.
    Refused(String),
}

/// A given run, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The given folder.
    pub path: PathBuf,
    /// What became of it.
    pub outcome: Outcome,
}

/// The folder of a fleet that is open for collecting. Other processes wait meanwhile.
#[derive(Debug)]
pub struct FleetFolder {
    path: PathBuf,
    /// How the fleet was submitted; `None` if it was not.
    jobs: Option<FleetJobs>,
    /// Held until this is dropped. A file system without locks has none; copies are atomic there as well, and the index
    /// is made from what is in the folder.
    _lock: File,
}

impl FleetFolder {
    /// Opens the folder, which is made if there is none. Waits for another process that collects into it, after calling
    /// `waiting`.
    ///
    /// # Errors
    /// When it is the folder of something else, or cannot be written.
    pub fn open(path: &Path, waiting: impl FnOnce()) -> Result<Self, FleetError> {
        fs::create_dir_all(path).map_err(FleetError::write(path))?;
        let entries = fs::read_dir(path).map_err(FleetError::write(path))?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        let is_ours = |name: &std::ffi::OsString| {
            let name = name.to_string_lossy();
            [INDEX, RUNS, LOCK, JOBS, PLANS, LOGS, SCRIPT, PROGRAM].contains(&name.as_ref())
                || name.starts_with(STAGING_PREFIX)
        };
        if !is_fleet(path) && !names.all(|name| is_ours(&name)) {
            return Err(FleetError::NotFleet(path.to_owned()));
        }
        let lock_path = path.join(LOCK);
        store::check_inside(path, &lock_path)?;
        let lock = File::create(&lock_path).map_err(FleetError::write(&lock_path))?;
        let mut locked = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        if locked == Err(rustix::io::Errno::WOULDBLOCK) {
            waiting();
            locked = flock(&lock, FlockOperation::LockExclusive);
        }
        let is_locked = locked.is_ok();
        let runs = path.join(RUNS);
        fs::create_dir_all(&runs).map_err(FleetError::write(&runs))?;
        if is_locked {
            remove_leftovers(&runs);
        }
        Ok(Self {
            path: path.to_owned(),
            jobs: read_jobs(path).ok(),
            _lock: lock,
        })
    }

    /// Copies the runs in these folders or below them that belong to the fleet. The first run decides which fleet that
    /// is, if the folder is new. Runs that are inside the folder already stay where they are.
    ///
    /// # Errors
    /// When the folder cannot be written. Runs that were copied before that stay in it.
    pub fn add(&self, given: &[PathBuf]) -> Result<Vec<Collected>, FleetError> {
        let mut collected = Vec::new();
        let mut seen = HashSet::new();
        let mut fleet = self.fleet()?;
        for path in given {
            let found = match history::find(path) {
                Ok(found) => found,
                Err(error) => {
                    collected.push(refused(path, format!("cannot be read: {error}")));
                    continue;
                }
            };
            if found.folders.is_empty() {
                collected.push(refused(path, "has no run in it or below it".to_owned()));
            }
            for skipped in found.skipped {
                collected.push(refused(&path.join(skipped.folder), skipped.reason));
            }
            for folder in found.folders {
                let outcome = if seen.insert(fs::canonicalize(&folder).ok()) {
                    self.add_run(&folder, &mut fleet)?
                } else {
                    Outcome::GivenTwice
                };
                collected.push(Collected {
                    path: folder,
                    outcome,
                });
            }
        }
        Ok(collected)
    }

    /// The fleet whose folder this is; `None` if it has no run yet.
    fn fleet(&self) -> Result<Option<String>, FleetError> {
        if is_fleet(&self.path) {
            return Ok(Some(read_index(&self.path)?.fleet));
        }
        if let Some(jobs) = &self.jobs {
            return Ok(Some(jobs.fleet.clone()));
        }
        Ok(self
            .headers()
            .into_iter()
            .find_map(|found| Some(found.header.ok()?.1.shard.fleet)))
    }

    fn add_run(&self, source: &Path, fleet: &mut Option<String>) -> Result<Outcome, FleetError> {
        let (manifest, run) = match header(source) {
            Ok(header) => header,
            Err(reason) => return Ok(Outcome::Refused(reason)),
        };
        let known = fleet.get_or_insert_with(|| run.shard.fleet.clone());
        if *known != run.shard.fleet {
            return Ok(Outcome::Refused(format!(
                "belongs to another fleet, {}; this is {known}",
                run.shard.fleet
            )));
        }
        let runs = self.path.join(RUNS);
        if let (Ok(runs), Ok(source)) = (fs::canonicalize(&runs), fs::canonicalize(source))
            && source.starts_with(&runs)
        {
            return Ok(Outcome::Known(relative_name(&self.path, &runs.join(&source))));
        }
        let first_name = name_of(&manifest, &run);
        let Some(name) = self.copy_of(&manifest, &run, &first_name) else {
            let name = self.free_name(&first_name);
            let target = runs.join(&name);
            return match copy(source, &target) {
                Ok(()) => Ok(Outcome::Added(format!("{RUNS}/{name}"))),
                Err(Copying::Source(reason)) => Ok(Outcome::Refused(reason)),
                Err(Copying::Target(error)) => Err(FleetError::write(&target)(error)),
            };
        };
        let target = runs.join(&name);
        let folder = format!("{RUNS}/{name}");
        match compare(&target, source) {
            Ok(Ordering::Same | Ordering::Shorter) => Ok(Outcome::Known(folder)),
            Ok(Ordering::Longer) => match copy(source, &target) {
                Ok(()) => Ok(Outcome::Updated(folder)),
                Err(Copying::Source(reason)) => Ok(Outcome::Refused(reason)),
                Err(Copying::Target(error)) => Err(FleetError::write(&target)(error)),
            },
            Ok(Ordering::Different) => Ok(Outcome::Refused(format!(
                "is a copy of {folder} whose trials differ, as after both were resumed; the fleet keeps its own"
            ))),
            Err(error) => Ok(Outcome::Refused(format!("cannot be read: {error}"))),
        }
    }

    /// The name of the folder's copy of a run; `None` if it has none. `first_name` is what [`name_of`] returns.
    fn copy_of(&self, manifest: &Manifest, run: &FleetRun, first_name: &str) -> Option<String> {
        let is_same = |name: &String| {
            let found = header(&self.path.join(RUNS).join(name));
            found.is_ok_and(|(other, place)| {
                place == *run && other.started_at == manifest.started_at && other.seed == manifest.seed
            })
        };
        // Only these can be: reading all manifests for each given run would take time with the square of their number.
        let names = run_folders(&self.path).into_iter();
        let mut candidates = names.filter(|name| name.starts_with(first_name));
        candidates.find(is_same)
    }

    /// The name, or a longer one if another run of the folder has it.
    fn free_name(&self, first_name: &str) -> String {
        let mut name = first_name.to_owned();
        let mut number = 2;
        while self.path.join(RUNS).join(&name).exists() {
            name = format!("{first_name}-{number}");
            number += 1;
        }
        name
    }

    /// The folders of runs, with what their manifests say.
    fn headers(&self) -> Vec<RunHeader> {
        run_folders(&self.path)
            .into_iter()
            .map(|name| {
                let header = header(&self.path.join(RUNS).join(&name));
                RunHeader { name, header }
            })
            .collect()
    }

    /// Writes the index of the runs in the folder. Also returns the folders in it that are not of the fleet, with the
    /// reasons; `None` if there is no run at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_index(&self) -> Result<(Option<FleetIndex>, Vec<Collected>), FleetError> {
        let fleet = self.fleet()?;
        let mut foreign = Vec::new();
        let mut place = None;
        let mut runs = Vec::new();
        for RunHeader { name, header } in self.headers() {
            let path = self.path.join(RUNS).join(&name);
            let refuse = |reason| refused(&path, reason);
            match header {
                Ok((_, run)) if Some(&run.shard.fleet) != fleet.as_ref() => {
                    foreign.push(refuse(format!("belongs to another fleet, {}", run.shard.fleet)));
                }
                Ok((manifest, run)) => {
                    let of_fleet = run.shard.clone();
                    match entry(&self.path, name, &manifest, run, self.jobs.as_ref()) {
                        Ok(entry) => {
                            place.get_or_insert(of_fleet);
                            runs.push(entry);
                        }
                        Err(error) => foreign.push(refuse(format!("its trials cannot be read: {error}"))),
                    }
                }
                Err(reason) => foreign.push(refuse(reason)),
            }
        }
        let Some(place) = place else {
            return Ok((None, foreign));
        };
        choose_counted(place.shape, &mut runs);
        let index = FleetIndex {
            schema: SCHEMA_VERSION,
            fleet: place.fleet,
            shape: place.shape,
            shards: place.shards,
            reference: place.reference,
            ftbench_version: env!("CARGO_PKG_VERSION").to_owned(),
            collected_at: jiff::Timestamp::now().to_string(),
            runs,
        };
        let path = self.path.join(INDEX);
        store::check_inside(&self.path, &path)?;
        write_json(&path, &index)?;
        Ok((Some(index), foreign))
    }
}

/// The folder of a run, with its manifest and its place in a fleet, or why it has none.
struct RunHeader {
    name: String,
    header: Result<(Manifest, FleetRun), String>,
}

/// The name of the folder of a run in the folder of a fleet, unless another run has it.
fn name_of(manifest: &Manifest, run: &FleetRun) -> String {
    let digits = manifest.started_at.chars().filter(char::is_ascii_digit);
    // Year, month, day, hour, minute and second.
    let started: String = digits.take(14).collect();
    file_name(&format!("shard-{}-{}-{started}", run.shard.shard, run.node))
}

/// Whether a folder has nothing of a run yet, as one that was killed before its plan was written. Its record is empty.
fn has_nothing(folder: &Path) -> bool {
    let is_missing = |name: &str| fs::symlink_metadata(folder.join(name)).is_err();
    let record = fs::metadata(folder.join(TRIALS));
    is_missing(MANIFEST) && is_missing(SUMMARY) && record.map_or(true, |metadata| metadata.len() == 0)
}

/// The names of the folders of runs in the folder of a fleet.
fn run_folders(fleet: &Path) -> Vec<String> {
    let entries = fs::read_dir(fleet.join(RUNS)).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<String> = folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with(STAGING_PREFIX) && !has_nothing(&fleet.join(RUNS).join(name)))
        .collect();
    names.sort();
    names
}

/// The entry of the run in a folder of a fleet's folder.
fn entry(
    fleet: &Path,
    name: String,
    manifest: &Manifest,
    run: FleetRun,
    jobs: Option<&FleetJobs>,
) -> io::Result<FleetEntry> {
    let folder = fleet.join(RUNS).join(&name);
    let mut groups = jobs.iter().flat_map(|jobs| &jobs.groups);
    let group = groups.find(|group| group.has(run.shard.shard));
    Ok(FleetEntry {
        folder: format!("{RUNS}/{name}"),
        shard: run.shard.shard,
        started_at: manifest.started_at.clone(),
        status: manifest.status,
        trials: count_trials(&folder)?,
        constraint: group.and_then(|group| group.constraint.clone()),
        clock_error_s: clock_error_s(manifest, run.planned_at.as_deref(), &folder),
        left_out: None,
        node: run.node,
    })
}

/// How far the clock of a run's node was off at least, seconds; `None` if its times are possible. A run cannot have
/// begun before it was planned, nor have ended later than now, or than its record was written to a file system whose
/// server has a clock of its own.
fn clock_error_s(manifest: &Manifest, planned_at: Option<&str>, folder: &Path) -> Option<f64> {
    let instant = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let started = instant(&manifest.started_at)?;
    let last = manifest.ended_at.as_deref().and_then(instant).unwrap_or(started);
    let written = fs::metadata(folder.join(MANIFEST)).and_then(|metadata| metadata.modified());
    let written = written.ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
    let now = jiff::Timestamp::now();
    let ahead_s = last
        .duration_since(written.map_or(now, |written| written.min(now)))
        .as_secs_f64();
    let behind_s = planned_at
        .and_then(instant)
        .map_or(0.0, |planned| planned.duration_since(started).as_secs_f64());
    if ahead_s > CLOCK_TOLERANCE_S {
        Some(ahead_s)
    } else {
        (behind_s > CLOCK_TOLERANCE_S).then_some(-behind_s)
    }
}

fn refused(path: &Path, reason: String) -> Collected {
    Collected {
        path: path.to_owned(),
        outcome: Outcome::Refused(reason),
    }
}

/// The manifest of a run and its place in a fleet, or why it has none.
fn header(folder: &Path) -> Result<(Manifest, FleetRun), String> {
    let header = store::read_header(folder).map_err(|error| error.to_string())?;
    let mut manifest = header.manifest;
    match manifest.fleet.take() {
        Some(run) if run.shard.is_possible() => Ok((manifest, run)),
        Some(_) => Err("is damaged: its shard is not one of a fleet".to_owned()),
        None => Err("is a run of its own, not of a plan of 'ftbench fleet plan'".to_owned()),
    }
}

/// Number of trials in the record of a run: its whole lines.
fn count_trials(folder: &Path) -> io::Result<u64> {
    let file = TrialsFile::open(&folder.join(TRIALS))?;
    let mut reader = file.read_from(0);
    let mut piece = vec![0; PIECE_BYTES as usize];
    let mut lines = 0;
    loop {
        let count = reader.read(&mut piece)?;
        match piece.get(..count) {
            Some(bytes) if count > 0 => lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
            _ => return Ok(lines),
        }
    }
}

/// How the record of a given run compares with that of the copy in the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ordering {
    Same,
    /// It has trials that the copy lacks, or has ended.
    Longer,
    Shorter,
    /// Neither continues the other.
    Different,
}

fn compare(copy: &Path, given: &Path) -> io::Result<Ordering> {
    let [mut ours, mut theirs] = [
        TrialsFile::open(&copy.join(TRIALS))?,
        TrialsFile::open(&given.join(TRIALS))?,
    ]
    .map(|file| file.read_from(0));
    let (our_lines, their_lines) = (count_trials(copy)?, count_trials(given)?);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        a.clear();
        b.clear();
        ours.by_ref().take(PIECE_BYTES).read_to_end(&mut a)?;
        theirs.by_ref().take(PIECE_BYTES).read_to_end(&mut b)?;
        let common = a.len().min(b.len());
        if a.get(..common) != b.get(..common) {
            return Ok(Ordering::Different);
        }
        if common < a.len() || common < b.len() || common == 0 {
            break;
        }
    }
    let has_ended = |folder: &Path| {
        store::read_header(folder)
            .is_ok_and(|header| header.manifest.status == ftbench_schema::RunStatus::Complete)
    };
    Ok(match their_lines.cmp(&our_lines) {
        std::cmp::Ordering::Greater => Ordering::Longer,
        std::cmp::Ordering::Less => Ordering::Shorter,
        std::cmp::Ordering::Equal if has_ended(given) && !has_ended(copy) => Ordering::Longer,
        std::cmp::Ordering::Equal => Ordering::Same,
    })
}

/// Why a run was not copied.
enum Copying {
    /// It cannot be read.
    Source(String),
    /// The fleet's folder cannot be written.
    Target(io::Error),
}

/// Copies a run, whole or not at all, in place of an earlier copy if there is one. The manifest is copied first, so that
/// the copy has all trials of its manifest even if the run goes on meanwhile; an unfinished line is left out.
fn copy(source: &Path, target: &Path) -> Result<(), Copying> {
    let above = target.parent().unwrap_or(Path::new("."));
    let staging = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempdir_in(above)
        .map_err(Copying::Target)?;
    let record = match source.join(TRIALS) {
        plain if plain.exists() => plain,
        plain => compressed(&plain),
    };
    copy_file(&source.join(MANIFEST), &staging.path().join(MANIFEST))?;
    let to = staging.path().join(record.file_name().unwrap_or_default());
    copy_file(&record, &to)?;
    if record.ends_with(TRIALS) {
        cut_to_whole_lines(&to).map_err(Copying::Target)?;
    }
    // The summary is made again where it is missing or old.
    if source.join(SUMMARY).is_file() {
        copy_file(&source.join(SUMMARY), &staging.path().join(SUMMARY))?;
    }
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(staging.path(), readable).map_err(Copying::Target)?;
    if target.exists() {
        // What was there is removed with the staging folder.
        renameat_with(CWD, staging.path(), CWD, target, RenameFlags::EXCHANGE)
            .map_err(|errno| Copying::Target(errno.into()))?;
    } else {
        fs::rename(staging.keep(), target).map_err(Copying::Target)?;
    }
    File::open(above)
        .and_then(|above| above.sync_all())
        .map_err(Copying::Target)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Copying> {
    let unreadable = |error: io::Error| Copying::Source(format!("{}: {error}", from.display()));
    let mut source = outside::open(from).map_err(unreadable)?;
    let mut target = File::options()
        .write(true)
        .create_new(true)
        .open(to)
        .map_err(Copying::Target)?;
    // An error of a copy has no side; a full disk is the more likely one, and is to end the command.
    io::copy(&mut source, &mut target).map_err(Copying::Target)?;
    // The time of the file shows whether the clock of its node was ahead.
    if let Ok(written) = source.metadata().and_then(|metadata| metadata.modified()) {
        let _ = target.set_modified(written);
    }
    target.sync_all().map_err(Copying::Target)
}

fn cut_to_whole_lines(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let size_bytes = file.seek(SeekFrom::End(0))?;
    let whole_bytes = end_of_last_line(&mut file, size_bytes)?;
    if whole_bytes < size_bytes {
        file.set_len(whole_bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::fleets::plan_of;
    use ftbench_fixtures::records::{cell, manifest, trial};
    use ftbench_schema::{Model, RunStatus, Trial};

    const FLEET: &str = "0123456789abcdef";

    /// A folder with runs and the folder of a fleet.
    struct Sandbox(tempfile::TempDir);

    impl Sandbox {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes a run of a shard, with this many trials, to a folder.
        fn run(&self, name: &str, fleet: &str, shard: u32, status: RunStatus, trials: u32) -> PathBuf {
            let cells = [cell("3.13", Model::Serial, 1)];
            let [cell] = &cells;
            let mut manifest = manifest(&cells);
            let mut plan = plan_of(&manifest);
            plan.shard.shards = 3;
            plan.shard.shard = shard;
            fleet.clone_into(&mut plan.shard.fleet);
            manifest.fleet = Some(FleetRun {
                shard: plan.shard,
                node: format!("node{shard}"),
                planned_at: None,
            });
            manifest.status = status;
            let path = self.path(name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
            let lines = (0..trials).map(|round| {
                let trial = Trial {
                    trial: u64::from(round),
                    ..trial(cell, round, 100)
                };
                format!("{}\n", serde_json::to_string(&trial).unwrap())
            });
            fs::write(path.join(TRIALS), lines.collect::<String>()).unwrap();
            path
        }

        fn collect(&self, given: &[&Path]) -> (Vec<Outcome>, Option<FleetIndex>) {
            let folder = FleetFolder::open(&self.path("fleet"), || {}).unwrap();
            let given: Vec<PathBuf> = given.iter().map(|path| path.to_path_buf()).collect();
            let collected = folder.add(&given).unwrap();
            let (index, _) = folder.write_index().unwrap();
            (collected.into_iter().map(|one| one.outcome).collect(), index)
        }
    }

    #[test]
    fn place_in_a_fleet_is_written_flat() {
        let run = FleetRun {
            shard: plan_of(&manifest(&[])).shard,
            node: "node-7".to_owned(),
            planned_at: None,
        };
        let text = serde_json::to_string(&run).unwrap();
        insta::assert_snapshot!(text, @r#"{"fleet":"0123456789abcdef","shape":"same","shard":0,"shards":1,"node":"node-7"}"#);
        assert_eq!(serde_json::from_str::<FleetRun>(&text).unwrap(), run);
    }

    #[test]
    fn run_that_is_collected_again_is_counted_once_and_updated() {
        let sandbox = Sandbox::new();
        let early = sandbox.run("early", FLEET, 0, RunStatus::Running, 2);
        // A line that is still being written.
        let mut torn = fs::read(early.join(TRIALS)).unwrap();
        torn.extend_from_slice(b"{\"schema\":1,\"tr");
        fs::write(early.join(TRIALS), torn).unwrap();
        let (outcomes, index) = sandbox.collect(&[&early, &early]);
        let [Outcome::Added(folder), Outcome::GivenTwice] = &outcomes[..] else {
            unreachable!("{outcomes:?}")
        };
        assert_eq!(index.unwrap().runs[0].trials, 2);
        let copied = fs::read_to_string(sandbox.path("fleet").join(folder).join(TRIALS)).unwrap();
        assert!(copied.ends_with("}\n"));
        let late = sandbox.run("late", FLEET, 0, RunStatus::Complete, 3);
        let (outcomes, index) = sandbox.collect(&[&late]);
        assert_eq!(outcomes, [Outcome::Updated(folder.clone())]);
        let index = index.unwrap();
        assert_eq!(index.runs.len(), 1);
        assert_eq!(
            (index.runs[0].trials, index.runs[0].status),
            (3, RunStatus::Complete)
        );
        // The earlier copy has fewer trials.
        let (outcomes, again) = sandbox.collect(&[&early, &late]);
        assert_eq!(
            outcomes,
            [Outcome::Known(folder.clone()), Outcome::Known(folder.clone())]
        );
        assert_eq!(again.unwrap().runs, index.runs);
        let left = fs::read_dir(sandbox.path("fleet/runs")).unwrap().count();
        assert_eq!(left, 1);
    }

    #[test]
    fn runs_that_are_not_of_the_fleet_are_left_where_they_are() {
        let sandbox = Sandbox::new();
        let own = sandbox.run("own", FLEET, 0, RunStatus::Complete, 1);
        let other = sandbox.run("other", "f".repeat(16).as_str(), 1, RunStatus::Complete, 1);
        let (outcomes, index) = sandbox.collect(&[&own, &other, &sandbox.path("missing")]);
        let [
            Outcome::Added(_),
            Outcome::Refused(reason),
            Outcome::Refused(missing),
        ] = &outcomes[..]
        else {
            unreachable!("{outcomes:?}")
        };
        assert!(reason.contains("another fleet"), "{reason}");
        assert!(missing.contains("cannot be read"), "{missing}");
        assert_eq!(index.unwrap().missing(), [1, 2]);
        // A run that somebody put into the folder.
        let inside = sandbox.path("fleet/runs/foreign");
        fs::rename(&other, &inside).unwrap();
        let folder = FleetFolder::open(&sandbox.path("fleet"), || {}).unwrap();
        let (index, foreign) = folder.write_index().unwrap();
        assert_eq!((index.unwrap().runs.len(), foreign.len()), (1, 1));
        assert!(inside.join(MANIFEST).is_file());
    }

    #[test]
    fn copies_of_a_run_that_went_on_apart_are_reported() {
        let sandbox = Sandbox::new();
        let one = sandbox.run("one", FLEET, 0, RunStatus::Complete, 3);
        sandbox.collect(&[&one]);
        let text = fs::read_to_string(one.join(TRIALS)).unwrap();
        fs::write(one.join(TRIALS), text.replacen("\"round\":2", "\"round\":7", 1)).unwrap();
        let (outcomes, index) = sandbox.collect(&[&one]);
        assert!(
            matches!(&outcomes[..], [Outcome::Refused(reason)] if reason.contains("trials differ")),
            "{outcomes:?}"
        );
        assert_eq!(index.unwrap().runs[0].trials, 3);
    }

    #[test]
    fn collects_at_the_same_time_lose_nothing() {
        let sandbox = Sandbox::new();
        let runs: Vec<PathBuf> = (0..3)
            .map(|shard| sandbox.run(&format!("run{shard}"), FLEET, shard, RunStatus::Complete, 2))
            .collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                for run in &runs {
                    scope.spawn(|| sandbox.collect(&[run]));
                }
            }
        });
        let index = read_index(&sandbox.path("fleet")).unwrap();
        let shards: Vec<u32> = index.counted().map(|run| run.shard).collect();
        assert_eq!((shards.as_slice(), index.runs.len()), (&[0, 1, 2][..], 3));
    }

    #[test]
    fn what_a_killed_collect_or_task_left_is_no_run() {
        let sandbox = Sandbox::new();
        let run = sandbox.run("run", FLEET, 0, RunStatus::Complete, 1);
        let staging = sandbox.path("fleet/runs/.ftbench-half");
        fs::create_dir_all(&staging).unwrap();
        fs::write(staging.join(MANIFEST), "half").unwrap();
        let begun = sandbox.path("fleet/runs/shard-1-node1");
        fs::create_dir_all(&begun).unwrap();
        fs::write(begun.join(TRIALS), "").unwrap();
        let (_, index) = sandbox.collect(&[&run]);
        assert_eq!(index.unwrap().runs.len(), 1);
        assert!(!staging.exists() && begun.exists());
        let folder = FleetFolder::open(&sandbox.path("fleet"), || {}).unwrap();
        assert_eq!(folder.write_index().unwrap().1, []);
    }

    #[test]
    fn clock_is_wrong_if_times_are_impossible() {
        let sandbox = Sandbox::new();
        let mut run = manifest(&[]);
        let folder = sandbox.run("run", FLEET, 0, RunStatus::Complete, 1);
        let now = jiff::Timestamp::now();
        let at = |minutes: i64| (now + jiff::SignedDuration::from_mins(minutes)).to_string();
        let planned = at(-30);
        let mut minutes = |started: i64, ended: i64| {
            run.started_at = at(started);
            run.ended_at = Some(at(ended));
            clock_error_s(&run, Some(&planned), &folder).map(|error_s| (error_s / 60.0).round())
        };
        assert_eq!(minutes(-20, 0), None);
        assert_eq!(minutes(-90, -70), Some(-60.0));
        assert_eq!(minutes(40, 60), Some(60.0));
        // The server of the file system says when the record was written.
        let manifest_file = File::options().write(true).open(folder.join(MANIFEST)).unwrap();
        manifest_file
            .set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(1_200))
            .unwrap();
        assert_eq!(minutes(-20, -5), Some(15.0));
    }

    #[test]
    fn folder_of_something_else_is_refused() {
        let sandbox = Sandbox::new();
        let notes = sandbox.path("fleet/notes");
        fs::create_dir_all(notes.parent().unwrap()).unwrap();
        fs::write(&notes, "mine").unwrap();
        let error = FleetFolder::open(&sandbox.path("fleet"), || {}).unwrap_err();
        assert!(matches!(error, FleetError::NotFleet(_)), "{error}");
        assert_eq!(fs::read_dir(sandbox.path("fleet")).unwrap().count(), 1);
    }
}
