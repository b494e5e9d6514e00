//! Parses the requested numbers of workers: `1,2,4`, `1-4`, `max`, `1,2,max`.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Largest number of workers that may be requested: more than any machine has PUs, and small enough that a typo in a
/// range does not fill the memory.
const MAX_WORKERS: u32 = 65_535;

/// Why a text is not a list of numbers of workers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// A part is neither a number, nor a range, nor `max`.
    #[error("'{part}' is not a number of workers from 1 to {MAX_WORKERS}; write 1,2,4 or 1-4 or 1,2,max")]
    Part {
        /// The part that is wrong.
        part: String,
    },
    /// A range ends before it begins.
    #[error("the range '{part}' runs backwards; write the smaller number first")]
    Backwards {
        /// The part that is wrong.
        part: String,
    },
    /// Zero workers.
    #[error("0 workers in '{0}' would do nothing; the smallest number is 1")]
    Zero(String),
}

/// One number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Count {
    Exactly(NonZeroU32),
    /// As many as the machine has room for.
    Max,
}

/// The numbers of workers to measure, before the machine is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Counts(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Part {
    first: Count,
    last: Count,
}

impl Count {
    fn resolve(self, limit: u32) -> u32 {
        match self {
            Self::Exactly(workers) => workers.get(),
            Self::Max => limit,
        }
    }
}

impl Counts {
    /// As many as the machine has room for.
    #[must_use]
    pub fn max() -> Self {
        Self(vec![Part {
            first: Count::Max,
            last: Count::Max,
        }])
    }

    /// One, and as many as the machine has room for.
    #[must_use]
    pub fn one_and_max() -> Self {
        let part = |count| Part {
            first: count,
            last: count,
        };
        Self(vec![part(Count::Exactly(NonZeroU32::MIN)), part(Count::Max)])
    }

    /// One number.
    #[must_use]
    pub fn exactly(workers: NonZeroU32) -> Self {
        let count = Count::Exactly(workers);
        Self(vec![Part {
            first: count,
            last: count,
        }])
    }

    /// The numbers, ascending and each once, where `limit` is what `max` stands for (at least 1).
    ///
    /// They may be above the limit: the placement decides whether they fit.
    #[must_use]
    pub fn resolve(&self, limit: u32) -> Vec<u32> {
        let limit = limit.max(1);
        let parts = self.0.iter();
        let numbers: BTreeSet<u32> = parts
            // On a machine with room for 2, `3-max` is only the 3 that it names.
            .flat_map(|part| {
                let first = part.first.resolve(limit);
                first..=part.last.resolve(limit).max(first)
            })
            .collect();
        numbers.into_iter().collect()
    }
}

/// 1, 2, 4, … up to `limit`, and `limit` itself.
#[must_use]
pub fn default_counts(limit: u32) -> Vec<u32> {
    let limit = limit.max(1);
    let mut counts: Vec<u32> = (0..u32::BITS)
        .map(|exponent| 1 << exponent)
        .take_while(|&count| count < limit)
        .collect();
    counts.push(limit);
    counts
}

impl FromStr for Counts {
    type Err = CountsError;

    fn from_str(text: &str) -> Result<Self, CountsError> {
        text.split(',')
            .map(|part| parse_part(part.trim(), text))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse_part(part: &str, text: &str) -> Result<Part, CountsError> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (parse_count(first, part, text)?, parse_count(last, part, text)?);
    let forwards = match (first, last) {
        (Count::Exactly(first), Count::Exactly(last)) => first <= last,
        (Count::Max, Count::Exactly(_)) => false,
        (_, Count::Max) => true,
    };
    if forwards {
        return Ok(Part { first, last });
    }
    Err(CountsError::Backwards {
        part: part.to_owned(),
    })
}

fn parse_count(word: &str, part: &str, text: &str) -> Result<Count, CountsError> {
    if word == "max" {
        return Ok(Count::Max);
    }
    let wrong = || CountsError::Part {
        part: part.to_owned(),
    };
    // `parse` alone would take "+3".
    if !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u32 = word.parse().map_err(|_| wrong())?;
    if number > MAX_WORKERS {
        return Err(wrong());
    }
    NonZeroU32::new(number)
        .map(Count::Exactly)
        .ok_or_else(|| CountsError::Zero(text.to_owned()))
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(workers) => workers.fmt(formatter),
            Self::Max => formatter.write_str("max"),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Part { first, last }) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            if first == last {
                write!(formatter, "{comma}{first}")?;
            } else {
                write!(formatter, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn resolved(text: &str, limit: u32) -> Vec<u32> {
        text.parse::<Counts>().unwrap().resolve(limit)
    }

    fn error(text: &str) -> String {
        text.parse::<Counts>().unwrap_err().to_string()
    }

    #[test]
    fn numbers_ranges_and_max_are_read() {
        assert_eq!(resolved("1,2,4", 8), [1, 2, 4]);
        assert_eq!(resolved("max", 8), [8]);
        assert_eq!(resolved("1-4", 8), [1, 2, 3, 4]);
        assert_eq!(resolved("1, 2 ,max", 8), [1, 2, 8]);
        assert_eq!(resolved("2-max", 4), [2, 3, 4]);
    }

    #[test]
    fn each_number_comes_once_and_ascending() {
        assert_eq!(resolved("4,1-2,2,max", 4), [1, 2, 4]);
    }

    #[test]
    fn numbers_above_the_limit_are_kept_for_the_placement_to_refuse() {
        assert_eq!(resolved("1,64", 2), [1, 64]);
        assert_eq!(resolved("3-max", 2), [3]);
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        insta::assert_snapshot!(error("1,two"), @"'two' is not a number of workers from 1 to 65535; write 1,2,4 or 1-4 or 1,2,max");
        insta::assert_snapshot!(error("4-2"), @"the range '4-2' runs backwards; write the smaller number first");
        insta::assert_snapshot!(error("0,1"), @"0 workers in '0,1' would do nothing; the smallest number is 1");
        for text in [
            "",
            "1,",
            "-1",
            "1.5",
            "+2",
            "70000",
            "1-4000000000",
            "1-2-3",
            "99999999999",
            "MAX",
        ] {
            assert!(
                matches!(text.parse::<Counts>(), Err(CountsError::Part { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            "max-4".parse::<Counts>(),
            Err(CountsError::Backwards { .. })
        ));
    }

    #[test]
    fn defaults_are_powers_of_two_and_the_limit() {
        assert_eq!(default_counts(0), [1]);
        assert_eq!(default_counts(1), [1]);
        assert_eq!(default_counts(2), [1, 2]);
        assert_eq!(default_counts(6), [1, 2, 4, 6]);
        assert_eq!(default_counts(128), [1, 2, 4, 8, 16, 32, 64, 128]);
        assert_eq!(default_counts(u32::MAX).len(), 33);
    }

    proptest! {
        #[test]
        fn displayed_counts_are_parsed_back(text in "([1-9]|max|[1-3]-[4-9]|[1-9]-max)(,([1-9]|max|[1-3]-[4-9])){0,4}") {
            let counts: Counts = text.parse().unwrap();
            prop_assert_eq!(counts.to_string(), text);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9a-z,. +-]{0,12}") {
            if let Ok(counts) = text.parse::<Counts>() {
                let numbers = counts.resolve(16);
                prop_assert!(!numbers.is_empty() && numbers.is_sorted() && !numbers.contains(&0));
            }
        }
    }
}
