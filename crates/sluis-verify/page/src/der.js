// DER (X.690), strict: lengths of known and shortest form, low tags, values in their one spelling, nothing behind the end.

const DEEPEST = 24;
const [BOOLEAN, INTEGER, BITS, OCTETS, OID, SEQUENCE, SET] = [0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31];

/** One value: its tag byte, what is in it, all its bytes, and the values in it when it is of the constructed form. */
class Der {
  constructor(reader, depth) {
    demand(depth < DEEPEST, "DER: nested too deep");
    const start = reader.at;
    this.tag = reader.u8();
    demand((this.tag & 0x1f) !== 0x1f && this.tag !== 0, "DER: a tag that is not used here");
    this.content = reader.take(lengthOf(reader));
    this.raw = reader.bytes.subarray(start, reader.at);
    this.depth = depth;
    if (this.tag & 0x20) this.children = valuesIn(this.content, depth + 1);
  }

  static read(bytes) {
    const reader = new Reader(bytes, "DER");
    const value = new Der(reader, 0);
    reader.end();
    return value;
  }

  is(tag) {
    demand(this.tag === tag, `DER: tag ${this.tag.toString(16)} where ${tag.toString(16)} belongs`);
    return this;
  }

  /** The values of a sequence or set, to be taken one after the other. */
  parts(tag = SEQUENCE) {
    return new Parts(this.is(tag).children);
  }

  oid() {
    this.is(OID);
    const { content } = this;
    demand(content.length > 0 && content.length <= 32 && content.at(-1) < 128, "DER: a malformed object identifier");
    const arcs = [];
    let arc = 0n;
    content.forEach((byte, at) => {
      demand(byte !== 0x80 || (at > 0 && content[at - 1] >= 128), "DER: a malformed object identifier");
      arc = (arc << 7n) | BigInt(byte & 127);
      if (byte < 128) {
        arcs.push(arc);
        arc = 0n;
      }
    });
    const first = arcs[0] < 80n ? arcs[0] / 40n : 2n;
    return [first, arcs[0] - first * 40n, ...arcs.slice(1)].join(".");
  }

  /** An integer, signed. `tag` is another for values that are tagged implicitly. */
  integer(tag = INTEGER) {
    const { content } = this.is(tag);
    demand(content.length > 0, "DER: an empty integer");
    const padded = content.length > 1 && (content[0] === 0 ? content[1] < 128 : content[0] === 255 && content[1] > 127);
    demand(!padded, "DER: an integer with needless bytes");
    return BigInt.asIntN(content.length * 8, number(content));
  }

  boolean() {
    const { content } = this.is(BOOLEAN);
    demand(content.length === 1 && (content[0] === 0 || content[0] === 255), "DER: a malformed truth value");
    return content[0] === 255;
  }

  octets() {
    return this.is(OCTETS).content;
  }

  /** A string of whole bytes of bits. */
  bits() {
    const { content } = this.is(BITS);
    demand(content[0] === 0, "DER: bits that are not whole bytes");
    return content.subarray(1);
  }

  /** Whether bit `place` of a named list of bits is set. */
  bit(place) {
    const { content } = this.is(BITS);
    demand(content.length > 0 && content[0] < 8 && (content.length > 1 || content[0] === 0), "DER: malformed bits");
    return Boolean((content[1 + (place >> 3)] ?? 0) & (128 >> (place & 7)));
  }
}

function lengthOf(reader) {
  const first = reader.u8();
  if (first < 128) return first;
  const count = first & 127;
  demand(count > 0 && count <= 4, "DER: a length that is not used here");
  const length = Number(number(reader.take(count)));
  demand(length >= 128 && length >= 256 ** (count - 1), "DER: a length that is not the shortest");
  return length;
}

function valuesIn(content, depth) {
  const reader = new Reader(content, "DER");
  const values = [];
  while (reader.left > 0) {
    demand(values.length < 4096, "DER: too many values");
    values.push(new Der(reader, depth));
  }
  return values;
}

/** Values in their order; optional ones are known by their tags. */
class Parts {
  constructor(values) {
    this.values = values;
    this.at = 0;
  }
  next() {
    demand(this.at < this.values.length, "DER: a value is missing");
    return this.values[this.at++];
  }
  optional(tag) {
    return this.values[this.at]?.tag === tag ? this.next() : null;
  }
  rest() {
    const left = this.values.slice(this.at);
    this.at = this.values.length;
    return left;
  }
  end() {
    demand(this.at === this.values.length, "DER: a value too many");
  }
}

/** A time of DER, in milliseconds (BigInt) since 1970: UTCTime and GeneralizedTime as RFC 5280 writes them, the latter with a fraction as RFC 3161 does. */
function timeOf(value) {
  const spelled = textOf(value.content, "DER: time");
  const form = { 0x17: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()Z$/, 0x18: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,8}[1-9]))?Z$/ };
  const parts = form[value.tag]?.exec(spelled);
  demand(parts, "DER: a malformed time");
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const full = value.tag === 0x18 ? year : year + (year < 50 ? 2000 : 1900);
  const date = new Date(0);
  date.setUTCFullYear(full, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const honest = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  demand(honest, "DER: a time that is not in the calendar");
  return BigInt(date.getTime()) + BigInt(Number((parts[7] || "").padEnd(3, "0").slice(0, 3)));
}
