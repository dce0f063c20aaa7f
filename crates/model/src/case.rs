//! Cases: one file per problem, however many reports tell of it.

use crate::address::Address;
use crate::category::{Kind, Scope};
use crate::chain::PartyId;
use crate::report::{Report, Word};
use crate::resource::{DomainName, Host, Url};
use crate::submission::PublicId;
use crate::time::{DAY, MINUTE, Time};

/// What makes two reports one problem, as bytes that sort and compare: kind, holder, and what the kind is about (a
/// site or account, an address and port, or an address). See [`Scope`].
///
/// The holder is part of it: after an address moved, new abuse on it is the new holder's problem, not the old one's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseKey(pub Vec<u8>);

const ABOUT_ADDRESS: u8 = 1;
const ABOUT_SERVICE: u8 = 2;
const ABOUT_SITE: u8 = 3;
const ABOUT_ACCOUNT: u8 = 4;
const ABOUT_TEXT: u8 = 5;
/// Stands before the number in the key of a split case; no name has it.
const SPLIT: u8 = 0;
/// Bytes of a name that go into a key; longer ones (which no domain name is) are cut.
const NAME: usize = 255;

impl CaseKey {
    /// The key of a report whose resource was held by `holder` (`None`: by nobody we know of).
    pub fn of(report: &Report<'_>, holder: Option<PartyId>) -> CaseKey {
        let mut key = Vec::with_capacity(32);
        CaseKey::write(report, holder, &mut key);
        CaseKey(key)
    }

    /// Appends the key's bytes to `into`: [`CaseKey::of`] without an allocation of its own.
    pub fn write(report: &Report<'_>, holder: Option<PartyId>, into: &mut Vec<u8>) {
        let core = report.core;
        into.push(core.kind as u8);
        into.extend_from_slice(&holder.unwrap_or(0).to_be_bytes());
        let name = |into: &mut Vec<u8>, about: u8, name: &str| {
            into.push(about);
            into.extend_from_slice(&name.as_bytes()[..name.len().min(NAME)]);
        };
        if core.kind.scope() == Scope::Site {
            if let Some(account) = report.text(Word::ACCOUNT) {
                return name(into, ABOUT_ACCOUNT, account);
            }
            if let Some(url) = report.text(Word::URL).and_then(Url::parse) {
                match url.host() {
                    Host::Name(host) => return name(into, ABOUT_SITE, host.as_str()),
                    Host::Address(host) => {
                        into.push(ABOUT_ADDRESS);
                        return into.extend_from_slice(&host.bytes());
                    }
                }
            }
            if let Some(domain) = report.text(Word::DOMAIN).and_then(DomainName::parse) {
                return name(into, ABOUT_SITE, domain.as_str());
            }
        }
        if core.address == Address::NONE {
            // No address: whatever the source named, as it named it.
            let named =
                report.text(Word::SOURCE_IDENTIFIER).or_else(|| report.text(Word::DOMAIN)).or_else(|| report.text(Word::URL));
            return name(into, ABOUT_TEXT, named.unwrap_or_default());
        }
        if core.kind.scope() == Scope::Service && core.port != 0 {
            into.push(ABOUT_SERVICE);
            into.extend_from_slice(&core.address.bytes());
            into.extend_from_slice(&core.port.to_be_bytes());
        } else {
            into.push(ABOUT_ADDRESS);
            into.extend_from_slice(&core.address.bytes());
        }
    }

    /// The port that the key names; 0 when it names none.
    pub fn port(&self) -> u16 {
        match self.0.get(9..) {
            Some([ABOUT_SERVICE, rest @ ..]) => {
                rest.get(16..18).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_be_bytes)
            }
            _ => 0,
        }
    }

    /// The key of a case that a person split off one with this key, made one of its own by the case's number. No report
    /// has such a key: further ones join the case that it was split off.
    pub fn split(&self, case: i64) -> CaseKey {
        let mut key = self.0.clone();
        key.push(SPLIT);
        key.extend_from_slice(&case.to_be_bytes());
        CaseKey(key)
    }

    /// What the key is about, for people: `192.0.2.7`, `192.0.2.7 port 23`, `shop.example`, `account da01/c1042`.
    pub fn about(&self) -> String {
        let Some((about, rest)) = self.0.get(9..).and_then(<[u8]>::split_first) else { return String::new() };
        let address = |bytes: &[u8]| {
            bytes.get(..16).and_then(|bytes| bytes.try_into().ok()).map(|bytes| Address(u128::from_be_bytes(bytes)))
        };
        let port = |bytes: &[u8]| bytes.get(16..18).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes);
        // Behind a name may stand what makes a split case one of its own.
        let text = || String::from_utf8_lossy(rest.split(|byte| *byte == SPLIT).next().unwrap_or_default()).into_owned();
        match (*about, address(rest)) {
            (ABOUT_ADDRESS, Some(address)) => address.to_string(),
            (ABOUT_SERVICE, Some(address)) => format!("{address} port {}", port(rest).unwrap_or_default()),
            (ABOUT_ACCOUNT, _) => format!("account {}", text()),
            _ => text(),
        }
    }
}

/// Whether a case still needs somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Somebody has to act.
    Open,
    /// Nobody has to act; a new report opens a new case that refers to this one.
    Closed,
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [State; 2] = [State::Open, State::Closed];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
        }
    }
}

