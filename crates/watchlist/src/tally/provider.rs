//! What a provider does: it reports in two files, one for each aggregator, keeps their receipts, corrects itself before the close, consents
//! to an exact total or does not, and looks whether the accepted set has it.

use matching::{
    bytes::Reader,
    envelope::{Envelope, Kind},
    tally::{Answer, DOMAIN, Role, share},
};
use rand_core::CryptoRng;

use super::{Error, Held, Home, home::for_everybody, one, rule, set};
use crate::keys;

/// What a provider hands on. Each file goes straight to its aggregator, not through the other one (T2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// For the leader.
    pub leader: Vec<u8>,
    /// For the helper.
    pub helper: Vec<u8>,
    /// For both, before the other files, when an earlier contribution is replaced.
    pub withdrawal: Option<Vec<u8>>,
    /// Whether these are the files of before, given again: the answer is then what it was.
    pub again: bool,
}

/// The most times that one contribution may be replaced.
pub const MOST_REPLACED: usize = 20;

/// Reports: splits an answer, and writes both files down before they are given out, so that a second call gives the same files.
/// `replace` withdraws what was reported before, until the task closes (T1).
///
/// # Errors
/// When it is too early or late, the question has no such answer, or the task is not signed by all.
pub fn report(
    home: &Home,
    held: &Held,
    answer: &Answer,
    replace: bool,
    now: i64,
    rng: &mut impl CryptoRng,
) -> Result<Report, Error> {
    must_be_provider(home)?;
    held.must_be_signed()?;
    must_be_open(held, now)?;
    let made = held.names("mine")?;
    let last = made.iter().rfind(|name| !name.ends_with("-withdrawal.slu"));
    let number = match (last, replace) {
        (None, _) => 1,
        (Some(name), false) => return again(held, name),
        (Some(_), true) if made.len() >= 2 * MOST_REPLACED => {
            return rule("it was replaced twenty times already; correct the next period");
        }
        (Some(name), true) => {
            let number = number_of(name)?;
            withdraw(home, held, name, number, now)?;
            number + 1
        }
    };
    let contribution = share::contribute(&held.task, &home.key(), answer, rng)?;
    let seal = |kind: Kind, role: Role, share: &share::Share| {
        let mut header = held.header(kind, home.key(), held.task.party(role).signing, now);
        header.seq = number;
        Envelope::signed(header, share.encode(), &home.identity.signing).encode()
    };
    let leader = seal(Kind::LeaderShare, Role::Leader, &contribution.leader);
    let helper = seal(Kind::HelperShare, Role::Helper, &contribution.helper);
    held.write(&format!("mine/{number:04}.slu"), &[&leader[..], &helper].concat())?;
    let withdrawal = match number {
        1 => None,
        number => held.read(&format!("mine/{:04}-withdrawal.slu", number - 1))?,
    };
    Ok(Report { leader, helper, withdrawal, again: false })
}

fn must_be_provider(home: &Home) -> Result<(), Error> {
    match home.identity.public.role {
        keys::Role::Provider => Ok(()),
        other => rule(format!("a provider does this; this directory is a {other}'s")),
    }
}

/// That contributions are taken in at this time.
pub(super) fn must_be_open(held: &Held, now: i64) -> Result<(), Error> {
    if now < held.task.opens {
        return rule("contributions are not taken in yet; the task says from when");
    }
    if now > held.task.closes {
        return rule("contributions are no longer taken in; what is to be corrected goes into the next period");
    }
    Ok(())
}

fn number_of(name: &str) -> Result<u64, Error> {
    name.get(..4).and_then(|number| number.parse().ok()).map_or_else(|| rule("a file in 'mine' has a name that is not ours"), Ok)
}

/// The files of before.
fn again(held: &Held, name: &str) -> Result<Report, Error> {
    let number = number_of(name)?;
    let [leader, helper] = mine(held, name)?;
    let withdrawal = match number {
        0 | 1 => None,
        number => held.read(&format!("mine/{:04}-withdrawal.slu", number - 1))?,
    };
    Ok(Report { leader: leader.encode(), helper: helper.encode(), withdrawal, again: true })
}

/// Both envelopes that were given out.
fn mine(held: &Held, name: &str) -> Result<[Envelope; 2], Error> {
    let bytes = held.read(&format!("mine/{name}"))?.unwrap_or_default();
    let all = Envelope::read_all(&bytes, 2)?;
    all.try_into()
        .or_else(|_| rule("what was reported before cannot be read; take it back from a backup, or ask both aggregators"))
}

