//! Signatures that others made: the example of a standard, and mails that another program signed.

use super::*;
use crate::mail::with_crlf;

/// The example of RFC 8463, appendix A: one mail with a signature of each kind.
const RFC_8463: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
";

const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn found(text: &str) -> Result<Vec<Signature>, &'static str> {
    let bytes = with_crlf(text.as_bytes());
    signatures(&Mail::parse(&bytes).unwrap())
}

#[test]
fn the_example_of_the_standard_holds() {
    let found = found(RFC_8463).unwrap();
    let [ed25519, rsa] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(ed25519.name, "brisbane._domainkey.football.example.com");
    assert_eq!(ed25519.holds(ED25519), Ok(()));
    assert!(!rsa.covers.is_empty() && rsa.holds(ED25519).is_err(), "another algorithm");
}

#[test]
fn what_was_changed_or_left_open_does_not_hold() {
    for (why, from, to) in [
        ("another body", "hungry yet", "hungry now"),
        ("another subject", "Is dinner ready", "Is dinner cold"),
        ("a second sender above", "From: Joe", "From: evil@football.example.com\nFrom: Joe"),
        ("a part of the body", "q=dns/txt;", "l=10;"),
        ("another version", "v=1;", "v=2;"),
        ("another algorithm", "-sha256; c", "-sha1; c"),
        ("the same tag twice", "q=dns/txt;", "d=evil.example;"),
        ("who it is from is not covered", "h=from : to", "h=to"),
    ] {
        let text = RFC_8463.replace(from, to);
        assert_ne!(text, RFC_8463, "{why}");
        let holds = found(&text).is_ok_and(|found| found.iter().any(|one| one.holds(ED25519).is_ok()));
        // A field above the signed one is not what was signed; that there are two of them is for who asks to see.
        assert!(!holds, "{why}");
    }
}

#[test]
fn keys_that_may_not_be_relied_on() {
    let found = found(RFC_8463).unwrap();
    for record in [
        "v=DKIM1; k=ed25519; p=",
        "v=DKIM2; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "v=DKIM1; t=y; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "v=DKIM1; h=sha1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "v=DKIM1; s=tlsrpt; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "v=DKIM1; k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "",
    ] {
        assert!(found[0].holds(record).is_err(), "{record}");
    }
}

#[test]
fn bodies_in_their_forms() {
    for (body, simple, relaxed) in [
        ("", "\r\n", ""),
        ("\r\n\r\n", "\r\n", ""),
        (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
        ("no end", "no end\r\n", "no end\r\n"),
        (" \r\n\r\n", " \r\n", ""),
    ] {
        assert_eq!(canonical_body(body.as_bytes(), false), simple.as_bytes(), "{body:?}");
        assert_eq!(canonical_body(body.as_bytes(), true), relaxed.as_bytes(), "{body:?}");
    }
}

/// Mails with folds, blanks and empty lines, signed by another program with a key of 2,048 bits (`tests/dkim`).
#[test]
fn what_another_program_signed_holds() {
    let record = include_str!("../../tests/dkim/key.txt").trim();
    for (form, text) in [
        ("relaxed/relaxed", include_str!("../../tests/dkim/relaxed.eml")),
        ("simple/simple", include_str!("../../tests/dkim/simple.eml")),
        ("relaxed/simple", include_str!("../../tests/dkim/mixed.eml")),
    ] {
        let signatures = found(text).unwrap();
        assert_eq!(signatures[0].holds(record), Ok(()), "{form}");
        let changed = found(&text.replace("Abuse  Desk", "Abuse  Desc")).unwrap();
        assert!(changed[0].holds(record).is_err(), "{form}");
        // Blanks count in the simple form, and do not in the relaxed one.
        let respaced = found(&text.replace("Abuse  Desk", "Abuse   Desk")).unwrap();
        assert_eq!(respaced[0].holds(record).is_ok(), form != "simple/simple", "{form}");
    }
}
