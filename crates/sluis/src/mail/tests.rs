//! Mails that are what they say, and mails that are not, before a real name server.

mod server;

use std::net::IpAddr;
use std::time::Instant;

use desk::sender::{Authenticate, Verdict};
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use model::sender::{Envelope, Proof};
use model::time::{DAY, Time};
use parsers::kinds::mail::Fields;
use proptest::prelude::*;

use super::dns::{Dns, Servers};
use super::relays::Relays;
use super::results::Results;

/// The key of RFC 8463, appendix A, and its record.
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const ALL: &[&str] = &["From", "To", "Subject", "Date", "Content-Type"];

const MAIL: &str = "From: Desk <abuse@list.example>\r\nTo: abuse@hoster.example\r\nSubject: spam from 192.0.2.7\r\n\
                    Date: Fri, 20 Nov 2026 11:58:00 +0000\r\nContent-Type: text/plain\r\n\r\nSource-IP: 192.0.2.7\r\n";

type Signer = DkimSigner<Ed25519Key, Done>;

fn signature(mail: &str, domain: &str, covers: &[&str], change: impl Fn(Signer) -> Signer) -> String {
    use base64::Engine as _;
    let bytes = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let key = Ed25519Key::from_seed_and_public_key(&bytes(SEED), &bytes(PUBLIC)).unwrap();
    let signer = DkimSigner::from_key(key).domain(domain).selector("s").headers(covers.iter().copied());
    change(signer).sign(mail.as_bytes()).unwrap().to_header()
}

/// A mail, signed as a whole by a domain name.
fn signed(mail: &str, domain: &str) -> String {
    format!("{}{mail}", signature(mail, domain, ALL, |signer| signer))
}

fn dns(records: &[(&str, &str)], relays: &[&str]) -> Dns {
    let relays = Relays::parse(&relays.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).unwrap();
    Dns::new(&Servers::These(vec![server::start(records)]), relays).unwrap()
}

fn received() -> Time {
    desk::Clock::now(&desk::SystemClock)
}

fn handed_over(peer: &str, path: &str) -> Envelope {
    let peer = peer.parse::<IpAddr>().ok();
    Envelope { peer, mail_from: Some(path.to_owned()), helo: "mx.list.example".to_owned(), ..Envelope::default() }
}

