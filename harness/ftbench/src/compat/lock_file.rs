//! Reads `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>) and `pylock.toml` (PEP 751).

use serde::Deserialize;

use itertools::Itertools;

/// A lock file of uv.
#[derive(Debug, Deserialize)]
pub(super) struct LockFile {
    #[serde(default, rename = "package")]
    pub(super) packages: Vec<LockedPackage>,
}

/// A package of a lock file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LockedPackage {
    pub(super) name: String,
    /// Absent for the project itself if its version is dynamic.
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) source: Source,
    #[serde(default)]
    pub(super) dependencies: Vec<LockedDependency>,
    #[serde(default)]
    pub(super) optional_dependencies: std::collections::BTreeMap<String, Vec<LockedDependency>>,
    pub(super) sdist: Option<File>,
    #[serde(default)]
    pub(super) wheels: Vec<File>,
    /// Where this version applies, if the lock has several of the package.
    #[serde(default)]
    pub(super) resolution_markers: Vec<String>,
}

/// Where a package comes from.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Source {
    pub(super) registry: Option<String>,
    pub(super) editable: Option<String>,
    #[serde(rename = "virtual")]
    pub(super) not_packaged: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) path: Option<String>,
    pub(super) url: Option<String>,
    pub(super) git: Option<String>,
}

impl Source {
    /// Whether it is a folder on this machine, as the project of the lock file itself is.
    pub(super) const fn is_folder(&self) -> bool {
        self.editable.is_some() || self.not_packaged.is_some() || self.directory.is_some()
    }
}

/// A requirement of a locked package.
#[derive(Debug, Deserialize)]
pub(super) struct LockedDependency {
    pub(super) name: String,
    #[serde(default)]
    pub(super) extra: Vec<String>,
    pub(super) marker: Option<String>,
}

/// A file of a package.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    url: Option<String>,
    path: Option<String>,
    filename: Option<String>,
    name: Option<String>,
    /// Algorithm and digest.
    pub(super) hash: Option<String>,
}

impl File {
    /// Its name without folders.
    pub(super) fn name(&self) -> Option<&str> {
        let from = self.filename.as_ref().or(self.name.as_ref());
        let from = from.or(self.path.as_ref()).or(self.url.as_ref())?;
        from.split(['?', '#']).next()?.rsplit('/').next()
    }
}

/// Requirements, and the versions that they are limited to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// What is required directly.
    pub requirements: Vec<String>,
    /// Versions of everything, for where it is required.
    pub constraints: Vec<String>,
}

/// What a `uv.lock` requires directly, and all of its versions.
pub(super) fn uv(text: &str) -> Result<Pinned, toml::de::Error> {
    let lock: LockFile = toml::from_str(text)?;
    let with_marker = |text: String, marker: Option<&str>| match marker {
        Some(marker) => format!("{text} ; {marker}"),
        None => text,
    };
    let projects = lock.packages.iter().filter(|package| package.source.is_folder());
    let requirements = projects.clone().flat_map(|project| &project.dependencies);
    let is_project = |name: &str| projects.clone().any(|project| project.name == name);
    let requirements = requirements.filter(|one| !is_project(&one.name)).map(|one| {
        let extras = match one.extra.as_slice() {
            [] => String::new(),
            extras => format!("[{}]", extras.join(",")),
        };
        with_marker(format!("{}{extras}", one.name), one.marker.as_deref())
    });
    let constraints = lock.packages.iter().filter_map(|package| {
        package.source.registry.as_ref()?;
        let pin = format!("{}=={}", package.name, package.version.as_ref()?);
        let markers = package.resolution_markers.iter().map(|one| format!("({one})"));
        let markers = markers.collect::<Vec<_>>().join(" or ");
        Some(with_marker(pin, (!markers.is_empty()).then_some(&markers)))
    });
    Ok(Pinned {
        requirements: requirements.unique().collect(),
        constraints: constraints.collect(),
    })
}

/// A lock file that any tool can write (PEP 751).
#[derive(Debug, Deserialize)]
struct Pylock {
    #[serde(default)]
    packages: Vec<PylockPackage>,
}

#[derive(Debug, Deserialize)]
struct PylockPackage {
    name: String,
    version: Option<String>,
    marker: Option<String>,
}

/// Everything that a `pylock.toml` pins. It does not say what is required directly.
pub(super) fn pylock(text: &str) -> Result<Pinned, toml::de::Error> {
    let lock: Pylock = toml::from_str(text)?;
    let requirements = lock.packages.into_iter().map(|package| {
        let version = package
            .version
            .map_or_else(String::new, |version| format!("=={version}"));
        let marker = package
            .marker
            .map_or_else(String::new, |marker| format!(" ; {marker}"));
        format!("{}{version}{marker}", package.name)
    });
    Ok(Pinned {
        requirements: requirements.collect(),
        constraints: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lock_of_uv_has_requirements_and_constraints() {
        let text = r#"
            version = 1
            [[package]]
            name = "mine"
            source = { editable = "." }
            dependencies = [{ name = "uvicorn", extra = ["standard"] }, { name = "pywin32", marker = "sys_platform == 'win32'" }]
            [[package]]
            name = "uvicorn"
            version = "0.40"
            source = { registry = "https://example.org/simple" }
            wheels = [{ url = "https://example.org/uvicorn-0.40-py3-none-any.whl#sha256=1", hash = "sha256:1" }]
            [[package]]
            name = "numpy"
            version = "2.2"
            source = { registry = "https://example.org/simple" }
            resolution-markers = ["python_full_version < '3.11'", "sys_platform == 'win32'"]
        "#;
        let pinned = uv(text).unwrap();
        assert_eq!(
            pinned.requirements,
            ["uvicorn[standard]", "pywin32 ; sys_platform == 'win32'"]
        );
        assert_eq!(
            pinned.constraints,
            [
                "uvicorn==0.40",
                "numpy==2.2 ; (python_full_version < '3.11') or (sys_platform == 'win32')"
            ]
        );
        let lock: LockFile = toml::from_str(text).unwrap();
        let wheel = lock
            .packages
            .iter()
            .find_map(|package| package.wheels.first())
            .unwrap();
        assert_eq!(wheel.name(), Some("uvicorn-0.40-py3-none-any.whl"));
    }

    #[test]
    fn a_pylock_pins_everything() {
        let text = r#"
            lock-version = "1.0"
            [[packages]]
            name = "six"
            version = "1.17"
            [[packages]]
            name = "colorama"
            marker = "os_name == 'nt'"
        "#;
        assert_eq!(
            pylock(text).unwrap().requirements,
            ["six==1.17", "colorama ; os_name == 'nt'"]
        );
        assert!(pylock("packages = 1").is_err());
    }
}
