//! The guard, a process between ftbench and the worker of a trial, and the messages between ftbench and the guard.
//!
//! [`driver_side`] is the half that runs in ftbench itself, [`guard_side`] the half that runs in the guard.

pub mod driver_side;
pub mod guard_side;
