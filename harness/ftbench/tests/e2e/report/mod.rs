//! `ftbench report` in a real browser: its controls work, hostile names do nothing, and the page makes no requests.

mod browser;
mod fixture;

use std::path::PathBuf;

use crate::support::{Sandbox, output_of};
use browser::{Browser, DESKTOP, PHONE, Window};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// Writes the report of the synthetic run into the sandbox and returns its path.
fn report(sandbox: &Sandbox) -> PathBuf {
    let folder = fixture::run_folder(sandbox.path());
    let mut command = sandbox.command("report");
    command.arg(&folder);
    let output = output_of(command);
    output.exits_with(0);
    assert_eq!(output.stdout, "");
    output.stderr_has(&["report.html"]);
    folder.join("report.html")
}

/// Opens a report, lets `act` use it, and checks what must hold afterwards in any case.
async fn with_report(window: Window, act: impl AsyncFnOnce(&Browser)) {
    let sandbox = Sandbox::new();
    let page = report(&sandbox);
    let Some(browser) = browser::open(&page, window).await else {
        return;
    };
    act(&browser).await;
    assert_eq!(
        browser.script("return window.broken").await,
        Value::Null,
        "a name was executed"
    );
    assert_eq!(browser.console().await, Vec::<String>::new());
    let requests = browser.requests().await;
    // The browser lists the font too, which is in the page.
    let is_own =
        |address: &String| address.ends_with("/report.html") || address.starts_with("data:font/otf;");
    let foreign: Vec<&String> = requests.iter().filter(|address| !is_own(address)).collect();
    assert!(!requests.is_empty() && foreign.is_empty(), "{foreign:?}");
    browser.close().await;
}

#[test]
fn desktop_opens_the_page_that_was_written() {
    let sandbox = Sandbox::sharing_the_machine();
    let folder = fixture::run_folder(sandbox.path());
    let open_with = |path: &str| {
        let mut command = sandbox.command("report --open");
        command.arg(&folder).env("PATH", path);
        output_of(command)
    };
    let programs = sandbox.path().join("programs");
    let path = format!("{}:/usr/bin:/bin", programs.display());
    sandbox.script("programs/xdg-open", "cp -- \"$1\" opened.html");
    open_with(&path).exits_with(0);
    let read = |page: PathBuf| std::fs::read_to_string(page).unwrap();
    let opened = read(sandbox.path().join("opened.html"));
    assert!(opened.starts_with("<!doctype html>"), "{}", &opened[..100]);
    assert_eq!(opened, read(folder.join("report.html")));

    sandbox.script("programs/xdg-open", "exit 4");
    let failed = open_with(&programs.display().to_string());
    failed.exits_with(3);
    failed.stderr_has(&["cannot open", "report.html", "in a browser yourself"]);

    let nothing = open_with(sandbox.path().join("empty").to_str().unwrap());
    nothing.exits_with(3);
    nothing.stderr_has(&["no program that opens pages was found", "report.html"]);
}

const CURVES: &str =
    "return document.querySelectorAll('.chart .picture:not([hidden]) .series:not(.off)').length";
/// The legend's button of the first series that the chosen picture shows.
const FIRST_SERIES: &str = "#w0 .legend li:not([hidden]) button";
const SHOWN_ROWS: &str =
    "return [...document.querySelectorAll('#cells tbody tr')].filter(row => !row.hidden).length";

/// A script for the numbers in a column of the table of all cells, in the order shown.
fn column(heading: &str) -> String {
    format!(
        "const table = document.getElementById('cells');
         const place = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.startsWith('{heading}'));
         return [...table.tBodies[0].rows].map(row => row.cells[place].dataset.v).filter(v => v !== undefined).map(Number);"
    )
}

