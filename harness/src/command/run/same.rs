//! Whether what a run is gone on with is what it was begun with. Every line names a key of `run.json`, what it was and
//! what it is. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::present::text;
use crate::record::schema::{
    ArmFacts, EnvironmentFacts, InterpreterFacts, MachineFacts, Manifest, WorkloadFacts,
};

/// What of the machine may differ: an update of the system is told, and does not end a run; the memory that the system
/// tells moves with it.
const MACHINE_MAY_DIFFER: [&str; 3] = ["os", "kernel", "memory_bytes"];

/// What of a build says where it is, not what it is.
const BUILT_MAY_DIFFER: [&str; 4] = ["cached", "executable", "folder", "package"];

/// Of the computer.
pub(super) fn machine(was: &MachineFacts, is: &MachineFacts) -> Vec<String> {
    changes("the machine", was, is, &MACHINE_MAY_DIFFER)
}

/// Of an interpreter.
pub(super) fn interpreter(was: &InterpreterFacts, is: &InterpreterFacts) -> Vec<String> {
    changes(&format!("{} ({})", was.tag, was.path), was, is, &["tag", "path"])
}

/// Of a workload's file.
pub(super) fn workload(was: &WorkloadFacts, is: &WorkloadFacts) -> Vec<String> {
    if was.sha256 == is.sha256 {
        return Vec::new();
    }
    vec![other_contents(
        &format!("{} ({})", was.name, was.path),
        &was.sha256,
        &is.sha256,
    )]
}

/// Of a version of the code.
pub(super) fn arm(was: &ArmFacts, is: &ArmFacts) -> Vec<String> {
    let (Some(before), Some(now)) = (&was.sha256, &is.sha256) else {
        return Vec::new();
    };
    if before == now {
        return Vec::new();
    }
    let what = format!("the arm {} ({})", was.name, was.path);
    vec![other_contents(&what, before, now)]
}

fn other_contents(what: &str, was: &str, is: &str) -> String {
    let short = |sha256: &str| sha256.chars().take(12).collect::<String>();
    line(&format!("{what}: sha256 was {}, is {}", short(was), short(is)))
}

/// Of the programs and extensions that were built, and of the cells that need them.
pub(super) fn builds(was: &Manifest, is: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let of = |interpreter: &str, what: &str| format!("{what} of {interpreter}");
    for (index, host) in was.hosts.iter().enumerate() {
        let what = of(&host.interpreter, "the embedding program");
        found.extend(changes(
            &what,
            &Some(host),
            &is.hosts.get(index),
            &BUILT_MAY_DIFFER,
        ));
    }
    for (index, extension) in was.extensions.iter().enumerate() {
        let what = of(
            &extension.interpreter,
            &format!("the extension {}", extension.package),
        );
        let now = is.extensions.get(index);
        found.extend(changes(&what, &Some(extension), &now, &BUILT_MAY_DIFFER));
    }
    for (before, now) in was.plan.cells.iter().zip(&is.plan.cells) {
        if let (None, Some(reason)) = (&before.skipped, &now.skipped) {
            found.push(line(&format!(
                "{} cannot be measured any more: {reason}",
                before.cell
            )));
        }
    }
    found
}

/// Of the packages that workloads run with. An environment that could not be made before may be there now.
pub(super) fn environments(was: &[EnvironmentFacts], is: &[EnvironmentFacts]) -> Vec<String> {
    was.iter()
        .flat_map(|before| {
            let what = format!(
                "packages of {} on {}",
                before.workloads.join(", "),
                before.interpreter
            );
            let now = is.iter().find(|now| {
                now.interpreter == before.interpreter
                    && now.workloads == before.workloads
                    && now.arms == before.arms
            });
            match now {
                Some(now) => changes(&what, &Contents::of(before), &Contents::of(now), &[]),
                None => vec![line(&format!("{what}: cannot be installed any more"))],
            }
        })
        .collect()
}

/// What an environment holds.
#[derive(Serialize)]
struct Contents<'a> {
    requirements: &'a [String],
    packages: BTreeMap<&'a str, &'a str>,
    lock_sha256: &'a Option<String>,
}

impl<'a> Contents<'a> {
    fn of(environment: &'a EnvironmentFacts) -> Self {
        let package = |package: &'a crate::record::schema::PackageFacts| {
            (package.name.as_str(), package.version.as_str())
        };
        Self {
            requirements: &environment.requirements,
            packages: environment.packages.iter().map(package).collect(),
            lock_sha256: &environment.lock_sha256,
        }
    }
}

