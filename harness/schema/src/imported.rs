//! Where a run comes from that another tool measured.

use serde::{Deserialize, Serialize};

/// What a run was imported from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFacts {
    /// The format, such as `pyperf`.
    pub format: String,
    /// Version of the tool that measured; empty when the files do not tell.
    pub tool_version: String,
    /// The files.
    pub files: Vec<ImportedFile>,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes as they lay there, hexadecimal.
    pub sha256: String,
}
