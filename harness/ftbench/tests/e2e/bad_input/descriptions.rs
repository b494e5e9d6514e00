//! Invalid machine descriptions for libhwloc, in its XML and its synthetic format.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::paths::package;
use crate::support::{CommandOutput, Sandbox, output_of};

fn folder() -> PathBuf {
    package().join("tests/e2e/bad_input/descriptions")
}

fn topology_of(sandbox: &Sandbox, description: &Path) -> CommandOutput {
    let mut command = sandbox.command("topology");
    command.env("HWLOC_XMLFILE", description);
    output_of(command)
}

#[test]
fn a_description_that_crashes_libhwloc_is_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    let stored = |name: &str| topology_of(&sandbox, &folder().join(name));
    stored("two-cores.xml").exits_with(0);
    stored("missing-set.xml").fails(
        3,
        &["missing-set.xml", "libhwloc crashes on it", "unset HWLOC_XMLFILE"],
        2,
    );
}

#[test]
fn invalid_synthetic_descriptions_are_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    let topology_of = |words: &str| {
        let mut command = sandbox.command("topology");
        command.env("HWLOC_SYNTHETIC", words);
        output_of(command)
    };
    topology_of("pack:2 core:2 pu:1").exits_with(0);
    let large = topology_of("pack\u{1b}[31m:99999core:1 pu:2");
    large.fails(3, &["more than 65536 PUs", "unset HWLOC_SYNTHETIC"], 2);
    assert!(!large.stderr.contains('\u{1b}'), "{:?}", large.stderr);
    // An assertion of libhwloc 2.9 fails on it; later versions may accept it.
    let contradicts_itself = topology_of("pack:4(indexes=NUMA*2) die:2 NUMA:7 pu:2(indexes=NUMA*2)");
    if contradicts_itself.status != Some(0) {
        contradicts_itself.fails(3, &["libhwloc crashes on it", "unset HWLOC_SYNTHETIC"], 2);
    }
}

#[test]
fn no_description_crashes_ftbench() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = fs::read_to_string(folder().join("two-cores.xml")).unwrap();
    let mut descriptions: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    // Without one attribute, and truncated after it, for each attribute.
    let attributes = regex::Regex::new(r#" [a-z_]+="[^"]*""#).unwrap();
    for found in attributes.find_iter(&good) {
        descriptions.push(format!("{}{}", &good[..found.start()], &good[found.end()..]));
        descriptions.push(good[..found.end()].to_owned());
    }
    assert!(descriptions.len() > 100, "{}", descriptions.len());
    for description in descriptions {
        let path = sandbox.file("machine.xml", &description);
        let output = topology_of(&sandbox, Path::new(&path));
        assert!(
            matches!(output.status, Some(0 | 3)),
            "{}\n{description}",
            output.stderr
        );
    }
}
