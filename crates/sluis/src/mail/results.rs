//! `Authentication-Results` (RFC 8601): what an own mail server found out when it took a mail in, in place of asking the DNS.
//!
//! Anyone can write such a field. One counts when it names the server that the settings name, and stands above the
//! `Received` field with which ours took the mail from a stranger: what a mail brought with it stands below that. Servers remove forged ones of their own
//! name as well (RFC 8601 section 5); the manual says that ours has to.

use std::sync::Arc;

use desk::sender::{Authenticate, Verdict};
use mail_auth::dkim::DkimError;
use mail_auth::{AuthenticatedMessage, Error};
use model::sender::{Envelope, Proof};
use model::time::Time;
use parsers::kinds::mail::{Fields, received};

use super::relays::Relays;
use super::view::{View, aligned};

/// Results of one field that are looked at.
const RESULTS: usize = 50;

/// Believes what an own mail server wrote.
pub(crate) struct Results {
    /// Its name in those fields (authserv-id), in lower case.
    server: String,
    relays: Relays,
}

/// One result: `dkim=pass (2048-bit key) header.d=a.example`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    method: String,
    result: String,
    /// `header.d` and such, in lower case, with their values.
    properties: Vec<(String, String)>,
    comment: String,
}

impl Outcome {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The domain name of an address or name, such as `@a.example`.
    fn domain(&self, name: &str) -> Option<&str> {
        self.property(name).map(|value| value.rsplit('@').next().unwrap_or(value).trim_end_matches('.'))
    }

    /// What the domain name wants done with what fails: `reject`, `quarantine`; servers write it where they like.
    fn policy(&self) -> &str {
        let stated = self.property("policy.dmarc").or_else(|| {
            let words = self.comment.split(|letter: char| letter.is_whitespace() || letter == ',' || letter == ';');
            words.filter_map(|word| word.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("p")).map(|(_, value)| value)
        });
        match stated {
            Some(word) if word.eq_ignore_ascii_case("reject") => "reject",
            Some(word) if word.eq_ignore_ascii_case("quarantine") => "quarantine",
            _ => "none",
        }
    }
}

impl Results {
    /// Believes the server of this name.
    pub(crate) fn new(server: &str, relays: Relays) -> Results {
        Results { server: server.trim().to_lowercase(), relays }
    }

    /// What the server wrote, of a header; `None` when it wrote nothing.
    fn outcomes(&self, fields: &Fields<'_>) -> Option<Vec<Outcome>> {
        let mut found: Option<Vec<Outcome>> = None;
        for (name, value) in fields.iter() {
            if name.eq_ignore_ascii_case(b"Received") {
                // The first one that names a stranger is the last one of ours, and what ours found out stands above it.
                if !received(value).0.is_some_and(|peer| self.relays.holds(peer)) {
                    break;
                }
            } else if name.eq_ignore_ascii_case(b"Authentication-Results")
                && let Some((server, outcomes)) = parse(&String::from_utf8_lossy(value))
                && server.eq_ignore_ascii_case(&self.server)
            {
                found.get_or_insert_default().extend(outcomes);
            }
        }
        found
    }

    fn judge(&self, view: &View, message: &AuthenticatedMessage<'_>, outcomes: &[Outcome], received: Time) -> Verdict {
        let (mut said, mut dkim, mut spf, mut failed) = (Vec::new(), None, None, None);
        for outcome in outcomes {
            let Outcome { method, result, .. } = outcome;
            match (method.as_str(), result.as_str()) {
                ("dkim", "pass") => {
                    let signing = outcome.domain("header.d").or_else(|| outcome.domain("header.i")).unwrap_or_default();
                    let proven = aligned(signing, &view.domain);
                    let objection = objection(view, message, signing, received);
                    let but = objection.filter(|_| proven.is_some()).map_or(String::new(), |why| format!(", but {why}"));
                    said.push(format!("dkim=pass{but} (d={signing})"));
                    let is_better = dkim.is_none() || proven.as_deref() == Some(&view.domain);
                    if objection.is_none() && is_better && proven.is_some() {
                        dkim = proven;
                    }
                }
                ("spf", "pass") => {
                    let domain = outcome.domain("smtp.mailfrom").unwrap_or_default();
                    said.push(format!("spf=pass ({domain})"));
                    spf = spf.or_else(|| aligned(domain, &view.domain));
                }
                ("dmarc", result) => {
                    let of_it = outcome.domain("header.from").is_some_and(|from| from.eq_ignore_ascii_case(&view.domain));
                    let policy = outcome.policy();
                    said.push(format!("dmarc={result} (p={policy})"));
                    if of_it && result == "fail" {
                        failed = Some(policy != "none");
                    }
                }
                ("dkim" | "spf", result) => said.push(format!("{method}={result}")),
                _ => {}
            }
        }
        let (proof, domain) = match (dkim, spf) {
            // The server knows how strict the domain name is with its own names.
            _ if failed == Some(true) => (Proof::Failed, String::new()),
            _ if failed.is_some() => (Proof::Unproven, String::new()),
            (Some(domain), _) => (Proof::Dkim, domain),
            (None, Some(domain)) => (Proof::Spf, domain),
            _ => (Proof::Unproven, String::new()),
        };
        Verdict { proof, domain, detail: format!("{} says: {}", self.server, said.join("; ")) }
    }
}

