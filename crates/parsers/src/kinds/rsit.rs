//! The words in which feeds of the field say what they tell of, and the kind of abuse that each of them is here.
//!
//! The words are those of the Reference Security Incident Taxonomy, `classification/type`, with the few that IntelMQ adds under
//! `other`. A word says what is seen, not who did it: what tells of a victim, or of nobody in particular, is intelligence.

use model::category::Kind;

/// A classification and the kind of abuse it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// `classification/type` of the taxonomy.
    pub rsit: &'static str,
    /// The kind of abuse.
    pub kind: Kind,
}

impl Class {
    /// The type alone: `c2-server`.
    pub fn type_name(&self) -> &'static str {
        self.rsit.split_once('/').map_or(self.rsit, |(_, name)| name)
    }

    /// The same classification as another kind: where a list is milder, or surer, than its word.
    pub const fn as_kind(self, kind: Kind) -> Class {
        Class { kind, ..self }
    }
}

macro_rules! classes {
    ($($name:ident = $rsit:literal $kind:ident;)*) => {
        $(#[doc = concat!("`", $rsit, "`")] pub const $name: Class = Class { rsit: $rsit, kind: Kind::$kind };)*
        /// Every classification.
        pub const ALL: &[Class] = &[$($name,)*];
    };
}

classes! {
    SPAM = "abusive-content/spam" Spam;
    HARMFUL_SPEECH = "abusive-content/harmful-speech" ThreatIntelligence;
    VIOLENCE = "abusive-content/violence" ThreatIntelligence;
    INFECTED_SYSTEM = "malicious-code/infected-system" InfectedHost;
    C2_SERVER = "malicious-code/c2-server" Botnet;
    MALWARE_DISTRIBUTION = "malicious-code/malware-distribution" Malware;
    MALWARE_CONFIGURATION = "malicious-code/malware-configuration" Malware;
    SCANNER = "information-gathering/scanner" PortScan;
    SNIFFING = "information-gathering/sniffing" ThreatIntelligence;
    SOCIAL_ENGINEERING = "information-gathering/social-engineering" Fraud;
    IDS_ALERT = "intrusion-attempts/ids-alert" VulnerabilityScan;
    EXPLOIT = "intrusion-attempts/exploit" VulnerabilityScan;
    BRUTE_FORCE = "intrusion-attempts/brute-force" LoginAttack;
    PRIVILEGED_ACCOUNT = "intrusions/privileged-account-compromise" CompromisedServer;
    UNPRIVILEGED_ACCOUNT = "intrusions/unprivileged-account-compromise" CompromisedServer;
    APPLICATION_COMPROMISE = "intrusions/application-compromise" CompromisedServer;
    SYSTEM_COMPROMISE = "intrusions/system-compromise" CompromisedServer;
    BURGLARY = "intrusions/burglary" ThreatIntelligence;
    DDOS = "availability/ddos" Ddos;
    DOS = "availability/dos" Ddos;
    UNAVAILABLE = "availability/misconfiguration" Misconfiguration;
    SABOTAGE = "availability/sabotage" ThreatIntelligence;
    OUTAGE = "availability/outage" ThreatIntelligence;
    UNAUTHORISED_ACCESS = "information-content-security/unauthorised-information-access" ThreatIntelligence;
    UNAUTHORISED_CHANGE = "information-content-security/unauthorised-information-modification" RemoteCompromise;
    DATA_LOSS = "information-content-security/data-loss" ThreatIntelligence;
    DATA_LEAK = "information-content-security/data-leak" ExposedData;
    UNAUTHORISED_USE = "fraud/unauthorised-use-of-resources" ThreatIntelligence;
    COPYRIGHT = "fraud/copyright" Copyright;
    MASQUERADE = "fraud/masquerade" BrandInfringement;
    PHISHING = "fraud/phishing" Phishing;
    WEAK_CRYPTO = "vulnerable/weak-crypto" Misconfiguration;
    DDOS_AMPLIFIER = "vulnerable/ddos-amplifier" OpenService;
    UNWANTED_ACCESSIBLE = "vulnerable/potentially-unwanted-accessible" OpenService;
    INFORMATION_DISCLOSURE = "vulnerable/information-disclosure" Misconfiguration;
    VULNERABLE_SYSTEM = "vulnerable/vulnerable-system" OpenService;
    BLACKLIST = "other/blacklist" Blocklist;
    DGA_DOMAIN = "other/dga-domain" ThreatIntelligence;
    PROXY = "other/proxy" OpenService;
    TOR = "other/tor" ThreatIntelligence;
    OTHER_MALWARE = "other/malware" ThreatIntelligence;
    UNDETERMINED = "other/undetermined" ThreatIntelligence;
    OTHER = "other/other" ThreatIntelligence;
    TEST = "test/test" ThreatIntelligence;
}

/// Older spellings that feeds still send, and what they are now.
const OLDER: &[(&str, Class)] = &[
    ("c&c", C2_SERVER),
    ("botnet-drone", INFECTED_SYSTEM),
    ("botnet drone", INFECTED_SYSTEM),
    ("backdoor", SYSTEM_COMPROMISE),
    ("compromised", SYSTEM_COMPROMISE),
    ("defacement", UNAUTHORISED_CHANGE),
    ("dropzone", OTHER),
    ("ransomware", INFECTED_SYSTEM),
    ("unknown", UNDETERMINED),
    ("vulnerable-service", VULNERABLE_SYSTEM),
    ("vulnerable service", VULNERABLE_SYSTEM),
    ("leak", DATA_LEAK),
    ("unauthorized-use-of-resources", UNAUTHORISED_USE),
    ("unauthorized-information-access", UNAUTHORISED_ACCESS),
    ("unauthorized-information-modification", UNAUTHORISED_CHANGE),
    ("unauthorized-command", SYSTEM_COMPROMISE),
    ("unauthorized-login", SYSTEM_COMPROMISE),
];

/// The classification of a type (`c2-server`), in any case, or of `classification/type`; `None` when the taxonomy has no such word.
pub fn by_type(name: &str) -> Option<Class> {
    let name = name.trim();
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    let present = ALL.iter().find(|class| class.type_name().eq_ignore_ascii_case(name));
    present.or_else(|| OLDER.iter().find(|(old, _)| old.eq_ignore_ascii_case(name)).map(|(_, class)| class)).copied()
}

/// What XARF 4.2 asks of each kind beside what every report has, for reports of senders who do not say it.
///
/// How something was seen (`evidence_source`) is not asked for, and not made up.
pub fn asked(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Spam => &[("protocol", "smtp")],
        Kind::Ddos => &[("protocol", "udp")],
        Kind::LoginAttack | Kind::PortScan => &[("protocol", "tcp")],
        Kind::InfectedHost => &[("protocol", "tcp"), ("bot_type", "malicious")],
        Kind::VulnerabilityScan => &[("protocol", "tcp"), ("scan_type", "mixed")],
        Kind::Fraud => &[("fraud_type", "other")],
        Kind::RemoteCompromise => &[("compromise_type", "other")],
        Kind::Botnet => &[("compromise_evidence", "named by the list of the sender")],
        Kind::CompromisedServer => &[("compromise_method", "unknown")],
        Kind::Blocklist => &[("threat_type", "blocklist")],
        Kind::ThreatIntelligence => &[("threat_type", "other")],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_old_and_new_have_a_kind() {
        for (name, kind) in [
            ("c2-server", Kind::Botnet),
            ("C&C", Kind::Botnet),
            ("fraud/phishing", Kind::Phishing),
            ("botnet drone", Kind::InfectedHost),
            ("dos", Kind::Ddos),
        ] {
            assert_eq!(by_type(name).map(|class| class.kind), Some(kind), "{name}");
        }
        assert_eq!(by_type("no such word"), None);
        for (at, class) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.type_name() != class.type_name()), "{} is one word", class.type_name());
        }
    }
}
