//! Plans the cells of a shard's plan file on this machine, if its builds and code are those of the plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::changes;
use super::error::RunError;
use super::planned::{self, PlannedRun, Purpose};
use crate::cli::{OutputOptions, RequestError, RunRequest};
use crate::command::cache_folder;
use crate::error::Error;
use crate::interpreter::archive;
use crate::outside;
use crate::record::fleet;
use crate::record::store;
use crate::workload::environment::Environments;
use ftbench_schema::{BuildMatch, FleetPlan, InterpreterFacts, Manifest, Switches, Tag, text};

/// A plan file that was read.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    plan: FleetPlan,
    /// Executables from archives, by the paths that the plan's interpreters had where it was made; empty without archives.
    executables: BTreeMap<String, PathBuf>,
}

impl Shard {
    /// Reads a plan file, and unpacks its archives into the cache folder, unless that was done before.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut shard = Self {
            path: path.to_owned(),
            plan: fleet::read_plan(path)?,
            executables: BTreeMap::new(),
        };
        shard.unpack_archives()?;
        Ok(shard)
    }

    /// Whether this folder has a run of this shard, which an engine that starts a shard again resumes.
    pub fn has_begun_in(&self, folder: &Path) -> bool {
        let header = store::read_header(folder);
        let fleet = header.ok().and_then(|header| header.manifest.fleet);
        fleet.is_some_and(|fleet| fleet.shard == self.plan.shard)
    }

    fn unpack_archives(&mut self) -> Result<(), Error> {
        if self.plan.archives.is_empty() {
            return Ok(());
        }
        let cache = cache_folder()?;
        let folder = outside::folder_above(&self.path);
        for archive in &self.plan.archives {
            let executable = archive::unpack(archive, folder, &cache)?;
            self.executables.insert(archive.path.clone(), executable);
        }
        let environments = Environments::below(&cache);
        for archive in &self.plan.environments {
            if let Some(executable) = self.executables.get(&archive.path) {
                environments.unpack(archive, folder, executable)?;
            }
        }
        Ok(())
    }

    /// The words that request the plan's interpreters from archives; empty if it has none.
    fn archived(&self) -> Vec<String> {
        let word = |facts: &InterpreterFacts| {
            let executable = self.executables.get(&facts.path)?;
            let switches = Switches::of(&facts.switches);
            let named = if facts.tag.parse::<Tag>().is_ok() {
                String::new()
            } else {
                format!("{}=", facts.tag)
            };
            Some(format!("{named}{}{switches}", executable.display()))
        };
        self.plan.interpreters.iter().filter_map(word).collect()
    }

    /// Plans the shard's cells on this machine. `given` has the options that may be given beside a plan.
    pub fn plan(
        &self,
        given: &RunRequest,
        purpose: Purpose,
        output: OutputOptions,
    ) -> Result<PlannedRun, Error> {
        if self.plan.ftbench_version != env!("CARGO_PKG_VERSION") {
            return Err(RunError::PlanOfOtherVersion {
                plan: self.path.clone(),
                version: self.plan.ftbench_version.clone(),
            }
            .into());
        }
        let request = self.request(given)?;
        let planned = planned::plan(&request, Some(&self.plan), purpose, output)?;
        let differences = differences(&self.plan, &planned.manifest);
        if differences.is_empty() {
            Ok(planned)
        } else {
            Err(RunError::UnlikePlan {
                plan: self.path.clone(),
                differences,
            }
            .into())
        }
    }

    /// The options of the plan as those of a run. The keys of the plan come before its options.
    fn request(&self, given: &RunRequest) -> Result<RunRequest, RequestError> {
        let plan = &self.plan;
        let mut request = RunRequest::of_words(&plan.options)?;
        request.seed = Some(plan.seed);
        request.yes |= given.yes;
        let archived = self.archived();
        if !archived.is_empty() {
            request.python = archived;
        } else if request.python.is_empty() {
            // The newest pair may be another one on this machine.
            let tags = plan
                .interpreters
                .iter()
                .map(|interpreter| interpreter.tag.clone());
            request.python = tags.collect();
        }
        request.workers = match &plan.workers {
            None => None,
            Some(words) => Some(words.parse().map_err(RequestError::of)?),
        };
        Ok(request)
    }
}

