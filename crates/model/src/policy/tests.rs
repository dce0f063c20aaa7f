//! What follows from what: stories of one case, as tables.

use super::*;
use crate::advisory::{Cve, Exploited};
use crate::outbox::{Hold, Purpose};
use crate::sender::Silence;
use crate::step::What;
use crate::time::{HOUR, MINUTE, Time};

const T0: Time = Time(1_780_000_000_000);

fn policy(mode: Mode) -> Policy {
    let rule = Rule {
        name: "phishing".to_owned(),
        kinds: vec![Kind::Phishing],
        when: Vec::new(),
        severity: Severity::P1,
        acknowledge: Acknowledge::Within(Term::Elapsed(HOUR)),
        customer: Some(Term::Elapsed(HOUR)),
        fix: Some(Term::Elapsed(12 * HOUR)),
        force: Some(Term::Elapsed(24 * HOUR)),
        automatic: false,
        addressee: Addressee::Deepest,
        quiet: None,
        absent_runs: None,
        source: "practice".to_owned(),
        mark: Mark::Design,
    };
    let scan = Rule {
        name: "open-service".to_owned(),
        kinds: vec![Kind::OpenService],
        severity: Severity::P4,
        customer: Some(Term::Elapsed(7 * DAY)),
        fix: Some(Term::Elapsed(30 * DAY)),
        force: None,
        quiet: Some(Term::Elapsed(14 * DAY)),
        absent_runs: Some(3),
        ..rule.clone()
    };
    Policy {
        name: "test".to_owned(),
        care: [Care { mode, gather: 0 }; 5],
        rules: vec![rule, scan],
        remind: 50,
        warn: 80,
        watch_below: 40,
        unknown: 50,
        trust: Vec::new(),
        repeat: Repeat { confirmed: 3, ignored: 2, within: 90 * DAY },
        brake: Brake { factor: 5, letters: 50, restrictions: 5 },
        exploited: WhenExploited { raise: true, at_most: Severity::P1, customer: None, fix: Some(Term::Elapsed(3 * DAY)) },
        dispute: Term::BusinessDays(5),
        history: 90 * DAY,
        protected: Vec::new(),
        authorities: Vec::new(),
        order_words: Vec::new(),
        calendar: Calendar::default(),
    }
}

fn facts() -> Facts {
    Facts {
        rule: 0,
        progress: None,
        received: T0,
        last_received: T0,
        history: false,
        deepest: Some(7),
        direct: Some(3),
        confidence: 50,
        authenticated: false,
        signed: false,
        corroborated: false,
        spoofable: false,
        stale: false,
        holder_changed: false,
        holds_now: true,
        shared: false,
        protected: false,
        disputed: None,
        snoozed: None,
        ordered: None,
        absent: None,
        exploited: None,
        next_run: None,
    }
}

/// Lets a case go its way: decides whenever it asks for it, up to `until`; what happened and when, in hours.
fn live(mut facts: Facts, policy: &Policy, until: i64) -> Vec<(i64, String)> {
    let (mut now, mut story) = (facts.received, Vec::new());
    loop {
        let done = decide(&facts, policy, now);
        let hour = (now.0 - facts.received.0) / HOUR;
        story.extend(done.steps.iter().map(|step| (hour, step.what.word().to_owned())));
        story.extend(done.errands.iter().map(|errand| (hour, format!("{} to {}", errand.purpose.word(), errand.party))));
        facts.progress = Some(done.progress);
        let again = decide(&facts, policy, now);
        if done.closed.is_none() {
            assert_eq!(again.steps, [], "deciding again at once does nothing");
            assert_eq!(again.next, done.next);
        }
        match done.next {
            Some(next) if next.0 - facts.received.0 <= until && done.closed.is_none() => {
                assert!(next > now, "time moves on");
                now = next;
            }
            _ => return story,
        }
    }
}

fn words(story: &[(i64, String)]) -> Vec<(i64, &str)> {
    story.iter().map(|(hour, what)| (*hour, what.as_str())).collect()
}

