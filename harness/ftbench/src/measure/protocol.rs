//! Messages between the driver and a worker: one JSON object per line, over one pipe in each direction.
//!
//! The messages of a trial: worker `hello`; driver `prepare`, worker `ready`; for every sample driver `sample`, worker
//! `sample`; driver `finish`, worker `finished`. Instead of any answer a worker may send `failed`, after which
//! the driver ends it. `ftbench explain` sends requests to the sampler before and after samples. `harness/worker/examples/` has one stored example of each, which the tests of both sides read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ftbench_schema::{CallFacts, CommandFacts, Format, Model, ObjectFacts, Scaling, ThreadPool, TrialStatus};

/// Version of the messages; a worker that speaks another one is refused.
pub const PROTOCOL_VERSION: u32 = 7;

/// A message from the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Load the workload, set it up and start the workers. May be sent again, with other units, when calibrating.
    Prepare {
        /// Version of the messages.
        protocol: u32,
        /// The workload's name.
        workload: String,
        /// Where its functions are.
        #[serde(flatten)]
        entry: Box<Entry>,
        /// How workers run.
        model: Model,
        /// How many workers.
        workers: u32,
        /// Units of work in one sample.
        units: u64,
        /// Whether they are split among the workers.
        scaling: Scaling,
        /// The PUs (OS indices) of a command that is the client of a server; empty when it is not bound.
        client_pus: Vec<u32>,
        /// How long this step may take, seconds.
        time_limit_s: f64,
    },
    /// Take one sample.
    Sample {
        /// Its number in the trial.
        sample: u32,
    },
    /// Prepare to look at what the workers do, for `ftbench explain`.
    OpenSampler {
        /// Absolute path of the sampler's library.
        library: String,
        /// Space for what is seen of one worker, bytes.
        worker_bytes: u64,
    },
    /// Look at each worker once every so often.
    SetSampling {
        /// The time from one look to the next, nanoseconds; 0 to look no longer.
        period_ns: u64,
    },
    /// Write what was seen into a file.
    SaveSamples,
    /// Find the objects at addresses in the worker's process.
    Resolve {
        /// The addresses.
        addresses: Vec<u64>,
        /// Addresses of code objects.
        code: Vec<u64>,
    },
    /// End the workers and exit.
    Finish,
}

/// Where the functions of a workload are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Absolute path of its file or, for a callable, of the folder that comes first on `sys.path`.
    pub path: String,
    /// The case of that file, whose functions end in `_` and this name; `None` for a file without cases.
    pub case: Option<String>,
    /// The tool that the file was written for, which gives its cases their names; `None` for anything else.
    pub format: Option<Format>,
    /// Arguments of a script for another tool.
    pub arguments: Vec<String>,
    /// `package.module:function`, which is called as it is, once per unit; `None` for a file.
    pub callable: Option<String>,
    /// A statement that is executed once per unit; `None` for anything else.
    pub call: Option<CallFacts>,
    /// A program that is started for each sample; `None` for anything else.
    pub command: Option<CommandFacts>,
    /// Folder whose modules come before all others, even those beside the workload; `None` without one.
    pub module_folder: Option<String>,
    /// `package.module:function`, which makes event loops; `None` for the workload's own, or asyncio's.
    pub loop_factory: Option<String>,
}

/// The ids that a worker reports for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerIdentity {
    /// Operating-system process id.
    pub process_id: i32,
    /// Operating-system thread id.
    pub thread_id: i32,
}

/// One worker's part of a sample, as the worker measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredShare {
    /// Process that did it.
    pub process_id: i32,
    /// Thread that did it.
    pub thread_id: i32,
    /// When `work` was entered, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When `work` returned, same clock.
    pub end_ns: u64,
}

/// A message from a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// It has started.
    Hello {
        /// Version of the messages.
        protocol: u32,
        /// Its process id.
        process_id: i32,
        /// Version of Python, such as `3.13.15`; empty from a native worker.
        python: String,
        /// Whether the GIL is on.
        gil_enabled: bool,
    },
    /// Every worker waits for work.
    Ready {
        /// Whether the GIL is on, after imports, in any of the trial's processes.
        gil_enabled: bool,
        /// The module that switched it on.
        gil_enabled_by: Option<String>,
        /// Time to create the pool until every worker had reported, without `setup`, nanoseconds.
        startup_ns: u64,
        /// Start method of the process pool.
        start_method: Option<String>,
        /// Time that importing the user's module took, without the modules that it imports, nanoseconds; `None`
        /// without one.
        import_ns: Option<u64>,
        /// Number of Python threads that the import left running.
        import_threads: Option<u32>,
        /// The workers, in order.
        workers: Vec<WorkerIdentity>,
    },
    /// One sample was taken.
    Sample {
        /// Its number in the trial.
        sample: u32,
        /// When the work was handed out, `CLOCK_MONOTONIC`, nanoseconds.
        start_ns: u64,
        /// When the last result was back, same clock.
        end_ns: u64,
        /// Whether the GIL is on in any of the trial's processes.
        gil_enabled: bool,
        /// The module that switched it on.
        gil_enabled_by: Option<String>,
        /// Garbage collections, of any generation, in the interpreters of the workers; `None` from a native worker.
        collections: Option<u64>,
        /// Their total time, nanoseconds; `None` from a native worker.
        collection_ns: Option<u64>,
        /// The time of the longest one, nanoseconds; `None` from a native worker.
        longest_collection_ns: Option<u64>,
        /// One entry per share of the work, in order.
        shares: Vec<MeasuredShare>,
        /// What the workload's `report` returned, by name.
        #[serde(default)]
        reported: BTreeMap<String, f64>,
    },
    /// The sampler is ready.
    SamplerOpened {
        /// Whether it sees Python functions.
        has_frames: bool,
        /// Whether objects can be found at addresses.
        knows_objects: bool,
    },
    /// The workers are looked at as requested.
    SamplingSet,
    /// What was seen is in a file.
    SamplesSaved {
        /// Its path.
        path: String,
        /// The process's `/proc/self/maps`.
        mappings: String,
    },
    /// The objects at addresses, and the names of functions, in the order of the request.
    Resolved {
        /// The objects; `None` where none is known.
        objects: Vec<Option<ObjectFacts>>,
        /// The names of the functions of code objects; `None` where it is not known.
        functions: Vec<Option<String>>,
    },
    /// The workload failed.
    Failed {
        /// The step: `import`, `setup`, `start`, `split`, `work`, `check` or `report`.
        step: String,
        /// `Failed`, `WrongResult` or `Skipped`.
        status: TrialStatus,
        /// The exception, in one line.
        error: String,
        /// The end of its traceback.
        traceback: String,
    },
    /// The workers are gone.
    Finished {
        /// Thread pools of native libraries in the worker's own process.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        thread_pools: Vec<ThreadPool>,
    },
}
