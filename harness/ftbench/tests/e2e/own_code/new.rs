//! `ftbench workloads new` and `ftbench workloads list`.

use crate::support::{Sandbox, pair};

#[test]
fn the_template_runs_unchanged_on_both_builds() {
    let sandbox = Sandbox::new();
    let written = sandbox.ftbench("workloads new mine");
    written.exits_with(0);
    assert_eq!(written.stdout, "mine.py\n");
    written.stderr_has(&["ftbench run mine.py --profile quick"]);
    let words = format!(
        "mine.py -p {} -m serial,threads,processes -n 1 --rounds 1 --samples 1",
        pair().words()
    );
    let run = sandbox.run("out", &words, 0);
    run.all_ok("mine");
    let trials = run.trials();
    for sample in trials.iter().flat_map(|trial| &trial.samples) {
        let words = sample.reported.get("words").copied().unwrap_or_default();
        assert!(words >= 9000.0, "{words}");
    }
}

#[test]
fn nothing_is_overwritten_and_missing_folders_are_named() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("there.py", "mine");
    for (words, expected) in [
        ("there", "cannot write there.py: it already exists"),
        ("there.py", "give another name"),
        ("no/where", "its folder does not exist"),
        ("..", "it is a folder"),
    ] {
        sandbox
            .ftbench(&format!("workloads new {words}"))
            .refuses(&[expected], 2);
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
    sandbox.ftbench("workloads new v1.2").exits_with(0);
    assert!(sandbox.path().join("v1.2.py").is_file());
}

#[test]
fn lists_can_be_filtered_and_have_all_metadata() {
    let sandbox = Sandbox::new();
    let mine = sandbox.file(
        "mine.py",
        "# /// script\n# dependencies = [\"numpy>=2\"]\n# [tool.ftbench]\n# summary = \"Mine\"\n# shows = \"It shows\"\n\
         # source = \"A book\"\n# [tool.ftbench.cases]\n# one = \"The one\"\n# ///\n",
    );
    let output = sandbox.ftbench(&format!("workloads list {mine} cpu/fib --format json"));
    output.exits_with(0);
    let list = output.json();
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["mine.one", "fib"]);
    let first = &list[0];
    for (key, value) in [
        ("case", "one"),
        ("summary", "The one"),
        ("shows", "It shows"),
        ("source", "A book"),
    ] {
        assert_eq!(first[key], value);
    }
    assert_eq!(first["dependencies"], serde_json::json!(["numpy>=2"]));
    let fault = first["fault"].as_str().unwrap();
    assert!(fault.starts_with("mine.py defines no function 'work'"), "{fault}");
    let table = sandbox.ftbench(&format!("workloads list {mine}"));
    assert!(
        table.stdout.contains("numpy>=2") && table.stdout.contains("The one"),
        "{}",
        table.stdout
    );
    assert!(!table.stdout.contains("It shows"), "{}", table.stdout);
    let long = sandbox.ftbench(&format!("workloads list {mine} -v"));
    assert!(
        long.stdout.contains("It shows") && long.stdout.contains("A book"),
        "{}",
        long.stdout
    );
    let all = sandbox.ftbench("workloads list cpu/* --format json");
    assert!(
        all.json()
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["path"].as_str().unwrap().contains("/cpu/"))
    );
    for command in ["workloads list cpu", "run cpu --dry-run"] {
        sandbox
            .ftbench(command)
            .refuses(&["no workload is called 'cpu'", "did you mean 'cpu/*'?"], 2);
    }
}
