//! A pool of Rust threads that run Python callables.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The stack of each thread, in bytes: the default of Linux for the main thread and Python's own threads. Rust's 2 MiB
/// would stop deep recursions before the interpreter's own limit does.
const STACK_BYTES: usize = 8 << 20;

/// One call, and the channel for its outcome.
struct Task {
    function: Py<PyAny>,
    arguments: Py<PyTuple>,
    place: usize,
    done: Sender<Done>,
}

/// The outcome of a call.
struct Done {
    place: usize,
    result: PyResult<Py<PyAny>>,
}

struct Worker {
    tasks: Sender<Task>,
    thread: JoinHandle<()>,
}

/// A pool of Rust threads, which are attached to the interpreter only while they run a call.
#[pyclass(frozen, module = "ftbench_embed")]
pub struct Pool {
    workers: Mutex<Vec<Worker>>,
}

#[pymethods]
impl Pool {
    /// Starts the threads.
    #[new]
    fn new(workers: usize) -> PyResult<Self> {
        let workers = (0..workers).map(|_| start()).collect::<PyResult<_>>()?;
        Ok(Self {
            workers: Mutex::new(workers),
        })
    }

    /// Calls `function` once for each tuple of arguments, the first one on the first thread and so on, and returns the
    /// results in that order. The first exception is raised without waiting for the other calls. The caller is detached
    /// while it waits.
    fn run(
        &self,
        py: Python<'_>,
        function: Py<PyAny>,
        arguments: Vec<Py<PyTuple>>,
    ) -> PyResult<Vec<Py<PyAny>>> {
        let (sender, receiver) = channel();
        let calls = arguments.len();
        {
            let workers = self.workers.lock().map_err(|_| closed())?;
            if calls > workers.len() {
                return Err(PyValueError::new_err(format!(
                    "{calls} calls for {} threads",
                    workers.len()
                )));
            }
            for ((place, arguments), worker) in arguments.into_iter().enumerate().zip(workers.iter()) {
                let task = Task {
                    function: function.clone_ref(py),
                    arguments,
                    place,
                    done: sender.clone(),
                };
                worker.tasks.send(task).map_err(|_| closed())?;
            }
        }
        // Without this sender, the receiver notices when every thread has ended.
        drop(sender);
        py.detach(move || collect(receiver, calls))
    }

    /// Ends the threads once they have finished their calls.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let workers = std::mem::take(&mut *self.workers.lock().map_err(|_| closed())?);
        py.detach(move || {
            for Worker { tasks, thread } in workers {
                drop(tasks);
                thread.join().map_err(|_| closed())?;
            }
            Ok(())
        })
    }
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("a thread of the embedded host's pool has ended")
}

fn start() -> PyResult<Worker> {
    let (tasks, received) = channel();
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || serve(received))
        .map_err(|error| PyOSError::new_err(error.to_string()))?;
    Ok(Worker { tasks, thread })
}

/// The loop of one thread. Attaches for each call, like a program that calls Python now and then.
fn serve(tasks: Receiver<Task>) {
    for task in tasks {
        let Task {
            function,
            arguments,
            place,
            done,
        } = task;
        let result = Python::attach(|py| {
            let result = function.call1(py, arguments.bind(py));
            // The reference counts decrease while attached, and before the caller continues.
            drop((function, arguments));
            result
        });
        // The caller attaches when it wakes up. The receiver is gone when another call has failed.
        let _ = done.send(Done { place, result });
    }
}

/// Waits for all calls, or for the first one that raises.
fn collect(receiver: Receiver<Done>, calls: usize) -> PyResult<Vec<Py<PyAny>>> {
    let mut results: Vec<(usize, Py<PyAny>)> = Vec::with_capacity(calls);
    for _ in 0..calls {
        let Done { place, result } = receiver.recv().map_err(|_| closed())?;
        results.push((place, result?));
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
