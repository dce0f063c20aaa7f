//! A dump of our own, with a bad row of each kind and secrets in every table that has them.

use super::*;

const DUMP: &[u8] = include_bytes!("../../../fixtures/administrations/abuseio.sql");

#[test]
fn contacts_netblocks_and_domains_become_an_administration() {
    let taken = read(&mut &DUMP[..], &Limits::default());
    let parties: Vec<String> = taken
        .snapshot
        .parties
        .iter()
        .map(|party| {
            let contacts: Vec<String> =
                party.contacts.iter().map(|contact| format!("{} {}", contact.target, contact.notify)).collect();
            format!(
                "{} | {} | {:?} | {:?} | {}",
                party.reference,
                party.name,
                party.parent,
                party.trade_names,
                contacts.join(", ")
            )
        })
        .collect();
    assert_eq!(
        parties,
        [
            r#"account-2 | Kade | None | ["Kade Servers", "kade"] | "#,
            r#"C-1042 | Oak Bakery | None | [] | it@oak.example true, abuse@oak.example true"#,
            r#"C-1077 | Elm "Books" | Some("account-2") | [] | info@elm.example false"#,
        ]
    );
    let held: Vec<String> = taken.snapshot.assignments.iter().map(|row| format!("{} {}", row.resource, row.party)).collect();
    assert_eq!(held, ["oak.example C-1042", "192.0.2.64/26 C-1042", "2001:db8:7::/48 C-1077"]);
    assert!(!taken.snapshot.complete);
    let left: Vec<String> = taken.counts.left.iter().map(|((what, why), count)| format!("{what} {why}: {count}")).collect();
    assert_eq!(
        left,
        [
            "accounts the system's own: its contacts are direct customers: 1",
            "contacts deleted: 1",
            "contacts not readable: 1",
            "domains not readable: 1",
            "domains of a contact that is not there: 1",
            "domains switched off: 1",
            "netblocks not readable: 1",
            "tickets closed, resolved or ignored: 1",
        ]
    );
    assert_eq!(taken.counts.taken.get("tickets"), Some(&2));
    assert!(!format!("{taken:?}").contains("SLUIS-SECRET"));
}

#[test]
fn open_tickets_become_reports_with_their_times_and_notes() {
    let limits = Limits::default();
    let taken = read(&mut &DUMP[..], &limits);
    let mut out = Vec::new();
    let written = reports(&taken, &mut &DUMP[..], &mut &DUMP[..], &limits, &mut out).unwrap();
    assert_eq!(written, Written { reports: 3, notes: 1, notes_left: 0, events_left: 1 });
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with(r#"{"abuseio":4,"class":"OPEN_DNS_RESOLVER""#), "{text}");
    assert!(
        lines[0].contains("customer called;") && lines[0].contains(r#""port":"53""#) && lines[0].contains("1769940000"),
        "{text}"
    );
    assert!(!lines[1].contains("customer called"), "{text}");
    assert!(lines[2].contains("shop.oak.example") && lines[2].contains("2026-02-02 08:00:00"), "{text}");
    assert!(!text.contains("SLUIS-SECRET"), "{text}");
}

#[test]
fn what_is_no_dump_says_so() {
    for bytes in [&b""[..], b"hello", b"CREATE TABLE x (a int); INSERT INTO x VALUES (1);", b"\x1f\x8b\x08\0"] {
        let taken = read(&mut &bytes[..], &Limits::default());
        assert!(!taken.snapshot.complete && !taken.findings.is_empty(), "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn a_dump_that_is_cut_or_broken_anywhere_is_safe(at in 0..DUMP.len(), byte in proptest::num::u8::ANY) {
        let limits = Limits::default();
        let mut broken = DUMP.to_vec();
        broken[at] = byte;
        for bytes in [&broken[..], &DUMP[..at]] {
            let taken = read(&mut &bytes[..], &limits);
            let _ = reports(&taken, &mut &bytes[..], &mut &bytes[..], &limits, &mut Vec::new());
        }
    }
}
