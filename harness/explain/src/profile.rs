//! What the workers of one process spend their time on, and which memory they contend for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use crate::access::Access;
use crate::access::machine::Accesses;
use crate::category::{self, Category};
use crate::image::{Frame, Image};
use crate::registers::machine::FIRST_ARGUMENT;
use crate::samples::{Sample, WorkerSamples};

/// The size of a cache line of most processors.
const LINE_BYTES: u64 = 64;

/// Minimum share of the workers' time in which memory is used or waited for, to call it contended. Without contention an
/// atomic access takes about 20 cycles.
const MIN_SHARE: f64 = 0.01;

/// Minimum number of samples of each of two workers that use the same line.
const MIN_SAMPLES: usize = 4;

/// Maximum number of contended lines of one process.
const MAX_LINES: usize = 32;

/// Maximum number of Python functions that use a line.
const MAX_FUNCTIONS: usize = 4;

/// A worker whose last sample is older than this many periods was not interrupted meanwhile, so it did not run. If it
/// sleeps in a system call, it would not have run anyway.
const MAX_PERIODS: u64 = 2;

/// A span of time, `CLOCK_MONOTONIC`, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
}

/// A time in which the workers were sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From handing the work out until the last result was back.
    pub makespan: Span,
    /// When each worker worked, by thread id.
    pub shares: BTreeMap<u64, Span>,
}

/// How the samples of a process were taken.
#[derive(Debug, Clone, Copy)]
pub struct Sampling<'a> {
    /// When.
    pub windows: &'a [Window],
    /// Time from one sample of a worker to the next, nanoseconds.
    pub period_ns: u64,
    /// Whether threads run Python code at the same time. With the GIL, no two of them use the same memory at once.
    pub is_free_threaded: bool,
}

/// What the workers of a process did.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Share of the workers' time in each category. Empty without samples, else the sum is 1.
    pub shares: BTreeMap<Category, f64>,
    /// Memory that workers contended for; the most used first.
    pub lines: Vec<Line>,
    /// Whether the names of all functions of the interpreter are known.
    pub has_symbols: bool,
    /// Samples in the windows.
    pub samples: u64,
    /// Samples for which there was no room.
    pub lost: u64,
}

/// A contended cache line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The address in it that is written, or waited for, most often.
    pub address: u64,
    /// Share of the samples that use it or wait for it.
    pub share: f64,
    /// How many workers do.
    pub workers: u32,
    /// Addresses of the code objects that do, most frequent first.
    pub code: Vec<u64>,
    /// The C function that does most often; empty if it is not known.
    pub c_function: String,
}

/// What one sample shows.
struct Moment<'a> {
    worker: u64,
    /// The time that it stands for, nanoseconds.
    time_ns: u64,
    category: Category,
    /// Whether it does not need a PU: its wait for one is that for its turn to be looked at.
    is_asleep: bool,
    used: Option<Used>,
    code: u64,
    frame: Option<Frame<'a>>,
}

impl Moment<'_> {
    /// A worker whose share is done.
    const fn without_work() -> Self {
        Self {
            worker: 0,
            time_ns: 0,
            category: Category::NoWork,
            is_asleep: true,
            used: None,
            code: 0,
            frame: None,
        }
    }
}

/// Memory that a worker uses or waits for.
#[derive(Clone, Copy)]
struct Used {
    address: u64,
    /// Whether this alone can make others wait.
    writes: bool,
    waits: bool,
}

