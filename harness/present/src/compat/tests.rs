use super::*;
use ftbench_analyse::compat::{changes as changes_between, judge};
use ftbench_schema::{Attempt, CompatBuild, ModuleImport, StressedCall};

fn import(module: &str, outcome: Outcome, reason: &str) -> ModuleImport {
    ModuleImport {
        module: module.to_owned(),
        attempt: Attempt {
            outcome,
            reason: reason.to_owned(),
            traceback: if reason.is_empty() {
                String::new()
            } else {
                format!("Traceback (most recent call last):\n  ...\n{reason}")
            },
        },
        gil_enabled_by: vec![],
        extensions: vec![],
        warnings: vec![],
    }
}

/// A server that requires an event loop without a wheel, and a parser.
fn server() -> Compat {
    let installed = |requires: &[&str], imports: Vec<ModuleImport>| PackageOnBuild {
        version: Some("1.0".to_owned()),
        requires: requires.iter().map(|&name| name.to_owned()).collect(),
        distribution: Distribution::IndependentWheel,
        is_installed: true,
        imports,
        ..PackageOnBuild::default()
    };
    let eventloop = PackageOnBuild {
        version: Some("0.22".to_owned()),
        distribution: Distribution::SourceOnly,
        ..PackageOnBuild::default()
    };
    let parser = PackageOnBuild {
        classifier: Some("2 - Beta".to_owned()),
        distribution: Distribution::BuildWheel,
        calls: vec![StressedCall {
            call: "parser.parse('<a>')".to_owned(),
            attempt: import("", Outcome::Works, "").attempt,
            threads: 4,
            calls: 1234,
            wrong_results: 0,
        }],
        ..installed(&[], vec![import("parser", Outcome::Works, "")])
    };
    let failed = import(
        "server",
        Outcome::Fails,
        "ModuleNotFoundError: No module named 'eventloop'",
    );
    let packages = [
        ("eventloop", &["server"][..], eventloop),
        ("parser", &["server"], parser),
        ("server", &[], installed(&["eventloop", "parser"], vec![failed])),
    ];
    let packages = packages.map(|(name, required_by, on)| CompatPackage {
        name: name.to_owned(),
        version: None,
        verdict: CompatVerdict::NotTried,
        reason: String::new(),
        blocked_by: None,
        is_requested: required_by.is_empty(),
        required_by: required_by.iter().map(|&name| name.to_owned()).collect(),
        tracker: (name == "eventloop").then(|| "https://example.org/issues".to_owned()),
        builds: [("3.14t".to_owned(), on)].into(),
    });
    let mut compat = Compat {
        schema_version: 1,
        ftbench: "0.2.0".to_owned(),
        started: "2026-11-30T12:00:00Z".to_owned(),
        platform: "linux x86_64".to_owned(),
        requested: vec!["server<2".to_owned()],
        builds: vec![CompatBuild {
            tag: "3.14t".to_owned(),
            version: "3.14.7".to_owned(),
            free_threaded: true,
        }],
        interrupted: false,
        verdict: CompatVerdict::NotTried,
        packages: packages.to_vec(),
    };
    judge(&mut compat);
    compat
}

#[test]
fn verdicts_have_their_names_in_json() {
    for verdict in CompatVerdict::ALL {
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(json, format!("\"{}\"", verdict.name()));
    }
    assert!(CompatVerdict::ALL.is_sorted());
}

#[test]
fn the_terminal_shows_tree_table_and_blockers() {
    insta::assert_snapshot!(terminal(&server(), Style::default()), @r#"
    1 of 3 packages blocks on 3.14t: eventloop; 1 not tried

    server 1.0  not tried (because of eventloop)
    ├── eventloop 0.22  no wheel
    └── parser 1.0

    package    version  3.14t             file       rests on               declares  required by
    eventloop  0.22     no wheel          source     the index                        server
    parser     1.0      no blocker found  wheel      1234 calls in threads  2 - Beta  server
    server     1.0      not tried         any build  1 import

    eventloop no wheel: 0.22 has no wheel for this build, only a source archive, and no other version
              has a wheel (report it at https://example.org/issues)
    "#);
}

#[test]
fn markdown_and_issues_say_what_blocks() {
    let compat = server();
    let markdown = markdown(&compat);
    assert!(
        markdown.starts_with("**1 of 3 packages blocks on 3.14t: eventloop"),
        "{markdown}"
    );
    assert!(
        markdown.contains("- **eventloop**: no wheel: 0.22 has no wheel"),
        "{markdown}"
    );
    insta::assert_snapshot!(issue(&compat, compat.packages.last().unwrap()), @r#"
    server on free-threaded CPython: not tried

    Tried with `ftbench compat` on linux x86_64:

    - CPython 3.14.7 (free-threaded build), 1.0: not tried (import server: ModuleNotFoundError: No module named 'eventloop')

    `server`: ModuleNotFoundError: No module named 'eventloop'

    ```text
    Traceback (most recent call last):
      ...
    ModuleNotFoundError: No module named 'eventloop'
    ```
    "#);
}

#[test]
fn the_page_and_the_badge_escape_what_packages_say() {
    let mut compat = server();
    for package in &mut compat.packages {
        package.tracker = Some("javascript:alert(1)".to_owned());
        for on in package.builds.values_mut() {
            on.reason = "<script>alert(1)</script>".to_owned();
        }
    }
    compat.builds.first_mut().unwrap().tag = "3.14t\"><script>".to_owned();
    let page = html(&compat).unwrap();
    assert!(
        !page.contains("<script>alert") && !page.contains("href=\"javascript"),
        "{page}"
    );
    let badge = badge(&compat);
    assert!(!badge.contains("<script>"), "{badge}");
    assert!(badge.contains("no wheel"), "{badge}");
}

#[test]
fn a_circle_of_requirements_is_drawn_once() {
    let mut compat = server();
    let parser = compat.packages.get_mut(1).unwrap();
    parser.builds.get_mut("3.14t").unwrap().requires = vec!["server".to_owned()];
    let text = tree(&compat, Style::default());
    assert_eq!(text.matches("── eventloop").count(), 1, "{text}");
    assert!(text.contains("server 1.0 (as above)"), "{text}");
}

#[test]
fn changes_are_coloured_by_their_direction() {
    let before = server();
    let mut after = server();
    after.packages.remove(1);
    let text = changes(&changes_between(&before, &after), Style::default());
    assert!(text.contains("parser") && text.contains("not required"), "{text}");
    assert_eq!(changes(&[], Style::default()), "nothing changed since then\n");
    let markdown = changes_markdown(&changes_between(&before, &after));
    assert!(
        markdown.contains("| parser | 3.14t | 1.0 no blocker found |"),
        "{markdown}"
    );
}