#[test]
fn an_exploited_weak_point_makes_a_case_one_worse_and_never_one_of_lives() {
    let mut policy = policy(Mode::Act);
    let exploited = Some(Exploited { cve: Cve::parse("CVE-2026-1000").unwrap(), ransomware: false });
    for (rule, at_most, raise, wanted) in [
        (Severity::P4, Severity::P1, true, Severity::P3),
        (Severity::P2, Severity::P1, true, Severity::P1),
        (Severity::P1, Severity::P1, true, Severity::P1),
        (Severity::P0, Severity::P1, true, Severity::P0),
        (Severity::P3, Severity::P3, true, Severity::P3),
        (Severity::P2, Severity::P3, true, Severity::P2),
        (Severity::P3, Severity::P1, false, Severity::P3),
    ] {
        (policy.exploited.raise, policy.exploited.at_most) = (raise, at_most);
        policy.rules[1].severity = rule;
        let facts = Facts { rule: 1, exploited, ..facts() };
        let decided = decide(&facts, &policy, T0);
        assert_eq!(decided.progress.severity, wanted, "{rule} at most {at_most}");
        assert_eq!(decided.progress.clocks.fix, Some(T0.plus(3 * DAY)), "the shorter term holds");
        assert_eq!(decide(&Facts { progress: Some(decided.progress), ..facts }, &policy, T0).steps, [], "only once");
    }
}

#[test]
fn a_case_that_nobody_mends() {
    let story = live(facts(), &policy(Mode::Act), 40 * DAY);
    assert_eq!(
        words(&story),
        [
            (0, "clocks set"),
            (0, "told"),
            (0, "to customer to 7"),
            (6, "reminded"),
            (6, "reminder to 7"),
            (9, "warned"),
            (9, "last warning to 7"),
            (12, "overdue"),
            (24, "restriction proposed"),
            (24, "restriction to 7"),
        ]
    );
}

#[test]
fn holds() {
    let act = policy(Mode::Act);
    for (name, policy, facts, expected) in [
        ("a new node observes", &policy(Mode::Observe), facts(), vec![Hold::Observing]),
        ("a stale source", &act, Facts { stale: true, ..facts() }, vec![Hold::StaleSource]),
        ("a doubtful reporter", &act, Facts { confidence: 39, ..facts() }, vec![]),
        ("history", &act, Facts { history: true, ..facts() }, vec![]),
        ("nobody known", &act, Facts { deepest: None, direct: None, ..facts() }, vec![]),
        ("our own address", &act, Facts { deepest: Some(1), direct: None, ..facts() }, vec![]),
        ("a corrected holder", &act, Facts { holder_changed: true, ..facts() }, vec![]),
        ("disputed", &act, Facts { disputed: Some(T0), ..facts() }, vec![]),
        ("snoozed", &act, Facts { snoozed: Some(T0.plus(HOUR)), ..facts() }, vec![]),
        ("as it should be", &act, facts(), vec![Hold::Free]),
    ] {
        let done = decide(&facts, policy, T0);
        let holds: Vec<Hold> = done.errands.iter().map(|errand| errand.hold).collect();
        assert_eq!(holds, expected, "{name}");
    }
}

#[test]
fn restrictions_need_more_than_time() {
    let mut automatic = policy(Mode::Act);
    automatic.rules[0].automatic = true;
    let sure = Facts { authenticated: true, signed: true, ..facts() };
    for (name, policy, facts, expected) in [
        ("the shipped policy forces nothing", &policy(Mode::Act), sure, Hold::Person),
        ("nobody has proved to be the sender", &automatic, facts(), Hold::Person),
        ("known by an envelope alone", &automatic, Facts { signed: false, ..sure }, Hold::Person),
        ("packets have no sender", &automatic, Facts { spoofable: true, ..sure }, Hold::Person),
        ("two say so", &automatic, Facts { spoofable: true, corroborated: true, ..sure }, Hold::Free),
        ("yesterday's tenant", &automatic, Facts { holds_now: false, ..sure }, Hold::HolderChanged),
        ("a neighbour on the address", &automatic, Facts { shared: true, ..sure }, Hold::TwoPeople),
        ("a mail server", &automatic, Facts { protected: true, ..sure }, Hold::Protected),
        ("stale", &automatic, Facts { stale: true, ..sure }, Hold::StaleSource),
        ("all is well", &automatic, sure, Hold::Free),
    ] {
        let done = decide(&facts, policy, T0);
        let later = Facts { progress: Some(done.progress), ..facts };
        let done = decide(&later, policy, T0.plus(25 * HOUR));
        let restriction = done.errands.iter().find(|errand| errand.purpose == Purpose::Restriction).unwrap();
        assert_eq!(restriction.hold, expected, "{name}");
    }
}

