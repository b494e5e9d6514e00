//! Which run-time switches a build has, and whether it respected those that it was started with. Pure.

use ftbench_schema::{GilState, Implementation, InterpreterFacts, JitState, Switch, Switches, Tag};

/// Why a build does not have a switch, or why the switch does nothing there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub reason: String,
    pub remedy: String,
}

/// The switches that change something on this build, in the order of [`Switch::ALL`].
///
/// `build` has the facts of the build without switches.
#[must_use]
pub fn available_switches(build: &InterpreterFacts) -> Vec<Switch> {
    Switch::ALL
        .into_iter()
        .filter(|&switch| refusal(build, switch).is_none())
        .collect()
}

/// Explains why this build does not have one of these switches; `None` when it has all. Whether the interpreter
/// respects them is known only once it has started; see [`ignored_switch`].
pub(super) fn unavailable_switch(build: &InterpreterFacts, switches: Switches) -> Option<Refusal> {
    switches.iter().find_map(|switch| refusal(build, switch))
}

fn refusal(build: &InterpreterFacts, switch: Switch) -> Option<Refusal> {
    if build.implementation != Implementation::CPython {
        return Some(Refusal {
            reason: format!(
                "'+{switch}' is a switch of CPython, and this is {}",
                build.implementation
            ),
            remedy: format!("leave '+{switch}' out"),
        });
    }
    let tag = Tag::of(build)?.short();
    match switch {
        Switch::Gil | Switch::Nogil => gil(build, tag, switch),
        Switch::Jit | Switch::Nojit => jit(build, tag, switch),
        Switch::Notlbc => thread_local_bytecode(build, tag),
    }
}

/// `PYTHON_GIL=1` changes nothing on a GIL build, and with `PYTHON_GIL=0` it does not start
/// (<https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_GIL>).
fn gil(build: &InterpreterFacts, tag: Tag, switch: Switch) -> Option<Refusal> {
    if build.free_threaded {
        return None;
    }
    let reason = match switch {
        Switch::Gil => "a GIL build always runs with its GIL on, so '+gil' changes nothing",
        _ => "a GIL build cannot run without its GIL",
    };
    let other = Tag {
        free_threaded: true,
        ..tag
    };
    let remedy = if (tag.major, tag.minor) >= FIRST_PYTHON_GIL {
        format!("leave '+{switch}' out, or ask for a free-threaded build: {other}+{switch}")
    } else {
        format!("leave '+{switch}' out")
    };
    Some(Refusal {
        reason: reason.to_owned(),
        remedy,
    })
}

/// `PYTHON_JIT` is read by builds that were configured with `--enable-experimental-jit`, whose JIT is on from the start
/// unless that was `yes-off` (<https://docs.python.org/3/using/configure.html#cmdoption-enable-experimental-jit>).
/// Free-threaded builds before 3.15 never use theirs (<https://github.com/python/cpython/issues/133171>).
fn jit(build: &InterpreterFacts, tag: Tag, switch: Switch) -> Option<Refusal> {
    let never_used = build.free_threaded && (tag.major, tag.minor) < FIRST_FREE_THREADED_JIT;
    let (state, opposite) = match switch {
        Switch::Jit => (JitState::On, Switch::Nojit),
        _ => (JitState::Off, Switch::Jit),
    };
    if !build.build.jit || never_used {
        let reason = if never_used {
            format!("free-threaded builds of {}.{} have no JIT", tag.major, tag.minor)
        } else {
            "this build has no JIT (PEP 744: configure it with --enable-experimental-jit)".to_owned()
        };
        return Some(Refusal {
            reason,
            remedy: format!(
                "leave '+{switch}' out, or give a build that has one; 'ftbench python list' shows each build's switches"
            ),
        });
    }
    (build.jit == Some(state)).then(|| Refusal {
        reason: format!("the JIT of this build is {state} from the start, so '+{switch}' changes nothing"),
        remedy: format!("leave '+{switch}' out, or compare with '{tag}+{opposite}'"),
    })
}

/// Thread-local bytecode came with 3.14, and only to free-threaded builds
/// (<https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_TLBC>).
fn thread_local_bytecode(build: &InterpreterFacts, tag: Tag) -> Option<Refusal> {
    let has = build.free_threaded && (tag.major, tag.minor) >= FIRST_THREAD_LOCAL_BYTECODE;
    (!has).then(|| Refusal {
        reason: "only free-threaded builds of 3.14 and newer have thread-local bytecode".to_owned(),
        remedy: "leave '+notlbc' out, or ask for such a build: 3.14t+notlbc".to_owned(),
    })
}

/// The first version with `PYTHON_GIL`, and with builds that respect it.
const FIRST_PYTHON_GIL: (u16, u16) = (3, 13);

/// The first version with `PYTHON_TLBC`.
const FIRST_THREAD_LOCAL_BYTECODE: (u16, u16) = (3, 14);

/// The first version that may be configured with both `--disable-gil` and `--enable-experimental-jit`
/// (<https://github.com/python/cpython/issues/141956>).
const FIRST_FREE_THREADED_JIT: (u16, u16) = (3, 15);

