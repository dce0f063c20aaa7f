//! Lists and feeds that are known by how they begin or by where they were fetched: which of a sender's lists it is.

use memchr::memmem;

use super::objects::{self, Objects};
use super::table::{self, Table};
use crate::formats::Fit;
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// One list of a sender.
#[derive(Clone, Copy)]
pub enum List {
    /// Lines.
    Table(&'static Table),
    /// JSON.
    Objects(&'static Objects),
    /// What has a reader of its own.
    Own(fn(&mut Reading<'_>, &mut Source<'_>) -> Result<(), Stop>),
}

/// Tells which list of a sender something is, by its first bytes and by the URL that it was fetched from; `None` when it is none.
pub type Which = fn(&[u8], &str) -> Option<List>;

/// How well something fits a sender whose lists are told apart by `which`.
pub fn detect(prefix: &Prefix<'_>, which: Which) -> Fit {
    if which(prefix.bytes, prefix.location).is_some() { Fit::Certain } else { Fit::No }
}

/// Reads whichever list of a sender it is.
///
/// # Errors
/// As [`crate::read::read`].
pub fn read(reading: &mut Reading<'_>, source: &mut Source<'_>, which: Which) -> Result<(), Stop> {
    match which(source.prefix(), reading.hint.location) {
        Some(List::Table(list)) => table::read(reading, source, list),
        Some(List::Objects(list)) => objects::read(reading, source, list),
        Some(List::Own(read)) => read(reading, source),
        None => {
            reading
                .unreadable("it is none of the lists of this sender that are known, by its beginning or by where it was fetched");
            Ok(())
        }
    }
}

/// Whether a list begins with a comment and one of its first comments has these words in it: a cheap look that says no at the
/// first byte of what is no list.
pub fn commented(bytes: &[u8], sign: u8, words: &str) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    text.first() == Some(&sign) && memmem::find(text.get(..text.len().min(4_096)).unwrap_or_default(), words.as_bytes()).is_some()
}

/// The path, with the query, of the URL that a list was fetched from, when it is at this host or at one below it; `None` when it is
/// elsewhere, or came by itself.
pub fn fetched_from<'a>(location: &'a str, site: &str) -> Option<&'a str> {
    let (_, rest) = location.split_once("://")?;
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let below = host.len().checked_sub(site.len()).and_then(|at| host.split_at_checked(at));
    let same = below.is_some_and(|(begin, end)| end.eq_ignore_ascii_case(site) && (begin.is_empty() || begin.ends_with('.')));
    same.then_some(path)
}

/// The last part of a path, without its query: `ssh.txt` of `/lists/ssh.txt?x=1`.
pub fn file_of(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a list of JSON begins with all of these names of members (in quotation marks, in any order): a cheap look that says no
/// at the first byte of what is no JSON.
pub fn has_members(bytes: &[u8], names: &[&str]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return false;
    }
    let text = text.get(..text.len().min(8_192)).unwrap_or_default();
    names.iter().all(|name| has_member(text, name))
}

fn has_member(text: &[u8], name: &str) -> bool {
    memchr::memmem::find_iter(text, name.as_bytes()).any(|at| {
        let end = at + name.len();
        let quoted = at > 0 && text.get(at - 1) == Some(&b'"') && text.get(end) == Some(&b'"');
        quoted && text.get(end + 1..).unwrap_or_default().trim_ascii_start().first() == Some(&b':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_known_by_their_host() {
        for (location, expected) in [
            ("https://lists.watch.example/lists/ssh.txt?x=1", Some("/lists/ssh.txt?x=1")),
            ("https://watch.example", Some("")),
            ("https://WATCH.example:8443/a", Some("/a")),
            ("https://user:secret@watch.example/a", Some("/a")),
            ("https://notwatch.example/a", None),
            ("https://watch.example.evil.example/a", None),
            ("https://evil.example/watch.example/a", None),
            ("https://evil.example?watch.example/a", None),
            ("https://watch.example@evil.example/a", None),
            ("watch.example/a", None),
            ("", None),
        ] {
            assert_eq!(fetched_from(location, "watch.example"), expected, "{location}");
        }
        assert_eq!(file_of("/lists/ssh.txt?x=/1"), "ssh.txt");
        assert_eq!(file_of("/lists/"), "");
    }

    #[test]
    fn lists_are_known_by_how_they_begin() {
        assert!(commented(b"\xef\xbb\xbf\n\n# List of Watch\n", b'#', "Watch"));
        assert!(!commented(b"a # List of Watch\n", b'#', "Watch"));
        assert!(!commented(b"", b'#', "Watch"));
        assert!(has_members(b" [{\"a\" : 1, \"b\":2}]", &["a", "b"]));
        assert!(!has_members(b"[\"a\", \"b\"]", &["a"]));
        assert!(!has_members(b"a\"b\":1", &["b"]));
        assert!(!has_members(b"", &["a"]));
    }
}
