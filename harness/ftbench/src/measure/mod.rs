//! Runs trials: the only part that starts them, binds their workers and reads clocks around their samples.

mod binding;
pub mod calibrate;
pub mod channel;
mod conduct;
pub mod environment;
mod extra_threads;
pub mod failure;
pub mod launch;
pub mod made;
pub mod native_worker;
pub mod protocol;
pub mod rounds;
pub mod runner;
mod said;
pub mod session;
pub mod stamps;
pub mod trial;
