//! Differences between the two sides, which may include the one of interest: everything recorded in any of their runs.

use std::collections::BTreeSet;

use itertools::Itertools;

use super::matching::only_label;
use super::material::{Run, Side};
use ftbench_schema::{CommitFacts, InterpreterFacts, differences as build_differences, text};

/// Maximum number of values of a side that are listed.
const MAX_LISTED: usize = 3;

/// Number of characters of a commit's hash that are shown.
const HASH_CHARACTERS: usize = 12;

/// Extracts a property of a run.
type Fact = fn(&Run) -> String;

/// Describes all differences between the sides, which are called BASE and NEW.
pub(super) fn differences_of(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let sides = [base, new];
    let facts: [(&str, Fact); 7] = [
        ("ftbench", |run| run.manifest.ftbench_version.clone()),
        ("host", |run| run.manifest.machine.hostname.clone()),
        ("operating system", |run| run.manifest.machine.os.clone()),
        ("kernel", |run| run.manifest.machine.kernel.clone()),
        ("profile", |run| run.manifest.plan.settings.profile.clone()),
        ("warm-ups + samples of a trial", |run| {
            let settings = &run.manifest.plan.settings;
            format!("{} + {}", settings.warmups, settings.samples)
        }),
        ("loop factory", |run| {
            let settings = &run.manifest.plan.settings;
            settings.loop_factory.clone().unwrap_or_else(|| "none".to_owned())
        }),
    ];
    let mut found = builds(base, new);
    for (what, fact) in facts {
        let values = sides.map(|side| Values::of(side.runs.iter().map(|run| fact(run))));
        found.extend(describe(what, &values, "none"));
    }
    let commits = sides.map(|side| Values::of(side.runs.iter().flat_map(|run| commits(side, run))));
    found.extend(describe("commit", &commits, "not recorded"));
    found.extend(labels(sides));
    found.extend(packages(sides));
    found.extend(extensions(sides));
    found
}

/// The distinct values of a property in a side's runs, in the order of the runs.
#[derive(Debug, Default)]
struct Values(Vec<String>);

impl Values {
    fn of(values: impl IntoIterator<Item = String>) -> Self {
        Self(values.into_iter().unique().collect())
    }

    fn equals(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|value| other.0.contains(value))
    }

    fn words(&self, none: &str) -> String {
        match self.0.as_slice() {
            [] => none.to_owned(),
            few if few.len() <= MAX_LISTED => text::all_of(few),
            many => {
                let named: Vec<&str> = many.iter().take(MAX_LISTED).map(String::as_str).collect();
                format!("{} and {} more", named.join(", "), many.len() - MAX_LISTED)
            }
        }
    }
}

/// Describes a difference between two values; `none` is used for a side without a value.
fn describe(what: &str, [base, new]: &[Values; 2], none: &str) -> Option<String> {
    let differ = !base.equals(new);
    differ.then(|| format!("{what}: {} in BASE, {} in NEW", base.words(none), new.words(none)))
}

/// Compares the builds with the same tag, or the two builds that the sides select.
fn builds(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    if let (Some(one), Some(other)) = (only_label(base), only_label(new)) {
        // A label begins with a tag.
        let tag = |label: &str| label.split(' ').next().unwrap_or_default().to_owned();
        return differing_builds(
            &builds_with_tag(base, &tag(&one)),
            &builds_with_tag(new, &tag(&other)),
        );
    }
    let interpreters = base.runs.iter().flat_map(|run| &run.manifest.interpreters);
    let tags = Values::of(interpreters.map(|facts| facts.tag.clone()));
    tags.0
        .iter()
        .flat_map(|tag| differing_builds(&builds_with_tag(base, tag), &builds_with_tag(new, tag)))
        .collect()
}

/// Returns the builds with this tag in a side's runs, ignoring their paths.
fn builds_with_tag(side: &Side<'_>, tag: &str) -> Vec<InterpreterFacts> {
    let mut builds = Vec::new();
    for facts in side.runs.iter().filter_map(|run| run.manifest.interpreter(tag)) {
        let build = InterpreterFacts {
            path: String::new(),
            ..facts.clone()
        };
        if !builds.contains(&build) {
            builds.push(build);
        }
    }
    builds
}

