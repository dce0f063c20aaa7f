//! Asking the DNS who a mail is from: signatures (DKIM, RFC 6376), the envelope (SPF, RFC 7208), and what the domain name
//! wants done with what neither proves (DMARC, RFC 9989).
//!
//! Only signatures and envelopes of the organisation in `From` are looked at: others prove nothing here, and a stranger does
//! not choose which names are asked for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use desk::sender::{Authenticate, Verdict};
use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult};
use model::sender::{Envelope, Proof};
use model::time::Time;
use parsers::kinds::mail::Fields;
use tokio::runtime::Runtime;

use super::relays::Relays;
use super::view::{View, aligned};

/// How long one mail may take, with all that is asked for it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long one name server may take, and how often it is asked.
const TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// Answers that are remembered, for as long as they say.
const REMEMBERED: u64 = 4_096;
/// The port of name servers.
const PORT: u16 = 53;

/// Which name servers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Those of the machine (`/etc/resolv.conf`).
    System,
    /// These.
    These(Vec<SocketAddr>),
}

impl Servers {
    /// Reads `system`, or addresses of name servers with or without a port.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn parse(texts: &[String]) -> Result<Servers, String> {
        if texts.is_empty() || texts == ["system"] {
            return Ok(Servers::System);
        }
        let server = |text: &String| match (text.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
            (Ok(ip), _) => Ok(SocketAddr::new(ip, PORT)),
            (_, Ok(server)) => Ok(server),
            _ => Err(format!("'{text}' is no address of a name server: write \"system\" or [\"192.0.2.53\"]")),
        };
        texts.iter().map(server).collect::<Result<_, _>>().map(Servers::These)
    }
}

/// Asks the DNS.
pub(crate) struct Dns {
    authenticator: MessageAuthenticator,
    relays: Relays,
    /// Taken when it goes: a runtime must not be waited for where others run.
    runtime: Option<Runtime>,
}

impl Drop for Dns {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Dns {
    /// Asks these name servers.
    ///
    /// # Errors
    /// When the machine names none, or no thread can be made.
    pub(crate) fn new(servers: &Servers, relays: Relays) -> anyhow::Result<Dns> {
        let (config, mut options) = match servers {
            Servers::System => read_system_conf()?,
            Servers::These(servers) => (ResolverConfig::from_parts(None, Vec::new(), named(servers)), ResolverOpts::default()),
        };
        (options.timeout, options.attempts, options.cache_size) = (TIMEOUT, ATTEMPTS, REMEMBERED);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("dns").enable_all().build()?;
        let authenticator = {
            let _inside = runtime.enter();
            MessageAuthenticator::new(config, options)?
        };
        Ok(Dns { authenticator, relays, runtime: Some(runtime) })
    }

    async fn ask(&self, view: &View, mut message: AuthenticatedMessage<'_>, envelope: &Envelope, received: Time) -> Verdict {
        message.dkim_headers.retain(|signature| aligned(&signature.header.d, &view.domain).is_some());
        let mut found = Found::default();
        let signed = self.authenticator.verify_dkim(&message).await;
        for output in &signed {
            let Some(signature) = output.signature() else {
                found.say(&format!("dkim={}", words(output.result())));
                continue;
            };
            let (domain, selector) = (signature.d.as_str(), signature.s.as_str());
            let mut result = words(output.result());
            match output.result() {
                DkimResult::Pass => match view.objection(signature, received) {
                    Some(objection) => result = format!("pass, but {objection}"),
                    None => match self.is_in_testing(selector, domain).await {
                        Ok(false) => found.dkim(aligned(domain, &view.domain), &view.domain),
                        Ok(true) => "pass, but the key is only being tried out".clone_into(&mut result),
                        Err(()) => found.unsure = true,
                    },
                },
                DkimResult::TempError(_) => found.unsure = true,
                _ => {}
            }
            found.say(&format!("dkim={result} (d={domain}, s={selector})"));
        }
        if signed.is_empty() {
            found.say("dkim=none of this organisation");
        }
        let (fields, _) = Fields::parse(&view.bytes);
        let (peer, path) = self.relays.origin(&fields, envelope);
        let path_domain = path.as_deref().and_then(|path| Some(path.rsplit_once('@')?.1.to_ascii_lowercase()));
        let envelope_proves = path_domain.as_deref().and_then(|domain| aligned(domain, &view.domain));
        let spf = match (peer, path.as_deref(), &envelope_proves) {
            (Some(peer), Some(path), Some(_)) => {
                // The name of this machine is asked for by next to no record, and is nobody's business.
                let asked = SpfParameters::verify_mail_from(peer, &envelope.helo, "unknown", path);
                self.authenticator.verify_spf(asked).await
            }
            _ => SpfOutput::default(),
        };
        match (peer, &path_domain, spf.result()) {
            (None, ..) => found.say("spf=unknown, nobody saw who handed it over"),
            (Some(_), None, _) => found.say("spf=none, without a reverse-path"),
            (Some(peer), Some(domain), SpfResult::None) => found.say(&format!("spf=none ({domain}, {peer})")),
            (Some(peer), Some(domain), result) => {
                found.unsure |= result == SpfResult::TempError;
                found.say(&format!("spf={} ({domain}, {peer})", result.to_string().to_lowercase()));
            }
        }
        if spf.result() == SpfResult::Pass {
            found.spf = envelope_proves;
        }
        let asked = DmarcParameters {
            message: &message,
            dkim_output: &signed,
            dkim2_output: None,
            rfc5321_mail_from_domain: path_domain.as_deref().unwrap_or_default(),
            spf_output: &spf,
        };
        let dmarc = self.authenticator.verify_dmarc(asked).await;
        let is_temporary = |result: &DmarcResult| matches!(result, DmarcResult::TempError(_));
        found.unsure |= is_temporary(dmarc.dkim_result()) || is_temporary(dmarc.spf_result());
        let Some(_) = dmarc.dmarc_record() else {
            found.say("dmarc=none");
            return found.verdict(false);
        };
        // It may be strict about which of its names speak for which.
        let passes = |result: &DmarcResult| *result == DmarcResult::Pass;
        found.dkim = found.dkim.filter(|_| passes(dmarc.dkim_result()));
        found.spf = found.spf.filter(|_| passes(dmarc.spf_result()));
        let is_passed = passes(dmarc.dkim_result()) || passes(dmarc.spf_result());
        let policy = match dmarc.policy() {
            Policy::Reject => "reject",
            Policy::Quarantine => "quarantine",
            Policy::None | Policy::Unspecified => "none",
        };
        // Nothing has failed as long as nobody knows who handed it over: the envelope might have proved it.
        let is_failed = !is_passed && peer.is_some() && path.is_some();
        let result = if is_passed {
            "pass"
        } else if is_failed {
            "fail"
        } else {
            "unknown"
        };
        found.say(&format!("dmarc={result} (p={policy})"));
        found.verdict(is_failed && policy != "none")
    }

