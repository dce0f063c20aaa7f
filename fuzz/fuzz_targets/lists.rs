//! Lists that do not say what they are of: the same bytes as if they had been fetched from each place that is known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

/// One list of each sender that is known by where its lists are.
const LOCATIONS: &[&str] = &[
    "https://lists.blocklist.de/lists/ssh.txt",
    "https://cinsscore.com/list/ci-badguys.txt",
    "https://www.team-cymru.org/Services/Bogons/fullbogons-ipv4.txt",
    "https://isc.sans.edu/asdetailsascii.html?as=64496",
    "https://reputation.alienvault.com/reputation.data",
    "https://security-research.dyndns.org/pub/botnet/ponmocup/latest.txt",
    "https://sslbl.abuse.ch/blacklist/sslipblacklist.txt",
    "https://urlhaus.abuse.ch/downloads/text/",
    "https://view.sentinel.turris.cz/greylist-data/greylist-latest.csv",
];

fuzz_target!(|bytes: &[u8]| {
    for location in LOCATIONS {
        submission(bytes, As { location, ..As::default() });
    }
});
