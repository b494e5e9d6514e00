//! Verdicts on the packages of a dependency tree, and what changed between two results.

use std::collections::{BTreeMap, BTreeSet};

use itertools::Itertools;

use ftbench_schema::{
    Attempt, Compat, CompatBuild, CompatPackage, CompatVerdict, Distribution, Evidence, GilDeclaration,
    GilSwitch, ModuleImport, Outcome, PackageOnBuild, text,
};

/// The beginning of Python's error when there is no such module.
const NO_MODULE: &str = "ModuleNotFoundError: No module named '";

/// A verdict with its reason.
struct Judgement {
    verdict: CompatVerdict,
    reason: String,
    blocked_by: Option<String>,
}

impl Judgement {
    const fn new(verdict: CompatVerdict, reason: String) -> Self {
        Self {
            verdict,
            reason,
            blocked_by: None,
        }
    }
}

/// The packages on one build, by name.
type OnBuild<'a> = BTreeMap<&'a str, &'a PackageOnBuild>;

/// Judges every package on every build, and the tree.
pub fn judge(compat: &mut Compat) {
    let builds = compat.builds.clone();
    for build in &builds {
        let packages: OnBuild<'_> = compat
            .packages
            .iter()
            .filter_map(|package| Some((package.name.as_str(), package.builds.get(&build.tag)?)))
            .collect();
        let judged: Vec<Option<Judgement>> = compat
            .packages
            .iter()
            .map(|package| {
                let on = package.builds.get(&build.tag)?;
                Some(on_build(&package.name, on, &packages, build.free_threaded))
            })
            .collect();
        for (package, judgement) in compat.packages.iter_mut().zip(judged) {
            if let Some((on, judgement)) = package.builds.get_mut(&build.tag).zip(judgement) {
                on.rests_on = evidence(on);
                on.verdict = judgement.verdict;
                on.reason = judgement.reason;
                on.blocked_by = judgement.blocked_by;
            }
        }
    }
    let tags: Vec<String> = judged_builds(compat).map(|build| build.tag.clone()).collect();
    for package in &mut compat.packages {
        let judged = package.builds.iter().filter(|(tag, _)| tags.contains(tag));
        // The first of equal verdicts, and one of its own before one of another package.
        let worst = judged
            .rev()
            .max_by_key(|(_, on)| (on.verdict, on.blocked_by.is_none()));
        if let Some((_, worst)) = worst {
            package.verdict = worst.verdict;
            package.reason.clone_from(&worst.reason);
            package.blocked_by.clone_from(&worst.blocked_by);
        }
        let versions = package.builds.values().map(|on| &on.version).unique();
        package.version = versions.exactly_one().ok().and_then(Clone::clone);
    }
    compat.verdict = compat
        .packages
        .iter()
        .map(|package| package.verdict)
        .max()
        .unwrap_or_default();
}

/// The builds that the verdicts on packages are about: those that are free-threaded, or else all.
pub fn judged_builds(compat: &Compat) -> impl Iterator<Item = &CompatBuild> {
    let all_have_gil = !compat.builds.iter().any(|build| build.free_threaded);
    let builds = compat.builds.iter();
    builds.filter(move |build| build.free_threaded || all_have_gil)
}

/// What the verdict on a package rests on.
fn evidence(package: &PackageOnBuild) -> Vec<Evidence> {
    let has = [
        (Evidence::Resolved, package.version.is_some()),
        (Evidence::Installed, package.is_installed),
        (Evidence::Imported, !package.imports.is_empty()),
        (Evidence::Stressed, !package.calls.is_empty()),
        (Evidence::Measured, !package.scaling.is_empty()),
    ];
    has.into_iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(evidence, _)| evidence)
        .collect()
}

fn on_build(name: &str, package: &PackageOnBuild, all: &OnBuild<'_>, free_threaded: bool) -> Judgement {
    if package.is_excluded {
        let reason = "its marker excludes this build".to_owned();
        return Judgement::new(CompatVerdict::NotTried, reason);
    }
    if package.is_installed {
        return tried(name, package, all, free_threaded);
    }
    if let (true, None) = (package.version.is_some(), &package.error)
        && !package.distribution.is_installable()
    {
        return Judgement::new(CompatVerdict::NoWheel, no_wheel(package));
    }
    match &package.error {
        Some(error) if package.distribution.is_installable() || package.version.is_none() => {
            Judgement::new(CompatVerdict::Fails, error.clone())
        }
        // It was to be built from source.
        Some(error) => Judgement::new(
            CompatVerdict::NoWheel,
            format!("{}; building it failed: {error}", no_wheel(package)),
        ),
        None => Judgement::new(CompatVerdict::NotTried, "it was not installed".to_owned()),
    }
}

