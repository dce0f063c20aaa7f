//! A registry in miniature, hostile bytes, and the shared example.

use super::*;
use model::party::{Party, Role};

const REGISTRY: &str = "\
% A registry in miniature; every name is made up.

organisation: ORG-OAK1-TEST
org-name:     Oak Hosting B.V.
country:      NL
org-type:     LIR
abuse-c:      OAK1-TEST
e-mail:       info@oak.example
source:       TEST

organisation: ORG-ELM1-TEST
org-name:     Elm
              Resell\t# a name on two lines
abuse-c:      ELM1-TEST

role:         Oak abuse
nic-hdl:      oak1-test
abuse-mailbox: abuse@oak.example

role:         Elm abuse
abuse-mailbox: abuse@elm.example
nic-hdl:      ELM1-TEST

role:         Dummy
nic-hdl:      DUMY-RIPE
abuse-mailbox: unread@ripe.net

inetnum:      0.0.0.0 - 255.255.255.255
netname:      IANA-BLK
status:       ALLOCATED UNSPECIFIED

inetnum:      192.0.2.0 - 192.0.02.255
netname:      NL-OAK-20120614
org:          ORG-OAK1-TEST
admin-c:      DUMY-RIPE
status:       ALLOCATED PA
mnt-by:       RIPE-NCC-HM-MNT, MNT-OAK
created:      2012-06-14T09:00:00Z

inetnum:      192.0.2.128 - 192.0.2.255
netname:      ELM-RESELL
org:          ORG-ELM1-TEST
status:       SUB-ALLOCATED PA
mnt-by:       MNT-OAK
mnt-lower:    MNT-ELM
created:      1970-01-01T00:00:00Z

inetnum:      192.0.2.128 - 192.0.2.159
netname:      ASH-1
admin-c:      ASH1-TEST
status:       ASSIGNED PA
mnt-by:       MNT-ELM

inetnum:      192.0.2.0 - 192.0.2.31
netname:      OAK-CUST-1
org:          ORG-OAK1-TEST
status:       ASSIGNED PA
mnt-by:       MNT-OAK
mnt-by:       MNT-HIDDEN

inetnum:      192.0.2.32 - 192.0.2.63
netname:      OAK-OFFICE
org:          ORG-OAK1-TEST
status:       ASSIGNED PA
mnt-by:       MNT-OAK

inetnum:      192.0.2.1 - 192.0.2.0
status:       ASSIGNED PA

inet6num:     2001:db8::/32
org:          ORG-OAK1-TEST
status:       ALLOCATED-BY-RIR
mnt-by:       MNT-OAK

aut-num:      AS64496
as-name:      ELM
org:          ORG-ELM1-TEST
sponsoring-org: ORG-OAK1-TEST

route:        192.0.2.0/25
origin:       AS64496
";

fn read_text(text: &[u8]) -> (Snapshot, Vec<Finding>) {
    let mut reader = text;
    read(&mut reader, &Options::default())
}

fn one<'s>(snapshot: &'s Snapshot, reference: &str) -> &'s Party {
    snapshot.parties.iter().find(|party| party.reference == reference).unwrap()
}

fn contacts(party: &Party) -> Vec<(&str, bool)> {
    party.contacts.iter().map(|contact| (contact.target.as_str(), contact.fallback)).collect()
}

#[test]
fn holders_parents_roles_and_contacts() {
    let (snapshot, findings) = read_text(REGISTRY.as_bytes());
    let rows: Vec<String> = snapshot
        .assignments
        .iter()
        .map(|row| format!("{} {} {} {}", row.resource, row.level.word(), row.party, row.period))
        .collect();
    assert_eq!(
        rows,
        [
            "192.0.2.0/24 allocated ORG-OAK1-TEST 2012-06-14T09:00:00Z until now",
            "192.0.2.0/27 assigned MNT-HIDDEN unknown until now",
            "192.0.2.32/27 assigned ORG-OAK1-TEST unknown until now",
            "192.0.2.128/25 sub-allocated ORG-ELM1-TEST unknown until now",
            "192.0.2.128/27 assigned ASH1-TEST/ASH-1 unknown until now",
            "2001:db8::/32 allocated ORG-OAK1-TEST unknown until now",
            "AS64496 assigned ORG-ELM1-TEST unknown until now",
        ]
    );
    let (oak, elm) = (one(&snapshot, "ORG-OAK1-TEST"), one(&snapshot, "ORG-ELM1-TEST"));
    assert_eq!((oak.name.as_str(), oak.parent.as_deref(), oak.country.as_str()), ("Oak Hosting B.V.", None, "NL"));
    assert_eq!(oak.roles, [Role::Provider]);
    assert_eq!(contacts(oak), [("abuse@oak.example", false)]);
    assert_eq!((elm.name.as_str(), elm.parent.as_deref()), ("Elm Resell", Some("ORG-OAK1-TEST")));
    assert!(elm.roles.contains(&Role::Reseller));
    assert_eq!(contacts(elm), [("abuse@elm.example", false)]);
    let ash = one(&snapshot, "ASH1-TEST/ASH-1");
    assert_eq!((ash.name.as_str(), ash.parent.as_deref()), ("ASH-1", Some("ORG-ELM1-TEST")));
    assert_eq!(contacts(ash), [("abuse@elm.example", true)], "inherited, so a fall-back");
    let hidden = one(&snapshot, "MNT-HIDDEN");
    assert_eq!(contacts(hidden), [("abuse@oak.example", true)]);
    let reasons = format!("{findings:?}");
    for expected in ["above the last", "registry itself", "announced by AS64496"] {
        assert!(reasons.contains(expected), "{expected}: {findings:#?}");
    }
    assert!(!snapshot.complete, "a block could not be read");
}

