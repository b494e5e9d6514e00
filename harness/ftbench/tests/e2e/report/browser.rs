//! A browser without a window, driven through chromedriver.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// Set by contributors who have no browser. CI must not set it: a test that is passed over shows nothing.
const SKIP: &str = "FTBENCH_SKIP_BROWSER_TESTS";

/// Names under which distributions install them.
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

/// A browser with one page; both end when it is dropped.
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

fn installed(names: &[&str]) -> Option<String> {
    let there = |name: &&&str| {
        let told = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        told.is_ok_and(|status| status.success())
    };
    names.iter().find(there).map(|name| (*name).to_owned())
}

/// Opens a page in a new browser; `None` where a contributor has said that there is none.
///
/// It has to be there otherwise: `make test` installs it.
pub async fn open(page: &Path, window: Window) -> Option<Browser> {
    if std::env::var_os(SKIP).is_some() {
        println!("nothing is shown here: {SKIP} is set");
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
        // What is clicked is brought into view first, and that should not take time.
        "--force-prefers-reduced-motion",
        &format!("--user-data-dir={}", profile.path().display()),
    ];
    let wanted = json!({
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "goog:chromeOptions": {"args": arguments, "binary": path_of(&browser)},
    });
    let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(wanted.as_object().unwrap().clone())
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
    // The browser's own first page asks for a lot; what is logged from here on is the report's.
    browser.client.goto("about:blank").await.unwrap();
    browser.requests().await;
    browser.console().await;
    let address = Url::from_file_path(page).unwrap();
    browser.client.goto(address.as_str()).await.unwrap();
    Some(browser)
}

/// chromedriver takes a free port and says which.
fn port_of(driver: &mut Child) -> u16 {
    let told = BufReader::new(driver.stdout.take().unwrap());
    let line = told
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
    /// What a script in the page returns.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// A command of Chrome's own protocol (<https://chromedevtools.github.io/devtools-protocol/>).
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
        let told = self.client.issue_cmd(command).await.unwrap();
        told.as_array().unwrap().clone()
    }

    /// What the page wrote to the console: its errors, and what its policy forbade.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses of every request, the page's own among them.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let of = |entry: &Value| {
            let told: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let sent = told["message"]["method"] == "Network.requestWillBeSent";
            let address = told["message"]["params"]["request"]["url"].as_str()?;
            sent.then(|| address.to_owned())
        };
        entries.iter().filter_map(of).collect()
    }

    /// Clicks what a selector finds first.
    pub async fn click(&self, selector: &str) {
        let found = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = found.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.click().await.unwrap();
    }

    /// Types into what a selector finds first.
    pub async fn keys(&self, selector: &str, keys: &str) {
        let found = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = found.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.send_keys(keys).await.unwrap();
    }

    /// Presses a key on what has the focus.
    pub async fn press(&self, key: fantoccini::key::Key) {
        let element = self.client.active_element().await.unwrap();
        element.send_keys(&String::from(char::from(key))).await.unwrap();
    }

    /// The page on paper, as PDF.
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
        // It may have ended already.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
