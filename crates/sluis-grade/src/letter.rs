//! The grade of one letter: the best that is attached to it, unless it came back.

use seal::record::{Hash, Value};
use sluis_verify::Story;
use sluis_verify::moment::utc;
use sluis_verify::said::{Text, quote};

use crate::bounce::{self, Action};
use crate::evidence::{Attached, Piece};
use crate::mail::{Mail, bare, domain, with_crlf};
use crate::receipt::{self, Of};
use crate::transcript::{self, End};
use crate::{Grade, Graded, ProvedBy, dns, reply, text};

/// What one attachment shows.
struct Finding {
    grade: Option<Grade>,
    proved_by: ProvedBy,
    /// The address that it is about, in lower case, when it says one.
    recipient: Option<String>,
    line: Text,
}

impl Finding {
    fn own(grade: Option<Grade>, line: Text) -> Finding {
        Finding { grade, proved_by: ProvedBy::OwnRecord, recipient: None, line }
    }
}

/// What is known of the letter itself.
struct Letter<'a> {
    story: &'a Story,
    attached: &'a Attached<'a>,
    place: usize,
    commitment: Hash,
    /// The party that it went to.
    party: Option<&'a [u8]>,
    /// Its message as it went, when that is attached.
    messages: Vec<&'a [u8]>,
    /// The identifiers of its message.
    ids: Vec<String>,
    /// The addresses that it went to, in lower case.
    addresses: Vec<String>,
}

/// Grades the letter at a place of the bundle; `None` when there is none.
pub(crate) fn grade(story: &Story, attached: &Attached<'_>, place: usize) -> Option<Graded> {
    let commitment = story.records.get(place)?.commitment;
    let pieces = attached.to(&commitment);
    let letter = Letter::new(story, attached, place, pieces)?;
    let mut findings: Vec<Finding> = pieces.iter().filter_map(|piece| letter.finding(piece)).collect();
    came_back(&mut findings);
    // The best grade, and of equal ones that which the fewest have to be believed for.
    let best = findings
        .iter()
        .enumerate()
        .filter(|(_, one)| one.grade.is_some())
        .min_by_key(|(at, one)| (one.grade, one.proved_by, *at));
    let Some((best, _)) = best else {
        let line = if pieces.is_empty() {
            text(
                "nothing is attached that shows that it left, or came",
                "er is niets bijgevoegd waaruit blijkt dat hij weg is, of aankwam",
            )
        } else {
            text("nothing that is attached shows that it came", "uit niets dat is bijgevoegd blijkt dat hij aankwam")
        };
        let why = findings.into_iter().map(|one| one.line).collect();
        return Some(Graded { record: commitment, grade: None, proved_by: ProvedBy::OwnRecord, line, why });
    };
    let chosen = findings.remove(best);
    let why = findings.into_iter().map(|one| one.line).collect();
    Some(Graded { record: commitment, grade: chosen.grade, proved_by: chosen.proved_by, line: chosen.line, why })
}

/// What came back was not delivered, whatever a server said before; what recipients and third parties prove stands.
fn came_back(findings: &mut [Finding]) {
    let bounced: Vec<Option<String>> =
        findings.iter().filter(|one| one.grade == Some(Grade::F)).map(|one| one.recipient.clone()).collect();
    for one in findings.iter_mut() {
        let is_same = |bounced: &Option<String>| match (bounced, &one.recipient) {
            (Some(bounced), Some(own)) => bounced == own,
            _ => true,
        };
        let is_sending = matches!(one.grade, Some(Grade::D | Grade::E)) && one.proved_by == ProvedBy::OwnRecord;
        if is_sending && bounced.iter().any(is_same) {
            one.grade = None;
        }
    }
}

