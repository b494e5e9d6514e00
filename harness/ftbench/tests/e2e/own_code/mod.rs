//! The user's own code: its packages, its functions, two versions of it, and the template for a workload.

mod arms;
mod callables;
mod environments;
mod failures;
mod foreign;
mod loops;
mod memory;
mod new;
mod programs;
mod scripts;
mod servers;
mod workshop;
