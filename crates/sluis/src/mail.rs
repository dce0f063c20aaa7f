//! Who a mail is from: what the DNS proves (SPF, DKIM, DMARC), or what an own mail server says that it proved.
//!
//! [`view`] reads the header once, as the readers of reports do, and asks what a proof must cover; [`relays`] finds who
//! handed the mail over from outside; [`dns`] asks; [`results`] reads what an own mail server wrote (RFC 8601). Nothing
//! is asked unless the settings name it ([`crate::serve::config_mail`]).

pub(crate) mod dns;
pub(crate) mod relays;
pub(crate) mod results;
mod view;

#[cfg(test)]
mod tests;