const RECORDS: &[(&str, &str)] = &[
    ("s._domainkey.list.example", RECORD),
    ("s._domainkey.other.list.example", RECORD),
    ("s._domainkey.evil.example", RECORD),
    ("s._domainkey.strict.example", RECORD),
    ("s._domainkey.a.strict.example", RECORD),
    ("s._domainkey.trial.example", "v=DKIM1; t=y; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
    ("s._domainkey.github.io", RECORD),
    ("list.example", "v=spf1 ip4:198.51.100.7 -all"),
    ("evil.example", "v=spf1 +all"),
    ("strict.example", "v=spf1 ip4:198.51.100.7 -all"),
    ("broken-spf.list.example", "v=spf1 include:x.broken.example -all"),
    ("_dmarc.list.example", "v=DMARC1; p=reject"),
    ("_dmarc.strict.example", "v=DMARC1; p=quarantine; adkim=s; aspf=s"),
    ("_dmarc.loose.example", "v=DMARC1; p=none; rua=mailto:r@loose.example"),
];

#[test]
fn what_proves_who_a_mail_is_from() {
    let dns = dns(RECORDS, &[]);
    let us = handed_over("198.51.100.7", "bounce@list.example");
    let stranger = handed_over("203.0.113.66", "bounce@list.example");
    let nobody = Envelope::default;
    let from = |domain: &str| MAIL.replace("@list.example", &format!("@{domain}"));
    let tampered = |domain: &str, covers: &[&str], change: &dyn Fn(Signer) -> Signer, more: &str| {
        let mail = from(domain);
        format!("{}{mail}{more}", signature(&mail, domain, covers, change))
    };
    let same = |signer: Signer| signer;
    let prepended = |field: &str| format!("{field}\r\n{}", signed(MAIL, "list.example"));
    let twice = signed(&signed(MAIL, "evil.example"), "list.example");
    for (name, mail, envelope, proof, domain, says) in [
        ("signed", signed(MAIL, "list.example"), nobody(), Proof::Dkim, "list.example", "dkim=pass (d=list.example, s=s)"),
        ("by a stranger as well", twice, nobody(), Proof::Dkim, "list.example", "dmarc=pass (p=reject)"),
        ("by what is above it", signed(&from("a.list.example"), "list.example"), nobody(), Proof::Dkim, "a.list.example", ""),
        ("by a sister", signed(MAIL, "other.list.example"), nobody(), Proof::Dkim, "other.list.example", ""),
        (
            "by a sister, where that is too loose",
            signed(&from("strict.example"), "a.strict.example"),
            nobody(),
            Proof::Unproven,
            "",
            "",
        ),
        (
            "by itself, where strict",
            signed(&from("strict.example"), "strict.example"),
            nobody(),
            Proof::Dkim,
            "strict.example",
            "",
        ),
        ("by a stranger", signed(MAIL, "evil.example"), nobody(), Proof::Unproven, "", "dkim=none of this organisation"),
        (
            "by a stranger, who handed it over",
            signed(MAIL, "evil.example"),
            handed_over("203.0.113.66", "x@evil.example"),
            Proof::Failed,
            "",
            "dmarc=fail (p=reject)",
        ),
        ("its envelope", MAIL.to_owned(), us.clone(), Proof::Spf, "list.example", "spf=pass (list.example, 198.51.100.7)"),
        ("a forged envelope", MAIL.to_owned(), stranger.clone(), Proof::Failed, "", "spf=fail"),
        ("no envelope", MAIL.to_owned(), nobody(), Proof::Unproven, "", "nobody saw who handed it over"),
        ("a bounce's", MAIL.to_owned(), handed_over("203.0.113.66", ""), Proof::Failed, "", "without a reverse-path"),
        ("who disowns nothing", from("loose.example"), stranger.clone(), Proof::Unproven, "", "dmarc=fail (p=none)"),
        ("who says nothing", from("quiet.example"), stranger.clone(), Proof::Unproven, "", "dmarc=none"),
        (
            "another body",
            signed(MAIL, "list.example").replace("192.0.2.7\r\n", "192.0.2.8\r\n"),
            nobody(),
            Proof::Unproven,
            "",
            "body hash",
        ),
        ("a second From", prepended("From: abuse@list.example"), nobody(), Proof::Unproven, "", "more than one From"),
        (
            "a second From, further down",
            signed(MAIL, "list.example").replace("To: ", "From: x@evil.example\r\nTo: "),
            nobody(),
            Proof::Unproven,
            "",
            "more than one From",
        ),
        ("a second Subject", prepended("Subject: botnet"), nobody(), Proof::Unproven, "", "more than one Subject"),
        (
            "a second Date",
            prepended("Date: Fri, 20 Nov 2026 10:58:00 +0000"),
            nobody(),
            Proof::Unproven,
            "",
            "more than one Date",
        ),
        ("other parts", prepended("Content-Type: multipart/mixed; boundary=x"), nobody(), Proof::Unproven, "", "how to read it"),
        (
            "an end that is open",
            tampered("list.example", ALL, &|signer| signer.body_length(true), "Source-IP: 192.0.2.8\r\n"),
            nobody(),
            Proof::Unproven,
            "",
            "'l='",
        ),
        (
            "its subject left open",
            tampered("list.example", &["From", "Date", "Content-Type"], &same, ""),
            nobody(),
            Proof::Unproven,
            "",
            "does not cover Subject",
        ),
        (
            "its parts left open",
            tampered("list.example", &["From", "Date", "Subject"], &same, ""),
            nobody(),
            Proof::Unproven,
            "",
            "does not cover Content-Type",
        ),
        ("a trial", signed(&from("trial.example"), "trial.example"), nobody(), Proof::Unproven, "", "tried out"),
        ("a key that is not there", signed(&from("none.example"), "none.example"), nobody(), Proof::Unproven, "", "not found"),
        (
            "a name server that fails",
            signed(&from("a.broken.example"), "a.broken.example"),
            nobody(),
            Proof::Unknown,
            "",
            "temp error",
        ),
        (
            "an envelope that cannot be told",
            from("list.example"),
            handed_over("203.0.113.66", "x@broken-spf.list.example"),
            Proof::Unknown,
            "",
            "temperror",
        ),
        ("everybody's name", signed(&from("github.io"), "github.io"), nobody(), Proof::Unproven, "", ""),
        (
            "two authors",
            signed(&MAIL.replace("<abuse@list.example>", "<abuse@list.example>, <x@evil.example>"), "list.example"),
            us.clone(),
            Proof::Unproven,
            "",
            "exactly one address",
        ),
        (
            "a group",
            signed(&MAIL.replace("Desk <abuse@list.example>", "Desk: abuse@list.example;"), "list.example"),
            us.clone(),
            Proof::Unproven,
            "",
            "exactly one address",
        ),
        (
            "a name that looks like one",
            MAIL.replace("Desk <abuse@list.example>", "\"abuse@list.example\" <x@evil.example>"),
            us.clone(),
            Proof::Unproven,
            "",
            "dmarc=none",
        ),
        (
            "a line end of its own",
            signed(MAIL, "list.example").replace("Source-IP", "Source\rIP"),
            us.clone(),
            Proof::Unproven,
            "",
            "carriage return",
        ),
        ("line feeds alone", signed(MAIL, "list.example").replace("\r\n", "\n"), nobody(), Proof::Dkim, "list.example", ""),
        (
            "out of a mailbox",
            format!("From x@y.example Fri Nov 20 11:58:00 2026\r\n{}", signed(MAIL, "list.example")),
            nobody(),
            Proof::Dkim,
            "list.example",
            "",
        ),
        (
            "a line that is no field",
            signed(MAIL, "list.example").replace("To: ", "no field\r\nTo: "),
            nobody(),
            Proof::Unproven,
            "",
            "two ways",
        ),
        (
            "a blank line that is none",
            signed(MAIL, "list.example").replace("To: ", " \r\nTo: "),
            nobody(),
            Proof::Unproven,
            "",
            "two ways",
        ),
        ("no mail", "a,b\r\n1,2\r\n".to_owned(), us.clone(), Proof::Unproven, "", ""),
        ("nothing", String::new(), us.clone(), Proof::Unproven, "", ""),
    ] {
        let verdict = dns.authenticate(mail.as_bytes(), &envelope, received());
        assert_eq!((verdict.proof, verdict.domain.as_str()), (proof, domain), "{name}: {}", verdict.detail);
        assert!(verdict.detail.to_lowercase().contains(&says.to_lowercase()), "{name}: {}", verdict.detail);
    }
}

#[test]
fn a_signature_ends_by_the_clock_of_the_node_too() {
    let dns = dns(RECORDS, &[]);
    let mail = format!("{}{MAIL}", signature(MAIL, "list.example", ALL, |signer| signer.expiration(3_600)));
    let at = |when: Time| dns.authenticate(mail.as_bytes(), &Envelope::default(), when);
    assert_eq!(at(received()).proof, Proof::Dkim);
    let late = at(received().plus(DAY));
    assert_eq!(late.proof, Proof::Unproven);
    assert!(late.detail.contains("expired"), "{}", late.detail);
}

#[test]
fn a_name_server_that_stays_silent_holds_up_for_seconds() {
    let dns = dns(RECORDS, &[]);
    let begun = Instant::now();
    let mail = signed(&MAIL.replace("@list.example", "@a.silent.example"), "a.silent.example");
    let verdict = dns.authenticate(mail.as_bytes(), &Envelope::default(), received());
    assert_eq!(verdict.proof, Proof::Unknown, "{}", verdict.detail);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

/// RFC 8463, appendix A: one mail, signed with Ed25519 and with RSA.
#[test]
fn the_example_of_the_standard_holds() {
    const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
    let example = include_str!("tests/rfc8463.eml");
    for (name, selector, record) in [("ed25519", "brisbane", RECORD), ("rsa", "test", RSA)] {
        let key = format!("{selector}._domainkey.football.example.com");
        let dns = dns(&[(key.as_str(), record)], &[]);
        let verdict = dns.authenticate(example.as_bytes(), &Envelope::default(), received());
        assert_eq!((verdict.proof, verdict.domain.as_str()), (Proof::Dkim, "football.example.com"), "{name}: {}", verdict.detail);
        let changed = example.replace("hungry", "thirsty");
        assert_eq!(dns.authenticate(changed.as_bytes(), &Envelope::default(), received()).proof, Proof::Unproven, "{name}");
    }
}

#[test]
fn through_machines_of_our_own() {
    let ours = dns(RECORDS, &["192.0.2.25", "192.0.2.32/28"]);
    let none = dns(RECORDS, &[]);
    let hop = |from: &str| format!("Received: from {from} by mx.hoster.example with ESMTP; Fri, 20 Nov 2026 11:59:00 +0000\r\n");
    let honest = hop("mx.list.example (mx.list.example [198.51.100.7])");
    let inner = hop("mx.hoster.example (mx.hoster.example [192.0.2.25])");
    let forged = hop("[198.51.100.7] (evil.example [203.0.113.66])");
    let path = "Return-Path: <bounce@list.example>\r\n";
    for (name, header, envelope, proof) in [
        ("fetched from a mailbox", format!("{path}{honest}"), Envelope::default(), Proof::Spf),
        ("passed on inside", format!("{path}{inner}{honest}"), Envelope::default(), Proof::Spf),
        ("handed over by one of ours", format!("{path}{honest}"), handed_over("192.0.2.40", "bounce@list.example"), Proof::Spf),
        ("by this machine", honest.clone(), handed_over("127.0.0.1", "bounce@list.example"), Proof::Spf),
        (
            "a stranger, who brings a field of ours",
            format!("{path}{honest}"),
            handed_over("203.0.113.66", "bounce@list.example"),
            Proof::Failed,
        ),
        ("a stranger below", format!("{path}{forged}{honest}"), Envelope::default(), Proof::Failed),
        ("a stranger who greets with an address", format!("{path}{forged}"), Envelope::default(), Proof::Failed),
        ("a reverse-path below", format!("{honest}{path}"), Envelope::default(), Proof::Unproven),
        ("two reverse-paths", format!("{path}{path}{honest}"), Envelope::default(), Proof::Unproven),
        ("no address", format!("{path}{}{honest}", hop("somewhere")), Envelope::default(), Proof::Unproven),
    ] {
        let verdict = ours.authenticate(format!("{header}{MAIL}").as_bytes(), &envelope, received());
        assert_eq!(verdict.proof, proof, "{name}: {}", verdict.detail);
    }
    let verdict = none.authenticate(format!("{path}{honest}{MAIL}").as_bytes(), &Envelope::default(), received());
    assert_eq!(verdict.proof, Proof::Unproven, "nothing that stands in it is believed: {}", verdict.detail);
}

#[test]
fn what_an_own_mail_server_wrote() {
    let relays = Relays::parse(&["192.0.2.25".to_owned()]).unwrap();
    let results = Results::new("MX.hoster.example", relays);
    let judge = |mail: &str| -> Verdict { results.authenticate(mail.as_bytes(), &Envelope::default(), received()) };
    let hop = |from: &str| format!("Received: from x ({from}) by mx.hoster.example; Fri, 20 Nov 2026 11:59:00 +0000\r\n");
    let (border, inner) = (hop("a.example [203.0.113.66]"), hop("mx [192.0.2.25]"));
    let wrote = |what: &str| format!("Authentication-Results: mx.hoster.example; {what}\r\n");
    let pass = "dkim=pass (2048-bit key; unprotected) header.d=list.example header.i=@list.example header.b=\"abc=\"";
    let signed = signed(MAIL, "list.example");
    let open = format!("{}{MAIL}", signature(MAIL, "list.example", ALL, |signer| signer.body_length(true)));
    for (name, mail, proof, domain) in [
        ("a signature", format!("{}{border}{signed}", wrote(pass)), Proof::Dkim, "list.example"),
        ("inside as well", format!("{inner}{}{inner}{border}{signed}", wrote(pass)), Proof::Dkim, "list.example"),
        ("below what it received", format!("{border}{}{signed}", wrote(pass)), Proof::Unproven, ""),
        (
            "of another server",
            format!("Authentication-Results: mx.evil.example; {pass}\r\n{border}{signed}"),
            Proof::Unproven,
            "",
        ),
        ("without the signature", format!("{}{border}{MAIL}", wrote(pass)), Proof::Unproven, ""),
        ("an open end", format!("{}{border}{open}", wrote(pass)), Proof::Unproven, ""),
        ("of a stranger", format!("{}{border}{signed}", wrote("dkim=pass header.d=evil.example")), Proof::Unproven, ""),
        (
            "by its identity alone",
            format!("{}{border}{signed}", wrote("dkim=pass header.i=@list.example header.s=s")),
            Proof::Dkim,
            "list.example",
        ),
        (
            "an envelope",
            format!("{}{border}{MAIL}", wrote("spf=pass smtp.mailfrom=bounce@list.example")),
            Proof::Spf,
            "list.example",
        ),
        ("another's envelope", format!("{}{border}{MAIL}", wrote("spf=pass smtp.mailfrom=x@evil.example")), Proof::Unproven, ""),
        (
            "disowned",
            format!(
                "{}{border}{MAIL}",
                wrote("spf=pass smtp.mailfrom=x@evil.example; dmarc=fail (p=reject dis=none) header.from=list.example")
            ),
            Proof::Failed,
            "",
        ),
        (
            "disowned, in capitals",
            format!("{}{border}{MAIL}", wrote("dmarc=fail (p=QUARANTINE sp=NONE) header.from=list.example")),
            Proof::Failed,
            "",
        ),
        (
            "disowned, in a property",
            format!("{}{border}{MAIL}", wrote("dmarc=fail header.from=list.example policy.dmarc=reject")),
            Proof::Failed,
            "",
        ),
        (
            "too strict for it",
            format!("{}{border}{signed}", wrote(&format!("{pass}; dmarc=fail (p=none) header.from=list.example"))),
            Proof::Unproven,
            "",
        ),
        ("nothing found", format!("{}{border}{signed}", wrote("none")), Proof::Unproven, ""),
        (
            "a pass in a comment",
            format!("{}{border}{signed}", wrote("dkim=fail (; dkim=pass header.d=list.example)")),
            Proof::Unproven,
            "",
        ),
        (
            "a pass in quotes",
            format!("{}{border}{signed}", wrote("dkim=fail reason=\"; dkim=pass header.d=list.example\"")),
            Proof::Unproven,
            "",
        ),
        (
            "a version",
            format!(
                "Authentication-Results: mx.hoster.example 1 ;\r\n\tdkim/1 = pass\r\n\theader.d = list.example\r\n{border}{signed}"
            ),
            Proof::Dkim,
            "list.example",
        ),
        ("two authors", format!("{}{border}From: x@evil.example\r\n{signed}", wrote(pass)), Proof::Unproven, ""),
    ] {
        let verdict = judge(&mail);
        assert_eq!((verdict.proof, verdict.domain.as_str()), (proof, domain), "{name}: {}", verdict.detail);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is put into a signed mail: either it proves nothing, or readers see the same mail.
    #[test]
    fn what_is_proven_is_what_readers_see(
        field in prop_oneof![
            Just("From: x@evil.example"), Just("Subject: y"), Just("Content-Type: text/html"), Just("From : x@evil.example"), Just(" x"), Just(""),
            Just("From\t: x@evil.example"), Just("fRoM:x@evil.example"), Just("X: y\r\n\r\nFrom: x@evil.example"), Just("X"), Just(":"), Just("\tX: y"),
            Just("Content-Transfer-Encoding: base64"), Just("DKIM-Signature: v=1; d=list.example; s=s; l=0"), Just("\0From: x@evil.example"),
        ],
        end in prop_oneof![Just("\r\n"), Just("\n"), Just("\r"), Just("\r\n\r\n"), Just("\r\n "), Just("")],
        at in 0usize..700,
        is_at_a_line in any::<bool>(),
    ) {
        use std::sync::OnceLock;
        static DNS: OnceLock<Dns> = OnceLock::new();
        let dns = DNS.get_or_init(|| dns(RECORDS, &[]));
        let whole = signed(MAIL, "list.example");
        let mut at = at % whole.len();
        if is_at_a_line {
            at = whole[..at].rfind('\n').map_or(0, |end| end + 1);
        }
        let mail = format!("{}{field}{end}{}", &whole[..at], &whole[at..]);
        let verdict = dns.authenticate(mail.as_bytes(), &Envelope::default(), received());
        if verdict.proof == Proof::Dkim {
            let bytes = mail.as_bytes();
            let (fields, body) = Fields::parse(parsers::kinds::mail::skip_envelope(bytes));
            prop_assert_eq!(fields.author().unwrap(), "abuse@list.example");
            prop_assert_eq!(fields.text("Subject").unwrap(), "spam from 192.0.2.7");
            prop_assert_eq!(fields.first("Content-Type").unwrap(), b"text/plain");
            prop_assert_eq!(body.trim_ascii(), b"Source-IP: 192.0.2.7");
            prop_assert!(fields.first("Content-Transfer-Encoding").is_none());
        }
    }

    #[test]
    fn no_bytes_are_too_strange(text in "[ -~\\r\\n\\t\\PC]{0,200}", value in "[a-z=;\"()\\\\ .@/]{0,80}") {
        let results = Results::new("a", Relays::default());
        let mail = format!("Authentication-Results: a{value}\r\nFrom: a@b.example\r\n{text}");
        results.authenticate(mail.as_bytes(), &Envelope::default(), Time(0));
        results.authenticate(text.as_bytes(), &Envelope::default(), Time(0));
    }
}

/// A list whose mail is trusted when it is signed, and who writes in its name.
#[test]
fn a_forged_mail_of_a_list_beside_a_signed_one() {
    use desk::{Clock, Desk, Reading, SystemClock};
    use model::submission::Door;
    use std::io::Cursor;
    use std::sync::Arc;

    let directory = std::env::temp_dir().join(format!("sluis-trust-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let mut desk = Desk::open(&directory, Arc::new(SystemClock) as Arc<dyn Clock>, Reading::default()).unwrap();
    desk.set_authenticate(Arc::new(dns(RECORDS, &[])), 0);
    let policy = "[[trust]]\nreporter = \"list.example\"\nproven = \"dkim\"\ntrust = 0.9\n\
                  [[trust]]\nformat = \"arf\"\ndoor = \"smtp\"\nauthenticated = true\ntrust = 0.8\n";
    desk.set_policy(policy, "policy.toml").unwrap();
    let now = as_a_mail_says(&desk);
    let mail = |address: u8| {
        format!(
            "From: reports@list.example\r\nTo: abuse@hoster.example\r\nSubject: abuse report\r\nDate: {now}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nspam\r\n\
             --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: t/1\r\nVersion: 1\r\n\
             Source-IP: 192.0.2.{address}\r\nArrival-Date: {now}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
             From: x@spam.example\r\nSubject: buy\r\n\r\nbuy\r\n--b--\r\n"
        )
    };
    let send = |mail: String, envelope: Envelope| {
        let id = desk.receive_from(Door::Smtp, "", envelope, &mut Cursor::new(mail)).unwrap().id();
        desk.work(&|_, _| {}).unwrap();
        let mut reader = desk.store().reader().unwrap();
        let sender = reader.read(|transaction| transaction.sender(id)).unwrap().unwrap().sender;
        let cases = reader.read(|transaction| transaction.list_cases(&Default::default(), 10)).unwrap();
        let newest = cases.iter().max_by_key(|(filed, _)| filed.case.id).unwrap();
        (sender.proof, newest.1.confidence, newest.1.has(store::cases::marks::AUTHENTICATED), cases.len())
    };
    let stranger = || handed_over("203.0.113.66", "bounce@list.example");
    assert_eq!(send(signed(&mail(1), "list.example"), stranger()), (Proof::Dkim, 90, true, 1), "passed on, and signed");
    assert_eq!(send(mail(2), stranger()), (Proof::Failed, 10, false, 2), "forged");
    let signed_by_another = signed(&mail(3), "evil.example");
    assert_eq!(send(signed_by_another, Envelope::default()), (Proof::Unproven, 50, false, 3), "signed by a stranger");
    let changed = signed(&mail(4), "list.example").replace("192.0.2.4", "192.0.2.5");
    assert_eq!(send(changed, Envelope::default()), (Proof::Unproven, 50, false, 4), "of another address");
    drop(desk);
    let _ = std::fs::remove_dir_all(&directory);
}

/// Now, as a mail says it.
fn as_a_mail_says(desk: &desk::Desk) -> String {
    let now = desk.now().to_string();
    let mut parts = now.split(['-', 'T', ':', '.', 'Z']);
    let mut part = || parts.next().unwrap().to_owned();
    let (year, month, day, hour, minute, second) = (part(), part(), part(), part(), part(), part());
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".get(3 * (month.parse::<usize>().unwrap() - 1)..).unwrap();
    format!("{day} {} {year} {hour}:{minute}:{second} +0000", &month[..3])
}
