//! `ftbench fleet submit`, `status` and `cancel`: Slurm starts the shards. Everything that another batch system would do
//! differently is in this file.
//!
//! All state is in the fleet's folder and in Slurm, which finds jobs by their name. A login process may end at any
//! moment; what it had not recorded is found by that name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::collect::status as run_status;
use super::plan::{plans, write_archives};
use super::{print, remark, style};
use crate::cli::{FleetFolderArgs, FleetSubmitArgs, OutputOptions};
use crate::command::working_directory;
use crate::error::{Error, ExitStatus, Failure};
use crate::record::fleet::{self as record, LOGS, PLANS, PROGRAM, RUNS, SCRIPT};
use ftbench_present::table::Table;
use ftbench_schema::text::{self, counted};
use ftbench_schema::{FleetEntry, FleetGroup, FleetJobs, FleetShape, RunStatus, SCHEMA_VERSION};

/// Longest part of an error of a job that is quoted, characters.
const MAX_ERROR_CHARACTERS: usize = 240;

/// Why Slurm did not do what was asked.
#[derive(Debug, thiserror::Error)]
enum SlurmError {
    /// One of Slurm's programs cannot be started.
    #[error(
        "cannot start {program}: {source}; call this where Slurm's commands are, or start the shards of 'ftbench fleet \
         plan' in another way"
    )]
    NoProgram {
        /// Its name.
        program: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
    /// One of Slurm's programs failed.
    #[error("{program} failed: {message}{advice}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What it printed.
        message: String,
        /// What was kept, and what to do.
        advice: String,
    },
    /// Shares of a plan for machines of different kinds.
    #[error("a plan can be spread over equal machines only: give one --constraint, or '--shape same'")]
    SeveralKinds,
    /// A path that a script of Slurm cannot have.
    #[error("{} cannot be written into a job script; use a path of printable characters without '", .0.display())]
    Path(PathBuf),
}

impl Failure for SlurmError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NoProgram { .. } | Self::Failed { .. } => ExitStatus::MachineFailed,
            Self::SeveralKinds | Self::Path(_) => ExitStatus::WrongInput,
        }
    }
}

