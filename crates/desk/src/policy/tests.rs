//! What policy files say, and what is said about those that are wrong.

use super::*;
use model::category::Kind;
use model::policy::{Acknowledge, Addressee, Mode, Rule, Speaker};
use model::severity::Severity;
use model::submission::Door;

fn rule<'p>(policy: &'p Policy, kind: Kind, port: u16, traits: &str, order: bool) -> &'p Rule {
    &policy.rules[policy.rule_for(kind, port, traits, order).unwrap()]
}

#[test]
fn the_shipped_policy_is_whole_and_forces_nothing() {
    let policy = read::read(SHIPPED, "policy.toml", &read::blank).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(policy, shipped());
    assert!(policy.care.iter().all(|care| care.mode == Mode::Observe), "a new node observes");
    assert!(policy.rules.iter().all(|rule| !rule.automatic), "nothing is forced by itself");
    assert!(policy.rules.iter().all(|rule| !rule.source.is_empty()));
    assert!(policy.trust.is_empty(), "only the operator can vouch");
    assert!(Kind::ALL.iter().all(|kind| policy.rule_for(*kind, 0, "", false).is_some()));
}

#[test]
fn the_shipped_rule_of_a_report() {
    let policy = shipped();
    for (kind, port, traits, order, expected) in [
        (Kind::Phishing, 0, "", false, "phishing P1 1 hour 12 hours 1 day"),
        (Kind::Phishing, 0, "", true, "order P0 - 1 day 1 day"),
        (Kind::Fraud, 0, "tco", true, "terror-order P0 - 1 hour 1 hour"),
        (Kind::Fraud, 0, "tco", false, "terror-content P1 - 12 hours -"),
        (Kind::Csam, 0, "", true, "csam-order P0 - 12 hours 12 hours"),
        (Kind::Csam, 0, "tag", false, "csam P0 1 hour 1 day 1 day"),
        (Kind::Csem, 0, "", false, "csem P0 - 1 day 1 day"),
        (Kind::Malware, 0, "rsit:malicious-code/malware-configuration", false, "malware-config P1 2 hours 1 day 1 day"),
        (Kind::Malware, 0, "rsit:malicious-code/malware-distribution", false, "malware P1 2 hours 1 day 1 day"),
        (Kind::Botnet, 443, "ransomware", false, "c2-critical P1 1 hour 4 hours 4 hours"),
        (Kind::Cve, 443, "KEV", false, "vulnerability-critical P2 1 day 7 days 14 days"),
        (Kind::Cve, 443, "feed:scan_exchange", false, "vulnerability P4 7 days 30 days -"),
        (Kind::OpenService, 53, "", false, "amplifier P3 3 days 14 days 21 days"),
        (Kind::OpenService, 0, "rsit:vulnerable/ddos-amplifier", false, "amplifier P3 3 days 14 days 21 days"),
        (Kind::OpenService, 23, "rsit:vulnerable/vulnerable-system", false, "open-service P4 7 days 30 days -"),
        (Kind::Copyright, 0, "", false, "copyright P3 1 day 5 business days -"),
        (Kind::RemoteCompromise, 0, "defamation", false, "defamation P3 1 day 7 business days -"),
    ] {
        let rule = rule(&policy, kind, port, traits, order);
        let term = |term: Option<model::calendar::Term>| term.map_or("-".to_owned(), |term| term.to_string());
        let found = format!("{} {} {} {} {}", rule.name, rule.severity, term(rule.customer), term(rule.fix), term(rule.force));
        assert_eq!(found, expected, "{kind} {port} {traits:?} {order}");
    }
}

