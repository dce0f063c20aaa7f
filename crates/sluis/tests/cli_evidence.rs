//! Evidence is attached to a case, the recipient signs for its letter, and a verifier grades both: through the real program.

#![allow(clippy::unwrap_used)]

mod common;

use common::{CUSTOMERS, User};
use seal::bundle::{self, Bundle};
use seal::record::Value;

const LETTER: &str =
    "Message-ID: <1@provider.example>\nTo: abuse@customer.example\nSubject: 192.0.2.7\n\nPlease look at 192.0.2.7.\n";
const TRANSCRIPT: &str = "sluis-smtp/v1
to mx mx.customer.example 192.0.2.25
tls TLSv1.3
checked dane
at 2026-11-21T12:00:05Z

S: 220 mx.customer.example ESMTP
C: EHLO mail.provider.example
S: 250 STARTTLS
C: STARTTLS
S: 220 go ahead
C: EHLO mail.provider.example
S: 250 mx.customer.example
C: MAIL FROM:<desk@provider.example>
S: 250 2.1.0 Ok
C: RCPT TO:<abuse@customer.example>
S: 250 2.1.5 Ok
C: DATA
S: 354 End data
C: .
S: 250 2.0.0 Ok: queued as 4XyZ
";

/// A node with a case of which the customer was told.
fn world() -> User {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "customers.csv"]).good();
    user.file("notice.json", common::login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.run(&["receive", "notice.json"]).good();
    user.run(&["advance"]).good();
    user
}

fn bundle_as(user: &User, file: &str) -> Bundle {
    user.run(&["case", "bundle", "1", "--publish", "--by", "anna", "-o", file]).good();
    bundle::read(&std::fs::read(user.directory.join(file)).unwrap()).unwrap()
}

fn verified(user: &User, file: &str, policy: &str) -> String {
    let key = user.run(&["log", "key"]).good();
    let key = key.split_whitespace().find(|word| word.contains('+')).unwrap().to_owned();
    user.file("policy.txt", format!("log {key}\nquorum none\n{policy}"));
    let run = user.run(&["verify", file, "--policy", "policy.txt", "--at", "2026-11-23"]);
    // Nobody stamped it, so it is incomplete, whatever the grades are.
    assert_eq!(run.code, Some(2), "{}{}", run.out, run.err);
    run.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_letter_with_its_transcript_is_d_and_what_the_customer_signs_makes_it_a() {
    let user = world();
    user.file("letter.eml", LETTER);
    user.file("transcript.txt", TRANSCRIPT);
    let before = bundle_as(&user, "before.sluis-evidence");
    let told = before.records.iter().find(|record| record.get("event") == Some(&Value::text("told"))).expect("a letter");
    let Some(Value::Bytes(party)) = told.get("party") else { panic!("no party") };
    let party: String = party.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(verified(&user, "before.sluis-evidence", "").contains("letter 1: no grade: nothing is attached"));

    let kept = user.json(&["case", "evidence", "1", "letter.eml", "--kind", "letter", "--by", "anna", "--json"]);
    assert!(kept["step"].is_u64(), "{kept}");
    let kept = ["case", "evidence", "1", "transcript.txt", "--kind", "transcript", "--recipient", "abuse@customer.example"];
    user.run(&[&kept[..], &["--by", "anna"]].concat()).good();
    assert!(user.run(&["case", "show", "1"]).good().contains("evidence attached"));
    bundle_as(&user, "d.sluis-evidence");
    let said = verified(&user, "d.sluis-evidence", "");
    assert!(said.contains("grade D: accepted by MX \"mx.customer.example\""), "{said}");

    // The customer signs, by its own program, for what it was shown.
    let signed = user.run(&["log", "receipt", "d.sluis-evidence", "--key", "customer.key", "--name", "customer.example"]);
    let key = signed.err.split_whitespace().find(|word| word.contains('+')).unwrap().to_owned();
    user.file("signed.txt", signed.good());
    user.run(&["case", "evidence", "1", "signed.txt", "--kind", "receipt", "--by", "anna"]).good();
    bundle_as(&user, "a.sluis-evidence");
    let said = verified(&user, "a.sluis-evidence", &format!("#sluis recipient {party} receipt {key}\n"));
    assert!(said.contains("letter 1: grade A: the recipient signed"), "{said}");
    assert!(said.contains("proved by: recipient"), "{said}");
    // Who does not know the key sees a D and why it is no better.
    let said = verified(&user, "a.sluis-evidence", "");
    assert!(said.contains("grade D") && said.contains("your policy names no key of this recipient"), "{said}");
}

#[test]
fn what_cannot_be_attached_or_signed_is_said() {
    let user = world();
    user.file("empty", "");
    user.file("letter.eml", LETTER);
    for (arguments, says) in [
        (&["case", "evidence", "99", "letter.eml", "--kind", "letter", "--by", "a"][..], "no such case"),
        (&["case", "evidence", "1", "none.eml", "--kind", "letter", "--by", "a"], "none.eml: cannot be read"),
        (&["case", "evidence", "1", "empty", "--kind", "letter", "--by", "a"], "the file is empty"),
        (&["case", "evidence", "1", "letter.eml", "--kind", "letter", "--about", "99", "--by", "a"], "step 99"),
        (&["log", "receipt", "letter.eml", "--key", "k", "--name", "customer.example"], "Sluis-Slot"),
        (&["log", "receipt", "empty", "--key", "k", "--name", "customer.example"], "neither a bundle nor a mail"),
    ] {
        let said = user.run(arguments).failed(1);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    // A letter that says which record it is of is signed for, each time by the same key.
    let slot = "5a".repeat(32);
    user.file("slot.eml", format!("Sluis-Slot: log.provider.example/2026\n {slot}\n -\n{LETTER}"));
    let sign =
        || user.run(&["log", "receipt", "slot.eml", "--key", "k", "--name", "customer.example", "--at", "2026-11-21"]).good();
    let note = sign();
    assert!(note.starts_with("sluis-receipt-of-notice/v1\norigin log.provider.example/2026\n"), "{note}");
    assert!(note.contains(&format!("slot {slot}\nprev -\n")) && note.contains("received 2026-11-21T00:00:00Z"), "{note}");
    assert_eq!(note, sign());
}
