//! The documentation as somebody sees it who opens it in a browser.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use thirtyfour::{BrowserLogEntry, LoggingPrefsLogLevel, error::WebDriverResult, prelude::*};

use crate::support::App;

/// How long the page may take for one step.
const PATIENCE: Duration = Duration::from_secs(20);

/// The process that drives the browser, on a port of its own choice.
struct Chromedriver {
    process: Child,
    url: String,
}

impl Chromedriver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}"));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| Some(line.ok()?.split_once("successfully on port ")?.1.to_owned()))
            .unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        Self { process, url }
    }

    async fn browser(&self) -> WebDriverResult<WebDriver> {
        let mut browser = DesiredCapabilities::chrome();
        browser.add_arg("--headless=new")?;
        // A container has neither the sandbox's privileges nor much shared memory.
        browser.add_arg("--no-sandbox")?;
        browser.add_arg("--disable-dev-shm-usage")?;
        browser.add_arg("--window-size=1280,1600")?;
        browser.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        WebDriver::new(&self.url, browser).await
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The element, as soon as it is there.
async fn shown(page: &WebDriver, css: &str) -> WebDriverResult<WebElement> {
    let found = page.query(By::Css(css)).wait(PATIENCE, PATIENCE / 100);
    found.and_displayed().first().await
}

async fn click(page: &WebDriver, css: &str) -> WebDriverResult<()> {
    shown(page, css).await?.click().await
}

/// What the page shows of an answer.
#[derive(Debug)]
struct Shown {
    status: String,
    body: String,
}

/// Executes an operation that needs no parameters.
async fn execute(page: &WebDriver, tag: &str, operation: &str) -> WebDriverResult<Shown> {
    let block = format!("#operations-{tag}-{operation}");
    click(page, &format!("#operations-tag-{tag}")).await?;
    click(page, &format!("{block} .opblock-summary-control")).await?;
    click(page, &format!("{block} .try-out__btn")).await?;
    click(page, &format!("{block} .execute")).await?;
    let answer = format!("{block} .live-responses-table");
    let status = shown(page, &format!("{answer} tbody td.response-col_status")).await?;
    let body = shown(page, &format!("{answer} .highlight-code")).await?;
    Ok(Shown {
        status: status.text().await?,
        body: body.text().await?,
    })
}

async fn authorize(page: &WebDriver, token: &str) -> WebDriverResult<()> {
    click(page, ".btn.authorize").await?;
    let field = shown(page, ".modal-ux input").await?;
    field.send_keys(token).await?;
    click(page, ".modal-ux .btn.authorize").await?;
    click(page, ".modal-ux .btn-done").await
}

/// What somebody sees who reads a public list, signs in and reads one of the staff's.
struct Visit {
    title: String,
    public: Shown,
    own: Shown,
    log: Vec<BrowserLogEntry>,
}

async fn visit(page: &WebDriver, url: String, token: &str) -> WebDriverResult<Visit> {
    page.goto(url).await?;
    let title = shown(page, ".info .title").await?.text().await?;
    let public = execute(page, "companies", "list_companies").await?;
    authorize(page, token).await?;
    Ok(Visit {
        title,
        public,
        own: execute(page, "users", "list_users").await?,
        log: page.browser_log().await?,
    })
}

#[test]
#[ignore = "needs chromium and chromedriver"]
fn the_documentation_signs_in_and_shows_what_the_server_answers() {
    let app = App::new();
    let staff = app.staff("margaret");
    let driver = Chromedriver::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let visited = runtime.block_on(async {
        let page = driver.browser().await?;
        let token = staff.access.as_ref().unwrap();
        let visited = visit(&page, app.url("/api/docs/"), token).await;
        page.quit().await?;
        visited
    });
    let visit = visited.unwrap();
    assert!(visit.title.contains("roster"), "{}", visit.title);
    assert_eq!(visit.public.status, "200");
    assert!(
        visit.public.body.contains("\"results\": []"),
        "{:?}",
        visit.public
    );
    assert_eq!(visit.own.status, "200");
    assert!(
        visit.own.body.contains("\"username\": \"margaret\""),
        "{:?}",
        visit.own
    );
    // A refusal of the content security policy would stand there, as would an error of a script.
    let errors: Vec<_> = visit
        .log
        .iter()
        .filter(|entry| entry.level == "SEVERE")
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
