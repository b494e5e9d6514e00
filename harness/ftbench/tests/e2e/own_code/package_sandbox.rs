//! A sandbox with its own cache and its own folder of wheels, in which ftbench finds uv or does not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{CommandOutput, Run, Sandbox, executable, output_of, pair, users_cache};

/// Prefixes of the variables that an installer needs to reach the user's package index.
const PASSED_ON: [&str; 6] = ["PIP_", "UV_", "SSL_", "REQUESTS_", "http", "HTTP"];

/// A Python program that writes a wheel with one module; its arguments are folder, name, version and tag, then the paths
/// and contents of other files.
const MAKE_WHEEL: &str = r#"
import sys, sysconfig, zipfile
folder, name, version, tag, *others = sys.argv[1:]
tag = tag.replace("PLATFORM", sysconfig.get_platform().replace("-", "_").replace(".", "_"))
info = f"{name}-{version}.dist-info"
files = {
    f"{name}.py": f"VERSION = {version!r}\n",
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
}
files.update(zip(others[::2], others[1::2]))
files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(f"{folder}/{name}-{version}-{tag}.whl", "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
"#;

/// The installer that ftbench finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    Uv,
    /// pip, because there is no uv.
    Pip,
}

/// The source of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The folder `wheels` only, as set in the user's configuration.
    Wheels,
    /// The index of the user who runs the tests.
    Index,
}

pub struct PackageSandbox {
    pub sandbox: Sandbox,
    installer: Installer,
    origin: Origin,
}

impl PackageSandbox {
    pub fn new(installer: Installer, origin: Origin) -> Self {
        let sandbox = Sandbox::sharing_the_machine();
        let wheels = sandbox.path().join("wheels");
        std::fs::create_dir(&wheels).unwrap();
        // Not in the working directory, where uv would find it for every test.
        let configuration = format!("no-index = true\nfind-links = [{:?}]\n", wheels.to_str().unwrap());
        sandbox.file("configuration/uv.toml", configuration);
        Self {
            sandbox,
            installer,
            origin,
        }
    }

    /// Puts a wheel into the folder; returns its path. `PLATFORM` in a tag stands for the platform of this machine.
    pub fn wheel(&self, name: &str, version: &str, tag: &str) -> String {
        self.wheel_with(name, version, tag, &[])
    }

    /// The same with more files, each given as its path and contents.
    pub fn wheel_with(&self, name: &str, version: &str, tag: &str, files: &[(&str, &str)]) -> String {
        let folder = self.sandbox.path().join("wheels");
        let mut command = Command::new(executable(&pair().gil));
        command
            .args(["-c", MAKE_WHEEL])
            .arg(&folder)
            .args([name, version, tag])
            .args(files.iter().flat_map(|(path, contents)| [path, contents]));
        assert!(command.status().unwrap().success());
        let made = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let names: Vec<String> = made.map(|path| path.to_str().unwrap().to_owned()).collect();
        let beginning = format!("/{name}-{version}-");
        names.into_iter().find(|path| path.contains(&beginning)).unwrap()
    }

    /// Writes a workload with these dependencies and `more` at the top of its module; returns its path.
    pub fn workload(&self, name: &str, dependencies: &str, more: &str) -> String {
        let source = format!(
            "# /// script\n# dependencies = {dependencies}\n# ///\n{more}\n\
             def work(data, units):\n    for _ in range(units):\n        sum(range(10_000))\n"
        );
        self.sandbox.file(&format!("{name}.py"), source)
    }

    pub fn cache(&self) -> PathBuf {
        self.sandbox.path().join("cache")
    }

    /// The names in the folder of environments: complete environments, and everything else.
    pub fn environments(&self) -> (Vec<String>, Vec<String>) {
        let Ok(entries) = std::fs::read_dir(self.cache().join("ftbench/environments")) else {
            return (vec![], vec![]);
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
            .into_iter()
            .filter(|name| !name.ends_with(".lock") && !name.ends_with(".log"))
            .partition(|name| {
                let environment = self.cache().join("ftbench/environments").join(name);
                environment.join("ftbench-environment.json").is_file()
            })
    }

    pub fn command(&self, words: &str) -> Command {
        let mut command = self.sandbox.command(words);
        let passed_on = std::env::vars_os().filter(|(name, _)| {
            PASSED_ON
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix))
        });
        command
            .envs(passed_on)
            .env("XDG_CACHE_HOME", self.cache())
            // Keeps downloads from run to run.
            .env("UV_CACHE_DIR", users_cache().join("uv"))
            .env("PIP_CACHE_DIR", users_cache().join("pip"))
            .env("PATH", path(self.installer));
        if self.origin == Origin::Wheels {
            command
                .env(
                    "UV_CONFIG_FILE",
                    self.sandbox.path().join("configuration/uv.toml"),
                )
                .env_remove("UV_INDEX_URL")
                .env("PIP_FIND_LINKS", self.sandbox.path().join("wheels"))
                .env("PIP_NO_INDEX", "1");
        }
        command
    }

    pub fn ftbench(&self, words: &str) -> CommandOutput {
        output_of(self.command(words))
    }

    /// Runs `ftbench run` for one round with one worker on the given interpreters.
    #[track_caller]
    pub fn run(&self, out: &str, tags: &[&str], words: &str, status: i32) -> Run {
        let output = self.ftbench(&run_words(out, tags, words));
        output.exits_with(status);
        Run {
            folder: self.sandbox.path().join(out),
            output,
        }
    }
}

/// The arguments of [`PackageSandbox::run`], with the interpreters by path, because ftbench finds none below the new cache.
pub fn run_words(out: &str, tags: &[&str], words: &str) -> String {
    let paths: Vec<String> = tags
        .iter()
        .map(|tag| executable(tag).display().to_string())
        .collect();
    format!(
        "run --profile quick --rounds 1 --samples 1 --no-ceiling -n 1 -m serial,threads --out {out} -p {} {words}",
        paths.join(",")
    )
}

/// The tag of wheels for the pair's GIL build on this machine only.
pub fn gil_tag() -> String {
    let version = format!("cp{}", pair().gil.replace('.', ""));
    format!("{version}-{version}-PLATFORM")
}

/// The `PATH` with or without uv.
fn path(installer: Installer) -> OsString {
    let users = crate::support::path();
    let has_uv = |folder: &Path| folder.join("uv").is_file();
    let tools = users_cache().join("ftbench/tools/bin");
    let without = std::env::split_paths(&users).filter(|folder| !has_uv(folder));
    match installer {
        Installer::Pip => std::env::join_paths(without).unwrap(),
        Installer::Uv => {
            let mut folders = std::env::split_paths(&users).chain([tools]);
            let uv = folders.find(|folder| has_uv(folder));
            let uv = uv.unwrap_or_else(|| panic!("these tests need uv; scripts/set-up.sh tools installs it"));
            std::env::join_paths([uv].into_iter().chain(without)).unwrap()
        }
    }
}