/// Finds out what the workers of a process did.
#[must_use]
pub fn profile(workers: &[WorkerSamples<'_>], image: &Image<'_>, sampling: &Sampling<'_>) -> Profile {
    let accesses = Accesses::default();
    let mut moments = Vec::new();
    let mut shares = BTreeMap::<Category, f64>::new();
    for worker in workers {
        for window in sampling.windows {
            let mut last_ns = window.makespan.start_ns;
            for sample in inside(&worker.samples, window.makespan) {
                let since_ns = sample.time_ns.saturating_sub(last_ns);
                last_ns = sample.time_ns;
                let share = window.shares.get(&worker.thread_id);
                let works =
                    share.is_some_and(|share| (share.start_ns..=share.end_ns).contains(&sample.time_ns));
                let mut moment = if works {
                    moment(sample, image, &accesses, sampling.is_free_threaded)
                } else {
                    Moment::without_work()
                };
                moment.worker = worker.thread_id;
                moment.time_ns = if since_ns > MAX_PERIODS * sampling.period_ns && !moment.is_asleep {
                    let waited_ns = since_ns - sampling.period_ns;
                    *shares.entry(Category::WithoutCpu).or_default() += waited_ns as f64;
                    sampling.period_ns
                } else {
                    since_ns
                };
                moments.push(moment);
            }
        }
    }
    let found = contended(&moments);
    for moment in &moments {
        let category = match moment.used {
            // What waits for a line to be read waits for what is written there.
            Some(used) if moment.category == Category::Interpreter => {
                let line = found.get(&line_of(used.address));
                line.and_then(|line| line.category).unwrap_or(&moment.category)
            }
            _ => &moment.category,
        };
        *shares.entry(category.clone()).or_default() += moment.time_ns as f64;
    }
    let total: f64 = shares.values().sum();
    if total > 0.0 {
        shares.values_mut().for_each(|share| *share /= total);
    }
    let mut lines: Vec<Line> = found.into_values().map(|found| found.line).collect();
    lines.sort_by(|a, b| b.share.total_cmp(&a.share));
    lines.truncate(MAX_LINES);
    Profile {
        shares,
        lines,
        has_symbols: image.has_symbols(),
        samples: moments.len() as u64,
        lost: workers.iter().map(|worker| worker.lost).sum(),
    }
}

/// The samples of a worker in this time. They are in the order of time.
fn inside<'s, 'a>(samples: &'s [Sample<'a>], span: Span) -> &'s [Sample<'a>] {
    let from = samples.partition_point(|sample| sample.time_ns < span.start_ns);
    let to = samples.partition_point(|sample| sample.time_ns <= span.end_ns);
    samples.get(from..to).unwrap_or_default()
}

fn moment<'l>(
    sample: &Sample<'_>,
    image: &Image<'l>,
    accesses: &Accesses,
    is_free_threaded: bool,
) -> Moment<'l> {
    let stack = image.stack(sample, category::is_loop);
    let code = image.instructions_at(sample.instruction_pointer());
    let in_system_call = code.as_ref().is_some_and(|code| code.in_system_call());
    let by_stack = category::of_stack(&stack, in_system_call);
    let frame = stack.iter().find(|frame| !category::is_outlined(frame)).copied();
    let (category, used) = if in_system_call {
        let waits = category::sleeps_for_lock(&stack, &by_stack);
        let lock = waits.then(|| lock_waited_for(sample));
        (by_stack, lock)
    } else {
        let code = code.filter(|_| is_free_threaded);
        let access = code.and_then(|code| accesses.at(&code, &sample.registers));
        let by_access = access.zip(frame).and_then(|(access, frame)| {
            category::of_atomic(&access, &frame, is_free_threaded)
                .filter(|_| by_stack == Category::Interpreter)
        });
        (by_access.unwrap_or(by_stack), access.map(used_by))
    };
    Moment {
        worker: 0,
        time_ns: 0,
        category,
        is_asleep: in_system_call,
        used,
        code: sample.frames.first().copied().unwrap_or_default(),
        frame: stack
            .into_iter()
            .find(|frame| frame.function.is_some() && !category::is_outlined(frame)),
    }
}

fn used_by(access: Access) -> Used {
    Used {
        address: access.address,
        writes: access.writes,
        waits: false,
    }
}

