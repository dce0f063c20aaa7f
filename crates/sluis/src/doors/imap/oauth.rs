//! Tokens for a mailbox, from an authorisation server (RFC 6749): for an application itself (client credentials, as Microsoft 365
//! has it), or for a person who permitted it once (refresh token, as Google has it).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::failed::{Failed, Kind};
use crate::egress::Egress;

/// Bytes of an answer.
const ANSWER: usize = 64 << 10;
/// Bytes of a token.
const TOKEN: usize = 16 << 10;
/// So long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a token is used when nobody says how long it is good.
const UNSAID: u64 = 600;
/// The longest that a token is used.
const LONGEST: u64 = 86_400;

/// Where tokens come from, and the one there is.
pub(crate) struct Tokens {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret_file: Option<PathBuf>,
    pub(crate) scope: Option<String>,
    pub(crate) grant: Grant,
    pub(crate) egress: Egress,
    pub(crate) kept: Mutex<Option<Token>>,
}

/// On what ground they are given.
pub(crate) enum Grant {
    /// The application's own rights.
    ClientCredentials,
    /// What a person permitted: the file of the refresh token.
    RefreshToken(PathBuf),
}

/// A token, and until when it is used.
pub(crate) struct Token {
    value: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
}

impl Tokens {
    /// A token: the one there is, unless its time is up or the server has refused just that.
    ///
    /// # Errors
    /// When none is given.
    pub(crate) fn token(&self, refused: Option<&str>) -> Result<String, Failed> {
        // Held while asking: who comes meanwhile gets the same.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |token: &&Token| token.until > Instant::now() && refused.is_none_or(|refused| refused != token.value);
        if let Some(token) = kept.as_ref().filter(good) {
            return Ok(token.value.clone());
        }
        *kept = None;
        let token = self.ask()?;
        let value = token.value.clone();
        *kept = Some(token);
        Ok(value)
    }

    fn ask(&self) -> Result<Token, Failed> {
        let secret = |path: &PathBuf| {
            crate::alert::config::secret(path).map_err(|error| {
                let hint = "name the file under [imap.oauth]; only the node's user may read it";
                Failed::new(Kind::Login, "a secret for tokens cannot be read", hint).said(format!("{error:#}").as_bytes())
            })
        };
        let mut form = vec![("client_id", self.client_id.as_bytes().to_vec())];
        if let Some(path) = &self.client_secret_file {
            form.push(("client_secret", secret(path)?));
        }
        if let Some(scope) = &self.scope {
            form.push(("scope", scope.as_bytes().to_vec()));
        }
        match &self.grant {
            Grant::ClientCredentials => form.push(("grant_type", b"client_credentials".to_vec())),
            Grant::RefreshToken(path) => {
                form.push(("grant_type", b"refresh_token".to_vec()));
                form.push(("refresh_token", secret(path)?));
            }
        }
        let asked = Instant::now();
        let answer = self.egress.tell(&self.url, "application/x-www-form-urlencoded", encoded(&form).into_bytes(), ANSWER);
        let answer = answer.map_err(|failed| {
            let hint = "look at token_url under [imap.oauth], and whether this machine may reach it";
            Failed::new(Kind::Broken, "no token: its server cannot be asked", hint).said(failed.0.as_bytes())
        })?;
        let status = answer.status;
        let said: Option<Answer> = answer.body.and_then(|body| serde_json::from_slice(&body).ok());
        let (token, expires, error) = said.map_or((None, None, None), |said| (said.access_token, said.expires_in, said.error));
        let is_token =
            |token: &String| !token.is_empty() && token.len() <= TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
        match token.filter(is_token) {
            Some(value) if status.is_success() => {
                let seconds = expires.and_then(|expires| expires.as_u64().or_else(|| expires.as_str()?.parse().ok()));
                let time = Duration::from_secs(seconds.unwrap_or(UNSAID).min(LONGEST));
                Ok(Token { value, until: asked + time.saturating_sub(MARGIN) })
            }
            _ if status.is_server_error() || status.as_u16() == 429 => {
                Err(Failed::new(Kind::Broken, "no token: its server is out of order", "it is tried again by itself"))
            }
            _ => Err(refusal(error.as_deref().unwrap_or_default(), status.as_u16())),
        }
    }
}

/// What a refusal means (RFC 6749, 5.2).
fn refusal(error: &str, status: u16) -> Failed {
    let is_word = (1..=40).contains(&error.len()) && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let (word, hint) = match error {
        "invalid_client" => {
            (error, "client_id or the secret in client_secret_file is wrong, or the secret has expired: make a new one")
        }
        "invalid_grant" => {
            (error, "the refresh token was withdrawn or has expired: permit it anew, as docs/manual/mailbox.md says")
        }
        "unauthorized_client" => {
            (error, "the application may not ask for this: docs/manual/mailbox.md says which rights it needs")
        }
        "invalid_scope" => (error, "look at scope under [imap.oauth]: docs/manual/mailbox.md says what it must be"),
        _ => (
            if is_word { error } else { "it did not say why" },
            "look at [imap.oauth]; docs/manual/mailbox.md says what must stand there",
        ),
    };
    Failed::new(Kind::Login, &format!("no token: {word} ({status})"), hint)
}

/// A form as it is sent (application/x-www-form-urlencoded).
fn encoded(form: &[(&str, Vec<u8>)]) -> String {
    let mut out = String::new();
    for (name, value) in form {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(*byte)),
                byte => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_may_hold_anything() {
        let form = [("a", b"x y&=+%\n".to_vec()), ("b", "é~".as_bytes().to_vec())];
        assert_eq!(encoded(&form), "a=x%20y%26%3D%2B%25%0A&b=%C3%A9~");
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (error, expected) in [
            ("invalid_client", "client_secret_file"),
            ("invalid_grant", "permit it anew"),
            ("unauthorized_client", "rights"),
            ("invalid_scope", "scope"),
            ("something_else", "[imap.oauth]"),
        ] {
            let failed = refusal(error, 400);
            assert!(failed.trouble.hint.contains(expected) && failed.trouble.reason.contains(error), "{failed:?}");
        }
        assert!(refusal("<b>jan@customer.example</b>", 400).trouble.reason.contains("it did not say why"));
    }
}
