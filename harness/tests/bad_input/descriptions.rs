//! Descriptions of machines, in hwloc's XML, that are not what libhwloc writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{Sandbox, Told, told};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input/descriptions")
}

fn topology_of(sandbox: &Sandbox, description: &Path) -> Told {
    let mut command = sandbox.command("topology");
    command.env("HWLOC_XMLFILE", description);
    told(command)
}

#[test]
fn a_description_that_libhwloc_crashes_over_is_refused() {
    let sandbox = Sandbox::new();
    let known = |name: &str| topology_of(&sandbox, &folder().join(name));
    known("two-cores.xml").ends_with(0);
    known("missing-set.xml").refuses(
        &[
            "missing-set.xml",
            "libhwloc crashes over it",
            "unset HWLOC_XMLFILE",
        ],
        2,
    );
}

#[test]
fn no_description_ends_ftbench() {
    let sandbox = Sandbox::new();
    let good = fs::read_to_string(folder().join("two-cores.xml")).unwrap();
    let mut descriptions: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    // Without each of its attributes, and cut off behind each.
    let attributes = regex::Regex::new(r#" [a-z_]+="[^"]*""#).unwrap();
    for found in attributes.find_iter(&good) {
        descriptions.push(format!("{}{}", &good[..found.start()], &good[found.end()..]));
        descriptions.push(good[..found.end()].to_owned());
    }
    assert!(descriptions.len() > 100, "{}", descriptions.len());
    for description in descriptions {
        let path = sandbox.file("machine.xml", &description);
        let told = topology_of(&sandbox, Path::new(&path));
        assert!(
            matches!(told.status, Some(0 | 2)),
            "{}\n{description}",
            told.stderr
        );
    }
}
