//! Letters and notices about child abuse material: what is kept of them, and what not.

#![allow(clippy::unwrap_used)]

mod node;

use std::io::{Cursor, Read};
use std::path::Path;

use model::submission::{Door, Progress};
use node::Node;
use store::queues::Queue;

/// Words that may stand nowhere in the data.
const SECRETS: &[&str] = &["album/7", "secretword", "c2VjcmV0"];

/// A mail of the hotline with one location in it; `number` tells one notice from the next.
fn notice(number: u32, date: &str) -> String {
    format!(
        "From: Meldpunt <ntd@offlimits.nl>\nTo: abuse@provider.example\nDate: {date}\nSubject: NTD {number} secretword\n\
         Message-ID: <{number}@offlimits.nl>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
         Content-Type: text/plain\n\nSeksueel misbruik van minderjarigen, secretword. Binnen 24 uur te verwijderen.\n\n\
         Kenmerk: 2026-{number}\nURL: https://host.invalid/album/7\nIP-adres: 192.0.2.130\n\n--b\n\
         Content-Type: image/png; name=secretword.png\nContent-Transfer-Encoding: base64\n\nc2VjcmV0\n--b--\n"
    )
}

fn letter(from: &str, text: &str) -> String {
    format!(
        "From: Somebody <{from}>\nDate: Mon, 01 Jun 2026 08:00:00 +0000\nSubject: please look\nMessage-ID: <7@x.example>\n\n{text}\n"
    )
}

fn receive(node: &Node, mail: &str) -> i64 {
    let id = node.desk.receive(Door::Maildir, "", &mut Cursor::new(mail)).unwrap().id();
    node.desk.work(&|_, _| {}).unwrap();
    id
}

/// The bytes that are kept of a submission.
fn kept(node: &Node, id: i64) -> String {
    let submission = node.read(|transaction| transaction.submission(id)).unwrap();
    let key = node.desk.store().keys().get(submission.public).unwrap().unwrap();
    let mut raw = String::new();
    node.read(|transaction| {
        let mut opened = transaction.open_raw(&submission, &key, &node.directory)?;
        opened.read_to_string(&mut raw).unwrap();
        Ok::<_, store::Error>(())
    });
    raw
}

/// Looks into every file of the data; what is encrypted there must be so.
fn nothing_is_told(node: &Node) {
    node.desk.store().checkpoint().unwrap();
    let mut folders = vec![node.directory.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            tells_nothing(&path);
        }
    }
    assert!(files > 0);
}

fn tells_nothing(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    for secret in SECRETS {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} in {}", path.display());
    }
}

#[test]
fn a_hotline_s_notice_is_kept_without_its_words_and_repeats_are_one_case() {
    let node = Node::new("2026-06-01T09:00:00Z");
    let first = receive(&node, &notice(7, "Mon, 01 Jun 2026 08:00:00 +0000"));
    let raw = kept(&node, first);
    assert!(raw.contains("https://host.invalid/#h:"), "{raw}");
    let (batch, _) = node.read(|transaction| transaction.reports_from(first, 9));
    let told: Vec<_> = batch.report(0).fields().map(|(_, value)| value.text().to_owned()).collect();
    for kept in ["2026-7", "24", "notice", "ntd@offlimits.nl"] {
        assert!(told.iter().any(|value| value == kept), "{kept}: {told:?}");
    }
    assert!(told.iter().all(|value| SECRETS.iter().all(|secret| !value.contains(secret))), "{told:?}");
    assert!(SECRETS.iter().all(|secret| !raw.contains(secret)), "{raw}");
    assert_eq!(node.desk.hidden_location(first, 0).unwrap().as_deref(), Some("https://host.invalid/album/7"));
    let submission = node.read(|transaction| transaction.submission(first)).unwrap();
    assert_eq!((submission.reports, submission.rejects), (1, 0), "{submission:?}");
    // The hotline and the crawler write again until it is gone (CS-22).
    node.later(model::time::DAY);
    receive(&node, &notice(8, "Tue, 02 Jun 2026 08:00:00 +0000"));
    let all = node.all();
    assert_eq!(all.len(), 1, "one item is one case");
    assert_eq!(all[0].0.case.reports, 2);
    assert!(all[0].0.case.kind.is_child_abuse());
    assert_eq!(all[0].0.case.key.about(), "host.invalid");
    nothing_is_told(&node);
}

