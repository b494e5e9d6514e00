//! Entry points for `ftbench-fuzzing`.

use hwlocality::Topology as Hwloc;
use hwlocality::topology::builder::BuildFlags;

use super::cost::processes;
use super::discovery::Discovered;
use super::noise::{pressure, pu_time, throttle};
use super::topology::Topology;
use super::{cache, description};
use crate::process::{quota, tree};

/// Parses the text of a file of `/proc` or `/sys`; `which` selects the parser.
pub fn system_text(which: u8, text: &str) {
    let (first, second) = text.split_once('\0').unwrap_or((text, ""));
    match which % 8 {
        0 => {
            let _ = quota::parse_cpu_max(text);
        }
        1 => {
            let _ = quota::parse_cfs(first, second);
        }
        2 => {
            let _ = pressure::some_total_ns(text);
        }
        3 => {
            let before = pu_time::parse_stat(first, 100);
            let after = pu_time::parse_stat(second, 100);
            let reading = |stat, run_ns| pu_time::PuReading { stat, run_ns };
            let span = pu_time::Span {
                pus: &[0, 1],
                interval_ns: 1_000,
                own_ns: Some(u64::MAX),
                tick_ns: 10_000_000,
            };
            let _ = pu_time::between(
                &reading(before, pu_time::parse_schedstat(first)),
                &reading(after, pu_time::parse_schedstat(second)),
                &span,
            );
        }
        4 => {
            let _ = throttle::parse_cpu_stat(text);
        }
        5 => {
            let _ = processes::parse_thread(first, second);
        }
        6 => {
            let _ = tree::parse_children(text).count();
        }
        _ => {
            let _ = cache::bytes(text);
        }
    }
}

/// The machine of a synthetic description, if hwloc and ftbench accept it.
pub fn synthetic_machine(words: &str) -> Option<Topology> {
    // A fuzzer tries many machines, so they are kept smaller than in production.
    const MAX_PUS: u64 = 128;
    let is_small = description::max_objects(words) <= MAX_PUS;
    (is_small && !orders_by_types(words)).then_some(())?;
    let builder = Hwloc::builder().with_flags(BuildFlags::INCLUDE_DISALLOWED).ok()?;
    let hwloc = builder.from_synthetic(words).ok()?.build().ok()?;
    Some(Discovered::from_hwloc(hwloc).ok()?.topology().clone())
}

/// Whether the indexes of objects are given by the types of others. libhwloc 2.9 aborts on some of these
/// (`hwloc_synthetic_process_indexes`), which would end the fuzzer; in production a child process tries them first.
fn orders_by_types(words: &str) -> bool {
    let mut orders = words.split("indexes=").skip(1);
    orders.any(|order| !order.starts_with(|first: char| first.is_ascii_digit()))
}
