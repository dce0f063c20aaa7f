//! The demo's reports that come by mail: feedback loops, Shadowserver's zips, and two mails that need a person.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::category::Kind;
use model::submission::Door;
use model::time::{DAY, HOUR, MINUTE, SECOND, Time};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::dice::Dice;
use super::files::{Fate, File, Statement, rows, statement};
use super::story::{Eye, Sighting};
use super::world::{ROUND, WEB_SERVERS, World};
use model::address::Address;

pub(super) const TO: &str = "abuse@duinhost.example";

/// A date as mail has it (RFC 5322 section 3.3).
pub(super) fn mail_date(time: Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = time.date();
    let weekday = DAYS[time.day().rem_euclid(7) as usize];
    let month = MONTHS[month.clamp(1, 12) as usize - 1];
    let of_day = time.0.rem_euclid(DAY);
    let (hour, minute, second) = (of_day / HOUR, of_day / MINUTE % 60, of_day / SECOND % 60);
    format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

/// A complaint of a reader, in the format of feedback loops (RFC 5965).
pub(crate) fn feedback(sighting: &Sighting, number: usize, dice: &mut Dice) -> File {
    let received = sighting.at.plus(dice.between(3, 90) * MINUTE);
    let (ip, arrival, sent) = (sighting.address, mail_date(sighting.at), mail_date(received));
    let sender = dice.pick(&["nieuws@gratis-prijs.example", "info@lening-direct.example", "win@loterij-nl.example"]);
    let text = format!(
        "From: \"Postvak feedback\" <fbl@postvak.example>
To: {TO}
Date: {sent}
Subject: Complaint about mail from {ip}
Message-ID: <fbl-{number}@postvak.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=\"=_fbl\"

--=_fbl
Content-Type: text/plain; charset=us-ascii

A reader of ours says that this message is not wanted.

--=_fbl
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Postvak/1.4
Version: 1
Source-IP: {ip}
Arrival-Date: {arrival}
Reporting-MTA: dns; mx.postvak.example
Original-Mail-From: <{sender}>
Original-Rcpt-To: <lezer-{number}@postvak.example>

--=_fbl
Content-Type: message/rfc822

From: <{sender}>
To: lezer-{number}@postvak.example
Date: {arrival}
Subject: U heeft gewonnen
Message-ID: <m{number}@mailer.example>

Klik hier.
--=_fbl--
"
    );
    File {
        name: format!("fbl-{number:05}.eml"),
        bytes: text.into_bytes(),
        received,
        door: Door::Maildir,
        statements: vec![statement(sighting)],
        copy: false,
    }
}

/// A day of one of Shadowserver's scans, zipped and attached.
pub(crate) fn zipped(eye: Eye, seen: &[&Sighting], date: &str, day: Time, dice: &mut Dice) -> File {
    let (kind, text) = rows(eye, seen, dice);
    let name = format!("{date}-{kind}-duinhost-asn");
    let received = day.plus(DAY + 4 * HOUR + dice.between(0, 50) * MINUTE);
    let sent = mail_date(received);
    let packed = STANDARD.encode(zip(&format!("{name}.csv"), text.as_bytes()));
    let lines: Vec<&str> = packed.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let body = lines.join("\n");
    let text = format!(
        "From: Shadowserver reports <autoreports@reports.example>
To: {TO}
Date: {sent}
Subject: [duinhost] Shadowserver Duinhost {kind} Report: {date}
Message-ID: <{kind}-{date}@reports.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"=_zip\"

--=_zip
Content-Type: text/plain; charset=us-ascii

The report of {date} is attached.

--=_zip
Content-Type: application/zip; name=\"{name}.zip\"
Content-Disposition: attachment; filename=\"{name}.zip\"
Content-Transfer-Encoding: base64

{body}

--=_zip--
"
    );
    File {
        name: format!("{name}.eml"),
        bytes: text.into_bytes(),
        received,
        door: Door::Maildir,
        statements: seen.iter().map(|sighting| statement(sighting)).collect(),
        copy: false,
    }
}

/// A zip of one file. Nothing can fail in memory; if it did, the file would be empty and the demo would tell.
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let pack = || -> zip::result::ZipResult<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
        Ok(writer.finish()?.into_inner())
    };
    pack().unwrap_or_default()
}

/// A mail that no format understands, and a feedback report that does not say when.
pub(crate) fn oddities(world: &World) -> [File; 2] {
    let angry = world.start.plus(9 * ROUND + 2 * DAY);
    let date = mail_date(angry);
    let (seen, log) = (world.handover.address, angry.plus(-11 * HOUR));
    let angry = File {
        name: "help.eml".to_owned(),
        bytes: format!(
            "From: Henk <henk@voetbalclub.example>
To: {TO}
Date: {date}
Subject: jullie server valt ons aan!!!
Message-ID: <1@voetbalclub.example>
Content-Type: text/plain; charset=utf-8

Sinds gisteravond is onze website traag. Volgens mijn neef komt het bij jullie vandaan. Graag NU stoppen.
Hij vond dit:

{log} web1 sshd[812]: Failed password for root from {seen} port 40126 ssh2

Henk, penningmeester
"
        )
        .into_bytes(),
        received: angry,
        door: Door::Maildir,
        statements: Vec::new(),
        copy: false,
    };
    let at = world.start.plus(22 * ROUND + 3 * DAY);
    let address = Address::from_v4(WEB_SERVERS[0]);
    let undated = File {
        name: "undated.eml".to_owned(),
        bytes: format!(
            "From: filter@oudmail.example
To: {TO}
Subject: spam from {address}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=u

--u
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: OudMail/0.3
Version: 1
Source-IP: {address}

--u--
"
        )
        .into_bytes(),
        received: at,
        door: Door::Maildir,
        statements: vec![Statement { fate: Fate::Undated, kind: Kind::Spam, at, address: Some(address), host: None }],
        copy: false,
    };
    [angry, undated]
}
