//! Prints how often a slowdown is detected, by its size, the noise of the machine and the number of rounds: the table
//! of docs/nightly.md. Run it with scripts/power-table.sh.
//!
//! The experiments are simulated, but judged by the code that judges real ones: two arms paired by round, with the
//! logarithm of each trial normally distributed around the arm's. Effects of a round on both arms cancel in their ratio
//! and are left out.
#![allow(clippy::print_stdout, reason = "prints its results")]

use ftbench_analyse::estimate::{Makespans, half_width};
use ftbench_analyse::selfcheck::Experiment;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Noise of a trial: the standard deviation of the logarithm of its time.
const NOISE: [f64; 4] = [0.005, 0.01, 0.02, 0.04];
const ROUNDS: [u32; 5] = [5, 10, 20, 30, 50];
/// How much slower the second arm is; 0 gives the rate of false alarms.
const SLOWDOWNS: [f64; 5] = [0.0, 0.02, 0.03, 0.05, 0.10];
/// Simulated experiments of each kind. A share of them has a standard error of 1.6 % at most.
const EXPERIMENTS: u32 = 1000;
const SEED: u64 = 20_261_121;

fn main() {
    println!("| noise | rounds | half-width | false alarms | 2 % | 3 % | 5 % | 10 % |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for noise in NOISE {
        for rounds in ROUNDS {
            let mut shares = Vec::new();
            let mut width = f64::NAN;
            for slowdown in SLOWDOWNS {
                let experiments: Vec<Experiment> = (0..EXPERIMENTS)
                    .filter_map(|_| experiment(&mut random, noise, rounds, slowdown))
                    .collect();
                if slowdown == 0.0 {
                    width = median(
                        experiments
                            .iter()
                            .map(|one| half_width(one.ratio.centre))
                            .collect(),
                    );
                }
                let called = experiments.iter().filter(|one| {
                    one.called_different() && (slowdown == 0.0 || one.ratio.centre.estimate > 1.0)
                });
                shares.push(called.count() as f64 / experiments.len() as f64);
            }
            let shares: Vec<String> = shares
                .iter()
                .map(|share| format!("{:.1} %", 100.0 * share))
                .collect();
            println!(
                "| {:.1} % | {rounds} | ±{:.1} % | {} |",
                100.0 * noise,
                100.0 * width,
                shares.join(" | ")
            );
        }
    }
}

fn experiment(random: &mut ChaCha8Rng, noise: f64, rounds: u32, slowdown: f64) -> Option<Experiment> {
    let mut arm = |time: f64| -> Makespans {
        (0..rounds)
            .map(|round| (round, time * (noise * normal(random)).exp()))
            .collect()
    };
    let first = arm(1.0);
    let second = arm(1.0 + slowdown);
    Experiment::new(&first, &second, 0.0)
}

/// Draws a standard normal value: Box and Muller, "A Note on the Generation of Random Normal Deviates", Annals of
/// Mathematical Statistics 29 (1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    // Strictly between 0 and 1.
    let mut uniform = || (f64::from(random.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0);
    let (radius, angle) = (uniform(), uniform());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