    /// Whether a key's owner says that it is only being tried out: then what it signs is to be taken as not signed (RFC 6376
    /// section 3.6.1, `t=y`).
    async fn is_in_testing(&self, selector: &str, domain: &str) -> Result<bool, ()> {
        let record = self.authenticator.txt_raw_lookup(format!("{selector}._domainkey.{domain}.")).await.map_err(|_| ())?;
        let record = String::from_utf8_lossy(&record);
        let flags = record.split(';').filter_map(|tag| tag.split_once('=')).find(|(name, _)| name.trim() == "t");
        Ok(flags.is_some_and(|(_, flags)| flags.split(':').any(|flag| flag.trim() == "y")))
    }
}

impl Authenticate for Dns {
    fn authenticate(&self, mail: &[u8], envelope: &Envelope, received: Time) -> Verdict {
        let view = match View::of(mail) {
            Ok(view) => view,
            Err(why) => return Verdict::unproven(why),
        };
        let Some(message) = view.authenticated() else {
            return Verdict::unproven("its header can be read in two ways");
        };
        let Some(runtime) = &self.runtime else { return Verdict::unproven("") };
        let asking = async { tokio::time::timeout(PATIENCE, self.ask(&view, message, envelope, received)).await };
        runtime.block_on(asking).unwrap_or_else(|_| Verdict {
            proof: Proof::Unknown,
            domain: String::new(),
            detail: format!("the DNS did not answer within {} seconds", PATIENCE.as_secs()),
        })
    }
}

/// What was found about one mail.
#[derive(Default)]
struct Found {
    dkim: Option<String>,
    spf: Option<String>,
    /// Another time may tell more.
    unsure: bool,
    said: String,
}

impl Found {
    fn say(&mut self, text: &str) {
        if !self.said.is_empty() {
            self.said.push_str("; ");
        }
        self.said.push_str(text);
    }

    /// A signature that holds proves a domain name; one that proves `from` itself is better than one of a sister.
    fn dkim(&mut self, proven: Option<String>, from: &str) {
        if self.dkim.is_none() || proven.as_deref() == Some(from) {
            self.dkim = proven;
        }
    }

    fn verdict(self, is_failed: bool) -> Verdict {
        let (proof, domain) = match (self.dkim, self.spf) {
            (Some(domain), _) => (Proof::Dkim, domain),
            (None, Some(domain)) => (Proof::Spf, domain),
            _ if self.unsure => (Proof::Unknown, String::new()),
            _ if is_failed => (Proof::Failed, String::new()),
            _ => (Proof::Unproven, String::new()),
        };
        Verdict { proof, domain, detail: self.said }
    }
}

/// What became of a signature, in few words.
fn words(result: &DkimResult) -> String {
    result.to_string().replace("; ", ", ")
}

fn named(servers: &[SocketAddr]) -> Vec<NameServerConfig> {
    let connection = |mut connection: ConnectionConfig, port: u16| {
        connection.port = port;
        connection
    };
    let server = |server: &SocketAddr| {
        let ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        NameServerConfig::new(server.ip(), true, ways.map(|way| connection(way, server.port())).to_vec())
    };
    servers.iter().map(server).collect()
}

/// What asks these name servers, for the desk.
///
/// # Errors
/// As [`Dns::new`].
pub(crate) fn asking(servers: &Servers, relays: Relays) -> anyhow::Result<Arc<dyn Authenticate>> {
    Ok(Arc::new(Dns::new(servers, relays)?))
}
