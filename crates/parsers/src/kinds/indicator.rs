//! Indicators: places on the network that knowledge names, and what it claims of them. For formats in which the field
//! exchanges knowledge.
//!
//! An indicator is no accusation. It becomes a report of more than `reputation/threat_intelligence` only when exactly one thing
//! is claimed of it, and when that thing fits the sort of place that it is.

use model::address::{Address, Range};
use model::category::Kind;
use model::report::{Batch, Core, Word};
use model::resource::{DomainName, Host, Url};

/// A place on the network: an address, a prefix, a domain name, a URL, or what belongs together of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The address.
    pub(crate) address: Option<Address>,
    /// The port there; 0 when unknown.
    pub(crate) port: u16,
    /// More addresses than one.
    pub(crate) range: Option<Range>,
    /// The domain name.
    pub(crate) name: Option<DomainName>,
    /// The location.
    pub(crate) url: Option<Url>,
}

impl Spot {
    /// An address or a prefix. A prefix of one address is that address, and host bits in one are refused.
    pub(crate) fn addresses(text: &str) -> Option<Spot> {
        let text = text.trim();
        if let Some(address) = Address::parse(text.as_bytes()) {
            return Some(Spot { address: Some(address), ..Spot::default() });
        }
        let range = Range::parse(text).ok()?;
        Some(match range.span() {
            0 => Spot { address: Some(range.first), ..Spot::default() },
            _ => Spot { range: Some(range), ..Spot::default() },
        })
    }

    /// A domain name.
    pub(crate) fn name(text: &str) -> Option<Spot> {
        Some(Spot { name: Some(DomainName::parse(text)?), ..Spot::default() })
    }

    /// A location. One whose host is an address has that address.
    pub(crate) fn url(text: &str) -> Option<Spot> {
        Some(Spot { url: Some(Url::parse(text)?), ..Spot::default() })
    }

    /// The same with a port; unchanged when the text is no port.
    pub(crate) fn with_port(mut self, text: &str) -> Spot {
        if let Some(port) = port(text) {
            self.port = port;
        }
        self
    }

    /// Writes the place into the open report.
    pub(crate) fn fill(&self, core: &mut Core, batch: &mut Batch) {
        let host = self.url.as_ref().map(Url::host);
        let of_host = match host {
            Some(Host::Address(address)) => Some(*address),
            _ => None,
        };
        core.address = self.address.or(of_host).unwrap_or(Address::NONE);
        core.port = self.port;
        if core.port == 0 {
            core.port = self.url.as_ref().and_then(Url::port).unwrap_or(0);
        }
        if core.address == Address::NONE {
            let url = self.url.as_ref().map(|url| url.as_str().to_owned());
            let named = url.or_else(|| self.name.as_ref().map(|name| name.as_str().to_owned()));
            if let Some(text) = named.or_else(|| self.range.map(|range| range.to_string())) {
                batch.text(Word::SOURCE_IDENTIFIER, text);
            }
        }
        if let Some(url) = &self.url {
            batch.text(Word::URL, url.as_str());
        }
        let name = self.name.as_ref().or(match host {
            Some(Host::Name(name)) => Some(name),
            _ => None,
        });
        if let Some(name) = name {
            batch.text(Word::DOMAIN, name.as_str());
        }
    }
}

/// A port, which 0 is not.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port != 0)
}

/// What words of a taxonomy, labels and phases of an attack claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Command and control.
    pub(crate) control: bool,
    /// A phishing site.
    pub(crate) phishing: bool,
    /// Malware is offered there.
    pub(crate) malware: bool,
    scan: bool,
    guessing: bool,
    spam: bool,
    /// Child abuse material.
    pub(crate) child_abuse: bool,
}

impl Claims {
    /// Takes in one tag, label or term. Techniques of an attacker (`misp-galaxy:`) are about a campaign and not about a place,
    /// so they claim nothing.
    pub(crate) fn add(&mut self, tag: &str) {
        let tag = words(tag);
        let says = |any: &[&str]| any.iter().any(|word| tag.contains(&format!("-{word}-")));
        if tag.contains("-child-") && says(&["sexual", "porn", "pornography", "abuse"]) || says(&["csam", "csem", "csae"]) {
            self.child_abuse = true;
        }
        if tag.starts_with("-misp-galaxy-") {
            return;
        }
        self.control |= says(&["c2", "c2c", "cc", "c-c", "cnc", "command-and-control"]);
        self.phishing |= says(&["phishing"]);
        self.malware |= says(&["malware-distribution", "hosting-malware", "malware-hosting", "malware-site"]);
        self.scan |= says(&["scanner", "scanning", "portscan", "port-scan"]);
        self.guessing |= says(&["brute-force", "bruteforce", "brute-forcing"]);
        self.spam |= says(&["spam"]);
    }

