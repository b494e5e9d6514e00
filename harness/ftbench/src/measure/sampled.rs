//! Runs the trials of `ftbench explain`: one worker and several in turns, with and without the sampler.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::binding;
use super::failure::TrialFailure;
use super::protocol::{Reply, Request};
use super::rounds::FailureWithOutput;
use super::session::Session;
use super::trial::{Equipment, SAMPLE_STEP, SampleReply, output_tail, take_sample};
use super::worker_text;
use crate::plan::order::Turns;
use ftbench_analyse::sample::Sample as Values;
use ftbench_explain::image::{Image, Library, mappings};
use ftbench_explain::profile::{Profile, Sampling, Span, Window, profile};
use ftbench_explain::report::{Process, Round};
use ftbench_explain::samples;
use ftbench_schema::{ObjectFacts, PlannedCell};

/// The time from one look at a worker to the next, nanoseconds: 401 Hz, a prime number, so that few loops of a workload
/// keep in step with it. A look takes about 5 us, and its interrupt up to 50 us in a virtual machine. One at a
/// sleeping worker wakes it up.
pub const PERIOD_NS: u64 = 1_000_000_000 / 401;

/// Samples of each kind in a round, at most.
const SWEEPS: u32 = 6;

/// Time for the samples of a round, of which there are fewer if they take longer: workers that contend, or work whose
/// units are long.
const SWEEPS_TIME: Duration = Duration::from_secs(4);

/// Space for what is seen in a process, bytes, of which only what is used takes memory: the limit for what a round keeps
/// and reads. That is two minutes of one worker, or one second of 120. Later looks are counted and not kept.
const MAX_BYTES: u64 = 256 << 20;

/// Steps of a conversation, for messages.
const OPEN_STEP: &str = "preparing the sampler";
const RESOLVE_STEP: &str = "looking for objects";

/// What is compared, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The cell with one worker.
    pub one: &'a PlannedCell,
    /// The cell with several workers.
    pub all: &'a PlannedCell,
    /// Units of work in a sample.
    pub units: u64,
    /// The sampler's library.
    pub library: &'a Path,
}

/// Files that are mapped into processes, which are read once.
#[derive(Debug, Default)]
pub struct Libraries {
    known: BTreeMap<String, Library>,
    /// Paths of files that are not libraries or cannot be read.
    others: BTreeSet<String>,
}

impl Libraries {
    fn read(&mut self, path: &str) {
        if self.known.contains_key(path) || self.others.contains(path) {
            return;
        }
        match fs::read(path).ok().and_then(|bytes| Library::parse(path, &bytes)) {
            Some(library) => {
                self.known.insert(path.to_owned(), library);
            }
            None => {
                self.others.insert(path.to_owned());
            }
        }
    }
}

/// Makes a round in new processes: samples with one worker and with several, with and without the sampler, take turns.
///
/// # Errors
/// The failure that ended it, with the end of what the process printed.
pub fn round(
    equipment: &Equipment<'_>,
    comparison: &Comparison<'_>,
    libraries: &mut Libraries,
    hash_seed: u32,
    mut turns: Turns,
) -> Result<Round, FailureWithOutput> {
    let mut one = SampledTrial::start(equipment, comparison, comparison.one, hash_seed)?;
    let mut all = SampledTrial::start(equipment, comparison, comparison.all, hash_seed)?;
    let mut order = [(false, false), (false, true), (true, false), (true, true)];
    let begun = Instant::now();
    for sweep in 1..=SWEEPS {
        turns.next_sweep(&mut order);
        for (is_one, is_sampled) in order {
            let trial = if is_one { &mut one } else { &mut all };
            trial.reported(|trial| trial.sample(is_sampled))?;
        }
        let elapsed = begun.elapsed();
        if elapsed + elapsed / sweep > SWEEPS_TIME {
            break;
        }
    }
    Ok(Round {
        one: one.finish(comparison, libraries)?,
        all: all.finish(comparison, libraries)?,
    })
}