fn differing_builds(base: &[InterpreterFacts], new: &[InterpreterFacts]) -> Vec<String> {
    if base.len() == new.len() && base.iter().all(|build| new.contains(build)) {
        return Vec::new();
    }
    let named = |facts: &InterpreterFacts, side: &str, in_both: bool| InterpreterFacts {
        tag: if in_both {
            format!("{} in {side}", facts.tag)
        } else {
            facts.tag.clone()
        },
        ..facts.clone()
    };
    let mut found = Vec::new();
    for one in base {
        for other in new {
            let in_both = one.tag == other.tag;
            found.extend(build_differences(
                &named(one, "BASE", in_both),
                &named(other, "NEW", in_both),
            ));
        }
    }
    Values::of(found).0
}

/// Returns the commits of the cells that a side selects from a run: those of its arms, if there are arms.
fn commits(side: &Side<'_>, run: &Run) -> Vec<String> {
    let cells = run.summary.cells.iter().filter(|cell| side.has(cell));
    let arms: BTreeSet<Option<&str>> = cells.map(|cell| cell.arm.as_deref()).collect();
    let commit = |arm: Option<&str>| match arm {
        Some(name) => run.manifest.arm(name)?.commit.as_ref(),
        None => run.manifest.commit.as_ref(),
    };
    arms.into_iter().filter_map(commit).map(commit_words).collect()
}

fn commit_words(commit: &CommitFacts) -> String {
    let is_hash = commit.id.len() >= 40 && commit.id.chars().all(|digit| digit.is_ascii_hexdigit());
    let shown = if is_hash { HASH_CHARACTERS } else { commit.id.len() };
    let id: String = commit.id.chars().take(shown).collect();
    match commit.dirty {
        Some(true) => format!("{id} with changes"),
        _ => id,
    }
}

