//! What XARF 4.2 and its legacy version 3 ask of a report: the rules of the core and of every type, as data.
//!
//! Source: the JSON schemas of xarf-spec 4.2, in our own layout. The rules for the two types about child abuse are those
//! of the specification's text, as far as a report without visual content needs them.

use model::category::Kind;

use super::shape::Shape::{self, Bool, List, Number, Object, OneOf, Short, Text, Whole};
use super::shape::{self, Like};
use super::text;

/// The rules of one type.
pub(super) struct Rules {
    pub(super) kind: Kind,
    /// Members that this type speaks about; they replace those of the core and of its category.
    pub(super) members: Members,
    /// Members it cannot do without, beside those of the core and of its category.
    pub(super) required: &'static [&'static str],
    pub(super) also: Also,
}

/// Names and shapes.
pub(super) type Members = &'static [(&'static str, Shape)];

/// What a type asks that depends on another value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Also {
    Nothing,
    /// A source that is an address comes with its port: customers behind one address differ by it.
    PortOfAddress,
    /// Mail over SMTP comes with its envelope sender and the port.
    SmtpSender,
    /// One of these members, within the object of that name.
    OneIn(&'static str, &'static [&'static str]),
}

pub(super) const fn like(keyword: &'static str, wants: &'static str, test: fn(&str) -> bool) -> Like {
    Like { keyword, wants, test }
}

pub(super) const fn list(of: Shape, least: usize, most: usize) -> shape::List {
    shape::List { of, least, most, unique: false }
}

pub(super) const fn open(members: Members) -> shape::Object {
    shape::Object { members, required: &[], closed: false }
}

pub(super) const fn closed(members: Members, required: &'static [&'static str]) -> shape::Object {
    shape::Object { members, required, closed: true }
}

pub(super) const ANY: usize = usize::MAX;
pub(super) const NUMBER: Shape = Number(f64::NEG_INFINITY, f64::INFINITY);
pub(super) const WHOLE: Shape = Whole(f64::NEG_INFINITY, f64::INFINITY);
pub(super) const NATURAL: Shape = Whole(0.0, f64::INFINITY);
pub(super) const POSITIVE: Shape = Whole(1.0, f64::INFINITY);
pub(super) const PORT: Shape = Whole(1.0, 65_535.0);
pub(super) const SHARE: Shape = Number(0.0, 1.0);
pub(super) const PERCENT: Shape = Number(0.0, 100.0);
pub(super) const TIME: Shape = Shape::Like(&like("format", "a date and time with a zone (RFC 3339)", text::is_date_time));
pub(super) const DATE: Shape = Shape::Like(&like("format", "a date (RFC 3339)", text::is_date));
pub(super) const URI: Shape = Shape::Like(&like("format", "a URI (RFC 3986)", text::is_uri));
pub(super) const EMAIL: Shape = Shape::Like(&like("format", "a mail address", text::is_email));
pub(super) const HOSTNAME: Shape = Shape::Like(&like("format", "a host name", text::is_hostname));
const UUID: Shape = Shape::Like(&like("format", "a UUID", text::is_uuid));
const IP: Shape = Shape::Like(&like("anyOf", "an IPv4 or IPv6 address", text::is_ip));
const IPV4: Shape = Shape::Like(&like("format", "an IPv4 address", text::is_ipv4));
const IPV6: Shape = Shape::Like(&like("format", "an IPv6 address", text::is_ipv6));
pub(super) const COUNTRY: Shape = Shape::Like(&like("pattern", "two capitals", text::is_country));
const CVE: Shape = Shape::Like(&like("pattern", "a CVE number", text::is_cve));
pub(super) const LONG_CVE: Shape = Shape::Like(&like("pattern", "a CVE number", text::is_long_cve));
pub(super) const TEXTS: Shape = List(&list(Text, 0, ANY));

