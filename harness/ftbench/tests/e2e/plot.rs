//! `ftbench plot` on the run of the golden pictures.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use resvg::tiny_skia::Pixmap;
use tempfile::TempDir;

use crate::support::paths::{package, two_cores};
use crate::support::{FTBENCH, executable, pair};

/// A copy of the run, for charts to be written into.
struct Run {
    folder: TempDir,
}

impl Run {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let source = two_cores();
        let run = Self { folder };
        std::fs::create_dir(run.path()).unwrap();
        for name in ["run.json", "trials.jsonl"] {
            std::fs::copy(source.join(name), run.path().join(name)).unwrap();
        }
        run
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn plot(&self, words: &[&str]) -> Command {
        let mut command = Command::cargo_bin("ftbench").unwrap();
        command.arg("plot").arg(self.path()).args(words);
        command
    }

    fn refused(&self, words: &[&str]) -> String {
        let output = self.plot(words).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn a_chart_goes_into_the_run_and_its_path_is_printed() {
    let run = Run::new();
    let output = run
        .plot(&["--workload", "fib", "--chart", "memory", "--theme", "dark"])
        .assert()
        .success()
        .get_output()
        .clone();
    let printed = String::from_utf8(output.stdout).unwrap();
    let path = run.path().join("charts/fib-memory-dark.svg");
    assert_eq!(printed.trim_end(), path.display().to_string());
    assert!(std::fs::read_to_string(path).unwrap().starts_with("<svg "));
}

impl Run {
    /// What `ftbench plot --show` prints into a pipe.
    fn shown(&self, words: &[&str]) -> String {
        let mut command = self.plot(&["--workload", "fib"]);
        let output = command.args(words).assert().success().get_output().clone();
        assert!(!self.path().join("charts").exists(), "a file was written");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Whether a text has dots of braille.
fn has_dots(text: &str) -> bool {
    text.contains(|character| ('\u{2801}'..='\u{28ff}').contains(&character))
}

#[test]
fn chart_is_shown_in_braille_in_a_pipe() {
    let shown = Run::new().shown(&["--show"]);
    assert!(has_dots(&shown) && shown.contains("Speedup"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn chart_is_shown_by_the_protocol_asked_for() {
    let run = Run::new();
    for (how, begins, ends) in [
        ("--show=sixel", "\u{1b}P0;1q\"1;1;960;600#0;2;", "-\u{1b}\\\n"),
        (
            "--show=kitty",
            "\u{1b}_Ga=T,f=100,q=2,m=1;iVBORw0KGgo",
            "\u{1b}\\\n",
        ),
        ("--show=iterm2", "\u{1b}]1337;File=inline=1;size=", "\u{7}\n"),
    ] {
        let shown = run.shown(&[how]);
        assert!(shown.starts_with(begins), "{how}: {:?}", &shown[..80]);
        assert!(shown.ends_with(ends), "{how}");
    }
    let error = run.refused(&["--show=sixle"]);
    assert!(error.contains("sixel"), "{error}");
    let error = run.refused(&["--show", "--out", "fib.svg"]);
    assert!(error.contains("--out"), "{error}");
}

/// What is printed on a terminal that answers so when it is asked for its attributes.
fn on_a_terminal(run: &Run, variables: &[(&str, &str)], answer: &str) -> String {
    let mut command = Command::new(executable(&pair().gil));
    command
        .arg(package().join("tests/e2e/answering.py"))
        .args([answer, FTBENCH, "plot"])
        .arg(run.path())
        .args(["--workload", "fib", "--show"])
        .env_clear()
        .env("TERM", "xterm-256color")
        .envs(variables.iter().copied());
    let output = command.assert().success().get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn terminal_is_asked_whether_it_has_sixel() {
    let run = Run::new();
    let with = on_a_terminal(&run, &[], "\u{1b}[?63;1;2;4;6c");
    assert!(with.starts_with("\u{1b}[c\u{1b}P0;1q"), "{with:?}");
    let without = on_a_terminal(&run, &[], "\u{1b}[?62;1;2c");
    assert!(
        without.starts_with("\u{1b}[c") && has_dots(&without),
        "{without:?}"
    );
}

#[test]
fn terminal_without_an_answer_gets_braille() {
    let silent = on_a_terminal(&Run::new(), &[], "");
    assert!(silent.starts_with("\u{1b}[c") && has_dots(&silent), "{silent:?}");
}

#[test]
fn terminal_that_is_known_or_plain_is_not_asked() {
    let run = Run::new();
    let kitty = on_a_terminal(&run, &[("TERM", "xterm-kitty")], "");
    assert!(kitty.starts_with("\u{1b}_Ga=T,f=100,q=2,m=1;"), "{kitty:?}");
    for variable in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        let plain = on_a_terminal(&run, &[variable], "");
        assert!(
            has_dots(&plain) && !plain.contains('\u{1b}'),
            "{variable:?}: {plain:?}"
        );
    }
}

#[test]
fn every_workload_that_matches_gets_a_chart() {
    let run = Run::new();
    run.plot(&["--workload", "{fib,nbody}"]).assert().success();
    let mut names: Vec<String> = std::fs::read_dir(run.path().join("charts"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["fib-scaling.svg", "nbody-scaling.svg"]);
    let error = run.refused(&["--out", "one.svg"]);
    assert!(
        error.contains("3 workloads would be drawn into one file"),
        "{error}"
    );
}

#[test]
fn a_png_has_the_pixels_asked_for_and_goes_to_standard_output() {
    let run = Run::new();
    let output = run
        .plot(&[
            "--chart", "heat-map", "--size", "1280x720", "--format", "png", "--out", "-",
        ])
        .assert()
        .success()
        .get_output()
        .clone();
    let picture = Pixmap::decode_png(&output.stdout).unwrap();
    assert_eq!((picture.width(), picture.height()), (1280, 720));
}

#[test]
fn title_and_labels_can_be_set() {
    let run = Run::new();
    let output = run
        .plot(&[
            "--workload",
            "fib",
            "--title",
            "Mine & yours",
            "--x-label",
            "Cores",
            "--y-label",
            "Gain",
            "--out",
            "-",
        ])
        .assert()
        .success()
        .get_output()
        .clone();
    let drawn = String::from_utf8(output.stdout).unwrap();
    for words in ["Mine &amp; yours", "Cores", "Gain"] {
        assert!(drawn.contains(words), "{words}");
    }
    let error = run.refused(&["--chart", "heat-map", "--x-label", "Cores"]);
    assert!(error.contains("no horizontal axis"), "{error}");
}

#[test]
fn two_runs_are_distinguished_in_one_chart() {
    let (one, other) = (Run::new(), Run::new());
    let text = std::fs::read_to_string(other.path().join("run.json")).unwrap();
    let text = text.replace("\"hostname\": \"two-cores\"", "\"hostname\": \"elsewhere\"");
    std::fs::write(other.path().join("run.json"), text).unwrap();
    let second = format!("{}#3.13t", other.path().display());
    let output = one
        .plot(&[
            &second,
            "--workload",
            "fib",
            "--chart",
            "interpreters",
            "--out",
            "-",
        ])
        .assert()
        .success()
        .get_output()
        .clone();
    let drawn = String::from_utf8(output.stdout).unwrap();
    assert!(
        drawn.contains("3.13t elsewhere") && drawn.contains("3.13t two-cores"),
        "{drawn}"
    );
    assert!(!drawn.contains("3.13 elsewhere"));
    let error = one.refused(&[&second, "--chart", "time-line"]);
    assert!(error.contains("only one run"), "{error}");
}

#[test]
fn misspelt_values_get_a_suggestion() {
    let run = Run::new();
    let error = run.refused(&["--workload", "fibb"]);
    assert!(error.contains("did you mean 'fib'?"), "{error}");
    let error = run.refused(&["--chart", "heatmap"]);
    assert!(error.contains("'heat-map'"), "{error}");
    let error = run.refused(&["--workload", "fib", "--size", "100x100"]);
    assert!(
        error.contains("480x300 or more") && error.lines().count() <= 2,
        "{error}"
    );
    let error = run.refused(&["--workload", "fib", "--size", "99999x99999"]);
    assert!(error.contains("too large"), "{error}");
    let error = run.refused(&["--size", "large"]);
    assert!(error.contains("1920x1080"), "{error}");
}

#[test]
fn a_model_that_was_not_measured_is_refused() {
    let run = Run::new();
    for words in [
        ["-m", "interpreters", "--chart", "gil"],
        ["-m", "interpreters", "--workload", "fib"],
    ] {
        let error = run.refused(&words);
        assert!(
            error.contains("measured no cells of the model interpreters; it has serial, threads, processes"),
            "{error}"
        );
    }
    assert!(!run.path().join("charts").exists());
}

#[test]
fn an_unknown_file_extension_is_refused() {
    let run = Run::new();
    let file = |name: &str| run.folder.path().join(name).display().to_string();
    let of_fib = |name: &str, more: &[&str]| {
        let name = file(name);
        let mut words = vec!["--workload", "fib", "--out", &name];
        words.extend(more);
        run.plot(&words)
    };
    for name in ["chart.pdf", "chart.jpg"] {
        let output = of_fib(name, &[]).assert().code(2).get_output().clone();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("is neither an .svg nor a .png file"), "{error}");
        assert!(!Path::new(&file(name)).exists());
    }
    let taken: [(&str, &[&str], &[u8]); 4] = [
        ("chart", &[], b"<svg"),
        ("chart.SVG", &[], b"<svg"),
        ("chart.Png", &[], b"\x89PNG"),
        ("chart.image", &["--format", "png"], b"\x89PNG"),
    ];
    for (name, more, beginning) in taken {
        of_fib(name, more).assert().success();
        assert!(
            std::fs::read(file(name)).unwrap().starts_with(beginning),
            "{name}"
        );
    }
}
