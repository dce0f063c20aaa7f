//! What a client says in one line, in SMTP (RFC 5321) and LMTP (RFC 2033), for [`super::session`].

/// A line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `HELO`, `EHLO` or `LHLO`, and what the client calls itself.
    Hello(Hello, String),
    /// `MAIL FROM`.
    Mail(Mail),
    /// `RCPT TO`, without angle brackets and source route.
    Rcpt(String),
    /// `DATA`.
    Data,
    /// `STARTTLS`.
    StartTls,
    /// `RSET`.
    Reset,
    /// `NOOP`.
    Noop,
    /// `HELP`.
    Help,
    /// `VRFY` or `EXPN`: we tell nothing of who reads here.
    Verify,
    /// `QUIT`.
    Quit,
    /// A line of another protocol: a browser or a proxy was led here (cross-protocol attacks).
    Foreign,
}

/// How a client greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hello {
    /// `HELO`: without extensions.
    Helo,
    /// `EHLO`.
    Ehlo,
    /// `LHLO`, in LMTP.
    Lhlo,
}

/// What `MAIL FROM` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The reverse-path, without angle brackets and source route; empty for bounces.
    pub(crate) from: String,
    /// Bytes that are announced (RFC 1870); 0 when none are.
    pub(crate) size: u64,
}

/// Why a line was not understood: the reply.
pub(crate) type Refusal = &'static str;

const SYNTAX: Refusal = "501 5.5.4 Not understood: look at what follows the command\r\n";
const UNKNOWN: Refusal = "500 5.5.1 No such command here\r\n";
const PARAMETER: Refusal = "555 5.5.4 A parameter that was not offered\r\n";
const NO_PATH: Refusal = "501 5.1.7 An address in angle brackets is wanted, such as <abuse@hoster.example>\r\n";
const NO_UTF8: Refusal = "553 5.6.7 An address beyond ASCII needs SMTPUTF8\r\n";

/// Octets of an address: more than RFC 5321 section 4.5.3.1.3 asks for (256), since what is longer is only ever an attack.
const PATH: usize = 320;
/// Octets of a name of a host (RFC 5321 section 4.5.3.1.2).
const NAME: usize = 255;

/// Reads a line, without its CR LF.
///
/// # Errors
/// The reply, when it is not understood.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| SYNTAX)?;
    if text.chars().any(char::is_control) {
        return Err(SYNTAX);
    }
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_matches(' ');
    let alone = |command| if rest.is_empty() { Ok(command) } else { Err(SYNTAX) };
    match verb.to_ascii_uppercase().as_str() {
        "HELO" => name(rest).map(|name| Command::Hello(Hello::Helo, name)),
        "EHLO" => name(rest).map(|name| Command::Hello(Hello::Ehlo, name)),
        "LHLO" => name(rest).map(|name| Command::Hello(Hello::Lhlo, name)),
        "MAIL" => mail(after(rest, "FROM:").ok_or(SYNTAX)?),
        "RCPT" => rcpt(after(rest, "TO:").ok_or(SYNTAX)?),
        "DATA" => alone(Command::Data),
        "STARTTLS" => alone(Command::StartTls),
        "RSET" => alone(Command::Reset),
        "QUIT" => alone(Command::Quit),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" | "EXPN" => Ok(Command::Verify),
        "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => Ok(Command::Foreign),
        _ => Err(UNKNOWN),
    }
}

/// What follows a word, whatever its case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    if start.eq_ignore_ascii_case(word) { text.get(word.len()..).map(|rest| rest.trim_start_matches(' ')) } else { None }
}

fn name(text: &str) -> Result<String, Refusal> {
    let is_name = (1..=NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { Ok(text.to_owned()) } else { Err("501 5.5.4 Say who you are: one name or [address]\r\n") }
}

fn mail(rest: &str) -> Result<Command, Refusal> {
    let (from, parameters) = path(rest)?;
    let mut mail = Mail { from, size: 0 };
    let mut is_wide = false;
    for parameter in parameters.split(' ').filter(|parameter| !parameter.is_empty()) {
        let (word, value) = parameter.split_once('=').map_or((parameter, None), |(word, value)| (word, Some(value)));
        match (word.to_ascii_uppercase().as_str(), value) {
            // 20 digits do not fit into a number: then it is too large, whatever it is.
            ("SIZE", Some(digits)) if (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                mail.size = digits.parse().unwrap_or(u64::MAX);
            }
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME") => {}
            ("SMTPUTF8", None) => is_wide = true,
            ("SIZE" | "BODY" | "SMTPUTF8", _) => return Err(SYNTAX),
            _ => return Err(PARAMETER),
        }
    }
    if !mail.from.is_ascii() && !is_wide {
        return Err(NO_UTF8);
    }
    if !mail.from.is_empty() && !is_address(&mail.from) {
        return Err(NO_PATH);
    }
    Ok(Command::Mail(mail))
}

fn rcpt(rest: &str) -> Result<Command, Refusal> {
    let (to, parameters) = path(rest)?;
    if !parameters.trim_matches(' ').is_empty() {
        return Err(PARAMETER);
    }
    // RFC 5321 section 4.5.1: this one comes without a domain, too.
    if is_address(&to) || to.eq_ignore_ascii_case("postmaster") { Ok(Command::Rcpt(to)) } else { Err(NO_PATH) }
}

/// Takes `<path>` from the front: what stands in it, without a source route, and what follows.
fn path(text: &str) -> Result<(String, &str), Refusal> {
    let rest = text.strip_prefix('<').ok_or(NO_PATH)?;
    // RFC 5321 appendix C: a route is read over.
    let rest = match rest.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((route, rest)) if !route.contains(['>', '"', ' ']) => rest,
        _ => rest,
    };
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let (inner, after) = rest.split_at(at);
                let after = after.strip_prefix('>').unwrap_or_default();
                let is_apart = after.is_empty() || after.starts_with(' ');
                return if inner.len() <= PATH && is_apart { Ok((inner.to_owned(), after)) } else { Err(NO_PATH) };
            }
            ' ' | '<' if !quoted => return Err(NO_PATH),
            _ => {}
        }
    }
    Err(NO_PATH)
}

fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let is_domain = !domain.is_empty() && !domain.contains([' ', '"', '<', '>', ',', '(', ')', '\\']);
        !local.is_empty() && local.len() <= 64 && is_domain && domain.len() <= NAME
    })
}