/// A process whose workers are looked at.
struct SampledTrial<'e> {
    session: Session<'e>,
    workers: u32,
    /// Samples so far.
    taken: u32,
    /// Whether the GIL was on in any of them.
    gil_enabled: bool,
    /// The module that switched it on.
    gil_enabled_by: Option<String>,
    /// When workers were looked at.
    windows: Vec<Window>,
    /// Makespans of samples without and with the sampler, nanoseconds.
    makespans_ns: [Vec<f64>; 2],
}

impl<'e> SampledTrial<'e> {
    /// Starts a process, binds and warms up its workers, and prepares the sampler.
    fn start(
        equipment: &Equipment<'e>,
        comparison: &Comparison<'_>,
        planned: &PlannedCell,
        hash_seed: u32,
    ) -> Result<Self, FailureWithOutput> {
        let session = equipment
            .start(planned, hash_seed)
            .map_err(|failure| FailureWithOutput {
                failure,
                output_tail: None,
            })?;
        let mut trial = Self {
            session,
            workers: planned.cell.workers,
            taken: 0,
            gil_enabled: false,
            gil_enabled_by: None,
            windows: Vec::new(),
            makespans_ns: [Vec::new(), Vec::new()],
        };
        trial.reported(|trial| trial.prepare(equipment, comparison, planned))?;
        Ok(trial)
    }

    fn prepare(
        &mut self,
        equipment: &Equipment<'e>,
        comparison: &Comparison<'_>,
        planned: &PlannedCell,
    ) -> Result<(), TrialFailure> {
        let binder = equipment.binder.as_ref();
        let process_id = self.session.process_id();
        self.session.greet()?;
        binding::bind_process(binder, process_id, &planned.placement)?;
        let ready = equipment.prepare(&mut self.session, planned, comparison.units)?;
        binding::bind_workers(binder, process_id, &planned.placement, &ready.workers)?;
        let mut warm_s = 0.0;
        while warm_s < equipment.settings.warmup_s {
            warm_s += self.take()?.makespan_ns().max(1) as f64 * 1e-9;
        }
        let request = Request::OpenSampler {
            library: comparison.library.display().to_string(),
            worker_bytes: MAX_BYTES / u64::from(self.workers.max(1)),
        };
        match self.session.ask(&request, OPEN_STEP)? {
            Reply::SamplerOpened { .. } => Ok(()),
            other => Err(worker_text::unexpected(&other, "'sampler_opened'")),
        }
    }

    fn take(&mut self) -> Result<SampleReply, TrialFailure> {
        let taken = take_sample(&mut self.session, self.taken)?;
        self.taken += 1;
        self.gil_enabled |= taken.gil_enabled;
        if self.gil_enabled_by.is_none() {
            self.gil_enabled_by.clone_from(&taken.gil_enabled_by);
        }
        Ok(taken)
    }

    fn sample(&mut self, is_sampled: bool) -> Result<(), TrialFailure> {
        if is_sampled {
            self.set_sampling(PERIOD_NS)?;
        }
        let taken = self.take()?;
        if is_sampled {
            self.set_sampling(0)?;
            self.windows.push(window(&taken));
        }
        self.makespans_ns[usize::from(is_sampled)].push(taken.makespan_ns() as f64);
        Ok(())
    }

    fn set_sampling(&mut self, period_ns: u64) -> Result<(), TrialFailure> {
        match self
            .session
            .ask(&Request::SetSampling { period_ns }, SAMPLE_STEP)?
        {
            Reply::SamplingSet => Ok(()),
            other => Err(worker_text::unexpected(&other, "'sampling_set'")),
        }
    }

    /// Finds out what the workers did, and ends the process.
    fn finish(
        mut self,
        comparison: &Comparison<'_>,
        libraries: &mut Libraries,
    ) -> Result<Process, FailureWithOutput> {
        let profile = self.reported(|trial| trial.profile(libraries))?;
        let Resolved { objects, functions } = self.reported(|trial| trial.resolve(&profile))?;
        self.reported(|trial| trial.session.finish().map(|_| ()))?;
        let [without, with] = self
            .makespans_ns
            .map(|values| Values::new(values).map_or(0.0, |values| values.median()));
        Ok(Process {
            profile,
            unit_ns: f64::from(self.workers) * without / comparison.units.max(1) as f64,
            cost: with / without,
            gil_enabled: self.gil_enabled,
            gil_enabled_by: self.gil_enabled_by,
            objects,
            functions,
        })
    }

