//! What the page says of whole bundles and receipts: of true ones, of lies, and of ones that were changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seal::testing::stories::{self, Set};
use serde_json::{Value, json};
use sluis_verify::Trust;

use crate::browser::Browser;
use crate::mutants::{Chance, mutant, shown};

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

/// The trust of the program, of the same files.
fn trust(set: &Set, policy: &str) -> Trust {
    let roots: Vec<(&str, &[u8])> = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes())).collect();
    Trust::read(policy.as_bytes(), None, roots).expect("the policy can be used")
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
        let policy = example.policy.as_ref().unwrap_or(&set.policy);
        let said = verdict(&mut browser, &example.bytes, policy);
        let other = sluis_verify::verify(&example.bytes, &trust(&set, policy), None);
        if said["exit"] != json!(other.exit_code()) {
            let lines = other.checks.iter().filter(|check| check.outcome() > sluis_verify::Outcome::Ok).flat_map(|check| &check.lines);
            let lines: Vec<&str> = lines.map(|line| line.text.en.as_str()).collect();
            wrong.push(format!("RUST {} ({}): {} here, {} there (expected {}): {} -- {:?}", example.name, example.why, said["exit"], other.exit_code(), example.exit, told(&said), lines));
        }
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

/// How many changed bundles are judged: a few hundred, or as many as `SLUIS_MUTANTS` says.
fn count() -> usize {
    std::env::var("SLUIS_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

#[test]
fn changed_bundles_are_judged_alike_by_page_and_program() {
    let set = stories::all(50);
    let Some(mut browser) = with_trust(&set) else { return };
    let trust = trust(&set, &set.policy);
    let good: Vec<&Vec<u8>> = set.examples.iter().filter(|example| example.exit == 0).map(|example| &example.bytes).collect();
    let mut chance = Chance(0x5EA1);
    let mut tally = [0; 5];
    let mut apart = Vec::new();
    for _ in 0..count() {
        let (one, other) = (chance.below(good.len()), chance.below(good.len()));
        let (what, bytes) = mutant(good[one], good[other], &mut chance);
        let said = verdict(&mut browser, &bytes, &set.policy);
        let exit = said["exit"].as_u64().expect("a number");
        tally[usize::try_from(exit).expect("it fits")] += 1;
        let program = sluis_verify::verify(&bytes, &trust, None);
        if exit != u64::from(program.exit_code()) {
            let told = program.checks.iter().flat_map(|check| &check.lines).filter(|line| line.outcome > sluis_verify::Outcome::Ok);
            let told: Vec<&str> = told.map(|line| line.text.en.as_str()).collect();
            apart.push(format!("{one} {what}: {exit} by the page ({}), {} by the program {told:?}", self::told(&said), program.exit_code()));
        } else if exit == 0 {
            // What was not needed may be left out, and lines of keys that nobody knows are passed over; but what is shown
            // as proven is what was sealed.
            let true_ones = shown(good[one]);
            assert!(shown(&bytes).iter().all(|file| true_ones.contains(file)), "{one} {what}: proven, though it shows something else");
        }
    }
    eprintln!("of {}: {} proven, {} invalid, {} incomplete, {} unreadable", count(), tally[0], tally[1], tally[2], tally[3]);
    assert!(apart.is_empty(), "{} apart\n{}", apart.len(), apart.join("\n"));
}
