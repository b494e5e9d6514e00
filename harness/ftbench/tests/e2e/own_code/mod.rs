//! The user's own code: packages that are installed for it, functions measured as they are, and a file to start from.

mod arms;
mod callables;
mod environments;
mod failures;
mod new;
mod workshop;