#[test]
fn a_letter_of_anybody_leaves_who_when_and_which_hosts() {
    let node = Node::new("2026-06-01T09:00:00Z");
    let mail = letter(
        "a@b.example",
        "There is child abuse material (secretword) at https://host.invalid/album/7 and\nhttps://192.0.2.7/album/7\n",
    );
    let arrived = node.desk.arrive(Door::Imap, "", &mut Cursor::new(&mail)).unwrap();
    assert!(!arrived.is_rewritten(), "the mailbox keeps it: somebody has to look at it there");
    let id = node.desk.acknowledge(vec![arrived]).unwrap()[0].id();
    node.desk.work(&|_, _| {}).unwrap();
    let raw = kept(&node, id);
    for told in ["a@b.example", "2026-06-01T08:00:00Z", "host.invalid", "192.0.2.7", "see the mailbox it came to"] {
        assert!(raw.contains(told), "{told}: {raw}");
    }
    assert!(SECRETS.iter().all(|secret| !raw.contains(secret)) && !raw.contains("please look"), "{raw}");
    let submission = node.read(|transaction| transaction.submission(id)).unwrap();
    assert_eq!(submission.progress, Progress::Unreadable);
    assert!(
        submission.reason.starts_with("a letter about child abuse material by a@b.example; see the mailbox it came to"),
        "{submission:?}"
    );
    assert_eq!(node.all().len(), 0, "nobody is accused by words");
    assert!(node.read(|transaction| transaction.queued(Queue::Rejects, None, 9)).is_empty());
    nothing_is_told(&node);
}

#[test]
fn what_a_format_understands_may_have_such_words_in_its_small_print() {
    let node = Node::new("2026-06-01T09:00:00Z");
    let mail = "From: Abuse <feedback@isp.example>\nDate: Mon, 01 Jun 2026 08:00:00 +0000\nSubject: x\nMIME-Version: 1.0\n\
                Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
                Report child abuse to the police instead.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\
                User-Agent: x/1\nVersion: 1\nSource-IP: 192.0.2.9\nArrival-Date: Mon, 01 Jun 2026 07:00:00 +0000\n\n--b\n\
                Content-Type: message/rfc822\n\nFrom: a@b.example\nSubject: buy\n\nspam\n--b--\n";
    let id = receive(&node, mail);
    assert!(kept(&node, id).contains("Report child abuse to the police"));
    assert_eq!(node.all().len(), 1);
}

#[test]
fn an_order_stays_one_when_it_is_rewritten() {
    let node = Node::new("2026-06-01T09:00:00Z");
    let words = "Bevel op grond van artikel 125p Sv: kinderpornografisch materiaal (secretword).";
    let by_letter = receive(&node, &letter("ovj@om.example", &format!("{words}\nSee the annex on paper.")));
    assert!(node.read(|transaction| transaction.order(by_letter)).is_some(), "{}", kept(&node, by_letter));
    let by_notice = receive(&node, &letter("bevel@atkm.nl", &format!("{words}\n\nURL: https://host.invalid/album/7\n")));
    assert!(node.read(|transaction| transaction.order(by_notice)).is_some(), "{}", kept(&node, by_notice));
    assert_eq!(node.all().len(), 1, "{}", kept(&node, by_notice));
    assert_eq!(node.desk.hidden_location(by_notice, 0).unwrap().as_deref(), Some("https://host.invalid/album/7"));
    nothing_is_told(&node);
}

#[test]
fn a_letter_that_calls_itself_an_automatic_answer_is_one_all_the_same() {
    let node = Node::new("2026-06-01T09:00:00Z");
    let mail = letter("a@b.example", "Child abuse material: https://host.invalid/album/7 secretword").replace(
        "Subject: please look",
        "Subject: Automatic reply: please look\nAuto-Submitted: auto-replied\nIn-Reply-To: <1@provider.example>",
    );
    let id = receive(&node, &mail);
    assert!(SECRETS.iter().all(|secret| !kept(&node, id).contains(secret)));
    nothing_is_told(&node);
}
