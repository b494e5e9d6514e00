//! Functions that call into and out of Rust, in two modules that differ in one declaration: whether they need the GIL.
//!
//! An extension module that does not declare that it runs without the GIL (`Py_mod_gil`, PEP 703) switches it on again
//! when a free-threaded build imports it. The library holds both kinds, so that workloads can show the difference.

use std::hint::black_box;

use pyo3::prelude::*;

/// A linear congruential generator for 64-bit words: C. Haynes's multiplier (D. E. Knuth, The Art of Computer
/// Programming, volume 2, section 3.3.4, table 1) and the increment of Knuth's MMIX.
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;

/// The state after this one.
#[pyfunction]
fn step(state: u64) -> u64 {
    state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)
}

/// The state after `steps` steps, computed while the thread is attached to the interpreter: on a GIL build no other
/// thread runs Python code meanwhile.
#[pyfunction]
fn steps_attached(state: u64, steps: u64) -> u64 {
    // Without the black box the compiler would merge several steps into one multiplication.
    (0..steps).fold(state, |state, _| step(black_box(state)))
}

/// The state after `steps` steps, with the thread detached: other threads run Python code meanwhile, on every build.
#[pyfunction]
fn steps_detached(py: Python<'_>, state: u64, steps: u64) -> u64 {
    py.detach(|| steps_attached(state, steps))
}

/// The sum, modulo 2^64, of the results of a Python function for the numbers in `0..calls`: out of Rust and back for each.
#[pyfunction]
fn sum_of_calls(function: &Bound<'_, PyAny>, calls: u64) -> PyResult<u64> {
    (0..calls).try_fold(0_u64, |sum, number| {
        let value: u64 = function.call1((number,))?.extract()?;
        Ok(sum.wrapping_add(value))
    })
}

/// Declares that it runs without the GIL.
#[pymodule(gil_used = false)]
mod ftbench_rust {
    #[pymodule_export]
    use super::{step, steps_attached, steps_detached, sum_of_calls};
}

/// Declares that it needs the GIL, like every module without a declaration.
#[pymodule(gil_used = true)]
mod ftbench_rust_gil {
    #[pymodule_export]
    use super::{step, steps_attached, steps_detached, sum_of_calls};
}