#[tokio::test]
async fn series_can_be_switched_and_metrics_chosen() {
    with_report(DESKTOP, async |browser| {
        // Two workloads with four curves, and one whose threads failed.
        assert_eq!(browser.script(CURVES).await, 10);
        browser.click(FIRST_SERIES).await;
        assert_eq!(browser.script(CURVES).await, 9);
        let pressed = format!("return document.querySelector('{FIRST_SERIES}').getAttribute('aria-pressed')");
        assert_eq!(browser.script(&pressed).await, "false");
        browser.click(FIRST_SERIES).await;
        assert_eq!(browser.script(CURVES).await, 10);
        let title = "return document.querySelector('#w0 .picture:not([hidden]) svg').getAttribute('aria-label')";
        for (metric, words) in [
            ("efficiency", "Efficiency"),
            ("throughput", "Throughput"),
            ("makespan", "Makespan"),
            ("speedup", "Speedup"),
        ] {
            browser.click(&format!("#w0 .choice label:has([value={metric}])")).await;
            let shown = browser.script(title).await;
            assert!(shown.as_str().unwrap().starts_with(words), "{shown}");
        }
        let ideal = "return [...document.querySelectorAll('#w0 .picture:not([hidden]) text')].some(text => text.textContent === 'ideal')";
        assert_eq!(browser.script(ideal).await, true);
    })
    .await;
}

#[tokio::test]
async fn the_focus_stays_on_the_pressed_button() {
    with_report(DESKTOP, async |browser| {
        let focused = "return document.activeElement.textContent";
        for (place, words, curves) in [(2, "none", 6), (1, "all", 10)] {
            let button = format!("#w0 .legend-head button:nth-of-type({place})");
            browser
                .script(&format!("document.querySelector('{button}').focus()"))
                .await;
            browser.press(Key::Enter).await;
            assert_eq!(browser.script(CURVES).await, curves);
            assert_eq!(browser.script(focused).await, words);
        }
        browser
            .script(&format!("document.querySelector('{FIRST_SERIES}').focus()"))
            .await;
        let name = browser.script(focused).await;
        browser.press(Key::Enter).await;
        assert_eq!(browser.script(CURVES).await, 9);
        assert_eq!(browser.script(focused).await, name);
    })
    .await;
}

