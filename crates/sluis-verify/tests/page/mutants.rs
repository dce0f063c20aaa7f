//! Bundles that were changed and put together again with right lengths, checksums and digests, so that the change is what is judged.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Numbers that follow from a seed, so that every run is the same.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).expect("it fits")).expect("it fits")
    }
}

/// A name and its content.
pub(crate) type File = (String, Vec<u8>);

/// One change of a good bundle; `other` is a good bundle of another case. What it was stands in the name.
pub(crate) fn mutant(good: &[u8], other: &[u8], chance: &mut Chance) -> (String, Vec<u8>) {
    if chance.below(12) == 0 {
        let mut bytes = good.to_vec();
        let at = chance.below(bytes.len());
        bytes[at] ^= 1 << chance.below(8);
        return (format!("a bit of the container at {at}"), bytes);
    }
    let mut files = files(good);
    // A third of the changes is to records, proofs and the like, of which there is one of each.
    let end = if chance.below(3) == 0 { files.len().min(6) } else { files.len() };
    let place = 1 + chance.below(end - 1);
    let (name, bytes) = files[place].clone();
    let done = change(&mut files, place, other, chance);
    if name != "manifest.txt" {
        right_manifest(&mut files);
    }
    (format!("{name} of {} bytes: {done}", bytes.len()), container(&files))
}

fn change(files: &mut Vec<File>, place: usize, other: &[u8], chance: &mut Chance) -> String {
    let others = self::files(other);
    let bytes = &mut files[place].1;
    let at = chance.below(bytes.len());
    match chance.below(8) {
        0 | 1 => {
            let bit = chance.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at}")
        }
        2 => {
            bytes.remove(at);
            format!("byte {at} left out")
        }
        3 => {
            bytes.insert(at, u8::try_from(chance.below(256)).expect("it fits"));
            format!("a byte more at {at}")
        }
        4 if bytes.len() > 64 => {
            let (one, two) = (chance.below(bytes.len() - 32), chance.below(bytes.len() - 32));
            let run = bytes[one..one + 32].to_vec();
            bytes.copy_within(two..two + 32, one);
            bytes[two..two + 32].copy_from_slice(&run);
            format!("32 bytes at {one} and {two} change places")
        }
        5 => {
            bytes[at] = [0, 1, 2, 3, 255][chance.below(5)];
            format!("another number at {at}")
        }
        6 => {
            let name = files[place].0.clone();
            match others.iter().find(|(other, _)| *other == name) {
                Some((_, theirs)) => files[place].1 = theirs.clone(),
                None => {
                    files.remove(place);
                }
            }
            "that of another case, or none".to_owned()
        }
        _ => {
            let second = 2 + chance.below(files.len() - 2);
            let taken = files[second].1.clone();
            files[second].1 = std::mem::replace(&mut files[place].1, taken);
            format!("its content and that of {} change places", files[second].0)
        }
    }
}

/// The files of a container that tell something: records, reports and attachments.
pub(crate) fn shown(container: &[u8]) -> Vec<File> {
    let mut files = files(container);
    files.retain(|(name, _)| name == "records.bin" || name == "reports.bin" || name.starts_with("attachments/"));
    files
}

/// The files of a container, which is known to be good.
fn files(container: &[u8]) -> Vec<File> {
    let number =
        |at: usize, length: usize| (0..length).rev().fold(0, |sum, place| sum * 256 + usize::from(container[at + place]));
    let mut files = Vec::new();
    let mut at = 0;
    while container[at..].starts_with(b"PK\x03\x04") {
        let (size, length) = (number(at + 18, 4), number(at + 26, 2));
        let start = at + 30 + length;
        files.push((String::from_utf8_lossy(&container[at + 30..start]).into_owned(), container[start..start + size].to_vec()));
        at = start + size;
    }
    files
}

/// Lets the manifest name the files as they are now.
fn right_manifest(files: &mut [File]) {
    let Some(place) = files.iter().position(|(name, _)| name == "manifest.txt") else { return };
    let text = String::from_utf8_lossy(&files[place].1).into_owned();
    let mut manifest = text.lines().take(4).fold(String::new(), |all, line| all + line + "\n");
    for (name, bytes) in &files[place + 1..] {
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(manifest, "{digest} {} {name}", bytes.len()).expect("text can be written to");
    }
    files[place].1 = manifest.into_bytes();
}

/// The container, as `docs/seal.md` 6 writes it.
fn container(files: &[File]) -> Vec<u8> {
    let (mut bodies, mut entries) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32(bytes).to_le_bytes());
        let size = u32::try_from(bytes.len()).expect("it fits").to_le_bytes();
        common.extend(size.iter().chain(&size));
        common.extend(u16::try_from(name.len()).expect("it fits").to_le_bytes());
        common.extend([0, 0]);
        let offset = u32::try_from(bodies.len()).expect("it fits").to_le_bytes();
        bodies.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        entries.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).expect("it fits").to_le_bytes();
    let sizes = [entries.len(), bodies.len()].map(|size| u32::try_from(size).expect("it fits").to_le_bytes());
    [&bodies[..], &entries, b"PK\x05\x06\0\0\0\0", &count, &count, &sizes[0], &sizes[1], &[0, 0]].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |rest, _| if rest & 1 == 1 { (rest >> 1) ^ 0xedb8_8320 } else { rest >> 1 })
    })
}

#[test]
fn a_bundle_taken_apart_and_put_together_is_the_same() {
    let set = seal::testing::stories::all(50);
    let good = &set.examples[0].bytes;
    let mut again = files(good);
    assert!(container(&again) == *good);
    right_manifest(&mut again);
    assert!(container(&again) == *good);
}
