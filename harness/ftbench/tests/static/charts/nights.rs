//! Forty synthetic nights, made from the summary of a real run: the machine drifts, one workload becomes slower and
//! then faster again, and the last nights are on another machine.

use ftbench::record::history::{Keys, parse};
use ftbench_analyse::history::{History, Options, analyse};
use ftbench_schema::history::Metric;
use ftbench_schema::{Estimate, Summary};
use serde_json::json;

/// Pseudorandom numbers that do not depend on the version of any library: Knuth's linear congruential generator ("The
/// Art of Computer Programming", volume 2). The sum of twelve is nearly normally distributed.
struct Noise(u64);

impl Noise {
    fn normal(&mut self) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum
    }
}

/// Multiplies the value by `factor` and sets its interval to 1.5 % on either side.
fn times(value: &mut Option<Estimate>, factor: f64) {
    if let Some(value) = value {
        value.estimate *= factor;
        value.low = value.estimate * 0.985;
        value.high = value.estimate * 1.015;
    }
}

pub fn history(template: &Summary) -> History {
    let mut noise = Noise(6);
    let keys = Keys::default();
    let runs = (0..40).map(|night| {
        let mut summary = template.clone();
        summary.run.started_at = format!("2026-{:02}-{:02}T02:00:00Z", 9 + night / 30, 1 + night % 30);
        if night >= 34 {
            summary.machine.cpu_model = "another processor".to_owned();
        }
        let machine = 0.05 * noise.normal() + if night >= 34 { 0.3 } else { 0.0 };
        for cell in &mut summary.cells {
            let threads =
                cell.workload == "fib" && cell.interpreter == "3.13t" && cell.model.name() == "threads";
            let step = match night {
                12..24 if threads => 1.12,
                24.. if threads => 0.96,
                _ => 1.0,
            };
            times(
                &mut cell.makespan_s,
                step * (machine + 0.015 * noise.normal()).exp(),
            );
        }
        let mut value = serde_json::to_value(&summary).unwrap();
        value["run"]["commit"] =
            json!({"id": format!("{:016x}{:024x}", 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(night + 1), night)});
        parse(
            &serde_json::to_vec(&value).unwrap(),
            &format!("night-{night:02}"),
            Metric::Time,
            &keys,
        )
        .unwrap()
    });
    analyse(runs.collect(), Options::default())
}
