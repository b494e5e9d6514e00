//! Fuzz targets that take text.

use std::path::{Component, Path};

use crate::in_folder;
use ftbench::cargo_build::package;
use ftbench::doctor::read::{self, System};
use ftbench::machine::topology::{Topology, list_of_pus};
use ftbench::plan::placement::counts::{Counts, default_counts};
use ftbench::plan::placement::{Placer, Policy, Sharing};
use ftbench::record::file_name::file_name;
use ftbench::workload::metadata::{self, Metadata};
use ftbench::workload::{CallableName, Requirement, Workload};
use ftbench_present::export::asv::Benchmarks;
use ftbench_present::{style::Style, table::Table};
use ftbench_schema::pattern::Pattern;
use ftbench_schema::{Tag, Version, text as harmless};

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A workload's source, with its metadata block.
pub(super) fn metadata(bytes: &[u8]) {
    if let Some(source) = text(bytes)
        && let Ok(metadata) = metadata::parse(source)
    {
        check(&metadata);
    }
    let workloads = Workload::from_source(Path::new("/folder/file.py"), bytes).unwrap_or_default();
    for workload in &workloads {
        let facts = workload.facts();
        assert!(facts.name.starts_with("file"));
        if let Some(folder) = facts.extension {
            let folder = Path::new(&folder);
            let goes_up = folder.components().any(|part| part == Component::ParentDir);
            assert!(folder.starts_with("/folder") && !goes_up, "{}", folder.display());
        }
    }
}

fn check(metadata: &Metadata) {
    let is_line = |text: &str| !text.contains('\n');
    assert!(is_line(&metadata.summary) && is_line(&metadata.source) && is_line(&metadata.shows));
    for dependency in &metadata.dependencies {
        let _ = dependency.parse::<Requirement>();
    }
}

/// A requirement. It must never reach an installer as an option.
pub(super) fn requirement(bytes: &[u8]) {
    let Some(Ok(requirement)) = text(bytes).map(str::parse::<Requirement>) else {
        return;
    };
    let word = requirement.to_string();
    assert!(!word.starts_with('-') && !word.contains('\n'), "{word:?}");
    assert!(!requirement.name().is_empty());
    let _ = requirement.has_marker();
}

/// `package.module:function`.
pub(super) fn callable(bytes: &[u8]) {
    if let Some(Ok(name)) = text(bytes).map(str::parse::<CallableName>) {
        assert_eq!(name.to_string().parse().ok(), Some(name));
    }
}

/// asv's list of benchmarks. A list that was extended can be extended again.
pub(super) fn asv_benchmarks(bytes: &[u8]) {
    let Some(Ok(known)) = text(bytes).map(str::parse::<Benchmarks>) else {
        return;
    };
    let both = known.clone().with(known);
    let written = serde_json::to_string(&both.clone().into_json());
    let again = written.unwrap_or_default().parse::<Benchmarks>();
    assert!(
        again.as_ref().is_ok_and(|again| *again == both),
        "{both:?} became {again:?}"
    );
}

/// A lock file of uv.
pub(super) fn lock_file(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        ftbench::workload::environment::fuzz::lock_file(text);
    }
}

/// The output of an installer.
pub(super) fn installer(bytes: &[u8]) {
    ftbench::workload::environment::fuzz::installer_output(&String::from_utf8_lossy(bytes));
}

/// `Cargo.toml` and `Cargo.lock` of an extension.
pub(super) fn cargo_manifest(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(manifest) = package::manifest(text) {
        for module in manifest.modules {
            assert!(!module.contains('/') && module != "..", "{module:?}");
        }
    }
    let _ = package::pyo3_version(text);
}

/// The output of the interpreter probe.
pub(super) fn probe_answer(bytes: &[u8]) {
    ftbench::interpreter::fuzz::probe_answer(&String::from_utf8_lossy(bytes));
}

/// Words of `-p`, one per line.
pub(super) fn selection(bytes: &[u8]) {
    if let Some(words) = text(bytes) {
        ftbench::interpreter::fuzz::selection(words);
    }
}

/// A tag, and a version.
pub(super) fn tag(bytes: &[u8]) {
    let Some(word) = text(bytes) else { return };
    if let Ok(tag) = word.parse::<Tag>() {
        assert_eq!(tag.to_string().parse().ok(), Some(tag), "{word}");
    }
    if let Ok(version) = word.parse::<Version>() {
        assert_eq!(version.to_string().parse().ok(), Some(version), "{word}");
    }
}

