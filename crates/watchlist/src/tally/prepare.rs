//! The proof of each contribution, in three files: the leader begins, the helper answers, and the leader says which are counted. What each
//! keeps is only files; output shares are made again when they are summed.

use matching::{
    bytes::{Malformed, Reader, Writer},
    envelope::{EVERYBODY, Envelope, KeyId, Kind},
    tally::{Output, Role, Sum, Verifier, Wrong, cohort::MOST_MEMBERS, share::MOST_SHARE},
};

use super::{
    Error, Held, Home, intake, one, rule,
    set::{self, AcceptedSet},
};

/// Messages by provider; none where the contribution is refused.
struct Messages(Vec<(KeyId, Option<Vec<u8>>)>);

impl Messages {
    fn encode(&self) -> Vec<u8> {
        Writer::new()
            .list(&self.0, |w, (provider, message)| {
                w.raw(provider).u8(u8::from(message.is_some()));
                if let Some(message) = message {
                    w.bytes(message);
                }
            })
            .done()
    }

    fn decode(bytes: &[u8]) -> Result<Messages, Malformed> {
        let mut r = Reader::new(bytes);
        let all = r.list(MOST_MEMBERS, |r| {
            let provider: KeyId = r.array()?;
            let message = match r.u8()? {
                0 => None,
                1 => Some(r.bytes(MOST_SHARE)?.to_vec()),
                _ => return Err(r.wrong("0 or 1")),
            };
            Ok((provider, message))
        })?;
        r.end()?;
        if all.is_sorted_by(|a, b| a.0 < b.0) { Ok(Messages(all)) } else { Err(r.wrong("each provider once, in order")) }
    }

    fn of(&self, provider: &KeyId) -> Option<&[u8]> {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(provider)).ok()?;
        self.0.get(at)?.1.as_deref()
    }
}

/// What is counted in the end, and who of the accepted set is not: its proof did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// The contributions that are in the total.
    pub set: AcceptedSet,
    /// The providers whose contribution was refused by its proof.
    pub refused: Vec<KeyId>,
}

impl Counted {
    #[cfg(test)]
    pub(super) fn encode_for_tests(&self) -> Vec<u8> {
        self.encode()
    }

    fn encode(&self) -> Vec<u8> {
        Writer::new()
            .bytes(&self.set.encode())
            .list(&self.refused, |w, provider| {
                w.raw(provider);
            })
            .done()
    }

    fn decode(bytes: &[u8]) -> Result<Counted, Malformed> {
        let mut r = Reader::new(bytes);
        let set = AcceptedSet::decode(r.bytes(1 << 20)?)?;
        let refused = r.list(MOST_MEMBERS, Reader::array)?;
        r.end()?;
        Ok(Counted { set, refused })
    }
}

impl Home {
    fn verifier(&self, held: &Held) -> Result<Verifier, Error> {
        Ok(Verifier::new(&held.task, self.verify_key(&held.task)?)?)
    }

    /// The leader begins: a file for the helper.
    ///
    /// # Errors
    /// Before the set was shown for seven days.
    pub fn begin(&self, held: &Held, now: i64) -> Result<Vec<u8>, Error> {
        self.must_be(&[Role::Leader])?;
        let set = set::shown_long_enough(held, now)?;
        if let Some(known) = held.read("begun.slu")? {
            return Ok(known);
        }
        let verifier = self.verifier(held)?;
        let mut messages = Vec::with_capacity(set.entries.len());
        for entry in &set.entries {
            let message = self.opened(held, Role::Leader, entry).and_then(|share| Ok(verifier.leader_begins(&share)?));
            messages.push((entry.provider, refused(message)?));
        }
        let mut header = held.header(Kind::PrepareInit, self.key(), held.task.helper.signing, now);
        header.previous = set.digest();
        let bytes = Envelope::signed(header, Messages(messages).encode(), &self.identity.signing).encode();
        held.write("begun.slu", &bytes)?;
        Ok(bytes)
    }

    fn opened(&self, held: &Held, role: Role, entry: &set::Entry) -> Result<matching::tally::share::Opened, Error> {
        let share = intake::share(held, &entry.provider, &entry.nonce)?;
        Ok(share.open(&held.task, role, &entry.provider, &self.identity.opener)?)
    }

    /// The helper answers: a file for the leader. It answers once: another first message about the same set is refused, since two answers
    /// about one contribution could tell something of it.
    ///
    /// # Errors
    /// Before the set was shown to it for seven days, or when the leader begins twice.
    pub fn answer(&self, held: &Held, bytes: &[u8], now: i64) -> Result<Vec<u8>, Error> {
        self.must_be(&[Role::Helper])?;
        let set = set::shown_long_enough(held, now)?;
        let envelope = one(bytes)?;
        let messages = Messages::decode(held.open(&envelope, Kind::PrepareInit, &held.task.leader.signing, &self.key(), now)?)?;
        if envelope.header.previous != set.digest() {
            return rule("the leader begins with another set than both signed; ask it");
        }
        match held.read("begun.slu")? {
            Some(known) if one(&known)?.hash() != envelope.hash() => {
                return rule("the leader began already, with other messages; one task is prepared once");
            }
            Some(_) => {}
            // Written before anything is answered: after a kill only these same messages are answered.
            None => held.write("begun.slu", bytes)?,
        }
        if let Some(known) = held.read("answered.slu")? {
            return Ok(known);
        }
        let verifier = self.verifier(held)?;
        let mut answers = Vec::with_capacity(set.entries.len());
        for entry in &set.entries {
            let answer = match messages.of(&entry.provider) {
                None => None,
                Some(message) => {
                    let answer =
                        self.opened(held, Role::Helper, entry).and_then(|share| Ok(verifier.helper_answers(&share, message)?.0));
                    refused(answer)?
                }
            };
            answers.push((entry.provider, answer));
        }
        let mut header = held.header(Kind::PrepareResponse, self.key(), held.task.leader.signing, now);
        header.previous = envelope.hash();
        let bytes = Envelope::signed(header, Messages(answers).encode(), &self.identity.signing).encode();
        held.write("answered.slu", &bytes)?;
        Ok(bytes)
    }

