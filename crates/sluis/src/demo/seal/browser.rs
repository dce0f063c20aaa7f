//! A Chromium without a screen, to open the page of the second verifier in: driven through the pipe of its DevTools protocol,
//! so that nothing listens and nothing is asked of a network.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// What the program may be called.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
/// How long the page may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the page says of a bundle; `None` when there is no browser.
///
/// # Errors
/// When there is one, and it does not do what it is told.
pub(super) fn verdict(page: &Path, bundle: &Path, policy: &Path, root: &Path) -> Result<Option<String>> {
    let Some(name) = NAMES.iter().find(|name| is_there(name)) else { return Ok(None) };
    let mut browser = Browser::start(name)?;
    browser.open(&page.canonicalize()?)?;
    for (input, file) in [("#file-policy", policy), ("#file-roots", root), ("#file-bundle", bundle)] {
        browser.choose(input, &file.canonicalize()?)?;
    }
    let asked = "(globalThis.sluisVerdict && document.querySelector('#file-roots').files.length) ? sluisVerdict.verdict : ''";
    let until = Instant::now() + PATIENCE;
    loop {
        match browser.evaluate(asked)?.as_str() {
            // Each file that is added is judged anew: the last word counts.
            Some(word) if !word.is_empty() => {
                std::thread::sleep(Duration::from_millis(300));
                let again = browser.evaluate(asked)?;
                if again.as_str() == Some(word) {
                    return Ok(Some(word.to_owned()));
                }
            }
            _ if Instant::now() > until => bail!("{name} showed no verdict within {} s", PATIENCE.as_secs()),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn is_there(name: &str) -> bool {
    let said = Command::new(name).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    said.is_ok_and(|status| status.success())
}

struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    number: u64,
    profile: std::path::PathBuf,
}

impl Browser {
    fn start(name: &str) -> Result<Browser> {
        let profile = std::env::temp_dir().join(format!("sluis-demo-{}", std::process::id()));
        // The shell only puts the pipes where Chromium looks for them: it reads from descriptor 3 and writes to 4.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", name]);
        command.args(["--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"]);
        command.args(["--disable-component-update", "--disable-dev-shm-usage", "--remote-debugging-pipe"]);
        if rustix::process::geteuid().is_root() {
            // Chromium has no sandbox for root, and would not start.
            command.arg("--no-sandbox");
        }
        command.arg(format!("--user-data-dir={}", profile.display()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let input = child.stdin.take().context("no pipe")?;
        let output = BufReader::new(child.stdout.take().context("no pipe")?);
        Ok(Browser { child, input, output, session: None, number: 0, profile })
    }

    fn open(&mut self, page: &Path) -> Result<()> {
        let target = self.call("Target.createTarget", json!({ "url": format!("file://{}", page.display()) }))?;
        let asked = json!({ "targetId": target["targetId"], "flatten": true });
        self.session = self.call("Target.attachToTarget", asked)?["sessionId"].as_str().map(str::to_owned);
        let until = Instant::now() + PATIENCE;
        while self.evaluate("document.readyState === 'complete' && 'sluisVerdict' in globalThis")? != json!(true) {
            if Instant::now() > until {
                bail!("the page did not open");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes)?;
        self.input.flush()?;
        loop {
            let mut bytes = Vec::new();
            self.output.read_until(0, &mut bytes)?;
            if bytes.pop() != Some(0) {
                bail!("the browser went away");
            }
            let mut answer: Value = serde_json::from_slice(&bytes)?;
            if answer["id"] == json!(self.number) {
                if let Some(error) = answer.get("error") {
                    bail!("{method}: {error}");
                }
                return Ok(answer["result"].take());
            }
        }
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", asked)?;
        Ok(answer["result"]["value"].take())
    }

    /// Gives a file to an input of the page, as a person who chooses it.
    fn choose(&mut self, selector: &str, file: &Path) -> Result<()> {
        let document = self.call("DOM.getDocument", json!({}))?;
        let node = self.call("DOM.querySelector", json!({ "nodeId": document["root"]["nodeId"], "selector": selector }))?;
        self.call("DOM.setFileInputFiles", json!({ "nodeId": node["nodeId"], "files": [file.display().to_string()] }))?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
