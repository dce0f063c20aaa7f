//! Text of strangers, made safe to show: nothing a terminal would obey, nothing that hides or reorders what is read.

use std::borrow::Cow;

/// The text without escape sequences, control characters, and characters that are invisible or turn text around.
/// Ends of line and tabs become blanks.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut marks = 0;
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => match chars.peek() {
                Some('[') => {
                    chars.next();
                    skip_control_sequence(&mut chars);
                }
                // OSC, DCS, SOS, PM and APC run to their end mark (ECMA-48 section 5.6, 8.3).
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    chars.next();
                    skip_string(&mut chars);
                }
                Some(next) if (' '..='~').contains(next) => {
                    chars.next();
                }
                _ => {}
            },
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' if !out.ends_with(' ') => out.push(' '),
            char if is_mark(char) => {
                // Letters take a mark or two; heaps of them paint over other lines.
                marks += 1;
                if marks <= 2 {
                    out.push(char);
                }
                continue;
            }
            char if is_plain(char) => out.push(char),
            _ => {}
        }
        marks = 0;
    }
    Cow::Owned(out)
}

/// The text cleaned line by line: its own ends of line stay.
pub(crate) fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Clean text of at most `most` characters, with `…` when something was cut off.
pub(crate) fn short(text: &str, most: usize) -> String {
    let text = clean(text);
    match text.char_indices().nth(most) {
        None => text.into_owned(),
        Some(_) => {
            let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(end, _)| end);
            format!("{}…", text.get(..end).unwrap_or_default())
        }
    }
}

/// The text with every URL in it cut to its scheme and host: of child abuse material nobody is shown the location.
pub(crate) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let host = after.find(|c: char| c == '/' || c == '?' || c == '#' || c == '\\' || ends_url(c)).unwrap_or(after.len());
        let (host, after) = after.split_at(host);
        // A name and password before the host are part of how one gets there.
        out.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        let path = after.find(ends_url).unwrap_or(after.len());
        if path > 0 {
            out.push_str("/…");
        }
        rest = after.split_at(path).1;
    }
    out.push_str(rest);
    out
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\'' | '`')
}

/// Characters that show as themselves.
fn is_plain(c: char) -> bool {
    !c.is_control() && !is_hidden(c) && !is_mark(c)
}

/// Whether a character is unseen or changes the direction or the meaning of its neighbours (Unicode's format characters,
/// UTS 39 and UAX 9).
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Parameters and intermediates, then one final byte from `@` to `~` (ECMA-48 section 5.4).
fn skip_control_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.peek().is_some_and(|c| (' '..='?').contains(c)) {
        chars.next();
    }
    if chars.peek().is_some_and(|c| ('@'..='~').contains(c)) {
        chars.next();
    }
}

/// Up to BEL or the string terminator. What has no end mark is no sequence that a terminal would swallow for ever: the
/// rest of the text is kept then.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut ahead = chars.clone();
    while let Some(c) = ahead.next() {
        match c {
            '\u{7}' | '\u{9c}' => {
                *chars = ahead;
                return;
            }
            '\u{1b}' if ahead.peek() == Some(&'\\') => {
                ahead.next();
                *chars = ahead;
                return;
            }
            '\n' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_is_only_text() {
        for (name, text, expected) in [
            ("plain text stays", "Crème brûlée – 日本 ✓", "Crème brûlée – 日本 ✓"),
            ("colours", "\u{1b}[31mred\u{1b}[0m", "red"),
            ("clearing the screen", "\u{1b}[2J\u{1b}[Hgone", "gone"),
            ("a title of the window", "\u{1b}]0;owned\u{7}text", "text"),
            ("a link", "\u{1b}]8;;http://a.example\u{1b}\\click\u{1b}]8;;\u{1b}\\", "click"),
            ("the same with C1 bytes", "\u{9b}31mred\u{9d}0;title\u{9c}!", "red!"),
            ("a sequence without an end", "\u{1b}]0;lost", "0;lost"),
            ("an escape at the end", "end\u{1b}", "end"),
            ("resetting the terminal", "\u{1b}cagain", "again"),
            ("going back over a line", "good\rbad\u{8}", "good bad"),
            ("ends of line", "one\r\ntwo\n\nthree\u{2028}four", "one two three four"),
            ("text turned around", "a\u{202e}gpj.exe\u{2066}b\u{2069}", "agpj.exeb"),
            ("invisible letters", "pay\u{200b}pal\u{feff}\u{ad}", "paypal"),
            ("tags", "x\u{e0041}\u{e0042}y", "xy"),
            ("two marks are a letter, twenty an attack", &format!("e\u{301}{}", "\u{336}".repeat(20)), "e\u{301}\u{336}"),
            ("nothing", "\u{0}\u{1}\u{7f}", ""),
        ] {
            assert_eq!(clean(text), expected, "{name}");
        }
    }

    #[test]
    fn locations_are_cut_to_their_hosts() {
        for (text, expected) in [
            ("https://a.example/secret?x=1", "https://a.example/…"),
            ("see http://u:p@a.example:8080/b.jpg, and ftp://b.example", "see http://a.example:8080/… and ftp://b.example"),
            ("<http://a.example#x>", "<http://a.example/…>"),
            ("http://a.example?x http://b.example", "http://a.example/… http://b.example"),
            ("no location", "no location"),
            ("://", "://"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("éééé", 4), "éééé");
        assert_eq!(short("ééééé", 4), "ééé…");
        assert_eq!(short("x", 0), "…");
    }
}
