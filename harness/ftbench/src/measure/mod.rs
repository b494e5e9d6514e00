//! Runs trials. Nothing else starts them, binds their workers or reads clocks around their samples.

mod binding;
pub mod calibrate;
mod cell_health;
pub mod channel;
pub mod environment;
mod extra_threads;
pub mod failure;
pub mod finished_trials;
pub mod launch;
pub mod native_worker;
pub mod protocol;
pub mod rounds;
pub mod runner;
pub mod sampled;
pub mod session;
pub mod stamps;
pub mod trial;
mod worker_text;