fn labels(sides: [&Side<'_>; 2]) -> Vec<String> {
    let of_run = |run: &&Run| run.manifest.labels.keys().cloned().collect::<Vec<String>>();
    let names: BTreeSet<String> = sides
        .iter()
        .flat_map(|side| side.runs.iter().flat_map(of_run))
        .collect();
    let differing = names.into_iter().filter_map(|name| {
        let values = sides.map(|side| {
            let of_name = |run: &&Run| run.manifest.labels.get(&name).cloned();
            Values::of(side.runs.iter().filter_map(of_name))
        });
        describe(&format!("label {name}"), &values, "none")
    });
    differing.collect()
}

/// Compares the packages, with versions, of the environments that a side's cells ran in.
fn packages(sides: [&Side<'_>; 2]) -> Vec<String> {
    let installed = sides.map(|side| {
        let of_run = |run: &&Run| installed_for(side, run);
        side.runs
            .iter()
            .flat_map(of_run)
            .collect::<BTreeSet<(String, String)>>()
    });
    let names: BTreeSet<&String> = installed.iter().flatten().map(|(name, _)| name).collect();
    let differing = names.into_iter().filter_map(|name| {
        let versions = |of_side: &BTreeSet<(String, String)>| {
            let of_name = of_side.iter().filter(|(other, _)| other == name);
            Values::of(of_name.map(|(_, version)| version.clone()))
        };
        let values = installed.each_ref().map(versions);
        describe(&format!("package {name}"), &values, "none")
    });
    differing.collect()
}

fn installed_for(side: &Side<'_>, run: &Run) -> Vec<(String, String)> {
    let used = run.manifest.environments.iter().filter(|environment| {
        run.summary
            .cells
            .iter()
            .filter(|cell| side.has(cell))
            .any(|cell| {
                let of_arm = |arm: &String| environment.arms.is_empty() || environment.arms.contains(arm);
                cell.interpreter == environment.interpreter && cell.arm.as_ref().is_none_or(of_arm)
            })
    });
    used.flat_map(|environment| &environment.packages)
        .map(|package| (package.name.clone(), package.version.clone()))
        .collect()
}

/// Compares the sources of the extensions that both sides have.
fn extensions(sides: [&Side<'_>; 2]) -> Vec<String> {
    let [base, new] = sides.map(|side| {
        let extensions = side.runs.iter().flat_map(|run| &run.manifest.extensions);
        extensions
            .map(|extension| (extension.modules.clone(), extension.sha256.clone()))
            .collect::<BTreeSet<(Vec<String>, String)>>()
    });
    let modules: BTreeSet<&Vec<String>> = base.iter().map(|(modules, _)| modules).collect();
    let differing = modules.into_iter().filter(|modules| {
        let sources = |of_side: &BTreeSet<(Vec<String>, String)>| -> BTreeSet<String> {
            let of_modules = of_side.iter().filter(|(other, _)| other == *modules);
            of_modules.map(|(_, sha256)| sha256.clone()).collect()
        };
        let [base, new] = [&base, &new].map(sources);
        !new.is_empty() && base != new
    });
    differing
        .map(|modules| format!("extension {}: its sources differ", modules.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::super::simulation_tests::{SHARED, Simulation, side};
    use super::*;
    use ftbench_fixtures::interpreters::interpreter;
    use ftbench_fixtures::records;
    use ftbench_schema::{ArmFacts, ArmKind, EnvironmentFacts};

    fn runs(count: usize) -> Vec<Run> {
        let mut simulation = Simulation::new(SHARED, 1);
        (0..count).map(|_| simulation.run(None)).collect()
    }

    fn commit(id: &str, dirty: bool) -> CommitFacts {
        CommitFacts {
            id: id.to_owned(),
            committed_at: None,
            dirty: Some(dirty),
        }
    }

    fn environment(arms: &[&str], version: &str) -> EnvironmentFacts {
        EnvironmentFacts {
            arms: arms.iter().map(|&arm| arm.to_owned()).collect(),
            ..records::environment("3.13", &[("numpy", version)])
        }
    }

    #[test]
    fn differences_include_every_run_of_a_side() {
        let [mut base, mut new] = [runs(5), runs(1)];
        for run in base.iter_mut().chain(&mut new) {
            run.manifest.machine.kernel = "6.1.0".to_owned();
            run.manifest.interpreters = vec![interpreter("3.13", "3.13.14")];
        }
        assert!(differences_of(&side(&base), &side(&new)).is_empty());
        // Only the newest night was made under the same conditions as NEW.
        base[4].manifest.machine.kernel = "6.1.2".to_owned();
        base[4].manifest.interpreters = vec![interpreter("3.13", "3.13.15")];
        base[4].manifest.environments = vec![environment(&[], "2.1")];
        new[0].manifest = base[4].manifest.clone();
        for (night, run) in base.iter_mut().enumerate() {
            run.manifest.commit = Some(commit(&format!("{night}abcdef").repeat(6), night == 1));
            run.manifest.labels.insert("branch".to_owned(), "main".to_owned());
        }
        new[0].manifest.commit = Some(commit("v1.2", false));
        let differences = differences_of(&side(&base), &side(&new));
        assert_eq!(
            differences,
            [
                "version 3.13.14 for 3.13 in BASE and 3.13.15 for 3.13 in NEW",
                "kernel: 6.1.0 and 6.1.2 in BASE, 6.1.2 in NEW",
                "commit: 0abcdef0abcd, 1abcdef1abcd with changes, 2abcdef2abcd and 2 more in BASE, v1.2 in NEW",
                "label branch: main in BASE, none in NEW",
            ]
        );
        base[0].manifest.environments = vec![environment(&[], "2.0")];
        let differences = differences_of(&side(&base), &side(&new));
        assert!(differences.contains(&"package numpy: 2.0 and 2.1 in BASE, 2.1 in NEW".to_owned()));
    }

    #[test]
    fn arms_differ_in_their_commits_and_packages() {
        let mut runs = runs(1);
        let arms = [("base", "2.0"), ("new", "2.1")];
        let cells = runs[0].summary.cells.clone();
        runs[0].summary.cells.clear();
        for (arm, version) in arms {
            runs[0]
                .summary
                .cells
                .extend(cells.iter().cloned().map(|mut cell| {
                    cell.arm = Some(arm.to_owned());
                    cell
                }));
            runs[0].manifest.arms.push(ArmFacts {
                name: arm.to_owned(),
                kind: ArmKind::Wheel,
                path: String::new(),
                sha256: None,
                commit: Some(commit(arm, false)),
            });
            runs[0].manifest.environments.push(environment(&[arm], version));
        }
        let of_arm = |arm: &str| Side {
            interpreter: Some(arm.to_owned()),
            ..side(&runs)
        };
        assert_eq!(
            differences_of(&of_arm("base"), &of_arm("new")),
            [
                "commit: base in BASE, new in NEW",
                "package numpy: 2.0 in BASE, 2.1 in NEW"
            ]
        );
    }
}
