//! A small run for tests of exports.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use crate::present::made_up;
use crate::record::schema::{
    CellSummary, Memory, ProcessMemory, SCHEMA_VERSION, Sample, Summary, Trial, TrialStatus,
};

/// Two threads of `fib` on both builds.
pub fn summary() -> Summary {
    let mut summary = made_up::two_cores();
    summary.workloads = vec![made_up::workload("fib")];
    summary
        .cells
        .retain(|cell| cell.workload == "fib" && cell.model.name() == "threads" && cell.workers == 2);
    summary
}

fn sample(number: u32, warmup: bool, makespan_ns: u64) -> Sample {
    Sample {
        sample: number,
        warmup,
        start_ns: 1000,
        end_ns: 1000 + makespan_ns,
        gil_enabled: false,
        moved: false,
        shares: Vec::new(),
        reported: BTreeMap::new(),
        noise: None,
        cost: None,
    }
}

pub fn trial(cell: &CellSummary, round: u32, samples: u32) -> Trial {
    let makespan_ns = (cell.makespan_s.unwrap().estimate * 1e9) as u64;
    Trial {
        schema: SCHEMA_VERSION,
        trial: u64::from(round),
        round,
        cell: cell.cell(),
        placement: cell.placement.clone(),
        units: 100,
        started_at: "2026-11-21T08:00:00.123456789Z".to_owned(),
        duration_ns: 500_000_000,
        hash_seed: 7,
        status: TrialStatus::Ok,
        reason: None,
        last_words: None,
        gil_enabled: Some(false),
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        workers: Vec::new(),
        samples: (0..=samples)
            .map(|number| {
                sample(
                    number,
                    number == 0,
                    makespan_ns + u64::from(round * 1000 + number),
                )
            })
            .collect(),
        memory: (round > 0).then(|| Memory {
            processes: vec![ProcessMemory {
                process_id: 1,
                rss_peak_bytes: 20_000_000,
            }],
            pss_peak_bytes: None,
        }),
    }
}

pub fn trials(summary: &Summary, rounds: u32) -> Vec<Trial> {
    let cells = summary.cells.iter();
    cells
        .flat_map(|cell| (0..rounds).map(move |round| trial(cell, round, 2)))
        .collect()
}
