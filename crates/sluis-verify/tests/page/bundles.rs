//! What the page says of whole bundles and receipts: of true ones, of lies, and of ones that were changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seal::note::{Algorithm, VerifierKey};
use seal::testing::stories::{self, Set};
use serde_json::{Value, json};
use sluis_verify::Trust;

use crate::browser::Browser;
use crate::mutants::{Chance, mutant, shown};

/// The page with trust files laid into `trust`, for [`verdicts`].
pub(crate) fn with_trust(set: &Set) -> Option<Browser> {
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
pub(crate) fn verdict(browser: &mut Browser, bundle: &[u8], policy: &str, at: Option<i64>) -> Value {
    let (bundle, policy, at) = (STANDARD.encode(bundle), json!(policy), json!(at));
    browser.evaluate(&format!("sluis.verdictOf(bytes('{bundle}'), utf8({policy}), roots, {at})"))
}

/// The trust of the program, of the same files; `None` when it cannot use the policy.
pub(crate) fn try_trust(set: &Set, policy: &str) -> Option<Trust> {
    let roots: Vec<(&str, &[u8])> = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes())).collect();
    Trust::read(policy.as_bytes(), None, roots).ok()
}

fn trust(set: &Set, policy: &str) -> Trust {
    try_trust(set, policy).expect("the policy can be used")
}

