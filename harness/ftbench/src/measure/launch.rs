//! How the process of each cell is started.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use ftbench_schema::{Cell, Host, Kernel, Model};

use super::environment::THREAD_COUNT_VARIABLES;
use super::protocol::Entry;

/// Everything needed to start a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program: an interpreter, a program with one inside, or ftbench itself.
    pub executable: PathBuf,
    /// Arguments that make it run the worker; `--channel` and its descriptors are appended.
    pub arguments: Vec<String>,
    /// Its whole environment, apart from the hash seed.
    pub environment: BTreeMap<String, String>,
    /// Names of variables that have the same value for any number of workers, because the user set them.
    pub fixed_variables: Vec<String>,
    /// Where the worker finds the workload.
    pub entry: Entry,
}

/// Variables by which a program learns how many PUs it may use: ftbench's own, and that of `os.process_cpu_count()`
/// (Python 3.13). Libraries have theirs ([`THREAD_COUNT_VARIABLES`]).
const WORKER_COUNT_VARIABLES: [&str; 2] = ["FTBENCH_WORKERS", "PYTHON_CPU_COUNT"];

impl Launch {
    /// Returns the launch of this cell. Work that divides itself finds the number of workers in its environment.
    #[must_use]
    pub fn for_workers(&self, cell: &Cell) -> Cow<'_, Self> {
        if cell.model != Model::Internal && self.entry.command.is_none() {
            return Cow::Borrowed(self);
        }
        let mut launch = self.clone();
        let free = |variable: &&str| !self.fixed_variables.iter().any(|fixed| fixed == variable);
        let variables = WORKER_COUNT_VARIABLES.into_iter().chain(THREAD_COUNT_VARIABLES);
        for variable in variables.filter(free) {
            launch
                .environment
                .insert(variable.to_owned(), cell.workers.to_string());
        }
        Cow::Owned(launch)
    }
}

/// The arguments that make an interpreter a worker.
#[must_use]
pub fn python_arguments() -> Vec<String> {
    ["-s", "-X", "faulthandler", "-m", "ftbench_worker"]
        .map(str::to_owned)
        .to_vec()
}

/// The arguments that make ftbench a worker of the ceiling.
#[must_use]
pub fn native_arguments(kernel: Kernel) -> Vec<String> {
    ["native-worker", "--kernel", kernel.name()]
        .map(str::to_owned)
        .to_vec()
}

/// What decides how a cell's process is started. Cells that differ only in model and workers have the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    interpreter: String,
    host: Host,
    workload: String,
    arm: Option<String>,
}

impl Key {
    fn of(cell: &Cell) -> Self {
        Self {
            interpreter: cell.interpreter.clone(),
            host: cell.host,
            workload: cell.workload.clone(),
            arm: cell.arm.clone(),
        }
    }
}

/// How the process of each cell is started, or why it cannot be.
#[derive(Debug, Clone, Default)]
pub struct Launches {
    known: HashMap<Key, Result<Launch, String>>,
}

impl Launches {
    /// Whether it is recorded how cells like this one are started, or why they cannot be.
    #[must_use]
    pub fn knows(&self, cell: &Cell) -> bool {
        self.known.contains_key(&Key::of(cell))
    }

    /// Records how cells like this one are started or, in one line, why they cannot be.
    pub fn insert(&mut self, cell: &Cell, launch: Result<Launch, String>) {
        self.known.insert(Key::of(cell), launch);
    }

    /// How this cell's process is started.
    ///
    /// # Errors
    /// When it cannot be started; the error says why, in one line.
    pub fn of(&self, cell: &Cell) -> Result<&Launch, String> {
        match self.known.get(&Key::of(cell)) {
            Some(Ok(launch)) => Ok(launch),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err(format!("it is not known how to start {cell}")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::records::cell;
    use ftbench_schema::Model;

    #[test]
    fn cells_that_differ_in_model_and_workers_are_started_alike() {
        let serial = cell("3.13t", Model::Serial, 1);
        let launch = Launch {
            executable: PathBuf::from("/python"),
            arguments: python_arguments(),
            environment: BTreeMap::new(),
            fixed_variables: Vec::new(),
            entry: Entry::default(),
        };
        let mut launches = Launches::default();
        launches.insert(&serial, Ok(launch.clone()));
        let mut threads = serial.clone();
        threads.model = Model::Threads;
        threads.workers = 8;
        assert_eq!(launches.of(&threads).unwrap(), &launch);
        let mut embedded = serial;
        embedded.host = Host::Embed;
        assert!(!launches.knows(&embedded));
        launches.insert(&embedded, Err("cargo is missing".to_owned()));
        assert_eq!(launches.of(&embedded).unwrap_err(), "cargo is missing");
    }
}
