//! The page of addresses that the school network of the city of Taichung blocks, with the reason.

use model::time::Time;

use super::super::{Fit, Format, Proven};
use super::html_table;
use crate::kinds::html;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Sheet, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::address::Address;

/// Taichung's page.
pub const FORMAT: Format = Format {
    name: "taichung",
    title: "Taichung's school network: blocked addresses, a web page",
    senders: &["Taichung City Education Bureau", "tc.edu.tw"],
    fields: &[
        ("the second cell, its flag", "address, source_country"),
        ("the third cell", "kind, description"),
        ("the fifth cell", "time"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    if html_table::says(prefix, "tc.edu.tw") && html_table::says(prefix, "netflowTable") { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "taichung",
    sender: Sender { org: "Taichung City Education Bureau", contact: "", domain: "tc.edu.tw" },
    class: rsit::OTHER,
    columns: &[
        ("number", Means::Skip),
        ("address", Means::Address),
        ("reason", Means::Text("description")),
        ("flows", Means::Keep),
        ("since", Means::Time(Written::Like(taipei))),
        ("days", Means::Skip),
        ("country", Means::Country),
    ],
    each: Some(reason),
    ..Layout::PLAIN
};

/// Times are those of Taipei, eight hours before UTC and without a summer time.
fn taipei(text: &[u8]) -> Option<Time> {
    Time::parse(text).map(|time| time.plus(-8 * 3_600_000))
}

fn reason(row: &mut Row<'_>) -> Result<(), String> {
    let reason = row.get_text("reason").to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    row.class = match () {
        () if says(&["SCAN"]) => rsit::SCANNER,
        () if says(&["DDOS", "DOS "]) => rsit::DDOS,
        () if says(&["SSH", "RDP", "LOGIN", "ATTACK", "BRUTE"]) => rsit::BRUTE_FORCE,
        () if says(&["SPAM"]) => rsit::SPAM,
        // A place where malware is stored.
        () if says(&["惡意程式"]) => rsit::MALWARE_DISTRIBUTION,
        () => row.class,
    };
    Ok(())
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(text) = html_table::page(reading, source)? else { return Ok(()) };
    let mut sheet = Sheet::new(&LAYOUT, LAYOUT.columns.iter().map(|(name, _)| (*name).to_owned()).collect(), reading);
    html::rows(&text, |row| {
        let [number, address, reason, flows, since, days, ..] = row.cells.as_slice() else { return Ok(()) };
        let numbered = !number.text.is_empty() && number.text.bytes().all(|byte| byte.is_ascii_digit());
        if row.head || (!numbered && Address::parse(address.text.as_bytes()).is_none()) {
            return Ok(());
        }
        let flag = address.picture.rsplit_once("/flags/").and_then(|(_, file)| file.split_once('.'));
        let values = [number, address, reason, flows, since, days].map(|cell| &*cell.text);
        let mut members: Vec<_> =
            LAYOUT.columns.iter().zip(values).map(|((name, _), value)| ((*name).to_owned(), value.into())).collect();
        members.push(("country".to_owned(), flag.map_or("", |(country, _)| country).into()));
        let ordinal = reading.ordinal();
        objects::put(reading, &mut sheet, members, ordinal, &format!("line {}", row.line), html_table::text(&row).as_bytes())
    })?;
    if reading.statements() == 0 {
        reading.unreadable("the page of Taichung's school network has no table of blocked addresses");
    }
    Ok(())
}
