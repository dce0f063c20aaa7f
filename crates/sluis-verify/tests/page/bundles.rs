//! What the page says of whole bundles and receipts: of true ones, of lies, and of ones that were changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seal::testing::stories::{self, Set};
use serde_json::{Value, json};

use crate::browser::Browser;

/// The page with trust files laid into `trust`, for [`verdicts`].
fn with_trust(set: &Set) -> Option<Browser> {
    let mut browser = Browser::open(&crate::page())?;
    let roots: Vec<Value> = set.roots.iter().map(|(name, pem)| json!({ "name": format!("{name}.pem"), "text": pem })).collect();
    browser.evaluate(&format!(
        "globalThis.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
         globalThis.utf8 = (text) => new TextEncoder().encode(text);
         globalThis.roots = {}.map(({{ name, text }}) => ({{ name, bytes: utf8(text) }})); true",
        json!(roots)
    ));
    Some(browser)
}

/// The verdict over one bundle.
fn verdict(browser: &mut Browser, bundle: &[u8], policy: &str) -> Value {
    browser.evaluate(&format!("sluis.verdictOf(bytes('{}'), utf8({}), roots, null)", STANDARD.encode(bundle), json!(policy)))
}

/// What a verdict says beside that all is well.
fn told(said: &Value) -> String {
    let checks = said["checks"].as_array().into_iter().flatten().filter(|check| check["outcome"] != json!("ok"));
    let lines = checks.flat_map(|check| check["lines"].as_array().cloned().unwrap_or_default());
    let worse = lines.filter(|line| !matches!(line["outcome"].as_str(), Some("ok" | "said")));
    worse.map(|line| line["en"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join("; ")
}

#[test]
fn true_bundles_are_proven_and_lies_are_not() {
    let set = stories::all(300);
    let Some(mut browser) = with_trust(&set) else { return };
    let mut wrong = Vec::new();
    for example in &set.examples {
        // The page does not look through copies of a log: what only these show is for the program.
        if example.log.is_some() {
            continue;
        }
        let said = verdict(&mut browser, &example.bytes, example.policy.as_ref().unwrap_or(&set.policy));
        if said["exit"] != json!(example.exit) {
            wrong.push(format!(
                "{} ({}): {} instead of {}: {}",
                example.name,
                example.why,
                said["exit"],
                example.exit,
                told(&said)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
