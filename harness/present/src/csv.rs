//! `samples.csv`: the trials as a tidy table, one row per sample, for pandas and spreadsheets.

use std::io::Write;

use serde::Serialize;

use ftbench_schema::units::seconds;
use ftbench_schema::{Cost, Disturbance, Host, Model, Noise, Sample, Scaling, Trial, TrialStatus};

/// A failure to write trials as CSV.
#[derive(Debug, thiserror::Error)]
#[error("cannot write samples as CSV: {0}; check the disk, then regenerate the file from trials.jsonl")]
pub struct CsvError(#[from] csv::Error);

/// One row; unknown fields are empty.
#[derive(Debug, Serialize)]
struct SampleRow<'a> {
    trial: u64,
    round: u32,
    interpreter: &'a str,
    host: Host,
    workload: &'a str,
    model: Model,
    workers: u32,
    status: TrialStatus,
    units: u64,
    sample: Option<u32>,
    warmup: Option<bool>,
    makespan_s: Option<f64>,
    busy_s: Option<f64>,
    start_skew_s: Option<f64>,
    gil_enabled: Option<bool>,
    moved: Option<bool>,
    pus: String,
    startup_s: Option<f64>,
    started_at: &'a str,
    hash_seed: u32,
    start_method: Option<&'a str>,
    reason: Option<&'a str>,
    interval_s: Option<f64>,
    disturbed_by: String,
    steal_s: Option<f64>,
    others_s: Option<f64>,
    run_queue_s: Option<f64>,
    cpu_pressure_s: Option<f64>,
    memory_pressure_s: Option<f64>,
    io_pressure_s: Option<f64>,
    frequency_hz: Option<u64>,
    thermal_throttles: Option<u64>,
    quota_throttled_s: Option<f64>,
    cpu_time_s: Option<f64>,
    voluntary_switches: Option<u64>,
    involuntary_switches: Option<u64>,
    minor_faults: Option<u64>,
    major_faults: Option<u64>,
    energy_joules: Option<f64>,
    instructions: Option<u64>,
    cycles: Option<u64>,
    cache_misses: Option<u64>,
    arm: Option<&'a str>,
    group: Option<u64>,
    sweep: Option<u32>,
    position: Option<u32>,
    window: Option<u32>,
    collections: Option<u64>,
    collection_s: Option<f64>,
    longest_collection_s: Option<f64>,
    units_per_s: Option<f64>,
}

/// Writes a heading and one row per sample, including warm-ups, of a run with this scaling. A trial that ended before its first sample has one
/// row without the sample's fields, so that no failure is lost.
///
/// # Errors
/// If the writer fails.
pub fn write_samples<'a>(
    trials: impl IntoIterator<Item = &'a Trial>,
    scaling: Scaling,
    writer: impl Write,
) -> Result<(), CsvError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(writer);
    writer.write_record(HEADINGS)?;
    for trial in trials {
        if trial.samples.is_empty() {
            writer.serialize(row(trial, scaling, None))?;
        }
        for sample in &trial.samples {
            writer.serialize(row(trial, scaling, Some(sample)))?;
        }
    }
    writer.flush().map_err(csv::Error::from)?;
    Ok(())
}

/// The columns, in the order of [`SampleRow`]'s fields; written even if there are no rows.
const HEADINGS: [&str; 51] = [
    "trial",
    "round",
    "interpreter",
    "host",
    "workload",
    "model",
    "workers",
    "status",
    "units",
    "sample",
    "warmup",
    "makespan_s",
    "busy_s",
    "start_skew_s",
    "gil_enabled",
    "moved",
    "pus",
    "startup_s",
    "started_at",
    "hash_seed",
    "start_method",
    "reason",
    "interval_s",
    "disturbed_by",
    "steal_s",
    "others_s",
    "run_queue_s",
    "cpu_pressure_s",
    "memory_pressure_s",
    "io_pressure_s",
    "frequency_hz",
    "thermal_throttles",
    "quota_throttled_s",
    "cpu_time_s",
    "voluntary_switches",
    "involuntary_switches",
    "minor_faults",
    "major_faults",
    "energy_joules",
    "instructions",
    "cycles",
    "cache_misses",
    "arm",
    "group",
    "sweep",
    "position",
    "window",
    "collections",
    "collection_s",
    "longest_collection_s",
    "units_per_s",
];

