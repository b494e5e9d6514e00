//! The library of an interpreter, and how to link a program with it. Pure.

use serde::Deserialize;

use ftbench_schema::Linked;

/// The marker in front of the answer on its line.
const MARK: &str = "ftbench-library ";

/// What a build of native code needs to know about an interpreter; `library.py` reports it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Library {
    /// The interpreter's executable.
    pub executable: String,
    /// Version, build date and compiler, as in `sys.version`.
    pub version_text: String,
    /// Major and minor version.
    pub minor_version: [u32; 2],
    /// The number of bits of a pointer.
    pub pointer_width: u32,
    /// Whether the build can run without the GIL.
    pub free_threaded: bool,
    /// Whether it is a debug build.
    pub debug: bool,
    /// The suffix of extension modules, such as `.cpython-313-x86_64-linux-gnu.so`.
    pub extension_suffix: String,
    /// The static library, if there is one.
    pub archive: Option<String>,
    /// The shared library, if there is one.
    pub shared_library: Option<String>,
    /// The folder for a shared library.
    pub searched: Option<String>,
    /// The further linker arguments of the interpreter's own executable.
    pub link_words: Vec<String>,
}

/// How a program that embeds an interpreter is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linking {
    /// Whether with the static or the shared library.
    pub linked: Linked,
    /// The linker arguments, in order.
    pub words: Vec<String>,
}

impl Library {
    /// Finds and parses the answer in the interpreter's output.
    #[must_use]
    pub fn parse(output: &str) -> Option<Self> {
        let answer = output.lines().find_map(|line| line.strip_prefix(MARK))?;
        serde_json::from_str(answer).ok()
    }

    /// Chooses how to link a program with it: like the interpreter's own executable, or else the other way; `None` if
    /// there is no library. A shared library costs speed, so programs that are compared must be linked alike.
    #[must_use]
    pub fn linking(&self, executable_is_shared: bool) -> Option<Linking> {
        if executable_is_shared {
            self.shared().or_else(|| self.statically())
        } else {
            self.statically().or_else(|| self.shared())
        }
    }

    /// Links the whole archive, because extension modules loaded later look for its symbols in the program.
    fn statically(&self) -> Option<Linking> {
        let archive = self.archive.clone()?;
        let whole = [
            "-Wl,--whole-archive".to_owned(),
            archive,
            "-Wl,--no-whole-archive".to_owned(),
            "-rdynamic".to_owned(),
        ];
        Some(Linking {
            linked: Linked::Static,
            words: whole.into_iter().chain(self.link_words.iter().cloned()).collect(),
        })
    }

    fn shared(&self) -> Option<Linking> {
        let library = self.shared_library.clone()?;
        let folder = library.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let run_path = format!("-Wl,-rpath,{folder}");
        Some(Linking {
            linked: Linked::Shared,
            words: vec![library, run_path],
        })
    }

    /// PyO3's configuration file for this interpreter, with which PyO3 itself does not link anything
    /// (<https://pyo3.rs/v0.28.3/building-and-distribution#advanced-config-files>).
    #[must_use]
    pub fn pyo3_configuration(&self, linked: Linked) -> String {
        let [major, minor] = self.minor_version;
        let flags = [
            (self.free_threaded, "Py_GIL_DISABLED"),
            (self.debug, "Py_DEBUG,Py_REF_DEBUG"),
        ];
        let flags: Vec<&str> = flags
            .into_iter()
            .filter_map(|(is_set, flag)| is_set.then_some(flag))
            .collect();
        format!(
            "implementation=CPython\nversion={major}.{minor}\nshared={}\nabi3=false\nexecutable={}\npointer_width={}\n\
             build_flags={}\nsuppress_build_script_link_lines=true\n",
            linked == Linked::Shared,
            self.executable,
            self.pointer_width,
            flags.join(",")
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub fn library() -> Library {
        let answer = r#"
ftbench-library {"executable": "/python/bin/python3.13t", "version_text": "3.13.15 (main)", "minor_version": [3, 13],
 "pointer_width": 64, "free_threaded": true, "debug": false, "extension_suffix": ".cpython-313t-x86_64-linux-gnu.so",
 "archive": "/python/lib/libpython3.13t.a", "shared_library": null, "searched": "/python/lib",
 "link_words": ["-Xlinker", "-export-dynamic", "-ldl", "-lm"]}"#;
        let one_line = answer.trim().replace('\n', "");
        Library::parse(&format!("noise of a sitecustomize\n{one_line}\n")).unwrap()
    }

    #[test]
    fn a_static_library_is_linked_whole() {
        let linking = library().linking(false).unwrap();
        assert_eq!(linking.linked, Linked::Static);
        assert_eq!(
            linking.words.join(" "),
            "-Wl,--whole-archive /python/lib/libpython3.13t.a -Wl,--no-whole-archive -rdynamic -Xlinker \
             -export-dynamic -ldl -lm"
        );
    }

    #[test]
    fn a_program_is_linked_like_the_interpreters_own_if_possible() {
        let both = Library {
            shared_library: Some("/python/lib/libpython3.13t.so.1.0".to_owned()),
            ..library()
        };
        let shared = both.linking(true).unwrap();
        assert_eq!(shared.linked, Linked::Shared);
        assert_eq!(
            shared.words,
            ["/python/lib/libpython3.13t.so.1.0", "-Wl,-rpath,/python/lib"]
        );
        assert_eq!(both.linking(false).unwrap().linked, Linked::Static);
        assert_eq!(library().linking(true).unwrap().linked, Linked::Static);
        let neither = Library {
            archive: None,
            ..library()
        };
        assert_eq!(neither.linking(false), None);
    }

    #[test]
    fn pyo3_configuration_describes_the_build() {
        insta::assert_snapshot!(library().pyo3_configuration(Linked::Static), @r"
        implementation=CPython
        version=3.13
        shared=false
        abi3=false
        executable=/python/bin/python3.13t
        pointer_width=64
        build_flags=Py_GIL_DISABLED
        suppress_build_script_link_lines=true
        ");
    }

    #[test]
    fn other_output_is_not_an_answer() {
        assert_eq!(Library::parse("ftbench-library {}\n"), None);
        assert_eq!(Library::parse("Python 3.13"), None);
    }
}
