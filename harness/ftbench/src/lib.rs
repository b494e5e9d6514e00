//! ftbench measures how Python code scales over cores, on GIL and free-threaded builds of CPython.
//!
//! Data flows one way: [`plan`] lays out the cells, [`measure`] runs them, [`record`] stores the measurements,
//! `ftbench_analyse` computes estimates from them, and `ftbench_present` shows the estimates. All of them may use
//! `ftbench_schema`, the plain data. [`native`] has the kernels of the ceiling, which [`measure`] runs beside the
//! workloads. [`doctor`] checks the machine before a run. [`cargo_build`] builds programs and extensions for an
//! interpreter. [`import`] converts the results of other tools to runs. [`cli`] and [`command`] combine these parts
//! into the command line program.

pub mod archive;
pub mod assets;
pub mod cargo_build;
pub mod cli;
pub mod command;
pub mod compat;
pub mod doctor;
pub mod error;
#[cfg(test)]
mod file_tree;
pub mod import;
pub mod interpreter;
pub mod machine;
pub mod measure;
pub mod native;
pub mod outside;
pub mod plan;
pub mod process;
pub mod record;
pub mod services;
pub mod terminal;
pub mod workload;
