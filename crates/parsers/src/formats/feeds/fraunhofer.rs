//! Lists of DGArchive (Fraunhofer FKIE): domain names that malware makes up, by the family and seed that made them, JSON.
//!
//! The names are foretold: that one of them is used is not said, nor by whom, and now and then malware makes up a name that somebody
//! innocent has. So they are intelligence.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::fetched_from;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Sheet, When};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// DGArchive.
pub const FORMAT: Format = Format {
    name: "fraunhofer",
    title: "DGArchive of Fraunhofer FKIE: names that malware makes up, JSON",
    senders: &["Fraunhofer FKIE", "dgarchive.caad.fkie.fraunhofer.de"],
    fields: &[
        ("items of the lists", "domain, address"),
        ("names of the lists, up to _dga", "malware_family"),
        ("when it was fetched", "time"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let members = prefix.members();
    let made_up = !members.is_empty() && members.iter().take(3).all(|name| name.contains("_dga"));
    match made_up {
        true => Fit::Certain,
        false if !members.is_empty() && fetched_from(prefix.location, "dgarchive.caad.fkie.fraunhofer.de").is_some() => {
            Fit::Likely
        }
        false => Fit::No,
    }
}

static LAYOUT: Layout = Layout {
    feed: "dgarchive",
    sender: Sender { org: "Fraunhofer FKIE", contact: "", domain: "fkie.fraunhofer.de" },
    class: rsit::DGA_DOMAIN,
    columns: &[("name", Means::Host), ("family", Means::Text("malware_family")), ("list", Means::Keep)],
    when: When::Received,
    ..Layout::PLAIN
};

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.whole;
    let Some(bytes) = source.read_whole(limit)? else {
        reading.unreadable(format!("the document is larger than {limit} bytes"));
        return Ok(());
    };
    let mut sheet = Sheet::new(&LAYOUT, LAYOUT.columns.iter().map(|(name, _)| (*name).to_owned()).collect(), reading);
    let mut stop = None;
    let walk = Walk { reading, sheet: &mut sheet, list: Cow::Borrowed(""), stop: &mut stop };
    let mut document = serde_json::Deserializer::from_slice(&bytes);
    let read = walk.deserialize(&mut document).and_then(|()| document.end());
    if let Some(stop) = stop {
        return Err(stop);
    }
    if let Err(error) = read {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, "", b"", format!("reading stopped here: it is not JSON: {error}"));
    }
    Ok(())
}

/// Goes through the document without holding more of it than a name.
struct Walk<'w, 'a> {
    reading: &'w mut Reading<'a>,
    sheet: &'w mut Sheet,
    /// The list that is being read; empty outside of lists.
    list: Cow<'w, str>,
    stop: &'w mut Option<Stop>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_, '_> {
    fn one(&mut self, name: &str) {
        if self.stop.is_some() {
            return;
        }
        let list = &*self.list;
        let family = list.split_once("_dga").map_or(list, |(family, _)| family);
        let members = vec![
            ("name".to_owned(), Cow::Borrowed(name)),
            ("family".to_owned(), Cow::Borrowed(family)),
            ("list".to_owned(), Cow::Borrowed(list)),
        ];
        let ordinal = self.reading.ordinal();
        *self.stop = objects::put(self.reading, self.sheet, members, ordinal, list, name.as_bytes()).err();
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lists of names by family")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let outer = self.list.is_empty();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            // Lists stand in the outermost object alone.
            if outer && self.stop.is_none() {
                map.next_value_seed(Walk {
                    reading: &mut *self.reading,
                    sheet: &mut *self.sheet,
                    list: name,
                    stop: &mut *self.stop,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Walk {
                reading: &mut *self.reading,
                sheet: &mut *self.sheet,
                list: Cow::Borrowed(&self.list),
                stop: &mut *self.stop,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E>(mut self, name: &str) -> Result<(), E> {
        self.one(name);
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.one(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.one(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.one(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.one(&value.to_string());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
