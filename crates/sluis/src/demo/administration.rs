//! What the demo's provider hands over: an export of its customers, and its objects in the registry's database.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::assignment::Level;
use model::time::{DAY, Time};

use super::world::{PROVIDER, RESELLERS, World};

/// The customers' source.
pub(crate) const CUSTOMERS: &str = "whmcs-export";
/// The registry's.
pub(crate) const REGISTRY: &str = "ripe";
/// Days for which an export still names what has ended. Before the next export nothing may come and go unseen.
const REMEMBERED: i64 = 31 * DAY;

/// The export of `at`: what is held then, and what ended not long before, in the columns that Sluis documents.
pub(crate) fn customers(world: &World, at: Time) -> String {
    let mut text =
        "resource,from,to,level,party,party_name,parent,roles,contact_mail,domains,country,language,service,product\n".to_owned();
    for holding in &world.holdings {
        let (from, to) = (holding.period.start(), holding.period.end());
        if holding.party == PROVIDER || from > at || to < at.plus(-REMEMBERED) {
            continue;
        }
        let party = &world.parties[holding.party];
        // An export is made of what has happened: ends that lie ahead are not in it.
        let to = holding.period.to.filter(|to| *to <= at).map_or_else(String::new, |to| to.to_string());
        let parent = world.parent(holding.party, at).map_or("", |parent| world.parties[parent].reference.as_str());
        let is_reseller = RESELLERS.contains(&holding.party);
        let (role, mailbox) = if is_reseller { ("reseller", "abuse") } else { ("customer", "info") };
        let _ = writeln!(
            text,
            "{},{from},{to},{},{},{},{parent},{role},{mailbox}@{},{},NL,nl,{},{}",
            holding.resource,
            holding.level.word(),
            party.reference,
            party.name,
            party.domain,
            party.domain,
            holding.service,
            holding.product,
        );
    }
    text
}

/// Parties of which the export of `at` says that they hold something now.
pub(crate) fn active(world: &World, at: Time) -> usize {
    let holds = world.holdings.iter().filter(|holding| holding.level == Level::Assigned && holding.period.contains(at));
    holds.map(|holding| holding.party).collect::<BTreeSet<_>>().len()
}

/// The provider in the registry's database (RPSL).
pub(crate) fn registry(world: &World) -> String {
    let provider = &world.parties[PROVIDER];
    let (org, name, domain) = (&provider.reference, &provider.name, &provider.domain);
    let mut text = format!(
        "% The provider of the demo, as a registry would have it. Every name is made up.

organisation:   {org}
org-name:       {name}
org-type:       LIR
country:        NL
language:       nl
abuse-c:        DUIN1-TEST
e-mail:         noc@{domain}
mnt-by:         DUIN-MNT
source:         TEST

role:           Duinhost Abuse
nic-hdl:        DUIN1-TEST
abuse-mailbox:  abuse@{domain}
mnt-by:         DUIN-MNT
source:         TEST

aut-num:        AS64500
as-name:        DUINHOST
org:            {org}
mnt-by:         DUIN-MNT
source:         TEST
"
    );
    for holding in world.holdings.iter().filter(|holding| holding.party == PROVIDER) {
        let resource = holding.resource.to_string();
        let v6 = resource.contains(':');
        let (class, route, status) =
            if v6 { ("inet6num", "route6", "ALLOCATED-BY-RIR") } else { ("inetnum", "route", "ALLOCATED PA") };
        let created = holding.period.start();
        let _ = write!(
            text,
            "
{class}:        {resource}
netname:        NL-DUINHOST
org:            {org}
country:        NL
status:         {status}
mnt-by:         DUIN-MNT
created:        {created}
source:         TEST

{route}:          {resource}
origin:         AS64500
mnt-by:         DUIN-MNT
source:         TEST
"
        );
    }
    text
}
