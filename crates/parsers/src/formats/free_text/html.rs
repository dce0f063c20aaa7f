//! HTML as the text that people see of it, with the targets of links, line by line where it stood.

/// Elements whose content nobody sees.
const UNSEEN: &[&str] = &["script", "style", "head", "template"];

/// Takes the tags out of HTML. Line breaks stay, so that lines keep their numbers; where a tag stood, words do not run into each other
/// unless it only dresses letters. The target of a link stands before its text.
pub(super) fn text(html: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(html.len());
    let mut rest = html;
    let mut endless = [false; UNSEEN.len()];
    while let Some(at) = memchr::memchr2(b'<', b'&', rest) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if rest.first() == Some(&b'&') {
            rest = entity(rest, &mut text);
            continue;
        }
        if rest.starts_with(b"<!--") {
            let end = memchr::memmem::find(rest, b"-->").map_or(rest.len(), |end| end + 3);
            rest = skip(rest, end, &mut text);
            continue;
        }
        let name_at = if rest.get(1) == Some(&b'/') { 2 } else { 1 };
        let name = &rest[name_at..];
        let length = name.iter().take(12).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = &name[..length];
        if length == 0 && rest.get(1) != Some(&b'!') {
            // `a < b` is no tag.
            text.push(b'<');
            rest = &rest[1..];
            continue;
        }
        let end = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
        let tag = &rest[..end];
        if name_at == 1 && name.eq_ignore_ascii_case(b"a") {
            link(tag, &mut text);
        }
        let dresses = ["b", "i", "u", "em", "strong", "font", "wbr"].iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
        if !dresses {
            text.push(b' ');
        }
        rest = skip(rest, end, &mut text);
        for (unseen, endless) in UNSEEN.iter().zip(&mut endless) {
            if name_at == 1 && !*endless && name.eq_ignore_ascii_case(unseen.as_bytes()) {
                // One that never ends hides nothing, else a single tag would hide all of a mail; and it is looked for once.
                match closing(rest, unseen) {
                    Some(end) => rest = skip(rest, end, &mut text),
                    None => *endless = true,
                }
            }
        }
    }
    text.extend_from_slice(rest);
    text
}

/// Passes over bytes, keeping their line breaks.
fn skip<'a>(rest: &'a [u8], end: usize, text: &mut Vec<u8>) -> &'a [u8] {
    let (gone, rest) = rest.split_at(end.min(rest.len()));
    text.extend(memchr::memchr_iter(b'\n', gone).map(|_| b'\n'));
    rest
}

/// Where an element's closing tag begins.
fn closing(rest: &[u8], name: &str) -> Option<usize> {
    memchr::memmem::find_iter(rest, b"</")
        .find(|at| rest.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())))
}

/// Writes where a link leads to.
fn link(tag: &[u8], text: &mut Vec<u8>) {
    let Some(at) = memchr::memmem::find(tag, b"href=").or_else(|| memchr::memmem::find(tag, b"HREF=")) else { return };
    let value = &tag[at + 5..];
    let value = match value.first() {
        Some(&quote @ (b'"' | b'\'')) => value[1..].split(|byte| *byte == quote).next().unwrap_or_default(),
        _ => value.split(|byte| byte.is_ascii_whitespace() || *byte == b'>').next().unwrap_or_default(),
    };
    if value.starts_with(b"mailto:") || value.contains(&b'\n') {
        return;
    }
    text.push(b' ');
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest) {
        text.extend_from_slice(&rest[..at]);
        rest = entity(&rest[at..], text);
    }
    text.extend_from_slice(rest);
    text.push(b' ');
}

/// Writes what an entity stands for, and gives what follows it.
fn entity<'a>(rest: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    let end = rest.iter().take(12).position(|byte| *byte == b';');
    if let Some(end) = end {
        let name = &rest[1..end];
        let known: Option<char> = match name {
            b"amp" => Some('&'),
            b"lt" => Some('<'),
            b"gt" => Some('>'),
            b"quot" => Some('"'),
            b"apos" => Some('\''),
            b"nbsp" => Some(' '),
            b"shy" | b"zwnj" => Some('\u{ad}'),
            b"period" => Some('.'),
            b"colon" => Some(':'),
            b"commat" => Some('@'),
            [b'#', b'x' | b'X', hex @ ..] => number(hex, 16),
            [b'#', decimal @ ..] => number(decimal, 10),
            _ => None,
        };
        if let Some(letter) = known {
            // A soft hyphen is seen only where a line breaks.
            if letter != '\u{ad}' {
                text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            return &rest[end + 1..];
        }
    }
    text.push(b'&');
    &rest[1..]
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    char::from_u32(value).filter(|letter| !letter.is_control()).map(|letter| if letter == '\u{a0}' { ' ' } else { letter })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_see_is_kept() {
        for (html, expected) in [
            ("<p>from <b>192.0.2</b>.1</p>", " from 192.0.2.1 "),
            ("a&lt;b &amp; 192&#46;0&#x2e;2.1&nbsp;x", "a<b & 192.0.2.1 x"),
            ("<style>p {\n x }</style>y", " \n y"),
            ("<a href=\"http://a.example/?b&amp;c\">here</a>", " http://a.example/?b&c  here "),
            ("<script>never ends", " never ends"),
            ("1 < 2 <!-- 3\n --> 4 <", "1 < 2 \n 4 <"),
            ("&unknown; &", "&unknown; &"),
        ] {
            assert_eq!(String::from_utf8_lossy(&text(html.as_bytes())), expected, "{html}");
        }
    }
}