/// Explains which switch an interpreter ignored although it was started with it; `None` when it respected all.
///
/// `+notlbc` always passes, because no interpreter reports whether thread-local bytecode is on.
pub(super) fn ignored_switch(variant: &InterpreterFacts) -> Option<Refusal> {
    variant.switches.iter().find_map(|&switch| {
        let wrong = match switch {
            Switch::Gil => variant.gil == GilState::Off,
            Switch::Nogil => variant.gil == GilState::On,
            Switch::Jit => variant.jit != Some(JitState::On),
            Switch::Nojit => variant.jit == Some(JitState::On),
            Switch::Notlbc => false,
        };
        let what = match switch {
            Switch::Gil | Switch::Nogil => format!("GIL is {}", variant.gil),
            _ => format!("JIT is {}", variant.jit.unwrap_or(JitState::Off)),
        };
        wrong.then(|| Refusal {
            reason: format!(
                "with {}={} it still reports that its {what}",
                switch.variable(),
                switch.value()
            ),
            remedy: format!("leave '+{switch}' out"),
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ftbench_fixtures::interpreters::facts;

    fn with_jit(full_tag: &str, state: JitState) -> InterpreterFacts {
        let mut build = facts(full_tag);
        build.build.jit = true;
        build.jit = Some(state);
        build
    }

    fn names(build: &InterpreterFacts) -> String {
        let names: Vec<&str> = available_switches(build).into_iter().map(Switch::name).collect();
        names.join(" ")
    }

    #[test]
    fn builds_have_the_switches_that_change_something() {
        for (full_tag, expected) in [
            ("3.12.1", ""),
            ("3.13.15", ""),
            ("3.13.15t", "gil nogil"),
            ("3.13.15td", "gil nogil"),
            ("3.14.2", ""),
            ("3.14.2t", "gil nogil notlbc"),
            ("pypy3.11.13", ""),
        ] {
            assert_eq!(names(&facts(full_tag)), expected, "{full_tag}");
        }
        assert_eq!(names(&with_jit("3.14.2", JitState::Off)), "jit");
        assert_eq!(names(&with_jit("3.14.2", JitState::On)), "nojit");
        assert_eq!(names(&with_jit("3.13.15t", JitState::Off)), "gil nogil");
        assert_eq!(names(&with_jit("3.15.0t", JitState::Off)), "gil nogil jit notlbc");
    }

    #[test]
    fn refusals_have_a_reason_and_a_remedy() {
        let why = |build: &InterpreterFacts, switch: Switch| {
            let Refusal { reason, remedy } = unavailable_switch(build, Switches::of(&[switch])).unwrap();
            format!("{reason} - {remedy}")
        };
        insta::assert_snapshot!(why(&facts("3.13.15"), Switch::Gil), @"a GIL build always runs with its GIL on, so '+gil' changes nothing - leave '+gil' out, or ask for a free-threaded build: 3.13t+gil");
        insta::assert_snapshot!(why(&facts("3.13.15"), Switch::Nogil), @"a GIL build cannot run without its GIL - leave '+nogil' out, or ask for a free-threaded build: 3.13t+nogil");
        insta::assert_snapshot!(why(&facts("3.12.1"), Switch::Gil), @"a GIL build always runs with its GIL on, so '+gil' changes nothing - leave '+gil' out");
        insta::assert_snapshot!(why(&facts("3.13.15"), Switch::Jit), @"this build has no JIT (PEP 744: configure it with --enable-experimental-jit) - leave '+jit' out, or give a build that has one; 'ftbench python list' shows each build's switches");
        insta::assert_snapshot!(why(&with_jit("3.13.15t", JitState::Off), Switch::Jit), @"free-threaded builds of 3.13 have no JIT - leave '+jit' out, or give a build that has one; 'ftbench python list' shows each build's switches");
        insta::assert_snapshot!(why(&with_jit("3.14.2", JitState::Off), Switch::Nojit), @"the JIT of this build is off from the start, so '+nojit' changes nothing - leave '+nojit' out, or compare with '3.14+jit'");
        insta::assert_snapshot!(why(&facts("3.13.15t"), Switch::Notlbc), @"only free-threaded builds of 3.14 and newer have thread-local bytecode - leave '+notlbc' out, or ask for such a build: 3.14t+notlbc");
        insta::assert_snapshot!(why(&facts("pypy3.11.13"), Switch::Nojit), @"'+nojit' is a switch of CPython, and this is PyPy - leave '+nojit' out");
    }

    #[test]
    fn ignored_switches_are_detected() {
        let mut variant = facts("3.13.15t");
        variant.switches = vec![Switch::Gil];
        insta::assert_snapshot!(ignored_switch(&variant).unwrap().reason, @"with PYTHON_GIL=1 it still reports that its GIL is off");
        variant.gil = GilState::On;
        assert_eq!(ignored_switch(&variant), None);
        variant.switches = vec![Switch::Nogil];
        assert!(ignored_switch(&variant).is_some());
        let mut compiled = with_jit("3.14.2", JitState::On);
        compiled.switches = vec![Switch::Jit];
        assert_eq!(ignored_switch(&compiled), None);
        compiled.jit = None;
        insta::assert_snapshot!(ignored_switch(&compiled).unwrap().reason, @"with PYTHON_JIT=1 it still reports that its JIT is off");
        compiled.switches = vec![Switch::Nojit, Switch::Notlbc];
        assert_eq!(ignored_switch(&compiled), None);
    }
}
