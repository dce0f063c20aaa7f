//! Addresses of cryptocurrencies: only those with a checksum, and only in the chain that the address itself names.
//!
//! Canonical bytes: the chain (a byte), then the payload that the checksum covers. For base58 that is the version byte and the hash, for a
//! segwit address [`WITNESS`] plus the version and the program, so that an address has one form however it was written.

use sha3::{Digest as _, Keccak256};

use super::{
    super::{Class, Token},
    Invalid, Wrong, refuse,
    text::{after_colon, is_blank},
    token, trimmed,
};
use crate::sha256;

const CLASS: Class = Class::Crypto;
/// What is added to the version of a witness program; no base58 version of these chains is that high.
const WITNESS: u8 = 0xc0;
const BITCOIN: u8 = 1;
const ETHEREUM: u8 = 2;
const TRON: u8 = 3;
const LITECOIN: u8 = 4;
const MONERO: u8 = 5;
const DOGECOIN: u8 = 6;
const DASH: u8 = 7;

const LABELS: [&str; 20] = [
    "bitcoin", "ethereum", "litecoin", "monero", "dogecoin", "tron", "dash", "wallet", "adres", "address", "BTC", "ETH", "LTC",
    "XMR", "TRX", "DOGE", "USDT", "TRC20", "ERC20", "pay",
];

/// The address of a wallet: Bitcoin (base58 and bech32), Ethereum and chains with its addresses, Tron, Litecoin, Monero, Dogecoin, Dash. A
/// link ("bitcoin:1...?amount=1") is read as its address.
///
/// An integrated Monero address is read as the wallet it belongs to. A base58 address that starts with 3 is Bitcoin's, which Litecoin wrote
/// so too until 2017.
///
/// # Errors
/// When its checksum does not fit, or it is of a chain whose addresses have none.
pub fn crypto(text: &str) -> Result<Token, Invalid> {
    let text = after_colon(trimmed(CLASS, text)?, &LABELS);
    // "BTC 1...": a label without its colon, which no address has within it.
    let text = text
        .rsplit_once(is_blank)
        .filter(|(label, _)| LABELS.iter().any(|known| known.eq_ignore_ascii_case(label)))
        .map_or(text, |(_, rest)| rest);
    let address = text.split(['?', '&', '@']).next().unwrap_or(text).trim_start_matches("//");
    if address.is_empty() {
        return refuse(CLASS, Wrong::Empty);
    }
    if address.len() > 120 {
        return refuse(CLASS, Wrong::TooLong);
    }
    if !address.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return refuse(CLASS, Wrong::Form("letters and digits alone; a name in a chain is not an address"));
    }
    if let Some(hex) = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X")) {
        return ethereum(hex);
    }
    if address.len() == 40 && address.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return refuse(CLASS, Wrong::Form("an Ethereum address starts with 0x"));
    }
    let lower = address.to_ascii_lowercase();
    for (start, chain) in [("bc1", BITCOIN), ("ltc1", LITECOIN)] {
        if lower.starts_with(start) {
            return segwit(chain, address);
        }
    }
    if lower.starts_with("tb1") || lower.starts_with("bcrt1") {
        return refuse(CLASS, Wrong::Nobody("an address of a test network"));
    }
    match address.len() {
        25..=36 => base58(address),
        95 | 106 if address.starts_with(['4', '8']) => monero(address),
        _ => refuse(CLASS, Wrong::NotCompared("not an address of Bitcoin, Ethereum, Tron, Litecoin, Monero, Dogecoin or Dash")),
    }
}

/// Forty hexadecimal digits. Where small letters and capitals are mixed they are the checksum (ERC-55).
fn ethereum(hex: &str) -> Result<Token, Invalid> {
    if hex.len() != 40 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return refuse(CLASS, Wrong::Length("0x and forty hexadecimal digits", hex.len()));
    }
    let lower = hex.to_ascii_lowercase();
    let mixed = hex.bytes().any(|byte| byte.is_ascii_lowercase()) && hex.bytes().any(|byte| byte.is_ascii_uppercase());
    if mixed {
        let hash = Keccak256::digest(lower.as_bytes());
        let right = hex.bytes().enumerate().all(|(at, byte)| {
            let half = hash.get(at / 2).map_or(0, |byte| if at % 2 == 0 { byte >> 4 } else { byte & 15 });
            byte.is_ascii_digit() || byte.is_ascii_uppercase() == (half >= 8)
        });
        if !right {
            return refuse(CLASS, Wrong::Checksum);
        }
    }
    let digits: Vec<u8> =
        lower.chars().filter_map(|letter| letter.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    let mut bytes = vec![ETHEREUM];
    bytes.extend(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)));
    if bytes.iter().skip(1).all(|byte| *byte == 0) {
        return refuse(CLASS, Wrong::Nobody("the address of zeros is a placeholder"));
    }
    token(CLASS, &bytes)
}