    /// The leader takes the answer in and says what is counted: a file for the helper, and for the cohort.
    ///
    /// # Errors
    /// When the answer is to other messages, or too few are left.
    pub fn end(&self, held: &Held, bytes: &[u8], now: i64) -> Result<(Vec<u8>, Counted), Error> {
        self.must_be(&[Role::Leader])?;
        let set = set::shown_long_enough(held, now)?;
        if let Some(known) = held.read("counted.slu")? {
            let counted = Counted::decode(&one(&known)?.body)?;
            return Ok((known, counted));
        }
        let envelope = one(bytes)?;
        let body = held.open(&envelope, Kind::PrepareResponse, &held.task.helper.signing, &self.key(), now)?;
        let answers = Messages::decode(body)?;
        let begun = held.read("begun.slu")?.map(|bytes| one(&bytes)).transpose()?;
        if begun.is_none_or(|begun| begun.hash() != envelope.header.previous) {
            return rule("the helper answers other messages than this leader's; ask it for its answer again");
        }
        let verifier = self.verifier(held)?;
        let mut counted = Counted::default();
        for entry in set.entries {
            let output = match answers.of(&entry.provider) {
                None => None,
                Some(answer) => {
                    refused(self.opened(held, Role::Leader, &entry).and_then(|share| Ok(verifier.leader_ends(&share, answer)?)))?
                }
            };
            match output {
                Some(_) => counted.set.entries.push(entry),
                None => counted.refused.push(entry.provider),
            }
        }
        set::must_be_enough(&held.task, &held.cohort()?, counted.set.entries.iter().map(|entry| &entry.provider))?;
        held.write("answered.slu", bytes)?;
        let bytes = super::home::for_everybody(held, Kind::AcceptedSet, self, counted.encode(), now).encode();
        held.write("counted.slu", &bytes)?;
        Ok((bytes, counted))
    }

    /// The helper takes in what the leader counts.
    ///
    /// # Errors
    /// When it counts what was not accepted or not proven here, leaves out without naming, or too few are left.
    pub fn take_counted(&self, held: &Held, bytes: &[u8], now: i64) -> Result<Counted, Error> {
        self.must_be(&[Role::Helper])?;
        let set = set::shown_long_enough(held, now)?;
        let envelope = one(bytes)?;
        let counted = Counted::decode(held.open(&envelope, Kind::AcceptedSet, &held.task.leader.signing, &EVERYBODY, now)?)?;
        if let Some(known) = held.read("counted.slu")?
            && one(&known)?.hash() != envelope.hash()
        {
            return rule("the leader said before that it counts others; one task is counted once");
        }
        let Some(answered) = held.read("answered.slu")? else { return rule("this helper has not answered the leader yet") };
        let answers = Messages::decode(&one(&answered)?.body)?;
        for entry in &counted.set.entries {
            if set.entry(&entry.provider) != Some(entry) || answers.of(&entry.provider).is_none() {
                return rule(
                    "the leader counts a contribution that was not accepted, or was not proven here; do not release anything",
                );
            }
        }
        let named = |provider: &KeyId| counted.set.entry(provider).is_some() || counted.refused.contains(provider);
        if !set.entries.iter().all(|entry| named(&entry.provider)) {
            return rule("the leader leaves a contribution out without naming it; do not release anything");
        }
        set::must_be_enough(&held.task, &held.cohort()?, counted.set.entries.iter().map(|entry| &entry.provider))?;
        held.write("counted.slu", bytes)?;
        Ok(counted)
    }

    /// What is counted, as this aggregator holds it, and its sum of it.
    pub(super) fn sum(&self, held: &Held) -> Result<(Counted, Sum), Error> {
        let role = self.must_be(&[Role::Leader, Role::Helper])?;
        let (Some(counted), Some(begun), Some(answered)) =
            (held.read("counted.slu")?, held.read("begun.slu")?, held.read("answered.slu")?)
        else {
            return rule("the contributions are not proven yet; do 'sluis tally prepare' first");
        };
        let counted = Counted::decode(&one(&counted)?.body)?;
        let (begun, answered) = (Messages::decode(&one(&begun)?.body)?, Messages::decode(&one(&answered)?.body)?);
        let (verifier, mut sum) = (self.verifier(held)?, Sum::new(&held.task));
        for entry in &counted.set.entries {
            let share = self.opened(held, role, entry)?;
            let output: Output = match role {
                Role::Leader => verifier.leader_ends(&share, answered.of(&entry.provider).unwrap_or_default())?,
                _ => verifier.helper_answers(&share, begun.of(&entry.provider).unwrap_or_default())?.1,
            };
            sum.add(&output)?;
        }
        Ok((counted, sum))
    }
}

/// What a proof said: nothing where the contribution is refused by it, and an error where something else went wrong.
fn refused<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::Wrong(Wrong::Proof | Wrong::Sealed)) => Ok(None),
        Err(error) => Err(error),
    }
}
