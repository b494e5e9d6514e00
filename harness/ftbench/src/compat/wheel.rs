//! Which wheels a build can use, from their file names.
//!
//! The parts of a name are those of the specification
//! (<https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>): a wheel is for every combination
//! of its Python tags, ABI tags and platform tags. The installer decides in the end; this explains its decision.

use ftbench_schema::{Distribution, InterpreterFacts, Version};

/// What wheels must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Minor version of CPython 3.
    minor: u16,
    free_threaded: bool,
}

impl Target {
    /// The target for a build; `None` for one that is not CPython 3.
    #[must_use]
    pub fn of(interpreter: &InterpreterFacts) -> Option<Self> {
        let version: Version = interpreter.version.parse().ok()?;
        (version.major == 3).then_some(Self {
            minor: version.minor,
            free_threaded: interpreter.free_threaded,
        })
    }

    /// What a wheel is for this build, from its tags; `None` if it is for other versions or machines.
    #[must_use]
    pub fn distribution(self, tags: &Tags<'_>) -> Option<Distribution> {
        if !tags.platforms.split('.').any(is_for_this_machine) {
            return None;
        }
        let combinations = tags
            .abis
            .split('.')
            .flat_map(|abi| tags.pythons.split('.').map(move |python| (python, abi)));
        combinations
            .filter_map(|(python, abi)| self.combination(python, abi))
            .min()
    }

    fn combination(self, python: &str, abi: &str) -> Option<Distribution> {
        let own_version = python == format!("cp3{}", self.minor);
        let own_abi = format!("cp3{}", self.minor);
        let up_to_own = minor_of(python).is_some_and(|minor| minor <= self.minor);
        let with_gil =
            (own_version && abi == own_abi) || (up_to_own && python.starts_with("cp") && abi == "abi3");
        let stable = match abi {
            "abi3" => !self.free_threaded,
            "abi3t" => true,
            _ => false,
        };
        match abi {
            "none" if python == "py3" || up_to_own => Some(Distribution::IndependentWheel),
            _ if stable && up_to_own => Some(Distribution::StableAbiWheel),
            _ if self.free_threaded && own_version && abi.strip_suffix('t') == Some(&own_abi) => {
                Some(Distribution::BuildWheel)
            }
            _ if with_gil && self.free_threaded => Some(Distribution::GilOnlyWheel),
            _ if with_gil => Some(Distribution::BuildWheel),
            _ => None,
        }
    }
}

/// The minor version in a Python tag such as `cp314` or `py39`.
fn minor_of(python: &str) -> Option<u16> {
    let digits = python
        .strip_prefix("cp3")
        .or_else(|| python.strip_prefix("py3"))?;
    digits.parse().ok()
}

/// Whether a platform tag is for Linux with glibc on this kind of machine.
fn is_for_this_machine(platform: &str) -> bool {
    let architecture = std::env::consts::ARCH;
    let of_linux = platform.starts_with("manylinux") || platform.starts_with("linux_");
    platform == "any" || (of_linux && platform.ends_with(&format!("_{architecture}")))
}

/// The tags of a wheel, each a list that is separated by dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags<'a> {
    pythons: &'a str,
    abis: &'a str,
    platforms: &'a str,
}

impl<'a> Tags<'a> {
    /// The tags in a wheel's file name; `None` if it is not one.
    #[must_use]
    pub fn of_file(name: &'a str) -> Option<Self> {
        let parts: Vec<&str> = name.strip_suffix(".whl")?.split('-').collect();
        // Name, version, optionally the number of a build, tags.
        match parts.as_slice() {
            [_, _, pythons, abis, platforms] | [_, _, _, pythons, abis, platforms] => Some(Self {
                pythons,
                abis,
                platforms,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use Distribution::{BuildWheel, GilOnlyWheel, IndependentWheel, StableAbiWheel};

    fn is(tag: &str, free_threaded: bool) -> Option<Distribution> {
        let target = Target {
            minor: 15,
            free_threaded,
        };
        let tag = tag.replace("HERE", std::env::consts::ARCH);
        let name = format!("name-1.0-{tag}.whl");
        target.distribution(&Tags::of_file(&name).unwrap())
    }

    // The combinations of the specification, of PEP 703 and of PEP 803.
    #[test]
    fn wheels_are_for_builds_as_their_tags_say() {
        for (tag, with_gil, free_threaded) in [
            (
                "cp315-cp315-manylinux_2_28_HERE",
                Some(BuildWheel),
                Some(GilOnlyWheel),
            ),
            ("cp315-cp315t-manylinux_2_28_HERE", None, Some(BuildWheel)),
            (
                "cp39-abi3-manylinux2014_HERE",
                Some(StableAbiWheel),
                Some(GilOnlyWheel),
            ),
            (
                "cp315-abi3t-linux_HERE",
                Some(StableAbiWheel),
                Some(StableAbiWheel),
            ),
            (
                "cp315-abi3.abi3t-linux_HERE",
                Some(StableAbiWheel),
                Some(StableAbiWheel),
            ),
            ("cp316-abi3t-linux_HERE", None, None),
            ("py3-none-any", Some(IndependentWheel), Some(IndependentWheel)),
            ("py2.py3-none-any", Some(IndependentWheel), Some(IndependentWheel)),
            (
                "py3-none-manylinux_2_17_HERE",
                Some(IndependentWheel),
                Some(IndependentWheel),
            ),
            ("py39-none-any", Some(IndependentWheel), Some(IndependentWheel)),
            ("cp316-none-any", None, None),
            ("py2-none-any", None, None),
            ("cp314-cp314-manylinux_2_28_HERE", None, None),
            ("cp315-cp315-musllinux_1_2_HERE", None, None),
            ("cp315-cp315-manylinux_2_28_riscv64", None, None),
            ("cp315-cp315-win_amd64", None, None),
            (
                "cp315-cp315-macosx_11_0_arm64.manylinux_2_17_HERE",
                Some(BuildWheel),
                Some(GilOnlyWheel),
            ),
            ("2-cp315-cp315t-linux_HERE", None, Some(BuildWheel)),
        ] {
            assert_eq!(is(tag, false), with_gil, "{tag} with a GIL");
            assert_eq!(is(tag, true), free_threaded, "{tag} free-threaded");
        }
        assert_eq!(Tags::of_file("name-1.0.tar.gz"), None);
        assert_eq!(Tags::of_file("name.whl"), None);
    }

    proptest! {
        #[test]
        fn any_name_is_read(name in ".{0,80}") {
            if let Some(tags) = Tags::of_file(&name) {
                let _ = Target { minor: 14, free_threaded: true }.distribution(&tags);
            }
        }
    }
}
