//! Threads and processes of a trial other than those of its model: what `work`, or an import before it, has started.
//!
//! Linux lets a new thread inherit the binding of the thread that starts it (sched_setaffinity(2)), so everything that
//! a bound worker starts shares the worker's PU.

use std::collections::{BTreeMap, BTreeSet};

use procfs::process::Process;

use super::processes::ProcessesReading;
use crate::process::tree;

/// The threads that ftbench started a trial with: its workers, and those that hand out the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelThreads {
    main_process: i32,
    /// Process id and thread id.
    workers: BTreeSet<(i32, i32)>,
}

impl ModelThreads {
    /// The threads of a trial with the first process `main_process` and workers with these process and thread ids.
    #[must_use]
    pub fn new(main_process: i32, workers: impl IntoIterator<Item = (i32, i32)>) -> Self {
        Self {
            main_process,
            workers: workers.into_iter().collect(),
        }
    }

    fn hosts_workers(&self, process_id: i32) -> bool {
        let threads = (process_id, i32::MIN)..=(process_id, i32::MAX);
        self.workers.range(threads).next().is_some()
    }

    /// Whether a process only hands work out: the main process, where the workers are processes. No work runs there.
    fn serves_only(&self, process_id: i32) -> bool {
        process_id == self.main_process && !self.hosts_workers(process_id)
    }

    /// Whether a thread is one of the model's.
    fn includes(&self, process_id: i32, thread_id: i32) -> bool {
        self.workers.contains(&(process_id, thread_id))
            || (process_id == self.main_process && thread_id == process_id)
            || self.serves_only(process_id)
    }
}

/// The readings from which the CPU time of extra threads is computed.
#[derive(Debug, Clone, Copy)]
pub struct CpuReading<'a> {
    /// CPU time of each process that was there when the workers were ready, nanoseconds, by process id.
    pub clocks_ns: &'a BTreeMap<i32, u64>,
    /// CPU time of all processes that were started since, dead or alive, nanoseconds.
    pub children_ns: u64,
    /// The threads of the former.
    pub processes: &'a ProcessesReading,
}

/// CPU time of all threads and processes that are not the model's between two readings, nanoseconds. Threads that ended
/// meanwhile are included: it is the CPU time of each process minus that of the model's threads. `None` where the
/// kernel does not report the CPU time of a thread, or when a process or a thread of the model has ended.
///
/// The readings of threads must enclose those of clocks. Then the time between the two counts as the model's, so that
/// the result is never too large.
#[must_use]
pub fn cpu_time_between(model: &ModelThreads, before: CpuReading<'_>, after: CpuReading<'_>) -> Option<u64> {
    let mut extra_ns = after.children_ns.saturating_sub(before.children_ns);
    for (&process_id, &earlier_ns) in before.clocks_ns {
        if model.serves_only(process_id) {
            continue;
        }
        let used_ns = after.clocks_ns.get(&process_id)?.saturating_sub(earlier_ns);
        let mut models_ns = 0_u64;
        let threads = (process_id, i32::MIN)..=(process_id, i32::MAX);
        for (id, thread) in before.processes.threads.range(threads) {
            if model.includes(id.0, id.1) {
                let later_ns = after.processes.threads.get(id)?.cpu_time_ns?;
                models_ns = models_ns.saturating_add(later_ns.saturating_sub(thread.cpu_time_ns?));
            }
        }
        extra_ns = extra_ns.saturating_add(used_ns.saturating_sub(models_ns));
    }
    Some(extra_ns)
}

/// A thread at the moment of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenThread {
    /// Its process.
    pub process_id: i32,
    /// Its id.
    pub thread_id: i32,
    /// Whether it runs or waits for a PU.
    pub is_runnable: bool,
    /// The PU that it runs on, or waits for, or last ran on; `None` where the kernel does not report it.
    pub pu: Option<i32>,
}

/// The result of one look at the threads of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Threads other than those of the model in the processes that host workers, and all threads of processes that
    /// were started since the workers were ready.
    pub extra: u32,
    /// Whether one of them was runnable on a PU where another, or a worker, was too.
    pub is_contended: bool,
}

/// The threads of a process at this moment; none when it is gone.
fn threads_now(process_id: i32) -> Vec<SeenThread> {
    let tasks = Process::new(process_id).and_then(|process| process.tasks());
    let Ok(tasks) = tasks else { return Vec::new() };
    let seen = |stat: procfs::process::Stat| SeenThread {
        process_id,
        thread_id: stat.pid,
        is_runnable: stat.state == 'R',
        pu: stat.processor,
    };
    tasks
        .filter_map(|task| task.ok()?.stat().ok())
        .map(seen)
        .collect()
}