/// The lock that a worker sleeps for. Locks of 3.14 and those inside the interpreter are words in memory. A thread that
/// waits for one has a `struct wait_entry` on its stack, in which the lock's address comes right before the semaphore
/// that it sleeps on (Python/parking_lot.c). The locks of `threading` are semaphores themselves before 3.14.
fn lock_waited_for(sample: &Sample<'_>) -> Used {
    let semaphore = sample.registers[FIRST_ARGUMENT];
    let before = semaphore.wrapping_sub(size_of::<u64>() as u64);
    Used {
        address: sample.stack_word(before).unwrap_or(semaphore),
        writes: false,
        waits: true,
    }
}

const fn line_of(address: u64) -> u64 {
    address / LINE_BYTES
}

/// A contended line, and what is done with it.
struct Found<'m> {
    line: Line,
    /// The most frequent category of what writes it; `None` if that is the interpreter in general.
    category: Option<&'m Category>,
}

/// Returns the lines that are waited for, or that several workers use and at least one writes, by number.
fn contended<'m>(moments: &'m [Moment<'_>]) -> HashMap<u64, Found<'m>> {
    let mut lines: HashMap<u64, Vec<(&Moment<'_>, Used)>> = HashMap::new();
    for moment in moments {
        if let Some(used) = moment.used {
            lines
                .entry(line_of(used.address))
                .or_default()
                .push((moment, used));
        }
    }
    lines.retain(|_, uses| {
        let share = uses.len() as f64 / moments.len() as f64;
        let waits = uses.iter().filter(|(_, used)| used.waits).count();
        let by_worker = counts(uses.iter().map(|(moment, _)| moment.worker));
        let users = by_worker
            .iter()
            .filter(|(_, count)| *count >= MIN_SAMPLES)
            .count();
        let is_written = uses.iter().any(|(_, used)| used.writes);
        share >= MIN_SHARE && (waits >= MIN_SAMPLES || (users >= 2 && is_written))
    });
    let found = lines.into_iter().map(|(number, uses)| {
        let decisive = || uses.iter().filter(|(_, used)| used.writes || used.waits);
        let first = |counts: Vec<(u64, usize)>| counts.first().map_or(0, |(value, _)| *value);
        let code = counts(
            uses.iter()
                .map(|(moment, _)| moment.code)
                .filter(|&code| code != 0),
        );
        let c_functions = decisive().filter_map(|(moment, _)| match &moment.category {
            Category::InterpreterLock(taker) => Some(taker.as_str()),
            _ => moment.frame.and_then(|frame| frame.function),
        });
        let categories = counts(decisive().map(|(moment, _)| &moment.category));
        let line = Line {
            address: first(counts(decisive().map(|(_, used)| used.address))),
            share: uses.len() as f64 / moments.len() as f64,
            workers: uses
                .iter()
                .map(|(moment, _)| moment.worker)
                .collect::<BTreeSet<_>>()
                .len()
                .try_into()
                .unwrap_or(u32::MAX),
            code: code
                .into_iter()
                .take(MAX_FUNCTIONS)
                .map(|(code, _)| code)
                .collect(),
            c_function: counts(c_functions)
                .first()
                .map_or_else(String::new, |(name, _)| (*name).to_owned()),
        };
        let category = categories.first().map(|(category, _)| *category);
        (
            number,
            Found {
                line,
                category: category.filter(|category| **category != Category::Interpreter),
            },
        )
    });
    found.collect()
}

/// How often each value occurs; the most frequent first, and of equally frequent ones the least.
fn counts<T: Eq + Hash + Ord + Copy>(values: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{FRAMES, REGISTERS};

    const PERIOD_NS: u64 = 1000;

    fn moments(uses: &[(u64, u64, bool, usize)], others: usize) -> Vec<Moment<'static>> {
        let moment = |worker, used| Moment {
            worker,
            time_ns: PERIOD_NS,
            category: Category::Interpreter,
            is_asleep: false,
            used,
            code: 7,
            frame: None,
        };
        let mut moments: Vec<Moment<'_>> = (0..others).map(|_| moment(1, None)).collect();
        for &(worker, address, writes, times) in uses {
            let used = Used {
                address,
                writes,
                waits: false,
            };
            moments.extend((0..times).map(|_| moment(worker, Some(used))));
        }
        moments
    }

    fn addresses(moments: &[Moment<'_>]) -> Vec<u64> {
        let mut found: Vec<u64> = contended(moments)
            .values()
            .map(|found| found.line.address)
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn line_is_contended_when_two_workers_use_it_and_one_writes_it() {
        let read_by_one = [(1, 0x1008, true, 10), (2, 0x1010, false, 10)];
        assert_eq!(addresses(&moments(&read_by_one, 80)), [0x1008]);
        let only_read = [(1, 0x1008, false, 10), (2, 0x1010, false, 10)];
        assert_eq!(addresses(&moments(&only_read, 80)), [0; 0]);
        let own = [(1, 0x1008, true, 10), (2, 0x1040, true, 10)];
        assert_eq!(addresses(&moments(&own, 80)), [0; 0]);
        assert_eq!(addresses(&moments(&read_by_one, 8000)), [0; 0], "rare");
        let by_chance = [(1, 0x1008, true, 10), (2, 0x1008, true, 1)];
        assert_eq!(addresses(&moments(&by_chance, 10)), [0; 0]);
    }

    #[test]
    fn contended_line_has_its_users() {
        let moments = moments(&[(1, 0x1008, true, 10), (2, 0x1010, false, 10)], 80);
        let found = contended(&moments);
        let line = &found[&line_of(0x1008)].line;
        assert_eq!((line.workers, line.code.as_slice()), (2, &[7][..]));
        assert!((line.share - 0.2).abs() < 1e-9, "{}", line.share);
    }

    fn sample(time_ns: u64) -> Sample<'static> {
        Sample {
            time_ns,
            registers: [0; REGISTERS],
            frames: [0; FRAMES],
            stack: &[],
        }
    }

    #[test]
    fn time_is_that_between_samples_and_long_gaps_are_waits_for_a_pu() {
        let times = [500, 1500, 2500, 7500, 9500, 12_500];
        let worker = WorkerSamples {
            thread_id: 3,
            lost: 2,
            samples: times.map(sample).to_vec(),
        };
        let window = Window {
            makespan: Span {
                start_ns: 500,
                end_ns: 10_000,
            },
            shares: BTreeMap::from([(
                3,
                Span {
                    start_ns: 500,
                    end_ns: 7500,
                },
            )]),
        };
        let libraries = BTreeMap::new();
        let image = Image::new(&[], &libraries);
        let sampling = Sampling {
            windows: &[window],
            period_ns: PERIOD_NS,
            is_free_threaded: true,
        };
        let profile = profile(&[worker], &image, &sampling);
        assert_eq!((profile.samples, profile.lost), (5, 2));
        let expected = [
            (Category::WithoutCpu, 4.0 / 9.0),
            (Category::NoWork, 2.0 / 9.0),
            (Category::Unknown, 3.0 / 9.0),
        ];
        assert_eq!(profile.shares.len(), expected.len());
        for (category, share) in expected {
            assert!((profile.shares[&category] - share).abs() < 1e-9, "{category:?}");
        }
    }

    #[test]
    fn lock_is_found_on_the_stack_of_what_waits_for_it() {
        let stack: Vec<u8> = [1_u64, 0x7777, 3]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        let mut parked = Sample {
            stack: &stack,
            ..sample(0)
        };
        parked.registers[crate::registers::machine::STACK_POINTER] = 0x5000;
        parked.registers[FIRST_ARGUMENT] = 0x5010;
        assert_eq!(lock_waited_for(&parked).address, 0x7777);
        parked.registers[FIRST_ARGUMENT] = 0x9000;
        assert_eq!(lock_waited_for(&parked).address, 0x9000);
    }
}
