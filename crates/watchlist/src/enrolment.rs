//! Enrolling a provider, and leaving: who may ask, and how much. Nobody is enrolled before a person compared fingerprints with somebody of the
//! provider.

use matching::bytes::plain;
use matching::envelope::{EVERYBODY, Envelope, Expected, Header, KeyId, Kind, fingerprint};
use matching::message::enrol::{MOST_NAME, MOST_TEXT, bucket};
use matching::message::{Cadence, Enrolment, EnrolmentRequest, GroupPlan, Leaving, Plan};
use matching::token::Group;
use serde::{Deserialize, Serialize};

use crate::evaluator::Error;
use crate::keys::Identity;

/// How long a request or a leaving may be on its way: 60 days, in milliseconds.
pub const TRAVEL: i64 = 60 * DAY;
/// How long an enrolment counts: two years, in milliseconds. Then somebody looks at it again.
pub const COUNTS: i64 = 730 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What it calls itself.
    pub name: String,
    /// Its number in the trade register, or its AS number.
    pub registration: String,
    /// Whom to call.
    pub contact: String,
    /// How many customers it has; only the next power of two is told.
    pub customers: u32,
}

/// A request to be enrolled.
#[must_use]
pub fn request(about: &About, provider: &Identity, now: i64) -> Envelope {
    let body = EnrolmentRequest {
        name: short(&about.name, MOST_NAME),
        registration: short(&about.registration, MOST_NAME),
        contact: short(&about.contact, MOST_TEXT),
        customers: bucket(about.customers),
        hpke: provider.public.address,
    };
    let header = Header::new(Kind::EnrolmentRequest, provider.public.key, EVERYBODY, now, now.saturating_add(TRAVEL));
    Envelope::signed(header, body.encode(), &provider.signing)
}

/// The request in a file. Who made it is not known before somebody of the provider read their fingerprint aloud to us.
///
/// # Errors
/// When it is none, is too old, or is not signed with its own key.
pub fn read_request(file: &[u8], now: i64) -> Result<(Envelope, EnrolmentRequest), Error> {
    let envelope = one(file)?;
    let body = envelope.open(Kind::EnrolmentRequest, &Expected::default(), now)?;
    let request = EnrolmentRequest::decode(body)?;
    Ok((envelope, request))
}

/// Enrols the provider whose fingerprint was compared.
///
/// # Errors
/// When the request is none, or its fingerprint is another one.
pub fn enrol(
    file: &[u8],
    compared: &str,
    plan: Option<Plan>,
    edits_both: bool,
    officer: &Identity,
    now: i64,
) -> Result<(Envelope, Enrolment), Error> {
    let (request, about) = read_request(file, now)?;
    let provider = request.header.sender;
    same_fingerprint(compared, &provider)?;
    let enrolment = Enrolment {
        provider,
        name: about.name,
        request: request.hash(),
        customers: about.customers,
        hpke: about.hpke,
        plan: plan.unwrap_or_else(|| Plan::usual(about.customers, edits_both)),
    };
    let header = Header::new(Kind::Enrolment, officer.public.key, provider, now, now.saturating_add(COUNTS));
    Ok((Envelope::signed(header, enrolment.encode(), &officer.signing), enrolment))
}

/// That a provider leaves: signed by itself, or by an officer who ends its enrolment.
#[must_use]
pub fn leaving(provider: &KeyId, reason: &str, by: &Identity, now: i64) -> Envelope {
    let body = Leaving { provider: *provider, reason: short(reason, MOST_TEXT) };
    let header = Header::new(Kind::Leaving, by.public.key, EVERYBODY, now, now.saturating_add(COUNTS));
    Envelope::signed(header, body.encode(), &by.signing)
}

/// That a fingerprint, as a person typed it, is of this key. Spaces, hyphens and small letters do not matter.
///
/// # Errors
/// When it is of another key.
pub fn same_fingerprint(typed: &str, key: &KeyId) -> Result<(), Error> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
    };
    // The right one is not shown: whoever could copy it from here would compare nothing.
    if letters(typed) == letters(&fingerprint(key)) {
        Ok(())
    } else {
        Err(Error::said(
            "the fingerprint that was given is not that of the key in the file; call them on a number that you know, and let them read it again",
        ))
    }
}

/// The one envelope of a file.
pub(crate) fn one(file: &[u8]) -> Result<Envelope, Error> {
    let mut all = Envelope::read_all(file, 1)?;
    all.pop().ok_or_else(|| Error::said("the file is empty; ask for it again"))
}

