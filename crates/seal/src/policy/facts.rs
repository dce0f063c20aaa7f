//! The lines `#sluis …` of a policy: facts about its keys that C2SP has no words for. To other programs they are comments.
//!
//! A line that is not known here is refused: it may be a rule that this program does not keep.

use super::{BLANK, MAX_LINES, Policy, Wrong};
use crate::note::VerifierKey;
use crate::tsp::written;

/// When something may be relied upon, in UTC milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// From this moment on.
    pub from: i64,
    /// Until before this moment.
    pub until: i64,
}

impl Period {
    /// Without bounds.
    pub const ALWAYS: Period = Period { from: i64::MIN, until: i64::MAX };

    /// Whether a moment is in it.
    #[must_use]
    pub fn has(&self, moment: i64) -> bool {
        self.from <= moment && moment < self.until
    }

    /// Two moments as [`written`] reads them, or `-` for none.
    pub(super) fn parse(from: &str, until: &str) -> Result<Period, String> {
        let bound = |text, open| if text == "-" { Some(open) } else { written(text) };
        let period = bound(from, i64::MIN).zip(bound(until, i64::MAX));
        let (from, until) = period.ok_or("write moments as 2026-01-31 or 2026-01-31T12:00:00Z, or - for none")?;
        if from >= until {
            return Err("the period ends before it begins".to_owned());
        }
        Ok(Period { from, until })
    }
}

/// A time-stamping authority that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tsa {
    /// The name of its trust file, without what follows the last dot.
    pub name: String,
    /// The legal person that runs it.
    pub holder: String,
}

/// A key that is bound to a recipient of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Public identifier of the party.
    pub party: [u8; 16],
    /// What the key is for: a word of the grading.
    pub means: String,
    /// The key, as the grading reads it.
    pub key: String,
}

/// Somebody who observes and signs what stood in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observer {
    /// The key.
    pub key: VerifierKey,
    /// The legal person whose key it is.
    pub holder: String,
}

/// Which algorithms a person's signatures must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmRule {
    /// The person: the operator of a log, or the holder of a witness.
    pub holder: String,
    /// From which moment on; `i64::MIN` when from the beginning. Moments are those of time-stamps.
    pub from: i64,
    /// Whether both Ed25519 and ML-DSA-44 must be there, or either is enough.
    pub all_of: bool,
}

/// Adds to a policy what these lines say.
pub(super) fn add(mut policy: Policy, lines: &[(usize, String)]) -> Result<Policy, Wrong> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (at, line) in lines {
        let (word, rest) = cut(line);
        let (first, after) = cut(rest);
        // What may be said once for each thing, is.
        let once = match word {
            "recovery" | "tsas" => Some((word, "")),
            "operator" | "holder" | "valid" | "tsa" => Some((word, first)),
            _ => None,
        };
        if once.is_some_and(|once| seen.contains(&once)) {
            return Err(Wrong::at(*at, format!("'#sluis {word}' says this a second time")));
        }
        seen.extend(once);
        one(&mut policy, word, first, after).map_err(|reason| Wrong::at(*at, reason))?;
    }
    Ok(policy)
}

