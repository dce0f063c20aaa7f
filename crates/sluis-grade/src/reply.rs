//! Replies: whether a mail is from the recipient's domain, signed there, about the letter, and written by a person.

use crate::dkim::{self, is_within};
use crate::dns::Observation;
use crate::mail::{Mail, address, bare, domain, identifiers};

/// Who vouches for a mail that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// The address that it is from.
    pub(crate) from: String,
    /// Whose signature holds.
    pub(crate) domain: String,
    /// Who saw the key in the DNS.
    pub(crate) observer: String,
    /// The values of fields that are signed, by their names.
    signed: Vec<(String, String)>,
}

/// Who vouches for this mail, which time-stamps fixed at `moment` at the latest; else why nobody but who attached it does.
pub(crate) fn vouched(mail: &Mail<'_>, observations: &[Observation], moment: Option<i64>) -> Result<Vouched, &'static str> {
    let signatures = dkim::signatures(mail)?;
    let froms: Vec<String> = mail.fields.iter().filter(|field| field.name == "from").map(|field| field.text()).collect();
    let from = match froms.as_slice() {
        [from] => address(from).ok_or("who it is from cannot be read")?,
        _ => return Err("it does not say once who it is from"),
    };
    let moment = moment.ok_or("nothing proves when it was there")?;
    let mut why = "its signature is not of the domain that it is from";
    for signature in &signatures {
        if !domain(&from).is_some_and(|from| is_within(from, &signature.domain)) {
            continue;
        }
        why = "no independent observer signed which key stood in the DNS then, so the key is the sender's own word";
        for seen in observations.iter().filter(|seen| seen.is_of(&signature.name, moment)) {
            match signature.holds(&seen.record) {
                Err(wrong) => why = wrong,
                Ok(()) => {
                    let fields = signature.covers.iter().filter_map(|at| mail.fields.get(*at));
                    let signed = fields.map(|field| (field.name.clone(), field.text())).collect();
                    return Ok(Vouched { from, domain: signature.domain.clone(), observer: seen.holder.clone(), signed });
                }
            }
        }
    }
    Err(why)
}

impl Vouched {
    /// Whether what is signed says that it answers the mail of this identifier.
    pub(crate) fn answers(&self, id: &str) -> bool {
        let names = self.signed.iter().filter(|(name, _)| matches!(name.as_str(), "in-reply-to" | "references"));
        let id = bare(id);
        !id.is_empty() && names.into_iter().any(|(_, value)| identifiers(value).contains(&id))
    }
}

/// Whether a program wrote it (RFC 3834, and what programs do in its place).
pub(crate) fn is_automatic(mail: &Mail<'_>) -> bool {
    let has = |name: &str, values: &[&str]| {
        mail.fields.iter().filter(|field| field.name == name).any(|field| {
            let text = field.text().to_ascii_lowercase();
            let word = text.split([';', ' ']).next().unwrap_or_default();
            values.is_empty() || values.contains(&word)
        })
    };
    let answers_itself = mail.fields.iter().filter(|field| field.name == "auto-submitted").any(|field| {
        let text = field.text().to_ascii_lowercase();
        text.split([';', ' ']).next() != Some("no")
    });
    let names = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"];
    let from = mail.text("from").and_then(|from| address(&from)).unwrap_or_default();
    answers_itself
        || has("precedence", &["bulk", "junk", "list", "auto_reply", "auto-reply"])
        || has("return-path", &["<>"])
        || ["x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "list-id"].iter().any(|name| has(name, &[]))
        || mail.media() == "multipart/report"
        || names.contains(&from.split('@').next().unwrap_or_default())
}
