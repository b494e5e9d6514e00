#![allow(clippy::unwrap_used, clippy::expect_used)]

use sha2::{Digest, Sha256};

use super::*;
use ftbench_fixtures::{records, summaries};
use ftbench_schema::{CalibrationFailure, CellStatus, Manifest, Summary, TrialStatus};

fn manifest(summary: &Summary) -> Manifest {
    Manifest {
        command_line: ["ftbench", "run", "n*"].map(str::to_owned).to_vec(),
        machine: summary.machine.clone(),
        interpreters: summary.interpreters.clone(),
        workloads: summary.workloads.clone(),
        arms: summary.arms.clone(),
        environment: [("PATH".to_owned(), "</script>".to_owned())].into(),
        ..records::manifest(&[])
    }
}

fn page(summary: &Summary) -> String {
    html(Report {
        summary,
        manifest: &manifest(summary),
        samples: &SamplesByCell::default(),
    })
    .unwrap()
}

#[test]
fn every_summary_makes_a_page() {
    for summary in [
        summaries::two_cores(),
        summaries::suite(),
        summaries::with_ceiling(),
        summaries::many_cores(),
        summaries::with_arms(),
        summaries::without_figures(),
        summaries::hostile(),
    ] {
        let page = page(&summary);
        assert!(page.contains("</html>"));
        for nothing in ["{{", "{%", "undefined", "NaN", "None"] {
            let (before_script, _) = page.split_once("<script").unwrap();
            let (_, words) = before_script.split_once("</style>").unwrap();
            assert!(!words.contains(nothing), "{nothing}");
        }
    }
}

#[test]
fn a_run_without_cells_says_so() {
    let mut summary = summaries::two_cores();
    summary.cells.clear();
    let page = page(&summary);
    assert!(page.contains("No cell was tried") && !page.contains("class=\"chart\""));
}

#[test]
fn the_policy_allows_this_style_and_this_script_and_nothing_else() {
    use base64::Engine;
    let page = page(&summaries::hostile());
    let between = |begin: &str, end: &str| {
        let (_, after) = page.split_once(begin).unwrap();
        after.split_once(end).unwrap().0.to_owned()
    };
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    let unescaped = policy
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#x2f;", "/");
    assert_eq!(
        unescaped,
        format!(
            "default-src 'none'; style-src 'sha256-{}'; font-src data:; script-src 'sha256-{}'; base-uri 'none'; \
             form-action 'none'",
            hash(&between("<style>", "</style>")),
            hash(&between("<script>", "</script>"))
        )
    );
    // One element of ours, whatever names say.
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    // The font is a part of the page.
    let page = page.replace("url(data:font/otf;base64,", "");
    for gone in [" style=\"", "<img", "<link", "url(", "@import", " onclick"] {
        assert!(!page.contains(gone), "{gone}");
    }
}

#[test]
fn failures_keep_their_tracebacks() {
    let summary = summaries::without_figures();
    let page = page(&summary);
    assert!(page.contains("<h3>ZeroDivisionError: division by zero</h3>"));
    assert!(page.contains("return 1 &#x2f; 0") || page.contains("return 1 / 0"));
    assert!(page.contains("serial has one worker only"));
    assert!(
        summary
            .cells
            .iter()
            .any(|cell| cell.status == CellStatus::Skipped)
    );
}

#[test]
fn a_workloads_description_has_links_to_pages_only() {
    let mut summary = summaries::two_cores();
    let mut facts = records::workload("fib");
    facts.source = "https://example.org/a?b=1&c=<d> or javascript:alert(1)".to_owned();
    facts.shows = "what threads gain".to_owned();
    facts.failure = Some(CalibrationFailure {
        status: TrialStatus::Failed,
        reason: "none".to_owned(),
        output_tail: None,
    });
    summary.workloads = vec![facts];
    let page = page(&summary);
    assert!(page.contains("what threads gain"));
    let addresses: Vec<&str> = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(addresses.iter().any(|address| address.starts_with("https:")));
    assert!(
        addresses
            .iter()
            .all(|address| address.starts_with('#') || address.starts_with("https:"))
    );
}

#[test]
fn arms_come_first_and_are_named_everywhere() {
    let page = page(&summaries::with_arms());
    let (_, found) = page.split_once("What was found").unwrap();
    let place = |words: &str| found.find(words).unwrap();
    assert!(place("new on 3.13") < place("threads on 3.13 base"));
    assert!(place("1.08x as fast as base [1.05, 1.11], serial") < place("Every comparison of arms"));
    for words in ["with changes", "new (commit 0123456789", "3.13 new threads"] {
        assert!(page.contains(words), "{words}");
    }
}
