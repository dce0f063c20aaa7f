//! The accepted set: which contributions both aggregators hold. The leader says what it has, the helper answers with what both have, the
//! leader signs that too, and it is shown to the cohort for seven days before anything is made of it (T2).

use matching::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::{EVERYBODY, Envelope, KeyId, Kind},
    sha256,
    tally::{Cohort, DOMAIN, Role, SHOWN, Task, Wrong, cohort::MOST_MEMBERS},
};

use super::{Error, Held, Home, intake, one, rule};

/// A contribution in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Whose.
    pub provider: KeyId,
    /// Which: its newest.
    pub nonce: [u8; 16],
    /// The digest of what both aggregators see of it.
    pub digest: Digest,
}

/// Why a contribution that one aggregator holds is not in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Apart {
    /// The helper does not have it.
    LeaderOnly = 1,
    /// The leader does not have it.
    HelperOnly = 2,
    /// They have different ones.
    Different = 3,
}

impl Apart {
    fn of(number: u8) -> Option<Apart> {
        [Apart::LeaderOnly, Apart::HelperOnly, Apart::Different].into_iter().find(|apart| *apart as u8 == number)
    }
}

/// What both hold, and what only one does, each by provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcceptedSet {
    /// What both hold.
    pub entries: Vec<Entry>,
    /// What only one holds.
    pub apart: Vec<(KeyId, Apart)>,
}

impl AcceptedSet {
    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.list(&self.entries, |w, entry| {
            w.raw(&entry.provider).raw(&entry.nonce).raw(&entry.digest);
        });
        w.list(&self.apart, |w, (provider, apart)| {
            w.raw(provider).u8(*apart as u8);
        });
        w.done()
    }

    /// From what travelled.
    ///
    /// # Errors
    /// When the bytes are none, or a provider is there twice.
    pub fn decode(bytes: &[u8]) -> Result<AcceptedSet, Malformed> {
        let mut r = Reader::new(bytes);
        let entries = r.list(MOST_MEMBERS, |r| Ok(Entry { provider: r.array()?, nonce: r.array()?, digest: r.array()? }))?;
        let apart = r.list(MOST_MEMBERS, |r| {
            let provider = r.array()?;
            Ok((provider, Apart::of(r.u8()?).ok_or_else(|| r.wrong("a reason"))?))
        })?;
        r.end()?;
        let set = AcceptedSet { entries, apart };
        let once = set.entries.is_sorted_by(|a, b| a.provider < b.provider) && set.apart.is_sorted_by(|a, b| a.0 < b.0);
        let both = set.apart.iter().any(|(provider, _)| set.entry(provider).is_some());
        if once && !both { Ok(set) } else { Err(r.wrong("each provider once, in order")) }
    }

    /// The entry of a provider.
    #[must_use]
    pub fn entry(&self, provider: &KeyId) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.provider.cmp(provider)).ok()?;
        self.entries.get(at)
    }

    /// Whether this contribution is in it.
    #[must_use]
    pub fn has(&self, provider: &KeyId, nonce: &[u8; 16]) -> bool {
        self.entry(provider).is_some_and(|entry| entry.nonce == *nonce)
    }

    /// What a total over it is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&[DOMAIN, b"/set\0", &self.encode()])
    }
}

/// That enough independent providers are in a set, each of the cohort: gives how many there are and how many there must be.
pub(super) fn must_be_enough<'a>(
    task: &Task,
    cohort: &Cohort,
    keys: impl Iterator<Item = &'a KeyId> + Clone,
) -> Result<(u32, u32), Error> {
    if keys.clone().any(|key| cohort.member(key).is_none()) {
        return rule("somebody outside the cohort is in the set; do not use it");
    }
    let (got, least) = (cohort.groups(keys), cohort.least(task.floor)?);
    if got < least { Err(Wrong::Few { got, least }.into()) } else { Ok((got, least)) }
}

