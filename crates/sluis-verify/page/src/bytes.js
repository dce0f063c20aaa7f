// Bytes: reading them in order, comparing them, and their spellings. Nothing here trusts what it reads.

/** What a file says is wrong. `outcome` is `invalid` unless the file cannot be read at all. */
class Wrong extends Error {
  constructor(message, outcome = "invalid") {
    super(message);
    this.outcome = outcome;
  }
}

/** Something that may be right, but of an algorithm that is not accepted here: it counts for nothing, and is no lie. */
class NotAccepted extends Wrong {}

function accept(condition, message) {
  if (!condition) throw new NotAccepted(message);
}

function demand(condition, message, outcome) {
  if (!condition) throw new Wrong(message, outcome);
}

/** Reads big-endian numbers and runs of bytes; every step past the end is refused. */
class Reader {
  constructor(bytes, what) {
    this.bytes = bytes;
    this.what = what;
    this.at = 0;
  }
  get left() {
    return this.bytes.length - this.at;
  }
  take(length) {
    demand(length <= this.left, `${this.what}: it ends early, at byte ${this.at}`);
    const run = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return run;
  }
  u8() {
    return this.take(1)[0];
  }
  u16() {
    const [high, low] = this.take(2);
    return high * 256 + low;
  }
  u32() {
    return this.u16() * 65536 + this.u16();
  }
  /** As a BigInt: indexes and sizes of a log do not fit a JavaScript number. */
  u64() {
    return BigInt(this.u32()) * 4294967296n + BigInt(this.u32());
  }
  /** A length that was written as u64, as a number; what is left bounds it. */
  length64() {
    const length = this.u64();
    demand(length <= BigInt(this.left), `${this.what}: a length of ${length} goes past its end`);
    return Number(length);
  }
  end() {
    demand(this.left === 0, `${this.what}: ${this.left} bytes too many`);
  }
}

function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function utf8(text) {
  return new TextEncoder().encode(text);
}

/** Text of bytes that must be UTF-8, without forgiveness. */
function textOf(bytes, what, outcome) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Wrong(`${what}: not UTF-8`, outcome);
  }
}

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function big(value, length) {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let at = length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  demand(rest === 0n, "a number is too large for its place");
  return bytes;
}
const u8 = (value) => big(value, 1);
const u16 = (value) => big(value, 2);
const u32 = (value) => big(value, 4);
const u64 = (value) => big(value, 8);

function number(bytes) {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** A time or another signed number of eight bytes. */
function signed64(bytes) {
  return BigInt.asIntN(64, number(bytes));
}

function same(one, other) {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** Order of bytes, shorter first among equal beginnings. */
function compare(one, other) {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) if (one[at] !== other[at]) return one[at] - other[at];
  return one.length - other.length;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text) {
  demand(/^([0-9a-f]{2})*$/.test(text), "not hexadecimal digits in lower case");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Standard base64 with its padding; another spelling of the same bytes is refused. */
function fromBase64(text, what) {
  let letters = null;
  try {
    letters = atob(text);
  } catch {
    // Refused below, together with what atob forgives.
  }
  demand(letters !== null && btoa(letters) === text, `${what}: not base64 in its one spelling`);
  return ascii(letters);
}

/** A decimal number without sign or leading zeroes, below 2^64. */
function decimal(text, what) {
  demand(/^(0|[1-9][0-9]{0,19})$/.test(text), `${what}: not a number`);
  const value = BigInt(text);
  demand(value < 1n << 64n, `${what}: the number is too large`);
  return value;
}

/** Lets the page breathe in long work. */
async function breathe() {
  await new Promise((resume) => setTimeout(resume, 0));
}
