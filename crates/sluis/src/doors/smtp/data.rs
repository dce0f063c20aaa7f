//! What stands between `DATA` and its end, as it comes: dots are taken back, and only CR LF `.` CR LF ends it, for
//! [`super::connection`].
//!
//! RFC 5321 section 4.1.1.4 lets nothing else end a mail. Servers that take LF `.` LF or LF `.` CR LF for the end can be
//! made to see two mails where the server before them saw one (SMTP smuggling). So a bare LF is never the end of a line here, and a mail that
//! holds one is refused when it has ended: what reads a mail later would take it for the end of a line, and see fields in its header that
//! the servers on its way did not see, and so did not remove.

/// Takes mails out of the bytes of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    bare: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    #[default]
    Start,
    /// Behind a dot there; it is not passed on.
    Dot,
    /// Behind a dot and a CR there; the CR is not yet passed on.
    DotCr,
    /// In a line.
    Text,
    /// In a line, behind a CR.
    Cr,
    /// Behind the end of the mail.
    End,
}

impl Decoder {
    /// Reads bytes, and appends to `mail` what they are of it. How many were read: all of them, unless the mail ends.
    pub(crate) fn take(&mut self, bytes: &[u8], mail: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            self.state = match (self.state, byte) {
                (State::End, _) => return at - 1,
                (State::DotCr, b'\n') => {
                    self.state = State::End;
                    return at;
                }
                (State::Start, b'.') => State::Dot,
                (State::Dot, b'\r') => State::DotCr,
                (state, byte) => {
                    if state == State::DotCr {
                        mail.push(b'\r');
                    }
                    mail.push(byte);
                    match byte {
                        b'\n' if state == State::Cr => State::Start,
                        b'\n' => {
                            self.bare = true;
                            State::Text
                        }
                        b'\r' => State::Cr,
                        _ => {
                            // Most of a mail is lines: the rest of this one at once.
                            let rest = bytes.get(at..).unwrap_or_default();
                            let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
                            mail.extend_from_slice(rest.get(..line).unwrap_or_default());
                            at += line;
                            State::Text
                        }
                    }
                }
            };
        }
        at
    }

    /// Whether the mail has ended.
    pub(crate) fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    /// Whether there was a LF without a CR before it.
    pub(crate) fn has_bare_lf(&self) -> bool {
        self.bare
    }
}
