//! "Am I listed?", as a procedure: only for what the asker proved to control, once a quarter, and with one letter on one day, whatever the
//! answer is (M12). Otherwise the question would tell anybody who is listed.

use matching::token::{Class, identifier};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::letters::{self, Letter};
use super::{Desk, Readable};
use crate::chance;
use crate::keys::hex;
use crate::provider::ask::quarter;
use crate::provider::error::{Error, Result};
use crate::provider::hits::DAY;
use crate::provider::report::Language;

/// The day on which every letter goes out: 14 days after the question.
pub const WAIT: i64 = 14 * DAY;

/// How somebody proved to control what they ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// An extract of a register, not older than a month.
    RegisterExtract,
    /// A TXT record in the DNS with the code of the question.
    DnsTxt,
    /// A code that was sent by post to the address of the register, and came back.
    Post,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number: what stands on the letters.
    pub number: String,
    /// When it came in.
    pub at: i64,
    /// The code to prove control with.
    pub code: String,
    /// Who asks, for the letters.
    pub name: String,
    /// Class of the identifier.
    pub class: String,
    /// The identifier as it was written.
    pub text: String,
    /// Digest of its token: by which a second question in one quarter is seen.
    pub digest: String,
    /// How control was proven, what was seen of it, and when.
    pub proven: Option<(Proof, String, i64)>,
    /// Whether the list holder decided to disclose an entry: which, who decided, and when.
    pub disclosed: Option<(String, String, i64)>,
    /// When the letter was written.
    pub answered: Option<i64>,
}

impl Request {
    /// The day on which the letter goes out.
    #[must_use]
    pub fn due(&self) -> i64 {
        self.at.saturating_add(WAIT)
    }
}

/// Whether anybody can prove to control something of this class.
fn is_provable(class: Class) -> bool {
    class.is_strong() && class != Class::NamePlace
}

impl Desk {
    /// Takes in a question. Gives its number and the code to prove control with.
    ///
    /// # Errors
    /// When the identifier is none, or was asked about in this quarter.
    pub fn request(&mut self, name: &str, class: &str, text: &str, now: i64, rng: &mut impl CryptoRng) -> Result<&Request> {
        let known = Class::ALL.into_iter().find(|known| known.name() == class);
        let class = known.ok_or_else(|| {
            let all: Vec<&str> = Class::ALL.into_iter().filter(|class| is_provable(*class)).map(Class::name).collect();
            Error::said(format!("--class: it is one of {}", all.join(", ")))
        })?;
        if name.trim().is_empty() {
            return Err(Error::said("--name: who asks, as the letter has to address them"));
        }
        if !is_provable(class) {
            return Err(Error::said(
                "a name alone is nobody's: ask for something that can be proven, such as a register number, a domain name or an AS number",
            ));
        }
        let token = identifier::of(class, text).map_err(|wrong| Error::said(wrong.to_string()))?;
        let digest = hex(&matching::sha256(&[b"sluis/v1/listed-request\0", &token.input()]));
        let again = |request: &&Request| request.digest == digest && quarter(request.at) == quarter(now);
        if let Some(before) = self.state.requests.iter().find(again) {
            return Err(Error::said(format!(
                "this was asked about in this quarter already (number {}); once a quarter is the rule, so that nobody watches the list with it",
                before.number
            )));
        }
        let number = format!("L-{}", hex(&chance::draw::<4>(rng)).to_uppercase());
        let code = format!("sluis-listed={}", hex(&chance::draw::<12>(rng)));
        self.record()?.add(now, "asked-whether-listed", &number, self.identity())?;
        self.state.requests.push(Request {
            number,
            at: now,
            code,
            name: matching::bytes::plain(name.trim()),
            class: class.name().to_owned(),
            text: matching::bytes::plain(text.trim()),
            digest,
            proven: None,
            disclosed: None,
            answered: None,
        });
        self.save()?;
        self.state.requests.last().ok_or_else(|| Error::said("the question was not kept"))
    }