/// A file about one problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Row number inside this node.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// What makes it this problem.
    pub key: CaseKey,
    /// The kind of abuse.
    pub kind: Kind,
    /// Whether it needs somebody.
    pub state: State,
    /// The party that held the resource at the time of the first report; `None` puts it in the queue of those without
    /// a holder.
    pub holder: Option<PartyId>,
    /// When it was opened here.
    pub opened: Time,
    /// Earliest sighting that a report states.
    pub first_seen: Time,
    /// Latest sighting that a report states.
    pub last_seen: Time,
    /// When the first report arrived that gives knowledge (DSA article 16(3)): one with a source, a time and a named
    /// reporter.
    pub first_valid_notice: Option<Time>,
    /// Reports that joined it.
    pub reports: u64,
    /// Whether all reports were old when they came: no clocks run and no letters go out (design 5.2.1).
    pub history: bool,
}

/// How a stated time of abuse relates to when it was received (security.md Y1; docs/decisions/0004).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credibility {
    /// Recent: the case may have clocks.
    Current,
    /// Over [`HISTORY_AGE`] old: kept and traced, without clocks.
    History,
    /// Missing, before 1990, or later than receipt by more than [`CLOCK_SKEW`]: a person looks.
    NotCredible,
}

/// Reports older than this when they arrive are history.
pub const HISTORY_AGE: i64 = 90 * DAY;
/// How far a notifier's clock may be ahead.
pub const CLOCK_SKEW: i64 = 5 * MINUTE;
/// 1990-01-01T00:00:00Z: before it, nothing was hosted that a report could be about.
const EARLIEST: Time = Time(631_152_000_000);

impl Credibility {
    /// Judges the stated time of a report that was received at `received`.
    pub fn of(stated: Option<Time>, received: Time) -> Credibility {
        Credibility::within(stated, received, HISTORY_AGE)
    }

    /// Judges it by an operator's own age of history, in milliseconds.
    pub fn within(stated: Option<Time>, received: Time, history: i64) -> Credibility {
        match stated {
            Some(stated) if stated < EARLIEST || stated > received.plus(CLOCK_SKEW) => Credibility::NotCredible,
            Some(stated) if stated < received.plus(-history) => Credibility::History,
            Some(_) => Credibility::Current,
            None => Credibility::NotCredible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Batch, Core};

    #[test]
    fn one_problem_one_key() {
        let mut batch = Batch::new();
        let mut add = |kind: Kind, address: &str, port: u16, fields: &[(Word, &str)]| {
            for (word, text) in fields {
                batch.text(*word, text);
            }
            let mut core = Core::new(kind, 0);
            core.address = Address::parse(address.as_bytes()).unwrap_or(Address::NONE);
            core.port = port;
            batch.finish(core);
        };
        add(Kind::LoginAttack, "192.0.2.7", 4711, &[]);
        add(Kind::LoginAttack, "192.0.2.7", 4712, &[]);
        add(Kind::OpenService, "192.0.2.7", 23, &[]);
        add(Kind::OpenService, "192.0.2.7", 22, &[]);
        add(Kind::Phishing, "192.0.2.7", 0, &[(Word::URL, "http://A.example/x")]);
        add(Kind::Phishing, "192.0.2.8", 0, &[(Word::URL, "https://a.example/y")]);
        add(Kind::Malware, "192.0.2.7", 0, &[(Word::URL, "http://192.0.2.9/y")]);
        add(Kind::Phishing, "", 0, &[(Word::SOURCE_IDENTIFIER, "somewhere")]);
        let keys: Vec<CaseKey> = batch.reports().map(|report| CaseKey::of(&report, Some(7))).collect();
        assert_eq!(keys[0], keys[1], "the attacker's port changes with every try");
        assert_ne!(keys[2], keys[3], "two services are two problems");
        assert_eq!(keys[4], keys[5], "a site is one problem wherever it is served from");
        assert_ne!(keys[0], CaseKey::of(&batch.report(0), Some(8)), "another holder, another case");
        let about: Vec<String> = keys.iter().map(CaseKey::about).collect();
        assert_eq!(
            about,
            [
                "192.0.2.7",
                "192.0.2.7",
                "192.0.2.7 port 23",
                "192.0.2.7 port 22",
                "a.example",
                "a.example",
                "192.0.2.9",
                "somewhere"
            ]
        );
    }

    #[test]
    fn a_split_case_is_about_the_same() {
        let mut batch = Batch::new();
        batch.text(Word::URL, "http://shop.example/x");
        batch.finish(Core::new(Kind::Phishing, 0));
        let mut core = Core::new(Kind::OpenService, 1);
        core.address = Address::parse(b"192.0.2.7").unwrap();
        core.port = 23;
        batch.finish(core);
        for report in batch.reports() {
            let key = CaseKey::of(&report, Some(7));
            assert_eq!(key.split(300).about(), key.about());
            assert_ne!(key.split(300), key.split(301));
            assert_ne!(key.split(300), key);
        }
    }

    #[test]
    fn times_are_believed_within_reason() {
        let received = Time::parse(b"2026-11-21T12:00:00Z").unwrap();
        for (stated, expected) in [
            ("2026-11-21T11:00:00Z", Credibility::Current),
            ("2026-11-21T12:04:59Z", Credibility::Current),
            ("2026-11-21T12:05:01Z", Credibility::NotCredible),
            ("2099-01-01", Credibility::NotCredible),
            ("1970-01-01", Credibility::NotCredible),
            ("2026-01-01", Credibility::History),
            ("not a time", Credibility::NotCredible),
        ] {
            assert_eq!(Credibility::of(Time::parse(stated.as_bytes()), received), expected, "{stated}");
        }
    }
}
