//! Internet addresses and inclusive ranges of them, IPv4 and IPv6 on one line of 128-bit numbers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 address as a 128-bit number; IPv4 is v4-mapped (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2).
///
/// So there is one order for all addresses, and a v4-mapped IPv6 address *is* its IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u128);

const MAPPED: u128 = 0xffff_0000_0000;

impl Address {
    /// `::`, which is never a party's address: the [`crate::report::Core`] uses it for "none".
    pub const NONE: Address = Address(0);

    /// The IPv4 number, when this is an IPv4 address.
    pub fn v4(self) -> Option<u32> {
        (self.0 & !0xffff_ffff == MAPPED).then_some(self.0 as u32)
    }

    /// The address of an IPv4 number.
    pub const fn from_v4(number: u32) -> Address {
        Address(MAPPED | number as u128)
    }

    /// Whether a party on the Internet can hold this address: not private, loopback, link-local, multicast,
    /// carrier-grade NAT, unspecified or reserved. Documentation ranges count as public: fixtures live there.
    pub fn is_global(self) -> bool {
        match self.ip() {
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                !(ip.is_private()
                    || ip.is_loopback()
                    || ip.is_link_local()
                    || ip.is_multicast()
                    || a == 0
                    || a >= 240
                    || (a == 100 && (64..128).contains(&b)))
            }
            IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000,
        }
    }

    /// The standard library's form.
    pub fn ip(self) -> IpAddr {
        match self.v4() {
            Some(number) => IpAddr::V4(Ipv4Addr::from(number)),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }

    /// Sixteen bytes, big-endian: the form in which addresses sort in a database.
    pub fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads an address as feeds write it. IPv4 octets may have leading zeros and are always decimal (inetnum
    /// objects write `192.0.02.255`); surrounding blanks and `[…]` around IPv6 are allowed. `None` otherwise.
    pub fn parse(text: &[u8]) -> Option<Address> {
        let text = text.trim_ascii();
        if let Some(number) = parse_v4(text) {
            return Some(Address::from_v4(number));
        }
        let text = std::str::from_utf8(text).ok()?;
        let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
        let ip = Ipv6Addr::from_str(text).ok()?;
        Some(Address(u128::from(ip)))
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Address {
        match ip {
            IpAddr::V4(ip) => Address::from_v4(u32::from(ip)),
            IpAddr::V6(ip) => Address(u128::from(ip)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

fn parse_v4(text: &[u8]) -> Option<u32> {
    let (mut number, mut octet, mut digits, mut dots) = (0u32, 0u32, 0, 0);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
                if digits > 3 || octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                number = number << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(number << 8 | octet)
}

/// The addresses from `first` to `last`, both included, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The lowest address.
    pub first: Address,
    /// The highest address, itself inside the range.
    pub last: Address,
}

/// Why a text is not a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// Neither an address, a prefix nor two addresses with a dash.
    Unreadable,
    /// A prefix whose address has bits set beyond its length: `192.0.2.1/24`. The range it may have meant is inside.
    HostBits(Range),
    /// The first address is above the last.
    Backwards,
    /// One end is IPv4 and the other IPv6.
    MixedFamilies,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeError::Unreadable => f.write_str("not an address, a prefix or a range 'first - last'"),
            RangeError::HostBits(meant) => write!(f, "the prefix has host bits set; did you mean {meant}?"),
            RangeError::Backwards => f.write_str("the first address is above the last"),
            RangeError::MixedFamilies => f.write_str("the two ends are of different families"),
        }
    }
}

impl std::error::Error for RangeError {}

impl Range {
    /// The range of one address.
    pub fn single(address: Address) -> Range {
        Range { first: address, last: address }
    }

    /// The range of two ends.
    ///
    /// # Errors
    /// [`RangeError::Backwards`] and [`RangeError::MixedFamilies`].
    pub fn new(first: Address, last: Address) -> Result<Range, RangeError> {
        if first.v4().is_some() != last.v4().is_some() {
            return Err(RangeError::MixedFamilies);
        }
        if first > last {
            return Err(RangeError::Backwards);
        }
        Ok(Range { first, last })
    }

    /// The range of `address/length`.
    ///
    /// # Errors
    /// [`RangeError::Unreadable`] when the length is over 32 or 128, [`RangeError::HostBits`] when bits beyond the
    /// length are set.
    pub fn prefix(address: Address, length: u8) -> Result<Range, RangeError> {
        let bits = if address.v4().is_some() { 32 } else { 128 };
        if length > bits {
            return Err(RangeError::Unreadable);
        }
        let host = match bits - length {
            128 => u128::MAX,
            host_bits => (1u128 << host_bits) - 1,
        };
        let range = Range { first: Address(address.0 & !host), last: Address(address.0 | host) };
        if address.0 & host != 0 { Err(RangeError::HostBits(range)) } else { Ok(range) }
    }

    /// Reads `address`, `address/length` or `first - last`.
    ///
    /// # Errors
    /// Every [`RangeError`].
    pub fn parse(text: &str) -> Result<Range, RangeError> {
        let address = |part: &str| Address::parse(part.as_bytes()).ok_or(RangeError::Unreadable);
        if let Some((network, length)) = text.split_once('/') {
            let length = length.trim();
            if length.is_empty() || length.len() > 3 || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(RangeError::Unreadable);
            }
            return Range::prefix(address(network)?, length.parse().map_err(|_| RangeError::Unreadable)?);
        }
        match text.split_once('-') {
            Some((first, last)) => Range::new(address(first)?, address(last)?),
            None => Ok(Range::single(address(text)?)),
        }
    }

    /// Whether `address` is inside.
    pub fn contains(&self, address: Address) -> bool {
        self.first <= address && address <= self.last
    }

    /// Whether all of `other` is inside.
    pub fn encloses(&self, other: &Range) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether the two share an address.
    pub fn overlaps(&self, other: &Range) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether the two overlap and neither encloses the other.
    pub fn crosses(&self, other: &Range) -> bool {
        self.overlaps(other) && !self.encloses(other) && !other.encloses(self)
    }

    /// The number of addresses less one: a size that cannot overflow.
    pub fn span(&self) -> u128 {
        self.last.0 - self.first.0
    }

    /// The prefix length, when the range is exactly one prefix.
    pub fn prefix_length(&self) -> Option<u8> {
        let bits: u8 = if self.first.v4().is_some() { 32 } else { 128 };
        let host = self.span();
        // A prefix of n host bits spans 2^n - 1 and begins at a multiple of 2^n.
        if host & host.wrapping_add(1) != 0 || self.first.0 & host != 0 {
            return None;
        }
        let host_bits = (128 - host.leading_zeros()) as u8;
        (host_bits <= bits).then(|| bits - host_bits)
    }
}

/// `192.0.2.7`, `192.0.2.0/24` or `192.0.2.5 - 192.0.2.9`: the shortest of the three that is exact.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return self.first.fmt(f);
        }
        match self.prefix_length() {
            Some(length) => write!(f, "{}/{length}", self.first),
            None => write!(f, "{} - {}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_as_people_write_them() {
        for (text, expected) in [
            ("192.0.2.0/24", Ok("192.0.2.0/24")),
            ("192.0.2.7", Ok("192.0.2.7")),
            ("192.0.2.0 - 192.0.02.255", Ok("192.0.2.0/24")),
            ("192.0.2.5-192.0.2.9", Ok("192.0.2.5 - 192.0.2.9")),
            ("2001:db8::/32", Ok("2001:db8::/32")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("::/0", Ok("::/0")),
            ("192.0.2.1/24", Err("the prefix has host bits set; did you mean 192.0.2.0/24?")),
            ("192.0.2.0/33", Err("not an address, a prefix or a range 'first - last'")),
            ("192.0.2.9 - 192.0.2.5", Err("the first address is above the last")),
            ("192.0.2.9 - 2001:db8::1", Err("the two ends are of different families")),
            ("192.0.2", Err("not an address, a prefix or a range 'first - last'")),
            ("192.0.2.256", Err("not an address, a prefix or a range 'first - last'")),
            ("192.0.2.0/+8", Err("not an address, a prefix or a range 'first - last'")),
            ("", Err("not an address, a prefix or a range 'first - last'")),
        ] {
            let read = Range::parse(text).map(|range| range.to_string()).map_err(|error| error.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        assert_eq!(Address::parse(b"::ffff:192.0.2.1"), Address::parse(b"192.0.2.1"));
    }

    proptest! {
        #[test]
        fn printed_ranges_read_back(a in any::<u128>(), b in any::<u128>(), v4 in any::<bool>()) {
            let address = |number: u128| if v4 { Address::from_v4(number as u32) } else { Address(number | 1 << 127) };
            let (a, b) = (address(a), address(b));
            let range = Range::new(a.min(b), a.max(b)).unwrap();
            prop_assert_eq!(Range::parse(&range.to_string()), Ok(range));
        }

        #[test]
        fn every_prefix_knows_its_length(number in any::<u128>(), length in 0u8..=128) {
            let range = match Range::prefix(Address(number | 1 << 127), length) {
                Ok(range) | Err(RangeError::HostBits(range)) => range,
                Err(_) => return Ok(()),
            };
            prop_assert_eq!(range.prefix_length(), Some(length));
        }
    }
}