/// A segwit address (BIP 173, BIP 350).
fn segwit(chain: u8, address: &str) -> Result<Token, Invalid> {
    let Ok((_, version, program)) = bech32::segwit::decode(address) else { return refuse(CLASS, Wrong::Checksum) };
    let mut bytes = vec![chain, WITNESS | version.to_u8()];
    bytes.extend_from_slice(&program);
    token(CLASS, &bytes)
}

/// A version, twenty bytes, and the first four bytes of their double SHA-256.
fn base58(address: &str) -> Result<Token, Invalid> {
    let mut decoded = [0u8; 40];
    let Ok(length) = bs58::decode(address).onto(&mut decoded[..]) else {
        return refuse(CLASS, Wrong::Form("base58, which has no 0, O, I and l"));
    };
    let Some((payload, check)) = decoded.get(..length).and_then(|bytes| bytes.split_last_chunk::<4>()) else {
        return refuse(CLASS, Wrong::Length("a version, twenty bytes and a checksum", length));
    };
    let hash = sha256(&[&sha256(&[payload])]);
    if payload.len() != 21 || hash.first_chunk::<4>() != Some(check) {
        return refuse(CLASS, Wrong::Checksum);
    }
    let chain = match payload.first() {
        Some(0x00 | 0x05) => BITCOIN,
        Some(0x41) => TRON,
        Some(0x30 | 0x32) => LITECOIN,
        Some(0x1e | 0x16) => DOGECOIN,
        Some(0x4c | 0x10) => DASH,
        Some(0x6f | 0xc4) => return refuse(CLASS, Wrong::Nobody("an address of a test network")),
        _ => return refuse(CLASS, Wrong::NotCompared("the checksum fits, but its chain is not known here")),
    };
    let mut bytes = vec![chain];
    bytes.extend_from_slice(payload);
    token(CLASS, &bytes)
}

/// Blocks of eight bytes as eleven letters, the last shorter: network, spend key, view key, perhaps a payment's number, and the first four
/// bytes of their Keccak-256.
fn monero(address: &str) -> Result<Token, Invalid> {
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut decoded = Vec::with_capacity(80);
    for block in address.as_bytes().chunks(11) {
        let size = match block.len() {
            11 => 8,
            7 => 5,
            10 => 7,
            _ => return refuse(CLASS, Wrong::Form("a Monero address of 95 or 106 letters")),
        };
        let mut value = 0u128;
        for byte in block {
            let Some(digit) = LETTERS.iter().position(|letter| letter == byte) else {
                return refuse(CLASS, Wrong::Form("base58, which has no 0, O, I and l"));
            };
            value = value * 58 + digit as u128;
        }
        if value >> (8 * size) != 0 {
            return refuse(CLASS, Wrong::Checksum);
        }
        decoded.extend_from_slice(value.to_be_bytes().get(16 - size..).unwrap_or_default());
    }
    let Some((payload, check)) = decoded.split_last_chunk::<4>() else { return refuse(CLASS, Wrong::Checksum) };
    if Keccak256::digest(payload).as_slice().first_chunk::<4>() != Some(check) {
        return refuse(CLASS, Wrong::Checksum);
    }
    // An integrated address (19) is the standard one (18) with a payment's number behind its keys.
    let network = match (payload.first(), payload.len()) {
        (Some(18), 65) | (Some(19), 73) => 18,
        (Some(42), 65) => 42,
        _ => return refuse(CLASS, Wrong::Nobody("an address of a test network")),
    };
    let mut bytes = vec![MONERO, network];
    bytes.extend_from_slice(payload.get(1..65).unwrap_or_default());
    token(CLASS, &bytes)
}
