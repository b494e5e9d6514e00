//! Builds what a run needs: programs that embed interpreters, and extensions of workloads.

use std::path::Path;

use super::error::RunError;
use crate::assets::embedded_host;
use crate::cargo_build::{BuildError, Builder, difference};
use crate::cli::OutputOptions;
use crate::command::{cache_folder, remark};
use crate::error::Error;
use ftbench_schema::{Host, InterpreterFacts, Manifest, PlannedCell, Warning, WarningKind};

/// Builds what the planned cells need, or finds it in the cache, and adds it to the manifest. Skips cells whose
/// extension cannot be built, with the reason.
///
/// # Errors
/// When an embedded host cannot be built, or no cell is left to measure.
pub fn make(manifest: &mut Manifest, output: OutputOptions) -> Result<(), Error> {
    let cache = cache_folder()?;
    let say = |text: &str| remark(output, text);
    let builder = Builder {
        cache: &cache,
        say: &say,
    };
    hosts(manifest, &builder, output)?;
    Ok(extensions(manifest, &builder, output)?)
}

fn hosts(manifest: &mut Manifest, builder: &Builder<'_>, output: OutputOptions) -> Result<(), BuildError> {
    for interpreter in &manifest.interpreters {
        let is_embedded = |planned: &PlannedCell| {
            planned.cell.host == Host::Embed && planned.cell.interpreter == interpreter.tag
        };
        if !live(&manifest.plan.cells).any(is_embedded) {
            continue;
        }
        let built = builder.host(interpreter, &embedded_host(interpreter))?;
        if let Some(message) = difference(interpreter, built.linked) {
            remark(output, &format!("warning: {message}"));
            manifest
                .warnings
                .push(Warning::of_run(WarningKind::HostsDiffer, message));
        }
        manifest.hosts.push(built);
    }
    Ok(())
}

fn extensions(manifest: &mut Manifest, builder: &Builder<'_>, output: OutputOptions) -> Result<(), RunError> {
    let mut failed = None;
    for (interpreter, package) in needed_extensions(manifest) {
        match builder.extension(&interpreter, Path::new(&package)) {
            Ok(built) => manifest.extensions.push(built),
            Err(error) => {
                remark(output, &format!("warning: {error}"));
                skip(manifest, &interpreter.tag, &package, &error.to_string());
                failed.get_or_insert(error);
            }
        }
    }
    match failed {
        Some(error) if live(&manifest.plan.cells).all(|planned| planned.cell.is_native()) => {
            Err(RunError::Extension(error))
        }
        _ => Ok(()),
    }
}

/// The interpreters and the packages that their live cells need, each pair once.
fn needed_extensions(manifest: &Manifest) -> Vec<(InterpreterFacts, String)> {
    let mut wanted: Vec<(InterpreterFacts, String)> = Vec::new();
    for planned in live(&manifest.plan.cells) {
        let interpreter = manifest.interpreter(&planned.cell.interpreter);
        let package = extension_of(manifest, &planned.cell.workload);
        let (Some(interpreter), Some(package)) = (interpreter, package) else {
            continue;
        };
        let pair = (interpreter.clone(), package);
        if !wanted.contains(&pair) {
            wanted.push(pair);
        }
    }
    wanted
}

/// Skips the cells of an interpreter that need a package.
fn skip(manifest: &mut Manifest, tag: &str, package: &str, reason: &str) {
    let workloads: Vec<String> = manifest
        .workloads
        .iter()
        .filter(|workload| workload.extension.as_deref() == Some(package))
        .map(|workload| workload.name.clone())
        .collect();
    for planned in &mut manifest.plan.cells {
        let cell = &planned.cell;
        if cell.interpreter == tag && workloads.contains(&cell.workload) && planned.skipped.is_none() {
            planned.skipped = Some(reason.to_owned());
        }
    }
}

fn extension_of(manifest: &Manifest, workload: &str) -> Option<String> {
    let facts = manifest.workloads.iter().find(|facts| facts.name == workload)?;
    facts.extension.clone()
}

/// The cells that are not skipped.
fn live(cells: &[PlannedCell]) -> impl Iterator<Item = &PlannedCell> {
    cells.iter().filter(|planned| planned.skipped.is_none())
}
