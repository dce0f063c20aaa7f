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
        () if error.is_tls() => "no trusted TLS connection to the mail server could be made: look at its certificate",
        () if error.is_client() => "the mail server does not offer what is asked of it (STARTTLS, or a way to log in)",
        () => "no connection to the mail server, or it broke off",
    }
    .to_owned()
}