#[test]
fn what_anybody_could_have_written_wakes_nobody() {
    let policy = policy(Mode::Act);
    let mut grave = policy.clone();
    grave.rules[0].severity = Severity::P0;
    let sure = Facts { authenticated: true, signed: true, ..facts() };
    for (name, policy, facts, expected) in [
        ("a stranger", &policy, facts(), vec![]),
        ("who proved to be the sender", &policy, sure, vec![Alarm::Urgent, Alarm::Overdue]),
        ("two of them", &policy, Facts { corroborated: true, ..facts() }, vec![Alarm::Urgent, Alarm::Overdue]),
        ("lives may be at stake", &grave, facts(), vec![Alarm::Urgent, Alarm::Overdue]),
    ] {
        let done = decide(&facts, policy, T0);
        let later = Facts { progress: Some(done.progress), ..facts };
        let alarms = [done.alarms, decide(&later, policy, T0.plus(13 * HOUR)).alarms].concat();
        assert_eq!(alarms, expected, "{name}");
    }
}

#[test]
fn after_a_standstill_one_letter() {
    let policy = policy(Mode::Act);
    let done = decide(&facts(), &policy, T0);
    let later = Facts { progress: Some(done.progress), ..facts() };
    let done = decide(&later, &policy, T0.plus(10 * HOUR));
    let purposes: Vec<Purpose> = done.errands.iter().map(|errand| errand.purpose).collect();
    assert_eq!(purposes, [Purpose::LastWarning], "not the reminder too");
    let whats: Vec<What> = done.steps.iter().map(|step| step.what).collect();
    assert_eq!(whats, [What::Reminded, What::Warned]);
    // Nor is it left without that one when its time is over too.
    let done = decide(&later, &policy, T0.plus(13 * HOUR));
    let purposes: Vec<Purpose> = done.errands.iter().map(|errand| errand.purpose).collect();
    assert_eq!((purposes, done.progress.rung), (vec![Purpose::LastWarning], Rung::Due));
}

#[test]
fn who_was_told_late_has_half_of_the_time_at_least() {
    let policy = policy(Mode::Act);
    let first = decide(&Facts { confidence: 10, ..facts() }, &policy, T0);
    assert_eq!(first.steps.last().unwrap().what, What::Watched);
    let late = T0.plus(11 * HOUR);
    let believed = Facts { progress: Some(first.progress), ..facts() };
    let told = decide(&believed, &policy, late);
    assert_eq!(told.progress.told, Some(late));
    let then = Facts { progress: Some(told.progress), ..facts() };
    assert_eq!(decide(&then, &policy, T0.plus(13 * HOUR)).progress.rung, Rung::Told, "the clock of the rule has run out");
    assert_eq!(decide(&then, &policy, late.plus(6 * HOUR)).progress.rung, Rung::Due);
}

#[test]
fn switching_on_begins_anew() {
    let shown = decide(&facts(), &policy(Mode::Observe), T0);
    assert!(shown.progress.observed && shown.progress.told == Some(T0));
    let then = Facts { progress: Some(shown.progress), ..facts() };
    let on = T0.plus(30 * DAY);
    let done = decide(&then, &policy(Mode::Act), on);
    assert_eq!(done.progress.rung, Rung::Told, "nobody is blamed for letters that never went");
    assert_eq!(done.progress.clocks.fix, Some(on.plus(12 * HOUR)));
    assert_eq!(done.errands[0].hold, Hold::Free);
}

#[test]
fn clocks_only_get_shorter() {
    let policy = policy(Mode::Act);
    let done = decide(&facts(), &policy, T0);
    let fix = done.progress.clocks.fix.unwrap();
    for (ordered, expected) in [(T0.plus(HOUR), T0.plus(HOUR)), (T0.plus(DAY), fix)] {
        let then = Facts { progress: Some(done.progress), ordered: Some(ordered), ..facts() };
        assert_eq!(decide(&then, &policy, T0.plus(MINUTE)).progress.clocks.fix, Some(expected));
    }
}

#[test]
fn closing_by_rule() {
    let policy = policy(Mode::Act);
    let scan = Facts { rule: 1, ..facts() };
    for (name, facts, at, expected) in [
        ("quiet for too short", scan, 13 * DAY, None),
        ("quiet", scan, 14 * DAY, Some(Closure::Quiet)),
        ("its feed came without it", Facts { absent: Some(3), ..scan }, DAY, Some(Closure::NoLongerListed)),
        ("its feed came twice without it", Facts { absent: Some(2), ..scan }, DAY, None),
        ("phishing does not go away by itself", facts(), 300 * DAY, None),
        ("a person has it in hand", Facts { disputed: Some(T0), ..scan }, 14 * DAY, None),
        ("history closes too", Facts { history: true, ..scan }, 14 * DAY, Some(Closure::Quiet)),
    ] {
        let first = decide(&facts, &policy, T0);
        if first.closed.is_some() {
            assert_eq!(first.closed, expected, "{name}");
            continue;
        }
        let then = Facts { progress: Some(first.progress), ..facts };
        assert_eq!(decide(&then, &policy, T0.plus(at)).closed, expected, "{name}");
    }
}

