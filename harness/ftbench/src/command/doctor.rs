//! `ftbench doctor`.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::OutputError;
use super::{print, style};
use crate::cli::{DoctorArgs, ListFormat, OutputOptions};
use crate::doctor::facts::{Builds, Facts, Moment};
use crate::doctor::read::{self, System};
use crate::doctor::{Report, Verdict};
use crate::error::{Error, ExitStatus};
use crate::interpreter::{PROBE_TIME_LIMIT, SearchPlaces, SelectError, resolve};
use crate::machine::discovery::Discovered;
use crate::machine::facts;
use crate::process::quota;
use crate::terminal::doctor;
use ftbench_schema::WarningKind;

/// How many times the counters are read after the first time.
const SAMPLES: usize = 5;

/// The time between two readings. Five intervals make half a second: 50 clock ticks per PU, so steps of 2 %.
const INTERVAL: Duration = Duration::from_millis(100);

/// Checks the machine for anything that would skew results, and prints the findings.
pub fn doctor(arguments: &DoctorArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let system = System::at(Path::new("/"));
    // This comes first, because probing interpreters is work that would count as load from other programs.
    let started = Instant::now();
    let moments = moments(&system);
    let seconds = started.elapsed().as_secs_f64();
    let activity = system.activity(moments, seconds);
    let discovered = Discovered::load()?;
    let topology = discovered.topology();
    let cpu_quota = quota::of_this_process();
    let machine = facts::of_this_machine(topology, cpu_quota.as_ref().ok().copied().flatten());
    let found = Facts {
        cores: system.cores(topology, cpu_quota),
        frequency: system.frequency(),
        activity,
        memory: system.memory(),
        kernel: system.kernel(),
        heat: system.heat(),
        power: system.power(),
        folder: read::folder(&super::working_directory()?),
        builds: builds(&arguments.python)?,
    };
    let report = Report::new(machine, &found);
    match arguments.format {
        ListFormat::Json => print(&doctor::json(&report).map_err(OutputError::Json)?)?,
        ListFormat::Table => print(&doctor::render(&report, style(output)))?,
    }
    Ok(match report.verdict {
        Verdict::Spoiled => ExitStatus::BadAnswer,
        Verdict::Fit | Verdict::WithCare => ExitStatus::Success,
    })
}

fn moments(system: &System) -> Vec<Moment> {
    let mut moments = vec![system.moment()];
    for _ in 0..SAMPLES {
        thread::sleep(INTERVAL);
        moments.push(system.moment());
    }
    moments
}

/// The interpreters that `ftbench run` would take with the same words. Having none is a finding rather than an error,
/// unless the words name some.
fn builds(words: &[String]) -> Result<Builds, Error> {
    let places = SearchPlaces::from_environment();
    let selection = match resolve(&places, words, PROBE_TIME_LIMIT) {
        Err(SelectError::NothingFound { failed }) => {
            return Ok(Builds {
                skipped: failed,
                ..Builds::default()
            });
        }
        other => other?,
    };
    let skipped = selection.warnings.into_iter();
    Ok(Builds {
        interpreters: selection.interpreters,
        skipped: skipped
            .filter(|warning| warning.kind == WarningKind::InterpreterSkipped)
            .map(|warning| warning.message)
            .collect(),
    })
}
