//! What tells code from other code of the same name and version, for a run that is gone on with.

use serde::{Deserialize, Serialize};

/// Tells a build of an interpreter from another one of the same version that was put in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildIdentity {
    /// The whole of `sys.version`, with the date of the build and the compiler; empty where it is not told.
    #[serde(default)]
    pub version_text: String,
    /// The file that the interpreter is in: the shared libpython that it runs, else the executable that really runs,
    /// links resolved; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file, hexadecimal; `None` where nobody looked, and where it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A module or package of the user's own that a workload imports from the folder that comes first on its module path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFacts {
    /// Its name, without those of packages inside of it.
    pub name: String,
    /// The file, or the folder of the package.
    pub path: String,
    /// SHA-256, hexadecimal: of the file, or of the names and contents of all modules in the folder; `None` for what
    /// cannot be read, or is too large to be read through.
    pub sha256: Option<String>,
}
