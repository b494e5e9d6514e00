//! The only part that starts processes, binds cores and reads clocks.

mod binding;
pub mod calibrate;
pub mod cgroup;
pub mod channel;
mod conduct;
pub mod environment;
mod extra_threads;
pub mod failure;
pub mod guard;
pub mod guarded;
pub mod interrupt;
pub mod launch;
pub mod limits;
pub mod made;
pub mod native_worker;
pub mod protocol;
pub mod reaper;
pub mod rounds;
mod said;
mod scratch;
pub mod session;
pub mod stamps;
pub mod trial;