fn trusts(reporter: &str, format: &str, door: &str, authenticated: bool, trust: u8) -> Trust {
    Trust { reporter: reporter.to_owned(), format: format.to_owned(), door: door.to_owned(), authenticated, proven: None, trust }
}

#[test]
fn trust() {
    let mut policy = policy(Mode::Act);
    policy.trust = vec![
        trusts("", "shadowserver", "file", true, 90),
        trusts("honest.example", "", "", false, 95),
        trusts("wolf.example", "", "", false, 10),
    ];
    for (name, reporter, format, door, stated, expected) in [
        ("a stranger", "a@b.example", "arf", Door::Pipe, None, (50, false)),
        ("a feed that the operator fetches", "", "shadowserver", Door::File, None, (90, true)),
        ("the same from anywhere", "", "shadowserver", Door::Pipe, None, (50, false)),
        ("a good name, unproved", "a@honest.example", "arf", Door::Pipe, None, (50, false)),
        ("under it", "a@x.honest.example", "arf", Door::Pipe, None, (50, false)),
        ("who cried wolf", "a@WOLF.example", "arf", Door::Pipe, None, (10, false)),
        ("like it", "a@notwolf.example", "arf", Door::Pipe, None, (50, false)),
        ("what it says of itself lowers", "a@b.example", "arf", Door::Pipe, Some(20), (10, false)),
    ] {
        let belief = policy.belief(&Speaker { reporter, format, door, sender: None, stated });
        assert_eq!((belief.confidence, belief.authenticated), expected, "{name}");
    }
}

#[test]
fn trust_in_who_is_proven() {
    let mut policy = policy(Mode::Act);
    policy.trust = vec![
        Trust { proven: Some(Proven::Dkim), ..trusts("list.example", "", "", false, 90) },
        Trust { proven: Some(Proven::Any), ..trusts("loop.example", "arf", "", false, 80) },
        trusts("", "arf", "imap", true, 70),
        trusts("", "shadowserver", "file", true, 95),
    ];
    let sender = |from: &str, proof, domain: &str| Sender {
        from: from.to_owned(),
        proof,
        domain: domain.to_owned(),
        detail: String::new(),
        silence: Silence::Answer,
    };
    let (list, other) = ("a@list.example", "a@other.example");
    for (name, sender, reporter, format, door, expected) in [
        ("signed", sender(list, Proof::Dkim, "list.example"), list, "arf", Door::Smtp, (90, true, "list.example", "")),
        (
            "signed, under it",
            sender("a@x.list.example", Proof::Dkim, "x.list.example"),
            "",
            "xarf",
            Door::Pipe,
            (90, true, "list.example", ""),
        ),
        (
            "its envelope alone",
            sender(list, Proof::Spf, "list.example"),
            list,
            "xarf",
            Door::Pipe,
            (50, false, "", "list.example"),
        ),
        ("a forger", sender(list, Proof::Unproven, ""), list, "xarf", Door::Pipe, (50, false, "", "list.example")),
        ("a forger through a door", sender(list, Proof::Unproven, ""), list, "arf", Door::Imap, (50, false, "", "list.example")),
        ("nobody looked", sender(list, Proof::None, ""), list, "xarf", Door::Pipe, (50, false, "", "list.example")),
        ("not in time", sender(list, Proof::Unknown, ""), list, "xarf", Door::Pipe, (50, false, "", "list.example")),
        ("disowned", sender(list, Proof::Failed, ""), list, "xarf", Door::Pipe, (10, false, "", "list.example")),
        ("disowned, through a door", sender(other, Proof::Failed, ""), other, "arf", Door::Imap, (10, false, "", "")),
        ("from several, through a door", sender("", Proof::Unproven, ""), list, "arf", Door::Imap, (50, false, "", "")),
        ("from several, laid in by hand", sender("", Proof::Unproven, ""), "", "shadowserver", Door::File, (95, true, "", "")),
        ("disowned, laid in by hand", sender(other, Proof::Failed, ""), "", "shadowserver", Door::File, (95, true, "", "")),
        (
            "another signs, and the report says it is from it",
            sender(other, Proof::Dkim, "other.example"),
            list,
            "xarf",
            Door::Pipe,
            (50, false, "", ""),
        ),
        (
            "a name that only ends alike",
            sender("a@notlist.example", Proof::Dkim, "notlist.example"),
            "",
            "xarf",
            Door::Pipe,
            (50, false, "", ""),
        ),
        (
            "by its envelope",
            sender("a@loop.example", Proof::Spf, "loop.example"),
            "",
            "arf",
            Door::Pipe,
            (80, true, "loop.example", ""),
        ),
        ("in another format", sender("a@loop.example", Proof::Spf, "loop.example"), "", "xarf", Door::Pipe, (50, false, "", "")),
        (
            "a sister signs for it",
            sender(list, Proof::Dkim, "other.list.example.sister.example"),
            list,
            "xarf",
            Door::Pipe,
            (50, false, "", "list.example"),
        ),
    ] {
        let belief = policy.belief(&Speaker { reporter, format, door, sender: Some(&sender), stated: None });
        assert_eq!((belief.confidence, belief.authenticated, belief.proven, belief.claimed), expected, "{name}");
        assert_eq!(belief.signed, belief.authenticated && sender.proof != Proof::Spf, "{name}");
    }
}

