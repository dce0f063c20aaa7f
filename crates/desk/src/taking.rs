//! Taking: what people find in a submission that no format understood becomes reports.
//!
//! A person sees what stands in it ([`offered`]) and picks. What is picked becomes one new submission through the door
//! [`Door::Person`], in XARF 4, and takes the way of every other; the reporter is whoever the first one is from, as far as that was
//! proven. The same picks give the same bytes, so that taking them twice is taking them once.

use std::io::{Cursor, Read};
use std::net::{IpAddr, SocketAddr};

use model::address::Address;
use model::category::Kind;
use model::report::{Batch, Core, Word};
use model::sender::{Envelope, Sender};
use model::submission::{Door, Progress, PublicId, Submission};
use model::time::{DAY, Time};
use parsers::care::speaks_of_child_abuse;
use parsers::formats::free_text;
use parsers::sink::{Finding, Found};
use parsers::write::xarf;
use store::reports::report_id;
use store::senders::Heard;
use store::submissions::Receipt;
use store::taken::Taken;

use crate::{Desk, Error};

/// Findings that one person picks at once.
const PICKS: usize = 100;
/// Bytes of a person's reason.
const REASON: usize = 4 << 10;

/// What stands in a submission that no format understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// In the order of the text; they are numbered from 1.
    pub findings: Vec<Finding>,
    /// Whether the text speaks of child abuse material: then nobody is shown locations or lines of it.
    pub hidden: bool,
}

/// What stands in the bytes of a submission that was received at `received`: the same each time it is asked.
pub fn offered(bytes: &[u8], received: Time) -> Offered {
    let findings = free_text::findings(bytes, received);
    let written = |finding: &Finding| speaks_of_child_abuse(&finding.written);
    let hidden = findings.iter().any(written) || free_text::says(bytes, received, &speaks_of_child_abuse);
    Offered { findings, hidden }
}

/// What a person picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picking {
    /// The submission.
    pub submission: PublicId,
    /// Numbers of findings: what it is about, at most one time, and lines of logs as evidence.
    pub picks: Vec<usize>,
    /// The kind of abuse.
    pub kind: Kind,
    /// When it was; none when a time is picked.
    pub at: Option<Time>,
    /// Who picks.
    pub by: String,
}

/// What came of picking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The new submission; or the one that was made of the same picks before.
    pub receipt: Receipt,
    /// Reports in it.
    pub reports: usize,
}

impl Desk {
    /// Makes a submission of what a person picks, and takes the first one out of the queue, in one transaction.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the picks make no report: says what is missing. [`Error::Conflict`] when the submission was
    /// understood, or is not read yet. [`Error::NotFound`], [`Error::Unavailable`].
    pub fn take_findings(&self, picking: &Picking) -> Result<Made, Error> {
        let (submission, heard) = self.nobody_understood(picking.submission)?;
        let bytes = self.whole_of(&submission)?;
        let Offered { findings, .. } = offered(&bytes, submission.received);
        let picked = Picked::of(&findings, picking, self.now())?;
        let sender = heard.map(|heard| heard.sender);
        let text = picked.text(&submission, picking.kind, sender.as_ref());
        let mut arrived = self.arrive_from(Door::Person, "", Envelope::default(), &mut Cursor::new(text))?;
        // What was proven of the mail holds for what was taken from it; what the door saw of it stays with the mail.
        arrived.heard =
            sender.map(|sender| Heard { sender, mail_from: None, peer: None, helo: String::new(), asked: None, next_try: None });
        arrived.taken_from = Some((submission.id, picking.by.clone()));
        let receipts = self.acknowledge(vec![arrived])?;
        let receipt = receipts.into_iter().next().ok_or_else(|| Error::Unavailable("it was not acknowledged".to_owned()))?;
        Ok(Made { receipt, reports: picked.about.len() })
    }

    /// Takes a submission that no format understood out of the queue: a person found nothing in it to act on.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason; else as [`Desk::take_findings`].
    pub fn dismiss(&self, submission: PublicId, by: &str, reason: &str) -> Result<(), Error> {
        if reason.trim().is_empty() || reason.len() > REASON {
            return Err(Error::Invalid(format!("say why, in 1 to {REASON} bytes: --reason TEXT")));
        }
        let (submission, _) = self.nobody_understood(submission)?;
        let taken = Taken { outcome: None, at: self.now(), person: by.to_owned(), reason: reason.trim().to_owned() };
        Ok(self.store.write("dismiss", |transaction| transaction.set_taken(submission.id, &taken))?)
    }

