//! A headless browser, driven through chromedriver.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// Set by contributors who have no browser. CI must not set it, because a skipped test proves nothing.
const SKIP: &str = "FTBENCH_SKIP_BROWSER_TESTS";

/// The names under which distributions install chromedriver and the browser.
const DRIVERS: [&str; 2] = ["chromedriver", "chromium.chromedriver"];
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// A window's size, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub height: u32,
}

pub const DESKTOP: Window = Window {
    width: 1280,
    height: 900,
};
pub const PHONE: Window = Window {
    width: 390,
    height: 844,
};

/// A browser with one page, closed when it is dropped.
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

/// A command of chromedriver that the WebDriver standard does not have.
#[derive(Debug)]
struct ChromeCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// The first of these programs that is installed.
fn installed(names: &[&str]) -> Option<String> {
    let starts = |name: &&&str| {
        let status = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    names.iter().find(starts).map(|name| (*name).to_owned())
}

/// Opens a page in a new browser. Returns `None` when [`SKIP`] is set; without it, a missing browser fails the test.
pub async fn open(page: &Path, window: Window) -> Option<Browser> {
    if std::env::var_os(SKIP).is_some() {
        println!("skipped: {SKIP} is set");
        return None;
    }
    let (Some(driver), Some(browser)) = (installed(&DRIVERS), installed(&BROWSERS)) else {
        panic!(
            "these tests need Chromium and chromedriver (Debian: chromium and chromium-driver). `make test` installs \
             them; without them set {SKIP}=1 and leave the tests to CI"
        )
    };
    let profile = tempfile::tempdir().unwrap();
    let mut driver = Command::new(driver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let port = port_of(&mut driver);
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        // An element is scrolled into view before it is clicked, which should not take time.
        "--force-prefers-reduced-motion",
        &format!("--user-data-dir={}", profile.path().display()),
    ];
    let capabilities = json!({
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "goog:chromeOptions": {"args": arguments, "binary": path_of(&browser)},
    });
    let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(capabilities.as_object().unwrap().clone())
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .unwrap();
    let browser = Browser {
        client,
        driver,
        _profile: profile,
    };
    browser
        .chrome(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": window.width, "height": window.height, "deviceScaleFactor": 1, "mobile": window.width < 600}),
        )
        .await;
    // The browser's own first page makes many requests. From here on the logs are those of the report.
    browser.client.goto("about:blank").await.unwrap();
    browser.requests().await;
    browser.console().await;
    let address = Url::from_file_path(page).unwrap();
    browser.client.goto(address.as_str()).await.unwrap();
    Some(browser)
}

/// The port that chromedriver chose, as it prints it.
fn port_of(driver: &mut Child) -> u16 {
    let output = BufReader::new(driver.stdout.take().unwrap());
    let line = output
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("successfully on port"));
    let line = line.unwrap_or_else(|| panic!("chromedriver did not start"));
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn path_of(program: &str) -> String {
    let paths = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&paths).map(|folder| folder.join(program));
    let path = found.find(|path| path.is_file()).unwrap();
    path.to_str().unwrap().to_owned()
}

impl Browser {
    /// Runs a script in the page and returns its value.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Sends a command of Chrome's own protocol (<https://chromedevtools.github.io/devtools-protocol/>).
    pub async fn chrome(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        let command = ChromeCommand {
            path: "goog/cdp/execute",
            body,
        };
        self.client.issue_cmd(command).await.unwrap()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let command = ChromeCommand {
            path: "se/log",
            body: json!({"type": kind}),
        };
        let entries = self.client.issue_cmd(command).await.unwrap();
        entries.as_array().unwrap().clone()
    }

    /// The messages that the page wrote to the console since the last call, with errors and violations of its policy.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses of all requests since the last call, that of the page included.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let address = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let sent = event["message"]["method"] == "Network.requestWillBeSent";
            let address = event["message"]["params"]["request"]["url"].as_str()?;
            sent.then(|| address.to_owned())
        };
        entries.iter().filter_map(address).collect()
    }

    /// Clicks the first element that a selector finds.
    pub async fn click(&self, selector: &str) {
        let found = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = found.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.click().await.unwrap();
    }

    /// Types into the first element that a selector finds.
    pub async fn keys(&self, selector: &str, keys: &str) {
        let found = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = found.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.send_keys(keys).await.unwrap();
    }

    /// Presses a key on the element with the focus.
    pub async fn press(&self, key: fantoccini::key::Key) {
        let element = self.client.active_element().await.unwrap();
        element.send_keys(&String::from(char::from(key))).await.unwrap();
    }

    /// Prints the page as PDF.
    pub async fn print(&self) -> Vec<u8> {
        let paper = fantoccini::wd::PrintConfiguration::builder().build().unwrap();
        self.client.print(paper).await.unwrap()
    }

    pub async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
