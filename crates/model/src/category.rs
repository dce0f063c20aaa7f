//! The kinds of abuse: XARF v4's pairs of category and type, and how each is keyed into cases.

use std::fmt;

/// What a case about a kind of abuse is about, and so what its [`crate::case::CaseKey`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A site or an account: content is taken down where it stands.
    Site,
    /// An address and a port: a service is closed or mended.
    Service,
    /// An address: the machine behind it misbehaves.
    Host,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $category:literal $kind:literal $scope:ident;)*) => {
        /// A kind of abuse, named by XARF v4's category and type (xarf-spec 4.2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// XARF's `category`.
            pub fn category(self) -> &'static str {
                match self { $(Kind::$name => $category,)* }
            }

            /// XARF's `type`.
            pub fn type_name(self) -> &'static str {
                match self { $(Kind::$name => $kind,)* }
            }

            /// What a case of this kind is about.
            pub fn scope(self) -> Scope {
                match self { $(Kind::$name => Scope::$scope,)* }
            }
        }
    };
}

kinds! {
    /// Unsolicited mail.
    Spam = "messaging" "spam" Host;
    /// Bulk mail that is not plainly spam.
    BulkMessaging = "messaging" "bulk_messaging" Host;
    /// A source of denial of service.
    Ddos = "connection" "ddos" Host;
    /// Guessing of passwords.
    LoginAttack = "connection" "login_attack" Host;
    /// Probing of ports.
    PortScan = "connection" "port_scan" Host;
    /// A machine under foreign control.
    InfectedHost = "connection" "infected_host" Host;
    /// Gathering of information before an attack.
    Reconnaissance = "connection" "reconnaissance" Host;
    /// Excessive collection of content.
    Scraping = "connection" "scraping" Host;
    /// Injection of SQL.
    SqlInjection = "connection" "sql_injection" Host;
    /// Probing for vulnerabilities.
    VulnerabilityScan = "connection" "vulnerability_scan" Host;
    /// A phishing site.
    Phishing = "content" "phishing" Site;
    /// Malware offered for download.
    Malware = "content" "malware" Site;
    /// A fraudulent site.
    Fraud = "content" "fraud" Site;
    /// Child sexual abuse material. Never fetched, shown, mailed or kept.
    Csam = "content" "csam" Site;
    /// Child sexual exploitation material. Treated as [`Kind::Csam`].
    Csem = "content" "csem" Site;
    /// Data that leaked.
    ExposedData = "content" "exposed_data" Site;
    /// Misuse of a brand.
    BrandInfringement = "content" "brand_infringement" Site;
    /// A domain name registered for misuse.
    SuspiciousRegistration = "content" "suspicious_registration" Site;
    /// A site with a web shell or defacement.
    RemoteCompromise = "content" "remote_compromise" Site;
    /// A work offered without permission.
    Copyright = "copyright" "copyright" Site;
    /// The same through a file host.
    Cyberlocker = "copyright" "cyberlocker" Site;
    /// A site that links to such works.
    LinkSite = "copyright" "link_site" Site;
    /// The same between peers.
    PeerToPeer = "copyright" "p2p" Host;
    /// The same on a platform of user content.
    UgcPlatform = "copyright" "ugc_platform" Site;
    /// The same on Usenet.
    Usenet = "copyright" "usenet" Host;
    /// Command and control, or another part of a botnet's own infrastructure.
    Botnet = "infrastructure" "botnet" Service;
    /// A server someone broke into.
    CompromisedServer = "infrastructure" "compromised_server" Host;
    /// A listing on a blocklist.
    Blocklist = "reputation" "blocklist" Host;
    /// Intelligence about an address, without a statement of abuse.
    ThreatIntelligence = "reputation" "threat_intelligence" Host;
    /// A known vulnerability.
    Cve = "vulnerability" "cve" Service;
    /// A misconfigured service.
    Misconfiguration = "vulnerability" "misconfiguration" Service;
    /// A service that should not be open to the Internet.
    OpenService = "vulnerability" "open_service" Service;
}

impl Kind {
    /// The kind of XARF's two words; `-` and `_` are one, case is ignored. `None` when XARF v4 has no such pair.
    pub fn from_words(category: &str, type_name: &str) -> Option<Kind> {
        let same = |a: &str, b: &str| {
            a.len() == b.len()
                && a.bytes().zip(b.bytes()).all(|(a, b)| {
                    let a = if a == b'-' { b'_' } else { a.to_ascii_lowercase() };
                    a == b
                })
        };
        Kind::ALL.iter().copied().find(|kind| same(category, kind.category()) && same(type_name, kind.type_name()))
    }

    /// The kind of a number that a database kept; `None` when this program is older than the number.
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(number)).copied()
    }

    /// Whether rules for child abuse material hold: no payload is kept and the location is shown masked
    /// (XARF 4.2 forbids visual content; art. 252 Sr).
    pub fn is_child_abuse(self) -> bool {
        matches!(self, Kind::Csam | Kind::Csem)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.category(), self.type_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_lead_back() {
        for (number, &kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(Kind::from_number(number as u8), Some(kind));
            assert_eq!(Kind::from_words(kind.category(), kind.type_name()), Some(kind));
        }
        assert_eq!(Kind::from_words("connection", "Login-Attack"), Some(Kind::LoginAttack));
        assert_eq!(Kind::from_words("connection", "phishing"), None);
    }
}