    /// The two together.
    pub(crate) fn and(self, other: Claims) -> Claims {
        Claims {
            control: self.control | other.control,
            phishing: self.phishing | other.phishing,
            malware: self.malware | other.malware,
            scan: self.scan | other.scan,
            guessing: self.guessing | other.guessing,
            spam: self.spam | other.spam,
            child_abuse: self.child_abuse | other.child_abuse,
        }
    }

    /// The kind of a report about `spot`, which others come `from` or are lured to.
    pub(crate) fn kind(self, spot: &Spot, from: bool) -> Kind {
        if self.child_abuse {
            return Kind::Csam;
        }
        let one = spot.range.is_none();
        let host = one && from && spot.url.is_none() && spot.name.is_none();
        let claimed = [
            (self.phishing && one && !from && (spot.url.is_some() || spot.name.is_some()), Kind::Phishing),
            (self.malware && one && !from && spot.url.is_some(), Kind::Malware),
            (self.control && one && !from, Kind::Botnet),
            (self.scan && host, Kind::PortScan),
            (self.guessing && host, Kind::LoginAttack),
            (self.spam && host, Kind::Spam),
        ];
        let mut kinds = claimed.into_iter().filter(|(claimed, _)| *claimed).map(|(_, kind)| kind);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind,
            // Nothing is claimed, or two things: nobody is accused.
            _ => Kind::ThreatIntelligence,
        }
    }
}

/// What tags of the namespace `xarf` state: what our own writers say where a format has no word for it. `xarf:kind="content/phishing"`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    /// The kind of abuse; none when two are stated.
    pub(crate) kind: Option<Kind>,
    /// In percent.
    pub(crate) confidence: Option<u8>,
    /// The malware.
    pub(crate) family: Option<String>,
    /// The address, where the place is a URL.
    pub(crate) address: Option<Address>,
    /// The port there; 0 when none is stated.
    pub(crate) port: u16,
    /// That nobody knows when it was seen.
    pub(crate) undated: bool,
    contradicted: bool,
}

impl Stated {
    /// Takes in a tag; whether it is one of these.
    pub(crate) fn add(&mut self, tag: &str) -> bool {
        let Some((name, value)) = tag.strip_prefix("xarf:").and_then(|rest| rest.split_once('=')) else { return false };
        let value = value.trim().trim_matches('"');
        match name {
            "kind" => {
                let kind = value.split_once('/').and_then(|(category, name)| Kind::from_words(category, name));
                self.contradicted |= self.kind.is_some() && self.kind != kind;
                self.kind = kind.filter(|_| !self.contradicted);
            }
            "confidence" => self.confidence = value.parse().ok().filter(|percent| *percent <= 100),
            "malware-family" => self.family = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "source-identifier" => self.address = Address::parse(value.as_bytes()),
            "source-port" => self.port = port(value).unwrap_or(0),
            "undated" => self.undated = true,
            _ => return false,
        }
        true
    }

    /// Adds to a place what is stated of it.
    pub(crate) fn complete(&self, mut spot: Spot) -> Spot {
        spot.address = spot.address.or(self.address);
        if self.port != 0 {
            spot.port = self.port;
        }
        spot
    }
}

/// A tag in lower case, its parts joined by `-` and in `-`: `-rsit-malicious-code-c2-server-`.
fn words(tag: &str) -> String {
    let mut text = String::with_capacity(tag.len() + 2);
    text.push('-');
    for char in tag.chars().take(512) {
        match char.is_alphanumeric() {
            true => text.extend(char.to_lowercase()),
            false if text.ends_with('-') => {}
            false => text.push('-'),
        }
    }
    if !text.ends_with('-') {
        text.push('-');
    }
    text
}

