//! Lists of addresses that are asked by DNS (RFC 5782) about ranges of our own: each address in turn, and the answers are one submission.
//!
//! A list that is gone, or that does not like to be asked, often answers for every name. So before each look it is tried (RFC 5782 section 5):
//! 127.0.0.2 must be listed, 127.0.0.1 must not; and an answer that is no listing ends the look with nothing taken in.

mod wire;

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use desk::Desk;
use desk::fetches::Came;
use model::address::{Address, Range};
use store::submissions::Receipt;

use super::{Asked, Fetcher};
use crate::serve::config_feed::{FeedConfig, PLACE};
use wire::Reply;

/// Questions that are under way at the same time.
const TOGETHER: usize = 64;
/// How long an answer may take, and how often it is asked for.
const PATIENCE: Duration = Duration::from_secs(3);
const TRIES: u8 = 3;
/// Of so many questions one may stay without an answer.
const LOSS: usize = 100;

/// A list, and what it is asked about.
pub(super) struct Dnsbl {
    /// With what is secret in it.
    zone: String,
    /// Without.
    name: String,
    server: SocketAddr,
    ranges: Vec<Range>,
    gap: Duration,
}

impl Dnsbl {
    /// # Errors
    /// When its secret fits into no name, or this machine names no server.
    pub(super) fn new(config: &FeedConfig, secret: Option<&str>) -> Result<Dnsbl> {
        let zone = config.zone.replace(PLACE, secret.unwrap_or_default());
        ensure!(wire::question(0, &wire::name_of(Address::from_v4(1).ip(), &zone)).is_some(), "zone: this is no name");
        let server = match config.server()? {
            Some(server) => server,
            None => of_system(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
                .context("server: /etc/resolv.conf names none; name one, as in server = \"127.0.0.1\"")?,
        };
        let gap = Duration::from_secs(1) / u32::from(config.per_second.max(1));
        Ok(Dnsbl { zone, name: config.zone_shown().to_owned(), server, ranges: config.ranges()?, gap })
    }

    /// Asks about all of them, and hands in what is listed. When nothing is, nothing is handed in.
    pub(super) fn look(&self, feed: &Fetcher, desk: &Desk) -> Asked {
        let tried = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST].map(IpAddr::V4);
        let stops = || desk.is_stopping();
        match self.ask(&mut tried.into_iter(), &stops) {
            Err(why) => return Asked::failed(why),
            Ok(found) if !found.iter().any(|(address, _)| *address == tried[0]) => {
                return Asked::failed(
                    "it does not list 127.0.0.2, which every list does that works: is the zone right, and may it be asked from here?",
                );
            }
            Ok(found) if found.len() > 1 => {
                return Asked::failed("it lists 127.0.0.1, so it lists everything: it is no list any more");
            }
            Ok(_) => {}
        }
        let all = self.ranges.iter().flat_map(|range| (range.first.0..=range.last.0).map(|number| Address(number).ip()));
        let found = match self.ask(&mut all.into_iter(), &stops) {
            Err(why) => return Asked::failed(why),
            Ok(found) => found,
        };
        let none = String::new;
        if found.is_empty() {
            return Asked { came: Came::Same { etag: none(), modified: none() }, received: 0, wait: None };
        }
        let text = self.text(&found, &desk.now().to_string());
        match feed.receive(desk, &feed.file, text.as_bytes()) {
            Ok((receipt, _)) => {
                // When it was asked is in the text; whether it says something new is not.
                let digest = store::keys::sha256(self.text(&found, "").as_bytes());
                let received = u32::from(matches!(receipt, Receipt::New(_)));
                Asked { came: Came::New { etag: none(), modified: none(), digest }, received, wait: None }
            }
            Err(why) => Asked::failed(why),
        }
    }

    /// What is handed in: a line for each answer.
    fn text(&self, found: &[(IpAddr, Vec<Ipv4Addr>)], now: &str) -> String {
        let mut text = "# address list answer when\n".to_owned();
        for (address, answers) in found {
            for answer in answers {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{address} {} {answer} {now}", self.name);
            }
        }
        text
    }

