//! What senders call a kind of abuse, and the kind it is: report types of X-ARF's schemata, and the services that were
//! attacked, as blocklist.de and Fail2Ban name them.

use model::category::Kind;

/// Names in small letters without dashes, and their kinds. Malware and phishing are sites when a location is given.
const NAMES: &[(&str, Kind)] = &[
    // Report types of the schemata.
    ("loginattack", Kind::LoginAttack),
    ("malwareattack", Kind::Malware),
    ("malware", Kind::Malware),
    ("virus", Kind::Malware),
    ("phishing", Kind::Phishing),
    ("fraud", Kind::Fraud),
    ("scam", Kind::Fraud),
    ("spam", Kind::Spam),
    ("spamvertized", Kind::Spam),
    ("spamvertised", Kind::Spam),
    ("uce", Kind::Spam),
    ("ube", Kind::Spam),
    ("harvesting", Kind::Scraping),
    ("crawler", Kind::Scraping),
    ("webcrawler", Kind::Scraping),
    ("portscan", Kind::PortScan),
    ("portprobe", Kind::PortScan),
    ("scan", Kind::PortScan),
    ("ddos", Kind::Ddos),
    ("dos", Kind::Ddos),
    ("hackattack", Kind::VulnerabilityScan),
    ("webattack", Kind::VulnerabilityScan),
    ("exploit", Kind::VulnerabilityScan),
    ("copyright", Kind::Copyright),
    ("trademark", Kind::BrandInfringement),
    ("dnsbl", Kind::Blocklist),
    ("blacklist", Kind::Blocklist),
    ("blocklist", Kind::Blocklist),
    ("defacement", Kind::RemoteCompromise),
    ("compromisedwebsite", Kind::RemoteCompromise),
    ("hackedsite", Kind::RemoteCompromise),
    ("botnet", Kind::InfectedHost),
    ("botnetinfection", Kind::InfectedHost),
    ("botnetcc", Kind::Botnet),
    ("botnetcontroller", Kind::Botnet),
    ("commandandcontrol", Kind::Botnet),
    ("openservice", Kind::OpenService),
    ("openresolver", Kind::OpenService),
    ("vulnerability", Kind::Misconfiguration),
    ("childabuse", Kind::Csam),
    ("childpornography", Kind::Csam),
    ("csam", Kind::Csam),
    // Services of blocklist.de, and names of jails.
    ("ssh", Kind::LoginAttack),
    ("sshd", Kind::LoginAttack),
    ("sshddos", Kind::LoginAttack),
    ("telnet", Kind::LoginAttack),
    ("ftp", Kind::LoginAttack),
    ("proftpd", Kind::LoginAttack),
    ("pureftpd", Kind::LoginAttack),
    ("vsftpd", Kind::LoginAttack),
    ("imap", Kind::LoginAttack),
    ("pop3", Kind::LoginAttack),
    ("sasl", Kind::LoginAttack),
    ("postfixsasl", Kind::LoginAttack),
    ("smtpauth", Kind::LoginAttack),
    ("dovecot", Kind::LoginAttack),
    ("courierimap", Kind::LoginAttack),
    ("courierpop3", Kind::LoginAttack),
    ("courierauth", Kind::LoginAttack),
    ("asterisk", Kind::LoginAttack),
    ("sip", Kind::LoginAttack),
    ("webmin", Kind::LoginAttack),
    ("plesk", Kind::LoginAttack),
    ("pleskpanel", Kind::LoginAttack),
    ("mysql", Kind::LoginAttack),
    ("mysqldauth", Kind::LoginAttack),
    ("rdp", Kind::LoginAttack),
    ("wordpress", Kind::LoginAttack),
    ("apacheauth", Kind::LoginAttack),
    ("nginxhttpauth", Kind::LoginAttack),
    ("bruteforce", Kind::LoginAttack),
    ("bruteforcelogin", Kind::LoginAttack),
    ("mail", Kind::Spam),
    ("postfix", Kind::Spam),
    ("exim", Kind::Spam),
    ("sendmail", Kind::Spam),
    ("amavis", Kind::Spam),
    ("triggerspam", Kind::Spam),
    // These fill forums and guest books with advertising.
    ("regbot", Kind::Spam),
    ("badbot", Kind::Spam),
    ("badbots", Kind::Spam),
    ("bots", Kind::Spam),
    ("bot", Kind::InfectedHost),
    ("ircbot", Kind::InfectedHost),
    ("apacheddos", Kind::Ddos),
    ("portflood", Kind::Ddos),
    ("apache", Kind::VulnerabilityScan),
    ("nginx", Kind::VulnerabilityScan),
    ("http", Kind::VulnerabilityScan),
    ("rfiattack", Kind::VulnerabilityScan),
    ("w00tw00t", Kind::VulnerabilityScan),
    ("apachebadbots", Kind::VulnerabilityScan),
    ("apachenoscript", Kind::VulnerabilityScan),
    ("apachebotsearch", Kind::VulnerabilityScan),
    ("nginxbotsearch", Kind::VulnerabilityScan),
    ("sqlinjection", Kind::SqlInjection),
];

/// The kind of a name; case, dashes, underscores and blanks do not matter. `None` for names that say nothing of it.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    let letters = name.chars().filter(|letter| letter.is_ascii_alphanumeric());
    let small: String = letters.take(64).map(|letter| letter.to_ascii_lowercase()).collect();
    NAMES.iter().find(|(known, _)| *known == small).map(|(_, kind)| *kind)
}

/// Whether a name means mail that was sent, rather than a page or a password.
pub(super) fn is_mail(name: &str) -> bool {
    ["spam", "mail", "postfix", "exim", "sendmail", "amavis", "uce", "ube"].iter().any(|mail| name.eq_ignore_ascii_case(mail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_however_they_are_written() {
        assert_eq!(kind_of("Login-Attack"), Some(Kind::LoginAttack));
        assert_eq!(kind_of("rfi_attack"), Some(Kind::VulnerabilityScan));
        assert_eq!(kind_of("info"), None);
        assert_eq!(kind_of(""), None);
        for (at, (name, _)) in NAMES.iter().enumerate() {
            assert!(NAMES.iter().skip(at + 1).all(|(other, _)| other != name), "{name} is there twice");
        }
    }
}
