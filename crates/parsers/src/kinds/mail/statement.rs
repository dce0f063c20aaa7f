//! A statement of a notifier, gathered from its words before it becomes a report.

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::resource::{DomainName, Host, Url};
use model::time::Time;

use super::Fields;
use crate::read::Reading;
use crate::sink::Stop;

/// Bytes of a text that are kept as evidence with a report, and with how many reports of one mail.
const EVIDENCE: usize = 64 << 10;
const COPIES: u32 = 20;

/// What a notifier says of one source.
pub(crate) struct Statement<'a> {
    /// What it accuses of.
    pub(crate) kind: Kind,
    /// The source; [`Address::NONE`] when only a location or name is said.
    pub(crate) address: Address,
    /// The port at the source; 0 when unknown.
    pub(crate) port: u16,
    /// Where the content is.
    pub(crate) url: Option<Url>,
    /// The domain name of the content.
    pub(crate) domain: Option<DomainName>,
    /// When it was seen; the time of the mail when it is not said.
    pub(crate) time: Option<Time>,
    texts: Vec<(Word, &'a str)>,
    named: Vec<(String, Place, &'a str)>,
    numbers: Vec<(Word, u32)>,
}

impl<'a> Statement<'a> {
    /// One of this kind, with nothing else known.
    pub(crate) fn new(kind: Kind) -> Statement<'a> {
        Statement {
            kind,
            address: Address::NONE,
            port: 0,
            url: None,
            domain: None,
            time: None,
            texts: Vec::new(),
            named: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Adds a number, unless the text is none or is 0.
    pub(crate) fn number(&mut self, word: Word, value: &str) {
        if let Some(number) = value.trim().parse().ok().filter(|number| *number != 0) {
            self.numbers.push((word, number));
        }
    }

    /// Adds a text, unless it is empty.
    pub(crate) fn text(&mut self, word: Word, value: &'a str) {
        if !value.is_empty() {
            self.texts.push((word, value));
        }
    }

    /// Adds a text under a name of the sender's own, unless it is empty.
    pub(crate) fn extra(&mut self, name: impl Into<String>, value: &'a str) {
        self.named(name, Place::Extra, value);
    }

    /// Adds a text under a name, unless it is empty.
    pub(crate) fn named(&mut self, name: impl Into<String>, place: Place, value: &'a str) {
        if !value.is_empty() {
            self.named.push((name.into(), place, value));
        }
    }

    /// Makes a report of it, at place `ordinal`, with the sender of the mail as reporter unless one was said. `evidence` is
    /// what the notifier wrote, with a sentence on what that is. A statement that contradicts itself, or names no source, is a
    /// reject with `line`.
    ///
    /// # Errors
    /// [`Stop::Sink`] when the sink breaks off.
    pub(crate) fn report(
        mut self,
        reading: &mut Reading<'_>,
        fields: &Fields<'_>,
        (place, line): (&str, &str),
        evidence: Option<(&str, &str)>,
    ) -> Result<(), Stop> {
        let ordinal = reading.ordinal();
        let child_abuse = self.kind.is_child_abuse();
        if let Err(reason) = self.settle() {
            let text = if child_abuse { "(withheld: it speaks of child abuse material)" } else { line };
            reading.reject(ordinal, place, text.as_bytes(), reason);
            return Ok(());
        }
        let mut core = Core::new(self.kind, ordinal);
        core.address = self.address;
        core.port = self.port;
        let dated = self.time.is_some();
        core.set_observed(self.time.or_else(|| fields.time("Date")));
        if !self.texts.iter().any(|(word, _)| *word == Word::REPORTER_ORG) {
            super::put_reporter(reading, fields);
        }
        let batch = reading.batch();
        if let Some(url) = &self.url {
            batch.text(Word::URL, url.as_str());
        }
        if let Some(domain) = &self.domain {
            batch.text(Word::DOMAIN, domain.as_str());
        }
        for (word, value) in &self.texts {
            batch.text(*word, value);
        }
        for (word, number) in &self.numbers {
            batch.json(*word, &number.to_string());
        }
        for (name, place, value) in &self.named {
            let word = batch.word(name, *place);
            batch.text(word, value);
        }
        if !dated {
            let word = batch.word("observed_from", Place::Extra);
            batch.text(word, "the Date of the mail");
        }
        if let Some((what, text)) = evidence.filter(|(_, text)| !child_abuse && ordinal < COPIES && !text.trim().is_empty()) {
            let text = beginning(text, EVIDENCE);
            batch.text(Word::EVIDENCE_TYPE, "text/plain");
            batch.text(Word::EVIDENCE_DESCRIPTION, what);
            batch.text(Word::EVIDENCE_SIZE, text.len().to_string());
            batch.bytes(Word::EVIDENCE_PAYLOAD, text.as_bytes());
        }
        reading.report(core)
    }

    /// Takes the address of a location for the source when none is said; an error when both are said and differ, or nothing is.
    fn settle(&mut self) -> Result<(), String> {
        if let Some(Host::Address(host)) = self.url.as_ref().map(Url::host) {
            match self.address {
                Address::NONE => self.address = *host,
                address if address != *host => {
                    return Err(format!("the location is at {host}, and the address is said to be {address}"));
                }
                _ => {}
            }
        }
        if self.address.v4() == Some(0) {
            return Err("0.0.0.0 is nobody's address".to_owned());
        }
        if self.port == 0 && self.kind.scope() == model::category::Scope::Site {
            self.port = self.url.as_ref().and_then(Url::port).unwrap_or(0);
        }
        if self.address == Address::NONE && self.url.is_none() && self.domain.is_none() {
            return Err("it names no address, location or domain name".to_owned());
        }
        Ok(())
    }
}

/// At most the first bytes of a text, whole letters.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or(text)
}

/// The beginning of what somebody wrote, for a sentence.
pub(crate) fn shown(text: &str) -> &str {
    text.char_indices().nth(80).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// A location as notifiers write it, also when it was made harmless (`hxxps://a[.]example/`) or stands in angle brackets: up to
/// the first blank.
pub(crate) fn location(said: &str) -> Option<Url> {
    let said = said.trim_start_matches(['<', '"', '\'']);
    let word = said.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"')).next()?;
    let scheme = word.split_once("://").or_else(|| word.split_once("[:]//")).map(|(scheme, _)| scheme)?;
    let is_known = ["http", "https", "hxxp", "hxxps", "ftp", "fxp"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !is_known {
        return None;
    }
    let rest = word.get(scheme.len()..)?.replace("[:]", ":");
    // Only names are written so; what comes after them may have brackets of its own.
    let (host, path) = rest.get(3..)?.split_at(rest.get(3..)?.find(['/', '?', '#']).unwrap_or(rest.len() - 3));
    let host = host.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".");
    let scheme = match scheme.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", scheme.get(4..).unwrap_or_default()),
        _ if scheme.eq_ignore_ascii_case("fxp") => "ftp".to_owned(),
        _ => scheme.to_owned(),
    };
    Url::parse(&format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_as_they_are_written() {
        for (said, expected) in [
            ("http://a.example/x [192.0.2.1]", Some("http://a.example/x")),
            ("<hxxps://a[.]example/x[.]php?y>", Some("https://a.example/x[.]php?y")),
            ("hxxp[:]//192[.]0[.]2[.]1:81/", Some("http://192.0.2.1:81/")),
            ("http://", None),
            ("hxxp://é[.", None),
            ("a.example/x", None),
            ("javascript://a.example", None),
            ("", None),
        ] {
            assert_eq!(location(said).as_ref().map(Url::as_str), expected, "{said:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(beginning("aé", 2), "a");
        assert_eq!(beginning("aé", 9), "aé");
    }
}