impl Authenticate for Results {
    fn authenticate(&self, mail: &[u8], _: &Envelope, received: Time) -> Verdict {
        let view = match View::of(mail) {
            Ok(view) => view,
            Err(why) => return Verdict::unproven(why),
        };
        let Some(message) = view.authenticated() else {
            return Verdict::unproven("its header can be read in two ways");
        };
        let (fields, _) = Fields::parse(&view.bytes);
        match self.outcomes(&fields) {
            Some(outcomes) => self.judge(&view, &message, &outcomes, received),
            None => Verdict::unproven(format!("{} has written no Authentication-Results above what it received", self.server)),
        }
    }
}

/// Why the signatures of a domain name are no proof though they hold; `None` when they are. The server does not say which
/// of several it means, so all must be.
fn objection(view: &View, message: &AuthenticatedMessage<'_>, signing: &str, received: Time) -> Option<&'static str> {
    let is_open = |error: &Error| matches!(error, Error::Dkim(DkimError::SignatureLength));
    if message.errors.iter().any(|error| is_open(&error.header)) {
        return Some("l= leaves the end open");
    }
    let mut of_it = message.dkim_headers.iter().filter(|signature| signature.header.d.eq_ignore_ascii_case(signing)).peekable();
    if of_it.peek().is_none() {
        return Some("no such signature stands in it");
    }
    of_it.find_map(|signature| view.objection(&signature.header, received))
}

/// Reads a field: the server, and its results. `None` when it is none.
fn parse(value: &str) -> Option<(String, Vec<Outcome>)> {
    let mut rest = Rest { letters: value.chars().peekable(), comment: String::new() };
    let server = rest.word(&[';', '='])?;
    while rest.next_sign() != Some(';') {
        // The version of the format, if any.
        rest.word(&[';'])?;
    }
    let mut outcomes = Vec::new();
    while rest.take(';') && outcomes.len() < RESULTS {
        let mut outcome = Outcome::default();
        rest.comment.clear();
        while let Some(name) = rest.word(&[';', '=']) {
            let value = if rest.take('=') { rest.word(&[';']).unwrap_or_default() } else { String::new() };
            let name = name.to_lowercase();
            if outcome.method.is_empty() {
                // `dkim/1` is a method with its version.
                name.split('/').next().unwrap_or_default().clone_into(&mut outcome.method);
                outcome.result = value.to_lowercase();
            } else if outcome.properties.len() < RESULTS {
                outcome.properties.push((name, value));
            }
        }
        rest.skip();
        outcome.comment = rest.comment.clone();
        outcomes.push(outcome);
    }
    outcomes.retain(|outcome| !outcome.result.is_empty());
    Some((server, outcomes))
}

/// What is left of a field to read.
struct Rest<'a> {
    letters: std::iter::Peekable<std::str::Chars<'a>>,
    /// What stood in comments since it was emptied last.
    comment: String,
}

impl Rest<'_> {
    /// Passes over white space and comments (RFC 5322 section 3.2.2).
    fn skip(&mut self) {
        let mut depth = 0_u32;
        while let Some(&letter) = self.letters.peek() {
            match letter {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                '\\' if depth > 0 => {
                    self.letters.next();
                }
                _ if depth > 0 => self.comment.push(letter),
                _ if letter.is_whitespace() => {}
                _ => return,
            }
            if depth == 0 || letter == '(' {
                self.comment.push(' ');
            }
            self.letters.next();
        }
    }

    /// The next letter that counts.
    fn next_sign(&mut self) -> Option<char> {
        self.skip();
        self.letters.peek().copied().or(Some(';'))
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip();
        self.letters.next_if_eq(&sign).is_some()
    }

    /// A word, quoted or up to white space, a comment or one of `ends`; `None` when there is none.
    fn word(&mut self, ends: &[char]) -> Option<String> {
        self.skip();
        let mut word = String::new();
        if self.letters.next_if_eq(&'"').is_some() {
            while let Some(letter) = self.letters.next().filter(|letter| *letter != '"') {
                word.extend(if letter == '\\' { self.letters.next() } else { Some(letter) });
            }
            return Some(word);
        }
        while let Some(letter) =
            self.letters.next_if(|letter| !letter.is_whitespace() && *letter != '(' && *letter != ')' && !ends.contains(letter))
        {
            word.push(letter);
        }
        (!word.is_empty()).then_some(word)
    }
}

/// What believes an own mail server, for the desk.
pub(crate) fn believing(server: &str, relays: Relays) -> Arc<dyn Authenticate> {
    Arc::new(Results::new(server, relays))
}
