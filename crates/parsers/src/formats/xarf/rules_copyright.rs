//! What XARF 4.2 asks of reports about copyright, as data; and the one shape of legacy version 3.

use model::category::Kind;

use super::rules::*;
use super::shape::Shape::{self, Bool, List, Number, Object, OneOf, Short, Text};
use super::text;

const TITLE: (&str, Shape) = ("work_title", Short(500));
const HOLDER: (&str, Shape) = ("rights_holder", Short(200));

/// The types of category `copyright`.
pub(super) const COPYRIGHT_TYPES: &[Rules] = &[
    rules(
        Kind::Copyright,
        &["infringing_url"],
        &[
            ("infringing_url", URI),
            TITLE,
            HOLDER,
            ("original_url", URI),
            ("infringement_type", OneOf(&["direct_copy", "modified_copy", "streaming", "download", "distribution"])),
        ],
    ),
    rules(
        Kind::Cyberlocker,
        &["infringing_url", "hosting_service"],
        &[
            ("evidence_source", OneOf(&["automated_crawl", "manual_discovery", "user_report", "rights_holder", "search_engine"])),
            ("infringing_url", URI),
            ("hosting_service", Short(200)),
            (
                "file_info",
                Object(&closed(
                    &[
                        ("filename", Short(500)),
                        ("file_size", NATURAL),
                        ("file_hash", Shape::Like(&like("pattern", "algorithm:hex", text::is_file_hash))),
                        ("upload_date", TIME),
                        ("download_count", NATURAL),
                    ],
                    &[],
                )),
            ),
            (
                "uploader_info",
                Object(&closed(
                    &[
                        ("username", Short(200)),
                        ("user_id", Short(100)),
                        ("account_type", OneOf(&["free", "premium", "business", "unknown"])),
                    ],
                    &[],
                )),
            ),
            TITLE,
            HOLDER,
            (
                "work_category",
                OneOf(&["movie", "tv_show", "music", "software", "ebook", "audiobook", "game", "document", "other"]),
            ),
            ("access_method", OneOf(&["direct_link", "password_protected", "premium_only", "time_limited", "captcha_protected"])),
            (
                "takedown_info",
                Object(&closed(
                    &[("previous_requests", NATURAL), ("service_response_time", Text), ("automated_removal", Bool)],
                    &[],
                )),
            ),
        ],
    ),
    rules(
        Kind::LinkSite,
        &["infringing_url", "site_name"],
        &[
            (
                "evidence_source",
                OneOf(&["automated_crawl", "manual_monitoring", "user_report", "rights_holder", "search_monitoring"]),
            ),
            ("infringing_url", URI),
            ("site_name", Short(200)),
            (
                "site_category",
                OneOf(&[
                    "torrent_index",
                    "direct_download_links",
                    "streaming_links",
                    "usenet_index",
                    "search_engine",
                    "forum_links",
                    "other",
                ]),
            ),
            (
                "link_info",
                Object(&closed(
                    &[
                        ("page_title", Short(500)),
                        ("posting_date", TIME),
                        ("uploader", Short(200)),
                        ("download_count", NATURAL),
                        ("link_count", POSITIVE),
                        ("comments_count", NATURAL),
                    ],
                    &[],
                )),
            ),
            (
                "linked_content",
                List(&list(
                    Object(&closed(
                        &[
                            ("target_url", URI),
                            (
                                "link_type",
                                OneOf(&[
                                    "torrent_file",
                                    "magnet_link",
                                    "direct_download",
                                    "streaming_link",
                                    "usenet_nzb",
                                    "other",
                                ]),
                            ),
                            ("hosting_service", Short(200)),
                            ("file_size", NATURAL),
                        ],
                        &["target_url", "link_type"],
                    )),
                    0,
                    50,
                )),
            ),
            TITLE,
            HOLDER,
            (
                "work_category",
                OneOf(&["movie", "tv_show", "music", "software", "ebook", "audiobook", "game", "adult_content", "other"]),
            ),
            ("search_terms", List(&list(Short(200), 0, 10))),
            ("site_ranking", Object(&closed(&[("alexa_rank", POSITIVE), ("popularity_score", Number(0.0, 10.0))], &[]))),
        ],
    ),
    Rules {
        also: Also::OneIn("swarm_info", &["info_hash", "magnet_uri"]),
        ..rules(
            Kind::PeerToPeer,
            &["p2p_protocol"],
            &[
                (
                    "evidence_source",
                    OneOf(&["automated_crawl", "manual_monitoring", "user_report", "rights_holder", "watermark_detection"]),
                ),
                ("p2p_protocol", OneOf(&["bittorrent", "edonkey", "gnutella", "kademlia", "other"])),
                (
                    "swarm_info",
                    Object(&closed(
                        &[
                            ("info_hash", Shape::Like(&like("pattern", "40 hexadecimal digits", text::is_sha1))),
                            ("magnet_uri", Shape::Like(&like("pattern", "a magnet link", text::is_magnet))),
                            ("torrent_name", Short(500)),
                            ("file_count", POSITIVE),
                            ("total_size", NATURAL),
                        ],
                        &[],
                    )),
                ),
                (
                    "peer_info",
                    Object(&closed(
                        &[
                            ("peer_id", Short(100)),
                            ("client_version", Short(100)),
                            ("upload_amount", NATURAL),
                            ("download_amount", NATURAL),
                        ],
                        &[],
                    )),
                ),
                TITLE,
                HOLDER,
                ("work_category", OneOf(&["movie", "tv_show", "music", "software", "ebook", "audiobook", "game", "other"])),
                ("release_date", DATE),
                ("detection_method", OneOf(&["automated_crawl", "fingerprinting", "metadata_match", "manual_verification"])),
            ],
        )
    },
    rules(
        Kind::UgcPlatform,
        &["infringing_url", "platform_name"],
        &[
            (
                "evidence_source",
                OneOf(&[
                    "automated_detection",
                    "user_report",
                    "rights_holder",
                    "content_id_match",
                    "fingerprint_match",
                    "manual_review",
                ]),
            ),
            ("infringing_url", URI),
            ("platform_name", Short(200)),
            (
                "content_info",
                Object(&closed(
                    &[
                        ("content_id", Short(200)),
                        ("content_title", Short(500)),
                        ("content_description", Short(2000)),
                        ("upload_date", TIME),
                        ("content_duration", NATURAL),
                        ("view_count", NATURAL),
                        ("like_count", NATURAL),
                    ],
                    &[],
                )),
            ),
            (
                "uploader_info",
                Object(&closed(
                    &[
                        ("username", Short(200)),
                        ("user_id", Short(100)),
                        ("account_verified", Bool),
                        ("subscriber_count", NATURAL),
                        ("account_creation_date", TIME),
                    ],
                    &[],
                )),
            ),
            TITLE,
            HOLDER,
            (
                "work_category",
                OneOf(&[
                    "movie",
                    "tv_show",
                    "music",
                    "music_video",
                    "audiobook",
                    "podcast",
                    "live_performance",
                    "sports_event",
                    "documentary",
                    "other",
                ]),
            ),
            (
                "infringement_type",
                OneOf(&[
                    "full_work",
                    "substantial_portion",
                    "compilation",
                    "remix_unauthorized",
                    "background_music",
                    "clip_mashup",
                ]),
            ),
            (
                "match_details",
                Object(&closed(
                    &[
                        ("match_confidence", SHARE),
                        ("match_duration", NATURAL),
                        ("match_percentage", PERCENT),
                        ("reference_id", Short(200)),
                    ],
                    &[],
                )),
            ),
            ("monetization_info", Object(&closed(&[("monetized", Bool), ("ad_revenue", Bool), ("premium_content", Bool)], &[]))),
        ],
    ),
    Rules {
        also: Also::OneIn("message_info", &["message_id"]),
        ..rules(
            Kind::Usenet,
            &["newsgroup"],
            &[
                (
                    "evidence_source",
                    OneOf(&["automated_monitoring", "newsgroup_crawl", "user_report", "rights_holder", "nzb_index_monitoring"]),
                ),
                ("newsgroup", Short(200)),
                (
                    "message_info",
                    Object(&closed(
                        &[
                            ("message_id", Short(500)),
                            ("subject", Short(500)),
                            ("from_header", Short(200)),
                            ("posting_date", TIME),
                            ("part_number", POSITIVE),
                            ("total_parts", POSITIVE),
                            ("file_size", NATURAL),
                        ],
                        &[],
                    )),
                ),
                (
                    "nzb_info",
                    Object(&closed(
                        &[
                            ("nzb_name", Short(500)),
                            ("nzb_url", URI),
                            ("indexer_site", Short(200)),
                            ("completion_percentage", PERCENT),
                        ],
                        &[],
                    )),
                ),
                (
                    "server_info",
                    Object(&closed(
                        &[("nntp_server", Short(200)), ("server_group", Short(200)), ("retention_days", POSITIVE)],
                        &[],
                    )),
                ),
                TITLE,
                HOLDER,
                (
                    "work_category",
                    OneOf(&[
                        "movie",
                        "tv_show",
                        "music",
                        "software",
                        "ebook",
                        "audiobook",
                        "magazine",
                        "game",
                        "adult_content",
                        "other",
                    ]),
                ),
                (
                    "encoding_info",
                    Object(&closed(
                        &[
                            ("encoding_format", OneOf(&["yenc", "uuencode", "base64", "other"])),
                            ("par2_recovery", Bool),
                            ("rar_compression", Bool),
                        ],
                        &[],
                    )),
                ),
                ("detection_method", OneOf(&["subject_line_match", "header_analysis", "content_sampling", "nzb_metadata"])),
            ],
        )
    },
];

