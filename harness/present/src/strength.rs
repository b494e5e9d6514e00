//! How sure the verdict on a curve is, in words.

use crate::headline::Reading;
use crate::laws;
use ftbench_schema::{CurveVerdict, units};

/// Says how sure a verdict is, or what it takes to reach one: `at least 1.25x`, `at most 1.04x`, `needs about 40 s more`.
#[must_use]
pub fn words(reading: &Reading) -> String {
    let low = units::times(reading.speedup.low);
    let high = units::times(reading.speedup.high);
    match (reading.curve_verdict, reading.needs_s) {
        (CurveVerdict::Scales, _) => format!("at least {low}"),
        (CurveVerdict::AsTheMachine, _) => format!("as the machine, at least {low}"),
        (CurveVerdict::DoesNotScale | CurveVerdict::Slower, _) => format!("at most {high}"),
        (CurveVerdict::CannotTell, Some(needs_s)) => format!("needs about {} more", laws::roughly(needs_s)),
        (CurveVerdict::CannotTell, None) => format!("between {low} and {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_schema::Estimate;

    #[test]
    fn every_verdict_says_how_sure_it_is() {
        let said = |curve_verdict: CurveVerdict, needs_s: Option<f64>| {
            words(&Reading {
                workload: "fib".to_owned(),
                speedup: Estimate {
                    estimate: 1.4,
                    low: 1.25,
                    high: 1.6,
                },
                verdict: curve_verdict.into(),
                curve_verdict,
                needs_s,
            })
        };
        assert_eq!(said(CurveVerdict::Scales, None), "at least 1.25x");
        assert_eq!(
            said(CurveVerdict::AsTheMachine, None),
            "as the machine, at least 1.25x"
        );
        assert_eq!(said(CurveVerdict::DoesNotScale, None), "at most 1.60x");
        assert_eq!(said(CurveVerdict::Slower, None), "at most 1.60x");
        assert_eq!(
            said(CurveVerdict::CannotTell, Some(42.0)),
            "needs about 42 s more"
        );
        assert_eq!(said(CurveVerdict::CannotTell, None), "between 1.25x and 1.60x");
    }
}
