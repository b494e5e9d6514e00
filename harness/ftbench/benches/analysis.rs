//! Benchmarks of the hot paths: intervals over many cells, reading a long record, parsing replies.
//!
//! `cargo bench -p ftbench` runs them. The first may take 2 s on 2 cores.

#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has no result")]

use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftbench::measure::protocol::Reply;
use ftbench::record::line;
use ftbench::record::store::{self, Checksums};
use ftbench_analyse::bootstrap::median_interval;
use ftbench_analyse::laws::intervals::{self, SpeedupsByRound};
use ftbench_analyse::location::location;
use ftbench_analyse::sample::Sample;
use ftbench_fixtures::records::{self, cell_of};
use ftbench_schema::{Law, Model, Trial, Worker};
use rayon::prelude::*;

const CELLS: u64 = 1_000;
const ROUNDS: usize = 30;
const TRIALS: u32 = 100_000;

/// Returns values that look like makespans, the same ones for each call with this seed.
fn sample(seed: u64) -> Sample {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = (0..ROUNDS).map(|_| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        0.1 + 0.01 * (state >> 11) as f64 / (1_u64 << 53) as f64
    });
    Sample::new(values.collect()).unwrap()
}

fn interval_methods(criterion: &mut Criterion) {
    let samples: Vec<Sample> = (0..CELLS).map(sample).collect();
    let mut group = criterion.benchmark_group("intervals");
    group.sample_size(10).throughput(Throughput::Elements(CELLS));
    group.bench_function(
        "bootstrap of the median, 1,000 cells x 30 rounds, all resamples",
        |bencher| {
            bencher.iter(|| {
                let intervals: Vec<_> = samples
                    .par_iter()
                    .map(|sample| median_interval(black_box(sample)))
                    .collect();
                intervals
            });
        },
    );
    group.bench_function("signed ranks, 1,000 ratios x 30 rounds", |bencher| {
        bencher.iter(|| {
            let ratios: Vec<_> = samples
                .par_iter()
                .map(|sample| location(black_box(sample)))
                .collect();
            ratios
        });
    });
    group.finish();
}

/// Returns a curve up to 128 workers that follows the Universal Scalability Law, with noise.
fn curve(seed: u64) -> SpeedupsByRound {
    let workers = vec![2, 4, 8, 16, 32, 64, 96, 128];
    let rounds: Vec<Vec<f64>> = (0..ROUNDS as u64)
        .map(|round| {
            let noise = sample(seed * CELLS + round);
            let cells = workers.iter().zip(noise.values());
            cells
                .map(|(&workers, noise)| Law::Usl.speedup(0.01, 1e-4, f64::from(workers)).ln() + noise)
                .collect()
        })
        .collect();
    SpeedupsByRound::new(workers, &rounds).unwrap()
}

fn laws(criterion: &mut Criterion) {
    let curves: Vec<SpeedupsByRound> = (0..CELLS).map(curve).collect();
    let mut group = criterion.benchmark_group("laws");
    group.sample_size(10).throughput(Throughput::Elements(CELLS));
    for law in [Law::Amdahl, Law::Usl] {
        let resamples = intervals::RESAMPLES;
        let name = format!("{law}, 1,000 curves x 30 rounds x {resamples} resamples");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let fits: Vec<_> = curves
                    .par_iter()
                    .map(|curve| intervals::fit(law, black_box(curve), 7))
                    .collect();
                fits
            });
        });
    }
    group.finish();
}

fn trial(number: u32) -> Trial {
    let workload = format!("workload{}", number % 25);
    Trial {
        trial: u64::from(number),
        workers: (0..2)
            .map(|worker| Worker {
                worker,
                process_id: 4000,
                thread_id: 4001,
                bound_to: vec![worker],
            })
            .collect(),
        ..records::trial(&cell_of(&workload, "3.13t", Model::Threads, 2), number / 100, 100)
    }
}

fn reading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(store::TRIALS);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for number in 0..TRIALS {
        file.write_all(&line::encode(&trial(number)).unwrap()).unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let mut group = criterion.benchmark_group("reading");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(std::fs::metadata(&path).unwrap().len()));
    group.bench_function("trials.jsonl of 100,000 trials", |bencher| {
        bencher.iter(|| store::read_trials(black_box(&path), Checksums::Required).unwrap());
    });
    group.finish();
}

fn protocol(criterion: &mut Criterion) {
    let shares: Vec<String> = (0..128)
        .map(|worker| {
            format!(
                r#"{{"process_id":4000,"thread_id":{},"start_ns":1000000000,"end_ns":1100000000}}"#,
                4001 + worker
            )
        })
        .collect();
    let reply = format!(
        r#"{{"type":"sample","sample":1,"start_ns":1,"end_ns":2,"gil_enabled":false,"gil_enabled_by":null,"shares":[{}]}}"#,
        shares.join(",")
    );
    let mut group = criterion.benchmark_group("protocol");
    group.throughput(Throughput::Bytes(reply.len() as u64));
    group.bench_function("a sample of 128 workers", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Reply>(black_box(reply.as_bytes())).unwrap());
    });
    group.finish();
}

criterion_group!(benches, interval_methods, laws, reading, protocol);
criterion_main!(benches);
