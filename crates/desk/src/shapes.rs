//! Shapes: how what senders send is laid out, and what is told when that changes.
//!
//! The first sight of a kind of thing from a sender tells nothing: it is learned. What is new under a known one, or gone of what
//! reports are made by, is one alert, with the columns named, and is learned then. A sender who proves nothing has shapes of its
//! own beside those of the one it says it is, so that nobody else can teach us what a known sender sends.

use std::collections::BTreeSet;

use model::policy::Alarm;
use model::sender::{Proof, Sender};
use model::severity::Severity;
use model::submission::{Door, Submission};
use model::time::{DAY, Time};
use parsers::formats;
use parsers::sink::Form;
use store::Transaction;
use store::alerts::Raise;
use store::shapes::{COLUMNS, NAME, UNPROVEN};

/// Shapes of one submission that are looked at.
const SHAPES: usize = 32;
/// Columns that an alert names.
const NAMED: usize = 8;
/// Between two alerts about what one sender sends in one format, in milliseconds.
const PAUSE: i64 = DAY;
/// What columns are called that hold what a report is made by, whoever sends them.
const USUAL: &[&str] = &[
    "ip",
    "src_ip",
    "source.ip",
    "source_ip",
    "address",
    "ipaddress",
    "ip_address",
    "host",
    "url",
    "source.url",
    "domain",
    "time",
    "timestamp",
    "time.source",
    "date",
    "first_seen",
    "last_seen",
];

/// The columns that one submission came with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shapes(Vec<Shape>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    format: &'static str,
    feed: String,
    columns: Vec<String>,
}

impl Shapes {
    /// Adds what a format met; what one submission says twice is one.
    pub(crate) fn add(&mut self, form: Form<'_>) {
        let feed = name(form.feed);
        let at = self.0.iter().position(|shape| shape.format == form.format && shape.feed == feed);
        let shape = match at {
            Some(at) => self.0.get_mut(at),
            None if self.0.len() >= SHAPES => None,
            None => {
                self.0.push(Shape { format: form.format, feed, columns: Vec::new() });
                self.0.last_mut()
            }
        };
        let Some(shape) = shape else { return };
        let mut known: BTreeSet<String> = shape.columns.iter().cloned().collect();
        for column in form.columns.iter().take(COLUMNS).map(|column| name(column)).filter(|column| !column.is_empty()) {
            if shape.columns.len() < COLUMNS && known.insert(column.clone()) {
                shape.columns.push(column);
            }
        }
    }

    /// Compares them with what is known of the sender, tells what has changed, and learns it.
    pub(crate) fn apply(
        &self,
        transaction: &Transaction<'_>,
        submission: &Submission,
        sender: Option<&Sender>,
        now: Time,
    ) -> Result<(), store::Error> {
        if submission.door == Door::Person {
            return Ok(());
        }
        let sender = known_as(submission, sender);
        for shape in self.0.iter().filter(|shape| !shape.columns.is_empty()) {
            let format = formats::by_name(shape.format);
            // What anybody may write, and nobody is known to have written, is laid out in any way.
            if sender.is_empty() && format.is_none_or(|format| format.senders.is_empty()) {
                continue;
            }
            let Some(kept) = transaction.shape(shape.format, &sender, &shape.feed)? else {
                transaction.learn_shape(shape.format, &sender, &shape.feed, &shape.columns, now)?;
                continue;
            };
            let new: Vec<&String> = shape.columns.iter().filter(|column| !kept.columns.contains(column)).collect();
            let is_gone = |column: &&String| !shape.columns.contains(column) && is_core(shape.format, column);
            let gone: Vec<&String> = kept.columns.iter().filter(is_gone).collect();
            let day = Time(now.0 - now.0.rem_euclid(DAY));
            if new.is_empty() && gone.is_empty() {
                if kept.seen < day {
                    transaction.keep_shape(kept.id, &kept.columns, day, kept.told)?;
                }
                continue;
            }
            // What is not told now is not learned either, and is told when it comes again.
            let told = transaction.last_told_of_shapes(shape.format, &sender)?;
            if told.is_some_and(|told| now.0.saturating_sub(told.0) < PAUSE) {
                continue;
            }
            let text = text(shape, &sender, &new, &gone);
            let key = format!("shape/{}/{}/{}/{}", shape.format, sender, shape.feed, day.0 / DAY);
            let raise = Raise { kind: Alarm::Shape, key: &key, severity: Severity::P3, text: &text, due: None };
            transaction.raise_alert(&raise, now)?;
            let stays = kept.columns.iter().filter(|column| !gone.contains(column));
            let columns: Vec<String> = stays.chain(new).take(COLUMNS).cloned().collect();
            transaction.keep_shape(kept.id, &columns, day, Some(now))?;
        }
        Ok(())
    }
}

