//! Arms: several versions of the user's code in one run, and the commit that a version is of.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::summary::{Difference, Estimate};

/// What an arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArmKind {
    /// A workload file: each arm runs its own.
    File,
    /// A folder of modules, which comes first on the module path of the arm's trials.
    Folder,
    /// A wheel, which is installed into the arm's environments.
    Wheel,
}

impl ArmKind {
    /// The words for it in messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "a workload file",
            Self::Folder => "a folder of modules",
            Self::Wheel => "a wheel",
        }
    }
}

/// A state of a version control system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitFacts {
    /// Its name, for git the full hash where it is known.
    pub id: String,
    /// When it was committed, RFC 3339; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
    /// Whether the files that were measured differ from it; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
}

/// One version of the user's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmFacts {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ArmKind,
    /// The file or folder.
    pub path: String,
    /// SHA-256, hexadecimal: of the file, or of all names and contents in the folder; `None` for a folder that is too
    /// large to read through.
    pub sha256: Option<String>,
    /// The commit of the git repository that it is in; `None` where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// How an arm compares with the first one, everything else being equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmRatio {
    /// The cell of the arm; its fields read as the ratio's own.
    #[serde(flatten)]
    pub cell: Cell,
    /// The first arm, which others are compared with.
    pub base: String,
    /// Rounds in which both have a usable trial.
    pub rounds: u32,
    /// The base's time over the arm's, paired by round: above 1 the arm is faster.
    pub ratio: Estimate,
    /// Whether that is called a difference.
    pub difference: Difference,
}

impl ArmRatio {
    /// The name of the arm that is compared; empty in a damaged summary.
    #[must_use]
    pub fn arm_name(&self) -> &str {
        self.cell.arm.as_deref().unwrap_or_default()
    }
}

impl Deref for ArmRatio {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}