/// A set that both aggregators signed.
pub(super) fn open_signed(held: &Held, envelope: &Envelope, now: i64) -> Result<AcceptedSet, Error> {
    let helper = held.task.helper.signing;
    let set = AcceptedSet::decode(held.open(envelope, Kind::AcceptedSet, &helper, &EVERYBODY, now)?)?;
    if !envelope.is_signed_by(&held.task.leader.signing) {
        return rule("the accepted set is not signed by both aggregators; ask the leader for it");
    }
    Ok(set)
}

impl Home {
    /// What this aggregator holds.
    fn own(&self, held: &Held) -> Result<AcceptedSet, Error> {
        let mut entries = Vec::new();
        for (provider, nonce) in intake::shares(held)? {
            let digest = intake::share(held, &provider, &nonce)?.digest(&provider);
            entries.push(Entry { provider, nonce, digest });
        }
        Ok(AcceptedSet { entries, apart: Vec::new() })
    }

    fn must_be_closed(held: &Held, now: i64) -> Result<(), Error> {
        if now <= held.task.closes {
            rule("contributions are still taken in; the set is made after the task closes")
        } else {
            Ok(())
        }
    }

    /// The leader says what it holds: a file for the helper.
    ///
    /// # Errors
    /// Before the close, or in another role.
    pub fn propose_set(&self, held: &Held, now: i64) -> Result<Vec<u8>, Error> {
        self.must_be(&[Role::Leader])?;
        Home::must_be_closed(held, now)?;
        let header = held.header(Kind::AcceptedSet, self.key(), held.task.helper.signing, now);
        Ok(Envelope::signed(header, self.own(held)?.encode(), &self.identity.signing).encode())
    }

    /// The helper answers with what both hold: a file for the leader.
    ///
    /// # Errors
    /// When too few are in both, or the leader proposed another set before.
    pub fn answer_set(&self, held: &Held, bytes: &[u8], now: i64) -> Result<Vec<u8>, Error> {
        self.must_be(&[Role::Helper])?;
        Home::must_be_closed(held, now)?;
        if held.read("set.slu")?.is_some() {
            return rule("the set is signed by both already");
        }
        let envelope = one(bytes)?;
        let body = held.open(&envelope, Kind::AcceptedSet, &held.task.leader.signing, &self.key(), now)?;
        let (theirs, ours) = (AcceptedSet::decode(body)?, self.own(held)?);
        let mut set = AcceptedSet::default();
        for entry in &theirs.entries {
            match ours.entry(&entry.provider) {
                Some(own) if own == entry => set.entries.push(*entry),
                Some(_) => set.apart.push((entry.provider, Apart::Different)),
                None => set.apart.push((entry.provider, Apart::LeaderOnly)),
            }
        }
        let missing = ours.entries.iter().filter(|own| theirs.entry(&own.provider).is_none());
        set.apart.extend(missing.map(|own| (own.provider, Apart::HelperOnly)));
        set.apart.sort_unstable();
        must_be_enough(&held.task, &held.cohort()?, set.entries.iter().map(|entry| &entry.provider))?;
        // One signature of the helper, on one set: with two of them a leader could show the cohort one and have the other counted. After the close
        // nothing comes in, so an honest leader proposes the same again.
        if let Some(known) = held.read("set-answer.slu")? {
            return match AcceptedSet::decode(&one(&known)?.body)? == set {
                true => Ok(known),
                false => rule("the leader proposed another set before, and this helper signed that; ask the leader why"),
            };
        }
        let answer = super::home::for_everybody(held, Kind::AcceptedSet, self, set.encode(), now).encode();
        held.write("set-answer.slu", &answer)?;
        Ok(answer)
    }