/// Reporter and sender.
pub(super) const CONTACT: Shape =
    Object(&closed(&[("org", Short(200)), ("contact", EMAIL), ("domain", HOSTNAME)], &["org", "contact", "domain"]));

/// One item of `evidence`.
const EVIDENCE_ITEM: Shape = Object(&closed(
    &[
        ("content_type", Text),
        ("description", Short(500)),
        ("payload", Text),
        ("hash", Shape::Like(&like("pattern", "algorithm:hex", text::is_hash))),
        ("size", Whole(0.0, 5_242_880.0)),
    ],
    &["content_type", "payload"],
));

/// The members of every report.
pub(super) const CORE: Members = &[
    ("xarf_version", Shape::Like(&like("pattern", "a version 4.MINOR.PATCH", text::is_version_4))),
    ("report_id", UUID),
    ("timestamp", TIME),
    ("reporter", CONTACT),
    ("sender", CONTACT),
    ("source_identifier", Text),
    ("source_port", PORT),
    ("category", Text),
    ("type", Text),
    ("evidence_source", Text),
    ("evidence", List(&list(EVIDENCE_ITEM, 0, 50))),
    ("tags", List(&list(Shape::Like(&like("pattern", "namespace:predicate", text::is_tag)), 0, 20))),
    ("confidence", SHARE),
    ("description", Short(1000)),
    ("legacy_version", OneOf(&["3"])),
    ("_internal", Object(&open(&[]))),
];

/// The members no report can do without.
pub(super) const CORE_REQUIRED: &[&str] =
    &["xarf_version", "report_id", "timestamp", "reporter", "sender", "source_identifier", "category", "type"];

/// The members that all types of category `content` share; `url` is required.
pub(super) const CONTENT: Members = &[
    ("url", URI),
    ("domain", Shape::Like(&like("pattern", "a domain name in small letters", text::is_small_domain))),
    ("registrar", Text),
    ("nameservers", TEXTS),
    (
        "dns_records",
        Object(&open(&[("a", List(&list(IPV4, 0, ANY))), ("aaaa", List(&list(IPV6, 0, ANY))), ("mx", TEXTS), ("txt", TEXTS)])),
    ),
    ("screenshot_url", URI),
    ("verified_at", TIME),
    ("verification_method", OneOf(&["manual", "automated_crawler", "user_report", "honeypot", "threat_intelligence"])),
    (
        "attack_vector",
        OneOf(&[
            "phishing",
            "malware",
            "fraud",
            "brand_infringement",
            "copyright_infringement",
            "data_leak",
            "remote_compromise",
            "suspicious_registration",
        ]),
    ),
    ("target_brand", Text),
    ("hosting_provider", Text),
    ("asn", Whole(1.0, 4_294_967_295.0)),
    ("country_code", COUNTRY),
    (
        "ssl_certificate",
        Object(&open(&[("issuer", Text), ("subject", Text), ("valid_from", TIME), ("valid_to", TIME), ("fingerprint", Text)])),
    ),
    (
        "whois",
        Object(&open(&[
            ("registrant", Text),
            ("created_date", TIME),
            ("updated_date", TIME),
            ("expiry_date", TIME),
            ("registrar_abuse_contact", EMAIL),
        ])),
    ),
    (
        "dns_response",
        Object(&open(&[
            ("query_time", TIME),
            ("authoritative", Bool),
            ("response_code", OneOf(&["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"])),
        ])),
    ),
];

pub(super) const fn rules(kind: Kind, required: &'static [&'static str], members: Members) -> Rules {
    Rules { kind, members, required, also: Also::Nothing }
}

const TCP_UDP: Shape = OneOf(&["tcp", "udp"]);
const TRANSPORT: Shape = OneOf(&["tcp", "udp", "icmp", "sctp"]);

/// A login attack or port scan: the same members.
const ATTACK: Members =
    &[("destination_ip", IP), ("destination_port", PORT), ("protocol", TRANSPORT), ("first_seen", TIME), ("last_seen", TIME)];

