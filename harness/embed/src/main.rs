//! ftbench's embedded host: a Rust program with a Python interpreter inside.
//!
//! `ftbench-embed PYTHON ARGUMENT...` behaves as `PYTHON ARGUMENT...` does, with the interpreter in this process and a
//! built-in module `ftbench_embed` that brings a pool of Rust threads. ftbench's worker finds that module and runs the
//! model `threads` on it.

mod pool;

use std::ffi::{CString, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use pyo3::prelude::*;

use pool::Pool;

const USAGE: &str = "usage: ftbench-embed PYTHON ARGUMENT... (ftbench itself starts it)";

/// The module that the worker finds in this program and in no other.
#[pymodule(gil_used = false)]
fn ftbench_embed(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Pool>()
}

fn main() -> ExitCode {
    // The words of a command line contain no NUL.
    let words: Vec<CString> = std::env::args_os()
        .skip(1)
        .filter_map(|word: OsString| CString::new(word.into_vec()).ok())
        .collect();
    if words.is_empty() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    pyo3::append_to_inittab!(ftbench_embed);
    let status = run_python(&words);
    ExitCode::from(u8::try_from(status).unwrap_or(1))
}

/// Runs the interpreter's own main function with these words. The first one is its executable, which becomes
/// `sys.executable` and from whose location the interpreter finds its library.
#[allow(unsafe_code, reason = "pyo3 starts interpreters through its C functions only")]
fn run_python(words: &[CString]) -> c_int {
    let mut pointers: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    let count = c_int::try_from(words.len()).unwrap_or(c_int::MAX);
    // SAFETY: `pointers` holds `count` C strings, which outlive the call and which Python copies instead of writing to,
    // and a terminating null, like the `argv` of a C program. No interpreter has been started in this process.
    unsafe { pyo3::ffi::Py_BytesMain(count, pointers.as_mut_ptr()) }
}