    /// The leader signs what the helper answered, when it is true: the file that is shown to the cohort. Its seven days begin here.
    ///
    /// # Errors
    /// When the helper leaves out, without saying so, what the leader holds, or puts in what it does not.
    pub fn confirm_set(&self, held: &Held, bytes: &[u8], now: i64) -> Result<Vec<u8>, Error> {
        self.must_be(&[Role::Leader])?;
        Home::must_be_closed(held, now)?;
        if let Some(known) = held.read("set.slu")? {
            return Ok(known);
        }
        let mut envelope = one(bytes)?;
        let set = AcceptedSet::decode(held.open(&envelope, Kind::AcceptedSet, &held.task.helper.signing, &EVERYBODY, now)?)?;
        let ours = self.own(held)?;
        if set.entries.iter().any(|entry| ours.entry(&entry.provider) != Some(entry)) {
            return rule("the helper puts a contribution in the set that is not here; compare the receipts with the provider");
        }
        let said = |provider: &KeyId| set.apart.iter().find(|(other, _)| other == provider).map(|(_, apart)| *apart);
        for own in &ours.entries {
            let good =
                set.entry(&own.provider).is_some() || matches!(said(&own.provider), Some(Apart::LeaderOnly | Apart::Different));
            if !good {
                return rule("the helper leaves out a contribution that is here, and does not say so; do not sign, and ask it");
            }
        }
        if set.apart.iter().any(|(provider, apart)| (*apart == Apart::HelperOnly) == ours.entry(provider).is_some()) {
            return rule(
                "the helper says of a contribution that it is not here, and it is, or the other way round; do not sign, and ask it",
            );
        }
        must_be_enough(&held.task, &held.cohort()?, set.entries.iter().map(|entry| &entry.provider))?;
        envelope.sign(&self.identity.signing);
        self.show(held, &envelope, now)
    }

    /// The helper takes in the set that both have signed. Its seven days begin here.
    ///
    /// # Errors
    /// When it is not what it answered.
    pub fn take_set(&self, held: &Held, bytes: &[u8], now: i64) -> Result<(), Error> {
        self.must_be(&[Role::Helper])?;
        if held.read("set.slu")?.is_some() {
            return Ok(());
        }
        let envelope = one(bytes)?;
        open_signed(held, &envelope, now)?;
        let answered = held.read("set-answer.slu")?.map(|bytes| one(&bytes)).transpose()?;
        if answered.is_none_or(|answered| answered.hash() != envelope.hash()) {
            return rule("this is not the set that this helper answered with last; ask the leader for the newest");
        }
        self.show(held, &envelope, now).map(drop)
    }

    fn show(&self, held: &Held, envelope: &Envelope, now: i64) -> Result<Vec<u8>, Error> {
        let bytes = envelope.encode();
        // The time first: a kill between the two begins the seven days anew, and never cuts them short.
        held.write("shown", &now.to_be_bytes())?;
        held.write("set.slu", &bytes)?;
        Ok(bytes)
    }
}

/// The set that both signed, and when this party had it whole.
pub(super) fn signed(held: &Held) -> Result<(AcceptedSet, i64), Error> {
    let (Some(set), Some(shown)) = (held.read("set.slu")?, held.read("shown")?) else {
        return rule("there is no accepted set that both aggregators signed yet; make it with 'sluis tally set'");
    };
    let shown: [u8; 8] =
        shown.as_slice().try_into().or_else(|_| rule("the file 'shown' is broken; take it back from a backup"))?;
    Ok((AcceptedSet::decode(&one(&set)?.body)?, i64::from_be_bytes(shown)))
}

/// The same, once it was shown for seven days.
pub(super) fn shown_long_enough(held: &Held, now: i64) -> Result<AcceptedSet, Error> {
    let (set, shown) = signed(held)?;
    // An aggregator that asks earlier would cut short the time in which providers can see that they are missing.
    let from = shown.saturating_add(SHOWN);
    if now < from {
        let hour = 60 * 60 * 1000;
        let hours = from.saturating_sub(now).saturating_add(hour - 1) / hour;
        return rule(format!(
            "the accepted set is shown to the cohort for seven days before anything is made of it: {hours} hours to go"
        ));
    }
    Ok(set)
}

/// Whether a file is from this party: the helper's answer, signed by the leader too, comes back to it.
///
/// # Errors
/// When it is no envelope.
pub fn is_from(bytes: &[u8], key: &KeyId) -> Result<bool, Error> {
    Ok(one(bytes)?.header.sender == *key)
}

/// Whether a file says what is counted, rather than beginning the proofs.
///
/// # Errors
/// When it is no envelope.
pub fn is_counted(bytes: &[u8]) -> Result<bool, Error> {
    Ok(one(bytes)?.header.kind == Kind::AcceptedSet)
}