    fn profile(&mut self, libraries: &mut Libraries) -> Result<Profile, TrialFailure> {
        let (path, text) = match self.session.ask(&Request::SaveSamples, SAMPLE_STEP)? {
            Reply::SamplesSaved { path, mappings } => (PathBuf::from(path), mappings),
            other => return Err(worker_text::unexpected(&other, "'samples_saved'")),
        };
        let bytes = read_samples(&path)
            .map_err(|error| TrialFailure::ProtocolViolation(format!("its samples: {error}")))?;
        let workers =
            samples::read(&bytes).map_err(|error| TrialFailure::ProtocolViolation(error.to_string()))?;
        let mappings = mappings(&text);
        for mapping in &mappings {
            libraries.read(&mapping.path);
        }
        let image = Image::new(&mappings, &libraries.known);
        let sampling = Sampling {
            windows: &self.windows,
            period_ns: PERIOD_NS,
            is_free_threaded: !self.gil_enabled,
        };
        Ok(profile(&workers, &image, &sampling))
    }

    fn resolve(&mut self, profile: &Profile) -> Result<Resolved, TrialFailure> {
        if profile.lines.is_empty() {
            return Ok(Resolved::default());
        }
        let addresses: Vec<u64> = profile.lines.iter().map(|line| line.address).collect();
        let code: BTreeSet<u64> = profile
            .lines
            .iter()
            .flat_map(|line| line.code.iter().copied())
            .collect();
        let code: Vec<u64> = code.into_iter().collect();
        let request = Request::Resolve {
            addresses: addresses.clone(),
            code: code.clone(),
        };
        match self.session.ask(&request, RESOLVE_STEP)? {
            Reply::Resolved { objects, functions }
                if objects.len() == addresses.len() && functions.len() == code.len() =>
            {
                let named = code.into_iter().zip(functions);
                let named = named.filter_map(|(code, name)| Some((code, worker_text::name(name?))));
                Ok(Resolved {
                    objects: objects.into_iter().map(|one| one.map(shortened)).collect(),
                    functions: named.collect(),
                })
            }
            other => Err(worker_text::unexpected(&other, "'resolved'")),
        }
    }

    /// Does a step, and adds to a failure what the process printed last.
    fn reported<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, TrialFailure>,
    ) -> Result<T, FailureWithOutput> {
        step(self).map_err(|failure| {
            let output_tail = output_tail(&failure, &self.session.last_output(&failure));
            FailureWithOutput { failure, output_tail }
        })
    }
}

/// What the worker says about addresses.
#[derive(Default)]
struct Resolved {
    /// The object at each contended line of a profile.
    objects: Vec<Option<ObjectFacts>>,
    /// Names of Python functions by the address of their code object.
    functions: BTreeMap<u64, String>,
}

fn window(taken: &SampleReply) -> Window {
    let span = |start_ns, end_ns| Span { start_ns, end_ns };
    let shares = taken.shares.iter().filter_map(|share| {
        let thread_id = u64::try_from(share.thread_id).ok()?;
        Some((thread_id, span(share.start_ns, share.end_ns)))
    });
    Window {
        makespan: span(taken.start_ns, taken.end_ns),
        shares: shares.collect(),
    }
}

/// Reads the sampler's file and removes it. A file that is larger than the sampler's space is not its own.
fn read_samples(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit_bytes = MAX_BYTES + (1 << 20);
    if fs::metadata(path)?.len() > limit_bytes {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    let bytes = fs::read(path)?;
    fs::remove_file(path)?;
    Ok(bytes)
}

fn shortened(object: ObjectFacts) -> ObjectFacts {
    ObjectFacts {
        type_name: worker_text::name(object.type_name),
        size: object.size,
        field: worker_text::name(object.field),
        path: object.path.map(worker_text::name),
    }
}