impl<'a> Letter<'a> {
    fn new(story: &'a Story, attached: &'a Attached<'a>, place: usize, pieces: &[Piece<'a>]) -> Option<Letter<'a>> {
        let record = story.bundle.records.get(place)?;
        let letters = || pieces.iter().filter(|piece| piece.what == "letter");
        let lower = |text: &str| text.trim().to_ascii_lowercase();
        Some(Letter {
            story,
            attached,
            place,
            commitment: story.records.get(place)?.commitment,
            party: match record.get("party") {
                Some(Value::Bytes(party)) => Some(party),
                _ => None,
            },
            messages: letters().filter_map(|piece| piece.content).collect(),
            ids: letters().filter_map(|piece| piece.message_id).map(|id| bare(id).to_owned()).collect(),
            addresses: letters().filter_map(|piece| piece.recipient).map(lower).collect(),
        })
    }

    fn finding(&self, piece: &Piece<'_>) -> Option<Finding> {
        let Some(content) = piece.content else {
            let what = quote(piece.what);
            let line = text(
                format!("a {what} is not shown, or is too large to be read"),
                format!("een {what} wordt niet getoond, of is te groot om te lezen"),
            );
            return (piece.what != "letter").then(|| Finding::own(None, line));
        };
        match piece.what {
            // What was sent shows nothing of its coming.
            "letter" => None,
            _ if dns::is_one(content) => None,
            "receipt" => Some(self.receipt(content)),
            "transcript" => Some(self.transcript(piece, content)),
            "bounce" => Some(self.bounce(piece, content)),
            "reply" => Some(self.reply(piece, content)),
            what => {
                let what = quote(what);
                Some(Finding::own(
                    None,
                    text(format!("a {what} is attached, not checked"), format!("een {what} is bijgevoegd, niet gecontroleerd")),
                ))
            }
        }
    }

    /// A: what the recipient signed.
    fn receipt(&self, content: &[u8]) -> Finding {
        if !receipt::is_one(content) {
            // Qualified delivery and portals say such things in forms of their own, which nobody here can check.
            return Finding::own(
                None,
                text(
                    "a receipt in another form is attached, not checked: it counts as the sender's own record",
                    "een ontvangstbewijs in een andere vorm is bijgevoegd, niet gecontroleerd: het telt als eigen administratie van de afzender",
                ),
            );
        }
        match self.signed_for(content) {
            Ok(finding) => finding,
            Err(why) => Finding::own(
                None,
                text(
                    format!("a receipt is attached that counts as the sender's own record: {why}"),
                    format!("er is een ontvangstbewijs bijgevoegd dat telt als eigen administratie van de afzender ({why})"),
                ),
            ),
        }
    }

    fn signed_for(&self, content: &[u8]) -> Result<Finding, &'static str> {
        let party = self.party.ok_or("which party the letter went to is not shown")?;
        let policy = self.attached.policy.ok_or("there is no policy")?;
        let receipt = receipt::open(content, party, policy)?;
        let record = self.story.bundle.records.get(self.place).ok_or("there is no such record")?;
        if receipt.origin != self.story.bundle.origin || receipt.slot != record.slot {
            return Err("it is for another record");
        }
        let is_of = match receipt.of {
            Of::Record(of) => of == self.commitment,
            Of::Prev(of) => match record.get("prev") {
                Some(Value::Digest(prev)) => of == Some(*prev),
                _ => of.is_none(),
            },
        };
        if !is_of {
            return Err("it is for another record");
        }
        let is_attached = self.messages.iter().any(|message| receipt::message_digest(message) == receipt.message);
        // The file of a receipt is a message too, which no bundle can hold.
        if !is_attached && !self.messages.is_empty() && matches!(receipt.of, Of::Prev(_)) {
            return Err("it is for another message than the one that is attached");
        }
        let at = utc(receipt.received);
        let (en, nl) = if is_attached {
            ("for exactly the letter that is attached", "voor precies de brief die is bijgevoegd")
        } else {
            ("for a message that is not attached", "voor een bericht dat niet is bijgevoegd")
        };
        Ok(Finding {
            grade: Some(Grade::A),
            proved_by: ProvedBy::Recipient,
            recipient: None,
            line: text(
                format!("the recipient signed {en}, received at {at}"),
                format!("de ontvanger tekende {nl}, ontvangen op {at}"),
            ),
        })
    }

    /// D or E: what the sender's own mail server wrote down.
    fn transcript(&self, piece: &Piece<'_>, content: &[u8]) -> Finding {
        let Some(written) = transcript::parse(content) else {
            return Finding::own(
                None,
                text(
                    "a transcript is attached, in no form that is checked",
                    "een verslag van verzending is bijgevoegd, in geen vorm die gecontroleerd wordt",
                ),
            );
        };
        let host = quote(&written.host);
        let at = utc(written.at);
        let wanted = piece.recipient.map(|one| one.trim().to_ascii_lowercase());
        let refused = |said: &str| {
            text(
                format!("{host} refused it at {at}, as the sender wrote down: {}", quote(said)),
                format!("{host} weigerde hem op {at}, naar de afzender opschreef: {}", quote(said)),
            )
        };
        let mut finding = match &written.end {
            End::Refused(said) => Finding::own(Some(Grade::F), refused(said)),
            End::Open => Finding::own(
                None,
                text(
                    format!("a transcript with {host} ends before the letter was taken"),
                    format!("een verslag met {host} eindigt voordat de brief werd aangenomen"),
                ),
            ),
            End::Accepted(_) if wanted.as_ref().is_some_and(|wanted| !written.recipients.contains(wanted)) => Finding::own(
                None,
                text(
                    "a transcript is attached that is about another address",
                    "er is een verslag bijgevoegd dat over een ander adres gaat",
                ),
            ),
            End::Accepted(said) => match (written.is_recipients, written.checked) {
                (true, Some(how)) => Finding::own(
                    Some(Grade::D),
                    text(
                        format!(
                            "accepted by MX {host} at {at}, over TLS checked by {how}, as the sender wrote down: {}",
                            quote(said)
                        ),
                        format!(
                            "aangenomen door MX {host} op {at}, over TLS gecontroleerd met {how}, naar de afzender opschreef: {}",
                            quote(said)
                        ),
                    ),
                ),
                (true, None) => Finding::own(
                    Some(Grade::E),
                    text(
                        format!(
                            "accepted by {host} at {at}, as the sender wrote down; that it is the recipient's was not checked (no DANE, no MTA-STS)"
                        ),
                        format!(
                            "aangenomen door {host} op {at}, naar de afzender opschreef; dat die van de ontvanger is, werd niet gecontroleerd (geen DANE, geen MTA-STS)"
                        ),
                    ),
                ),
                (false, _) => Finding::own(
                    Some(Grade::E),
                    text(
                        format!("handed to {host}, a mail server of the sender, at {at}, as the sender wrote down"),
                        format!("overgedragen aan {host}, een mailserver van de afzender, op {at}, naar de afzender opschreef"),
                    ),
                ),
            },
        };
        finding.recipient = wanted.or_else(|| written.recipients.first().cloned());
        finding
    }

    /// F: that it came back.
    fn bounce(&self, piece: &Piece<'_>, content: &[u8]) -> Finding {
        let wanted = piece.recipient.map(|one| one.trim().to_ascii_lowercase());
        let whole = with_crlf(content);
        let report = Mail::parse(&whole).and_then(|mail| Some((bounce::parse(&mail)?, mail)));
        let Some((report, mail)) = report else {
            // What the sender says against himself is taken as it is.
            let line = text(
                "it came back, says the sender; what is attached is no report of delivery (RFC 3464)",
                "hij kwam terug, zegt de afzender; wat is bijgevoegd, is geen afleverbericht (RFC 3464)",
            );
            return Finding { recipient: wanted, ..Finding::own(Some(Grade::F), line) };
        };
        let is_about = report.about.as_ref().is_none_or(|about| self.ids.is_empty() || self.ids.contains(about));
        let about = |action: Action| {
            report
                .recipients
                .iter()
                .find(|(whom, what, _)| *what == action && wanted.as_ref().is_none_or(|wanted| whom == wanted))
        };
        if !is_about {
            return Finding::own(
                None,
                text(
                    "a report of delivery is attached that is about another message",
                    "er is een afleverbericht bijgevoegd dat over een ander bericht gaat",
                ),
            );
        }
        let Some((whom, _, status)) = about(Action::Failed) else {
            let passed = about(Action::Passed).is_some();
            let (en, nl) = if passed { ("passed on", "doorgegeven") } else { ("not failed", "niet mislukt") };
            return Finding::own(
                None,
                text(
                    format!("a report of delivery is attached that says: {en}; it proves no delivery"),
                    format!("er is een afleverbericht bijgevoegd dat zegt: {nl}; het bewijst geen aflevering"),
                ),
            );
        };
        let vouched = reply::vouched(&mail, &self.attached.observations, piece.at_the_latest);
        let (proved_by, en, nl) = match &vouched {
            Ok(by) => (
                ProvedBy::ThirdParty,
                format!(", signed by {}, whose key {} saw", quote(&by.domain), quote(&by.observer)),
                format!(", ondertekend door {}, wier sleutel {} zag", quote(&by.domain), quote(&by.observer)),
            ),
            Err(_) => (ProvedBy::OwnRecord, String::new(), String::new()),
        };
        Finding {
            grade: Some(Grade::F),
            proved_by,
            recipient: Some(whom.clone()),
            line: text(
                format!("it came back for {}, status {status}{en}", quote(whom)),
                format!("hij kwam terug voor {}, status {status}{nl}", quote(whom)),
            ),
        }
    }

    /// An answer. It proves something only when somebody else vouches for the key that signed it.
    fn reply(&self, piece: &Piece<'_>, content: &[u8]) -> Finding {
        let own = |why: &str| {
            Finding::own(
                None,
                text(
                    format!("a reply is attached that counts as the sender's own record: {why}"),
                    format!("er is een antwoord bijgevoegd dat telt als eigen administratie van de afzender ({why})"),
                ),
            )
        };
        let whole = with_crlf(content);
        let Some(mail) = Mail::parse(&whole) else { return own("it is no mail") };
        let vouched = match reply::vouched(&mail, &self.attached.observations, piece.at_the_latest) {
            Ok(vouched) => vouched,
            Err(why) => return own(why),
        };
        if !self.ids.iter().any(|id| vouched.answers(id)) {
            return own("what is signed does not say that it answers this letter");
        }
        if !self.addresses.iter().any(|address| domain(address) == domain(&vouched.from)) {
            return own("it is not from the domain that the letter went to");
        }
        let (from, observer) = (quote(&vouched.from), quote(&vouched.observer));
        let (en, nl) = if reply::is_automatic(&mail) {
            ("answered by a program, and by no person", "beantwoord door een programma, en niet door een mens")
        } else {
            ("answered", "beantwoord")
        };
        Finding {
            grade: Some(Grade::D),
            proved_by: ProvedBy::ThirdParty,
            recipient: Some(vouched.from.clone()),
            line: text(
                format!("{en}: a mail from {from}, signed by its domain with a key that {observer} saw in the DNS"),
                format!("{nl}: een mail van {from}, ondertekend door haar domein met een sleutel die {observer} in de DNS zag"),
            ),
        }
    }
}