/// Why there is nothing to install.
fn no_wheel(package: &PackageOnBuild) -> String {
    let has = match package.distribution {
        Distribution::GilOnlyWheel => "only wheels for builds with a GIL",
        Distribution::SourceOnly => "no wheel for this build, only a source archive",
        _ => "no file for this build",
    };
    let version = package.version.as_deref().unwrap_or_default();
    match &package.newest_with_wheel {
        Some(newest) => format!("{version} has {has}; {newest} is the newest version with a wheel"),
        None => format!("{version} has {has}, and no other version has a wheel"),
    }
}

/// Judges a package that was installed.
fn tried(name: &str, package: &PackageOnBuild, all: &OnBuild<'_>, free_threaded: bool) -> Judgement {
    let (optional, imports): (Vec<&ModuleImport>, Vec<&ModuleImport>) = package
        .imports
        .iter()
        .partition(|import| is_optional(import, name, package, all));
    let in_threads = package.imports_in_threads.iter();
    let attempts = imports
        .iter()
        .map(|import| (format!("import {}", import.module), &import.attempt))
        .chain(in_threads.map(|attempt| ("import in several threads at once".to_owned(), attempt)))
        .chain(
            package
                .calls
                .iter()
                .map(|call| (call.call.clone(), &call.attempt)),
        );
    let attempts: Vec<(String, &Attempt)> = attempts.collect();
    let with = |wanted: Outcome| attempts.iter().find(|(_, attempt)| attempt.outcome == wanted);
    if let Some((what, attempt)) = with(Outcome::Crashes) {
        return Judgement::new(CompatVerdict::Crashes, format!("{what}: {}", attempt.reason));
    }
    let failed = [Outcome::TimesOut, Outcome::Exits, Outcome::Fails];
    if let Some((what, attempt)) = failed.into_iter().find_map(with) {
        let reason = format!("{what}: {}", attempt.reason);
        // Whatever it raises: some packages import what is missing only when they are used.
        if let Some(blocker) = missing_requirement(name, all) {
            return Judgement {
                blocked_by: Some(blocker),
                ..Judgement::new(CompatVerdict::NotTried, reason)
            };
        }
        let reason = if package.foreign_extensions.is_empty() {
            reason
        } else {
            let count = text::counted(package.foreign_extensions.len() as u64, "extension module");
            format!("{reason}; its wheel has {count} for another build")
        };
        return Judgement::new(CompatVerdict::Fails, reason);
    }
    if free_threaded && let Some(judgement) = switches_gil_on(name, package, all) {
        return judgement;
    }
    let reason = match optional.as_slice() {
        _ if package.imports.is_empty() => "it has no modules".to_owned(),
        [] => String::new(),
        optional => format!(
            "{} of its {} cannot be imported: {}",
            optional.len(),
            text::counted(package.imports.len() as u64, "module"),
            optional.iter().map(|import| import.module.as_str()).join(", ")
        ),
    };
    Judgement::new(CompatVerdict::NoBlockerFound, reason)
}

/// Whether an import that raises says nothing about the package: it is of a submodule, which may be for another platform,
/// or it needs something that no package of the tree has, while other modules of the package can be imported.
fn is_optional(import: &ModuleImport, name: &str, package: &PackageOnBuild, all: &OnBuild<'_>) -> bool {
    if import.attempt.outcome != Outcome::Fails || missing_requirement(name, all).is_some() {
        return false;
    }
    let others = || {
        package
            .imports
            .iter()
            .filter(|other| other.module != import.module)
    };
    if others().any(|other| is_in(&import.module, &other.module)) {
        return true;
    }
    let needed = import.attempt.reason.strip_prefix(NO_MODULE);
    let needed = needed.and_then(|rest| rest.split(['\'', '.']).next());
    let root = |module: &str| module.split('.').next() == needed;
    let is_in_tree = || {
        all.values()
            .flat_map(|package| &package.imports)
            .any(|one| root(&one.module))
    };
    let works = |other: &ModuleImport| other.attempt.outcome == Outcome::Works;
    needed.is_some() && !is_in_tree() && others().any(works)
}