#[tokio::test]
async fn values_are_shown_to_pointer_and_keyboard() {
    with_report(DESKTOP, async |browser| {
        let tip = "return document.querySelector('#w0 .tip').hidden ? null : document.querySelector('#w0 .tip').textContent";
        assert_eq!(browser.script(tip).await, Value::Null);
        // One stop of the tab key for the whole chart.
        let stops = "return document.querySelectorAll('#w0 .plot [tabindex=\"0\"]').length";
        assert_eq!(browser.script(stops).await, 1);
        browser.script("document.querySelector('#w0 .plot [tabindex=\"0\"]').focus()").await;
        browser.press(Key::Right).await;
        let shown = browser.script(tip).await;
        let shown = shown.as_str().unwrap();
        assert!(shown.contains("at 2 workers") && shown.contains('['), "{shown}");
        let label = browser.script("return document.activeElement.getAttribute('aria-label')").await;
        let label = label.as_str().unwrap().to_owned();
        assert!(label.contains("2 workers: speedup") && label.contains('['), "{label}");
        browser.press(Key::Escape).await;
        assert_eq!(browser.script(tip).await, Value::Null);
        browser
            .script(
                "const point = document.querySelector('#w0 .plot .point:last-child');
                 const box = point.getBoundingClientRect();
                 const spot = {bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
                 point.ownerSVGElement.dispatchEvent(new PointerEvent('pointermove', spot));",
            )
            .await;
        assert!(browser.script(tip).await.as_str().unwrap().contains("at 8 workers"));
    })
    .await;
}

#[tokio::test]
async fn the_table_sorts_and_filters() {
    with_report(DESKTOP, async |browser| {
        let numbers = async || -> Vec<f64> {
            serde_json::from_value(browser.script(&column("Makespan")).await).unwrap()
        };
        let planned = numbers().await;
        let heading = "#cells thead th:nth-child(6) button";
        browser.click(heading).await;
        let ascending = numbers().await;
        assert!(ascending.is_sorted() && ascending != planned, "{ascending:?}");
        browser
            .script(&format!("document.querySelector('{heading}').focus()"))
            .await;
        browser.press(Key::Enter).await;
        let descending = numbers().await;
        assert!(descending.iter().rev().is_sorted(), "{descending:?}");
        let sort = "return document.querySelector('#cells thead th:nth-child(6)').getAttribute('aria-sort')";
        assert_eq!(browser.script(sort).await, "descending");
        browser.press(Key::Enter).await;
        assert_eq!(numbers().await, planned);

        let all = browser.script(SHOWN_ROWS).await;
        browser.keys("#filters input", "fib 3.13t").await;
        // One serial cell, and threads and processes at four numbers of workers each.
        assert_eq!(browser.script(SHOWN_ROWS).await, 9);
        browser
            .script(
                "const field = document.querySelector('#filters input');
                 field.value = '';
                 const status = document.querySelector('#filters select[name=status]');
                 status.value = 'failed';
                 status.dispatchEvent(new Event('input', {bubbles: true}));",
            )
            .await;
        assert_eq!(browser.script(SHOWN_ROWS).await, 8);
        let counted = browser
            .script("return document.querySelector('#filters output').textContent")
            .await;
        assert_eq!(counted, json!(format!("8 of {all} cells")));
    })
    .await;
}

#[tokio::test]
async fn hostile_names_are_shown_and_do_nothing() {
    with_report(DESKTOP, async |browser| {
        let shown = browser.script("return document.body.innerText").await;
        for name in [fixture::SCRIPT, "</script><script>", "onmouseover="] {
            assert!(shown.as_str().unwrap().contains(name), "{name} is not shown verbatim");
        }
        let page = "const foreign = document.querySelectorAll('img, iframe, object, embed, link, [onmouseover], [onfocus], [onerror]');
                    return foreign.length";
        assert_eq!(browser.script(page).await, 0);
        let links = "return [...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(a => !a.startsWith('#'))";
        let links: Vec<String> = serde_json::from_value(browser.script(links).await).unwrap();
        assert!(!links.is_empty());
        assert!(links.iter().all(|link| link == "https://example.org/paper"), "{links:?}");
        // The policy would block even a script that got into the page. The browser logs that to the console, which is
        // read here so that it is empty afterwards.
        browser
            .script("const script = document.createElement('script'); script.textContent = 'window.got_in = 1'; document.body.append(script)")
            .await;
        assert_eq!(browser.script("return window.got_in").await, Value::Null);
        assert_eq!(browser.console().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn everything_fits_on_a_phone() {
    with_report(PHONE, async |browser| {
        let widths = "return [document.documentElement.scrollWidth, innerWidth]";
        assert_eq!(browser.script(widths).await, json!([PHONE.width, PHONE.width]));
        assert_eq!(browser.script(CURVES).await, 10);
        let smallest = "return Math.min(...[...document.querySelectorAll('#w0 .picture:not([hidden]) text')]
            .map(text => text.getBoundingClientRect().height))";
        let smallest = browser.script(smallest).await.as_f64().unwrap();
        assert!(smallest >= 10.0, "letters {smallest} pixels high");
        browser.click(FIRST_SERIES).await;
        browser.click("#w0 .choice label:has([value=makespan])").await;
        // The table is wider than a phone and scrolls on its own. The driver considers a heading under the page's bar
        // to be in view.
        let heading = "#cells thead th:nth-child(6) button";
        let scroll = format!(
            "document.querySelector('{heading}').scrollIntoView({{block: 'center', inline: 'center'}})"
        );
        browser.script(&scroll).await;
        let numbers: Vec<f64> = serde_json::from_value(browser.script(&column("Makespan")).await).unwrap();
        assert!(!numbers.is_sorted());
        browser.click(heading).await;
        let numbers: Vec<f64> = serde_json::from_value(browser.script(&column("Makespan")).await).unwrap();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(browser.script(widths).await, json!([PHONE.width, PHONE.width]));
    })
    .await;
}

#[tokio::test]
async fn colours_follow_the_system_and_the_switch() {
    with_report(DESKTOP, async |browser| {
        let background = "return getComputedStyle(document.body).backgroundColor";
        let set = async |scheme: &str| {
            let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.chrome("Emulation.setEmulatedMedia", features).await;
            browser.script(background).await
        };
        let (light, dark) = (set("light").await, set("dark").await);
        assert_ne!(light, dark);
        browser.click("#theme button").await;
        assert_eq!(
            browser.script(background).await,
            light,
            "the switch takes precedence over the system"
        );
        browser.click("#theme button").await;
        set("light").await;
        assert_eq!(browser.script(background).await, dark);
    })
    .await;
}

#[tokio::test]
async fn a_printed_page_has_every_chart_and_is_light() {
    with_report(PHONE, async |browser| {
        browser
            .chrome(
                "Emulation.setEmulatedMedia",
                json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
            )
            .await;
        browser
            .script("document.querySelector('#w0 details.about').open = false")
            .await;
        let paper = browser.print().await;
        assert!(paper.starts_with(b"%PDF"));
        browser
            .chrome("Emulation.setEmulatedMedia", json!({"media": "print"}))
            .await;
        browser.script("dispatchEvent(new Event('beforeprint'))").await;
        let background = browser
            .script("return getComputedStyle(document.body).backgroundColor")
            .await;
        assert_eq!(background, "rgb(255, 255, 255)");
        let charts = "return [...document.querySelectorAll('.picture:not([hidden]) > svg, .strips > svg')]
            .map(svg => svg.getBoundingClientRect()).map(box => [Math.round(box.width), box.height > 100])";
        let charts = browser.script(charts).await;
        let charts = charts.as_array().unwrap();
        // A chart and a spread for each of three workloads.
        assert_eq!(charts.len(), 6);
        assert!(
            charts.iter().all(|chart| *chart == charts[0] && chart[1] == true),
            "{charts:?}"
        );
        let closed = "return document.querySelectorAll('details:not([open])').length";
        assert_eq!(browser.script(closed).await, 0);
        browser.script("dispatchEvent(new Event('afterprint'))").await;
        assert_eq!(
            browser
                .script("return document.querySelector('#w0 details.about').open")
                .await,
            false
        );
    })
    .await;
}

/// Chromium reports which fonts it loaded, and loads a font only when it is valid.
#[tokio::test]
async fn a_chart_embeds_its_fonts() {
    let sandbox = Sandbox::new();
    let folder = fixture::run_folder(sandbox.path());
    let mut command = sandbox.command("plot --chart heat-map --out chart.svg");
    command.arg(&folder);
    output_of(command).exits_with(0);
    let Some(browser) = browser::open(&sandbox.path().join("chart.svg"), DESKTOP).await else {
        return;
    };
    let fonts = "return document.fonts.ready.then(
        fonts => [...fonts].map(font => `${font.family} ${font.weight} ${font.status}`))";
    assert_eq!(
        browser.script(fonts).await,
        json!(["Inter normal loaded", "Inter bold loaded"])
    );
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn all_charts_of_a_report_share_one_font() {
    with_report(DESKTOP, async |browser| {
        let fonts = "return document.fonts.ready.then(fonts => [...fonts].map(font => `${font.family} ${font.status}`))";
        let fonts: Vec<String> = serde_json::from_value(browser.script(fonts).await).unwrap();
        assert!(
            !fonts.is_empty() && fonts.iter().all(|font| font == "Inter loaded"),
            "{fonts:?}"
        );
        let ids = "const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
                   return ids.length - new Set(ids).size";
        assert_eq!(browser.script(ids).await, 0);
    })
    .await;
}

#[test]
fn the_report_goes_to_the_file_given() {
    let sandbox = Sandbox::new();
    let folder = fixture::run_folder(sandbox.path());
    let mut command = sandbox.command("report --out pages/new.html -q");
    command.arg(&folder);
    let output = output_of(command);
    output.exits_with(0);
    assert_eq!(output.stderr, "");
    let page = std::fs::read_to_string(sandbox.path().join("pages/new.html")).unwrap();
    assert!(page.trim_start().starts_with("<!doctype html>"));
    assert!(!folder.join("report.html").exists());
}

#[test]
fn a_missing_run_is_refused_and_a_damaged_line_reported() {
    let sandbox = Sandbox::new();
    sandbox
        .ftbench("report nowhere")
        .refuses(&["nowhere", "ftbench run"], 2);
    let folder = fixture::run_folder(sandbox.path());
    std::fs::write(folder.join("trials.jsonl"), "{\"schema\":1}\n").unwrap();
    let mut command = sandbox.command("report");
    command.arg(&folder);
    let output = output_of(command);
    output.exits_with(0);
    output.stderr_has(&["trials.jsonl has 1 damaged line", "line 1"]);
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("1 damaged line"));
}