#[test]
fn rules_ask_for_what_a_report_says() {
    let when = |ports: &[u16], traits: &[&str], order| When {
        ports: ports.to_vec(),
        traits: traits.iter().map(|one| (*one).to_owned()).collect(),
        order,
    };
    let rule = |when| Rule { when, ..policy(Mode::Act).rules[0].clone() };
    let amplifier = rule(vec![when(&[53, 123], &[], false), when(&[], &["rsit:vulnerable/ddos-amplifier"], false)]);
    let order = rule(vec![when(&[], &["tco"], true)]);
    for (name, rule, port, traits, ordered, expected) in [
        ("a port", &amplifier, 123, "", false, true),
        ("another port", &amplifier, 443, "feed:scan_http", false, false),
        ("or what it says, in any case", &amplifier, 0, "feed:scan\nRSIT:vulnerable/DDoS-amplifier", false, true),
        ("part of a word", &amplifier, 0, "rsit:vulnerable/ddos-amplifier-not", false, false),
        ("a tag that anybody can write is no order", &order, 0, "tco", false, false),
        ("an order about something else", &order, 0, "", true, false),
        ("both", &order, 0, "tco", true, true),
    ] {
        assert_eq!(rule.is_about(Kind::Phishing, port, traits, ordered), expected, "{name}");
        assert!(!rule.is_about(Kind::Malware, port, traits, ordered), "{name}: another kind");
    }
    assert!(when(&[], &[], false).covers(&when(&[53], &["x"], true)), "no condition covers every condition");
    assert!(when(&[53, 123], &[], false).covers(&when(&[53], &["x"], false)));
    assert!(!when(&[53], &[], false).covers(&when(&[], &["x"], false)), "any port is more than one port");
    assert!(!when(&[], &[], true).covers(&when(&[], &[], false)));
}

#[test]
fn who_is_not_told_has_no_ladder_but_the_clocks_run() {
    let mut silent = policy(Mode::Act);
    silent.rules[0].customer = None;
    let nobody = Facts { deepest: None, direct: None, authenticated: true, ..facts() };
    let minor = Facts { rule: 1, ..nobody };
    for (name, policy, facts, expected) in [
        (
            "a person decides whether it is told",
            &silent,
            facts(),
            &[(0, "clocks set"), (12, "overdue"), (24, "restriction proposed"), (24, "restriction to 7")][..],
        ),
        ("nobody is known", &policy(Mode::Act), nobody, &[(0, "clocks set"), (12, "overdue")]),
        ("nobody is known, and it is not urgent", &policy(Mode::Act), minor, &[(0, "clocks set"), (336, "closed")]),
        ("not believed", &silent, Facts { confidence: 10, ..facts() }, &[(0, "clocks set")]),
    ] {
        assert_eq!(words(&live(facts, policy, 40 * DAY)), expected, "{name}");
    }
    // Then a holder is found.
    let policy = policy(Mode::Act);
    let begun = decide(&nobody, &policy, T0);
    let late = decide(&Facts { progress: Some(begun.progress), ..nobody }, &policy, T0.plus(12 * HOUR));
    assert_eq!((late.progress.rung, late.alarms), (Rung::Due, vec![Alarm::Overdue]));
    let found = decide(&Facts { progress: Some(late.progress), ..facts() }, &policy, T0.plus(20 * HOUR));
    assert_eq!(found.progress.rung, Rung::Told);
    assert_eq!(found.next, Some(T0.plus(23 * HOUR)), "reminded at half of the time that is left to it");
}
