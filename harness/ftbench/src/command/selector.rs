//! How commands name runs.

use std::path::Path;

/// A run or a folder of runs, named as `RUN`, or as `RUN#NAME` for one interpreter or arm of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The interpreter or arm; `None` for all of the run.
    pub name: Option<&'a str>,
}

impl<'a> Selector<'a> {
    /// Parses a word. A `#` that is part of the name of an existing folder does not split it.
    pub fn of(word: &'a str) -> Self {
        match word.rsplit_once('#') {
            Some((folder, name)) if !Path::new(word).exists() => Self {
                folder: Path::new(folder),
                name: Some(name),
            },
            _ => Self {
                folder: Path::new(word),
                name: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn folder_with_a_hash_in_its_name_is_not_split() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run#1");
        std::fs::create_dir(&folder).unwrap();
        let word = folder.to_str().unwrap();
        let whole = Selector {
            folder: &folder,
            name: None,
        };
        assert_eq!(Selector::of(word), whole);
        let part = format!("{word}#3.13t");
        let name = Some("3.13t");
        assert_eq!(Selector::of(&part), Selector { name, ..whole });
    }
}