/// Values of command-line options.
pub(super) fn options(bytes: &[u8]) {
    let Some(word) = text(bytes) else { return };
    if let Ok(counts) = word.parse::<Counts>() {
        let numbers = counts.resolve(16);
        assert!(!numbers.is_empty() && numbers.is_sorted() && !numbers.contains(&0));
        assert_eq!(counts.to_string().parse().ok(), Some(counts));
    }
    if let Ok(policy) = word.parse::<Policy>() {
        assert_eq!(policy.to_string().parse().ok(), Some(policy));
    }
    ftbench::cli::fuzz::values(word);
}

/// A whole command line, one word per line.
pub(super) fn command_line(bytes: &[u8]) {
    let Some(words) = text(bytes) else { return };
    ftbench::cli::fuzz::command_line(words.lines());
}

/// A pattern on the first line, and names on the others.
pub(super) fn pattern(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut lines = text.split('\n');
    let pattern = Pattern::new(lines.next().unwrap_or_default());
    for name in lines {
        let _ = pattern.as_ref().map(|pattern| pattern.matches(name));
        let _ = ftbench_schema::suggest::nearest(name, ["fib", "nbody", "http_fetch"]);
    }
}

/// External text on its way to a terminal, a page or a file name.
pub(super) fn foreign_text(bytes: &[u8]) {
    let foreign = String::from_utf8_lossy(bytes);
    let line = harmless::line(&foreign);
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(harmless::shorten(&line, 20).chars().count() <= 20);
    let escaped = harmless::escape_markup(&foreign);
    assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped:?}");
    let name = file_name(&foreign);
    assert!(name.len() < 200 && !name.contains(['/', '\0', '\n']), "{name:?}");
    let table = Table::of_rows(["one", "two"], [[line, foreign.into_owned()]]);
    let style = Style {
        colour: false,
        width: Some(40),
    };
    let _ = table.list(style);
    let _ = table.markdown();
}

/// Files of `/proc` and `/sys`; the first byte selects the parser.
pub(super) fn system(bytes: &[u8]) {
    let Some((&which, rest)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match which % 16 {
        number @ 0..8 => ftbench::machine::fuzz::system_text(number, &text),
        8 => {
            let _ = read::stat(&text);
        }
        9 => {
            let _ = read::pu_list(&text);
        }
        10 => {
            let _ = (
                read::chosen(&text),
                read::switch(&text),
                read::has_hypervisor_flag(&text),
            );
        }
        _ => whole_system(rest),
    }
}

/// Files that a library reads, separated by NULs.
fn whole_system(bytes: &[u8]) {
    const FILES: [&str; 4] = ["meminfo", "vmstat", "loadavg", "stat"];
    in_folder(|root| {
        let folder = root.join("proc");
        std::fs::create_dir_all(&folder).ok()?;
        for (name, contents) in FILES.iter().zip(bytes.split(|&byte| byte == 0)) {
            std::fs::write(folder.join(name), contents).ok()?;
        }
        let system = System::at(root);
        let moments = vec![system.moment(), system.moment()];
        let _ = (system.memory(), system.activity(moments, 1.0));
        Some(())
    });
}

/// A machine described in hwloc's synthetic format.
pub(super) fn hwloc_synthetic(bytes: &[u8]) {
    if let Some(machine) = text(bytes).and_then(ftbench::machine::fuzz::synthetic_machine) {
        place(&machine);
    }
}

/// Places workers on the machine, or finds a reason why that is not possible.
fn place(machine: &Topology) {
    let _ = (
        machine.facts(),
        machine.kinds(),
        list_of_pus(&machine.allowed_pus()),
    );
    for policy in [Policy::Cores, Policy::Scatter, Policy::Smt, Policy::None] {
        let Ok(placer) = Placer::new(machine, policy, None) else {
            continue;
        };
        let counts = default_counts(placer.limit());
        assert!(!counts.is_empty());
        for workers in counts {
            let _ = placer.place(workers, Sharing::Exclusive);
        }
        let _ = ftbench::terminal::topology::drawing(machine, &placer, 100);
    }
}
