//! Each grade with a bundle that deserves it, and the attempts to get a better one.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use seal::bundle;
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::record::{EVIDENCE, Kind, OPENED, Record, STEP, Value};
use seal::testing::World;
use sha2::{Digest, Sha256};
use sluis_grade::receipt::{Of, Receipt, message_digest};
use sluis_grade::{Grade, Graded, ProvedBy, grade, into_verdict};
use sluis_verify::{Trust, Verdict, output, said::Language, verify};

const PARTY: [u8; 16] = *b"voorbeeld-web-bv";
const ADDRESS: &str = "abuse@customer.example";
const ID: &str = "1@provider.example";
const LETTER: &str = "From: desk@provider.example\nTo: abuse@customer.example\nMessage-ID: <1@provider.example>\nSubject: 192.0.2.7\n\nPlease look at 192.0.2.7.\n";

/// A piece of evidence: what it is, its bytes, and whether it is about the letter (or the letter's text).
struct Piece(&'static str, Vec<u8>);

/// A log with one case: opened, a letter, and what is attached to it.
struct Told {
    world: World,
    stream: usize,
    records: Vec<usize>,
}

fn key(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::new(name, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

impl Told {
    /// Opens the case and writes the letter.
    fn begin() -> Told {
        let mut world = World::new();
        world.pad(30);
        world.publish();
        world.wait(10);
        let stream = world.stream();
        let step = |kind: &'static Kind, event: &str| {
            let mut record = World::record(kind, event);
            record.set("party", Value::Bytes(PARTY.to_vec()));
            record.set("party_name", Value::text("Voorbeeld Webruimte B.V."));
            record
        };
        let mut opened = step(&OPENED, "opened");
        opened.set("resource", Value::text("192.0.2.7"));
        opened.set("attribution", Value::text("address registry"));
        opened.set("attribution_source", Value::text("ripe"));
        opened.set("attribution_checked", Value::Time(world.now - 72 * 3_600_000));
        let mut told = step(&STEP, "told");
        told.set("party_seq", Value::Number(0));
        let records = [opened, told].into_iter().map(|record| world.seal(stream, record)).collect();
        Told { world, stream, records }
    }

    fn attach(&mut self, piece: &Piece) -> usize {
        let about = self.world.sealed[self.records[1]].commitment;
        let mut record = Record::new(&EVIDENCE);
        record.set("event", Value::text("evidence attached"));
        record.set("what", Value::text(piece.0));
        record.set("media", Value::text("bin"));
        record.set("content", Value::Bytes(piece.1.clone()));
        record.set("about", Value::Digest(about));
        record.set("recipient", Value::text(ADDRESS));
        if piece.0 == "letter" {
            record.set("message_id", Value::text(ID));
        }
        self.world.wait(1);
        let number = self.world.seal(self.stream, record);
        self.records.push(number);
        number
    }

    /// The verdict on the bundle of the case, under a policy with these further lines.
    fn verdict(&mut self, policy: &str) -> Verdict {
        self.world.publish();
        self.world.wait(60);
        self.world.publish();
        let bundle = self.world.bundle(self.stream, &self.records, &[], &|_, _| true);
        let roots = self.world.authorities.iter().map(|one| (one.name.as_str(), one.roots.as_bytes()));
        let policy = self.world.policy() + policy;
        let trust = Trust::read(policy.as_bytes(), None, roots).unwrap();
        verify(&bundle::write(&bundle).unwrap(), &trust, None)
    }

    fn receipt(&self) -> Receipt {
        let letter = &self.world.sealed[self.records[1]];
        let Value::Digest(prev) = letter.record.get("prev") else { panic!("the letter is not the first") };
        Receipt {
            origin: self.world.origin.clone(),
            slot: letter.slot,
            of: Of::Prev(Some(*prev)),
            message: message_digest(LETTER.as_bytes()),
            received: 1_772_440_000_000,
        }
    }
}

/// The letter of a case to which this is attached, under a policy with these further lines and these observations.
fn graded_with(pieces: &[Piece], policy: &str, beside: &[Vec<u8>]) -> Graded {
    let mut told = Told::begin();
    for piece in pieces {
        told.attach(piece);
    }
    let verdict = told.verdict(policy);
    assert_eq!(verdict.exit_code(), 0, "{}", output::terminal(&verdict, Language::English));
    let mut letters = grade(verdict.story.as_ref().unwrap(), beside).letters;
    assert_eq!(letters.len(), 1);
    letters.remove(0)
}

fn graded(pieces: &[Piece]) -> Graded {
    graded_with(pieces, "", &[])
}

fn letter() -> Piece {
    Piece("letter", LETTER.as_bytes().to_vec())
}

fn recipient(key: &Ed25519Signer) -> String {
    let party: String = PARTY.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("#sluis recipient {party} receipt {}\n", key.key())
}

fn signed(receipt: &Receipt, key: &Ed25519Signer) -> Piece {
    Piece("receipt", Note::sign(&receipt.text(), &[key]).unwrap().to_string().into_bytes())
}

const TRANSCRIPT: &str = "sluis-smtp/v1
to mx mx.customer.example 192.0.2.25
tls TLSv1.3
checked dane
at 2026-03-02T08:00:05Z

S: 220 mx.customer.example ESMTP
C: EHLO mail.provider.example
S: 250-mx.customer.example
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

const BOUNCE: &str = "From: MAILER-DAEMON@mail.provider.example
To: desk@provider.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary=\"bb\"

--bb

I am sorry.
--bb
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.provider.example

Final-Recipient: rfc822; abuse@customer.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--bb
Content-Type: text/rfc822-headers

Message-ID: <1@provider.example>
--bb--
";

#[test]
fn what_the_recipient_signed_is_a() {
    let mut told = Told::begin();
    let (customer, made_up) = (key("customer.example", 7), key("customer.example", 8));
    told.attach(&letter());
    let receipt = told.receipt();
    told.attach(&signed(&receipt, &customer));
    let verdict = told.verdict(&recipient(&customer));
    let grading = grade(verdict.story.as_ref().unwrap(), &[]);
    let [one] = grading.letters.as_slice() else { panic!() };
    assert_eq!((one.grade, one.proved_by), (Some(Grade::A), ProvedBy::Recipient));
    assert!(one.line.en.contains("exactly the letter that is attached"), "{}", one.line.en);
    assert!(one.sentence().en.ends_with("proved by: recipient"));
    // Under a policy that does not name the key, or names another, it is the sender's own.
    for policy in [String::new(), recipient(&made_up), recipient(&key("other.example", 7)).replace("receipt", "webauthn")] {
        let verdict = told.verdict(&policy);
        let grading = grade(verdict.story.as_ref().unwrap(), &[]);
        assert_eq!((grading.letters[0].grade, grading.letters[0].proved_by), (None, ProvedBy::OwnRecord), "{policy}");
    }
}

#[test]
fn a_receipt_is_for_one_record_and_one_message() {
    let customer = key("customer.example", 7);
    for (why, change) in [
        ("another log", (|receipt| receipt.origin = "log.other.example/2026".into()) as fn(&mut Receipt)),
        ("another slot", |receipt| receipt.slot = [1; 32]),
        ("another record before it", |receipt| receipt.of = Of::Prev(Some([2; 32]))),
        ("no record before it", |receipt| receipt.of = Of::Prev(None)),
        ("another record", |receipt| receipt.of = Of::Record([3; 32])),
        ("another message", |receipt| receipt.message = [4; 32]),
    ] {
        let mut told = Told::begin();
        told.attach(&letter());
        let mut receipt = told.receipt();
        change(&mut receipt);
        told.attach(&signed(&receipt, &customer));
        let verdict = told.verdict(&recipient(&customer));
        assert_eq!(grade(verdict.story.as_ref().unwrap(), &[]).letters[0].grade, None, "{why}");
    }
}

#[test]
fn the_logs_own_key_is_no_recipients() {
    let mut told = Told::begin();
    let receipt = told.receipt();
    let note = Note::sign(&receipt.text(), &[&told.world.log]).unwrap().to_string().into_bytes();
    told.attach(&Piece("receipt", note));
    let policy = recipient(&Ed25519Signer::new("x", Algorithm::Ed25519, &[9; 32]).unwrap());
    let own = policy.replace(&key("x", 9).key().to_string(), &told.world.log.key().to_string());
    let verdict = told.verdict(&own);
    assert_eq!(grade(verdict.story.as_ref().unwrap(), &[]).letters[0].grade, None);
}

#[test]
fn receipts_that_nobody_checks() {
    for content in ["<?xml version=\"1.0\"?><REMEvidence/>", "portal: read by J. Jansen", ""] {
        let one = graded(&[letter(), Piece("receipt", content.into())]);
        assert_eq!((one.grade, one.proved_by), (None, ProvedBy::OwnRecord));
        assert!(one.why[0].en.contains("not checked"), "{:?}", one.why);
    }
}

#[test]
fn transcripts_are_d_or_e_and_say_accepted() {
    let cases = [
        ("to the recipient's server, checked by DANE", TRANSCRIPT.to_owned(), Some(Grade::D)),
        ("checked by MTA-STS", TRANSCRIPT.replace("checked dane", "checked mta-sts"), Some(Grade::D)),
        ("not checked", TRANSCRIPT.replace("checked dane", "checked none"), Some(Grade::E)),
        ("to a server of the sender", TRANSCRIPT.replace("to mx", "to relay"), Some(Grade::E)),
        ("says DANE and has no STARTTLS", TRANSCRIPT.replace("C: STARTTLS\nS: 220 go ahead\n", ""), Some(Grade::E)),
        ("an old TLS", TRANSCRIPT.replace("TLSv1.3", "TLSv1.0"), Some(Grade::E)),
        ("refused at the end", TRANSCRIPT.replace("S: 250 2.0.0", "S: 554 5.7.1"), Some(Grade::F)),
        (
            "the recipient refused",
            TRANSCRIPT
                .replace("S: 250 2.1.5 Ok", "S: 550 5.1.1 unknown")
                .replace("S: 354 End data\nC: .\nS: 250 2.0.0 Ok: queued as 4XyZ\n", "S: 554 no valid recipients\n"),
            Some(Grade::F),
        ),
        ("put off", TRANSCRIPT.replace("S: 250 2.0.0", "S: 451 4.7.1"), None),
        ("broken off", TRANSCRIPT.replace("S: 250 2.0.0 Ok: queued as 4XyZ\n", ""), None),
        ("another address", TRANSCRIPT.replace("RCPT TO:<abuse@", "RCPT TO:<sales@"), None),
        ("no recipient was taken", TRANSCRIPT.replace("C: RCPT TO:<abuse@customer.example>\nS: 250 2.1.5 Ok\n", ""), None),
        ("answers without questions", TRANSCRIPT.replace("C: DATA\n", ""), None),
        ("some lines of a log", "RCPT TO:<abuse@customer.example>\n250 2.0.0 Ok\n".to_owned(), None),
        ("with CR LF", TRANSCRIPT.replace('\n', "\r\n"), Some(Grade::D)),
    ];
    for (why, text, expected) in cases {
        let one = graded(&[letter(), Piece("transcript", text.into_bytes())]);
        assert_eq!((one.grade, one.proved_by), (expected, ProvedBy::OwnRecord), "{why}: {one:?}");
        assert!(!format!("{one:?}").contains("delivered"), "{why}: nobody knows that");
        if expected == Some(Grade::D) {
            assert!(one.line.en.starts_with("accepted by MX \"mx.customer.example\" at 2026-03-02T08:00:05Z"), "{}", one.line.en);
        }
    }
}

#[test]
fn what_came_back_was_not_delivered() {
    let bounced = Piece("bounce", BOUNCE.into());
    let one = graded(&[letter(), Piece("transcript", TRANSCRIPT.into()), bounced]);
    assert_eq!((one.grade, one.proved_by), (Some(Grade::F), ProvedBy::OwnRecord));
    assert!(one.line.en.contains("5.1.1"), "{}", one.line.en);
    for (why, text, expected) in [
        ("delayed only", BOUNCE.replace("failed", "delayed").replace("5.1.1", "4.4.7"), None),
        ("a report of success", BOUNCE.replace("failed", "delivered").replace("5.1.1", "2.0.0"), None),
        ("another message", BOUNCE.replace("<1@provider", "<2@provider"), None),
        ("another address", BOUNCE.replace("rfc822; abuse@", "rfc822; sales@"), None),
        ("no report at all: the sender says it against himself", "it bounced".to_owned(), Some(Grade::F)),
    ] {
        assert_eq!(graded(&[letter(), Piece("bounce", text.into_bytes())]).grade, expected, "{why}");
    }
}

#[test]
fn nothing_attached_is_no_grade() {
    let one = graded(&[]);
    assert_eq!((one.grade, one.proved_by), (None, ProvedBy::OwnRecord));
    let one = graded(&[letter()]);
    assert_eq!(one.grade, None);
    assert!(one.sentence().en.ends_with("proved by: sender's own record"));
}

/// A mail that is signed by its domain (RFC 8463), and the record of its key in the DNS.
fn reply(extra: &str, names: &[&str], seed: u8) -> (Vec<u8>, String) {
    let fields = format!(
        "from:Abuse <abuse@customer.example>\r\nto:desk@provider.example\r\nsubject:Re: 192.0.2.7\r\nin-reply-to:<{ID}>\r\n{extra}"
    );
    let body = "We took it down.\r\n";
    let digest = BASE64.encode(Sha256::digest(body));
    let head = format!(
        "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=customer.example; s=s1; h={}; bh={digest}; b=",
        names.join(":")
    );
    let of = |name: &&str| {
        fields.split_inclusive("\r\n").filter(|line| line.starts_with(&format!("{name}:"))).last().unwrap_or_default()
    };
    let signed: String = names.iter().map(of).chain([head.as_str()]).collect();
    let key = key("customer.example", seed);
    let signature = BASE64.encode(key.sign(&Sha256::digest(signed)).unwrap());
    let record = format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(key.key().public()));
    (format!("{head}{signature}\r\n{fields}\r\n{body}").into_bytes(), record)
}

const COVERED: [&str; 4] = ["from", "to", "subject", "in-reply-to"];

fn observation(record: &str, at: &str, observer: &Ed25519Signer) -> Vec<u8> {
    let text = format!("sluis-dns-observation/v1\ns1._domainkey.customer.example\ntxt\n{at}\n{record}\n");
    Note::sign(&text, &[observer]).unwrap().to_string().into_bytes()
}

/// The log of these tests begins on 2 March 2026.
const THEN: &str = "2026-03-02T09:00:00Z";

#[test]
fn a_reply_counts_when_somebody_else_saw_the_key() {
    let observer = key("observer.example", 20);
    let policy = format!("#sluis observer {} The observatory\n", observer.key());
    let (mail, record) = reply("", &COVERED, 7);
    let seen = observation(&record, THEN, &observer);
    let answered =
        |mail: &[u8], policy: &str, seen: &[Vec<u8>]| graded_with(&[letter(), Piece("reply", mail.to_vec())], policy, seen);

    let one = answered(&mail, &policy, std::slice::from_ref(&seen));
    assert_eq!((one.grade, one.proved_by), (Some(Grade::D), ProvedBy::ThirdParty), "{one:?}");
    assert!(one.line.en.starts_with("answered: a mail from \"abuse@customer.example\""), "{}", one.line.en);
    // Attached to the bundle it is as good as beside it: its signature is what counts.
    let attached = [letter(), Piece("reply", mail.clone()), Piece("receipt", seen.clone())];
    assert_eq!(graded_with(&attached, &policy, &[]).proved_by, ProvedBy::ThirdParty);

    let own_observer = format!("#sluis observer {} Voorbeeld Hosting B.V.\n", observer.key());
    let (other_key, _) = reply("", &COVERED, 8);
    let (open_reply, open_record) = reply("", &["from", "to", "subject"], 7);
    assert_eq!(open_record, record);
    let changed = String::from_utf8(mail.clone()).unwrap().replace("took it down", "left it up").into_bytes();
    let foreign =
        String::from_utf8(reply("", &COVERED, 7).0).unwrap().replace("customer.example>", "elsewhere.example>").into_bytes();
    for (why, mail, policy, seen) in [
        ("nobody saw the key", &mail, policy.as_str(), vec![]),
        ("your policy does not know the observer", &mail, "", vec![seen.clone()]),
        ("the observer is the operator", &mail, &own_observer, vec![seen.clone()]),
        ("seen a year later", &mail, &policy, vec![observation(&record, "2027-03-02T09:00:00Z", &observer)]),
        (
            "a made-up key and its made-up observation",
            &other_key,
            &policy,
            vec![observation(&record, THEN, &key("observer.example", 21))],
        ),
        ("signed by another key", &other_key, &policy, vec![seen.clone()]),
        ("what it answers is not signed", &open_reply, &policy, vec![seen.clone()]),
        ("another text", &changed, &policy, vec![seen.clone()]),
        ("another sender", &foreign, &policy, vec![seen.clone()]),
    ] {
        let one = answered(mail, policy, &seen);
        assert_eq!((one.grade, one.proved_by), (None, ProvedBy::OwnRecord), "{why}: {one:?}");
    }
}

#[test]
fn what_a_program_answers_is_no_persons_reply() {
    let observer = key("observer.example", 20);
    let policy = format!("#sluis observer {} The observatory\n", observer.key());
    for extra in ["auto-submitted:auto-replied\r\n", "precedence:bulk\r\n", "x-autoreply:yes\r\n", "return-path:<>\r\n"] {
        let (mail, record) = reply(extra, &COVERED, 7);
        let seen = [observation(&record, THEN, &observer)];
        let one = graded_with(&[letter(), Piece("reply", mail)], &policy, &seen);
        assert!(one.line.en.starts_with("answered by a program, and by no person"), "{extra}: {}", one.line.en);
    }
    let (mail, record) = reply("auto-submitted:no\r\n", &COVERED, 7);
    let one = graded_with(&[letter(), Piece("reply", mail)], &policy, &[observation(&record, THEN, &observer)]);
    assert!(one.line.en.starts_with("answered: "));
}

#[test]
fn attribution_stands_beside_it() {
    let mut told = Told::begin();
    let verdict = told.verdict("");
    let grading = grade(verdict.story.as_ref().unwrap(), &[]);
    let [one] = grading.attributions.as_slice() else { panic!() };
    assert_eq!((one.word, one.source.as_deref(), one.age), ("address registry", Some("ripe"), Some(72 * 3_600_000)));
    assert!(one.line.en.contains("3 days before the letter"), "{}", one.line.en);
    assert!(one.line.en.ends_with("proved by: sender's own record"));
}

#[test]
fn the_verdict_says_it_everywhere_and_stays_as_it_is() {
    let mut told = Told::begin();
    told.attach(&letter());
    told.attach(&Piece("transcript", TRANSCRIPT.into()));
    let mut verdict = told.verdict("");
    let before = verdict.exit_code();
    into_verdict(&mut verdict, &[]);
    assert_eq!(verdict.exit_code(), before);
    let terminal = output::terminal(&verdict, Language::English);
    assert!(terminal.contains("letter 1: grade D: accepted by MX"), "{terminal}");
    assert!(output::terminal(&verdict, Language::Dutch).contains("brief 1: graad D"));
    let json = output::json(&verdict);
    assert!(json.contains("\"delivery\":{\"grade\":\"D\",\"proved_by\":\"sender's own record\""), "{json}");
    let about = output::About { bytes: b"", at: None, program: "test" };
    assert!(output::plain(&output::page(&verdict, &about, Language::English)).contains("grade D: accepted by MX"));
}

/// Whatever is attached: no panic, and never a better verdict.
#[test]
fn random_attachments_change_no_proof() {
    use proptest::prelude::*;
    let observer = key("observer.example", 20);
    let (mail, record) = reply("", &COVERED, 7);
    let good: Vec<Vec<u8>> = vec![
        TRANSCRIPT.into(),
        BOUNCE.into(),
        mail,
        observation(&record, THEN, &observer),
        LETTER.into(),
        signed(&Told::begin().receipt(), &key("customer.example", 7)).1,
    ];
    let mutated =
        (0..good.len(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), any::<prop::sample::Index>())
            .prop_map(move |(which, changes, end)| {
                let mut bytes = good[which].clone();
                for (at, byte) in changes {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                if end.index(4) == 0 {
                    bytes.truncate(end.index(bytes.len()));
                }
                bytes
            });
    let content = prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..400)];
    let what = prop::sample::select(vec!["letter", "transcript", "bounce", "reply", "receipt", "?"]);
    let pieces = prop::collection::vec((what, content), 1..5);
    let policy = format!("#sluis observer {} The observatory\n{}", observer.key(), recipient(&key("customer.example", 7)));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&pieces, |pieces| {
            let mut told = Told::begin();
            for (what, content) in pieces {
                told.attach(&Piece(what, content));
            }
            let mut verdict = told.verdict(&policy);
            let (before, outcomes): (u8, Vec<_>) =
                (verdict.exit_code(), verdict.checks.iter().map(sluis_verify::Check::outcome).collect());
            into_verdict(&mut verdict, &[]);
            prop_assert_eq!(verdict.exit_code(), before);
            let after: Vec<_> = verdict.checks.iter().map(sluis_verify::Check::outcome).collect();
            prop_assert_eq!(after, outcomes);
            prop_assert!(!format!("{:?}", verdict.checks[10]).contains("what is attached could not be read"), "a part failed");
            Ok(())
        })
        .unwrap();
}
