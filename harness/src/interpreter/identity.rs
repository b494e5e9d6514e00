//! Digests of the files that interpreters are in.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::outside;
use crate::record::schema::InterpreterFacts;

/// Larger files are not read through. A libpython with all of its debugging information has a few hundred MiB.
const LARGEST_FILE_BYTES: u64 = 1 << 30;

/// How much is read at once, bytes.
const PIECE_BYTES: usize = 1 << 18;

/// Reads the files that these interpreters are in, each once, and keeps their digests. That takes some ten milliseconds
/// for each, so it is for interpreters that are measured with, not for all that are found.
pub fn read_identities(interpreters: &mut [InterpreterFacts]) {
    let mut known: HashMap<String, Option<String>> = HashMap::new();
    for identity in interpreters.iter_mut().filter_map(|one| one.identity.as_mut()) {
        let Some(file) = &identity.file else { continue };
        let digest = known
            .entry(file.clone())
            .or_insert_with(|| digest_of(Path::new(file)).ok().flatten());
        identity.sha256.clone_from(digest);
    }
}

/// `None` for one that is too large.
fn digest_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = outside::open(path)?;
    if file.metadata()?.len() > LARGEST_FILE_BYTES {
        return Ok(None);
    }
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some(hex::encode(digest.finalize()))),
            Ok(count) => digest.update(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::interpreter::made_up::{Folder, facts};
    use crate::record::schema::BuildIdentity;

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
    fn a_file_has_the_digest_that_sha256sum_tells() {
        let folder = Folder::new();
        let path = folder.file("python3", "abc");
        let mut interpreters = [
            in_file(&path),
            in_file(&folder.path().join("gone")),
            facts("3.13.15t"),
        ];
        read_identities(&mut interpreters);
        // FIPS 180-4's example.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests(&interpreters), [Some(digest), None, None]);
        folder.file("python3", &"abd".repeat(PIECE_BYTES));
        read_identities(&mut interpreters);
        assert_ne!(digests(&interpreters), [Some(digest), None, None]);
        std::fs::remove_file(&path).unwrap();
        read_identities(&mut interpreters);
        assert_eq!(digests(&interpreters), [None, None, None]);
    }
}
