//! Every workload of the suite with a deliberate fault in its `work`: its `check` must catch it.

use std::path::{Path, PathBuf};

use ftbench_schema::{CellStatus, Model};

use crate::support::paths::harness;
use crate::support::{Sandbox, has_no_wheel_yet, pair};

/// Code for the end of each file: it passes other units to all functions named `work...`, or changes their results.
const SPOIL: &str = "
def _spoil_all():
    import inspect

    def spoiled(work):
        if inspect.iscoroutinefunction(work):
            async def work_async(data, units):
                return RETURNED(await work(data, GIVEN(units)))
            return work_async
        return lambda data, units: RETURNED(work(data, GIVEN(units)))

    for name, function in list(globals().items()):
        if name == 'work' or name.startswith('work_'):
            globals()[name] = spoiled(function)

_spoil_all()
";

/// A Python function that changes one value in a result, however deeply it is nested.
const ALTER: &str = "
def _alter(result):
    if isinstance(result, bool) or result is None:
        return not result
    if isinstance(result, (int, float, complex)):
        return result + 1
    if isinstance(result, str):
        return result + '!'
    if isinstance(result, (bytes, bytearray)):
        return bytes(result) + b'!'
    if isinstance(result, dict):
        key = next(iter(result))
        return {**result, key: _alter(result[key])}
    if isinstance(result, (set, frozenset)):
        return set(result) | {'altered'}
    if isinstance(result, (list, tuple)) and result:
        return [_alter(result[0]), *result[1:]]
    for name in [*getattr(result, '__slots__', ()), *getattr(result, '__dict__', ())]:
        value = getattr(result, name)
        if isinstance(value, (int, float)):
            setattr(result, name, value + 1)
            return result
    return [result, 'altered']
";

/// Workloads whose `split` hands out the work itself, so that `work` ignores its number of units.
const TAKE_UNITS_FROM_SPLIT: [&str; 1] = ["word_count"];

fn copy_tree(from: &Path, to: &Path, change: &dyn Fn(String) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &target, change);
        } else if path.extension().is_some_and(|suffix| suffix == "py") {
            std::fs::write(&target, change(std::fs::read_to_string(&path).unwrap())).unwrap();
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The files of the suite, which are directly in its folders.
fn files(suite: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut files: Vec<PathBuf> = entries(suite)
        .into_iter()
        .filter(|path| path.is_dir())
        .flat_map(|folder| entries(&folder))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "py"))
        .collect();
    files.sort();
    files
}

/// Runs the suite with units and results passed through these Python functions. The check of every cell must fail,
/// except for the workloads in `exempt`.
fn assert_caught(given: &str, returned: &str, exempt: &[&str]) {
    let sandbox = Sandbox::sharing_the_machine();
    let suite = harness().join("../workloads");
    let spoiled = sandbox.path().join("suite");
    let fault = SPOIL.replace("GIVEN", given).replace("RETURNED", returned);
    copy_tree(&suite, &spoiled, &|source| format!("{source}\n{ALTER}\n{fault}"));
    let mut words: Vec<String> = files(&spoiled)
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    words.push(format!(
        "-p {} -m {} --rounds 1 --samples 1 --no-ceiling",
        pair().gil,
        Model::Serial
    ));
    let summary = sandbox.run("out", &words.join(" "), 1).summary();
    let measured: Vec<_> = summary
        .cells
        .iter()
        .filter(|cell| cell.status != CellStatus::Skipped)
        .collect();
    assert!(measured.len() >= files(&suite).len(), "{} cells", measured.len());
    for cell in measured {
        if has_no_wheel_yet(cell, &summary) {
            continue;
        }
        let expected = if exempt.contains(&cell.workload.as_str()) {
            CellStatus::Ok
        } else {
            CellStatus::WrongResult
        };
        assert_eq!(cell.status, expected, "{}: {:?}", cell.cell, cell.reason);
    }
}

#[test]
fn an_altered_result_is_caught_by_every_check() {
    assert_caught("", "_alter", &[]);
}

#[test]
fn a_unit_left_out_is_caught_by_every_check() {
    assert_caught("(lambda units: max(units - 1, 0))", "", &TAKE_UNITS_FROM_SPLIT);
}
