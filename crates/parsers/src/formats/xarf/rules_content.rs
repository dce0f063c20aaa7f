//! What XARF 4.2 asks of reports about content, as data.

use model::category::Kind;

use super::rules::*;
use super::shape;
use super::shape::Shape::{self, Bool, List, Number, Object, OneOf, Text, Whole};
use super::text;

/// The types of category `content`, beside [`CONTENT`].
pub(super) const CONTENT_TYPES: &[Rules] = &[
    rules(
        Kind::Phishing,
        &[],
        &[
            ("credential_fields", TEXTS),
            ("phishing_kit", Text),
            ("redirect_chain", List(&list(URI, 0, ANY))),
            ("submission_url", URI),
            ("cloned_site", URI),
            (
                "detection_evasion",
                List(&list(
                    OneOf(&[
                        "geo_blocking",
                        "user_agent_filtering",
                        "referrer_checking",
                        "captcha",
                        "time_based_display",
                        "ip_blacklisting",
                        "obfuscation",
                        "other",
                    ]),
                    0,
                    ANY,
                )),
            ),
            (
                "lure_type",
                OneOf(&[
                    "account_suspension",
                    "security_alert",
                    "payment_issue",
                    "prize_notification",
                    "document_share",
                    "password_reset",
                    "shipping_notification",
                    "tax_refund",
                    "other",
                ]),
            ),
        ],
    ),
    rules(
        Kind::Malware,
        &[],
        &[
            ("malware_family", Text),
            (
                "malware_type",
                OneOf(&[
                    "trojan",
                    "ransomware",
                    "dropper",
                    "loader",
                    "backdoor",
                    "rootkit",
                    "infostealer",
                    "banking_trojan",
                    "cryptominer",
                    "adware",
                    "spyware",
                    "worm",
                    "bot",
                    "rat",
                    "other",
                ]),
            ),
            (
                "file_hashes",
                Object(&open(&[
                    ("md5", Shape::Like(&like("pattern", "32 hexadecimal digits", text::is_md5))),
                    ("sha1", Shape::Like(&like("pattern", "40 hexadecimal digits", text::is_sha1))),
                    ("sha256", Shape::Like(&like("pattern", "64 hexadecimal digits", text::is_sha256))),
                    ("ssdeep", Text),
                ])),
            ),
            (
                "file_metadata",
                Object(&open(&[("filename", Text), ("file_size", NATURAL), ("file_type", Text), ("mime_type", Text)])),
            ),
            (
                "distribution_method",
                OneOf(&[
                    "direct_download",
                    "drive_by_download",
                    "email_attachment",
                    "malvertising",
                    "exploit_kit",
                    "watering_hole",
                    "supply_chain",
                    "social_engineering",
                    "other",
                ]),
            ),
            (
                "c2_servers",
                List(&list(
                    Object(&open(&[
                        ("address", Text),
                        ("port", PORT),
                        ("protocol", OneOf(&["http", "https", "tcp", "udp", "dns", "other"])),
                    ])),
                    0,
                    ANY,
                )),
            ),
            (
                "sandbox_analysis",
                Object(&open(&[
                    ("sandbox_name", Text),
                    ("analysis_url", URI),
                    ("verdict", OneOf(&["malicious", "suspicious", "clean", "unknown"])),
                    ("score", PERCENT),
                ])),
            ),
            ("exploit_cve", List(&list(LONG_CVE, 0, ANY))),
            (
                "persistence_mechanism",
                List(&list(
                    OneOf(&["registry", "scheduled_task", "service", "startup_folder", "dll_hijacking", "wmi", "other"]),
                    0,
                    ANY,
                )),
            ),
            (
                "targeted_platforms",
                List(&list(OneOf(&["windows", "linux", "macos", "android", "ios", "multi_platform"]), 0, ANY)),
            ),
        ],
    ),
    rules(
        Kind::Fraud,
        &["fraud_type"],
        &[
            (
                "fraud_type",
                OneOf(&[
                    "investment",
                    "romance",
                    "tech_support",
                    "lottery",
                    "advance_fee",
                    "cryptocurrency",
                    "shopping",
                    "charity",
                    "employment",
                    "government_impersonation",
                    "other",
                ]),
            ),
            (
                "payment_methods",
                List(&list(
                    OneOf(&[
                        "credit_card",
                        "bank_transfer",
                        "cryptocurrency",
                        "gift_cards",
                        "wire_transfer",
                        "paypal",
                        "western_union",
                        "moneygram",
                        "cashapp",
                        "venmo",
                        "other",
                    ]),
                    0,
                    ANY,
                )),
            ),
            (
                "cryptocurrency_addresses",
                List(&list(
                    Object(&shape::Object {
                        members: &[
                            ("currency", OneOf(&["bitcoin", "ethereum", "usdt", "bnb", "monero", "other"])),
                            ("address", Text),
                        ],
                        required: &["currency", "address"],
                        closed: false,
                    }),
                    0,
                    ANY,
                )),
            ),
            ("claimed_entity", Text),
            (
                "loss_amount",
                Object(&open(&[
                    ("currency", Shape::Like(&like("pattern", "three capitals", text::is_currency))),
                    ("amount", Number(0.0, f64::INFINITY)),
                ])),
            ),
        ],
    ),
    rules(
        Kind::Csam,
        &["classification", "detection_method"],
        &[("classification", OneOf(&["baseline", "A1", "A2", "B1", "B2"])), ("detection_method", Text)],
    ),
    rules(Kind::Csem, &["exploitation_type", "detection_method"], &[("exploitation_type", Text), ("detection_method", Text)]),
    rules(
        Kind::ExposedData,
        &["data_types", "exposure_method"],
        &[
            (
                "data_types",
                List(&list(
                    OneOf(&[
                        "personal_information",
                        "credentials",
                        "financial",
                        "medical",
                        "government_id",
                        "email_addresses",
                        "phone_numbers",
                        "api_keys",
                        "database_dumps",
                        "source_code",
                        "internal_documents",
                        "customer_data",
                        "employee_data",
                        "intellectual_property",
                        "other",
                    ]),
                    1,
                    ANY,
                )),
            ),
            (
                "exposure_method",
                OneOf(&[
                    "misconfigured_server",
                    "open_directory",
                    "database_exposure",
                    "git_repository",
                    "backup_file",
                    "log_file",
                    "cloud_storage",
                    "paste_site",
                    "forum_post",
                    "ransomware_leak",
                    "intentional_leak",
                    "other",
                ]),
            ),
            ("record_count", NATURAL),
            ("affected_organization", Text),
            ("data_format", OneOf(&["plaintext", "csv", "json", "xml", "sql", "excel", "pdf", "mixed", "other"])),
            ("sensitive_fields", TEXTS),
            ("encryption_status", OneOf(&["unencrypted", "encrypted", "partially_encrypted", "hashed", "unknown"])),
            ("accessibility", OneOf(&["public", "requires_authentication", "requires_payment", "dark_web", "removed"])),
            (
                "discovery_source",
                OneOf(&[
                    "security_researcher",
                    "automated_scan",
                    "breach_monitoring",
                    "user_report",
                    "law_enforcement",
                    "threat_intelligence",
                    "other",
                ]),
            ),
            ("sample_records", List(&list(Object(&open(&[("description", Text), ("redacted_sample", Text)])), 0, 5))),
        ],
    ),
    rules(
        Kind::BrandInfringement,
        &["infringement_type", "legitimate_site"],
        &[
            (
                "infringement_type",
                OneOf(&[
                    "counterfeit",
                    "typosquatting",
                    "lookalike",
                    "homograph",
                    "unauthorized_reseller",
                    "trademark_violation",
                    "brand_impersonation",
                    "logo_misuse",
                    "other",
                ]),
            ),
            ("legitimate_site", URI),
            ("similarity_score", SHARE),
            (
                "trademark_details",
                Object(&open(&[
                    ("registration_number", Text),
                    ("jurisdiction", Text),
                    ("category", List(&list(Whole(1.0, 45.0), 0, ANY))),
                ])),
            ),
            (
                "infringing_elements",
                List(&list(
                    OneOf(&["logo", "brand_name", "tagline", "color_scheme", "layout", "product_images", "domain_name", "other"]),
                    0,
                    ANY,
                )),
            ),
            ("products_offered", TEXTS),
            (
                "previous_enforcement",
                List(&list(
                    Object(&open(&[
                        ("date", DATE),
                        ("action", OneOf(&["cease_desist", "takedown_notice", "domain_dispute", "legal_action", "other"])),
                        ("result", Text),
                    ])),
                    0,
                    ANY,
                )),
            ),
        ],
    ),
    rules(
        Kind::SuspiciousRegistration,
        &["registration_date", "suspicious_indicators"],
        &[
            ("registration_date", TIME),
            ("days_since_registration", NATURAL),
            (
                "suspicious_indicators",
                List(&list(
                    OneOf(&[
                        "typosquatting",
                        "homograph_attack",
                        "brand_keyword",
                        "suspicious_tld",
                        "bulk_registration",
                        "privacy_protection",
                        "suspicious_registrant",
                        "fast_flux",
                        "dga_pattern",
                        "known_bad_nameserver",
                        "suspicious_ssl_cert",
                        "immediate_activation",
                        "parked_page",
                        "other",
                    ]),
                    1,
                    ANY,
                )),
            ),
            ("risk_score", SHARE),
            ("targeted_brands", TEXTS),
            (
                "registrant_details",
                Object(&open(&[
                    ("email_domain", Text),
                    ("country", COUNTRY),
                    ("privacy_protected", Bool),
                    ("bulk_registrations", WHOLE),
                ])),
            ),
            (
                "related_domains",
                List(&list(
                    Object(&open(&[
                        ("domain", Text),
                        (
                            "relationship",
                            OneOf(&[
                                "same_registrant",
                                "same_nameserver",
                                "same_ip",
                                "same_ssl_cert",
                                "similar_pattern",
                                "same_campaign",
                            ]),
                        ),
                    ])),
                    0,
                    20,
                )),
            ),
            (
                "predicted_usage",
                List(&list(OneOf(&["phishing", "malware", "spam", "fraud", "brand_abuse", "botnet_c2", "unknown"]), 0, ANY)),
            ),
            (
                "ssl_certificate_details",
                Object(&open(&[("issued_immediately", Bool), ("free_certificate", Bool), ("wildcard", Bool)])),
            ),
            (
                "activation_behavior",
                Object(&open(&[
                    ("time_to_activation", WHOLE),
                    (
                        "initial_content",
                        OneOf(&["parked", "under_construction", "immediate_malicious", "cloned_site", "blank", "other"]),
                    ),
                ])),
            ),
        ],
    ),
    rules(
        Kind::RemoteCompromise,
        &["compromise_type"],
        &[
            (
                "compromise_type",
                OneOf(&[
                    "webshell",
                    "backdoor",
                    "defacement",
                    "malicious_redirect",
                    "seo_spam",
                    "cryptominer",
                    "phishing_kit",
                    "malware_host",
                    "c2_server",
                    "proxy",
                    "scanner",
                    "other",
                ]),
            ),
            (
                "compromise_indicators",
                List(&list(
                    Object(&shape::Object {
                        members: &[
                            (
                                "type",
                                OneOf(&[
                                    "file_path",
                                    "process",
                                    "network_connection",
                                    "user_account",
                                    "scheduled_task",
                                    "registry_key",
                                    "service",
                                ]),
                            ),
                            ("value", Text),
                            ("description", Text),
                        ],
                        required: &["type", "value"],
                        closed: false,
                    }),
                    0,
                    ANY,
                )),
            ),
            (
                "webshell_details",
                Object(&open(&[
                    ("family", Text),
                    (
                        "capabilities",
                        List(&list(
                            OneOf(&[
                                "file_manager",
                                "command_execution",
                                "database_access",
                                "network_scanning",
                                "privilege_escalation",
                                "persistence",
                                "other",
                            ]),
                            0,
                            ANY,
                        )),
                    ),
                    ("password_protected", Bool),
                ])),
            ),
            (
                "affected_cms",
                OneOf(&["wordpress", "joomla", "drupal", "magento", "prestashop", "opencart", "custom", "unknown", "other"]),
            ),
            ("vulnerability_exploited", Object(&open(&[("cve", LONG_CVE), ("description", Text), ("component", Text)]))),
            (
                "persistence_mechanisms",
                List(&list(
                    OneOf(&[
                        "cron_job",
                        "modified_core_files",
                        "hidden_admin_account",
                        "autoload_backdoor",
                        "htaccess_modification",
                        "database_backdoor",
                        "other",
                    ]),
                    0,
                    ANY,
                )),
            ),
            (
                "malicious_activities",
                List(&list(
                    OneOf(&[
                        "spam_sending",
                        "ddos_attacks",
                        "cryptocurrency_mining",
                        "data_exfiltration",
                        "lateral_movement",
                        "hosting_malware",
                        "hosting_phishing",
                        "scanning",
                        "other",
                    ]),
                    0,
                    ANY,
                )),
            ),
            ("cleanup_status", OneOf(&["not_cleaned", "partially_cleaned", "cleaned", "reinfected", "unknown"])),
        ],
    ),
];
