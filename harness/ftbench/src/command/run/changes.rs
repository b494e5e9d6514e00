//! Describes what has changed since a run was started. Each line names a key of `run.json`, its old and its new value.
//! Pure.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::error::RunError;
use ftbench_schema::{
    ArmFacts, BuildIdentity, EnvironmentFacts, InterpreterFacts, MachineFacts, Manifest, ModuleFacts,
    WorkloadFacts, text,
};

/// Fails if something has changed since the run in this folder was started.
pub(super) fn refuse_if_changed(folder: &Path, changes: Vec<String>) -> Result<(), RunError> {
    if changes.is_empty() {
        return Ok(());
    }
    Err(RunError::Changed {
        folder: folder.to_owned(),
        changes,
    })
}

/// Keys of the machine that may differ. An update of the system is reported elsewhere and does not end a run, and it
/// may change the reported size of memory and the microcode. Earlier versions of ftbench did not record the governor.
const IGNORED_MACHINE_KEYS: [&str; 5] = ["os", "kernel", "memory_bytes", "microcode", "governor"];

/// Keys of a build that describe its location rather than its contents.
const IGNORED_BUILD_KEYS: [&str; 4] = ["cached", "executable", "folder", "package"];

/// Changes of the machine.
pub(super) fn machine(was: &MachineFacts, is: &MachineFacts) -> Vec<String> {
    changes("the machine", was, is, &IGNORED_MACHINE_KEYS)
}

/// Changes of an interpreter.
pub(super) fn interpreter(was: &InterpreterFacts, is: &InterpreterFacts) -> Vec<String> {
    let what = format!("{} ({})", was.tag, was.path);
    // The facts about the runtime follow from the build, and earlier versions of ftbench did not record them.
    let mut found = changes(&what, was, is, &["tag", "path", "identity", "runtime"]);
    if let (Some(before), Some(now)) = (&was.identity, &is.identity) {
        found.extend(identity(&what, before, now));
    }
    found
}

/// The first difference that shows that an interpreter was rebuilt, if both builds are known.
fn identity(what: &str, was: &BuildIdentity, is: &BuildIdentity) -> Option<String> {
    let [before, now] = [&was.version_text, &is.version_text];
    if before != now && !before.is_empty() && !now.is_empty() {
        return Some(line(&format!(
            "{what}: identity.version_text was {before}, is {now}"
        )));
    }
    match (&was.sha256, &is.sha256) {
        (Some(before), Some(now)) if before != now => {
            let file = is.file.as_deref().unwrap_or("its file");
            Some(changed_hash(&format!("{what}: {file}"), before, now))
        }
        _ => None,
    }
}

/// Changes of a workload's file.
pub(super) fn workload(was: &WorkloadFacts, is: &WorkloadFacts) -> Vec<String> {
    if was.sha256 == is.sha256 {
        return Vec::new();
    }
    vec![changed_hash(
        &format!("{} ({})", was.name, was.path),
        &was.sha256,
        &is.sha256,
    )]
}

/// Changes of an arm.
pub(super) fn arm(was: &ArmFacts, is: &ArmFacts) -> Vec<String> {
    let what = format!("the arm {} ({})", was.name, was.path);
    if let (Some(before), Some(now)) = (&was.sha256, &is.sha256) {
        let differ = before != now;
        return differ
            .then(|| changed_hash(&what, before, now))
            .into_iter()
            .collect();
    }
    // An arm that is too large to be hashed is identified by its commit.
    match (&was.commit, &is.commit) {
        (Some(before), Some(now)) if before.id != now.id => {
            vec![line(&format!(
                "{what}: commit.id was {}, is {}",
                before.id, now.id
            ))]
        }
        _ => Vec::new(),
    }
}

/// Changes of the wheels that are installed for every workload, by path. A wheel that cannot be read has its own error.
pub(super) fn wheels(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> Vec<String> {
    let changed = was.iter().filter_map(|(path, before)| {
        let now = is.get(path).filter(|now| *now != before)?;
        Some(changed_hash(path, before, now))
    });
    changed.collect()
}

/// Changes of the modules that workloads import from their folders.
pub(super) fn modules(was: &[ModuleFacts], is: &[ModuleFacts]) -> Vec<String> {
    fn find<'a>(path: &str, modules: &'a [ModuleFacts]) -> Option<&'a ModuleFacts> {
        modules.iter().find(|module| module.path == path)
    }
    let what = |module: &ModuleFacts| format!("the module {} ({})", module.name, module.path);
    let changed = was.iter().filter_map(|before| {
        let Some(now) = find(&before.path, is) else {
            return Some(line(&format!(
                "{}: it is gone, or no longer imported",
                what(before)
            )));
        };
        match (&before.sha256, &now.sha256) {
            (Some(was), Some(is)) if was != is => Some(changed_hash(&what(before), was, is)),
            _ => None,
        }
    });
    let added = is.iter().filter(|now| find(&now.path, was).is_none());
    let added = added.map(|now| line(&format!("{}: it was missing, or not imported", what(now))));
    changed.chain(added).collect()
}

