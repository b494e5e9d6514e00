//! The values of `--pin`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::machine::topology::list_of_pus;

/// The highest PU number that a list may name: above the 8,191 of the largest Linux kernels (`NR_CPUS`), and low
/// enough that a typo in a range does not fill the memory.
const HIGHEST_PU: u32 = 65_535;

/// How workers fill the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// One PU per physical core, performance cores first, filling one NUMA node before the next.
    #[default]
    Cores,
    /// One PU per physical core, performance cores first, spread as widely as possible.
    Scatter,
    /// Every hardware thread of a core before the next core.
    Smt,
    /// These PUs (OS indices), in this order.
    List(Vec<u32>),
    /// Workers are not bound.
    None,
}

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Neither a policy's name nor a list.
    #[error("unknown placement policy '{word}'; use one of {}, or a list of PUs such as 0,2,4-7", Policy::NAMES.join(", "))]
    Unknown {
        /// The word.
        word: String,
    },
    /// A part of a list is neither a PU nor a range of them.
    #[error("placement '{list}': '{part}' is neither a PU nor a range of PUs; write it like 0,2,4-7")]
    Part {
        /// The whole text.
        list: String,
        /// The part that is wrong.
        part: String,
    },
    /// A list names a PU twice.
    #[error("placement '{list}' names PU {pu} twice; each worker needs a PU of its own")]
    Twice {
        /// The whole text.
        list: String,
        /// The PU.
        pu: u32,
    },
}

impl Policy {
    /// The names of the policies that are not lists.
    pub const NAMES: [&'static str; 4] = ["cores", "scatter", "smt", "none"];
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cores => formatter.pad("cores"),
            Self::Scatter => formatter.pad("scatter"),
            Self::Smt => formatter.pad("smt"),
            Self::None => formatter.pad("none"),
            Self::List(pus) => formatter.pad(&list_of_pus(pus)),
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "cores" => Ok(Self::Cores),
            "scatter" => Ok(Self::Scatter),
            "smt" => Ok(Self::Smt),
            "none" => Ok(Self::None),
            _ if text.starts_with(|first: char| first.is_ascii_digit()) => parse_list(text).map(Self::List),
            _ => Err(PolicyError::Unknown {
                word: text.to_owned(),
            }),
        }
    }
}

fn parse_list(text: &str) -> Result<Vec<u32>, PolicyError> {
    let mut pus = Vec::new();
    let mut seen = BTreeSet::new();
    for part in text.split(',') {
        let range = parse_range(part.trim()).ok_or_else(|| PolicyError::Part {
            list: text.to_owned(),
            part: part.to_owned(),
        })?;
        for pu in range {
            if !seen.insert(pu) {
                return Err(PolicyError::Twice {
                    list: text.to_owned(),
                    pu,
                });
            }
            pus.push(pu);
        }
    }
    Ok(pus)
}

fn parse_range(part: &str) -> Option<std::ops::RangeInclusive<u32>> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (parse_pu(first)?, parse_pu(last)?);
    (first <= last).then_some(first..=last)
}

fn parse_pu(text: &str) -> Option<u32> {
    // `parse` alone would take "+3".
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pu = digits.then(|| text.parse().ok()).flatten()?;
    (pu <= HIGHEST_PU).then_some(pu)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        text.parse::<Policy>().unwrap_err().to_string()
    }

    #[test]
    fn names_and_lists_are_read() {
        assert_eq!("cores".parse(), Ok(Policy::Cores));
        assert_eq!("scatter".parse(), Ok(Policy::Scatter));
        assert_eq!("smt".parse(), Ok(Policy::Smt));
        assert_eq!("none".parse(), Ok(Policy::None));
        assert_eq!("0".parse(), Ok(Policy::List(vec![0])));
        assert_eq!("6, 0,2-4".parse(), Ok(Policy::List(vec![6, 0, 2, 3, 4])));
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_is_valid() {
        insta::assert_snapshot!(error("core"), @"unknown placement policy 'core'; use one of cores, scatter, smt, none, or a list of PUs such as 0,2,4-7");
        insta::assert_snapshot!(error("0,x"), @"placement '0,x': 'x' is neither a PU nor a range of PUs; write it like 0,2,4-7");
        insta::assert_snapshot!(error("0-3,2"), @"placement '0-3,2' names PU 2 twice; each worker needs a PU of its own");
    }

    #[test]
    fn invalid_lists_are_refused() {
        for text in [
            "0,",
            "4-2",
            "0--1",
            "1-",
            "0,+1",
            "0-4000000000",
            "70000",
            "99999999999",
            "0;1",
        ] {
            assert!(
                matches!(text.parse::<Policy>(), Err(PolicyError::Part { .. })),
                "{text}"
            );
        }
        assert_eq!(
            "".parse::<Policy>(),
            Err(PolicyError::Unknown { word: String::new() })
        );
    }

    proptest! {
        #[test]
        fn displayed_lists_are_parsed_back(pus in proptest::collection::btree_set(0_u32..40, 1..20), reverse: bool) {
            let mut pus: Vec<u32> = pus.into_iter().collect();
            if reverse {
                pus.reverse();
            }
            let policy = Policy::List(pus);
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,12}") {
            let _ = text.parse::<Policy>();
        }

        #[test]
        fn parsed_lists_have_no_duplicates(text in "[0-9,-]{0,12}") {
            if let Ok(Policy::List(pus)) = text.parse() {
                let distinct: BTreeSet<u32> = pus.iter().copied().collect();
                prop_assert_eq!(distinct.len(), pus.len());
            }
        }
    }
}