    /// A submission of which nothing is a report, and who it is from.
    fn nobody_understood(&self, public: PublicId) -> Result<(Submission, Option<Heard>), Error> {
        let mut reader = self.store.reader()?;
        let found = reader.read(|transaction| {
            let Some(submission) = transaction.submission_by_public(public)? else { return Ok(None) };
            let heard = transaction.sender(submission.id)?;
            let hidden = transaction.became_child_abuse(&submission)? || transaction.holds_child_abuse(submission.id)?;
            Ok::<_, store::Error>(Some((submission, heard, hidden)))
        })?;
        let (submission, heard, hidden) = found.ok_or_else(|| Error::NotFound(format!("there is no submission {public}")))?;
        if hidden {
            return Err(Error::Conflict(format!(
                "submission {public} tells of child abuse material: nothing of it is shown or taken"
            )));
        }
        match submission.progress {
            Progress::Received => Err(Error::Conflict(format!("submission {public} is not read yet"))),
            _ if submission.reports > 0 => Err(Error::Conflict(format!(
                "submission {public} was read as {}: what it says is reports already",
                submission.format
            ))),
            _ => Ok((submission, heard)),
        }
    }

    /// The bytes of a submission.
    fn whole_of(&self, submission: &Submission) -> Result<Vec<u8>, Error> {
        let gone = || Error::Conflict(format!("submission {}: its bytes are not kept any more", submission.public));
        let key = self.store.keys().get(submission.public)?.ok_or_else(gone)?;
        let most = self.reading.limits.whole;
        let mut reader = self.store.reader()?;
        let mut raw = reader.read(|transaction| transaction.open_raw(submission, &key, self.store.directory()))?;
        let mut bytes = Vec::new();
        let read = self.until_stop(&mut *raw).take(most as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::Unavailable(error.to_string()))?;
        if bytes.len() > most {
            return Err(Error::Invalid(format!("it is larger than {} MiB, which is more than is looked through", most >> 20)));
        }
        Ok(bytes)
    }
}

/// What one report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    /// Its number among the findings.
    number: usize,
    address: Option<(Address, u16)>,
    /// A URL or a domain name.
    name: Option<(Found, String)>,
}

/// Picks that make reports.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Picked {
    about: Vec<About>,
    at: Time,
    lines: Vec<String>,
}

impl Picked {
    fn of(findings: &[Finding], picking: &Picking, now: Time) -> Result<Picked, Error> {
        let invalid = |text: String| Err(Error::Invalid(text));
        let mut numbers = picking.picks.clone();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() > PICKS {
            return invalid(format!("pick no more than {PICKS} at once"));
        }
        let (mut about, mut times, mut lines): (Vec<About>, Vec<Time>, Vec<String>) = Default::default();
        for number in numbers {
            let Some(finding) = number.checked_sub(1).and_then(|at| findings.get(at)) else {
                return invalid(format!("there is no finding {number}; there are {}", findings.len()));
            };
            let value = &finding.value;
            match finding.what {
                Found::Address => match endpoint(value) {
                    Some(address) => about.push(About { number, address: Some(address), name: None }),
                    None => return invalid(format!("finding {number} is no address")),
                },
                Found::Url | Found::Domain => {
                    about.push(About { number, address: None, name: Some((finding.what, value.clone())) });
                }
                Found::Time => match Time::parse(value.as_bytes()) {
                    Some(time) => times.push(time),
                    None => return invalid(format!("finding {number} is no time that can be read: say it with --at TIME")),
                },
                Found::LogLine => lines.push(finding.written.clone()),
                Found::Prefix => {
                    return invalid(format!(
                        "finding {number} is a range, and a report is about one address: pick the addresses"
                    ));
                }
                Found::Mail => return invalid(format!("finding {number} is a mail address: nothing is held by that")),
            }
        }
        if about.is_empty() {
            return invalid("pick what it is about: an address, a URL or a domain name".to_owned());
        }
        times.dedup();
        let at = match (picking.at, times.as_slice()) {
            (Some(at), []) => at,
            (None, [at]) => *at,
            (Some(_), _) => return invalid("pick a time or say --at TIME, not both".to_owned()),
            (None, []) => return invalid("say when it was: pick a time, or say --at TIME".to_owned()),
            (None, _) => return invalid("pick one time; what was at another is taken by itself".to_owned()),
        };
        if at > now.plus(DAY) {
            return invalid(format!("{at} is yet to come"));
        }
        // Whoever picks one address beside locations of content says where that content is.
        let is_content = matches!(picking.kind.category(), "content" | "copyright");
        let addresses: Vec<(Address, u16)> = about.iter().filter_map(|one| one.address).collect();
        if is_content
            && let [address] = addresses.as_slice()
            && about.len() > 1
        {
            about.retain(|one| one.name.is_some());
            about.iter_mut().for_each(|one| one.address = Some(*address));
        }
        Ok(Picked { about, at, lines })
    }