/// Looks at the threads of a trial whose processes were `known` when the workers were ready.
#[must_use]
pub fn look(model: &ModelThreads, known: &[i32]) -> Look {
    let below = tree::descendants(model.main_process).unwrap_or_default();
    let processes: BTreeSet<i32> = below.into_iter().chain([model.main_process]).collect();
    let threads: Vec<SeenThread> = processes.into_iter().flat_map(threads_now).collect();
    judge(model, known, &threads)
}

/// Counts the extra threads among these, and decides whether one contends for a PU.
#[must_use]
pub fn judge(model: &ModelThreads, known: &[i32], threads: &[SeenThread]) -> Look {
    // Workers and extra threads that are runnable, by PU.
    let mut runnable: BTreeMap<i32, (u32, u32)> = BTreeMap::new();
    let mut extra = 0;
    for thread in threads {
        let is_worker = model.workers.contains(&(thread.process_id, thread.thread_id));
        if !is_worker && model.includes(thread.process_id, thread.thread_id) {
            continue;
        }
        let was_there = known.contains(&thread.process_id);
        extra += u32::from(!is_worker && (model.hosts_workers(thread.process_id) || !was_there));
        if let Some(pu) = thread.pu.filter(|_| thread.is_runnable) {
            let here = runnable.entry(pu).or_default();
            here.0 += u32::from(is_worker);
            here.1 += u32::from(!is_worker);
        }
    }
    Look {
        extra,
        is_contended: runnable
            .values()
            .any(|&(workers, extra)| extra > 0 && workers + extra > 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::channel;

    use proptest::prelude::*;

    use super::super::processes::Thread;
    use super::*;

    /// Process 7 with the main thread 7 and the workers 71 and 72.
    fn two_threads() -> ModelThreads {
        ModelThreads::new(7, [(7, 71), (7, 72)])
    }

    /// A pool in process 7, with the workers 8 and 9.
    fn two_processes() -> ModelThreads {
        ModelThreads::new(7, [(8, 8), (9, 9)])
    }

    fn runnable(process_id: i32, thread_id: i32, pu: i32) -> SeenThread {
        SeenThread {
            process_id,
            thread_id,
            is_runnable: true,
            pu: Some(pu),
        }
    }

    fn asleep(process_id: i32, thread_id: i32) -> SeenThread {
        SeenThread {
            is_runnable: false,
            ..runnable(process_id, thread_id, 0)
        }
    }

    /// What a trial has used so far.
    struct Used {
        clocks_ns: BTreeMap<i32, u64>,
        children_ns: u64,
        processes: ProcessesReading,
    }

    impl Used {
        /// Processes and threads with their CPU times, nanoseconds.
        fn new(processes: &[(i32, u64)], threads: &[((i32, i32), u64)]) -> Self {
            let thread = |&(id, ns): &((i32, i32), u64)| {
                let thread = Thread {
                    cpu_time_ns: Some(ns),
                    ..Thread::default()
                };
                (id, thread)
            };
            Self {
                clocks_ns: processes.iter().copied().collect(),
                children_ns: 0,
                processes: ProcessesReading {
                    threads: threads.iter().map(thread).collect(),
                    ..ProcessesReading::default()
                },
            }
        }

        fn with_children(mut self, children_ns: u64) -> Self {
            self.children_ns = children_ns;
            self
        }
    }

    fn between(model: &ModelThreads, before: &Used, after: &Used) -> Option<u64> {
        let [before, after] = [before, after].map(|used| CpuReading {
            clocks_ns: &used.clocks_ns,
            children_ns: used.children_ns,
            processes: &used.processes,
        });
        cpu_time_between(model, before, after)
    }

    #[test]
    fn ended_threads_used_what_the_models_threads_did_not() {
        let before = Used::new(&[(7, 100)], &[((7, 7), 40), ((7, 71), 30), ((7, 72), 30)]);
        let after = Used::new(&[(7, 1_000)], &[((7, 7), 60), ((7, 71), 130), ((7, 72), 230)]);
        assert_eq!(
            between(&two_threads(), &before, &after),
            Some(900 - 20 - 100 - 200)
        );
        // One that is alive counts no less.
        let mut alive = after;
        let extra = Thread {
            cpu_time_ns: Some(300),
            ..Thread::default()
        };
        alive.processes.threads.insert((7, 73), extra);
        assert_eq!(between(&two_threads(), &before, &alive), Some(580));
    }

    #[test]
    fn late_readings_count_as_the_models() {
        let before = Used::new(&[(7, 100)], &[((7, 7), 39), ((7, 71), 30), ((7, 72), 30)]);
        let after = Used::new(&[(7, 500)], &[((7, 7), 60), ((7, 71), 230), ((7, 72), 231)]);
        assert_eq!(between(&two_threads(), &before, &after), Some(0));
    }

    #[test]
    fn the_main_process_of_a_pool_of_processes_only_serves_it() {
        let before = Used::new(
            &[(7, 10), (8, 10), (9, 10)],
            &[((7, 7), 9), ((8, 8), 10), ((9, 9), 10)],
        );
        let after = Used::new(
            &[(7, 90), (8, 50), (9, 80)],
            &[((7, 7), 20), ((8, 8), 50), ((9, 9), 55)],
        );
        assert_eq!(between(&two_processes(), &before, &after), Some(25));
    }

    #[test]
    fn cpu_time_of_children_counts() {
        let threads = [((7, 7), 0), ((7, 71), 0), ((7, 72), 0)];
        let used = || Used::new(&[(7, 0)], &threads);
        let before = used().with_children(510);
        let after = used().with_children(710);
        assert_eq!(between(&two_threads(), &before, &after), Some(200));
    }

    #[test]
    fn missing_figures_make_the_result_unknown() {
        let threads = [((7, 7), 0), ((7, 71), 0), ((7, 72), 0)];
        let before = Used::new(&[(7, 0)], &threads);
        let mut silent = Used::new(&[(7, 900)], &threads);
        silent.processes.threads.insert((7, 71), Thread::default());
        assert_eq!(between(&two_threads(), &before, &silent), None);
        let without_a_worker = Used::new(&[(7, 900)], &threads[..2]);
        assert_eq!(between(&two_threads(), &before, &without_a_worker), None);
        let gone = Used::new(&[], &threads);
        assert_eq!(between(&two_threads(), &before, &gone), None);
    }

    #[test]
    fn look_skips_the_models_threads() {
        let threads = [runnable(7, 7, 0), runnable(7, 71, 0), runnable(7, 72, 1)];
        assert_eq!(judge(&two_threads(), &[7], &threads), Look::default());
        // The pool's own threads in its main process, and a process that it started.
        let threads = [
            runnable(7, 7, 0),
            runnable(7, 70, 0),
            runnable(8, 8, 0),
            runnable(9, 9, 1),
            asleep(6, 6),
        ];
        assert_eq!(judge(&two_processes(), &[6, 7, 8, 9], &threads), Look::default());
    }

    #[test]
    fn threads_contend_for_a_pu_that_several_are_ready_to_run_on() {
        let contended = |threads: &[SeenThread]| {
            let Look { extra, is_contended } = judge(&two_threads(), &[7], threads);
            (extra, is_contended)
        };
        let worker = [asleep(7, 7), runnable(7, 71, 0)];
        let with = |more: &[SeenThread]| contended(&[&worker, more].concat());
        assert_eq!(with(&[runnable(7, 80, 0)]), (1, true), "with a worker");
        assert_eq!(with(&[asleep(7, 80), asleep(7, 81)]), (2, false), "none is ready");
        assert_eq!(with(&[runnable(7, 80, 1)]), (1, false), "on another PU");
        assert_eq!(
            with(&[runnable(7, 80, 1), runnable(7, 81, 1)]),
            (2, true),
            "with each other"
        );
        assert_eq!(
            with(&[runnable(20, 20, 1), runnable(21, 21, 1)]),
            (2, true),
            "as processes"
        );
        assert_eq!(
            contended(&[asleep(7, 71), runnable(7, 80, 0)]),
            (1, false),
            "alone"
        );
    }

    #[test]
    fn a_thread_of_this_process_is_seen() {
        let me = i32::try_from(std::process::id()).unwrap();
        let this_thread = nix::unistd::gettid().as_raw();
        let (end, ended) = channel::<()>();
        let thread = std::thread::spawn(move || ended.recv());
        let seen = look(&ModelThreads::new(me, [(me, this_thread)]), &[me]);
        drop(end);
        assert!(thread.join().unwrap().is_err());
        assert!(seen.extra >= 1);
    }

    proptest! {
        #[test]
        fn the_models_threads_alone_are_never_extra(
            threads in prop::collection::vec((prop::sample::select(vec![7, 71, 72]), any::<bool>(), 0..3), 0..9),
        ) {
            let seen: Vec<SeenThread> = threads
                .into_iter()
                .map(|(thread_id, is_runnable, pu)| SeenThread { is_runnable, ..runnable(7, thread_id, pu) })
                .collect();
            prop_assert_eq!(judge(&two_threads(), &[7], &seen), Look::default());
        }
    }
}
