//! Durations, ratios and bytes in readable form, for tables and charts.
//!
//! Unknown values are shown as [`UNKNOWN`], never as zero. Nothing here panics, whatever the number.

/// Placeholder for a missing value.
pub const UNKNOWN: &str = "-";

/// Numbers of at least this size are written with an exponent.
const EXPONENT_FROM: f64 = 1e7;

/// Nanoseconds in a second.
pub const NS_PER_S: u64 = 1_000_000_000;

/// Converts nanoseconds to seconds; exact to the nanosecond below 2^53 ns (104 days).
#[must_use]
pub fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / NS_PER_S as f64
}

/// The time unit of a whole table or axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// 1e-9 s.
    Nanoseconds,
    /// 1e-6 s.
    Microseconds,
    /// 1e-3 s.
    Milliseconds,
    /// 1 s.
    Seconds,
}

impl TimeUnit {
    /// Returns the unit in which a typical value, given in seconds, has one to three digits before the decimal point.
    #[must_use]
    pub fn for_typical(seconds: f64) -> Self {
        let size = seconds.abs();
        if !size.is_finite() || size >= 1.0 {
            Self::Seconds
        } else if size >= 1e-3 {
            Self::Milliseconds
        } else if size >= 1e-6 {
            Self::Microseconds
        } else {
            Self::Nanoseconds
        }
    }

    /// The unit's symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// Converts seconds to this unit.
    #[must_use]
    pub const fn from_seconds(self, seconds: f64) -> f64 {
        match self {
            Self::Nanoseconds => seconds * 1e9,
            Self::Microseconds => seconds * 1e6,
            Self::Milliseconds => seconds * 1e3,
            Self::Seconds => seconds,
        }
    }

    /// Formats seconds as a plain number in this unit, without its symbol.
    #[must_use]
    pub fn format(self, seconds: f64, decimals: usize) -> String {
        number(self.from_seconds(seconds), decimals)
    }
}

/// Returns the divisor and the SI prefix with which a large number such as a rate, of which this one is typical, has
/// few digits.
#[must_use]
pub fn si_prefix(typical: f64) -> (f64, &'static str) {
    match typical {
        large if large >= 1e9 => (1e9, "G"),
        large if large >= 1e6 => (1e6, "M"),
        large if large >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// Formats a number with this many decimals; [`UNKNOWN`] if it is not finite.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value.abs() >= EXPONENT_FROM {
        return format!("{value:.2e}");
    }
    let decimals = decimals.min(9);
    let text = format!("{value:.decimals$}");
    // "-0.00" becomes "0.00".
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|character| matches!(character, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// Formats a whole number with a comma between thousands, `40,299`.
#[must_use]
pub fn whole(value: f64) -> String {
    let digits = number(value, 0);
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits.as_str()), |rest| ("-", rest));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{sign}{digits}");
    }
    let mut grouped = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns how many decimals show this many significant digits of a value; at most 4.
#[must_use]
pub fn decimals_for(value: f64, digits: usize) -> usize {
    let mut size = value.abs();
    if !size.is_finite() || size == 0.0 {
        return 0;
    }
    let mut before_the_point = 1;
    while size >= 10.0 && before_the_point < digits {
        size /= 10.0;
        before_the_point += 1;
    }
    let mut leading_zeros = 0;
    while size < 1.0 && leading_zeros < 4 {
        size *= 10.0;
        leading_zeros += 1;
    }
    (digits.saturating_sub(before_the_point) + leading_zeros).min(4)
}

/// Returns how many decimals a ratio is shown with: two below 10, one below 100, none above.
#[must_use]
pub fn ratio_decimals(ratio: f64) -> usize {
    // The limits are half a digit lower, so that 9.996 becomes "10.0" rather than "10.00".
    if ratio.abs() < 9.995 {
        2
    } else if ratio.abs() < 99.95 {
        1
    } else {
        0
    }
}

