//! Submissions: what arrived, as it arrived.

use crate::time::Time;

/// The way a submission came in. The same bytes through the same door are the same submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Door {
    /// A file named on the command line.
    File,
    /// Standard input, as a mail server or a pipe hands it over.
    Pipe,
    /// A watched maildir.
    Maildir,
    /// A mailbox on a mail server, fetched over IMAP.
    Imap,
    /// A mail server that hands mail over by LMTP.
    Lmtp,
    /// A mail server that hands mail over by SMTP.
    Smtp,
    /// A feed that we download.
    Feed,
    /// A person of the desk, who took it from what no format understood.
    Person,
}

impl Door {
    /// Every door, in the order of their numbers.
    pub const ALL: [Door; 8] =
        [Door::File, Door::Pipe, Door::Maildir, Door::Imap, Door::Lmtp, Door::Smtp, Door::Feed, Door::Person];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Door::File => "file",
            Door::Pipe => "pipe",
            Door::Maildir => "maildir",
            Door::Imap => "imap",
            Door::Lmtp => "lmtp",
            Door::Smtp => "smtp",
            Door::Feed => "feed",
            Door::Person => "person",
        }
    }
}

/// How far the work on a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Progress {
    /// Stored, and not yet read to its end.
    Received,
    /// Read to its end: every statement is a report or a reject.
    Read,
    /// No format understood it, or reading it failed twice: a person looks.
    Unreadable,
}

impl Progress {
    /// Every stage, in the order of their numbers.
    pub const ALL: [Progress; 3] = [Progress::Received, Progress::Read, Progress::Unreadable];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Progress::Received => "received",
            Progress::Read => "read",
            Progress::Unreadable => "unreadable",
        }
    }
}

/// What is known of a submission beside its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// Row number inside this node.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// The door it came through.
    pub door: Door,
    /// When the bytes were durable here.
    pub received: Time,
    /// The name it came under (a file name), without folders.
    pub name: String,
    /// Name of the feed that it is a download of; empty for anything else.
    pub feed: String,
    /// Size in bytes.
    pub size: u64,
    /// The format that read it; empty before.
    pub format: String,
    /// How far the work is.
    pub progress: Progress,
    /// Statements worked off so far: reports and rejects.
    pub cursor: u32,
    /// Reports among them.
    pub reports: u32,
    /// Rejects among them.
    pub rejects: u32,
    /// How often the same bytes came through the same door.
    pub times: u32,
    /// Why it is unreadable; empty otherwise.
    pub reason: String,
}

/// A random 128-bit identifier, shown as 26 letters and digits without `I`, `L`, `O` and `U` (Crockford's base 32).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId(pub u128);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl PublicId {
    /// Reads the form that [`std::fmt::Display`] writes; case does not matter. `None` for anything else.
    pub fn parse(text: &str) -> Option<PublicId> {
        if text.len() != 26 {
            return None;
        }
        let mut number = 0u128;
        for (at, byte) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte.to_ascii_lowercase())? as u128;
            if at == 0 && digit > 7 {
                return None;
            }
            number = number << 5 | digit;
        }
        Some(PublicId(number))
    }

    /// As a UUID of version 4 (RFC 9562): 122 of the 128 bits, in XARF's form for `report_id`.
    pub fn uuid(self) -> String {
        let number = self.0 & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let hex = format!("{number:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl std::fmt::Display for PublicId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for at in (0..26).rev() {
            let digit = (self.0 >> (at * 5)) as usize & 31;
            write!(f, "{}", char::from(ALPHABET[digit]))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for PublicId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn public_ids_read_back(number in any::<u128>()) {
            let id = PublicId(number);
            prop_assert_eq!(PublicId::parse(&id.to_string()), Some(id));
            prop_assert_eq!(PublicId::parse(&id.to_string().to_uppercase()), Some(id));
            let uuid = id.uuid();
            prop_assert_eq!(uuid.as_bytes()[14], b'4');
            prop_assert!(b"89ab".contains(&uuid.as_bytes()[19]));
        }
    }
}
