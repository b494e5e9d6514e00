//! Starts, limits and ends processes: everything that a run starts is below a [`guard`], in a [`trial_group`] where the
//! system has control groups, and the [`reaper`] ends it, even if it tries to escape.

pub(crate) mod bounded;
pub mod control_groups;
pub mod guard;
pub mod guarded_program;
pub mod interrupt;
pub mod limits;
pub mod quota;
pub mod reaper;
mod scratch;
pub mod tree;
pub mod trial_group;