fn row<'a>(trial: &'a Trial, scaling: Scaling, sample: Option<&Sample>) -> SampleRow<'a> {
    // Without shares, as in an imported trial, it is not known when workers were busy.
    let with_shares = sample.filter(|sample| !sample.shares.is_empty());
    let noise = sample.and_then(|sample| sample.noise.as_ref());
    let cost = sample.and_then(|sample| sample.cost.as_ref());
    let turn = sample.and_then(|sample| sample.turn);
    let noise_s = |of: fn(&Noise) -> Option<u64>| noise.and_then(of).map(seconds);
    let count = |of: fn(&Cost) -> Option<u64>| cost.and_then(of);
    SampleRow {
        trial: trial.trial,
        round: trial.round,
        interpreter: &trial.cell.interpreter,
        host: trial.cell.host,
        workload: &trial.cell.workload,
        model: trial.cell.model,
        workers: trial.cell.workers,
        status: trial.status,
        units: trial.units,
        sample: sample.map(|sample| sample.sample),
        warmup: sample.map(|sample| sample.warmup),
        makespan_s: sample.map(|sample| seconds(sample.makespan_ns())),
        busy_s: with_shares.map(|sample| seconds(sample.busy_ns())),
        start_skew_s: with_shares.map(|sample| seconds(sample.start_skew_ns())),
        gil_enabled: sample.map(|sample| sample.gil_enabled),
        moved: sample.map(|sample| sample.moved),
        pus: sample.map(pus).unwrap_or_default(),
        startup_s: trial.startup_ns.map(seconds),
        started_at: &trial.started_at,
        hash_seed: trial.hash_seed,
        start_method: trial.start_method.as_deref(),
        reason: trial.reason.as_deref(),
        interval_s: noise_s(|noise| Some(noise.interval_ns)),
        disturbed_by: noise.map(|noise| causes(&noise.disturbed_by)).unwrap_or_default(),
        steal_s: noise_s(|noise| noise.steal_ns),
        others_s: noise_s(|noise| noise.others_ns),
        run_queue_s: noise_s(|noise| noise.run_queue_ns),
        cpu_pressure_s: noise_s(|noise| noise.cpu_pressure_ns),
        memory_pressure_s: noise_s(|noise| noise.memory_pressure_ns),
        io_pressure_s: noise_s(|noise| noise.io_pressure_ns),
        frequency_hz: noise.and_then(|noise| noise.frequency_hz),
        thermal_throttles: noise.and_then(|noise| noise.thermal_throttles),
        quota_throttled_s: noise_s(|noise| noise.quota_throttled_ns),
        cpu_time_s: count(|cost| cost.cpu_time_ns).map(seconds),
        voluntary_switches: count(|cost| cost.voluntary_switches),
        involuntary_switches: count(|cost| cost.involuntary_switches),
        minor_faults: count(|cost| cost.minor_faults),
        major_faults: count(|cost| cost.major_faults),
        energy_joules: cost.and_then(|cost| cost.energy_joules),
        instructions: count(|cost| cost.instructions),
        cycles: count(|cost| cost.cycles),
        cache_misses: count(|cost| cost.cache_misses),
        arm: trial.cell.arm.as_deref(),
        group: trial.group,
        sweep: turn.map(|turn| turn.sweep),
        position: turn.map(|turn| turn.position),
        window: sample.and_then(|sample| sample.window),
        collections: sample.and_then(|sample| sample.collections),
        collection_s: sample.and_then(|sample| sample.collection_ns).map(seconds),
        longest_collection_s: sample
            .and_then(|sample| sample.longest_collection_ns)
            .map(seconds),
        units_per_s: sample
            .map(|sample| seconds(sample.makespan_ns()))
            .filter(|makespan_s| *makespan_s > 0.0)
            .map(|makespan_s| scaling.units_of_sample(trial.units, trial.cell.workers) / makespan_s),
    }
}

/// The PU that each share last ran on, in the order of the shares, separated by spaces; `?` where unknown. Empty if no
/// PU was recorded.
fn pus(sample: &Sample) -> String {
    if sample.shares.iter().all(|share| share.pu.is_none()) {
        return String::new();
    }
    let names: Vec<String> = sample
        .shares
        .iter()
        .map(|share| share.pu.map_or_else(|| "?".to_owned(), |pu| pu.to_string()))
        .collect();
    names.join(" ")
}

