//! Writes and reads run folders.

mod error;
pub mod file_name;
pub mod fleet;
pub mod folder;
pub mod history;
pub mod line;
mod lines;
mod log;
pub mod samples;
pub mod store;
mod trials_file;