    /// The reports, as lines of XARF 4.
    fn text(&self, submission: &Submission, kind: Kind, sender: Option<&Sender>) -> Vec<u8> {
        let mut out = Vec::new();
        for (ordinal, one) in self.about.iter().enumerate() {
            let mut batch = Batch::new();
            let mut core = Core::new(kind, u32::try_from(ordinal).unwrap_or(u32::MAX));
            core.set_observed(Some(self.at));
            if let Some((address, port)) = one.address {
                core.address = address;
                core.port = port;
            }
            if let Some((what, name)) = &one.name {
                if one.address.is_none() {
                    batch.text(Word::SOURCE_IDENTIFIER, name);
                }
                batch.text(if *what == Found::Url { Word::URL } else { Word::DOMAIN }, name);
            }
            if let Some((_, domain)) = sender.and_then(|sender| sender.from.rsplit_once('@')) {
                let from = sender.map_or("", |sender| &sender.from);
                batch.text(Word::REPORTER_ORG, domain);
                batch.text(Word::REPORTER_CONTACT, from);
                batch.text(Word::REPORTER_DOMAIN, domain);
            }
            if kind.category() == "connection" {
                batch.text(Word::FIRST_SEEN, self.at.to_string());
            }
            batch.text(Word::DESCRIPTION, "Taken by a person of the desk from a text that no format understood");
            batch.text(Word::TAG, format!("sluis:taken-from-{}", submission.public));
            if !self.lines.is_empty() {
                batch.text(Word::EVIDENCE_TYPE, "text/plain");
                batch.text(Word::EVIDENCE_DESCRIPTION, "Lines of that text");
                batch.bytes(Word::EVIDENCE_PAYLOAD, self.lines.join("\n").as_bytes());
            }
            batch.finish(core);
            let number = u32::try_from(one.number).unwrap_or(u32::MAX);
            let ids = xarf::Ids { fallback_report_id: report_id(submission.public, number), received: submission.received };
            xarf::write(&batch.report(0), &ids, &mut out);
        }
        out
    }
}

/// An address with the port that is written behind it; 0 for none.
fn endpoint(value: &str) -> Option<(Address, u16)> {
    if let Ok(address) = value.parse::<IpAddr>() {
        return Some((address.into(), 0));
    }
    value.parse::<SocketAddr>().ok().map(|address| (address.ip().into(), address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: Found, value: &str) -> Finding {
        Finding { place: String::new(), what, value: value.to_owned(), written: format!("w {value}"), confidence: 50 }
    }

    fn findings() -> Vec<Finding> {
        vec![
            finding(Found::Address, "192.0.2.7:22"),
            finding(Found::Time, "2026-11-20T10:00:00Z"),
            finding(Found::LogLine, "a line"),
            finding(Found::Url, "http://a.example/x"),
            finding(Found::Prefix, "192.0.2.0/24"),
            finding(Found::Mail, "jan@a.example"),
            finding(Found::Time, "2026-11-21T10:00:00Z"),
            finding(Found::Address, "2001:db8::7"),
        ]
    }

    fn pick(picks: &[usize], kind: Kind, at: Option<&str>) -> Result<Picked, String> {
        let at = at.and_then(|at| Time::parse(at.as_bytes()));
        let picking = Picking { submission: PublicId(1), picks: picks.to_vec(), kind, at, by: "Anna".to_owned() };
        let now = Time::parse(b"2026-11-22T12:00:00Z").unwrap();
        Picked::of(&findings(), &picking, now).map_err(|error| error.to_string())
    }

    #[test]
    fn picks_make_reports_or_say_what_is_missing() {
        let made = pick(&[3, 2, 1, 1], Kind::LoginAttack, None).unwrap();
        assert_eq!((made.about.len(), made.lines.len(), made.at.to_string().as_str()), (1, 1, "2026-11-20T10:00:00Z"));
        assert_eq!(made.about[0].address, endpoint("192.0.2.7:22"));
        assert_eq!(pick(&[1, 8], Kind::Spam, Some("2026-11-20")).unwrap().about.len(), 2);
        for (name, picks, at, expected) in [
            ("no time", &[1][..], None, "say when it was"),
            ("two times", &[1, 2, 7], None, "one time"),
            ("a time twice over", &[1, 2], Some("2026-11-20"), "not both"),
            ("nothing it is about", &[2, 3], None, "an address, a URL or a domain name"),
            ("a range", &[5, 2], None, "range"),
            ("a mail address", &[6, 2], None, "mail address"),
            ("no such finding", &[9, 2], None, "there are 8"),
            ("number nought", &[0, 2], None, "there is no finding 0"),
            ("a time to come", &[1], Some("2027-01-01"), "yet to come"),
        ] {
            let said = pick(picks, Kind::Spam, at).unwrap_err();
            assert!(said.contains(expected), "{name}: {said}");
        }
    }

    #[test]
    fn content_is_at_the_one_address_picked_beside_it() {
        let made = pick(&[1, 2, 4], Kind::Phishing, None).unwrap();
        assert_eq!(made.about.len(), 1);
        assert_eq!((made.about[0].number, made.about[0].address), (4, endpoint("192.0.2.7:22")));
        assert_eq!(pick(&[1, 2, 4, 8], Kind::Phishing, None).unwrap().about.len(), 3, "which of two is not known");
        assert_eq!(pick(&[1, 2, 4], Kind::Spam, None).unwrap().about.len(), 2);
    }
}
