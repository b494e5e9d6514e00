//! Converts pyperf's processes to trials.

use std::collections::BTreeMap;

use super::pyperf::{Metadata, Run};
use ftbench_schema::units::NS_PER_S;
use ftbench_schema::{Cell, Memory, ProcessMemory, SCHEMA_VERSION, Sample, Trial, TrialStatus};

/// The minimum duration of a sample, at which a nanosecond of rounding does not matter.
const MIN_SAMPLE_S: f64 = 1e-3;
/// The maximum duration of a sample: 100 days.
const MAX_SAMPLE_S: f64 = 8.64e6;

/// The units of work in a sample, the same for every process of a benchmark: the iterations of the first value,
/// multiplied by ten until the sample is long enough.
pub fn units(run: &Run) -> u64 {
    let shortest_s = run.values.iter().copied().fold(f64::INFINITY, f64::min);
    let mut units = run.iterations();
    while (units as f64) * shortest_s < MIN_SAMPLE_S {
        match units.checked_mul(10) {
            Some(more) => units = more,
            None => break,
        }
    }
    units
}

/// Converts the processes of a cell to trials.
pub struct TrialMaker<'a> {
    /// The units of work in a sample.
    pub units: u64,
    /// The PUs of its workers; empty if unknown.
    pub placement: &'a [u32],
    /// Whether the interpreter's GIL is on; a run's own metadata takes precedence.
    pub gil_enabled: bool,
    /// The cell that was measured.
    pub cell: &'a Cell,
}

impl TrialMaker<'_> {
    /// Converts a process to a trial. Its samples follow each other from 0, because their times are unknown.
    ///
    /// # Errors
    /// The value that is too long to store.
    pub fn trial(&self, run: &Run, number: u64, round: u32) -> Result<Trial, f64> {
        let gil_enabled = run.metadata.flag("gil_enabled").unwrap_or(self.gil_enabled);
        let mut samples = Vec::with_capacity(run.warmups.len() + run.values.len());
        let mut now_ns = 0_u64;
        let warmups = run.warmups.iter().map(|&value| (value, true));
        let values = run.values.iter().map(|&value| (value, false));
        for (position, (value, warmup)) in (0..).zip(warmups.chain(values)) {
            let seconds = value * self.units as f64;
            if seconds > MAX_SAMPLE_S {
                return Err(value);
            }
            let end_ns = now_ns.saturating_add((seconds * NS_PER_S as f64).round() as u64);
            samples.push(Sample {
                sample: position,
                turn: None,
                window: None,
                warmup,
                start_ns: now_ns,
                end_ns,
                gil_enabled,
                collections: None,
                collection_ns: None,
                longest_collection_ns: None,
                moved: false,
                shares: Vec::new(),
                reported: BTreeMap::new(),
                noise: None,
                cost: None,
            });
            now_ns = end_ns;
        }
        let duration_s = run
            .metadata
            .number("duration")
            .filter(|&duration_s| (0.0..=MAX_SAMPLE_S).contains(&duration_s));
        Ok(Trial {
            schema: SCHEMA_VERSION,
            trial: number,
            round,
            group: None,
            waiting_cpu_ns: None,
            cell: self.cell.clone(),
            placement: self.placement.to_vec(),
            units: self.units,
            started_at: started_at(&run.metadata),
            duration_ns: duration_s
                .map_or(now_ns, |duration_s| (duration_s * NS_PER_S as f64).round() as u64),
            hash_seed: run
                .metadata
                .count("python_hash_seed")
                .and_then(|seed| u32::try_from(seed).ok())
                .unwrap_or(0),
            status: TrialStatus::Ok,
            reason: None,
            output_tail: None,
            gil_enabled: run.metadata.flag("gil_enabled"),
            gil_enabled_by: None,
            start_method: None,
            startup_ns: None,
            import_ns: None,
            import_threads: None,
            workers: Vec::new(),
            samples,
            extra_threads: None,
            thread_pools: Vec::new(),
            memory: run
                .metadata
                .count("mem_max_rss")
                .filter(|&bytes| bytes > 0)
                .map(|rss_peak_bytes| Memory {
                    processes: vec![ProcessMemory {
                        process_id: 0,
                        rss_peak_bytes,
                    }],
                    pss_peak_bytes: None,
                    anonymous_peak_bytes: None,
                    file_peak_bytes: None,
                    anonymous_first_bytes: None,
                    anonymous_middle_bytes: None,
                    anonymous_last_bytes: None,
                }),
        })
    }
}

/// The `date` of a run, taken as UTC because pyperf writes local time without a zone. Empty if there is none.
fn started_at(metadata: &Metadata) -> String {
    let Some(date) = metadata.text("date") else {
        return String::new();
    };
    if let Ok(time) = date.parse::<jiff::Timestamp>() {
        return time.to_string();
    }
    let time = date
        .parse::<jiff::civil::DateTime>()
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
    time.map_or_else(|_| String::new(), |time| time.timestamp().to_string())
}

/// The end of a trial; `None` if it is unknown.
pub fn ended_at(trial: &Trial) -> Option<String> {
    let started: jiff::Timestamp = trial.started_at.parse().ok()?;
    let duration = jiff::SignedDuration::from_nanos(i64::try_from(trial.duration_ns).ok()?);
    Some(started.checked_add(duration).ok()?.to_string())
}
