//! `ftbench run --callable`: functions without any change to them.

use ftbench_schema::{CellStatus, Model, WorkloadKind};

use super::package_sandbox::{Installer, Origin, PackageSandbox};
use crate::support::pair;

const MODULE: &str = "
import asyncio

from my_package.helper import numbers

def plain():
    return sum(numbers())

async def coroutine():
    await asyncio.sleep(0)
    return sum(numbers())

class Outer:
    @staticmethod
    def inner():
        return max(numbers())

def broken():
    raise ValueError('on purpose')
";

fn workshop() -> PackageSandbox {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    workshop.sandbox.file("my_package/__init__.py", "");
    workshop.sandbox.file("my_package/module.py", MODULE);
    workshop.sandbox.file(
        "my_package/helper.py",
        "def numbers():\n    return range(2_000)\n",
    );
    workshop
}

#[test]
fn functions_of_a_package_in_the_working_directory_are_measured() {
    let workshop = workshop();
    let names = ["plain", "coroutine", "Outer.inner"].map(|name| format!("my_package.module:{name}"));
    let words: Vec<String> = names.iter().map(|name| format!("--callable {name}")).collect();
    let words = format!("{} --callable {} -m processes,asyncio", words.join(" "), names[0]);
    let tags = pair().tags();
    // The plain function too: the model asyncio calls it inside a task.
    let run = workshop.run("out", &tags, &words, 0);
    let workloads = run.manifest().workloads;
    assert_eq!(
        workloads.iter().map(|one| &one.name).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );
    for (name, workload) in names.iter().zip(&workloads) {
        run.all_ok(name);
        assert_eq!(workload.kind, WorkloadKind::Cpu);
        assert_eq!(workload.callable.as_ref(), Some(name));
        let folder = workshop.sandbox.path().canonicalize().unwrap();
        assert_eq!(workload.path, folder.display().to_string());
        for model in [Model::Serial, Model::Threads, Model::Processes, Model::Asyncio] {
            run.cell(name, tags[0], model, 1);
        }
        let chart = format!("charts/{}.svg", name.replace(':', "_"));
        assert!(run.text(&chart).starts_with("<svg"), "{chart}");
    }
}

#[test]
fn callables_run_together_with_workloads_and_can_use_packages() {
    let workshop = workshop();
    workshop.wheel("example_package", "1.0", "py3-none-any");
    workshop.sandbox.file(
        "uses.py",
        "import example_package\ndef function():\n    return sum(range(2_000))\n",
    );
    let plain = workshop.workload("plain", "[]", "import example_package\n");
    let words = format!("{plain} --callable uses:function --with example_package");
    let run = workshop.run("out", &[&pair().gil], &words, 0);
    run.all_ok("plain");
    run.all_ok("uses:function");
    let environments = run.manifest().environments;
    assert_eq!(environments.len(), 1);
    assert_eq!(environments[0].workloads, ["plain", "uses:function"]);
}

#[test]
fn missing_and_failing_callables_are_failed_cells() {
    let workshop = workshop();
    let words = "--callable my_package.missing:f --callable my_package.module:missing --callable my_package.module:broken";
    let run = workshop.run("out", &[&pair().gil], words, 1);
    for (name, words) in [
        ("my_package.missing:f", "No module named 'my_package.missing'"),
        ("my_package.module:missing", "has no attribute 'missing'"),
        ("my_package.module:broken", "ValueError: on purpose"),
    ] {
        run.all_have(name, CellStatus::Failed, &[words]);
    }
}
