//! Axes: scales, and ticks at round numbers. Numbers only.

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equally long.
    Linear,
    /// Doublings are equally long.
    Log2,
}

impl Scale {
    /// Returns where a value lies, in steps or doublings; not finite where the scale has no place for it.
    #[must_use]
    pub fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log2 => value.log2(),
        }
    }
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// Its label, in one or two lines.
    pub label: String,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows, with the unit.
    pub title: String,
    /// How values lie along it.
    pub scale: Scale,
    /// Lowest value shown.
    pub low: f64,
    /// Highest value shown.
    pub high: f64,
    /// Marks, the most important first where not all have room.
    pub ticks: Vec<Tick>,
}

impl Axis {
    /// Makes an axis whose ticks are labelled with their own value.
    fn ticked(title: String, scale: Scale, (low, high): (f64, f64), ticks: Vec<f64>) -> Self {
        let ticks = ticks.into_iter().map(|value| Tick {
            value,
            label: shortest(value),
        });
        Self {
            title,
            scale,
            low,
            high,
            ticks: ticks.collect(),
        }
    }

    /// Returns how far along the axis a value lies, 0 to 1; values beyond its ends lie at them. The middle where the axis
    /// has one value only, and where the scale has no place for the value.
    pub(super) fn share(&self, value: f64) -> f64 {
        let low = self.scale.position(self.low);
        let length = self.scale.position(self.high) - low;
        let share = (self.scale.position(value) - low) / length;
        match (share.is_finite(), value <= self.low) {
            (true, _) => share.clamp(0.0, 1.0),
            (false, true) if length > 0.0 => 0.0,
            (false, _) => 0.5,
        }
    }
}

/// Ticks of values that start at 0, in steps of 1, 2 or 5 times a power of ten.
pub(super) fn linear_ticks(high: f64) -> Vec<f64> {
    const WANTED: f64 = 6.0;
    let rough = (high / WANTED).max(f64::MIN_POSITIVE);
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| high / step <= WANTED + 0.5)
        .unwrap_or(high);
    let mut ticks = Vec::new();
    for count in 0..=16 {
        let value = f64::from(count) * step;
        if !value.is_finite() || value > high * 1.000_001 {
            break;
        }
        ticks.push(value);
    }
    ticks
}

/// Powers of two from `low` to `high`, thinned out to at most a dozen; 1 is always among them.
pub(super) fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    const MOST: i32 = 11;
    #[allow(clippy::cast_possible_truncation)] // A cast of a float saturates, and the clamp bounds it.
    let exponent = |value: f64| value.log2().clamp(-64.0, 64.0) as i32;
    let (first, last) = (exponent(low) - 1, exponent(high) + 1);
    let step = ((last - first) / MOST).max(0) + 1;
    (first..=last)
        .filter(|exponent| exponent % step == 0)
        .map(|exponent| 2f64.powi(exponent))
        .filter(|value| (low..=high * 1.000_001).contains(value))
        .collect()
}

/// Ticks at the counts that were measured, the ends first, then powers of two, then the rest.
pub(super) fn count_ticks(counts: &[u32]) -> Vec<Tick> {
    let mut ordered: Vec<u32> = counts.to_vec();
    let (first, last) = (counts.first().copied(), counts.last().copied());
    ordered.sort_by_key(|count| {
        let importance = if Some(*count) == first || Some(*count) == last {
            0
        } else if count.is_power_of_two() {
            1
        } else {
            2
        };
        (importance, *count)
    });
    ordered
        .into_iter()
        .map(|count| Tick {
            value: f64::from(count),
            label: count.to_string(),
        })
        .collect()
}

/// Makes the y axis for values between `low` and `high`, with room above the highest.
pub(super) fn value_axis(title: String, scale: Scale, low: f64, high: f64) -> Axis {
    let (low, high, ticks) = match scale {
        Scale::Linear => {
            let high = if high.is_finite() && high > 0.0 {
                high * 1.04
            } else {
                1.0
            };
            (0.0, high, linear_ticks(high))
        }
        Scale::Log2 => {
            // Flat lines at 1 keep clear of the axis below them.
            let low = if low < 0.75 {
                2f64.powf(low.log2().floor())
            } else {
                0.72
            };
            let high = high.max(2.0) * 1.08;
            (low, high, log_ticks(low, high))
        }
    };
    Axis::ticked(title, scale, (low, high), ticks)
}

/// Makes a logarithmic axis that starts at a power of two.
pub(super) fn doublings(title: String, low: f64, high: f64) -> Axis {
    let low = 2f64.powf(low.max(f64::MIN_POSITIVE).log2().floor());
    let high = high * 1.08;
    let ticks = log_ticks(low, high);
    Axis::ticked(title, Scale::Log2, (low, high), ticks)
}