fn changed_hash(what: &str, was: &str, is: &str) -> String {
    line(&format!(
        "{what}: sha256 was {}, is {}",
        text::short_hash(was),
        text::short_hash(is)
    ))
}

/// Changes of the programs and extensions that were built, and of the cells that need them.
pub(super) fn builds(was: &Manifest, is: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let of = |interpreter: &str, what: &str| format!("{what} of {interpreter}");
    for (index, host) in was.hosts.iter().enumerate() {
        let what = of(&host.interpreter, "the embedding program");
        found.extend(changes(
            &what,
            &Some(host),
            &is.hosts.get(index),
            &IGNORED_BUILD_KEYS,
        ));
    }
    for (index, extension) in was.extensions.iter().enumerate() {
        let what = of(
            &extension.interpreter,
            &format!("the extension {}", extension.package),
        );
        let now = is.extensions.get(index);
        found.extend(changes(&what, &Some(extension), &now, &IGNORED_BUILD_KEYS));
    }
    for (before, now) in was.plan.cells.iter().zip(&is.plan.cells) {
        if let (None, Some(reason)) = (&before.skipped, &now.skipped) {
            found.push(line(&format!(
                "{} can no longer be measured: {reason}",
                before.cell
            )));
        }
    }
    found
}

/// Changes of the packages that workloads run with. An environment that could not be made before may exist now.
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
                None => vec![line(&format!("{what}: can no longer be installed"))],
            }
        })
        .collect()
}

/// The contents of an environment, without its location.
#[derive(Serialize)]
struct Contents<'a> {
    requirements: &'a [String],
    packages: BTreeMap<&'a str, &'a str>,
    lock_sha256: &'a Option<String>,
}

impl<'a> Contents<'a> {
    fn of(environment: &'a EnvironmentFacts) -> Self {
        let package =
            |package: &'a ftbench_schema::PackageFacts| (package.name.as_str(), package.version.as_str());
        Self {
            requirements: &environment.requirements,
            packages: environment.packages.iter().map(package).collect(),
            lock_sha256: &environment.lock_sha256,
        }
    }
}

/// A line for each key whose values differ, except the ignored keys.
fn changes(what: &str, was: &impl Serialize, is: &impl Serialize, ignored: &[&str]) -> Vec<String> {
    let value = |of: Result<Value, serde_json::Error>| of.unwrap_or(Value::Null);
    let (was, is) = (value(serde_json::to_value(was)), value(serde_json::to_value(is)));
    let mut found = Vec::new();
    compare(
        &Key {
            what,
            path: "",
            ignored,
        },
        &was,
        &is,
        &mut found,
    );
    found
}

/// A position in a value.
struct Key<'a> {
    what: &'a str,
    path: &'a str,
    ignored: &'a [&'a str],
}

