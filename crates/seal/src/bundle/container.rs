//! The container of a bundle: a ZIP file (APPNOTE 6.3) of stored entries in the one form that we write.
//!
//! Programs that read ZIP differ in what they make of comments, gaps, double names and headers that contradict each other, so
//! that one file can show each reader something else. Here is nothing to differ about: all that could vary is a constant, and
//! [`super::read`] writes what it read once more and compares.

use super::{MOST_FILE, MOST_FILES, Wrong};

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
/// Version 20, no flags, stored, midnight, 1 January 1980; little-endian, as all numbers of ZIP are.
const CONSTANT: &[u8; 10] = &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
/// Bytes of a local header before the name.
const HEADER: usize = 30;

/// A file in the container: its name and what is in it.
pub(crate) type File<'a> = (&'a str, &'a [u8]);

/// The files of a container, in their order. Only what is needed to find them is looked at: the rest is held by comparing.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<File<'_>>, Wrong> {
    let mut files = Vec::new();
    let mut at = 0;
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(LOCAL)) {
        if files.len() == MOST_FILES {
            return Err(Wrong::Container { at, what: "there are more than 256 files" });
        }
        let (file, next) = one(bytes, at)?;
        files.push(file);
        at = next;
    }
    match bytes.get(at..) {
        _ if files.is_empty() => Err(Wrong::Container { at, what: "it does not begin as a bundle does" }),
        Some(rest) if rest.starts_with(CENTRAL) => Ok(files),
        _ => Err(Wrong::Container { at, what: "it is cut off, or something stands between the files" }),
    }
}

/// The file whose local header begins at `at`, and where what follows it begins.
fn one(bytes: &[u8], at: usize) -> Result<(File<'_>, usize), Wrong> {
    let wrong = |what| Wrong::Container { at, what };
    let rest = bytes.get(at..).unwrap_or_default();
    let header = rest.first_chunk::<HEADER>().ok_or(wrong("it is cut off"))?;
    let [.., s0, s1, s2, s3, n0, n1, _, _] = *header;
    if header[4..14] != *CONSTANT {
        return Err(wrong("a file is packed, encrypted, dated or of another version: a bundle only stores"));
    }
    let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    let length = usize::from(u16::from_le_bytes([n0, n1]));
    if size > MOST_FILE {
        return Err(wrong("a file is larger than 64 MiB"));
    }
    let (name, rest) = rest[HEADER..].split_at_checked(length).ok_or(wrong("it is cut off"))?;
    let name = std::str::from_utf8(name).map_err(|_| wrong("a file's name is not text"))?;
    let (content, _) = rest.split_at_checked(size).ok_or(wrong("it is cut off"))?;
    Ok(((name, content), at + HEADER + length + size))
}

/// Writes the container of some files.
pub(crate) fn write(files: &[File<'_>]) -> Result<Vec<u8>, Wrong> {
    let total: usize = files.iter().map(|(name, content)| 2 * name.len() + content.len() + 128).sum();
    if files.len() > MOST_FILES || files.iter().any(|(_, content)| content.len() > MOST_FILE) || u32::try_from(total).is_err() {
        return Err(Wrong::TooLarge);
    }
    let mut bytes = Vec::with_capacity(total);
    let mut directory = Vec::new();
    for (name, content) in files {
        let offset = bytes.len() as u32;
        let mut header = CONSTANT.to_vec();
        header.extend_from_slice(&crc(content).to_le_bytes());
        header.extend_from_slice(&(content.len() as u32).to_le_bytes());
        header.extend_from_slice(&(content.len() as u32).to_le_bytes());
        header.extend_from_slice(&(name.len() as u16).to_le_bytes());
        header.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(LOCAL);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content);
        directory.extend_from_slice(CENTRAL);
        directory.extend_from_slice(&[20, 0]);
        directory.extend_from_slice(&header);
        // No comment, disk 0, no attributes within or without.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let offset = bytes.len() as u32;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(END);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(files.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(files.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&offset.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    Ok(bytes)
}

/// CRC-32 as ZIP has it (ISO 3309, reflected): it proves nothing here, but other programs want it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        // The check value that catalogues of checksums give for CRC-32/ISO-HDLC.
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_is_written_is_read() {
        let files: [File<'_>; 3] = [("README.txt", b"hello\n"), ("empty", b""), ("records.bin", &[0; 70_000])];
        let bytes = write(&files).unwrap();
        assert_eq!(read(&bytes).unwrap(), files);
        for end in 0..bytes.len().min(200) {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(read(b"").is_err());
        assert_eq!(write(&[("x", b"" as &[u8]); 257]), Err(Wrong::TooLarge));
    }
}
