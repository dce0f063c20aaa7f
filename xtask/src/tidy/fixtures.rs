//! The rule about what fixtures may name: addresses that belong to nobody.

use std::net::Ipv4Addr;

use super::Tree;

/// House rule: no address in a fixture can be somebody's (RFC 5737 gives the ones to use).
pub fn documentation_addresses(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in &tree.files {
        if !(file.starts_with("crates/") && file.contains("/fixtures/")) {
            continue;
        }
        for (line, address) in public_addresses(&tree.bytes(file)) {
            findings.push(format!(
                "{file}:{line}: {address} can be somebody's; use 192.0.2.0/24, 198.51.100.0/24 or 203.0.113.0/24 (RFC 5737)"
            ));
        }
    }
    findings
}

/// Dotted quads that are addresses one could reach over the internet, with their line numbers.
fn public_addresses(bytes: &[u8]) -> Vec<(usize, Ipv4Addr)> {
    let mut found = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let mut before: [u8; 2] = [b' ', b' '];
        let mut rest = line;
        while let Some(first) = rest.first().copied() {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            if length == 0 {
                before = [before[1], first];
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let (word, after) = rest.split_at(length);
            // A full stop may end the sentence; a number that starts with one is something else.
            let quad = word.strip_suffix(b".").unwrap_or(word);
            let address = std::str::from_utf8(quad).ok().and_then(|text| text.parse::<Ipv4Addr>().ok());
            if let Some(address) = address.filter(|address| is_public(*address) && !is_version(before)) {
                found.push((at + 1, address));
            }
            before = [b'0', b'0'];
            rest = after;
        }
    }
    found
}

/// `Browser/120.0.0.0` and `v1.2.3.4` are versions.
fn is_version(before: [u8; 2]) -> bool {
    match before {
        [letter, b'/'] => letter.is_ascii_alphabetic(),
        [_, last] => last.is_ascii_alphabetic(),
    }
}

fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_documentation()
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || a == 0
        || a >= 224
        // Shared address space (RFC 6598), protocol assignments (RFC 6890), benchmarking (RFC 2544).
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18);
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_somebodys_is_found() {
        for (text, found) in [
            ("ip,8.8.8.8,80", 1),
            ("[8.8.8.8]", 1),
            ("from 8.8.8.8.", 1),
            ("http://8.8.8.8/x", 1),
            ("8.8.8.8/24 and 9.9.9.9", 2),
            ("192.0.2.1 198.51.100.255 203.0.113.7", 0),
            ("10.0.0.1 127.0.0.1 172.16.0.1 192.168.1.1 169.254.0.1 100.64.0.1 224.0.0.1 255.255.255.255 0.0.0.0", 0),
            ("Mozilla/5.0 Chrome/120.0.0.0", 0),
            ("v1.2.3.4", 0),
            ("1.3.6.1.4.1.8072", 0),
            ("999.1.1.1 1.2.3", 0),
            ("\u{e9}", 0),
        ] {
            assert_eq!(public_addresses(text.as_bytes()).len(), found, "{text}");
        }
    }

    #[test]
    fn the_line_is_named() {
        assert_eq!(public_addresses(b"a\nb 8.8.4.4\n"), [(2, Ipv4Addr::new(8, 8, 4, 4))]);
    }
}