/// Makes a logarithmic axis for quantities that do not come in doublings, such as times: its ticks are 1, 2 and 5 times powers
/// of ten, or powers of ten alone where those are many.
pub(super) fn decades(title: String, low: f64, high: f64) -> Axis {
    let doublings = doublings(title, low, high);
    let ticks = decade_ticks(doublings.low, doublings.high);
    Axis::ticked(
        doublings.title,
        Scale::Log2,
        (doublings.low, doublings.high),
        ticks,
    )
}

fn decade_ticks(low: f64, high: f64) -> Vec<f64> {
    const MOST_WITH_STEPS: i32 = 4;
    const MOST: i32 = 11;
    #[allow(clippy::cast_possible_truncation)] // A cast of a float saturates, and the clamp bounds it.
    let exponent = |value: f64| value.log10().floor().clamp(-20.0, 20.0) as i32;
    let (first, last) = (exponent(low), exponent(high));
    let factors: &[f64] = if last - first <= MOST_WITH_STEPS {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let step = ((last - first) / MOST).max(0) + 1;
    (first..=last)
        .filter(|exponent| exponent % step == 0)
        .flat_map(|exponent| factors.iter().map(move |factor| factor * 10f64.powi(exponent)))
        .filter(|value| (low..=high * 1.000_001).contains(value))
        .collect()
}

/// Makes an axis that need not start at 0, for values between `low` and `high`; logarithmic where that is more than eightfold.
pub(crate) fn ranged_axis(title: String, low: f64, high: f64) -> Axis {
    const EIGHTFOLD: f64 = 8.0;
    let ordered = low.is_finite() && high.is_finite() && low < high;
    let (low, high) = if ordered { (low, high) } else { (0.0, 1.0) };
    let logarithmic = low > 0.0 && high / low > EIGHTFOLD;
    let (scale, ticks) = if logarithmic {
        (Scale::Log2, log_ticks(low, high))
    } else {
        (Scale::Linear, ticks_between(low, high))
    };
    Axis::ticked(title, scale, (low, high), ticks)
}

/// Multiples of 1, 2 or 5 times a power of ten within a range, some six of them.
fn ticks_between(low: f64, high: f64) -> Vec<f64> {
    let steps = linear_ticks(high - low);
    let step = steps.get(1).copied().unwrap_or(high - low);
    let first = (low / step).ceil();
    (0..=16_u32)
        .map(|count| (first + f64::from(count)) * step)
        .take_while(|value| value.is_finite() && *value <= high + step * 1e-6)
        .collect()
}

/// Writes a number without the noise of its last binary digits.
fn shortest(value: f64) -> String {
    let rounded = format!("{value:.6}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0" } else { trimmed }.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(linear_ticks(2.08), [0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(linear_ticks(8.3), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(
            log_ticks(0.72, 138.0),
            [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
        );
        assert_eq!(log_ticks(0.25, 2.2), [0.25, 0.5, 1.0, 2.0]);
        assert_eq!(decade_ticks(512.0, 21_000.0), [1e3, 2e3, 5e3, 1e4, 2e4]);
        assert_eq!(decade_ticks(1.0, 1e6).len(), 7);
    }

    #[test]
    fn ranges_have_round_ticks_too() {
        let labels = |low: f64, high: f64| {
            let axis = ranged_axis(String::new(), low, high);
            let labels: Vec<String> = axis.ticks.into_iter().map(|tick| tick.label).collect();
            labels.join(" ")
        };
        assert_eq!(labels(0.97, 1.31), "1 1.1 1.2 1.3");
        assert_eq!(labels(0.5, 9.0), "0.5 1 2 4 8");
        assert_eq!(labels(f64::NAN, 2.0), "0 0.2 0.4 0.6 0.8 1");
    }

    #[test]
    fn ticks_at_counts_stand_in_the_order_of_importance() {
        let labels: Vec<String> = count_ticks(&[1, 2, 3, 4, 6])
            .into_iter()
            .map(|tick| tick.label)
            .collect();
        assert_eq!(labels, ["1", "6", "2", "4", "3"]);
    }

    proptest! {
        #[test]
        fn an_axis_has_a_place_for_any_number(bits in any::<u64>(), low in any::<u64>(), high in any::<u64>()) {
            for scale in [Scale::Linear, Scale::Log2] {
                let axis = value_axis(String::new(), scale, f64::from_bits(low), f64::from_bits(high));
                let share = axis.share(f64::from_bits(bits));
                prop_assert!((0.0..=1.0).contains(&share), "{share}");
                prop_assert!(axis.ticks.len() <= 20);
                let axis = decades(String::new(), f64::from_bits(low), f64::from_bits(high));
                prop_assert!(axis.ticks.len() <= 20);
                let axis = ranged_axis(String::new(), f64::from_bits(low), f64::from_bits(high));
                prop_assert!(axis.ticks.len() <= 20);
                prop_assert!((0.0..=1.0).contains(&axis.share(f64::from_bits(bits))));
            }
        }
    }
}