/// A line for every key of two values that differs.
fn changes(what: &str, was: &impl Serialize, is: &impl Serialize, but: &[&str]) -> Vec<String> {
    let value = |of: Result<Value, serde_json::Error>| of.unwrap_or(Value::Null);
    let (was, is) = (value(serde_json::to_value(was)), value(serde_json::to_value(is)));
    let mut found = Vec::new();
    compare(&Key { what, path: "", but }, &was, &is, &mut found);
    found
}

/// Where in a value one is.
struct Key<'a> {
    what: &'a str,
    path: &'a str,
    but: &'a [&'a str],
}

fn compare(key: &Key<'_>, was: &Value, is: &Value, found: &mut Vec<String>) {
    if let (Value::Object(before), Value::Object(now)) = (was, is) {
        let added = now.keys().filter(|name| !before.contains_key(*name));
        for name in before.keys().chain(added) {
            if key.but.contains(&name.as_str()) {
                continue;
            }
            let path = match key.path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            let inner = Key { path: &path, ..*key };
            let of = |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            compare(&inner, &of(before), &of(now), found);
        }
    } else if was != is {
        let named = if key.path.is_empty() {
            String::new()
        } else {
            format!("{} ", key.path)
        };
        found.push(line(&format!(
            "{}: {named}was {}, is {}",
            key.what,
            words(was),
            words(is)
        )));
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) => "there".to_owned(),
        other => other.to_string(),
    }
}

/// A record may come from elsewhere, so its words do not reach the terminal as they are.
fn line(words: &str) -> String {
    format!("  {}", text::line(words))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analyse::summary::tests::manifest;
    use crate::record::schema::{GilState, HostFacts, Linked, PackageFacts};

    #[test]
    fn what_is_the_same_has_no_line() {
        let manifest = manifest(&[]);
        assert_eq!(machine(&manifest.machine, &manifest.machine), [""; 0]);
        assert_eq!(builds(&manifest, &manifest), [""; 0]);
        let mut updated = manifest.machine.clone();
        updated.kernel = "2".to_owned();
        assert_eq!(machine(&manifest.machine, &updated), [""; 0]);
    }

    #[test]
    fn each_change_is_a_line() {
        let was = manifest(&[]);
        let mut is = was.machine.clone();
        is.cpu_model = "other\u{1b}[31m".to_owned();
        is.cpu_quota = Some(1.5);
        is.topology.allowed_pus = vec![0];
        insta::assert_snapshot!(machine(&was.machine, &is).join("\n"), @r"
          the machine: cpu_model was cpu, is other�[31m
          the machine: cpu_quota was none, is 1.5
          the machine: topology.allowed_pus was [0,1], is [0]
        ");
        let before = was.interpreters.first().unwrap();
        let mut now = before.clone();
        now.version = "3.13.16".to_owned();
        now.gil = GilState::Off;
        now.build.pgo = !before.build.pgo;
        assert_eq!(interpreter(before, &now).len(), 3);
        let before = was.workloads.first().unwrap();
        let mut now = before.clone();
        now.sha256 = "0123456789abcdef".to_owned();
        insta::assert_snapshot!(workload(before, &now).join("\n"), @"  fib (/fib.py): sha256 was , is 0123456789ab");
    }

    #[test]
    fn a_package_of_another_version_and_a_host_that_is_gone() {
        let environment = |version: &str| EnvironmentFacts {
            interpreter: "3.13".to_owned(),
            workloads: vec!["one".to_owned()],
            arms: Vec::new(),
            path: format!("/{version}"),
            requirements: vec!["numpy".to_owned()],
            packages: vec![PackageFacts {
                name: "numpy".to_owned(),
                version: version.to_owned(),
            }],
            installer: String::new(),
            lock_sha256: None,
        };
        let [old, new] = [environment("2.4"), environment("2.5")];
        insta::assert_snapshot!(environments(std::slice::from_ref(&old), &[new]).join("\n"), @"  packages of one on 3.13: packages.numpy was 2.4, is 2.5");
        assert_eq!(environments(&[], std::slice::from_ref(&old)), [""; 0]);
        insta::assert_snapshot!(environments(&[old], &[]).join("\n"), @"  packages of one on 3.13: cannot be installed any more");
        let mut was = manifest(&[]);
        was.hosts.push(HostFacts {
            interpreter: "3.13".to_owned(),
            host: crate::record::schema::Host::Embed,
            executable: "/host".to_owned(),
            linked: Linked::Static,
            pyo3_version: "0.28.3".to_owned(),
            cached: true,
        });
        insta::assert_snapshot!(builds(&was, &manifest(&[])).join("\n"), @"  the embedding program of 3.13: was there, is none");
    }
}