/// What a verdict says beside that all is well.
pub(crate) fn told(said: &Value) -> String {
    let checks = said["checks"].as_array().into_iter().flatten().filter(|check| check["outcome"] != json!("ok"));
    let lines = checks.flat_map(|check| check["lines"].as_array().cloned().unwrap_or_default());
    let worse = lines.filter(|line| !matches!(line["outcome"].as_str(), Some("ok" | "said")));
    worse.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join("; ")
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
        let said = verdict(&mut browser, &example.bytes, policy, None);
        let other = sluis_verify::verify(&example.bytes, &trust(&set, policy), None);
        let program: Value = serde_json::from_str(&sluis_verify::output::json(&other)).expect("it is JSON");
        for key in [
            "verdict",
            "form",
            "origin",
            "stream",
            "made",
            "operator",
            "checkpoint",
            "policy",
            "witnesses",
            "authorities",
            "records",
        ] {
            assert_eq!(said[key], program[key], "{}: {key}", example.name);
        }
        if said["exit"] != json!(other.exit_code()) {
            let lines =
                other.checks.iter().filter(|check| check.outcome() > sluis_verify::Outcome::Ok).flat_map(|check| &check.lines);
            let lines: Vec<&str> = lines.map(|line| line.text.en.as_str()).collect();
            wrong.push(format!(
                "RUST {} ({}): {} here, {} there (expected {}): {} -- {:?}",
                example.name,
                example.why,
                said["exit"],
                other.exit_code(),
                example.exit,
                told(&said),
                lines
            ));
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
    std::env::var("SLUIS_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[test]
fn changed_bundles_are_judged_alike_by_page_and_program() {
    let set = stories::all(50);
    let Some(mut browser) = with_trust(&set) else { return };
    let trust = trust(&set, &set.policy);
    let good: Vec<&Vec<u8>> = set.examples.iter().filter(|example| example.exit == 0).map(|example| &example.bytes).collect();
    let true_ones: Vec<_> = good.iter().flat_map(|good| shown(good)).collect();
    let mut chance = Chance(0x5EA1);
    let mut tally = [0; 5];
    let mut apart = Vec::new();
    for _ in 0..count() {
        let (one, other) = (chance.below(good.len()), chance.below(good.len()));
        let (what, bytes) = mutant(good[one], good[other], &mut chance);
        let said = verdict(&mut browser, &bytes, &set.policy, None);
        let exit = said["exit"].as_u64().expect("a number");
        tally[usize::try_from(exit).expect("it fits")] += 1;
        let program = sluis_verify::verify(&bytes, &trust, None);
        // A time-stamp that is wrong in two ways may be called malformed, or of an algorithm that is not accepted, by
        // what is looked at first. The page may then be the stricter one, never the milder.
        let stricter = what.contains(".tsr") && exit == 1 && program.exit_code() != 3;
        if exit != u64::from(program.exit_code()) && !stricter {
            let told =
                program.checks.iter().flat_map(|check| &check.lines).filter(|line| line.outcome > sluis_verify::Outcome::Ok);
            let told: Vec<&str> = told.map(|line| line.text.en.as_str()).collect();
            apart.push(format!(
                "{one} {what}: {exit} by the page ({}), {} by the program {told:?}",
                self::told(&said),
                program.exit_code()
            ));
        } else if exit == 0 {
            // What was not needed may be left out, and lines of keys that nobody knows are passed over; but what is shown
            // as proven is what was sealed, in this bundle or in another of the same log.
            assert!(
                shown(&bytes).iter().all(|file| true_ones.contains(file)),
                "{one} {what}: proven, though it shows something else"
            );
        }
    }
    eprintln!("of {}: {} proven, {} invalid, {} incomplete, {} unreadable", count(), tally[0], tally[1], tally[2], tally[3]);
    assert!(apart.is_empty(), "{} apart\n{}", apart.len(), apart.join("\n"));
}

#[test]
fn policies_and_dates_are_taken_alike_by_page_and_program() {
    let set = stories::all(50);
    let Some(mut browser) = with_trust(&set) else { return };
    let good = &set.examples[0].bytes;
    let day = 86_400_000;
    let made = 1_772_409_600_000; // 2 March 2026, when the story of the bundle begins
    let mut cases: Vec<(String, Option<i64>)> = [-400, -1, 0, 1, 3, 9, 30, 300, 1_000, 4_000, 10_000]
        .into_iter()
        .map(|days| (set.policy.clone(), Some(made + days * day)))
        .collect();
    cases.extend(policies(&set.policy).into_iter().map(|policy| (policy, None)));
    let mut tally = [0; 5];
    let mut apart = Vec::new();
    for (policy, at) in &cases {
        let said = verdict(&mut browser, good, policy, *at);
        let program = try_trust(&set, policy).map_or(4, |trust| sluis_verify::verify(good, &trust, *at).exit_code());
        tally[usize::from(program)] += 1;
        if said["exit"] != json!(program) {
            apart.push(format!(
                "{} by the page, {program} by the program, at {at:?}: {} {}\n{policy}",
                said["exit"],
                said["reason"],
                told(&said)
            ));
        }
    }
    eprintln!("of {} policies and dates: {tally:?}", cases.len());
    assert!(apart.is_empty(), "{} apart\n{}", apart.len(), apart.join("\n"));
}

/// A witness's key of an algorithm that neither verifier can judge.
fn ml_dsa() -> VerifierKey {
    VerifierKey::new("later.example/witness", Algorithm::MlDsa44, &[7; 1_312]).expect("a key")
}

/// A policy in many changed forms: each line left out, doubled, moved and misspelled, and facts put in the place of others.
fn policies(policy: &str) -> Vec<String> {
    let lines: Vec<&str> = policy.lines().collect();
    let join = |lines: &[&str]| lines.join("\n") + "\n";
    let mut all = vec![policy.replace('\n', "\r\n"), policy.trim_end().to_owned(), format!("\u{feff}{policy}"), String::new()];
    for at in 0..lines.len() {
        let (before, after) = (&lines[..at], &lines[at + 1..]);
        all.push(join(&[before, after].concat()));
        all.push(join(&[&lines[..], &lines[at..=at]].concat()));
        all.push(join(&[&lines[at..=at], before, after].concat()));
        for changed in [
            format!("{} more", lines[at]),
            format!("  {}\t", lines[at]),
            format!("# {}", lines[at]),
            lines[at].replacen(' ', "  ", 1),
            lines[at].to_uppercase(),
            lines[at].rsplit_once(' ').map_or(String::new(), |(start, _)| start.to_owned()),
        ] {
            all.push(join(&[before, &[changed.as_str()], after].concat()));
        }
    }
    for line in [
        "#sluis",
        "#sluis ",
        "#sluisx y",
        "#sluis unknown fact",
        "#sluis tsas 0",
        "#sluis tsas 1",
        "#sluis tsas 3",
        "#sluis tsas 17",
        "#sluis tsas 02",
        "#sluis signs all-of - The hub",
        "#sluis signs all-of 2027-01-01 The hub",
        "#sluis signs any-of - The hub",
        "#sluis signs all-of 2026-02-30 The hub",
        "#sluis signs all-of - Nobody",
        "#sluis signs some-of - The hub",
        "#sluis valid hub 2026-01-01 -",
        "#sluis valid hub - 2026-01-01",
        "#sluis valid hub 2027-01-01 2026-01-01",
        "#sluis valid hub - -",
        "#sluis valid nobody - -",
        "#sluis valid log.provider.example/sluis/2026 2026-01-01 2026-12-31T23:59:59Z",
        "#sluis valid log.provider.example/sluis/2026 2027-01-01 -",
        "#sluis valid log.provider.example/sluis/2026 - 2026-03-02T12:00:00Z",
        "#sluis valid log.provider.example/sluis/2026+8a28682f - 2026-01-01",
        "#sluis valid log.provider.example/sluis/2026+00000000 - -",
        "#sluis tsa north Somebody else",
        "#sluis tsa east Clocks of east.example",
        "#sluis recovery nothing",
        "#sluis recipient 00000000000000000000000000000000 dkim key",
        "#sluis recipient 00 dkim key",
        "#sluis observer key Somebody",
        "group more any independent",
        "group all any hub",
        "group none any independent",
        "witness hub x",
        "quorum none",
        "unknown line",
    ] {
        all.push(format!("{policy}{line}\n"));
    }
    for (from, to) in [
        ("tsas 2", "tsas 1"),
        ("tsas 2", "tsas 3"),
        ("independent 2 hub", "independent 4 hub"),
        ("independent 2 hub", "independent 0 hub"),
        ("independent 2 hub", "independent all hub"),
        ("independent 2 hub", "independent any hub"),
        ("holder hub The hub", "holder hub Voorbeeld Hosting B.V."),
        ("holder hub The hub", "holder hub The university"),
        ("group independent 2 hub", &format!("witness later {}\ngroup independent 2 later hub", ml_dsa())),
        ("quorum independent", "quorum none"),
        ("quorum independent", "quorum hub"),
        ("quorum independent", "quorum nobody"),
        ("tsa north Clocks of north.example", "tsa north Clocks of south.example"),
        ("tsa north Clocks of north.example", "tsa north Voorbeeld Hosting B.V."),
        (
            "group independent 2 hub association university\n",
            "group one all hub\ngroup independent 2 one association university\n",
        ),
        (" https://hub.example/", " https://hub.example/ more"),
    ] {
        assert!(policy.contains(from), "{from}");
        all.push(policy.replace(from, to));
    }
    all
}
