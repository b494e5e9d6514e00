//! Interpreters as the words of the command line request them. Pure.

use std::path::{Path, PathBuf};

use ftbench_schema::{Switches, Tag, TagError};

/// An interpreter as the user requests it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// By its tag.
    Tag(Tag),
    /// By its path.
    Path(PathBuf, Switches),
    /// By a tag or a path, under a name that the user gives it: `new` in `new=/opt/python/bin/python3.13`.
    Named(String, Box<Self>),
    /// By a word that is neither; [`select`](super::select::select) reports what is wrong with it and what there is.
    NotATag(TagError),
}

impl Wanted {
    /// Parses a word of the command line. A word with a `/` in it is a path. Like a tag, a path may end with switches,
    /// provided that no file has the whole name and one has the name without them. A name and a `=` may precede a tag
    /// or a path, provided that no file has the whole word as its name.
    pub(super) fn new(word: &str, exists: impl Fn(&Path) -> bool) -> Self {
        match word.split_once('=') {
            Some((name, of)) if is_name(name) && !of.is_empty() && !exists(Path::new(word)) => {
                Self::Named(name.to_owned(), Box::new(Self::unnamed(of, exists)))
            }
            _ => Self::unnamed(word, exists),
        }
    }

    fn unnamed(word: &str, exists: impl Fn(&Path) -> bool) -> Self {
        let Some((folder, name)) = word.rsplit_once('/') else {
            return word.parse().map_or_else(Self::NotATag, Self::Tag);
        };
        let whole = PathBuf::from(word);
        let Some((name, switches)) = name.split_once('+') else {
            return Self::Path(whole, Switches::NONE);
        };
        let path = PathBuf::from(format!("{folder}/{name}"));
        if name.is_empty() || exists(&whole) || !exists(&path) {
            return Self::Path(whole, Switches::NONE);
        }
        match Switches::parse(switches, word) {
            Ok(switches) => Self::Path(path, switches),
            Err(error) => Self::NotATag(error),
        }
    }

    /// Whether the request is a tag, which several interpreters may match.
    pub(super) fn is_tag(&self) -> bool {
        match self {
            Self::Tag(_) => true,
            Self::Named(_, wanted) => wanted.is_tag(),
            Self::Path(..) | Self::NotATag(_) => false,
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path, _) => Some(path),
            Self::Named(_, wanted) => wanted.path(),
            Self::Tag(_) | Self::NotATag(_) => None,
        }
    }
}

/// Whether this can be the name of an interpreter.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
}

/// The paths among the requests, for [`discover`](super::discover).
pub(super) fn wanted_paths(wanted: &[Wanted]) -> Vec<PathBuf> {
    let paths = wanted.iter().filter_map(Wanted::path);
    paths.map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ftbench_schema::Switch;

    /// Parses a word where these files exist.
    fn read(word: &str, there: &[&str]) -> Wanted {
        Wanted::new(word, |path| there.contains(&path.to_str().unwrap()))
    }

    #[test]
    fn words_are_tags_or_paths() {
        let path = |path: &str, switches: &[Switch]| Wanted::Path(path.into(), Switches::of(switches));
        for tag in ["3.13t", "3.13t+gil"] {
            assert_eq!(read(tag, &[]), Wanted::Tag(tag.parse().unwrap()));
        }
        assert_eq!(read("./python", &[]), path("./python", &[]));
        assert!(matches!(read("python3.13", &[]), Wanted::NotATag(_)));
        assert_eq!(
            read("/a/python+gil", &["/a/python"]),
            path("/a/python", &[Switch::Gil])
        );
        assert_eq!(
            read("/a/python+gil", &["/a/python", "/a/python+gil"]),
            path("/a/python+gil", &[])
        );
        assert_eq!(read("/a/python+gil", &[]), path("/a/python+gil", &[]));
        assert_eq!(read("/c++/python", &["/c"]), path("/c++/python", &[]));
        assert_eq!(read("/a/+gil", &["/a/"]), path("/a/+gil", &[]));
        assert!(matches!(
            read("/a/python+foo", &["/a/python"]),
            Wanted::NotATag(_)
        ));
    }

    #[test]
    fn name_may_precede_a_tag_or_path() {
        assert!(
            matches!(read("a=./b", &["a=./b"]), Wanted::Path(..)),
            "a file of that name"
        );
        assert!(matches!(read("./a=b/c", &[]), Wanted::Path(..)), "not a name");
        assert!(matches!(read("a=b", &[]), Wanted::Named(..)));
        assert!(matches!(read("a=", &[]), Wanted::NotATag(_)));
    }

    #[test]
    fn wanted_paths_leave_out_tags() {
        let wanted = ["3.13", "/a", "x", "new=/b"].map(|word| read(word, &[]));
        assert_eq!(wanted_paths(&wanted), [PathBuf::from("/a"), PathBuf::from("/b")]);
    }
}
