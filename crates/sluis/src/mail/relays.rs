//! Who handed a mail over from outside: the machine and the reverse-path that SPF (RFC 7208) is about.

use std::net::IpAddr;

use model::address::Address;
use model::resource::Resource;
use model::sender::Envelope;
use parsers::kinds::mail::{Fields, received};

/// Machines of our own that pass mail on: addresses and ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relays(Vec<(Address, Address)>);

/// Fields `Received` that are looked at.
const HOPS: usize = 20;

impl Relays {
    /// Reads addresses and ranges, as the settings have them.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn parse(texts: &[String]) -> Result<Relays, String> {
        let range = |text: &String| match Resource::parse(text) {
            Ok(Resource::Addresses(range)) => Ok((range.first, range.last)),
            _ => Err(format!("'{text}' is no address and no range: write 192.0.2.25 or 192.0.2.0/28")),
        };
        texts.iter().map(range).collect::<Result<_, _>>().map(Relays)
    }

    /// Whether none is named: then nothing that stands in a mail is believed about its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a machine is one of ours; this machine itself always is.
    pub(crate) fn holds(&self, peer: IpAddr) -> bool {
        let address = Address::from(peer.to_canonical());
        peer.to_canonical().is_loopback() || self.0.iter().any(|(first, last)| *first <= address && address <= *last)
    }

    /// The machine that handed a mail over to the first of ours, and its reverse-path, as far as they can be known.
    ///
    /// What a door saw counts. Where that was one of ours, the `Received` fields of ours are followed: each new one is put on
    /// top (RFC 5321 section 4.4), so that below the first that names a stranger everything may be the stranger's.
    pub(crate) fn origin(&self, fields: &Fields<'_>, envelope: &Envelope) -> (Option<IpAddr>, Option<String>) {
        let path = envelope.mail_from.clone();
        match envelope.peer {
            Some(peer) if !self.holds(peer) => return (Some(peer.to_canonical()), path),
            _ if self.is_empty() => return (None, path),
            _ => {}
        }
        let path = path.or_else(|| return_path(fields));
        for value in fields.all("Received").take(HOPS) {
            match received(value).0 {
                Some(peer) if self.holds(peer) => {}
                Some(peer) => return (Some(peer.to_canonical()), path),
                None => break,
            }
        }
        (None, path)
    }
}

/// The reverse-path that the last mail server wrote down: above all that others wrote (RFC 5321 section 4.4).
fn return_path(fields: &Fields<'_>) -> Option<String> {
    let above = fields.iter().take_while(|(name, _)| !name.eq_ignore_ascii_case(b"Received"));
    let mut paths = above.filter(|(name, _)| name.eq_ignore_ascii_case(b"Return-Path")).map(|(_, value)| value);
    let (Some(path), None) = (paths.next(), paths.next()) else { return None };
    let path = std::str::from_utf8(path).ok()?.trim();
    Some(path.strip_prefix('<')?.strip_suffix('>')?.to_owned())
}