/// Whether a module is in another one, or is it.
fn is_in(module: &str, other: &str) -> bool {
    let rest = module.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The judgement on a package during whose import the GIL was switched on.
fn switches_gil_on(name: &str, package: &PackageOnBuild, all: &OnBuild<'_>) -> Option<Judgement> {
    let switches = || {
        package
            .imports
            .iter()
            .flat_map(|import| import.gil_enabled_by.iter().map(move |switch| (import, switch)))
    };
    let owner = |switch: &GilSwitch| owner(&switch.extension, all);
    // One of its own counts more than one of another package.
    let own = switches().find(|(_, switch)| owner(switch).is_none_or(|owner| owner == name));
    let (import, switch) = own.or_else(|| switches().next())?;
    let declared = import
        .extensions
        .iter()
        .find(|extension| extension.module == switch.extension)
        .map(|extension| extension.gil);
    let declares = match declared {
        Some(GilDeclaration::Needed) => ", which declares that it needs the GIL",
        Some(GilDeclaration::Nothing) => ", which declares nothing about the GIL",
        _ => "",
    };
    let who = if switch.extension.is_empty() {
        format!("an extension module that {} imports", import.module)
    } else {
        format!("{}{declares}", switch.extension)
    };
    let blocked_by = match own {
        Some(_) => None,
        None => owner(switch).map(str::to_owned),
    };
    Some(Judgement {
        blocked_by,
        ..Judgement::new(CompatVerdict::GilReenabled, who)
    })
}

/// The package that an extension module belongs to: the one with the longest module name that contains it.
fn owner<'a>(extension: &str, all: &OnBuild<'a>) -> Option<&'a str> {
    let modules = all.iter().flat_map(|(name, package)| {
        let modules = package.imports.iter().map(|import| import.module.as_str());
        modules.map(move |module| (*name, module))
    });
    let containing = modules.filter(|(_, module)| is_in(extension, module));
    containing
        .max_by_key(|(_, module)| module.len())
        .map(|(name, _)| name)
}

/// A package that this one requires, directly or not, and that is not installed.
fn missing_requirement(name: &str, all: &OnBuild<'_>) -> Option<String> {
    let mut seen = BTreeSet::from([name]);
    let mut waiting = vec![name];
    while let Some(next) = waiting.pop() {
        for required in all.get(next).into_iter().flat_map(|package| &package.requires) {
            if all
                .get(required.as_str())
                .is_some_and(|package| !package.is_installed)
            {
                return Some(required.clone());
            }
            if seen.insert(required) {
                waiting.push(required);
            }
        }
    }
    None
}

/// The packages that block the tree by themselves, the worst first.
#[must_use]
pub fn blockers(compat: &Compat) -> Vec<&CompatPackage> {
    let blocks = |package: &&CompatPackage| package.blocked_by.is_none() && package.verdict.is_blocking();
    let mut blockers: Vec<&CompatPackage> = compat.packages.iter().filter(blocks).collect();
    blockers.sort_by_key(|package| std::cmp::Reverse(package.verdict));
    blockers
}

/// The packages whose versions differ between builds.
#[must_use]
pub fn resolved_differently(compat: &Compat) -> Vec<&CompatPackage> {
    let differs = |package: &&CompatPackage| {
        let versions = compat
            .builds
            .iter()
            .map(|build| package.builds.get(&build.tag).and_then(|on| on.version.as_ref()));
        !versions.unique().count().eq(&1)
    };
    compat.packages.iter().filter(differs).collect()
}

/// What changed for a package between two results.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    /// The package.
    pub name: &'a str,
    /// The build's tag.
    pub build: &'a str,
    /// What it was: `None` if the earlier result does not have it.
    pub before: Option<&'a PackageOnBuild>,
    /// What it is now: `None` if the later result does not have it.
    pub after: Option<&'a PackageOnBuild>,
}

/// The changes of versions and verdicts on the builds that two results share.
#[must_use]
pub fn changes<'a>(before: &'a Compat, after: &'a Compat) -> Vec<Change<'a>> {
    let index = |compat: &'a Compat| -> BTreeMap<&'a str, &'a CompatPackage> {
        let packages = compat.packages.iter();
        packages.map(|package| (package.name.as_str(), package)).collect()
    };
    let (earlier, later) = (index(before), index(after));
    let names: Vec<&str> = earlier
        .keys()
        .chain(later.keys())
        .copied()
        .sorted()
        .dedup()
        .collect();
    let shared = |tag: &str| before.builds.iter().any(|build| build.tag == tag);
    let builds = after.builds.iter().filter(|build| shared(&build.tag));
    builds
        .cartesian_product(names)
        .map(|(build, name)| {
            let on = |packages: &BTreeMap<&'a str, &'a CompatPackage>| {
                packages
                    .get(name)
                    .and_then(|package| package.builds.get(&build.tag))
            };
            Change {
                name,
                build: &build.tag,
                before: on(&earlier),
                after: on(&later),
            }
        })
        .filter(|change| {
            let of = |on: Option<&'a PackageOnBuild>| on.map(|on| (&on.version, on.verdict));
            of(change.before) != of(change.after)
        })
        .collect()
}

#[cfg(test)]
#[path = "compat_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
