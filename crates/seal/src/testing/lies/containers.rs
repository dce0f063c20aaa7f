//! Files that look like bundles.

use super::super::stories::{Example, Story};
use super::short;
use crate::bundle::container::{self, File};
use crate::bundle::{self, manifest};
use crate::record::{STEP, Type, Value, commitment, entry, field_digest};

/// A file of a container while it is repacked.
type Owned = (String, Vec<u8>);

/// Packs a bundle anew: `change` has all files but the manifest, which is made once more.
pub fn repacked(bytes: &[u8], change: impl FnOnce(&mut Vec<Owned>)) -> Vec<u8> {
    let mut files: Vec<Owned> =
        container::read(bytes).unwrap().into_iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect();
    let listed: Vec<File<'_>> = files.iter().skip(2).map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let head = manifest::read(&files[1].1, &listed).unwrap();
    files.remove(1);
    change(&mut files);
    let listed: Vec<File<'_>> = files.iter().skip(1).map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let manifest = manifest::write(&head, &listed).unwrap();
    files.insert(1, ("manifest.txt".to_owned(), manifest.into_bytes()));
    let files: Vec<File<'_>> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    container::write(&files).unwrap()
}

/// All of them.
pub(super) fn all(story: &Story) -> Vec<Example> {
    let good = bundle::write(&story.whole()).unwrap();
    let made = |name: &str, why, bytes: Vec<u8>| Example { name: name.to_owned(), why, exit: 3, bytes, policy: None, log: None };
    let find = |files: &[Owned], name: &str| files.iter().position(|(known, _)| known == name).unwrap();
    let mut lies = vec![
        made(
            "readme-changed",
            "another text for readers",
            repacked(&good, |files| files[0].1 = b"Open receipts/5.html\n".to_vec()),
        ),
        made(
            "lure",
            "a file that nobody expects",
            repacked(&good, |files| files.push(("receipts/5.html".into(), b"<script>".to_vec()))),
        ),
        made("file-twice", "a file that is there twice", repacked(&good, |files| files.insert(1, files[1].clone()))),
        made(
            "files-swapped",
            "files in another order",
            repacked(&good, |files| {
                let (one, other) = (find(files, "checkpoint.txt"), find(files, "proofs.bin"));
                files.swap(one, other);
            }),
        ),
        made("comment", "a comment after the end", {
            let mut bytes = good.clone();
            let at = bytes.len() - 2;
            bytes[at] = 4;
            bytes.extend_from_slice(b"lies");
            bytes
        }),
        made("trailing", "a byte after the end", [&good[..], b"\0"].concat()),
        made("leading", "a byte before the beginning", [b"\0", &good[..]].concat()),
        made("cut", "cut off in the middle", good[..good.len() / 2].to_vec()),
        made("empty", "nothing", Vec::new()),
        made(
            "records-cut",
            "records.bin ends too early",
            repacked(&good, |files| {
                let at = find(files, "records.bin");
                files[at].1.pop();
            }),
        ),
        made(
            "records-more",
            "records.bin has a byte more",
            repacked(&good, |files| {
                let at = find(files, "records.bin");
                files[at].1.push(0);
            }),
        ),
        made(
            "proofs-unordered",
            "a count of proofs that is not so",
            repacked(&good, |files| {
                let at = find(files, "proofs.bin");
                files[at].1[19] ^= 1;
            }),
        ),
    ];
    // A manifest that names other digests.
    let mut bytes = good.clone();
    let at = bytes.windows(12).position(|window| window == b" records.bin").unwrap() - 30;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    lies.push(made("manifest-other", "the manifest names another digest", bytes));

    // A text that turns the direction of a line: sealed so, and shown so. U+FFFD has as many bytes.
    let (mut world, stream, records) = short(story, |_, place, record| {
        if place == 3 {
            record.set("text", Value::text("gdp.exe\u{fffd}"));
        }
    });
    let number = records[3];
    let text = STEP.ordinal("text").unwrap();
    let turned = "gdp.exe\u{202e}";
    let mut digests = world.sealed[number].digests.clone();
    digests[text] = field_digest(&world.sealed[number].salts[text], "text", Type::Text, turned.as_bytes());
    let index = world.append(entry(&world.sealed[number].slot, &commitment(STEP.number, &digests)).into());
    world.publish();
    world.sealed[number].index = index;
    let bytes = bundle::write(&world.bundle(stream, &records, &[], &|_, _| true)).unwrap();
    let turn = |content: &mut Vec<u8>| {
        let at = content.windows(turned.len()).position(|window| window == "gdp.exe\u{fffd}".as_bytes()).unwrap();
        content[at..at + turned.len()].copy_from_slice(turned.as_bytes());
    };
    let bytes = repacked(&bytes, |files| {
        let at = find(files, "records.bin");
        turn(&mut files[at].1);
    });
    lies.push(made("text-turned", "a text with a sign that turns the direction of its line", bytes));
    lies
}