/// The malware that tags of galaxies name, when they name one only; in doubt none.
pub(crate) fn family<'t>(tags: impl Iterator<Item = &'t str>) -> Option<String> {
    const GALAXIES: &[&str] = &[
        "backdoor",
        "banker",
        "botnet",
        "cryptominers",
        "exploit-kit",
        "malpedia",
        "mitre-malware",
        "mitre-enterprise-attack-malware",
        "ransomware",
        "rat",
        "stealer",
        "android",
    ];
    let mut found: Option<String> = None;
    for tag in tags {
        let Some((galaxy, value)) = tag.strip_prefix("misp-galaxy:").and_then(|rest| rest.split_once('=')) else { continue };
        let name = value.trim_matches('"').trim();
        // ATT&CK writes its number after the name: `Emotet - S0367`.
        let name = name.rsplit_once(" - S").filter(|(_, number)| number.parse::<u16>().is_ok()).map_or(name, |(name, _)| name);
        if !GALAXIES.contains(&galaxy) || name.is_empty() {
            continue;
        }
        match &found {
            Some(other) if other.eq_ignore_ascii_case(name) => {}
            Some(_) => return None,
            None => found = Some(name.to_owned()),
        }
    }
    found
}

/// At most `most` bytes of a text, whole characters.
pub(crate) fn clip(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_claimed_must_fit_the_place() {
        let [url, name, address, net] = [
            Spot::url("http://a.example/x").unwrap(),
            Spot::name("a.example").unwrap(),
            Spot::addresses("192.0.2.1").unwrap(),
            Spot::addresses("192.0.2.0/24").unwrap(),
        ];
        for (tags, spot, from, kind) in [
            (&["rsit:malicious-code=\"c2-server\""][..], &address, false, Kind::Botnet),
            (&["ecsirt:malicious-code=\"c&c\""], &name, false, Kind::Botnet),
            (&["kill-chain:Command and Control"], &address, false, Kind::Botnet),
            (&["kill-chain:Command and Control"], &address, true, Kind::ThreatIntelligence),
            (&["rsit:malicious-code=\"c2-server\""], &net, false, Kind::ThreatIntelligence),
            (
                &["misp-galaxy:mitre-attack-pattern=\"Exfiltration Over C2 Channel - T1041\""],
                &address,
                false,
                Kind::ThreatIntelligence,
            ),
            (&["circl:incident-classification=\"phishing\""], &url, false, Kind::Phishing),
            (&["circl:incident-classification=\"phishing\""], &address, false, Kind::ThreatIntelligence),
            (&["rsit:fraud=\"phishing\"", "rsit:malicious-code=\"c2-server\""], &url, false, Kind::ThreatIntelligence),
            (&["rsit:information-gathering=\"scanner\""], &address, true, Kind::PortScan),
            (&["rsit:information-gathering=\"scanner\""], &address, false, Kind::ThreatIntelligence),
            (&["rsit:abusive-content=\"child-sexual-exploitation\""], &url, false, Kind::Csam),
            (&[], &url, false, Kind::ThreatIntelligence),
        ] {
            let mut claims = Claims::default();
            tags.iter().for_each(|tag| claims.add(tag));
            assert_eq!(claims.kind(spot, from), kind, "{tags:?} of {spot:?}");
        }
    }

    #[test]
    fn what_is_stated_twice_is_not_stated() {
        let mut stated = Stated::default();
        assert!(stated.add("xarf:kind=\"content/phishing\"") && stated.add("xarf:source-port=\"99999\""));
        assert!(!stated.add("tlp:green"));
        assert_eq!((stated.kind, stated.port), (Some(Kind::Phishing), 0));
        stated.add("xarf:kind=\"content/malware\"");
        stated.add("xarf:kind=\"content/malware\"");
        assert_eq!(stated.kind, None);
    }

    #[test]
    fn one_family_or_none() {
        assert_eq!(family(["misp-galaxy:rat=\"jRAT\"", "tlp:white"].into_iter()).as_deref(), Some("jRAT"));
        assert_eq!(family(["misp-galaxy:mitre-malware=\"Emotet - S0367\""].into_iter()).as_deref(), Some("Emotet"));
        assert_eq!(family(["misp-galaxy:rat=\"jRAT\"", "misp-galaxy:rat=\"Quaverse\""].into_iter()), None);
        assert_eq!(family(["misp-galaxy:threat-actor=\"Sofacy\""].into_iter()), None);
    }
}
