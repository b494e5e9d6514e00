//! Digests of the files of interpreters.

use std::collections::HashMap;
use std::path::Path;

use crate::outside;
use ftbench_schema::InterpreterFacts;

/// Largest file that is hashed, bytes. A libpython with full debugging information has a few hundred MiB.
const LARGEST_FILE_BYTES: u64 = 1 << 30;

/// Sets the digests of these interpreters, reading each file once. That takes tens of milliseconds per file, so it is
/// for interpreters that are measured, not for all that are found.
pub fn read_identities(interpreters: &mut [InterpreterFacts]) {
    let mut known: HashMap<String, Option<String>> = HashMap::new();
    for identity in interpreters.iter_mut().filter_map(|one| one.identity.as_mut()) {
        let Some(file) = &identity.file else { continue };
        let digest = known
            .entry(file.clone())
            .or_insert_with(|| outside::sha256(Path::new(file), LARGEST_FILE_BYTES).ok());
        identity.sha256.clone_from(digest);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::interpreter::fixtures::Folder;
    use ftbench_fixtures::interpreters::facts;
    use ftbench_schema::BuildIdentity;

    fn in_file(path: &Path) -> InterpreterFacts {
        InterpreterFacts {
            identity: Some(BuildIdentity {
                version_text: "3.13.15 (main)".to_owned(),
                file: Some(path.display().to_string()),
                sha256: None,
            }),
            ..facts("3.13.15")
        }
    }

    fn digests(interpreters: &[InterpreterFacts]) -> Vec<Option<&str>> {
        fn digest(one: &InterpreterFacts) -> Option<&str> {
            one.identity.as_ref()?.sha256.as_deref()
        }
        interpreters.iter().map(digest).collect()
    }

    #[test]
    fn digest_is_that_of_the_current_file() {
        let folder = Folder::new();
        let path = folder.file("python3", "abc");
        let mut interpreters = [
            in_file(&path),
            in_file(&folder.path().join("gone")),
            facts("3.13.15t"),
        ];
        read_identities(&mut interpreters);
        let digest = outside::sha256(&path, LARGEST_FILE_BYTES).unwrap();
        assert_eq!(digests(&interpreters), [Some(digest.as_str()), None, None]);
        folder.file("python3", "abd");
        read_identities(&mut interpreters);
        let [Some(now), None, None] = digests(&interpreters)[..] else {
            panic!("{interpreters:?}")
        };
        assert_ne!(now, digest);
        std::fs::remove_file(&path).unwrap();
        read_identities(&mut interpreters);
        assert_eq!(digests(&interpreters), [None, None, None]);
    }
}
