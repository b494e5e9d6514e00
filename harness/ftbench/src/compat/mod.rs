//! Finds out which packages of a dependency tree work on which builds: resolves the tree, installs it into an environment
//! per build, imports every module, and calls functions from several threads.

mod attempt;
mod contents;
mod lock_file;
mod request;
mod resolve;
mod stress;
mod tried;
mod wheel;

pub use attempt::AttemptError;
pub use contents::ContentsError;
pub use request::{Request, RequestError};
pub use resolve::{Resolution, ResolveError, Resolved, Resolver, name_of};
pub use stress::imports;
pub use tried::{BuildResult, Options, Plan, TryError, try_build};
