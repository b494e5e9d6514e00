//! Event loops that a factory of the user's makes.

use ftbench_schema::{CellStatus, Model};

use crate::support::{Sandbox, output_of, pair};

/// A loop of a class of its own, and work that fails on any other loop.
const LOOPS: &str = "
import asyncio

class Own(asyncio.SelectorEventLoop):
    pass

def new():
    return Own()

async def later():
    assert type(asyncio.get_running_loop()) is Own, asyncio.get_running_loop()
    await asyncio.sleep(0)
";

const FILE: &str = "
from loops import later, new as loop_factory

def work(data, units):
    return sum(range(1000 * units))

async def work_async(data, units):
    for _ in range(units):
        await later()
";

/// Work for models with event loops, and without.
const WORK: &str = "
def work(data, units):
    return sum(range(1000 * units))

async def work_async(data, units):
    return work(data, units)
";

#[test]
fn loops_come_from_the_factory_of_the_file() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("loops.py", LOOPS);
    let file = sandbox.file("served.py", FILE);
    let words = format!(
        "-p {} -m asyncio,asyncio-threads -n 1 --rounds 1 --samples 2 --no-ceiling {file}",
        pair().words()
    );
    sandbox.run("out", &words, 0).all_ok("served");
}

#[test]
fn loops_of_every_model_come_from_the_factory_of_the_run() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("loops.py", LOOPS);
    let mut command = sandbox.command(&format!(
        "run --profile quick -p {} -m serial,processes,asyncio,asyncio-threads -n 1 --rounds 1 --samples 2 \
         --no-ceiling --out out --loop-factory loops:new --callable loops:later --call later()",
        pair().words()
    ));
    command.args(["--setup", "from loops import later"]);
    output_of(command).exits_with(0);
    let run = crate::support::Run {
        folder: sandbox.path().join("out"),
        output: sandbox.ftbench("show out"),
    };
    run.all_ok("later()");
    run.all_ok("loops:later");
    let manifest = run.manifest();
    assert_eq!(manifest.plan.settings.loop_factory.as_deref(), Some("loops:new"));
    // It is known, so that a changed one is noticed when the run is resumed.
    let modules = manifest.modules.unwrap();
    assert!(modules.iter().any(|module| module.name == "loops"), "{modules:?}");
}

#[test]
fn factories_that_make_no_loop_fail_their_cells_with_the_reason() {
    let sandbox = Sandbox::sharing_the_machine();
    for (name, factory, reason) in [
        (
            "number",
            "lambda: 5",
            "the loop factory returned 5, which is not an event loop (in start)",
        ),
        (
            "raises",
            "lambda: 1 / 0",
            "ZeroDivisionError: division by zero (in start)",
        ),
        ("constant", "5", "'loop_factory' is not a function"),
    ] {
        let source = format!("loop_factory = {factory}\n{WORK}");
        let file = sandbox.file(&format!("{name}.py"), source);
        let words = format!(
            "-p {} -m asyncio,asyncio-threads -n 1 --rounds 1 --samples 2 --no-ceiling {file}",
            pair().free_threaded
        );
        let run = sandbox.run(name, &words, 1);
        for cell in run.cells(name) {
            let given = cell.reason.clone().unwrap_or_default();
            // The model `serial` needs no loop.
            if cell.model != Model::Serial {
                assert_eq!(cell.status, CellStatus::Failed, "{}: {given}", cell.cell);
                assert!(given.contains(reason), "{}: {given}", cell.cell);
            }
        }
    }
}

#[test]
fn loop_factory_of_another_form_is_refused() {
    let sandbox = Sandbox::new();
    let output = sandbox.ftbench("run fib --dry-run --loop-factory uvloop");
    output.refuses(&["--loop-factory", "write 'package.module:function'"], 2);
}