const THREAT: Members = &[("threat_type", Text)];
const SERVICE: Members = &[("service", Text)];
const IMPACT: Shape = OneOf(&["none", "low", "high"]);

/// Every type; those about content and copyright are in [`super::rules_content`] and
/// [`super::rules_copyright`].
pub(super) const TYPES: &[Rules] = &[
    Rules {
        also: Also::SmtpSender,
        ..rules(
            Kind::Spam,
            &["protocol"],
            &[
                (
                    "evidence_source",
                    OneOf(&["spamtrap", "user_complaint", "automated_filter", "honeypot", "content_analysis", "reputation_feed"]),
                ),
                (
                    "protocol",
                    OneOf(&[
                        "smtp",
                        "sms",
                        "whatsapp",
                        "telegram",
                        "signal",
                        "chat",
                        "social_media",
                        "push_notification",
                        "other",
                    ]),
                ),
                ("smtp_from", EMAIL),
                ("smtp_to", EMAIL),
                ("subject", Short(500)),
                ("sender_name", Short(200)),
                ("message_id", Short(200)),
                ("user_agent", Short(200)),
                ("recipient_count", POSITIVE),
                ("language", Shape::Like(&like("pattern", "a language as in nl-NL", text::is_language))),
                (
                    "spam_indicators",
                    Object(&closed(
                        &[
                            ("suspicious_links", List(&list(URI, 0, ANY))),
                            ("commercial_content", Bool),
                            ("bulk_characteristics", Bool),
                        ],
                        &[],
                    )),
                ),
            ],
        )
    },
    Rules {
        also: Also::SmtpSender,
        ..rules(
            Kind::BulkMessaging,
            &["protocol", "recipient_count"],
            &[
                ("evidence_source", OneOf(&["user_complaint", "automated_filter", "reputation_feed", "volume_analysis"])),
                ("protocol", OneOf(&["smtp", "sms", "whatsapp", "telegram", "social_media", "push_notification", "other"])),
                ("smtp_from", EMAIL),
                ("subject", Short(500)),
                ("sender_name", Short(200)),
                ("recipient_count", Whole(100.0, f64::INFINITY)),
                ("unsubscribe_provided", Bool),
                ("opt_in_evidence", Bool),
                (
                    "bulk_indicators",
                    Object(&closed(&[("high_volume", Bool), ("template_based", Bool), ("commercial_sender", Bool)], &[])),
                ),
            ],
        )
    },
    Rules {
        also: Also::PortOfAddress,
        ..rules(
            Kind::Ddos,
            &["protocol", "first_seen"],
            &[
                (
                    "evidence_source",
                    OneOf(&["firewall_logs", "ids_detection", "flow_analysis", "traffic_monitoring", "honeypot"]),
                ),
                ("destination_ip", IP),
                ("destination_port", PORT),
                ("protocol", TRANSPORT),
                ("attack_vector", Text),
                ("peak_pps", POSITIVE),
                ("peak_bps", POSITIVE),
                ("duration_seconds", POSITIVE),
                ("amplification_factor", Number(1.0, f64::INFINITY)),
                ("first_seen", TIME),
                ("last_seen", TIME),
                ("threshold_exceeded", TIME),
                ("mitigation_applied", Bool),
                ("service_impact", OneOf(&["none", "degraded", "unavailable"])),
            ],
        )
    },
    Rules { also: Also::PortOfAddress, ..rules(Kind::LoginAttack, &["protocol", "first_seen"], ATTACK) },
    Rules { also: Also::PortOfAddress, ..rules(Kind::PortScan, &["protocol", "first_seen"], ATTACK) },
    rules(
        Kind::InfectedHost,
        &["protocol", "bot_type", "first_seen"],
        &[
            ("destination_ip", IP),
            ("destination_port", PORT),
            ("protocol", TCP_UDP),
            (
                "bot_type",
                OneOf(&[
                    "search_engine",
                    "ai_agent",
                    "monitoring",
                    "seo_analyzer",
                    "link_checker",
                    "feed_reader",
                    "social_media",
                    "advertising",
                    "malicious",
                    "unknown",
                ]),
            ),
            ("bot_name", Text),
            ("user_agent", Text),
            (
                "behavior_pattern",
                OneOf(&[
                    "legitimate_crawling",
                    "aggressive_crawling",
                    "api_abuse",
                    "form_submission",
                    "comment_spam",
                    "account_creation",
                    "content_harvesting",
                    "vulnerability_probing",
                    "mixed",
                ]),
            ),
            ("request_rate", NUMBER),
            ("total_requests", POSITIVE),
            ("respects_robots_txt", Bool),
            ("follows_crawl_delay", Bool),
            ("javascript_execution", Bool),
            ("accepts_cookies", Bool),
            ("api_endpoints_accessed", TEXTS),
            ("verification_status", OneOf(&["verified", "unverified", "spoofed", "unknown"])),
            ("first_seen", TIME),
            ("last_seen", TIME),
        ],
    ),
    rules(
        Kind::Reconnaissance,
        &["protocol", "probed_resources", "first_seen"],
        &[
            ("destination_ip", IP),
            ("destination_port", PORT),
            ("protocol", TCP_UDP),
            ("probed_resources", TEXTS),
            (
                "resource_categories",
                List(&list(
                    OneOf(&[
                        "environment_files",
                        "version_control",
                        "configuration_files",
                        "backup_files",
                        "admin_panels",
                        "database_files",
                        "log_files",
                        "credential_files",
                        "api_endpoints",
                        "debug_endpoints",
                        "other",
                    ]),
                    0,
                    ANY,
                )),
            ),
            (
                "http_methods",
                List(&list(OneOf(&["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT"]), 0, ANY)),
            ),
            ("response_codes", List(&list(WHOLE, 0, ANY))),
            ("successful_probes", TEXTS),
            ("user_agent", Text),
            ("first_seen", TIME),
            ("last_seen", TIME),
            ("total_probes", POSITIVE),
            ("automated_tool", Bool),
        ],
    ),
    rules(
        Kind::Scraping,
        &["protocol", "first_seen", "total_requests"],
        &[
            ("destination_ip", IP),
            ("destination_port", PORT),
            ("protocol", TCP_UDP),
            (
                "scraping_pattern",
                OneOf(&[
                    "sequential",
                    "random",
                    "targeted",
                    "sitemap_following",
                    "api_harvesting",
                    "deep_crawling",
                    "breadth_first",
                    "depth_first",
                ]),
            ),
            (
                "target_content",
                OneOf(&[
                    "product_data",
                    "pricing_information",
                    "user_profiles",
                    "contact_information",
                    "news_articles",
                    "images",
                    "documents",
                    "api_data",
                    "search_results",
                    "general_content",
                    "other",
                ]),
            ),
            ("user_agent", Text),
            ("bot_signature", Text),
            ("request_rate", NUMBER),
            ("total_requests", POSITIVE),
            ("unique_urls", POSITIVE),
            ("data_volume", WHOLE),
            ("respects_robots_txt", Bool),
            ("session_duration", WHOLE),
            ("concurrent_connections", WHOLE),
            ("first_seen", TIME),
            ("last_seen", TIME),
        ],
    ),
    rules(
        Kind::SqlInjection,
        &["protocol", "first_seen"],
        &[
            ("destination_ip", IP),
            ("destination_port", PORT),
            ("protocol", TCP_UDP),
            ("http_method", OneOf(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])),
            ("target_url", URI),
            ("injection_point", OneOf(&["query_parameter", "post_body", "cookie", "header", "path", "json_parameter"])),
            ("payload_sample", Short(1000)),
            (
                "attack_technique",
                OneOf(&[
                    "union_based",
                    "error_based",
                    "boolean_blind",
                    "time_blind",
                    "stacked_queries",
                    "out_of_band",
                    "second_order",
                    "other",
                ]),
            ),
            ("first_seen", TIME),
            ("last_seen", TIME),
            ("attempts_count", POSITIVE),
        ],
    ),
    rules(
        Kind::VulnerabilityScan,
        &["scan_type", "protocol", "first_seen"],
        &[
            ("destination_ip", IP),
            (
                "scan_type",
                OneOf(&[
                    "port_scan",
                    "vulnerability_scan",
                    "version_detection",
                    "os_fingerprinting",
                    "service_enumeration",
                    "web_vuln_scan",
                    "directory_brute_force",
                    "mixed",
                ]),
            ),
            ("scanner_signature", Text),
            ("targeted_ports", List(&list(PORT, 0, ANY))),
            ("targeted_services", TEXTS),
            ("vulnerabilities_probed", TEXTS),
            ("scan_rate", NUMBER),
            ("protocol", OneOf(&["tcp", "udp", "icmp", "mixed"])),
            ("first_seen", TIME),
            ("last_seen", TIME),
            ("total_requests", POSITIVE),
            ("user_agent", Text),
        ],
    ),
    rules(
        Kind::Botnet,
        &["compromise_evidence"],
        &[
            ("malware_family", Short(200)),
            ("c2_server", Text),
            ("c2_protocol", OneOf(&["http", "https", "tcp", "udp", "dns", "irc", "p2p", "custom"])),
            (
                "bot_capabilities",
                List(&list(
                    OneOf(&[
                        "ddos",
                        "spam",
                        "proxy",
                        "keylogger",
                        "file_download",
                        "remote_shell",
                        "cryptocurrency_mining",
                        "data_theft",
                    ]),
                    0,
                    ANY,
                )),
            ),
            ("compromise_evidence", Text),
        ],
    ),
    rules(Kind::CompromisedServer, &["compromise_method"], &[("compromise_method", Text)]),
    rules(Kind::Blocklist, &["threat_type"], THREAT),
    rules(Kind::ThreatIntelligence, &["threat_type"], THREAT),
    rules(Kind::Misconfiguration, &["service"], SERVICE),
    rules(Kind::OpenService, &["service"], SERVICE),
    rules(
        Kind::Cve,
        &["service", "service_port", "cve_id"],
        &[
            (
                "evidence_source",
                OneOf(&["vulnerability_scan", "researcher_analysis", "automated_discovery", "penetration_testing"]),
            ),
            ("service", Short(200)),
            ("service_version", Short(100)),
            ("service_port", PORT),
            ("cve_id", CVE),
            ("cve_ids", List(&shape::List { of: CVE, least: 0, most: 10, unique: true })),
            ("cvss_score", Number(0.0, 10.0)),
            ("cvss_vector", Shape::Like(&like("pattern", "a CVSS 3 vector", text::is_cvss_3))),
            ("cvss_version", OneOf(&["2.0", "3.0", "3.1"])),
            ("risk_level", OneOf(&["info", "low", "medium", "high", "critical"])),
            ("severity", OneOf(&["informational", "low", "medium", "high", "critical"])),
            ("exploitability", OneOf(&["theoretical", "poc_available", "functional", "weaponized"])),
            ("patch_available", Bool),
            ("patch_version", Short(100)),
            ("patch_url", URI),
            ("vendor_advisory", URI),
            ("disclosure_date", TIME),
            (
                "impact_assessment",
                Object(&closed(&[("confidentiality", IMPACT), ("integrity", IMPACT), ("availability", IMPACT)], &[])),
            ),
            ("remediation_priority", OneOf(&["low", "medium", "high", "critical", "emergency"])),
        ],
    ),
];
