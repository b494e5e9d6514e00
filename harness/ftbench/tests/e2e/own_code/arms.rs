//! `ftbench run --arm`: two versions of the user's code, paired in one run.

use std::collections::BTreeSet;
use std::process::Command;

use ftbench_schema::{ArmKind, CellStatus, CellSummary, EnvironmentFacts, Model, WarningKind};

use super::package_sandbox::{Installer, Origin, PackageSandbox};
use crate::support::{Run, executable, pair};

/// A workload that runs `loops` iterations per unit and reports that number.
fn looping(loops: u32) -> String {
    format!(
        "
LOOPS = {loops}

def work(data, units):
    for _ in range(units * LOOPS):
        pass
    return units

def check(results, units):
    assert sum(results) == units

def report(results, units):
    return {{'loops': LOOPS}}
"
    )
}

/// A workload that reports which version of a module it imported.
const IMPORTING: &str = "
from version import NUMBER

def work(data, units):
    for _ in range(units * 1000):
        pass
    return NUMBER

def report(results, units):
    assert set(results) == {NUMBER}
    return {'number': NUMBER}
";

fn workshop() -> PackageSandbox {
    PackageSandbox::new(Installer::Pip, Origin::Wheels)
}

/// Runs `ftbench run` on the pair's GIL build with one worker and the minimum of trials for intervals.
#[track_caller]
fn measured(workshop: &PackageSandbox, out: &str, words: &str, status: i32) -> Run {
    let python = executable(&pair().gil);
    let output = workshop.ftbench(&format!(
        "run --profile quick --samples 1 --no-ceiling -n 1 -m serial,threads --out {out} -p {} {words}",
        python.display()
    ));
    output.exits_with(status);
    Run {
        folder: workshop.sandbox.path().join(out),
        output,
    }
}

/// The figure that the cells of each arm reported, which must be the same in all of them.
fn reported(run: &Run, workload: &str, name: &str) -> Vec<(String, f64)> {
    let mut found: Vec<(String, f64)> = Vec::new();
    for cell in run.cells(workload) {
        let arm = cell.arm.clone().unwrap();
        let figure = cell.reported[name];
        assert_eq!((figure.low, figure.high), (figure.estimate, figure.estimate));
        let known = found.iter().find(|(known, _)| *known == arm);
        match known {
            Some((_, value)) => assert_eq!(*value, figure.estimate, "{}", cell.cell),
            None => found.push((arm, figure.estimate)),
        }
    }
    found
}

fn numbers(base: f64, new: f64) -> Vec<(String, f64)> {
    vec![("base".to_owned(), base), ("new".to_owned(), new)]
}