/// Runs one of Slurm's programs and returns what it prints.
fn slurm(program: &'static str, words: &[String]) -> Result<String, SlurmError> {
    let output = Command::new(program)
        .args(words)
        .output()
        .map_err(|source| SlurmError::NoProgram { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    // The last line says what failed, those before it how.
    let last = text::lines(&errors).rfind(|line| !line.trim().is_empty());
    let prefix = format!("{program}: error: ");
    let message = last.unwrap_or_else(|| output.status.to_string());
    Err(SlurmError::Failed {
        program,
        message: message.strip_prefix(&prefix).unwrap_or(&message).to_owned(),
        advice: String::new(),
    })
}

/// Submits a fleet.
pub fn submit(arguments: &FleetSubmitArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let mut groups = groups(arguments)?;
    let shards = groups.iter().map(|group| group.shards).sum();
    let (mut plans, planned) = plans(shards, &arguments.division, output)?;
    let fleet = plans
        .first()
        .map(|plan| plan.shard.fleet.clone())
        .unwrap_or_default();
    let folder = absolute(&arguments.out)?;
    let job_name = format!("ftbench-{fleet}");
    let program = std::env::current_exe().unwrap_or_else(|_| "ftbench".into());
    // Nodes without the interpreters may not have ftbench either.
    let copied = folder.join(PROGRAM);
    let archive = arguments.division.archive;
    let script = script(&job_name, &folder, if archive { &copied } else { &program })?;
    if arguments.dry_run {
        print(&script)?;
        for group in &groups {
            let words = shlex_join(&sbatch_words(group, &arguments.sbatch, &folder));
            print(&format!("# sbatch {words}\n"))?;
        }
        return Ok(ExitStatus::Success);
    }
    let mut jobs = FleetJobs {
        schema: SCHEMA_VERSION,
        fleet,
        engine: "slurm".to_owned(),
        job_name,
        submitted_at: jiff::Timestamp::now().to_string(),
        options: arguments.sbatch.clone(),
        groups: groups.clone(),
    };
    record::make_submission(&arguments.out)?;
    if archive {
        write_archives(&mut plans, &planned, &arguments.out.join(PLANS), output)?;
        record::copy_program(&program, &arguments.out)?;
    }
    record::write_submission(&arguments.out, &plans, &script, &jobs)?;
    for number in 0..groups.len() {
        let Some(group) = groups.get_mut(number) else {
            break;
        };
        let words = sbatch_words(group, &arguments.sbatch, &folder);
        match slurm("sbatch", &[vec!["--parsable".to_owned()], words].concat()) {
            Ok(printed) => {
                // With clusters it prints `ID;CLUSTER`.
                let id = printed.trim().split(';').next().unwrap_or_default();
                group.job = Some(id.to_owned());
                jobs.groups.clone_from(&groups);
                record::write_jobs(&arguments.out, &jobs)?;
            }
            Err(error) => return Err(not_submitted(error, number, groups.len(), &arguments.out).into()),
        }
    }
    let path = arguments.out.display();
    remark(
        output,
        &format!(
            "submitted {} as {}: 'ftbench fleet status {path}' shows them, 'ftbench fleet collect --out {path}' collects",
            counted(shards as usize, "shard"),
            text::line(&jobs.job_name)
        ),
    );
    Ok(ExitStatus::Success)
}

/// The error of a submission that failed, after `submitted` of `all` groups. Without any, nothing is left behind.
fn not_submitted(error: SlurmError, submitted: usize, all: usize, folder: &Path) -> SlurmError {
    if submitted == 0 {
        record::remove_submission(folder);
    }
    match error {
        SlurmError::Failed { program, message, .. } => SlurmError::Failed {
            program,
            message,
            advice: if submitted == 0 {
                "\nNothing was submitted; submit again when that is fixed".to_owned()
            } else {
                format!(
                    "\n{submitted} of {all} job arrays were submitted; 'ftbench fleet cancel {}' cancels them",
                    folder.display()
                )
            },
        },
        other => other,
    }
}

/// The groups of shards: one for each node of a list, or one for each constraint.
fn groups(arguments: &FleetSubmitArgs) -> Result<Vec<FleetGroup>, SlurmError> {
    let group = |first: u32, shards: u32, node: Option<String>, constraint: Option<String>| FleetGroup {
        first,
        shards,
        node,
        constraint,
        job: None,
    };
    if let Some(list) = &arguments.nodes {
        let words = ["show", "hostnames", list].map(str::to_owned);
        let printed = slurm("scontrol", &words)?;
        let names = printed.lines().map(str::trim).filter(|name| !name.is_empty());
        return Ok((0..)
            .zip(names)
            .map(|(shard, name)| group(shard, 1, Some(name.to_owned()), None))
            .collect());
    }
    if arguments.constraint.len() > 1 && FleetShape::from(arguments.division.shape) == FleetShape::Spread {
        return Err(SlurmError::SeveralKinds);
    }
    let each = arguments.shards.unwrap_or(1);
    let constraints = arguments.constraint.iter();
    Ok((0..)
        .step_by(each as usize)
        .zip(constraints)
        .map(|(first, feature)| group(first, each, None, Some(feature.clone())))
        .collect())
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    Ok(working_directory()?.join(path))
}

/// The words of the call of sbatch for a group.
fn sbatch_words(group: &FleetGroup, options: &[String], folder: &Path) -> Vec<String> {
    let last = group.first + group.shards.saturating_sub(1);
    let mut words = vec![format!("--array={}-{last}", group.first)];
    words.extend(group.node.as_ref().map(|node| format!("--nodelist={node}")));
    words.extend(
        group
            .constraint
            .as_ref()
            .map(|feature| format!("--constraint={feature}")),
    );
    words.extend_from_slice(options);
    words.push(folder.join(SCRIPT).display().to_string());
    words
}

fn shlex_join(words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    shlex::try_join(words).unwrap_or_default()
}

/// The script that every task of every array runs. A task that is requeued on the same node resumes its run.
fn script(job_name: &str, folder: &Path, program: &Path) -> Result<String, SlurmError> {
    let quoted = |path: PathBuf| -> Result<String, SlurmError> {
        let text = path.to_str().map(str::to_owned);
        let printable = |text: &String| !text.contains('\'') && !text.chars().any(char::is_control);
        text.filter(printable).ok_or(SlurmError::Path(path))
    };
    let logs = quoted(folder.join(LOGS))?;
    let plans = quoted(folder.join(PLANS))?;
    let runs = quoted(folder.join(RUNS))?;
    let program = quoted(program.to_owned())?;
    Ok(format!(
        "#!/bin/sh\n\
         #SBATCH --job-name={job_name}\n\
         #SBATCH --nodes=1\n\
         #SBATCH --exclusive\n\
         #SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --output='{logs}/shard-%a.log'\n\
         # Measures a shard of a fleet on a whole node. The same command resumes its run when the task is requeued there.\n\
         FTBENCH_NODE=$SLURMD_NODENAME\n\
         export FTBENCH_NODE\n\
         exec '{program}' run --plan '{plans}/shard-'\"$SLURM_ARRAY_TASK_ID.json\" \\\n  \
         --out '{runs}/shard-'\"$SLURM_ARRAY_TASK_ID-$SLURMD_NODENAME\"\n"
    ))
}

/// What Slurm says of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    /// The number of its job. One that was submitted later has a larger one.
    job: u64,
    state: String,
    node: String,
    reason: String,
}

/// The newest state of each task of the fleet that Slurm remembers: from the queue, and from accounting for those that
/// have left it. A shard that was submitted again has several jobs.
fn tasks(jobs: &FleetJobs) -> Result<BTreeMap<u32, Task>, SlurmError> {
    let name = format!("--name={}", jobs.job_name);
    let queue = [
        "--noheader",
        "--array",
        "--states=all",
        &name,
        "--format=%F|%K|%T|%N|%r",
    ]
    .map(str::to_owned);
    let accounting = [
        "--noheader",
        "--parsable2",
        "--allocations",
        "--array",
        &name,
        &format!("--starttime={}", days_before(&jobs.submitted_at)),
        "--format=JobID,State,NodeList",
    ]
    .map(str::to_owned);
    // Accounting is optional.
    let accounted_for = slurm("sacct", &accounting).unwrap_or_default();
    let queue = slurm("squeue", &queue)?;
    let mut tasks: BTreeMap<u32, Task> = BTreeMap::new();
    for (shard, task) in accounted_for
        .lines()
        .filter_map(accounted)
        .chain(queue.lines().filter_map(queued))
    {
        // The queue comes last because it is newer.
        if tasks.get(&shard).is_none_or(|known| known.job <= task.job) {
            tasks.insert(shard, task);
        }
    }
    Ok(tasks)
}

/// Two days before an instant, as `sacct` takes it. It takes local times of a clock that may not be this machine's.
fn days_before(instant: &str) -> String {
    let instant: Option<jiff::Timestamp> = instant.parse().ok();
    let before = instant.and_then(|instant| instant.checked_sub(jiff::SignedDuration::from_hours(48)).ok());
    // A time that is not one comes from a damaged record; a week is what `sacct` could have kept anyway.
    before.map_or_else(
        || "now-7days".to_owned(),
        |before| before.to_string().chars().take("2026-11-30".len()).collect(),
    )
}

/// A line of `squeue`: job, array index, state, nodes and reason.
fn queued(line: &str) -> Option<(u32, Task)> {
    let mut fields = line.trim().splitn(5, '|');
    let job = fields.next()?.parse().ok()?;
    let shard = fields.next()?.parse().ok()?;
    let mut field = || fields.next().map(text::line);
    Some((
        shard,
        Task {
            job,
            state: field()?,
            node: field()?,
            reason: field().filter(|reason| reason != "None").unwrap_or_default(),
        },
    ))
}

/// A line of `sacct`: `12_3|COMPLETED|node1`.
fn accounted(line: &str) -> Option<(u32, Task)> {
    let mut fields = line.trim().split('|');
    let (job, shard) = fields.next()?.split_once('_')?;
    let (job, shard) = (job.parse().ok()?, shard.parse().ok()?);
    let state = fields.next()?.split(' ').next().map(text::line)?;
    Some((
        shard,
        Task {
            job,
            state,
            node: fields.next().map(text::line)?,
            reason: String::new(),
        },
    ))
}

/// Shows the jobs and the runs of a fleet.
pub fn status(arguments: &FleetFolderArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let jobs = record::read_jobs(&arguments.folder)?;
    let tasks = tasks(&jobs)?;
    let runs = record::runs_of(&jobs, &arguments.folder);
    print(&format!("{}\n", table(&jobs, &tasks, &runs).list(style(output))))?;
    let folder = absolute(&arguments.folder)?;
    for line in absent(&jobs, &tasks, &runs, &folder) {
        remark(output, &format!("warning: {line}"));
    }
    Ok(ExitStatus::Success)
}

fn shards(jobs: &FleetJobs) -> impl Iterator<Item = (u32, &FleetGroup)> {
    jobs.groups.iter().flat_map(|group| {
        (group.first..group.first.saturating_add(group.shards)).map(move |shard| (shard, group))
    })
}

/// Where a shard may run, in words.
fn target(group: &FleetGroup) -> String {
    let node = group.node.as_ref().map(|node| text::line(node));
    node.or_else(|| group.constraint.as_ref().map(|feature| text::line(feature)))
        .unwrap_or_default()
}

/// The run of a shard that has got furthest.
fn furthest(shard: u32, runs: &[FleetEntry]) -> Option<&FleetEntry> {
    let own = runs.iter().filter(|run| run.shard == shard);
    own.max_by_key(|run| (run.status == RunStatus::Complete, run.trials))
}

fn table(jobs: &FleetJobs, tasks: &BTreeMap<u32, Task>, runs: &[FleetEntry]) -> Table {
    let rows = shards(jobs).map(|(shard, group)| {
        let task = tasks.get(&shard);
        let run = furthest(shard, runs);
        let of_task = |field: fn(&Task) -> &str| task.map(field).unwrap_or_default().to_owned();
        let state = task.map_or_else(
            || {
                if group.job.is_some() {
                    "unknown"
                } else {
                    "not submitted"
                }
                .to_owned()
            },
            |task| task.state.to_lowercase(),
        );
        [
            shard.to_string(),
            target(group),
            state,
            of_task(|task| &task.node),
            of_task(|task| &task.reason),
            run.map_or_else(|| "none".to_owned(), |run| run_status(run).to_owned()),
            run.map_or_else(|| "0".to_owned(), |run| run.trials.to_string()),
        ]
    });
    Table::of_rows(["shard", "for", "job", "node", "reason", "run", "trials"], rows)
}

/// Shards with neither a complete run nor a job that waits or runs, two lines each.
/// The second line submits the shard again, which resumes its run if it gets the same node.
fn absent(jobs: &FleetJobs, tasks: &BTreeMap<u32, Task>, runs: &[FleetEntry], folder: &Path) -> Vec<String> {
    let comes = |task: &Task| {
        [
            "PENDING",
            "RUNNING",
            "COMPLETING",
            "CONFIGURING",
            "SUSPENDED",
            "REQUEUED",
        ]
        .contains(&task.state.as_str())
    };
    let lacking = shards(jobs).filter(|(shard, _)| {
        let is_complete = furthest(*shard, runs).is_some_and(|run| run.status == RunStatus::Complete);
        !is_complete && !tasks.get(shard).is_some_and(comes)
    });
    lacking
        .map(|(shard, group)| {
            let state = tasks
                .get(&shard)
                .map_or("unknown to Slurm".to_owned(), |task| task.state.to_lowercase());
            let reason = record::last_error(folder, shard).map_or_else(
                || format!("see {LOGS}/shard-{shard}.log"),
                |error| text::shorten(&error, MAX_ERROR_CHARACTERS),
            );
            let again = FleetGroup {
                first: shard,
                shards: 1,
                ..group.clone()
            };
            format!(
                "shard {shard} for {} has no complete run, and its job is {state}: {reason}\n  to submit it again: \
                 sbatch {}",
                target(group),
                shlex_join(&sbatch_words(&again, &jobs.options, folder))
            )
        })
        .collect()
}

/// Cancels the jobs of a fleet that have not ended.
pub fn cancel(arguments: &FleetFolderArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let jobs = record::read_jobs(&arguments.folder)?;
    slurm("scancel", &[format!("--name={}", jobs.job_name)])?;
    remark(
        output,
        &format!(
            "cancelled what had not ended of {}; what was measured is kept in {}",
            text::line(&jobs.job_name),
            arguments.folder.join(RUNS).display()
        ),
    );
    Ok(ExitStatus::Success)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn jobs() -> FleetJobs {
        let group = |first, shards, node: Option<&str>, constraint: Option<&str>| FleetGroup {
            first,
            shards,
            node: node.map(str::to_owned),
            constraint: constraint.map(str::to_owned),
            job: Some("7".to_owned()),
        };
        FleetJobs {
            schema: 1,
            fleet: "0123456789abcdef".to_owned(),
            engine: "slurm".to_owned(),
            job_name: "ftbench-0123456789abcdef".to_owned(),
            submitted_at: "2026-11-30T08:00:00Z".to_owned(),
            options: vec!["--time=1:00".to_owned()],
            groups: vec![group(0, 2, None, Some("epyc")), group(2, 1, Some("n9"), None)],
        }
    }

    #[test]
    fn script_runs_one_shard_on_a_whole_node() {
        let text = script(
            "ftbench-01",
            Path::new("/shared/my fleet"),
            Path::new("/opt/ftbench"),
        )
        .unwrap();
        insta::assert_snapshot!(text, @r#"
        #!/bin/sh
        #SBATCH --job-name=ftbench-01
        #SBATCH --nodes=1
        #SBATCH --exclusive
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --output='/shared/my fleet/logs/shard-%a.log'
        # Measures a shard of a fleet on a whole node. The same command resumes its run when the task is requeued there.
        FTBENCH_NODE=$SLURMD_NODENAME
        export FTBENCH_NODE
        exec '/opt/ftbench' run --plan '/shared/my fleet/plans/shard-'"$SLURM_ARRAY_TASK_ID.json" \
          --out '/shared/my fleet/runs/shard-'"$SLURM_ARRAY_TASK_ID-$SLURMD_NODENAME"
        "#);
        assert!(script("ftbench-01", Path::new("/it's"), Path::new("/opt/ftbench")).is_err());
    }

    #[test]
    fn each_group_is_one_array() {
        let calls: Vec<String> = jobs()
            .groups
            .iter()
            .map(|group| shlex_join(&sbatch_words(group, &["--time=1:00".to_owned()], Path::new("/f"))))
            .collect();
        assert_eq!(
            calls,
            [
                "'--array=0-1' '--constraint=epyc' '--time=1:00' /f/job.sh",
                "'--array=2-2' '--nodelist=n9' '--time=1:00' /f/job.sh",
            ]
        );
    }

    #[test]
    fn lines_of_slurm_are_parsed_and_others_ignored() {
        let (shard, task) = queued("12|3|PENDING||Nodes required for job are DOWN|x").unwrap();
        assert_eq!(
            (shard, task.job, task.state.as_str(), task.node.as_str()),
            (3, 12, "PENDING", "")
        );
        assert_eq!(task.reason, "Nodes required for job are DOWN|x");
        let (shard, task) = accounted("12_3|CANCELLED by 0|n1").unwrap();
        assert_eq!(
            (shard, task.job, task.state.as_str(), task.node.as_str()),
            (3, 12, "CANCELLED", "n1")
        );
        for line in ["", "12|N/A|RUNNING|n1|None", "12.batch|COMPLETED|n1", "x|y"] {
            assert_eq!((queued(line), accounted(line)), (None, None), "{line}");
        }
    }

    #[test]
    fn accounting_is_asked_from_two_days_before() {
        assert_eq!(days_before("2026-12-01T01:00:00Z"), "2026-11-29");
        assert_eq!(days_before("yesterday"), "now-7days");
    }

    #[test]
    fn shards_that_will_not_come_are_named() {
        let task = |state: &str| Task {
            job: 7,
            state: state.to_owned(),
            node: String::new(),
            reason: String::new(),
        };
        let tasks = BTreeMap::from([(0, task("RUNNING")), (1, task("TIMEOUT"))]);
        let lines = absent(&jobs(), &tasks, &[], Path::new("/f"));
        insta::assert_snapshot!(lines.join("\n"), @r"
        shard 1 for epyc has no complete run, and its job is timeout: see logs/shard-1.log
          to submit it again: sbatch '--array=1-1' '--constraint=epyc' '--time=1:00' /f/job.sh
        shard 2 for n9 has no complete run, and its job is unknown to Slurm: see logs/shard-2.log
          to submit it again: sbatch '--array=2-2' '--nodelist=n9' '--time=1:00' /f/job.sh
        ");
    }
}
