//! How we say who we are: by password, or with a token (XOAUTH2, as Microsoft and Google have it).

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::Client;
use super::failed::{Failed, Kind};
use super::oauth::Tokens;
use super::reply::{self, Reply, Status};

/// Who we are, and what proves it.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) proof: Proof,
}

/// What proves it.
#[derive(Clone)]
pub(crate) enum Proof {
    /// The password in a file, which is read each time: it may be changed while the node serves.
    Password(PathBuf),
    /// Tokens of an authorisation server.
    Token(Arc<Tokens>),
}

impl Login {
    /// Logs in. A token that the server refuses is replaced once.
    ///
    /// # Errors
    /// When the server does not let us in.
    pub(crate) fn log_in(&self, client: &mut Client) -> Result<(), Failed> {
        match &self.proof {
            Proof::Password(path) => {
                let password = crate::alert::config::secret(path).map_err(|error| {
                    let hint = "name a file with the password under password_file, which only the node's user may read";
                    Failed::new(Kind::Login, "the password cannot be read", hint).said(format!("{error:#}").as_bytes())
                })?;
                self.with_password(client, &password)?;
            }
            Proof::Token(tokens) => {
                if !client.can("AUTH=XOAUTH2") {
                    let hint = "use authentication = \"password\", or let the server offer XOAUTH2";
                    return Err(Failed::new(Kind::Login, "the server takes no tokens", hint));
                }
                let token = tokens.token(None)?;
                if let Err(text) = self.with_token(client, &token)? {
                    // It may have been withdrawn before its time.
                    let token = tokens.token(Some(&token))?;
                    if self.with_token(client, &token)?.is_err() {
                        return Err(refused(
                            &text,
                            "docs/manual/mailbox.md says which rights to the mailbox the token must have",
                        ));
                    }
                }
            }
        }
        client.ask_capabilities()
    }

    fn with_password(&self, client: &mut Client, password: &[u8]) -> Result<(), Failed> {
        let ended = if client.can("AUTH=PLAIN") {
            // RFC 4616: in whose name is left to the server.
            let proof = [b"\0", self.user.as_bytes(), b"\0", password].concat();
            authenticate(client, "PLAIN", &proof)?
        } else if client.can("LOGINDISABLED") {
            let hint = "use tls = \"implicit\" or \"starttls\", or authentication = \"xoauth2\"";
            return Err(Failed::new(Kind::Login, "the server takes no passwords", hint));
        } else {
            log_in_plainly(client, self.user.as_bytes(), password)?
        };
        match ended {
            (Status::Ok, _) => Ok(()),
            (_, text) => Err(refused(&text, "look at user, and at the password in password_file")),
        }
    }

    /// What the server said if it did not like the token.
    fn with_token(&self, client: &mut Client, token: &str) -> Result<Result<(), Vec<u8>>, Failed> {
        let proof = format!("user={}\x01auth=Bearer {token}\x01\x01", self.user);
        let (status, text) = authenticate(client, "XOAUTH2", proof.as_bytes())?;
        match status {
            Status::Ok => Ok(Ok(())),
            _ if is_busy(&text) => Err(refused(&text, "")),
            _ => Ok(Err(text)),
        }
    }
}

/// AUTHENTICATE, with the proof at once where the server can (RFC 4959). What it asks beyond that gets an empty answer: with
/// XOAUTH2 it says so why it refuses, and then ends the command.
fn authenticate(client: &mut Client, mechanism: &str, proof: &[u8]) -> Result<(Status, Vec<u8>), Failed> {
    let proof = STANDARD.encode(proof);
    let mut unsaid = Some(proof.as_str());
    let tag = match client.can("SASL-IR") {
        true => client.begin(&format!("AUTHENTICATE {mechanism} {}", unsaid.take().unwrap_or_default()))?,
        false => client.begin(&format!("AUTHENTICATE {mechanism}"))?,
    };
    for _ in 0..4 {
        loop {
            match client.reply()? {
                Reply::Untagged(_) => {}
                Reply::Done(ended, status, text) if ended == tag.as_bytes() => return Ok((status, text)),
                Reply::Done(..) => return Err(Failed::garbled("the server answered what was not asked")),
                Reply::Continue(_) => break,
            }
        }
        client.send(unsaid.take().unwrap_or_default())?;
    }
    Err(Failed::garbled("the server asks on and on who we are"))
}

/// LOGIN, with name and password as literals: they may hold anything.
fn log_in_plainly(client: &mut Client, user: &[u8], password: &[u8]) -> Result<(Status, Vec<u8>), Failed> {
    let tag = client.begin(&format!("LOGIN {{{}}}", user.len()))?;
    let rests = [[user, format!(" {{{}}}\r\n", password.len()).as_bytes()].concat(), [password, b"\r\n"].concat()];
    for rest in rests {
        loop {
            match client.reply()? {
                Reply::Untagged(_) => {}
                Reply::Done(_, status, text) => return Ok((status, text)),
                Reply::Continue(_) => break,
            }
        }
        client.send_bytes(&rest)?;
    }
    client.end(&tag, &mut |_| {})
}

/// Whether the server may let us in at another time (RFC 5530).
fn is_busy(text: &[u8]) -> bool {
    reply::code(text).is_some_and(|code| [&b"UNAVAILABLE"[..], b"INUSE", b"LIMIT", b"SERVERBUG"].contains(&code.as_slice()))
}

fn refused(text: &[u8], hint: &str) -> Failed {
    if is_busy(text) {
        let hint = "it is tried again by itself; if it stays so, look whether others use up the connections of the account";
        return Failed::new(Kind::Broken, "the server takes no logins of this account now", hint).said(text);
    }
    Failed::new(Kind::Login, "the server refuses the login", hint).said(text)
}