#[test]
fn a_file_says_what_differs() {
    let text = r#"
name = "hoster.example"
[severity.P1]
mode = "act"
[[rule]]
name = "own-shop"
kinds = ["content/phishing", "content/fraud"]
when = [{ tags = ["brand:ours"] }, { feeds = ["own"], ports = [443] }]
severity = "P2"
acknowledge = "at once"
customer = "30 min"
fix = "2 business days"
addressee = "direct"
[[rule]]
name = "phishing"
fix = "6 hours"
quiet = "60 days"
[[trust]]
format = "shadowserver"
door = "file"
authenticated = true
trust = 0.9
[protected]
resources = ["192.0.2.53", "ns1.hoster.example"]
[authorities]
domains = ["politie.example"]
[calendar]
closed = ["2026-12-24"]
"#;
    let policy = read(text, "own.toml").unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(policy.name, "hoster.example");
    assert_eq!(policy.care(Severity::P1).mode, Mode::Act);
    assert_eq!(policy.care(Severity::P0).mode, Mode::Observe, "severity by severity");
    assert_eq!(policy.rules[0].name, "own-shop", "what is added is looked at first");
    assert_eq!(policy.rules.len(), shipped().rules.len() + 1);
    assert_eq!(
        (policy.rules[0].addressee, policy.rules[0].acknowledge),
        (Addressee::Direct, Acknowledge::Within(model::calendar::Term::Elapsed(0)))
    );
    assert_eq!(policy.rules[0].when[1].traits, ["feed:own"]);
    let changed = &policy.rules[policy.rule_named("phishing").unwrap()];
    assert_eq!(changed.fix.unwrap().to_string(), "6 hours");
    assert_eq!(changed.customer.unwrap().to_string(), "1 hour", "the rest is as shipped");
    let speaker = Speaker { reporter: "", format: "shadowserver", door: Door::File, sender: None, stated: None };
    let belief = policy.belief(&speaker);
    assert_eq!((belief.confidence, belief.authenticated), (90, true));
    assert_eq!(policy.protected.len(), 2);
    assert!(policy.authorities.len() == shipped().authorities.len() + 1);
    let day = |text: &str| model::time::Time::parse(text.as_bytes()).unwrap().day();
    assert!(!policy.calendar.is_business_day(day("2026-12-24")) && !policy.calendar.is_business_day(day("2026-12-25")));
    assert_eq!(read("", "empty.toml").unwrap().rules, shipped().rules);
}

/// A file that is whole by itself, to put something wrong before.
const WHOLE: &str = r#"
[[rule]]
name = "rest"
kinds = ["*"]
severity = "P3"
acknowledge = "digest"
customer = "1 day"
fix = "3 days"
addressee = "deepest"
"#;

