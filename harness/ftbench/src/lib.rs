//! ftbench measures how Python code scales over cores, on GIL and free-threaded builds of CPython.
//!
//! Data flows one way: [`plan`] lays out the cells, [`measure`] runs them, [`record`] keeps what was measured,
//! `ftbench_analyse` makes estimates of it and `ftbench_present` shows them. All may use `ftbench_schema`, the plain
//! data. [`native`] has the kernels of the ceiling, which [`measure`] runs beside the workloads; [`doctor`] looks at the
//! machine beforehand; [`cargo_build`] builds what needs an interpreter. [`import`] makes runs of what other tools
//! measured. [`cli`] and [`command`] put them together for the command line.

pub mod assets;
pub mod cargo_build;
pub mod cli;
pub mod command;
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
