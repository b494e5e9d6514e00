//! What a worker is doing, by the functions on its stack.

use crate::access::Access;
use crate::image::{Frame, Origin};

/// What a worker spends time on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Python code and the built-in types, with the reference counts that no other worker uses.
    Interpreter,
    /// Reference counts of objects that other workers use too.
    SharedReferenceCounts,
    /// Taking, waiting for or releasing a lock of CPython's own. With the C function that takes it.
    InterpreterLock(String),
    /// Waiting for the GIL.
    Gil,
    /// Locks of Python code: those of `threading`, `queue` and others that use `_thread`'s.
    PythonLock,
    /// Stopping the other threads, or stopped by one of them.
    StoppedWorld,
    /// Garbage collection.
    GarbageCollection,
    /// Allocating and freeing memory.
    Allocation,
    /// Other system calls, input and output.
    SystemCalls,
    /// An extension module or a library, by name.
    Library(String),
    /// Ready to run, but the system ran something else.
    WithoutCpu,
    /// Its share is done, and another worker's is not.
    NoWork,
    /// A function of the interpreter without a name, which may be in any of the categories above. With its file.
    Unnamed(String),
    /// None of these: not even the file is known.
    Unknown,
}

/// The interpreter's loop over bytecode. What called it belongs to other Python functions.
const LOOP: &str = "_PyEval_EvalFrameDefault";

/// The functions of the loop in builds whose instructions call each other.
const LOOP_PREFIX: &str = "_TAIL_CALL_";

/// Functions that wait for the GIL (Python/ceval_gil.c).
const GIL: [&str; 3] = ["take_gil", "drop_gil", "recreate_gil"];

/// Functions that stop threads (Python/pystate.c).
const STOPPING_WORLD: [&str; 4] = [
    "stop_the_world",
    "start_the_world",
    "_PyEval_StopTheWorld",
    "_PyThreadState_Suspend",
];

/// The function in which a stopped thread waits (Python/pystate.c). Some builds inline it into the second one.
const STOPPED: [&str; 2] = ["tstate_wait_attach", ATTACH];
const ATTACH: &str = "_PyThreadState_Attach";

/// The beginnings of the names of functions that collect garbage (Python/gc.c, Python/gc_free_threading.c).
const GARBAGE_COLLECTION: [&str; 3] = ["gc_collect", "_PyGC_Collect", "_Py_RunGC"];

/// The beginnings of the names of methods of locks and of `SimpleQueue` (Modules/_threadmodule.c, Modules/_queuemodule.c).
const PYTHON_LOCKS: [&str; 6] = [
    "lock_PyThread_",
    "rlock_",
    "acquire_timed",
    "_thread_lock_",
    "_thread_RLock_",
    "_queue_SimpleQueue_",
];

/// The beginnings of the names of functions that implement locks (Python/lock.c, Python/parking_lot.c,
/// Python/critical_section.c).
const LOCKS: [&str; 16] = [
    "_PyMutex_",
    "PyMutex_",
    "mutex_",
    "_PyParkingLot_",
    "_PySemaphore_",
    "_PyRawMutex_",
    "_PyCriticalSection",
    "PyCriticalSection",
    "_PyRecursiveMutex_",
    "_PyRWMutex_",
    "rwmutex_",
    "_PyOnceFlag_",
    "_PySeqLock_",
    "_PyEvent_",
    "PyEvent_",
    "_Py_yield",
];

/// Functions in which a thread detaches and attaches, as it does around a wait (Python/pystate.c, Python/ceval.c).
const ATTACHING: [&str; 6] = [
    "PyEval_ReleaseThread",
    "PyEval_AcquireThread",
    ATTACH,
    "_PyThreadState_Detach",
    "detach_thread",
    "tstate_try_attach",
];

/// The beginnings of the names of functions for reference counts that several threads use (Objects/object.c). Owners
/// count theirs without a call.
const REFERENCE_COUNTS: [&str; 5] = [
    "_Py_DecRefShared",
    "_Py_MergeZeroLocalRefcount",
    "_Py_ExplicitMergeRefcount",
    "_Py_TryIncRefShared",
    "_Py_TryIncrefCompare",
];