#[test]
fn what_is_wrong_is_said_with_its_place_and_a_hint() {
    let new = |rest: &str| {
        format!(
            "[[rule]]\nname = \"own\"\nkinds = [\"content/phishing\"]\nwhen = {{ ports = [81] }}\nseverity = \"P1\"\nacknowledge = \"digest\"\ncustomer = \"1 hour\"\nfix = \"1 day\"\naddressee = \"both\"\n{rest}"
        )
    };
    let none = format!("base = \"none\"\n{WHOLE}");
    assert!(read(&none, "x.toml").is_ok() && read(&new(""), "x.toml").is_ok());
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("an unknown key", "[[rule]]\nname = \"spam\"\nfixx = \"1 day\"\n".into(), &["x.toml:3:1", "fixx", "did you mean 'fix'"]),
        ("an unknown table", "[sevrity.P1]\n".into(), &["x.toml:1:2", "did you mean 'severity'"]),
        ("an unknown severity", "[severity.P9]\n".into(), &["x.toml:1:11", "P9"]),
        ("no TOML", "severity".into(), &["x.toml:1:"]),
        (
            "an unknown kind",
            "[[rule]]\nname = \"spam\"\nkinds = [\"content/fishing\"]\n".into(),
            &["x.toml:3:10", "did you mean 'content/phishing'"],
        ),
        (
            "a kind of another category",
            "[[rule]]\nname = \"spam\"\nkinds = [\"content/spam\"]\n".into(),
            &["did you mean 'messaging/spam'"],
        ),
        ("no mode", "[severity.P1]\nmode = \"on\"\n".into(), &["x.toml:2:8", "\"observe\" or \"act\""]),
        ("no length of time", "[[rule]]\nname = \"spam\"\nfix = \"soon\"\n".into(), &["x.toml:3:7", "'soon'", "business days"]),
        (
            "terms out of order",
            "[[rule]]\nname = \"spam\"\nfix = \"1 hour\"\n".into(),
            &["x.toml:3:7", "`fix` (1 hour) is sooner than `customer` (1 day)"],
        ),
        ("force before fix", new("force = \"1 hour\"\n"), &["`force` (1 hour) is sooner than `fix` (1 day)"]),
        ("trust in percent", "[confidence]\nunknown = 50\n".into(), &["x.toml:2:11", "write 0.5"]),
        ("trust in everybody", "[[trust]]\ntrust = 0.9\n".into(), &["x.toml:2:9", "unknown"]),
        ("vouching for every door", "[[trust]]\nformat = \"arf\"\nauthenticated = true\ntrust = 0.9\n".into(), &["door"]),
        (
            "a proof of nobody",
            "[[trust]]\nformat = \"arf\"\nproven = \"dkim\"\ntrust = 0.9\n".into(),
            &["x.toml:3:10", "`reporter`"],
        ),
        ("no such proof", "[[trust]]\nreporter = \"a.example\"\nproven = \"pgp\"\ntrust = 0.9\n".into(), &["dkim, spf, any"]),
        (
            "vouched for and proven",
            "[[trust]]\nreporter = \"a.example\"\nproven = \"dkim\"\ndoor = \"imap\"\nauthenticated = true\ntrust = 0.9\n".into(),
            &["not both"],
        ),
        (
            "a proof of what is no mail",
            "[[trust]]\nreporter = \"a.example\"\nproven = \"any\"\ndoor = \"feed\"\ntrust = 0.9\n".into(),
            &["x.toml:4:8", "no mail"],
        ),
        (
            "a proof below a name",
            "[[trust]]\nreporter = \"example.org\"\ntrust = 0.2\n[[trust]]\nreporter = \"a.example.org\"\nproven = \"any\"\ntrust = 0.9\n".into(),
            &["x.toml:6:10", "above"],
        ),
        ("no such format", "[[trust]]\nformat = \"shadowservr\"\ntrust = 0.9\n".into(), &["did you mean 'shadowserver'"]),
        ("no such door", "[[trust]]\ndoor = \"window\"\ntrust = 0.9\n".into(), &["file, pipe, maildir"]),
        ("the warning before the reminder", "[ladder]\nremind = 90\n".into(), &["x.toml:2:10", "80 %"]),
        ("out of range", "[brake]\nfactor = 0\n".into(), &["from 1 to 1000"]),
        ("two of a name", format!("{}{}", new(""), new("")), &["x.toml:11:8", "line 2 already"]),
        (
            "a new rule in part",
            "[[rule]]\nname = \"phising\"\nfix = \"1 day\"\n".into(),
            &["does not say: kinds", "did you mean 'phishing'"],
        ),
        ("a condition of nothing", new("").replace("{ ports = [81] }", "{ }"), &["asks for nothing"]),
        ("no port", new("").replace("[81]", "[70000]"), &["from 1 to 65535"]),
        (
            "behind a rule that takes everything",
            new("").replace("when = { ports = [81] }\n", ""),
            &["'phishing' of the shipped policy can never hold", "'own' on line 2", "name = \"phishing\""],
        ),
        (
            "behind one's own",
            format!("base = \"none\"\n{WHOLE}{}", new("")),
            &["x.toml:12:8", "'own' on line 12 can never hold: 'rest' on line 4"],
        ),
        ("kinds without a rule", format!("base = \"none\"\n{}", new("")), &["no rule holds without conditions", "more"]),
        ("acting by itself, never", new("automatic = true\n"), &["x.toml:10:13", "does not say when"]),
        ("closing within the hour", new("quiet = \"1 hour\"\n"), &["x.toml:10:9", "a day or more"]),
        ("a protected nothing", "[protected]\nresources = [\"192.0.2.300\"]\n".into(), &["x.toml:2:14", "192.0.2.300"]),
        ("no zone", "[calendar]\nzone = \"Europe/Amstelveen\"\n".into(), &["x.toml:2:8", "no time zone"]),
        ("no holiday", "[calendar]\nalways = [\"Carnaval\"]\n".into(), &["x.toml:2:11", "Goede Vrijdag"]),
        ("no day", "[calendar]\nclosed = [\"24-12-2026\"]\n".into(), &["x.toml:2:11", "2026-12-24"]),
        ("no base", "base = \"mine\"\n".into(), &["x.toml:1:8", "shipped"]),
        ("an order word in every mail", "[authorities]\nwords = [\"de\"]\n".into(), &["x.toml:2:10", "four letters"]),
        ("business days of gathering", "[severity.P1]\ngather = \"1 business day\"\n".into(), &["x.toml:2:10", "hours or days"]),
    ];
    for (name, text, expected) in cases {
        let wrong = read(&text, "x.toml").expect_err(name).to_string();
        for word in expected {
            assert!(wrong.contains(word), "{name}: no {word:?} in\n{wrong}");
        }
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "[severity.P1]\nmode = \"on\"\n[brake]\nfactor = 0\n[[rule]]\nname = \"spam\"\nfix = \"soon\"\nmark = \"X\"\n";
    let wrong = read(text, "x.toml").unwrap_err();
    let lines: Vec<usize> = wrong.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 4, 7, 8]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_file_is_a_crash(at in 0usize..SHIPPED.len(), length in 0usize..40, put in "[\\PC\n\"=\\[\\]{}#]{0,12}") {
        let (mut from, mut to) = (at, (at + length).min(SHIPPED.len()));
        while !SHIPPED.is_char_boundary(from) { from -= 1; }
        while !SHIPPED.is_char_boundary(to) { to += 1; }
        let text = format!("{}{put}{}", &SHIPPED[..from], &SHIPPED[to..]);
        if let Err(wrong) = read(&text, "x.toml") {
            proptest::prop_assert!(!wrong.problems.is_empty());
            let lines = text.lines().count() + 1;
            proptest::prop_assert!(wrong.problems.iter().all(|problem| problem.line <= lines), "{wrong}");
        }
    }
}
