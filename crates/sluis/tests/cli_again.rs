//! What was not understood is read again, once somebody has said how, and nothing is repeated.

mod common;

use common::{User, lines};

#[test]
fn a_csv_of_ones_own_is_declared_and_read_again() {
    let user = User::new();
    user.file("eigen.csv", "Datum;Adres;Soort\n20-11-2026 12:00;192.0.2.7;oplichting\nooit;192.0.2.8;oplichting\n");
    user.run(&["receive", "eigen.csv"]).good();
    let queue = user.run(&["queue"]).good();
    assert!(queue.lines().any(|line| line.starts_with("unreadable") && line.contains("1  see what stands in it")), "{queue}");
    assert!(user.run(&["queue", "unreadable"]).good().contains("eigen.csv"));
    let map = "separator = \";\"\nkind = \"content/fraud\"\n[columns]\ntime = \"Datum\"\nip = \"Adres\"\nignore = [\"Soort\"]\n\
               [time]\nformat = \"%d-%m-%Y %H:%M\"\nzone = \"Europe/Amsterdam\"\n";
    user.file("map.toml", map);
    user.run(&["receive", "--again", "unreadable", "--map", "map.toml"]).good();
    let submission = user.json(&["submission", "show", "1", "--json"]);
    assert_eq!((submission["reports"].as_u64(), submission["rejects"].as_u64()), (Some(1), Some(1)), "{submission}");
    assert_eq!(submission["first_reports"][0]["observed"], "2026-11-20T11:00:00Z");
    let rejects = user.json(&["queue", "rejects", "--json"]);
    assert!(rejects["text"].as_str().unwrap().contains("192.0.2.8"), "{rejects}");

    // The dates are read differently now: the reject becomes a report, what was a report stays one.
    user.file("map.toml", map.replace("time = \"Datum\"", "time = \"Datum2\"").replace("ignore = [", "ignore = [\"Datum\", "));
    user.run(&["receive", "--again", "rejects", "--map", "map.toml"]).good();
    let cases = lines(&user.run(&["case", "list", "--json"]).good());
    assert!(cases.iter().filter(|case| case["about"] == "192.0.2.7").count() == 1, "{cases:?}");
    let first = submission["id"].as_str().unwrap();
    user.run(&["receive", "--again", first]).good();
    user.run(&["receive", "--again-all"]).good();
    assert_eq!(user.json(&["case", "list", "--json", "--address", "192.0.2.7"])["reports"], 1);
    assert!(user.run(&["receive", "--again", "77"]).failed(66).contains("no such submission"));
}

#[test]
fn what_arrived_is_given_back_byte_for_byte() {
    let user = User::new();
    let bytes = "not a report\r\n\u{1b}[31m at all\n".repeat(10_000);
    user.file("letter.txt", &bytes);
    user.run(&["receive", "letter.txt"]).good();
    assert_eq!(user.run(&["submission", "show", "1", "--raw"]).good(), bytes);
    let shown = user.run(&["submission", "show", "1"]).good();
    assert!(shown.contains("unreadable: no format"), "{shown}");
}