#[test]
fn two_versions_of_a_file_are_one_workload_in_two_arms() {
    let workshop = workshop();
    workshop.sandbox.file("old/mine.py", looping(1000));
    workshop.sandbox.file("changed/other_name.py", looping(6000));
    let words = "--rounds 10 --arm base=old/mine.py --arm new=changed/other_name.py --label branch=main";
    let gil = pair().gil.as_str();
    let run = measured(&workshop, "out", words, 0);
    run.all_ok("mine");
    assert_eq!(reported(&run, "mine", "loops"), numbers(1000.0, 6000.0));
    let summary = run.summary();
    // Six times the work in ten rounds. Ranks decide, so only a reversed round could hide it.
    assert_eq!(summary.arm_ratios.len(), 2);
    for compared in &summary.arm_ratios {
        assert_eq!((compared.base.as_str(), compared.arm_name()), ("base", "new"));
        assert_eq!(compared.rounds, 10);
        assert!(
            compared.difference.differs && compared.ratio.high < 1.0,
            "{compared:?}"
        );
    }
    let serial = |arm: &str| -> CellSummary {
        let mut cells = run.cells("mine").into_iter();
        let found = cells.find(|cell| cell.model == Model::Serial && cell.arm.as_deref() == Some(arm));
        found.unwrap()
    };
    assert!(
        serial("base").vs_baseline_difference.is_none(),
        "the base arm is what others are compared with"
    );
    let [of_table, of_arms] = [serial("new").vs_baseline, Some(summary.arm_ratios[0].ratio)];
    assert_eq!(of_table, of_arms);

    let manifest = run.manifest();
    let arms: Vec<(&str, ArmKind)> = manifest
        .arms
        .iter()
        .map(|arm| (arm.name.as_str(), arm.kind))
        .collect();
    assert_eq!(arms, [("base", ArmKind::File), ("new", ArmKind::File)]);
    assert_eq!(
        manifest.arms[0].sha256.as_ref(),
        Some(&manifest.workloads[0].sha256)
    );
    assert_ne!(manifest.arms[0].sha256, manifest.arms[1].sha256);
    assert_eq!(summary.run.labels["branch"], "main");
    let trials = run.trials();
    let units: BTreeSet<u64> = trials.iter().map(|trial| trial.units).collect();
    assert_eq!(
        (trials.len(), units.len()),
        (40, 1),
        "the same units for both arms"
    );

    let found = format!("new on {gil}: 0.");
    assert!(run.output.stdout.starts_with(&found), "{}", run.output.stdout);
    assert!(
        run.output.stdout.contains(" as fast as base ["),
        "{}",
        run.output.stdout
    );
    assert!(run.text("report.html").contains(&format!("new on {gil}")));
    let chart = run.text("charts/mine.svg");
    for arm in ["base", "new"] {
        assert!(
            chart.contains(&format!("{gil} {arm} threads")),
            "no {arm} in the chart"
        );
    }
    let of_new = workshop.ftbench("plot out#new --workload mine --out -");
    of_new.exits_with(0);
    assert!(of_new.stdout.contains(" new ") && !of_new.stdout.contains(" base "));
    workshop
        .ftbench("plot out#old")
        .refuses(&["has no interpreter or arm 'old'", "base, new"], 2);
    let mut reader = csv::Reader::from_reader(run.text("samples.csv").into_bytes().leak() as &[u8]);
    let place = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "arm")
        .unwrap();
    let in_table: BTreeSet<String> = reader
        .records()
        .map(|row| row.unwrap()[place].to_owned())
        .collect();
    assert_eq!(in_table, BTreeSet::from(["base".to_owned(), "new".to_owned()]));
}

#[test]
fn the_folder_of_an_arm_comes_before_that_of_the_workload() {
    let workshop = workshop();
    let sandbox = &workshop.sandbox;
    let path = sandbox.file("bench/importing.py", IMPORTING);
    sandbox.file("bench/version.py", "NUMBER = 0\n");
    sandbox.file("old/version.py", "NUMBER = 1\n");
    // A project folder stands for its source folder.
    sandbox.file("project/pyproject.toml", "");
    sandbox.file("project/src/version.py", "NUMBER = 2\n");
    let words = format!("{path} --arm base=old --arm new=project -m processes");
    let run = measured(&workshop, "out", &words, 0);
    run.all_ok("importing");
    assert_eq!(reported(&run, "importing", "number"), numbers(1.0, 2.0));
    let arms = run.manifest().arms;
    assert!(arms[1].kind == ArmKind::Folder && arms[1].path.ends_with("project/src"));

    let callable = "--callable measured:function --arm base=old --arm new=project";
    sandbox.file(
        "measured.py",
        "from version import NUMBER\ndef function():\n    return sum(range(NUMBER * 1000))\n",
    );
    let run = measured(&workshop, "callable", callable, 0);
    run.all_ok("measured:function");
}

#[test]
fn an_arm_that_nothing_is_imported_from_fails() {
    let workshop = workshop();
    let path = workshop.sandbox.file("importing.py", IMPORTING);
    workshop.sandbox.file("version.py", "NUMBER = 0\n");
    workshop.sandbox.file("old/version.py", "NUMBER = 1\n");
    workshop.sandbox.file("new/elsewhere/version.py", "NUMBER = 2\n");
    let words = format!("{path} --arm base=old --arm new=new");
    let run = measured(&workshop, "out", &words, 1);
    for cell in run.cells("importing") {
        let reason = cell.reason.clone().unwrap_or_default();
        match cell.arm.as_deref() {
            Some("base") => assert_eq!(cell.status, CellStatus::Ok, "{reason}"),
            _ => {
                assert_eq!(cell.status, CellStatus::Failed);
                assert!(reason.contains("imported no module from"), "{reason}");
            }
        }
    }
}

