//! Identifiers that follow from what they are of, so that the same thing has the same one wherever it is written.

use sha1::{Digest, Sha1};

/// The namespace of what we name ourselves: version 5 of `sluis.invalid` in the namespace of the DNS (RFC 9562).
const OURS: [u8; 16] = [0x58, 0xb1, 0xc0, 0x25, 0xd5, 0x2d, 0x5e, 0x0e, 0xb6, 0xd8, 0x36, 0x37, 0x40, 0x7e, 0x24, 0xce];
/// The namespace of STIX's observables (STIX 2.1 section 2.9).
const OBSERVABLES: [u8; 16] = [0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7];

/// The identifier of a thing that we name, of a sort: version 5 of RFC 9562.
pub(super) fn ours(sort: &str, name: &str) -> String {
    version_5(OURS, &format!("{sort}:{name}"))
}

/// The identifier of an observable of STIX, which follows from its value alone. `properties` is JSON in canonical form (RFC
/// 8785).
pub(super) fn observable(properties: &str) -> String {
    version_5(OBSERVABLES, properties)
}

fn version_5(space: [u8; 16], name: &str) -> String {
    let digest = Sha1::new().chain_update(space).chain_update(name.as_bytes()).finalize();
    let mut bytes = [0u8; 16];
    for (byte, from) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *from;
    }
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | 5 << 76 | 0b10 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_identifiers() {
        // RFC 9562 appendix A.4.
        let dns = 0x6ba7b810_9dad_11d1_80b4_00c04fd430c8_u128.to_be_bytes();
        assert_eq!(super::version_5(dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_eq!(super::version_5(dns, "sluis.invalid").replace('-', ""), format!("{:032x}", u128::from_be_bytes(super::OURS)));
        // As the examples of STIX 2.1 section 6.4 have it.
        assert_eq!(super::observable("{\"value\":\"198.51.100.3\"}"), "28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    }
}
