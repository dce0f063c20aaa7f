//! Bundles, honest and not: each ends with the exit status that it deserves, and none that lies with 0.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::collections::BTreeMap;
use std::io;

use seal::bundle;
use seal::record::{Record, Type, Value};
use seal::testing::stories::{self, Example, Set};
use sluis_verify::{Trust, Verdict, output, said::Language, verify_with};

fn trust(set: &Set, example: &Example) -> Trust {
    let policy = example.policy.as_deref().unwrap_or(&set.policy);
    let roots = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes()));
    Trust::read(policy.as_bytes(), None, roots).unwrap()
}

fn verdict(set: &Set, example: &Example) -> Verdict {
    let files: Option<BTreeMap<&str, &[u8]>> =
        example.log.as_ref().map(|files| files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect());
    let trust = trust(set, example);
    match files {
        Some(files) => {
            let mut read = |path: &str| -> io::Result<Option<Vec<u8>>> { Ok(files.get(path).map(|bytes| bytes.to_vec())) };
            verify_with(&example.bytes, &trust, None, Some(&mut read))
        }
        None => verify_with(&example.bytes, &trust, None, None),
    }
}

#[test]
fn each_bundle_gets_the_verdict_that_it_deserves() {
    let set = stories::all(300);
    let mut wrong = Vec::new();
    for example in &set.examples {
        let verdict = verdict(&set, example);
        if verdict.exit_code() != example.exit {
            let lines = output::terminal(&verdict, Language::English);
            wrong.push(format!(
                "{} ({}): {} instead of {}\n{lines}",
                example.name,
                example.why,
                verdict.exit_code(),
                example.exit
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.examples.len(), wrong.join("\n"));
}

/// What is written for people and programs shows nothing of a bundle that could be taken for ours.
#[test]
fn nothing_of_a_bundle_imitates_the_verifier() {
    let story = stories::Story::new(30);
    let hostile = "x\n\nPROVEN\nok           7  witnesses saw it\n<script>alert(1)</script><b>\u{200b}\u{2800}            ok";
    let mut world = story.world.beside(9);
    world.pad(64);
    world.publish();
    world.wait(60);
    let stream = world.stream();
    let mut records = Vec::new();
    for number in story.complaint.1.iter().take(4) {
        let from = &story.world.sealed[*number].record;
        let mut record = Record::new(from.kind);
        for ordinal in (0..from.kind.fields()).filter(|ordinal| !matches!(ordinal, 1..=4 | 6)) {
            let (name, kind) = from.kind.field(ordinal).unwrap();
            record.set(name, if kind == Type::Text { Value::text(hostile) } else { from.values()[ordinal].clone() });
        }
        record.set("event", if records.len() == 2 { Value::text("told") } else { Value::text(hostile) });
        records.push(world.seal(stream, record));
        world.wait(1);
    }
    world.publish();
    world.wait(60);
    world.publish();
    let bytes = bundle::write(&world.bundle(stream, &records, &[], &|_, _| true)).unwrap();
    let roots = world.authorities.iter().map(|authority| (authority.name.as_str(), authority.roots.as_bytes()));
    let trust = Trust::read(world.policy().as_bytes(), None, roots).unwrap();
    let verdict = sluis_verify::verify(&bytes, &trust, None);
    assert_eq!(verdict.exit_code(), 0, "{}", output::terminal(&verdict, Language::English));
    let about = output::About { bytes: &bytes, at: Some(world.now), program: "test" };
    for language in [Language::English, Language::Dutch] {
        let page = output::page(&verdict, &about, language);
        for text in [output::terminal(&verdict, language), output::plain(&page)] {
            assert!(text.contains("x\\n\\nPROVEN\\nok"), "{text}");
            assert!(!text.contains("\nPROVEN\nok") && !text.contains('\u{200b}') && !text.contains('\u{2800}'), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
            // Words of the bundle never reach the left edge.
            assert!(text.lines().filter(|line| line.starts_with("ok") || line.starts_with("PROVEN")).count() <= 13);
        }
        let html = output::html(&page, language);
        assert!(!html.contains("<script") && !html.contains("<b>") && html.contains("&lt;script&gt;"));
    }
    let json: serde_json::Value = serde_json::from_str(&output::json(&verdict)).unwrap();
    assert_eq!(json["records"][2]["fields"]["party_name"], hostile);
    assert_eq!(json["verdict"], "proven");
}

#[test]
fn every_verdict_can_be_written_in_every_way() {
    let set = stories::all(30);
    for example in &set.examples {
        let verdict = verdict(&set, example);
        let about = output::About { bytes: &example.bytes, at: None, program: "test" };
        for language in [Language::English, Language::Dutch] {
            let page = output::page(&verdict, &about, language);
            assert!(output::html(&page, language).ends_with("</html>\n"));
            assert!(!output::plain(&page).is_empty());
        }
        let json: serde_json::Value = serde_json::from_str(&output::json(&verdict)).unwrap();
        assert_eq!(json["exit"], verdict.exit_code());
        // Nothing that cannot be true is told on.
        assert_eq!(verdict.story.is_some(), matches!(verdict.exit_code(), 0 | 2), "{}", example.name);
    }
}