/// A report of the legacy version 3.
pub(super) const LEGACY: Shape = Object(&closed(
    &[
        ("Version", OneOf(&["3", "3.0"])),
        (
            "ReporterInfo",
            Object(&closed(
                &[("ReporterOrg", Short(200)), ("ReporterOrgEmail", EMAIL), ("ReporterOrgDomain", HOSTNAME)],
                &["ReporterOrg", "ReporterOrgEmail"],
            )),
        ),
        (
            "Report",
            Object(&closed(
                &[
                    ("ReportClass", OneOf(&["Activity"])),
                    (
                        "ReportType",
                        OneOf(&["Spam", "Login-Attack", "Port-Scan", "DDoS", "Phishing", "Malware", "Botnet", "Copyright"]),
                    ),
                    ("Date", TIME),
                    ("SourceIp", Text),
                    ("SourcePort", PORT),
                    ("DestinationIp", Text),
                    ("DestinationPort", PORT),
                    ("Protocol", OneOf(&["tcp", "udp", "icmp", "smtp"])),
                    ("SmtpMailFromAddress", EMAIL),
                    ("SmtpRcptToAddress", EMAIL),
                    ("SmtpMessageSubject", Short(500)),
                    ("Url", URI),
                    ("UserAgent", Short(200)),
                    ("AttackDescription", Short(1000)),
                    ("AttackCount", POSITIVE),
                    (
                        "Samples",
                        List(&list(
                            Object(&closed(
                                &[("ContentType", Text), ("Payload", Text), ("Description", Short(200))],
                                &["ContentType", "Payload"],
                            )),
                            0,
                            10,
                        )),
                    ),
                ],
                &["ReportClass", "ReportType", "Date"],
            )),
        ),
    ],
    &["Version", "ReporterInfo", "Report"],
));
