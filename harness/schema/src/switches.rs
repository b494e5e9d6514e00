//! Sets of run-time switches, as tags and paths name them. Pure.

use std::fmt;

use super::tag::TagError;
use crate::Switch;
use crate::suggest::nearest;

/// Run-time switches that an interpreter can have on together: at most one for each variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Switches {
    gil: Option<bool>,
    jit: Option<bool>,
    /// Thread-local bytecode is off.
    notlbc: bool,
}

impl Switches {
    /// No switch: the build as it is.
    pub const NONE: Self = Self {
        gil: None,
        jit: None,
        notlbc: false,
    };

    /// These and one more; `None` when its variable is set already.
    #[must_use]
    pub fn with(self, switch: Switch) -> Option<Self> {
        let taken = self.iter().any(|other| other.variable() == switch.variable());
        let with = match switch {
            Switch::Gil | Switch::Nogil => Self {
                gil: Some(switch == Switch::Gil),
                ..self
            },
            Switch::Jit | Switch::Nojit => Self {
                jit: Some(switch == Switch::Jit),
                ..self
            },
            Switch::Notlbc => Self { notlbc: true, ..self },
        };
        (!taken).then_some(with)
    }

    /// Those of a record; of two that set one variable the first counts.
    #[must_use]
    pub fn of(recorded: &[Switch]) -> Self {
        recorded.iter().fold(Self::NONE, |switches, &one| {
            switches.with(one).unwrap_or(switches)
        })
    }

    /// Reads what stands behind the first `+` of `given`, such as `gil+notlbc`, in any order.
    ///
    /// # Errors
    /// When there is no such switch, or two set one variable.
    pub fn read(names: &str, given: &str) -> Result<Self, TagError> {
        names.split('+').try_fold(Self::NONE, |switches, name| {
            let switch = Switch::named(name).ok_or_else(|| TagError::UnknownSwitch {
                given: given.to_owned(),
                name: name.to_owned(),
                nearest: nearest(name, Switch::ALL.map(Switch::name)),
            })?;
            switches
                .with(switch)
                .ok_or_else(|| TagError::SwitchTwice(given.to_owned(), switch.variable()))
        })
    }

    /// Each, in the order of [`Switch::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| match switch {
            Switch::Gil => self.gil == Some(true),
            Switch::Nogil => self.gil == Some(false),
            Switch::Jit => self.jit == Some(true),
            Switch::Nojit => self.jit == Some(false),
            Switch::Notlbc => self.notlbc,
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

/// As a tag ends with them: `+gil+notlbc`; empty for none.
impl fmt::Display for Switches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.iter().map(|switch| format!("+{switch}")).collect();
        formatter.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_always_the_same(
            mut picked in proptest::sample::subsequence(Switch::ALL.to_vec(), 1..=5).prop_shuffle()
        ) {
            let mut variables = std::collections::HashSet::new();
            picked.retain(|switch| variables.insert(switch.variable()));
            let switches = Switches::of(&picked);
            let names: Vec<&str> = picked.iter().map(|switch| switch.name()).collect();
            prop_assert_eq!(Switches::read(&names.join("+"), "").unwrap(), switches);
            let mut sorted = picked.clone();
            sorted.sort_by_key(|switch| Switch::ALL.iter().position(|other| other == switch));
            prop_assert_eq!(switches.iter().collect::<Vec<_>>(), sorted);
        }
    }

    #[test]
    fn a_variable_has_one_value() {
        let gil = Switches::NONE.with(Switch::Gil).unwrap();
        assert_eq!(gil.with(Switch::Nogil), None);
        assert_eq!(gil.with(Switch::Gil), None);
        assert_eq!(gil.with(Switch::Notlbc).unwrap().to_string(), "+gil+notlbc");
        assert_eq!(Switches::of(&[Switch::Gil, Switch::Nogil]), gil);
        assert!(Switches::NONE.is_empty() && !gil.is_empty());
    }

    #[test]
    fn what_is_no_switch_is_told_with_the_nearest() {
        let why = |names: &str| {
            Switches::read(names, &format!("3.13t+{names}"))
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(why("gill"), @"'3.13t+gill': there is no switch 'gill' (did you mean 'gil'?); there are gil, nogil, jit, nojit, notlbc");
        insta::assert_snapshot!(why("gil+"), @"'3.13t+gil+': there is no switch '' (did you mean 'gil', 'nogil' or 'jit'?); there are gil, nogil, jit, nojit, notlbc");
        insta::assert_snapshot!(why("gil+nogil"), @"'3.13t+gil+nogil' sets PYTHON_GIL twice; give each switch once, and only one of a pair such as gil and nogil");
    }
}