/// Formats a ratio like a speedup, such as `1.93x`.
#[must_use]
pub fn times(ratio: f64) -> String {
    if ratio.is_finite() {
        format!("{}x", number(ratio, ratio_decimals(ratio)))
    } else {
        UNKNOWN.to_owned()
    }
}

/// Formats a share in per cent, such as `12.5 %`.
#[must_use]
pub fn per_cent(share: f64, decimals: usize) -> String {
    format!("{} %", number(100.0 * share, decimals))
}

/// Formats a duration in its own best unit, such as `198 ms`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return UNKNOWN.to_owned();
    }
    let unit = TimeUnit::for_typical(seconds);
    let decimals = decimals_for(unit.from_seconds(seconds), 3);
    format!("{} {}", unit.format(seconds, decimals), unit.symbol())
}

/// Formats bytes with a binary prefix (IEC 80000-13), such as `12.3 MiB`.
#[must_use]
pub fn bytes(count_bytes: f64) -> String {
    if !count_bytes.is_finite() {
        return UNKNOWN.to_owned();
    }
    let mut value = count_bytes;
    let mut prefixes = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = prefixes.next().unwrap_or("B");
    for larger in prefixes {
        if value.abs() < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    let decimals = if unit == "B" {
        0
    } else {
        decimals_for(value, 3).min(2)
    };
    format!("{} {unit}", number(value, decimals))
}

/// Returns the median of the finite positive values, from which a table or axis takes its unit.
#[must_use]
pub fn typical(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values
        .into_iter()
        .filter(|value| value.is_finite() && *value > 0.0)
        .collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_are_grouped() {
        let cases = [
            (0.0, "0"),
            (999.0, "999"),
            (40_299.0, "40,299"),
            (-1_234_567.0, "-1,234,567"),
        ];
        for (value, shown) in cases {
            assert_eq!(whole(value), shown);
        }
        assert_eq!(whole(f64::NAN), UNKNOWN);
        assert_eq!(whole(2.5e9), "2.50e9");
    }

    #[test]
    fn durations_have_three_digits_and_a_fitting_unit() {
        let cases = [
            (0.198, "198 ms"),
            (0.0198, "19.8 ms"),
            (1.5, "1.50 s"),
            (347.25, "347 s"),
            (0.000_012_3, "12.3 µs"),
            (4.5e-9, "4.50 ns"),
            (f64::NAN, "-"),
            (f64::INFINITY, "-"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn ratios_lose_decimals_as_they_grow() {
        let cases = [
            (1.934, "1.93x"),
            (0.994, "0.99x"),
            (9.996, "10.0x"),
            (12.34, "12.3x"),
            (101.2, "101x"),
            (f64::NAN, "-"),
        ];
        for (ratio, text) in cases {
            assert_eq!(times(ratio), text);
        }
    }

    #[test]
    fn bytes_have_binary_prefixes() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(12.3 * 1024.0 * 1024.0), "12.3 MiB");
        assert_eq!(bytes(f64::NAN), UNKNOWN);
    }

    #[test]
    fn negative_zero_is_shown_as_zero() {
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(-0.01, 2), "-0.01");
    }

    #[test]
    fn typical_ignores_zero_and_nan() {
        assert_eq!(typical([f64::NAN, 3.0, 1.0, 2.0, 0.0]), Some(2.0));
        assert_eq!(typical([f64::NAN]), None);
    }

    proptest! {
        #[test]
        fn any_number_can_be_formatted(bits in any::<u64>(), decimals in any::<usize>()) {
            let value = f64::from_bits(bits);
            for text in [duration(value), bytes(value), times(value), number(value, decimals)] {
                prop_assert!(!text.is_empty() && text.len() < 40, "{text}");
                prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            }
            prop_assert!(decimals_for(value, decimals % 10) <= 4);
        }

        #[test]
        fn the_chosen_unit_keeps_times_readable(exponent in -9.0f64..3.0) {
            let seconds = 10f64.powf(exponent);
            let value = TimeUnit::for_typical(seconds).from_seconds(seconds);
            prop_assert!((0.999..1000.1).contains(&value), "{value}");
        }
    }
}
