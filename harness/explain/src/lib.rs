//! From samples of the workers' registers and stacks to what they spend their time on and what they contend for.
//!
//! Pure: bytes of a sampler's file, of mapped files and of `/proc/PID/maps` in, an explanation out. The sampler itself is
//! in `harness/sampler`, and `docs/explain.md` describes what can be concluded.
//!
//! - [`registers`] has their places in samples.
//! - [`samples`] reads the sampler's file.
//! - [`image`] knows the functions of a process, and unwinds stacks.
//! - [`access`] finds the memory that a worker used at the moment of a sample, by the instructions of x86-64 or AArch64.
//! - [`category`] says what a stack of functions is doing.
//! - [`profile`] puts these together for one process.
//! - [`report`] compares the processes of all rounds.

pub mod access;
pub mod category;
pub mod image;
pub mod profile;
pub mod registers;
pub mod report;
pub mod samples;