/// What differs between the plan and this machine, one line each. Pure.
fn differences(plan: &FleetPlan, here: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    for was in &plan.interpreters {
        match here.interpreter(&was.tag) {
            None => found.push(format!(
                "  {}: it is not among the interpreters here",
                text::line(&was.tag)
            )),
            Some(is) => found.extend(build(plan.builds, was, is)),
        }
    }
    if here.plan.baseline != plan.baseline {
        found.push(format!(
            "  the baseline: it was {}, is {}",
            text::line(&plan.baseline),
            text::line(&here.plan.baseline)
        ));
    }
    for was in &plan.workloads {
        match here.workloads.iter().find(|is| is.name == was.name) {
            None => found.push(format!(
                "  {}: there is no such workload here",
                text::line(&was.name)
            )),
            Some(is) => found.extend(changes::workload(was, is)),
        }
    }
    for was in &plan.arms {
        found.extend(
            here.arm(&was.name)
                .into_iter()
                .flat_map(|is| changes::arm(was, is)),
        );
    }
    for is in here.modules.iter().flatten() {
        let mut namesakes = plan.modules.iter().filter(|was| was.name == is.name).peekable();
        if namesakes.peek().is_none() || namesakes.all(|was| was.sha256 != is.sha256) {
            found.push(format!(
                "  the module {} ({}): it is not that of the plan",
                text::line(&is.name),
                text::line(&is.path)
            ));
        }
    }
    found
}

fn build(builds: BuildMatch, was: &InterpreterFacts, is: &InterpreterFacts) -> Vec<String> {
    match builds {
        BuildMatch::Hash => changes::interpreter(was, is),
        BuildMatch::Version => {
            let words = |one: &InterpreterFacts| {
                let threads = if one.free_threaded { ", free-threaded" } else { "" };
                format!("{} {}{threads}", one.implementation, text::line(&one.version))
            };
            let (before, now) = (words(was), words(is));
            (before != now)
                .then(|| format!("  {}: it was {before}, is {now}", text::line(&was.tag)))
                .into_iter()
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::fleets::plan_of;
    use ftbench_fixtures::records::{cell_of, manifest};
    use ftbench_schema::{BuildIdentity, Model, ModuleFacts};

    fn with_hash(facts: &InterpreterFacts, sha256: &str) -> InterpreterFacts {
        InterpreterFacts {
            identity: Some(BuildIdentity {
                sha256: Some(sha256.to_owned()),
                ..BuildIdentity::default()
            }),
            ..facts.clone()
        }
    }

    #[test]
    fn another_build_under_the_same_tag_is_a_difference() {
        let mut here = manifest(&[cell_of("fib", "3.13t", Model::Threads, 1)]);
        let mut plan = plan_of(&here);
        assert_eq!(differences(&plan, &here), Vec::<String>::new());
        let [gil, free_threaded] = &here.interpreters[..] else {
            unreachable!()
        };
        plan.interpreters = vec![gil.clone(), with_hash(free_threaded, &"a".repeat(64))];
        here.interpreters = vec![gil.clone(), with_hash(free_threaded, &"b".repeat(64))];
        let found = differences(&plan, &here);
        assert_eq!(found.len(), 1);
        assert!(
            found
                .iter()
                .all(|line| line.contains("3.13t") && line.contains("sha256 was aaaa")),
            "{found:?}"
        );
        plan.builds = BuildMatch::Version;
        assert_eq!(differences(&plan, &here), Vec::<String>::new());
        "3.13.16".clone_into(&mut here.interpreters[1].version);
        assert_eq!(differences(&plan, &here).len(), 1);
    }

    #[test]
    fn changed_workload_module_and_baseline_are_differences() {
        let mut here = manifest(&[cell_of("fib", "3.13t", Model::Threads, 1)]);
        let plan = plan_of(&here);
        "changed".clone_into(&mut here.workloads[0].sha256);
        "3.13t".clone_into(&mut here.plan.baseline);
        here.modules = Some(vec![ModuleFacts {
            name: "helper".to_owned(),
            path: "/helper.py".to_owned(),
            sha256: Some("c".repeat(64)),
        }]);
        let found = differences(&plan, &here).join("\n");
        for word in ["fib", "the baseline", "the module helper"] {
            assert!(found.contains(word), "{word}: {found}");
        }
    }
}
