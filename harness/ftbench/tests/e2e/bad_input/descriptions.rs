//! Descriptions of machines, in hwloc's XML and in words, that are not what libhwloc expects.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::paths::package;
use crate::support::{Sandbox, Told, told};

fn folder() -> PathBuf {
    package().join("tests/e2e/bad_input/descriptions")
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
    known("missing-set.xml").fails(
        3,
        &[
            "missing-set.xml",
            "libhwloc crashes over it",
            "unset HWLOC_XMLFILE",
        ],
        2,
    );
}

#[test]
fn words_that_libhwloc_would_choke_on_are_refused() {
    let sandbox = Sandbox::new();
    let topology_of = |words: &str| {
        let mut command = sandbox.command("topology");
        command.env("HWLOC_SYNTHETIC", words);
        told(command)
    };
    topology_of("pack:2 core:2 pu:1").ends_with(0);
    let large = topology_of("pack\u{1b}[31m:99999core:1 pu:2");
    large.fails(3, &["more than 65536 PUs", "unset HWLOC_SYNTHETIC"], 2);
    assert!(!large.stderr.contains('\u{1b}'), "{:?}", large.stderr);
    // An assertion of libhwloc 2.9 fails over it; a later one may take it.
    let contradicts_itself = topology_of("pack:4(indexes=NUMA*2) die:2 NUMA:7 pu:2(indexes=NUMA*2)");
    if contradicts_itself.status != Some(0) {
        contradicts_itself.fails(3, &["libhwloc crashes over it", "unset HWLOC_SYNTHETIC"], 2);
    }
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
            matches!(told.status, Some(0 | 3)),
            "{}\n{description}",
            told.stderr
        );
    }
}
