//! Invalid words on the command line.

use super::GOOD;
use crate::support::{Sandbox, allowed_pus, pair};

#[test]
fn unknown_names_are_refused_with_the_nearest_match() {
    let sandbox = Sandbox::sharing_the_machine();
    let gil = pair().gil.as_str();
    let cases: [(&str, &[&str]); 11] = [
        (
            "run fibb",
            &["'fibb'", "did you mean 'fib'?", "ftbench workloads list"],
        ),
        ("run fib http-fetch", &["'http-fetch'", "'http_fetch'"]),
        ("run zz*", &["'zz*'", "ftbench workloads list"]),
        ("run [ fib", &["the pattern '[' is malformed"]),
        ("workloads show nbodi", &["'nbodi'", "'nbody'"]),
        ("run fib -p 3.8", &["'3.8' is too old", "3.9 and newer"]),
        (
            "run fib -p 3.12t",
            &[
                "3.12t does not exist",
                "free-threaded builds from 3.13 on",
                "ask for 3.12,",
                "'ftbench python install'",
            ],
        ),
        (
            "run fib -p snake",
            &["'snake' is not an interpreter tag", "similar ones here: ", gil],
        ),
        ("run fib --pin core", &["'core'", "cores, scatter, smt, none"]),
        ("run fib --pin 0,99999", &["0,99999", "99999"]),
        ("run fib --pin 60000", &["no PU 60000", "ftbench topology"]),
    ];
    for (words, expected) in cases {
        println!("{words}");
        sandbox.ftbench(words).refuses(expected, 2);
    }
    let missing = sandbox.ftbench("run fib -p 3.99");
    let expected = [
        "3.99",
        "similar ones here: ",
        gil,
        "up to 3.16",
        "ftbench python list",
    ];
    missing.fails(1, &expected, 2);
    let missing = sandbox.ftbench("run fib -p ./missing");
    missing.fails(1, &["/missing does not start", "no such file"], 2);
    // clap suggests the nearest value on a line of its own.
    let model = sandbox.ftbench("run fib -m thread");
    model.refuses(&["'thread'", "'threads'"], 2);
    let left = std::fs::read_dir(sandbox.path()).unwrap().count();
    assert_eq!(left, 0, "a folder is left behind");
}

#[test]
fn ftbench_alone_says_what_to_do_first() {
    let output = Sandbox::sharing_the_machine().ftbench("");
    output.exits_with(2);
    assert!(output.stdout.contains("ftbench run fib") && output.stdout.lines().count() <= 10);
}

#[test]
fn values_out_of_range_are_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    for (option, value) in [
        ("--rounds", "0"),
        ("--rounds", "many"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--seed", "-1"),
        ("--profile", "fast"),
        ("--scaling", "up"),
        ("--pin", "0,0"),
        ("-n", "0"),
        ("-n", "2-1"),
        ("-n", "1,,2"),
        ("--format", "xml"),
    ] {
        println!("{option} {value}");
        let output = sandbox.ftbench(&format!("run fib {option}={value}"));
        output.refuses(&[value], 3);
    }
}

#[test]
fn more_workers_than_pus_are_refused_with_the_limit_and_its_reason() {
    let sandbox = Sandbox::sharing_the_machine();
    let too_many = allowed_pus().len() + 62;
    let output = sandbox.ftbench(&format!("run fib -n {too_many}"));
    output.refuses(
        &[&format!("{too_many} workers"), "ask for at most ", "--pin none"],
        2,
    );
    let reasons = ["cpuset and affinity mask allow", "quota"];
    let explained = reasons.iter().any(|reason| output.stderr.contains(reason));
    assert!(explained, "{}", output.stderr);
}

#[test]
fn unpinned_workers_may_outnumber_the_pus() {
    let sandbox = Sandbox::sharing_the_machine();
    let many = allowed_pus().len() + 2;
    let words = format!("-m threads,processes -n {many} --pin none --rounds 1");
    let run = super::run(&sandbox, &[("good", GOOD.as_bytes())], &words, 0);
    run.all_ok("good");
    let widest = run.trials().iter().map(|trial| trial.workers.len()).max();
    assert_eq!(widest, Some(many));
}