/// Writes down that a contribution is withdrawn.
fn withdraw(home: &Home, held: &Held, name: &str, number: u64, now: i64) -> Result<(), Error> {
    let file = format!("mine/{number:04}-withdrawal.slu");
    if held.read(&file)?.is_some() {
        return Ok(());
    }
    let [leader, _] = mine(held, name)?;
    let nonce = share::Share::decode(&leader.body)?.nonce;
    held.write(&file, &for_everybody(held, Kind::Withdrawal, home, nonce.to_vec(), now).encode())
}

/// Consents to an exact total: everybody in the cohort must, or there is none (T4).
///
/// # Errors
/// When the task asks for none.
pub fn consent(home: &Home, held: &Held, now: i64) -> Result<Vec<u8>, Error> {
    must_be_provider(home)?;
    held.must_be_signed()?;
    if held.task.exact.is_none() {
        return rule("this task asks for no exact total, so there is nothing to consent to");
    }
    Ok(for_everybody(held, Kind::Consent, home, consent_body(), now).encode())
}

/// What a consent says.
pub(super) fn consent_body() -> Vec<u8> {
    [DOMAIN, b"/consent\0"].concat()
}

/// Takes a receipt in: gives whose it is.
///
/// # Errors
/// When it is not for what was reported last.
pub fn take_receipt(home: &Home, held: &Held, bytes: &[u8], now: i64) -> Result<Role, Error> {
    must_be_provider(home)?;
    let envelope = one(bytes)?;
    let from = [Role::Leader, Role::Helper].into_iter().find(|role| held.task.party(*role).signing == envelope.header.sender);
    let Some(role) = from else { return rule("this receipt is from neither aggregator of the task") };
    let body = held.open(&envelope, Kind::ShareReceipt, &held.task.party(role).signing, &home.key(), now)?;
    let mut r = Reader::new(body);
    let digest: [u8; 32] = r.array()?;
    r.end()?;
    let made = held.names("mine")?;
    let Some(last) = made.iter().rfind(|name| !name.ends_with("-withdrawal.slu")) else {
        return rule("nothing was reported from this directory yet");
    };
    let [leader, helper] = mine(held, last)?;
    let ours = if role == Role::Leader { leader } else { helper };
    if ours.hash() != digest {
        return rule("this receipt is not for what was reported last; send the newest file to that aggregator");
    }
    held.write(&format!("receipt-{}.slu", role.name()), bytes)?;
    Ok(role)
}

/// How a provider stands in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it has reported.
    pub reported: bool,
    /// Whether the leader's receipt for the newest is here.
    pub leader: bool,
    /// Whether the helper's is.
    pub helper: bool,
    /// Whether the accepted set has it; `None` when the set was not looked at yet.
    pub accepted: Option<bool>,
}

/// How this provider stands.
///
/// # Errors
/// When its files are broken.
pub fn standing(home: &Home, held: &Held) -> Result<Standing, Error> {
    must_be_provider(home)?;
    let made = held.names("mine")?;
    let last = made.iter().rfind(|name| !name.ends_with("-withdrawal.slu"));
    let Some(last) = last else { return Ok(Standing { reported: false, leader: false, helper: false, accepted: None }) };
    let [leader, helper] = mine(held, last)?;
    let has = |role: Role, envelope: &Envelope| -> Result<bool, Error> {
        let receipt = held.read(&format!("receipt-{}.slu", role.name()))?;
        Ok(receipt.and_then(|bytes| one(&bytes).ok()).is_some_and(|receipt| receipt.body == envelope.hash()))
    };
    let nonce = share::Share::decode(&leader.body)?.nonce;
    let accepted = match held.read("set.slu")? {
        Some(bytes) => Some(set::AcceptedSet::decode(&one(&bytes)?.body)?.has(&home.key(), &nonce)),
        None => None,
    };
    Ok(Standing { reported: true, leader: has(Role::Leader, &leader)?, helper: has(Role::Helper, &helper)?, accepted })
}

/// Looks at the accepted set that both aggregators signed: whether this provider's newest contribution is in it.
///
/// # Errors
/// When it is not signed by both.
pub fn look_at_set(home: &Home, held: &Held, bytes: &[u8], now: i64) -> Result<bool, Error> {
    must_be_provider(home)?;
    let envelope = one(bytes)?;
    set::open_signed(held, &envelope, now)?;
    held.write("set.slu", bytes)?;
    Ok(standing(home, held)?.accepted == Some(true))
}