/// The causes as the record names them, separated by spaces.
fn causes(disturbed_by: &[Disturbance]) -> String {
    let names: Vec<&str> = disturbed_by.iter().map(|cause| cause.name()).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, empty_trial, sample};
    use ftbench_schema::{Share, Turn};

    fn trial() -> Trial {
        let share = |worker, pu| Share {
            worker,
            start_ns: 1_000 + u64::from(worker),
            end_ns: 90_001_000,
            pu,
        };
        let cell = cell("3.13t", Model::ProcessesFork, 2);
        let sample = Sample {
            start_ns: 0,
            end_ns: 100_000_000,
            shares: vec![share(0, Some(0)), share(1, None)],
            noise: Some(Noise {
                interval_ns: 110_000_000,
                pus: vec![0, 1],
                steal_ns: Some(10_000_000),
                disturbed_by: vec![Disturbance::Steal, Disturbance::Others],
                ..Noise::default()
            }),
            cost: Some(Cost {
                cpu_time_ns: Some(150_000_000),
                minor_faults: Some(12),
                energy_joules: Some(2.5),
                ..Cost::default()
            }),
            turn: Some(Turn {
                sweep: 1,
                position: 4,
            }),
            window: Some(0),
            ..sample(&cell, 0, 0)
        };
        Trial {
            trial: 3,
            group: Some(2),
            round: 1,
            placement: vec![0, 1],
            units: 40,
            started_at: "2026-11-21T08:00:00Z".to_owned(),
            duration_ns: 400_000_000,
            hash_seed: 11,
            start_method: Some("fork".to_owned()),
            startup_ns: Some(12_000_000),
            samples: vec![sample],
            ..empty_trial(&cell)
        }
    }

    fn written(trials: &[Trial], scaling: Scaling) -> String {
        let mut bytes = Vec::new();
        assert!(write_samples(trials, scaling, &mut bytes).is_ok());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn every_sample_is_a_row_and_so_is_a_trial_without_samples() {
        let mut failed = trial();
        failed.samples.clear();
        failed.status = TrialStatus::Failed;
        failed.reason = Some("import: SyntaxError: \"a, b\"\nline 2".to_owned());
        failed.startup_ns = None;
        failed.cell.arm = Some("new".to_owned());
        insta::assert_snapshot!(written(&[trial(), failed], Scaling::Strong), @r#"
        trial,round,interpreter,host,workload,model,workers,status,units,sample,warmup,makespan_s,busy_s,start_skew_s,gil_enabled,moved,pus,startup_s,started_at,hash_seed,start_method,reason,interval_s,disturbed_by,steal_s,others_s,run_queue_s,cpu_pressure_s,memory_pressure_s,io_pressure_s,frequency_hz,thermal_throttles,quota_throttled_s,cpu_time_s,voluntary_switches,involuntary_switches,minor_faults,major_faults,energy_joules,instructions,cycles,cache_misses,arm,group,sweep,position,window,collections,collection_s,longest_collection_s,units_per_s
        3,1,3.13t,spawn,fib,processes:fork,2,ok,40,0,true,0.1,0.179999999,1e-9,false,false,0 ?,0.012,2026-11-21T08:00:00Z,11,fork,,0.11,steal others,0.01,,,,,,,,,0.15,,,12,,2.5,,,,,2,1,4,0,,,,400.0
        3,1,3.13t,spawn,fib,processes:fork,2,failed,40,,,,,,,,,,2026-11-21T08:00:00Z,11,fork,"import: SyntaxError: ""a, b""
        line 2",,,,,,,,,,,,,,,,,,,,,new,2,,,,,,,
        "#);
    }

    #[test]
    fn with_weak_scaling_a_sample_has_the_units_of_all_workers() {
        let text = written(&[trial()], Scaling::Weak);
        assert_eq!(
            text.lines().nth(1).and_then(|row| row.rsplit(',').next()),
            Some("800.0")
        );
    }

    #[test]
    fn headings_are_written_without_rows_and_name_every_field() {
        let text = written(&[], Scaling::Strong);
        assert_eq!(text.lines().count(), 1);
        let mut named = csv::Writer::from_writer(Vec::new());
        assert!(named.serialize(row(&trial(), Scaling::Strong, None)).is_ok());
        let bytes = named.into_inner().unwrap_or_default();
        let by_serde = String::from_utf8_lossy(&bytes);
        assert_eq!(by_serde.lines().next(), text.lines().next());
    }
}
