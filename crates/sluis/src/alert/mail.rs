//! Alerts by mail: plain text over SMTP, marked as made by a machine so that no machine answers (RFC 3834).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{SmtpTransport, Transport};

use super::Parcel;

/// How long the server may say nothing.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// How long a mail may take in all.
const TIME: Duration = Duration::from_secs(120);

/// A mail server, and whom it is asked to reach.
pub(crate) struct Mail {
    pub(crate) transport: SmtpTransport,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) time: Duration,
    /// Whether a try is under way that took too long.
    pub(crate) hanging: Arc<AtomicBool>,
}

macro_rules! fixed_header {
    ($type:ident, $name:literal, $value:literal) => {
        #[derive(Clone)]
        struct $type;

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<$type, Box<dyn std::error::Error + Send + Sync>> {
                Ok($type)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value.to_owned())
            }
        }
    };
}
fixed_header!(AutoSubmitted, "Auto-Submitted", "auto-generated");
fixed_header!(NoAnswer, "X-Auto-Response-Suppress", "All");
fixed_header!(Important, "Importance", "high");

impl Mail {
    /// A mail by this server.
    pub(crate) fn new(transport: SmtpTransport, from: Mailbox, to: Vec<Mailbox>) -> Mail {
        Mail { transport, from, to, time: TIME, hanging: Arc::new(AtomicBool::new(false)) }
    }

    /// Sends it. The identifier is the same when it is tried once more, so that a mail that came twice can be seen to be one.
    ///
    /// # Errors
    /// Why not, in words that name nobody: what servers say quotes mail addresses.
    pub(crate) fn send(&self, parcel: &Parcel<'_>) -> Result<(), String> {
        let message = self.message(parcel)?;
        if self.hanging.swap(true, Ordering::SeqCst) {
            return Err("the try before still hangs".to_owned());
        }
        let (transport, hanging) = (self.transport.clone(), Arc::clone(&self.hanging));
        let (sender, receiver) = sync_channel(1);
        // A server that says a word now and then is within every time limit of a connection, and never done.
        std::thread::spawn(move || {
            let result = transport.send(&message).map(|_| ()).map_err(|error| reason(&error));
            hanging.store(false, Ordering::SeqCst);
            let _ = sender.send(result);
        });
        receiver.recv_timeout(self.time).unwrap_or_else(|_| Err(format!("it took longer than {} s", self.time.as_secs())))
    }

    fn message(&self, parcel: &Parcel<'_>) -> Result<Message, String> {
        let milliseconds = u64::try_from(parcel.now.0).unwrap_or(0);
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(parcel.text.subject.clone())
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds))
            .message_id(Some(format!("<{}@{}>", parcel.id, self.from.email.domain())))
            .header(AutoSubmitted)
            .header(NoAnswer)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        if parcel.is_urgent() {
            message = message.header(Important);
        }
        message.body(parcel.text.body.clone()).map_err(|_| "the mail could not be written".to_owned())
    }
}

fn reason(error: &lettre::transport::smtp::Error) -> String {
    if let Some(status) = error.status() {
        return format!("the mail server said {status}");
    }
    match () {
        () if error.is_timeout() => "the mail server said nothing in time",
        () if error.is_tls() || is_of_tls(error) => {
            "no trusted TLS connection to the mail server could be made: look at its certificate"
        }
        () if error.is_client() => "the mail server does not offer what is asked of it (STARTTLS, or a way to log in)",
        () => "no connection to the mail server, or it broke off",
    }
    .to_owned()
}

/// Whether TLS is behind an error: its handshake goes on beneath the first words, and fails as they do.
fn is_of_tls(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let within = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || within.is_some_and(|within| within.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use desk::alert::text::Text;
    use model::time::Time;
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::Instant;

    fn mail(port: u16) -> Mail {
        let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(port).timeout(Some(SILENCE)).build();
        let to = vec!["desk@hoster.example".parse().unwrap()];
        Mail { time: Duration::from_secs(1), ..Mail::new(transport, "sluis@node.example".parse().unwrap(), to) }
    }

    fn parcel<'a>(message: &'a desk::alert::Message, subject: &str) -> Parcel<'a> {
        let text = Text { subject: subject.to_owned(), body: "hello\n.\nQUIT\n".to_owned() };
        Parcel { id: "1.desk.1".to_owned(), text, json: Vec::new(), now: Time(1_795_319_938_000), message }
    }

    fn message() -> desk::alert::Message {
        desk::alert::Message { alerts: Vec::new(), urgent: true, again: false, number: 1 }
    }

    #[test]
    fn a_subject_cannot_become_another_header() {
        let message = message();
        let mail = mail(1).message(&parcel(&message, "one\r\nBcc: all@others.example\r\n\r\ntwo")).unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
        for line in ["Message-ID: <1.desk.1@node.example>", "Auto-Submitted: auto-generated", "Importance: high"] {
            assert!(head.lines().any(|own| own == line), "{line}: {head}");
        }
        assert!(head.contains("Date: Sun, 22 Nov 2026"), "{head}");
    }

    #[test]
    fn a_server_that_hangs_or_drips_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mail = mail(listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                while stream.write_all(b"220-wait\r\n").is_ok() {
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        });
        let message = message();
        let begun = Instant::now();
        assert_eq!(mail.send(&parcel(&message, "one")), Err("it took longer than 1 s".to_owned()));
        assert_eq!(mail.send(&parcel(&message, "one")), Err("the try before still hangs".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
