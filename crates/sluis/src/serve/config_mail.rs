//! `[mail]`: how it is found out who mails are from, and which addresses are our own.

use std::sync::Arc;

use anyhow::{Result, anyhow, ensure};
use desk::Desk;
use desk::sender::Authenticate;
use model::time::MINUTE;
use serde::Deserialize;

use crate::mail::relays::Relays;
use crate::mail::{dns, results};

/// How long a submission waits for name servers that do not answer, in milliseconds.
const PATIENCE: i64 = 5 * MINUTE;

/// How it is found out who mails are from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailConfig {
    /// Name servers to ask: `"system"`, or a list of addresses. Without it nothing is asked.
    pub(crate) dns: Option<OneOrMore>,
    /// The own mail server whose `Authentication-Results` are believed, by the name it gives itself there.
    pub(crate) authentication_results: Option<String>,
    /// Own machines that pass mail on: addresses and ranges.
    pub(crate) trusted_relays: Vec<String>,
    /// Addresses and domain names that are our own: mail that says it is from one is never answered.
    pub(crate) own: Vec<String>,
}

/// A word, or a list of words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    /// One.
    One(String),
    /// Some.
    More(Vec<String>),
}

impl OneOrMore {
    fn list(&self) -> Vec<String> {
        match self {
            OneOrMore::One(word) => vec![word.clone()],
            OneOrMore::More(words) => words.clone(),
        }
    }
}

impl MailConfig {
    /// Looks whether it can be meant so.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub(crate) fn check(&self) -> Result<()> {
        let said = |error: String| anyhow!("[mail] {error}");
        ensure!(
            self.dns.is_none() || self.authentication_results.is_none(),
            "[mail] dns and authentication_results: choose one. Either Sluis asks the DNS, or your mail server did"
        );
        if let Some(dns) = &self.dns {
            let texts = dns.list();
            ensure!(!texts.is_empty(), "[mail] dns: an empty list; write \"system\", or leave it out to ask nobody");
            dns::Servers::parse(&texts).map_err(|error| said(format!("dns: {error}")))?;
        }
        if let Some(server) = &self.authentication_results {
            let is_name = !server.trim().is_empty() && !server.contains(char::is_whitespace);
            ensure!(is_name, "[mail] authentication_results: write the name that your mail server gives itself in that field");
        }
        Relays::parse(&self.trusted_relays).map_err(|error| said(format!("trusted_relays: {error}")))?;
        let is_own = |own: &&String| own.trim().is_empty() || own.contains(char::is_whitespace);
        ensure!(!self.own.iter().any(|own| is_own(&own)), "[mail] own: write mail addresses and domain names");
        Ok(())
    }

    /// Whether it is looked at all for what proves who a mail is from.
    pub(crate) fn asks(&self) -> bool {
        self.dns.is_some() || self.authentication_results.is_some()
    }

    /// Tells a desk who finds out who mails are from.
    ///
    /// # Errors
    /// When the machine names no name servers, or no thread can be made.
    pub(crate) fn set(&self, desk: &mut Desk, is_served: bool) -> Result<()> {
        desk.set_own_addresses(&self.own);
        let relays = Relays::parse(&self.trusted_relays).map_err(|error| anyhow!("[mail] trusted_relays: {error}"))?;
        let authenticate: Arc<dyn Authenticate> = match (&self.dns, &self.authentication_results) {
            (Some(dns), _) => {
                let servers = dns::Servers::parse(&dns.list()).map_err(|error| anyhow!("[mail] dns: {error}"))?;
                dns::asking(&servers, relays).map_err(|error| anyhow!("[mail] dns: {error}"))?
            }
            (None, Some(server)) => results::believing(server, relays),
            (None, None) => return Ok(()),
        };
        // Nobody comes back to what a single command leaves waiting.
        desk.set_authenticate(authenticate, if is_served { PATIENCE } else { 0 });
        Ok(())
    }
}
