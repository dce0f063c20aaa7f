//! What formats that are not ours ask of a report: where, when, and under which identifier.

use model::address::{Address, Range};
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Core, Report, Word};
use model::resource::{DomainName, Host, Url};
use model::time::Time;

use super::Ids;
use crate::formats::xarf::text::is_uuid;

/// A report as others ask of it.
pub(super) struct Facts<'r> {
    pub(super) report: &'r Report<'r>,
    /// The source's identifier when it is a UUID, else ours; lower case.
    pub(super) id: String,
    /// When it was seen, else when it was received.
    pub(super) time: Time,
    /// Whether the source said when.
    pub(super) dated: bool,
    pub(super) received: Time,
    pub(super) address: Option<Address>,
    pub(super) port: u16,
    pub(super) range: Option<Range>,
    pub(super) url: Option<Url>,
    /// The domain name, when it is not that of the URL.
    pub(super) name: Option<DomainName>,
    pub(super) kind: Kind,
    pub(super) tlp: Tlp,
    pub(super) pap: Pap,
    /// In percent.
    pub(super) confidence: Option<u8>,
}

impl<'r> Facts<'r> {
    pub(super) fn of(report: &'r Report<'r>, ids: &Ids) -> Facts<'r> {
        let core = report.core;
        let identifier = report.text(Word::SOURCE_IDENTIFIER).unwrap_or("");
        let url = report.text(Word::URL).and_then(Url::parse).or_else(|| Url::parse(identifier));
        let host = url.as_ref().map(Url::host);
        let of_host = match host {
            Some(Host::Name(name)) => Some(name.clone()),
            _ => None,
        };
        let name = report.text(Word::DOMAIN).and_then(DomainName::parse).or_else(|| DomainName::parse(identifier));
        let id = report.text(Word::REPORT_ID).filter(|id| is_uuid(id)).unwrap_or(&ids.fallback_report_id);
        Facts {
            report,
            id: id.to_ascii_lowercase(),
            time: core.observed().unwrap_or(ids.received),
            dated: core.observed().is_some(),
            received: ids.received,
            address: (core.address != Address::NONE).then_some(core.address),
            port: core.port,
            range: Range::parse(identifier).ok().filter(|range| range.span() > 0),
            name: name.filter(|name| of_host.as_ref() != Some(name)),
            url,
            kind: core.kind,
            tlp: core.tlp,
            pap: core.pap,
            confidence: (core.confidence != Core::UNSTATED).then_some(core.confidence.min(100)),
        }
    }

    /// The text of a word; empty when there is none.
    pub(super) fn text(&self, word: Word) -> &'r str {
        self.report.text(word).unwrap_or("")
    }

    /// The time of a word.
    pub(super) fn at(&self, word: Word) -> Option<Time> {
        Time::parse(self.text(word).as_bytes())
    }

    /// The address, when the URL does not have it for its host.
    pub(super) fn address_beside_url(&self) -> Option<Address> {
        let host = self.url.as_ref().map(Url::host);
        self.address.filter(|address| !matches!(host, Some(Host::Address(host)) if host == address))
    }

    /// The port, when the URL does not have it.
    pub(super) fn port_beside_url(&self) -> u16 {
        if self.url.as_ref().and_then(Url::port) == Some(self.port) { 0 } else { self.port }
    }

    /// Whether the address is where something came from, rather than where something is.
    pub(super) fn is_from(&self) -> bool {
        matches!(self.kind.category(), "connection" | "messaging")
    }

    /// Whether the report says that somebody does wrong, and not only that something is known, open or weak.
    pub(super) fn accuses(&self) -> bool {
        !matches!(self.kind.category(), "reputation" | "vulnerability")
    }
}