/// Fit to travel, on one line, and not longer than it may be.
fn short(text: &str, most: usize) -> String {
    let mut text: String = plain(text).replace('\n', " ").trim().to_owned();
    while text.len() > most {
        text.pop();
    }
    text
}

/// One line of a plan, as state files keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batches {
    /// Number of the group.
    pub group: u8,
    /// Elements of a batch.
    pub batch: u16,
    /// Number of the cadence.
    pub cadence: u8,
    /// Batches of the first period beside `each`.
    pub initial: u32,
    /// Batches of each period.
    pub each: u32,
}

impl Batches {
    /// A plan as it is kept.
    #[must_use]
    pub fn of(plan: &Plan) -> Vec<Batches> {
        let of = |plan: &GroupPlan| Batches {
            group: plan.group as u8,
            batch: plan.batch,
            cadence: plan.cadence as u8,
            initial: plan.initial,
            each: plan.each,
        };
        plan.groups().iter().map(of).collect()
    }

    /// The plan that was kept; nothing when a state file was changed by hand.
    #[must_use]
    pub fn plan(kept: &[Batches]) -> Option<Plan> {
        let groups = kept.iter().map(|kept| {
            let Batches { group, batch, cadence, initial, each } = *kept;
            Some(GroupPlan { group: Group::of(group)?, batch, cadence: Cadence::of(cadence)?, initial, each })
        });
        Plan::of(groups.collect::<Option<_>>()?)
    }
}

/// A line of a plan as an officer writes it: `names=64,24,2,week` is batches of 64, 24 of them at first, 2 a week.
///
/// # Errors
/// What is wrong with it.
pub fn parse_plan(text: &str) -> Result<GroupPlan, String> {
    let wrong =
        || format!("'{text}' is no plan of a group; write GROUP=SIZE,INITIAL,EACH,CADENCE, for example names=64,24,2,week");
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let group = Group::ALL.into_iter().find(|group| group.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Group::ALL.into_iter().map(Group::name).collect();
        format!("'{name}' is no group; the groups are {}", names.join(", "))
    })?;
    let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    let [batch, initial, each, cadence] = parts[..] else { return Err(wrong()) };
    let batch = batch.parse().map_err(|_| wrong())?;
    let (initial, each) = (initial.parse().map_err(|_| wrong())?, each.parse().map_err(|_| wrong())?);
    let cadence = Cadence::ALL.into_iter().find(|one| one.name() == cadence).ok_or_else(wrong)?;
    let plan = GroupPlan { group, batch, cadence, initial, each };
    Plan::of(vec![plan]).map(|_| plan).ok_or_else(|| format!("a batch in '{text}' has 64, 256, 1024 or 4096 elements"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_written_in_one_line() {
        let plan = parse_plan("names=64,24,2,week").expect("a plan");
        assert_eq!(plan, GroupPlan { group: Group::Names, batch: 64, cadence: Cadence::Week, initial: 24, each: 2 });
        assert_eq!(parse_plan("networks=256, 0, 0, month").map(|plan| plan.batches(3)), Ok(0));
        for (wrong, why) in [
            ("names", "GROUP=SIZE"),
            ("name=64,1,1,week", "registries"),
            ("names=65,1,1,week", "4096"),
            ("names=64,1,1", "GROUP=SIZE"),
            ("names=64,1,1,year", "GROUP=SIZE"),
            ("names=64,-1,1,week", "GROUP=SIZE"),
            ("names=64,99999999,1,week", "batch"),
        ] {
            assert!(parse_plan(wrong).is_err_and(|said| said.contains(why)), "{wrong}");
        }
    }

    #[test]
    fn what_a_provider_says_of_itself_is_cut_and_cleaned() {
        let mut chance = matching::testing::Chance::of(1);
        let provider = Identity::draw(crate::keys::Role::Provider, "P", &mut chance);
        let about = About {
            name: format!("a\u{202e}b\n{}", "é".repeat(400)),
            registration: "x".into(),
            contact: "y".into(),
            customers: 77,
        };
        let file = request(&about, &provider, 0).encode();
        let (_, read) = read_request(&file, 0).expect("a request");
        assert!(read.name.starts_with("a b é") && read.name.len() <= MOST_NAME);
        assert_eq!(read.customers, 128);
        assert!(read_request(&file, TRAVEL + 1).is_err(), "too old");
        assert!(read_request(&[file.clone(), file].concat(), 0).is_err(), "one request a file");
        assert!(read_request(b"", 0).is_err());
    }
}
