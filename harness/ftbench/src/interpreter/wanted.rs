//! What the words of the command line ask for. Pure.

use std::path::{Path, PathBuf};

use ftbench_schema::{Switches, Tag, TagError};

/// An interpreter as the user asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// By its tag.
    Tag(Tag),
    /// By its path.
    Path(PathBuf, Switches),
    /// As before, and called so: `new` of `new=/opt/python/bin/python3.13`.
    Named(String, Box<Self>),
    /// By a word that is neither; [`select`](super::select::select) tells what is wrong with it and what there is.
    NotATag(TagError),
}

impl Wanted {
    /// What a word asks for: what has a `/` in it is a path. Such a path may end with switches, as a tag does, if there
    /// is nothing of that whole name and there is something of the name without them. A name and a `=` may stand before
    /// either, if there is nothing of the whole name.
    pub(super) fn new(word: &str, is_there: impl Fn(&Path) -> bool) -> Self {
        match word.split_once('=') {
            Some((name, of)) if is_name(name) && !of.is_empty() && !is_there(Path::new(word)) => {
                Self::Named(name.to_owned(), Box::new(Self::unnamed(of, is_there)))
            }
            _ => Self::unnamed(word, is_there),
        }
    }

    fn unnamed(word: &str, is_there: impl Fn(&Path) -> bool) -> Self {
        let Some((folder, name)) = word.rsplit_once('/') else {
            return word.parse().map_or_else(Self::NotATag, Self::Tag);
        };
        let whole = PathBuf::from(word);
        let Some((name, switches)) = name.split_once('+') else {
            return Self::Path(whole, Switches::NONE);
        };
        let path = PathBuf::from(format!("{folder}/{name}"));
        if name.is_empty() || is_there(&whole) || !is_there(&path) {
            return Self::Path(whole, Switches::NONE);
        }
        match Switches::read(switches, word) {
            Ok(switches) => Self::Path(path, switches),
            Err(error) => Self::NotATag(error),
        }
    }

    /// Whether it is a tag, which any of several interpreters may fit.
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

/// Whether an interpreter can be called so.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
}

/// The paths among what is wanted, for [`discover`](super::discover).
pub(super) fn wanted_paths(wanted: &[Wanted]) -> Vec<PathBuf> {
    let paths = wanted.iter().filter_map(Wanted::path);
    paths.map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ftbench_schema::Switch;

    /// What a word asks for where there are these files.
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
    fn a_name_may_stand_before() {
        assert!(
            matches!(read("a=./b", &["a=./b"]), Wanted::Path(..)),
            "a file of that name"
        );
        assert!(matches!(read("./a=b/c", &[]), Wanted::Path(..)), "no name");
        assert!(matches!(read("a=b", &[]), Wanted::Named(..)));
        assert!(matches!(read("a=", &[]), Wanted::NotATag(_)));
    }

    #[test]
    fn paths_are_told_apart_from_tags() {
        let wanted = ["3.13", "/a", "x", "new=/b"].map(|word| read(word, &[]));
        assert_eq!(wanted_paths(&wanted), [PathBuf::from("/a"), PathBuf::from("/b")]);
    }
}