/// The beginnings of the names of allocators (Objects/obmalloc.c, Objects/mimalloc, Python/gc_free_threading.c).
const ALLOCATION: [&str; 18] = [
    "mi_",
    "_mi_",
    "_PyObject_Malloc",
    "_PyObject_Calloc",
    "_PyObject_Realloc",
    "_PyObject_Free",
    "_PyObject_Mi",
    "PyObject_Malloc",
    "PyObject_Free",
    "PyMem_",
    "_PyMem_",
    "_PyObject_GC_New",
    "gc_alloc",
    "PyObject_GC_Del",
    "malloc",
    "free",
    "calloc",
    "realloc",
];

/// Functions of the C library that do not sleep in their system calls: a worker is about to look at a lock again, or wakes
/// another one that sleeps for it.
const AWAKE: [&str; 6] = [
    "sched_yield",
    "__sched_yield",
    "sem_post",
    "pthread_cond_signal",
    "pthread_cond_broadcast",
    "pthread_mutex_unlock",
];

/// Whether a worker that is in a system call with this stack sleeps until a lock is free.
#[must_use]
pub fn sleeps_for_lock(stack: &[Frame<'_>], category: &Category) -> bool {
    let leaf = stack.first().and_then(|frame| frame.function);
    matches!(category, Category::PythonLock | Category::InterpreterLock(_))
        && !leaf.is_some_and(|function| AWAKE.contains(&function))
}

/// Whether a function is a single atomic operation, which compilers for AArch64 call. It is its caller's.
#[must_use]
pub fn is_outlined(frame: &Frame<'_>) -> bool {
    frame.function.is_some_and(|name| name.starts_with("__aarch64_"))
}

/// Whether what called a function belongs to another Python function.
#[must_use]
pub fn is_loop(frame: &Frame<'_>) -> bool {
    frame.origin == Some(Origin::Interpreter)
        && frame
            .function
            .is_some_and(|name| name == LOOP || name.starts_with(LOOP_PREFIX))
}

/// What an atomic access in code of the interpreter itself is for, which is inlined into many functions; `None` for all
/// others. `is_free_threaded` is whether threads run at the same time.
///
/// Atomic additions and comparisons of 64 bits are those of reference counts: `ob_ref_shared` of objects, and the counts of
/// the keys of dicts (Include/internal/pycore_object.h). Those of a byte are of `PyMutex`.
#[must_use]
pub fn of_atomic(access: &Access, frame: &Frame<'_>, is_free_threaded: bool) -> Option<Category> {
    if !access.is_atomic || !is_free_threaded || frame.origin != Some(Origin::Interpreter) {
        return None;
    }
    match access.size_bytes {
        8 if !access.only_exchanges => Some(Category::SharedReferenceCounts),
        1 => Some(Category::InterpreterLock(
            frame.function.unwrap_or_default().to_owned(),
        )),
        _ => None,
    }
}

/// What a worker with this stack, innermost function first, is doing.
#[must_use]
pub fn of_stack(stack: &[Frame<'_>], in_system_call: bool) -> Category {
    let own = || {
        let known = stack
            .iter()
            .filter(|frame| frame.origin == Some(Origin::Interpreter));
        known.filter_map(|frame| frame.function)
    };
    let any_is = |names: &[&str]| own().any(|function| names.contains(&function));
    let any_starts = |names: &[&str]| own().any(|function| starts(function, names));
    if any_is(&GIL) {
        return Category::Gil;
    }
    // A thread also attaches after a wait for a lock.
    let outside_locks = || own().find(|function| !starts(function, &LOCKS));
    let is_in_lock = own().next().is_some_and(|function| starts(function, &LOCKS));
    let is_stopped = is_in_lock && outside_locks().is_some_and(|function| STOPPED.contains(&function));
    if is_stopped || any_is(&STOPPING_WORLD) {
        return Category::StoppedWorld;
    }
    if any_starts(&GARBAGE_COLLECTION) {
        return Category::GarbageCollection;
    }
    let in_any = |names: &[&str]| {
        let functions = stack.iter().filter_map(|frame| frame.function);
        functions.into_iter().any(|function| starts(function, names))
    };
    if in_any(&PYTHON_LOCKS) {
        return Category::PythonLock;
    }
    if any_starts(&LOCKS) {
        let outside = own().find(|function| !starts(function, &LOCKS) && !ATTACHING.contains(function));
        return Category::InterpreterLock(outside.unwrap_or_default().to_owned());
    }
    let innermost = stack
        .iter()
        .find_map(|frame| frame.function.map(|function| (frame, function)));
    if let Some((frame, function)) = innermost
        && frame.origin != Some(Origin::Library)
        && starts(function, &ALLOCATION)
    {
        return Category::Allocation;
    }
    let caller = stack.iter().find(|frame| frame.origin != Some(Origin::System));
    if in_system_call {
        // Without a name, it may be a lock that waits.
        return match caller {
            Some(frame) if is_unnamed(frame) => Category::Unnamed(frame.library.to_owned()),
            _ => Category::SystemCalls,
        };
    }
    let Some(leaf) = stack.first() else {
        return Category::Unknown;
    };
    match leaf.origin {
        Some(Origin::Interpreter) => match leaf.function {
            Some(function) if starts(function, &REFERENCE_COUNTS) => Category::SharedReferenceCounts,
            Some(_) => Category::Interpreter,
            None => Category::Unnamed(leaf.library.to_owned()),
        },
        Some(Origin::Library) => Category::Library(leaf.library.to_owned()),
        // A library that uses the system's, or the interpreter itself.
        Some(Origin::System) => match caller {
            Some(frame) if frame.origin == Some(Origin::Library) => {
                Category::Library(frame.library.to_owned())
            }
            _ => Category::Library(leaf.library.to_owned()),
        },
        None => Category::Unknown,
    }
}

fn is_unnamed(frame: &Frame<'_>) -> bool {
    frame.origin == Some(Origin::Interpreter) && frame.function.is_none()
}

fn starts(function: &str, names: &[&str]) -> bool {
    names.iter().any(|name| function.starts_with(name))
}

impl Category {
    /// Its name, without what it is in particular.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::SharedReferenceCounts => "shared reference counts",
            Self::InterpreterLock(_) => "CPython's locks",
            Self::Gil => "waiting for the GIL",
            Self::PythonLock => "locks of Python code",
            Self::StoppedWorld => "stopping the world",
            Self::GarbageCollection => "garbage collection",
            Self::Allocation => "allocation",
            Self::SystemCalls => "system calls",
            Self::Library(_) => "library",
            Self::WithoutCpu => "waiting for a PU",
            Self::NoWork => "no work left",
            Self::Unnamed(_) => "functions without names",
            Self::Unknown => "unknown",
        }
    }

    /// The C function that takes the lock, or the library; `None` for other categories and if it is not known.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::InterpreterLock(name) if name == LOOP => Some("the interpreter's loop"),
            Self::InterpreterLock(name) | Self::Library(name) | Self::Unnamed(name) => {
                Some(name.as_str()).filter(|name| !name.is_empty())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(origin: Origin, library: &'static str, function: &'static str) -> Frame<'static> {
        Frame {
            origin: Some(origin),
            library,
            function: (!function.is_empty()).then_some(function),
        }
    }

    /// A stack of functions of the interpreter, innermost first; those in capitals are the system's.
    fn stack(functions: &[&'static str]) -> Vec<Frame<'static>> {
        let frame = |function: &&'static str| match *function {
            "SYSTEM" => frame(Origin::System, "libc.so.6", ""),
            name => frame(Origin::Interpreter, "python3", name),
        };
        functions.iter().map(frame).collect()
    }

    fn waiting(functions: &[&'static str]) -> Category {
        of_stack(&stack(functions), true)
    }

    #[test]
    fn a_wait_belongs_to_what_waits() {
        const PARKED: [&str; 4] = [
            "SYSTEM",
            "_PySemaphore_Wait",
            "_PyParkingLot_Park",
            "_PyMutex_LockTimed",
        ];
        let in_lock_of = |takers: &[&'static str]| waiting(&[&PARKED, takers, &[LOOP]].concat());
        assert_eq!(in_lock_of(&["lock_PyThread_acquire_lock"]), Category::PythonLock);
        assert_eq!(
            in_lock_of(&["_PyCriticalSection_BeginSlow", "PyDict_SetItem"]),
            Category::InterpreterLock("PyDict_SetItem".to_owned())
        );
        assert_eq!(
            waiting(&["SYSTEM", "take_gil", "_PyThreadState_Attach", LOOP]),
            Category::Gil
        );
        assert_eq!(
            waiting(&["SYSTEM", "_PyParkingLot_Park", "tstate_wait_attach", LOOP]),
            Category::StoppedWorld
        );
        assert_eq!(
            in_lock_of(&[ATTACH, "_PyParkingLot_Park", "PyDict_SetItem"]),
            Category::StoppedWorld,
            "after the lock was free"
        );
        assert_eq!(waiting(&["SYSTEM", "os_read", LOOP]), Category::SystemCalls);
        assert_eq!(
            waiting(&["SYSTEM", "", LOOP]),
            Category::Unnamed("python3".to_owned())
        );
    }

    #[test]
    fn worker_that_looks_at_a_lock_again_or_wakes_another_does_not_sleep_for_it() {
        let taking = stack(&["_PyMutex_LockTimed", "PyDict_SetItem", LOOP]);
        let with_leaf = |function| {
            let leaf = frame(Origin::System, "libc.so.6", function);
            [&[leaf], taking.as_slice()].concat()
        };
        let lock = Category::InterpreterLock("PyDict_SetItem".to_owned());
        assert!(sleeps_for_lock(&with_leaf(""), &lock));
        assert!(sleeps_for_lock(&with_leaf(""), &Category::PythonLock));
        for awake in ["sched_yield", "sem_post"] {
            assert!(!sleeps_for_lock(&with_leaf(awake), &lock), "{awake}");
        }
        assert!(!sleeps_for_lock(&with_leaf(""), &Category::SystemCalls));
    }

    #[test]
    fn allocation_in_a_collection_is_the_collections() {
        let running = |functions| of_stack(&stack(functions), false);
        assert_eq!(running(&["mi_free", "list_dealloc", LOOP]), Category::Allocation);
        assert_eq!(running(&["SYSTEM", "malloc", LOOP]), Category::Allocation);
        assert_eq!(
            running(&["mi_free", "gc_collect_main", LOOP]),
            Category::GarbageCollection
        );
        assert_eq!(
            running(&["_Py_DecRefShared", LOOP]),
            Category::SharedReferenceCounts
        );
        assert_eq!(running(&[LOOP]), Category::Interpreter);
        assert_eq!(running(&[""]), Category::Unnamed("python3".to_owned()));
        assert_eq!(running(&[]), Category::Unknown);
    }

    #[test]
    fn system_functions_are_those_of_the_library_that_calls_them() {
        let random = frame(Origin::Library, "_random", "random_random");
        let system = frame(Origin::System, "libc.so.6", "memcpy");
        let of = |stack: &[Frame<'_>]| of_stack(stack, false);
        assert_eq!(of(&[random]), Category::Library("_random".to_owned()));
        assert_eq!(of(&[system, random]), Category::Library("_random".to_owned()));
        assert_eq!(of(&[system]), Category::Library("libc.so.6".to_owned()));
    }

    #[test]
    fn atomic_access_of_the_interpreter_is_a_reference_count_or_a_lock_by_its_size() {
        let access = |size_bytes, adds: bool| Access {
            address: 0x1000,
            size_bytes,
            is_atomic: true,
            writes: true,
            only_exchanges: !adds,
        };
        let place = frame(Origin::Interpreter, "python3", "list_get");
        let of = |access, free_threaded| of_atomic(&access, &place, free_threaded);
        assert_eq!(of(access(8, true), true), Some(Category::SharedReferenceCounts));
        assert_eq!(of(access(8, true), false), None);
        assert_eq!(of(access(8, false), true), None);
        assert_eq!(of(access(4, true), true), None);
        let lock = Category::InterpreterLock("list_get".to_owned());
        assert_eq!(of(access(1, false), true), Some(lock));
        let library = frame(Origin::Library, "_random", "random_random");
        assert_eq!(of_atomic(&access(8, true), &library, true), None);
    }
}
