//! What characters the bytes of a text are: UTF-8, UTF-16, or Windows-1252 where it is neither.

use super::{Remark, Unreadable};

/// The text of these bytes, without a byte order mark.
pub(super) fn decode(bytes: Vec<u8>, remarks: &mut Vec<Remark>) -> Result<String, Unreadable> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes, remarks),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes, remarks),
        [0xef, 0xbb, 0xbf, ..] => {}
        // Of Latin letters in UTF-16 every other byte is zero, even without a mark.
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => return utf16(&bytes, u16::from_be_bytes, remarks),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => return utf16(&bytes, u16::from_le_bytes, remarks),
        _ => {}
    }
    if bytes.contains(&0) {
        return Err(Unreadable::NotATable);
    }
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (characters, damaged) = tried(error.as_bytes());
            if characters > damaged {
                remarks.push(Remark::Damaged(damaged));
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            } else {
                remarks.push(Remark::Windows1252);
                error.as_bytes().iter().map(|byte| windows_1252(*byte)).collect()
            }
        }
    };
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// How many characters beyond ASCII the bytes have as UTF-8, and how many pieces that are not UTF-8.
fn tried(bytes: &[u8]) -> (usize, usize) {
    bytes.utf8_chunks().fold((0, 0), |(characters, damaged), chunk| {
        let beyond = chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        (characters + beyond, damaged + usize::from(!chunk.invalid().is_empty()))
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, remarks: &mut Vec<Remark>) -> Result<String, Unreadable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut damaged = usize::from(!rest.is_empty());
    let text: String = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|letter| {
            letter.unwrap_or_else(|_| {
                damaged += 1;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    if damaged > 0 {
        remarks.push(Remark::Damaged(damaged));
    }
    if text.contains('\0') { Err(Unreadable::NotATable) } else { Ok(text) }
}

/// The character of a byte in Windows-1252, as Microsoft's table has it; U+FFFD for the five that it leaves open.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}