    /// Writes down how control was proven. A person saw it.
    ///
    /// # Errors
    /// When there is no such question, or nothing says what was seen.
    pub fn prove(&mut self, number: &str, proof: Proof, seen: &str, now: i64) -> Result<()> {
        if seen.trim().is_empty() {
            return Err(Error::said(
                "--seen: say what was seen (which extract and its date, which TXT record, which letter came back)",
            ));
        }
        let seen = matching::bytes::plain(seen.trim());
        self.request_mut(number)?.proven = Some((proof, seen, now));
        self.record()?.add(now, "control-proven", number, self.identity())?;
        self.save()
    }

    /// Whether the identifier of a question stands in an entry that the desk can read. For the desk and the list holder alone.
    ///
    /// # Errors
    /// When there is no such question, control was not proven, or there is no list.
    pub fn is_listed(&self, number: &str, now: i64) -> Result<Vec<Readable>> {
        let request = self.find(number)?;
        if request.proven.is_none() {
            return Err(Error::said("control was not proven yet; the desk does not look before that"));
        }
        let class = Class::ALL.into_iter().find(|class| class.name() == request.class);
        let token = class.and_then(|class| identifier::of(class, &request.text).ok());
        let mut entries = self.entries(now)?;
        entries.retain(|one| {
            let tokens = one.entry.identifiers.iter().filter_map(|(class, text)| identifier::of(*class, text).ok());
            tokens.into_iter().any(|listed| Some(&listed) == token.as_ref())
        });
        Ok(entries)
    }

    /// Writes down that the list holder decided to disclose an entry to who asked.
    ///
    /// # Errors
    /// When there is no such question, control was not proven, or nobody is named who decided.
    pub fn disclose(&mut self, number: &str, entry: &str, by: &str, now: i64) -> Result<()> {
        if by.trim().is_empty() {
            return Err(Error::said("--decided-by: who of the list holder decided to disclose"));
        }
        let request = self.request_mut(number)?;
        if request.proven.is_none() {
            return Err(Error::said("control was not proven: nothing is disclosed"));
        }
        request.disclosed = Some((entry.to_owned(), matching::bytes::plain(by.trim()), now));
        self.record()?.add(now, "disclosed", &format!("{number} {entry}"), self.identity())?;
        self.save()
    }

    /// The letter of a question. Before day 14 that is the acknowledgement; from then on the answer, which is the same for who is not listed and
    /// for who is listed and not told.
    ///
    /// # Errors
    /// When there is no such question, control was not proven in time, or the disclosed entry is not in the list.
    pub fn letter(&mut self, number: &str, language: Language, now: i64) -> Result<String> {
        let request = self.find(number)?.clone();
        if now < request.due() {
            return Ok(letters::write(Letter::Acknowledge, language, &request, None));
        }
        if request.proven.is_none() {
            return Ok(letters::write(Letter::Unproven, language, &request, None));
        }
        let letter = match &request.disclosed {
            None => letters::write(Letter::Answer, language, &request, None),
            Some((entry, ..)) => {
                let entries = self.entries(now)?;
                let found = entries.iter().filter(|one| hex(&one.entry.id) == *entry).max_by_key(|one| one.entry.version);
                let found =
                    found.ok_or_else(|| Error::said("the disclosed entry is not in the newest list; take in its files first"))?;
                letters::write(Letter::Disclose, language, &request, Some(found))
            }
        };
        self.request_mut(number)?.answered.get_or_insert(now);
        self.record()?.add(now, "letter-written", number, self.identity())?;
        self.save()?;
        Ok(letter)
    }

    fn find(&self, number: &str) -> Result<&Request> {
        self.state.requests.iter().find(|request| request.number.eq_ignore_ascii_case(number)).ok_or_else(|| {
            Error::said(format!("there is no question {number:?}; `sluis watchlist listed` shows those there are"))
        })
    }

    fn request_mut(&mut self, number: &str) -> Result<&mut Request> {
        let number = self.find(number)?.number.clone();
        let found = self.state.requests.iter_mut().find(|request| request.number == number);
        found.ok_or_else(|| Error::said("the question went away"))
    }
}