    /// What is listed of these, in their order.
    ///
    /// # Errors
    /// Why nothing can be concluded, in words that name nobody.
    fn ask(
        &self,
        addresses: &mut dyn Iterator<Item = IpAddr>,
        stops: &dyn Fn() -> bool,
    ) -> Result<Vec<(IpAddr, Vec<Ipv4Addr>)>, String> {
        let failed = |error: io::Error| format!("its name server cannot be asked: {error}");
        let any = if self.server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        // Only what comes from there is taken.
        socket.connect(self.server).map_err(failed)?;
        socket.set_read_timeout(Some(Duration::from_millis(5))).map_err(failed)?;
        let (mut under_way, mut again) = (HashMap::<u16, Question>::new(), VecDeque::<Question>::new());
        let (mut found, mut asked, mut lost) = (Vec::new(), 0usize, 0usize);
        let mut next = Instant::now();
        let mut bytes = [0; wire::LARGEST];
        loop {
            if stops() {
                return Err("the program was asked to stop".to_owned());
            }
            if under_way.len() < TOGETHER && Instant::now() >= next {
                let fresh = || {
                    addresses.next().map(|address| Question { address, order: asked, tries: 0, bytes: Vec::new(), sent: next })
                };
                match again.pop_front().or_else(fresh) {
                    Some(mut question) => {
                        asked += usize::from(question.tries == 0);
                        let number = free(&under_way)?;
                        let name = wire::name_of(question.address, &self.zone);
                        question.bytes = wire::question(number, &name).ok_or("its zone is too long for these addresses")?;
                        (question.tries, question.sent) = (question.tries + 1, Instant::now());
                        // What cannot be sent gets no answer, and is sent again.
                        let _ = socket.send(&question.bytes);
                        under_way.insert(number, question);
                        next = Instant::now() + self.gap;
                    }
                    None if under_way.is_empty() => break,
                    None => {}
                }
            }
            if let Ok(count) = socket.recv(&mut bytes) {
                let answer = bytes.get(..count).unwrap_or_default();
                let number = wire::number(answer).filter(|number| under_way.contains_key(number));
                let said = number.and_then(|number| Some((number, wire::reply(answer, &under_way.get(&number)?.bytes)?)));
                if let Some((number, Reply::Addresses(answers))) = said {
                    if let Some(question) = under_way.remove(&number).filter(|_| !answers.is_empty()) {
                        check(&answers)?;
                        found.push((question.order, question.address, answers));
                    }
                } else if let Some((number, Reply::Trouble)) = said {
                    again.extend(under_way.remove(&number));
                }
            }
            let late: Vec<u16> =
                under_way.iter().filter(|(_, question)| question.sent.elapsed() > PATIENCE).map(|(number, _)| *number).collect();
            again.extend(late.iter().filter_map(|number| under_way.remove(number)));
            let before = again.len();
            again.retain(|question| question.tries < TRIES);
            lost += before - again.len();
            if lost > asked.max(LOSS) / LOSS {
                break;
            }
        }
        // What was not answered is not said to be well.
        if lost > asked / LOSS {
            return Err(format!("{lost} of {asked} questions were not answered"));
        }
        found.sort_unstable_by_key(|(order, ..)| *order);
        Ok(found.into_iter().map(|(_, address, answers)| (address, answers)).collect())
    }
}

/// A question that is under way.
struct Question {
    address: IpAddr,
    order: usize,
    tries: u8,
    bytes: Vec<u8>,
    sent: Instant,
}

/// A number that nobody can guess and no other question has.
fn free(under_way: &HashMap<u16, Question>) -> Result<u16, String> {
    loop {
        let number =
            store::keys::random().map(u16::from_be_bytes).map_err(|_| "this system gives no random numbers".to_owned())?;
        if !under_way.contains_key(&number) {
            return Ok(number);
        }
    }
}

/// Whether these are listings.
fn check(answers: &[Ipv4Addr]) -> Result<(), String> {
    match answers.iter().find(|answer| !matches!(answer.octets(), [127, second, third, _] if (second, third) != (255, 255))) {
        None => Ok(()),
        Some(answer) if answer.octets()[0] == 127 => {
            Err(format!("it refuses to be asked ({answer}): ask it through a name server of your own, or with a key"))
        }
        Some(_) => {
            Err("it answers with an address that is no listing: it is no list any more, or the name server makes answers up"
                .to_owned())
        }
    }
}

/// The first name server of resolv.conf(5).
fn of_system(text: &str) -> Option<SocketAddr> {
    let servers =
        text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.split_whitespace().next()?.parse::<IpAddr>().ok());
    servers.map(|address| SocketAddr::new(address, 53)).next()
}

#[cfg(test)]
pub(super) mod tests;