#[test]
fn wheels_are_installed_for_their_arm_only() {
    let workshop = workshop();
    let wheels = ["1.0", "2.0"].map(|version| workshop.wheel("example_package", version, "py3-none-any"));
    let source = "
import example_package

def work(data, units):
    for _ in range(units * 1000):
        pass

def report(results, units):
    return {'number': float(example_package.VERSION)}
";
    let path = workshop.sandbox.file("uses.py", source);
    let words = format!("{path} --arm base={} --arm new={}", wheels[0], wheels[1]);
    let run = measured(&workshop, "out", &words, 0);
    run.all_ok("uses");
    assert_eq!(reported(&run, "uses", "number"), numbers(1.0, 2.0));
    let manifest = run.manifest();
    let arms: Vec<&[String]> = manifest
        .environments
        .iter()
        .map(|environment: &EnvironmentFacts| environment.arms.as_slice())
        .collect();
    assert_eq!(arms, [["base"], ["new"]]);
    let warnings = manifest.warnings.iter();
    let warnings: Vec<_> = warnings
        .filter(|warning| warning.kind != WarningKind::PreRelease)
        .collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn arms_that_cannot_be_compared_are_refused() {
    let workshop = workshop();
    for name in ["a.py", "b.py"] {
        workshop.sandbox.file(name, looping(1));
    }
    workshop.sandbox.file("folder/module.py", "");
    let refuses = |words: &str, expected: &[&str]| {
        workshop
            .ftbench(&format!("run --dry-run {words}"))
            .refuses(expected, 2);
    };
    refuses("--arm new=a.py", &["'new' is the only arm"]);
    refuses("--arm new", &["NAME=PATH"]);
    refuses(
        "--arm 3.13=a.py --arm new=b.py",
        &["taken for an interpreter", "v3.13"],
    );
    refuses(
        "--arm a=a.py --arm b=folder",
        &["a workload file", "a folder of modules"],
    );
    refuses("--arm a=folder --arm b=folder", &["name one"]);
    refuses("a.py --arm a=a.py --arm b=b.py", &["leave out 'a.py'"]);
    refuses(
        "--callable m:f --arm a=a.py --arm b=b.py",
        &["leave out '--callable m:f'"],
    );
    refuses("a.py --label a=1 --label a=2", &["'a' is given twice"]);
    let python = executable(&pair().gil).display().to_string();
    let alike = workshop.ftbench(&format!(
        "run --dry-run mine -p {python} --arm a=a.py --arm b=b.py"
    ));
    alike.exits_with(0);
    alike.stderr_has(&["a and b have the same contents"]);
    assert!(
        alike.stdout.contains("1 workload in arms a, b on"),
        "{}",
        alike.stdout
    );
}

#[test]
fn the_commit_of_the_code_is_recorded() {
    let workshop = workshop();
    let folder = workshop.sandbox.path();
    workshop.sandbox.file("mine.py", looping(1000));
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b.c"]);
        let output = command.args(words).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["add", "mine.py"]);
    git(&["commit", "--quiet", "-m", "first"]);
    let id = git(&["rev-parse", "HEAD"]);
    let commit = |out: &str, words: &str| {
        let words = format!("--rounds 1 {words}");
        measured(&workshop, out, &words, 0).summary().run.commit
    };
    let found = commit("clean", "mine.py").unwrap();
    assert_eq!((found.id.as_str(), found.dirty), (id.as_str(), Some(false)));
    assert!(found.committed_at.is_some());
    workshop.sandbox.file("mine.py", looping(1001));
    assert_eq!(commit("dirty", "mine.py").unwrap().dirty, Some(true));
    let named = commit("named", "mine.py --commit HEAD").unwrap();
    assert_eq!((named.id, named.dirty), (id, None));
    assert_eq!(commit("suite", "fib"), None);
    assert_eq!(commit("foreign", "fib --commit r1234").unwrap().id, "r1234");
}

#[test]
fn two_builds_of_one_version_have_the_given_names() {
    let workshop = workshop();
    let path = executable(&pair().gil).display().to_string();
    let words = format!(
        "run --profile quick --rounds 3 --no-ceiling -n 1 -m serial --out out fib -p base={path} -p new={path}"
    );
    let output = workshop.ftbench(&words);
    output.exits_with(0);
    let folder = workshop.sandbox.path().join("out");
    let run = Run { folder, output };
    let tags: Vec<String> = run
        .manifest()
        .interpreters
        .into_iter()
        .map(|one| one.tag)
        .collect();
    let gil = &pair().gil;
    assert_eq!(tags, [format!("{gil}@base"), format!("{gil}@new")]);
    run.all_ok("fib");
    run.cell("fib", &format!("{gil}@new"), Model::Serial, 1);
}
