//! How fast text for people is looked through: `cargo bench -p parsers --bench free_text`.

use divan::Bencher;
use divan::counter::BytesCount;
use model::time::Time;
use parsers::formats::free_text::findings;

fn main() {
    divan::main();
}

/// Sentences as people write them to an abuse desk.
const LETTER: &str = "Dear colleagues of the abuse desk,\n\nsince Tuesday a machine in your network keeps trying to log in to the web \
server of one of our customers, and we kindly ask you to look into it.\nThe address in question is 192.0.2.77 (see the lines below), \
and there may be others.\nIt also serves a page at hxxps://login[.]shop[.]example/a.php that asks for passwords; we have told the \
brand.\n\n> When did it begin?\n\nOn Wed, 4 Mar 2026 05:06:07 +0100 as far as we know. Thank you, and do not hesitate to write to \
security@sensor.example.\n\n";

/// A mail of about a megabyte: letters, and lines of a log after every `every` letters, each with an address and a time of its own.
fn mail(every: usize) -> Vec<u8> {
    let mut text =
        "From: Ann <ann@sensor.example>\nDate: Wed, 4 Mar 2026 06:00:00 +0100\nSubject: attack from 192.0.2.77\n\n".to_owned();
    let mut count = 0;
    while text.len() < 1 << 20 {
        text.push_str(LETTER);
        count += 1;
        if every != 0 && count % every == 0 {
            let (hour, minute, host) = (count % 24, count % 60, count % 250 + 1);
            text.push_str(&format!(
                "Mar  4 {hour:02}:{minute:02}:09 web sshd[{count}]: Failed password for root from 192.0.2.{host} port 50022 ssh2\n"
            ));
        }
    }
    text.into_bytes()
}

/// Letters; letters with a line of a log in each; letters with one in every tenth.
#[divan::bench(args = [0, 1, 10])]
fn look_through_a_mail(bencher: Bencher<'_, '_>, every: usize) {
    let bytes = mail(every);
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| findings(divan::black_box(&bytes), Time(1_772_600_767_000)));
}

/// Letters as the one part of HTML.
#[divan::bench]
fn look_through_html(bencher: Bencher<'_, '_>) {
    let text = String::from_utf8_lossy(&mail(0)).replacen("\n\n", "\nContent-Type: text/html\n\n", 1).replace(". ", ".<br>\n<p>");
    bencher.counter(BytesCount::of_str(&text)).bench(|| findings(divan::black_box(text.as_bytes()), Time(1_772_600_767_000)));
}

/// Nothing but lines of a log, until there are as many findings as are kept.
#[divan::bench]
fn look_through_a_log(bencher: Bencher<'_, '_>) {
    let line = "Mar  4 05:06:07 web sshd[411]: Failed password for root from 192.0.2.77 port 50022 ssh2\n";
    let text = line.repeat((1 << 20) / line.len());
    bencher.counter(BytesCount::of_str(&text)).bench(|| findings(divan::black_box(text.as_bytes()), Time(1_772_600_767_000)));
}

/// A megabyte of beginnings of things, which costs the most.
#[divan::bench(args = ["1.", "1:", "a.", "a@", "http://", "2026-03-", "Mar 4 ", "0:00 ", "::", "1:1:", "a.example ", "http://a.example/?1.1.1.1", "&#"])]
fn look_through_beginnings(bencher: Bencher<'_, '_>, piece: &str) {
    let text = piece.repeat((1 << 20) / piece.len());
    bencher.counter(BytesCount::of_str(&text)).bench(|| findings(divan::black_box(text.as_bytes()), Time(1_772_600_767_000)));
}