/// What a sender is known as: the feed that it is downloaded as, the domain name that is proven, or the one that is said.
fn known_as(submission: &Submission, sender: Option<&Sender>) -> String {
    if !submission.feed.is_empty() {
        return name(&format!("feed:{}", submission.feed));
    }
    let Some(sender) = sender else { return String::new() };
    match sender.proof {
        Proof::Dkim | Proof::Spf if !sender.domain.is_empty() => name(&sender.domain),
        _ => sender.from.rsplit_once('@').map_or_else(String::new, |(_, domain)| name(&format!("{UNPROVEN}{domain}"))),
    }
}

/// Whether reports are made by a column: it holds their address or name, or their time.
fn is_core(format: &str, column: &str) -> bool {
    if USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(column)) {
        return true;
    }
    let fields = formats::by_name(format).map_or(&[][..], |format| format.fields);
    let core = |becomes: &str| becomes.split(", ").any(|word| matches!(word, "address" | "time" | "url" | "domain"));
    fields.iter().any(|(names, becomes)| core(becomes) && names.split(", ").any(|name| name.eq_ignore_ascii_case(column)))
}

/// What people are told. It goes through channels of others: a sender is named only where it has proven its name, and names of
/// columns, which are a stranger's words, lose all that is not a letter, a digit or usual in such names.
fn text(shape: &Shape, sender: &str, new: &[&String], gone: &[&String]) -> String {
    let list = |columns: &[&String]| {
        let shown: Vec<String> = columns.iter().take(NAMED).map(|column| format!("'{}'", plain(column))).collect();
        let more = columns.len().saturating_sub(NAMED);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let from = match sender {
        "" => String::new(),
        sender if sender.starts_with(UNPROVEN) => " from a sender who proves nothing".to_owned(),
        sender => match sender.strip_prefix("feed:") {
            Some(feed) => format!(" of the feed '{}'", plain(feed)),
            None => format!(" from {}", plain(sender)),
        },
    };
    let feed = if shape.feed.is_empty() { String::new() } else { format!(" '{}'", plain(&shape.feed)) };
    let mut text = format!("What comes as {}{feed}{from} is laid out otherwise than before.", shape.format);
    if !new.is_empty() {
        text.push_str(&format!(" New: {}.", list(new)));
    }
    if !gone.is_empty() {
        text.push_str(&format!(" Gone, and reports are made by it: {}.", list(gone)));
    }
    text.push_str(" See what is kept: sluis formats --shapes");
    text
}

fn plain(text: &str) -> String {
    let text = text.chars().map(|c| if c.is_ascii_alphanumeric() || " _-.:#/()".contains(c) { c } else { '_' });
    text.take(40).collect()
}

/// A name as it is kept: without control characters, and no longer than it may be.
fn name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.trim().chars().filter(|letter| !letter.is_control() && !is_break(*letter)) {
        if name.len() + letter.len_utf8() > NAME {
            break;
        }
        name.push(letter);
    }
    name
}

/// What some take for the end of a line.
fn is_break(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_kept_bounded_and_clean() {
        let mut shapes = Shapes::default();
        let long = "x".repeat(500);
        let many: Vec<String> = (0..5_000).map(|number| format!("c{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        shapes.add(Form { format: "csv", feed: "a", columns: &["ip\n", "", "ip", "\u{1b}[2Jtime", &long] });
        shapes.add(Form { format: "csv", feed: "a", columns: &["ip", "port"] });
        shapes.add(Form { format: "csv", feed: "b", columns: &many });
        let first = &shapes.0[0].columns;
        assert_eq!((first[0].as_str(), first[1].as_str(), first[2].len(), first[3].as_str()), ("ip", "[2Jtime", NAME, "port"));
        assert_eq!(shapes.0[1].columns.len(), COLUMNS);
        for number in 0..100 {
            shapes.add(Form { format: "csv", feed: &number.to_string(), columns: &["ip"] });
        }
        assert_eq!(shapes.0.len(), SHAPES);
    }

    #[test]
    fn what_is_told_names_columns_and_nobody_who_proves_nothing() {
        let shape = Shape { format: "shadowserver", feed: "scan_rdp".to_owned(), columns: Vec::new() };
        let (new, gone) = ("new\u{1b}[2J<b>".to_owned(), "ip".to_owned());
        let told = text(&shape, "shadowserver.example", &[&new], &[&gone]);
        assert!(
            told.contains("'scan_rdp' from shadowserver.example") && told.contains("'new__2J_b_'") && told.contains("Gone"),
            "{told}"
        );
        let told = text(&shape, "?victim.example", &[&new], &[]);
        assert!(!told.contains("victim") && !told.contains("Gone"), "{told}");
        assert!(is_core("shadowserver", "src_ip") && is_core("shadowserver", "TIMESTAMP") && !is_core("shadowserver", "tag"));
    }
}