#[test]
fn files_may_come_in_any_order_and_packed() {
    use std::io::Write;
    let (head, tail) = REGISTRY.split_at(REGISTRY.find("inetnum:").unwrap());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(tail.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let mut database = Database::new(Options::default());
    database.add("blocks.gz", &mut packed.as_slice());
    database.add("organisations", &mut head.as_bytes());
    let (snapshot, findings) = database.finish();
    assert_eq!(snapshot, read_text(REGISTRY.as_bytes()).0);
    assert!(findings[0].place.starts_with("blocks.gz, line"));
}

#[test]
fn only_what_is_wanted_is_kept() {
    let within = vec![Range::parse("192.0.2.140").unwrap()];
    let (snapshot, _) = read(&mut REGISTRY.as_bytes(), &Options { within, ..Options::default() });
    let blocks: Vec<String> = snapshot.assignments.iter().map(|row| row.resource.to_string()).collect();
    assert_eq!(blocks, ["192.0.2.0/24", "192.0.2.128/25", "192.0.2.128/27", "AS64496"]);
}

#[test]
fn keys_as_registries_write_them() {
    for (text, expected) in [
        ("192.0.2.0 - 192.0.02.255", Some("192.0.2.0/24")),
        ("198.51.100/24", Some("198.51.100.0/24")),
        ("2001:db8::/48", Some("2001:db8::/48")),
        ("198.51.100/999", None),
        ("192.0.2.1/24", None),
        ("...../24", None),
        ("/", None),
    ] {
        assert_eq!(gather::range(text).ok().map(|range| range.to_string()).as_deref(), expected, "{text}");
    }
    for (status, expected) in [
        ("ALLOCATED PA", Status::Level(Level::Allocated)),
        ("Assigned  PA", Status::Level(Level::Assigned)),
        ("reallocated", Status::Level(Level::SubAllocated)),
        ("LEGACY", Status::Legacy),
        ("something", Status::Unknown),
    ] {
        assert_eq!(level(status), expected);
    }
}

#[test]
fn hostile_bytes_are_bounded() {
    use std::io::Read;
    let mut long = (&b"inetnum: "[..])
        .chain(std::io::repeat(b'1').take(1 << 28))
        .chain(&b"\n\ninetnum: 192.0.2.0 - 192.0.2.255\nstatus: LEGACY\n"[..]);
    let (snapshot, findings) = read(&mut long, &Options::default());
    assert_eq!((snapshot.assignments.len(), snapshot.complete), (1, false), "{findings:?}");
    let mut text = String::new();
    for at in 0u32..100_000 {
        let last = 0xffff_ffff - at;
        text += &format!("inetnum: {} - {}\nnetname: N{at}\n\n", std::net::Ipv4Addr::from(at), std::net::Ipv4Addr::from(last));
    }
    let (snapshot, _) = read_text(text.as_bytes());
    assert_eq!(snapshot.assignments.len(), 100_000, "nested as deep as it goes");
    for bytes in [
        &b"\0\0\0"[..],
        b"inetnum:",
        b"+x",
        b":",
        b"inetnum: \xff\xfe\n\nroute: x\norigin:",
        b"\n\n\n",
        b"aut-num: AS99999999999",
    ] {
        let _ = read_text(bytes);
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_safe(text in "[ -~\n\t+%#]{0,300}") {
        let _ = read_text(format!("inetnum: 192.0.2.0 - 192.0.2.9\n{text}").as_bytes());
    }
}

#[test]
fn vectors_rpsl_example() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is unset");
        return;
    };
    let folder = std::path::Path::new(&shared).join("network/rpsl");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut file = std::fs::File::open(&path).unwrap();
        let (snapshot, findings) = read(&mut file, &Options::default());
        assert!(!snapshot.parties.is_empty() && !snapshot.assignments.is_empty(), "{path:?}");
        assert!(snapshot.complete, "{findings:?}");
        for party in &snapshot.parties {
            let parent = party.parent.as_ref();
            assert!(parent.is_none_or(|parent| snapshot.parties.iter().any(|other| other.reference == *parent)), "{party:?}");
            println!("{} < {:?} {:?} {:?}", party.reference, party.parent, party.roles, contacts(party));
        }
        for finding in &findings {
            println!("{finding:?}");
        }
        let known = model::administration::Known::default();
        let changes = model::administration::compare(&known, &snapshot, model::time::Time(0));
        assert_eq!(changes.begun.len(), snapshot.assignments.len());
        assert!(changes.problems.is_empty(), "{:?}", changes.problems);
    }
}