fn compare(key: &Key<'_>, was: &Value, is: &Value, found: &mut Vec<String>) {
    if let (Value::Object(before), Value::Object(now)) = (was, is) {
        let added = now.keys().filter(|name| !before.contains_key(*name));
        for name in before.keys().chain(added) {
            if key.ignored.contains(&name.as_str()) {
                continue;
            }
            let path = match key.path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            let inner = Key { path: &path, ..*key };
            let value =
                |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            compare(&inner, &value(before), &value(now), found);
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
        Value::Object(_) => "present".to_owned(),
        other => other.to_string(),
    }
}

/// Formats a line. A record may come from elsewhere, so control characters in it are replaced.
fn line(words: &str) -> String {
    format!("  {}", text::line(words))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::records::{environment, manifest};
    use ftbench_schema::{ArmKind, CommitFacts, GilState, HostFacts, Linked, RuntimeFacts};

    #[test]
    fn unchanged_facts_yield_no_line() {
        let manifest = manifest(&[]);
        assert_eq!(machine(&manifest.machine, &manifest.machine), [""; 0]);
        assert_eq!(builds(&manifest, &manifest), [""; 0]);
        let mut updated = manifest.machine.clone();
        updated.kernel = "2".to_owned();
        assert_eq!(machine(&manifest.machine, &updated), [""; 0]);
    }

    #[test]
    fn each_change_yields_a_line() {
        let was = manifest(&[]);
        let mut is = was.machine.clone();
        is.cpu_model = "other\u{1b}[31m".to_owned();
        is.cpu_quota = Some(1.5);
        is.topology.allowed_pus = vec![0];
        insta::assert_snapshot!(machine(&was.machine, &is).join("\n"), @r"
          the machine: cpu_model was AMD EPYC 9554 64-Core Processor, is other�[31m
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
        insta::assert_snapshot!(workload(before, &now).join("\n"), @r"  fib (/fib.py): sha256 was , is 0123456789");
    }

    #[test]
    fn rebuilt_interpreter_is_reported_if_both_builds_are_known() {
        let built = |date: &str, sha256: Option<&str>| InterpreterFacts {
            identity: Some(BuildIdentity {
                version_text: format!("3.13.15 (main, {date})\n[GCC 12.2.0]"),
                file: Some("/usr/lib/libpython3.13.so.1.0".to_owned()),
                sha256: sha256.map(str::to_owned),
            }),
            ..manifest(&[]).interpreters.remove(0)
        };
        let first = built("Nov 21", Some("aa"));
        assert_eq!(interpreter(&first, &first), [""; 0]);
        assert_eq!(interpreter(&first, &built("Nov 21", None)), [""; 0]);
        let unknown = InterpreterFacts {
            identity: None,
            ..first.clone()
        };
        let known = InterpreterFacts {
            runtime: RuntimeFacts {
                thread_inherit_context: Some(true),
                ..RuntimeFacts::default()
            },
            ..first.clone()
        };
        assert_eq!(interpreter(&unknown, &known), [""; 0], "an older run");
        let lines = |is: &InterpreterFacts| interpreter(&first, is).join("\n");
        insta::assert_snapshot!(lines(&built("Nov 22", Some("bb"))), @"  3.13 (/opt/python/3.13/bin/python): identity.version_text was 3.13.15 (main, Nov 21) [GCC 12.2.0], is 3.13.15 (main, Nov 22) [GCC 12.2.0]");
        insta::assert_snapshot!(lines(&built("Nov 21", Some("bb"))), @"  3.13 (/opt/python/3.13/bin/python): /usr/lib/libpython3.13.so.1.0: sha256 was aa, is bb");
    }

    #[test]
    fn changed_added_and_removed_modules_are_reported() {
        let module = |name: &str, sha256: Option<&str>| ModuleFacts {
            name: name.to_owned(),
            path: format!("/mine/{name}.py"),
            sha256: sha256.map(str::to_owned),
        };
        let was = [module("a", Some("1")), module("b", Some("2")), module("c", None)];
        assert_eq!(modules(&was, &was), [""; 0]);
        let is = [
            module("a", Some("3")),
            module("c", Some("4")),
            module("d", Some("5")),
        ];
        insta::assert_snapshot!(modules(&was, &is).join("\n"), @"
          the module a (/mine/a.py): sha256 was 1, is 3
          the module b (/mine/b.py): it is gone, or no longer imported
          the module d (/mine/d.py): it was missing, or not imported
        ");
    }

    #[test]
    fn rebuilt_wheel_is_reported() {
        let of =
            |digest: &str| BTreeMap::from([("/dist/a-1-py3-none-any.whl".to_owned(), digest.to_owned())]);
        assert_eq!(wheels(&of("1"), &of("1")), [""; 0]);
        assert_eq!(wheels(&BTreeMap::new(), &of("1")), [""; 0], "an older run");
        insta::assert_snapshot!(wheels(&of("1"), &of("2")).join("\n"), @"  /dist/a-1-py3-none-any.whl: sha256 was 1, is 2");
    }

    #[test]
    fn arm_without_a_hash_is_compared_by_commit() {
        let at = |sha256: Option<&str>, id: &str| ArmFacts {
            name: "new".to_owned(),
            kind: ArmKind::Folder,
            path: "/src".to_owned(),
            sha256: sha256.map(str::to_owned),
            commit: Some(CommitFacts {
                id: id.to_owned(),
                committed_at: None,
                dirty: Some(false),
            }),
        };
        assert_eq!(arm(&at(Some("1"), "aa"), &at(Some("1"), "bb")), [""; 0]);
        assert_eq!(arm(&at(None, "aa"), &at(None, "aa")), [""; 0]);
        insta::assert_snapshot!(arm(&at(None, "aa"), &at(None, "bb")).join("\n"), @"  the arm new (/src): commit.id was aa, is bb");
        insta::assert_snapshot!(arm(&at(Some("1"), "aa"), &at(Some("2"), "aa")).join("\n"), @"  the arm new (/src): sha256 was 1, is 2");
    }

    #[test]
    fn changed_packages_and_missing_hosts_are_reported() {
        let [old, mut new] = ["2.4", "2.5"].map(|version| environment("3.13", &[("numpy", version)]));
        new.path = "/environments/2".to_owned();
        insta::assert_snapshot!(environments(std::slice::from_ref(&old), &[new]).join("\n"), @"  packages of fib on 3.13: packages.numpy was 2.4, is 2.5");
        assert_eq!(environments(&[], std::slice::from_ref(&old)), [""; 0]);
        insta::assert_snapshot!(environments(&[old], &[]).join("\n"), @"  packages of fib on 3.13: can no longer be installed");
        let mut was = manifest(&[]);
        was.hosts.push(HostFacts {
            interpreter: "3.13".to_owned(),
            host: ftbench_schema::Host::Embed,
            executable: "/host".to_owned(),
            linked: Linked::Static,
            pyo3_version: "0.28.3".to_owned(),
            cached: true,
        });
        insta::assert_snapshot!(builds(&was, &manifest(&[])).join("\n"), @"  the embedding program of 3.13: was present, is none");
    }
}
