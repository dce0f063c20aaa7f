//! The format beside a second implementation that shares nothing with it: `vectors/list.py`, which wrote `vectors/list.json`.

use super::{
    super::keys::{Extractor, Found, Part, Place, Slot, TokenKeys, compare_key},
    *,
};

#[test]
fn a_second_implementation_makes_the_same_bytes() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../vectors/list.json")).unwrap();
    let text = |name: &str| vectors[name].as_str().unwrap().to_owned();
    let unhex = |text: &str| -> Vec<u8> {
        text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list: ListId = unhex(&text("list")).try_into().unwrap();
    let salt: [u8; 16] = unhex(&text("salt")).try_into().unwrap();
    let output: Output = unhex(&text("output")).try_into().unwrap();
    let full = Key::new(unhex(&text("key_full")).try_into().unwrap());
    let epoch = u32::try_from(vectors["epoch"].as_u64().unwrap()).unwrap();

    let compare = compare_key(&full);
    assert_eq!(hex(&*compare), text("key_compare"));
    let keys = TokenKeys::of(&Extractor::new().unwrap().prk(&output)).unwrap();
    for (j, expected) in (0..).zip(vectors["tags"].as_array().unwrap()) {
        assert_eq!(hex(&keys.tag(&list, epoch, j)), expected.as_str().unwrap());
    }
    assert_eq!(hex(&tag(&output, &list, epoch)), vectors["tags"][0].as_str().unwrap());
    let record = |j, number, found: &Found| {
        hex(&keys.seal(&Place { list: &list, epoch, number, salt: &salt }, &keys.tag(&list, epoch, j), found))
    };
    let strong = Found { key: full.clone(), slot: 9, full: true, family: 3, class: Class::Domain };
    assert_eq!(record(0, 5, &strong), text("domain_record"));
    let weak = Found { key: compare.clone(), slot: 2, full: false, family: 4, class: Class::NameSorted };
    assert_eq!(record(1, 70_000, &weak), text("name_record"));

    let slot = Slot { list: &list, salt: &salt, slot: 9 };
    let part = |key: &Key, part, clear: &[u8], proof: &[u8], size| {
        let mut out = vec![0xff; size];
        assert!(slot.seal_part(key, part, clear, proof, &mut out));
        assert_eq!(slot.open_part(key, part, &out), Some((clear.to_vec(), proof.to_vec())));
        hex(&out)
    };
    assert_eq!(part(&compare, Part::Capsule, b"names", b"path", 1024), text("capsule"));
    assert_eq!(part(&full, Part::Reason, b"why", b"", 4096), text("reason"));
    let status = slot.seal_status(&compare, 4, Status::Suspended, 1_800_000_000_000).unwrap();
    assert_eq!(hex(&status), text("suspended"));
}
