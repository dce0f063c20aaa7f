//! `sluis log receipt`: the recipient's side. Whoever got a letter signs that it came, so that nobody has to believe the sender.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use desk::seal::start::seed_of;
use model::time::Time;
use seal::bundle::{self, Bundle, ShownRecord};
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::record::Value;
use sluis_grade::receipt::{FIELD, Of, Receipt, message_digest};
use sluis_verify::files;

use crate::cli::{Globals, time};

/// Sign that a letter came, as its recipient: no node is needed
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis log receipt letter.eml --key customer.key --name customer.example > letter.receipt
  sluis log receipt 17.sluis-evidence --key customer.key --name customer.example --letter 2

The key is made if it is not there; keep it. What is to be known of it is printed beside the receipt: whoever verifies puts it into
the policy as '#sluis recipient PARTY receipt KEY'. Send the receipt to who sent the letter. It says that this message came, not
that it is right.")]
pub(crate) struct Args {
    /// The mail as it came, with its header, or a bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file of the key: 32 bytes, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The name of the key, for example a domain name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Which letter of a bundle, from 1; needed when there are several
    #[arg(long, value_name = "N")]
    letter: Option<usize>,
    /// When it came (default: now)
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Time>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let at = args.at.unwrap_or_else(|| globals.clock().now()).0;
    let bytes = files::bundle(&args.file)?;
    let receipt = match bundle::read(&bytes) {
        Ok(bundle) => of_bundle(&bundle, &bytes, args.letter, at - at.rem_euclid(1_000))?,
        Err(wrong) if bytes.starts_with(b"PK") => bail!("{wrong}"),
        Err(_) => Receipt::of_letter(&bytes, at).map_err(anyhow::Error::msg)?,
    };
    let signer = signer(&args.key, &args.name)?;
    let note = Note::sign(&receipt.text(), &[&signer])?;
    // The receipt alone goes to standard output, so that it can be kept in a file.
    crate::output::warn(&format!("the key that verifies it: {}", signer.key()));
    std::io::stdout().lock().write_all(note.to_string().as_bytes()).context("the receipt cannot be written")?;
    Ok(0)
}

/// The receipt for a letter of a bundle.
fn of_bundle(bundle: &Bundle, bytes: &[u8], letter: Option<usize>, received: i64) -> Result<Receipt> {
    let is_letter = |record: &&ShownRecord| {
        matches!(record.get("event"), Some(Value::Text(event))
            if ["told", "reminded", "warned", "restriction proposed"].contains(&event.as_str()))
    };
    let letters: Vec<&ShownRecord> = bundle.records.iter().filter(is_letter).collect();
    let chosen = match (letter, letters.as_slice()) {
        (_, []) => bail!("no letter is shown in this bundle; of a letter itself, the line '{FIELD}:' says what to sign"),
        (None, [one]) => one,
        (None, several) => bail!("there are {} letters in this bundle: say which with --letter", several.len()),
        (Some(number), several) => {
            let found = number.checked_sub(1).and_then(|at| several.get(at));
            found.with_context(|| format!("there are {} letters in this bundle", several.len()))?
        }
    };
    Ok(Receipt {
        origin: bundle.origin.clone(),
        slot: chosen.slot,
        of: Of::Record(chosen.commitment()),
        message: message_digest(bytes),
        received,
    })
}

/// The key in a file, which is made if it is not there.
fn signer(path: &Path, name: &str) -> Result<Ed25519Signer> {
    let seed = match std::fs::read(path) {
        Ok(bytes) => {
            seed_of(&bytes).with_context(|| format!("{}: a key is 32 bytes, or 64 hexadecimal digits", path.display()))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let seed: [u8; 32] = store::keys::random()?;
            let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
            crate::cli::case::bundle::write(path, digits.as_bytes())?;
            seed
        }
        Err(error) => return Err(error).with_context(|| format!("{}: cannot be read", path.display())),
    };
    Ed25519Signer::new(name, Algorithm::Ed25519, &seed).map_err(|wrong| anyhow::anyhow!("--name: {wrong}"))
}
