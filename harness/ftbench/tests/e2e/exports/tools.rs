//! pyperf and asv, installed once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{CommandOutput, executable, output_of, pair, users_cache};

/// The pinned versions. Newer versions may have newer formats.
const REQUIREMENTS: [&str; 2] = ["pyperf==2.10.0", "asv==0.6.6"];

/// The Python of the virtual environment with the tools, which is made when it is missing.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let base = executable(&pair().gil);
        let folder = users_cache().join("ftbench/test-tools");
        std::fs::create_dir_all(&folder).unwrap();
        // Test programs may run at the same time.
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let wanted = format!("{}\n{}\n", base.display(), REQUIREMENTS.join("\n"));
        let stamp = folder.join("installed.txt");
        let python = folder.join("environment/bin/python");
        if std::fs::read_to_string(&stamp).ok().as_deref() != Some(wanted.as_str()) {
            let mut make = Command::new(base);
            make.args(["-m", "venv", "--clear"])
                .arg(folder.join("environment"));
            output_of(make).exits_with(0);
            let mut install = Command::new(&python);
            install
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(REQUIREMENTS);
            output_of(install).exits_with(0);
            // Written last, so that an interrupted installation is repeated.
            std::fs::write(&stamp, wanted).unwrap();
        }
        python
    })
}

/// Runs a module of the tools in a folder.
pub fn run(folder: &Path, words: &str) -> CommandOutput {
    let mut command = Command::new(python());
    command
        .arg("-m")
        .args(words.split_whitespace())
        .current_dir(folder)
        .env("PYTHONWARNINGS", "default");
    output_of(command)
}
