//! Names of folders on their way to a server: modified UTF-7 (RFC 3501, 5.1.3), quoted.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A folder's name as a quoted string. Control characters are none's business there; settings have none.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", encoded(name).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A name in modified UTF-7.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    // Letters beyond ASCII that stand together, as UTF-16.
    let mut others: Vec<u8> = Vec::new();
    let flush = |others: &mut Vec<u8>, out: &mut String| {
        if !others.is_empty() {
            out.push('&');
            out.push_str(&BASE64.encode(&others));
            out.push('-');
            others.clear();
        }
    };
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if letter.is_ascii() {
            flush(&mut others, &mut out);
            out.push(letter);
            if letter == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            others.extend(letter.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut others, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_servers_want_them() {
        for (name, expected) in [
            ("INBOX", "\"INBOX\""),
            ("Abuse & more", "\"Abuse &- more\""),
            // The examples of RFC 3501.
            ("~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""),
            ("Meldingen é", "\"Meldingen &AOk-\""),
            ("💣", "\"&2D3co w-\"".replace(' ', "").as_str()),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("two\r\nlines", "\"twolines\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(name), expected, "{name}");
        }
    }
}
