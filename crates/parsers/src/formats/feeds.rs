//! Lists and feeds of one sender each.

pub mod abusech;
pub mod alienvault;
pub mod bambenek;
pub mod blocklistde_lists;
pub mod blueliv;
pub mod cert_eu;
pub mod cins;
pub mod cleanmx_lists;
pub mod cymru;
pub mod cznic;
pub mod dataplane;
pub mod dnsbl;
pub mod dshield;
pub mod dyn_ponmocup;
pub mod eset;
pub mod fraunhofer;
pub mod html_table;
pub mod intelmq;
pub mod malc0de;
pub mod malwarepatrol;
pub mod malwareurl;
pub mod microsoft;
pub mod n6;
pub mod netlab_360;
pub mod openphish;
pub mod phishtank;
pub mod shodan;
pub mod snds;
pub mod spamhaus_drop;
pub mod surbl;
pub mod taichung;
pub mod threatminer;
pub mod vxvault;
pub mod zoneh;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[
    &abusech::FORMAT,
    &alienvault::FORMAT,
    &bambenek::FORMAT,
    &blocklistde_lists::FORMAT,
    &blueliv::FORMAT,
    &cert_eu::FORMAT,
    &cins::FORMAT,
    &cleanmx_lists::FORMAT,
    &cymru::FORMAT,
    &cznic::FORMAT,
    &dataplane::FORMAT,
    &dnsbl::FORMAT,
    &dshield::FORMAT,
    &dyn_ponmocup::FORMAT,
    &eset::FORMAT,
    &fraunhofer::FORMAT,
    &intelmq::FORMAT,
    &malc0de::FORMAT,
    &malwarepatrol::FORMAT,
    &malwareurl::FORMAT,
    &microsoft::FORMAT,
    &n6::FORMAT,
    &netlab_360::FORMAT,
    &openphish::FORMAT,
    &phishtank::FORMAT,
    &shodan::FORMAT,
    &snds::FORMAT,
    &spamhaus_drop::FORMAT,
    &surbl::FORMAT,
    &taichung::FORMAT,
    &threatminer::FORMAT,
    &vxvault::FORMAT,
    &zoneh::FORMAT,
    &html_table::FORMAT,
];

/// A confidence that is said in words, in percent.
fn in_words(text: &[u8]) -> Option<u8> {
    let words: [(&[u8], u8); 3] = [(b"low", 20), (b"medium", 50), (b"high", 90)];
    words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, percent)| *percent)
}