fn one(policy: &mut Policy, word: &str, first: &str, after: &str) -> Result<(), String> {
    match word {
        "operator" => {
            let holder = person(after)?;
            let mut found = false;
            for log in policy.logs.iter_mut().filter(|log| log.key.name() == first) {
                log.operator.clone_from(&holder);
                found = true;
            }
            if found { Ok(()) } else { Err(format!("no line 'log' has a key named {first}")) }
        }
        "holder" => {
            let holder = person(after)?;
            let witness = policy.witnesses.iter_mut().find(|witness| witness.name == first);
            witness.ok_or_else(|| format!("there is no witness {first}"))?.holder = holder;
            Ok(())
        }
        "valid" => valid(policy, first, after),
        "tsas" => {
            let number = crate::checkpoint::decimal(first).filter(|number| (1..=16).contains(number) && after.is_empty());
            policy.tsas_required = number.ok_or("write '#sluis tsas K', with 1 to 16 authorities")? as usize;
            Ok(())
        }
        "tsa" => {
            policy.tsas.push(Tsa { name: first.to_owned(), holder: person(after)? });
            room(policy.tsas.len())
        }
        "recovery" if after.is_empty() => {
            policy.recovery = Some(VerifierKey::parse(first).map_err(|wrong| wrong.to_string())?);
            Ok(())
        }
        "observer" => {
            let key = VerifierKey::parse(first).map_err(|wrong| wrong.to_string())?;
            policy.observers.push(Observer { key, holder: person(after)? });
            room(policy.observers.len())
        }
        "recipient" => {
            let (means, key) = cut(after);
            let party = party(first).ok_or("write '#sluis recipient PARTY MEANS KEY', the party as 32 hexadecimal digits")?;
            if means.is_empty() || key.is_empty() {
                return Err("write '#sluis recipient PARTY MEANS KEY'".to_owned());
            }
            policy.recipients.push(Recipient { party, means: means.to_owned(), key: key.to_owned() });
            room(policy.recipients.len() / 16)
        }
        "signs" => {
            let all_of = match first {
                "all-of" => true,
                "any-of" => false,
                _ => return Err("write '#sluis signs all-of|any-of FROM PERSON'".to_owned()),
            };
            let (from, holder) = cut(after);
            let from = Period::parse(from, "-")?.from;
            policy.rules.push(AlgorithmRule { holder: person(holder)?, from, all_of });
            room(policy.rules.len())
        }
        _ => Err(format!("'#sluis {word}' is not known here: a newer program may be needed")),
    }
}

/// `valid NAME FROM UNTIL`, of a log by its origin or of a witness by its name in the policy.
fn valid(policy: &mut Policy, name: &str, period: &str) -> Result<(), String> {
    let (from, until) = cut(period);
    let period = Period::parse(from, until)?;
    // Several keys of one log have its origin as their name: ORIGIN+IDENTIFIER tells them apart.
    let is = |key: &VerifierKey| key.to_string().strip_prefix(name).is_some_and(|rest| rest.starts_with('+'));
    let logs = policy.logs.iter_mut().filter(|log| is(&log.key)).map(|log| &mut log.valid);
    let witnesses = policy.witnesses.iter_mut().filter(|witness| witness.name == name).map(|witness| &mut witness.valid);
    let mut found = 0;
    for valid in logs.chain(witnesses) {
        *valid = period;
        found += 1;
    }
    match found {
        1 => Ok(()),
        0 => Err(format!("there is no log and no witness {name}")),
        _ => Err(format!("several keys are named {name}: write {name}+ and the key's identifier")),
    }
}

impl Policy {
    /// Whether this person's Ed25519 signature alone is not enough at a moment: a rule asks for ML-DSA-44 beside it.
    #[must_use]
    pub fn asks_for_more(&self, holder: &str, moment: i64) -> bool {
        let rules = self.rules.iter().filter(|rule| rule.holder == holder && rule.from <= moment);
        rules.max_by_key(|rule| (rule.from, rule.all_of)).is_some_and(|rule| rule.all_of)
    }
}

/// The first word, and what follows it.
fn cut(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(BLANK).unwrap_or((text, ""));
    (word, rest.trim_matches(BLANK))
}

/// The name of a legal person: the rest of a line.
fn person(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 200 || !crate::record::is_clean(text) {
        return Err("the line ends with the name of a person or organisation, of at most 200 bytes".to_owned());
    }
    Ok(text.to_owned())
}

fn party(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

fn room(used: usize) -> Result<(), String> {
    if used <= MAX_LINES { Ok(()) } else { Err("there are too many lines of this kind".to_owned()) }
}
