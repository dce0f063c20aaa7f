// Records, reports and proofs as a bundle shows them (docs/seal.md, 2, 3 and 6), and how their digests are made.

const [ABSENT, TEXT, NUMBER, TIME, BYTES, DIGEST, LIST] = [0, 1, 2, 3, 4, 5, 6];
const [HIDDEN, SHOWN, ERASED, ATTACHED] = [0, 1, 2, 3];
const NO_INDEX = (1n << 64n) - 1n;
const MOST_RECORDS = 100000;
const MOST_OPENINGS = 32;
const LONGEST_PATH = 64;

const COMMON_FIELDS = [
  ["event", TEXT], ["stream", BYTES], ["seq", NUMBER], ["prev", DIGEST], ["recorded_at", TIME], ["occurred_at", TIME],
  ["secret_commitment", DIGEST], ["actor", TEXT], ["rule", TEXT], ["text", TEXT], ["due", TIME], ["party", BYTES],
  ["party_name", TEXT], ["party_seq", NUMBER], ["party_prev", DIGEST], ["severity", TEXT],
];
const KINDS = {
  1: ["step", []],
  2: ["opened", [
    ["resource", TEXT], ["category", TEXT], ["first_seen", TIME], ["reporter", TEXT], ["submission", DIGEST], ["batch", DIGEST],
    ["batch_index", NUMBER], ["chain", LIST], ["attribution", TEXT], ["attribution_source", TEXT], ["attribution_checked", TIME],
    ["completeness", LIST],
  ]],
  3: ["batch", [["root", DIGEST], ["count", NUMBER], ["submission", DIGEST], ["format", TEXT], ["received", TIME], ["reporter", TEXT]]],
  4: ["evidence", [["what", TEXT], ["media", TEXT], ["content", BYTES], ["about", DIGEST], ["recipient", TEXT], ["message_id", TEXT]]],
  5: ["erasure", [["stage", TEXT], ["records", BYTES], ["ground", TEXT], ["authority", TEXT], ["keys_until", TIME]]],
  6: ["issued", [["recipient", TEXT], ["bundle", DIGEST], ["records", NUMBER]]],
};
const REPORT_FIELDS = [["resource", TEXT], ["observed", TIME], ["category", TEXT], ["rest", LIST]];
const ALWAYS_SHOWN = 5;
const CONTENT = 18;

function fieldsOf(kind) {
  return [...COMMON_FIELDS, ...KINDS[kind][1]];
}

function slotsFor(fields) {
  return Math.ceil(fields.length / 8) * 8;
}

/** One opening. Its value is a run of the file's bytes, not copied. */
function readOpening(reader, forReport) {
  const form = reader.u8();
  if (form === HIDDEN) return { form, digest: reader.take(32) };
  if (form === ERASED) return { form, digest: reader.take(32), erasure: reader.take(32) };
  demand(form === SHOWN || (form === ATTACHED && !forReport), `${reader.what}: an opening of an unknown form`);
  const salt = reader.take(32);
  const name = textOf(reader.take(reader.u8()), reader.what);
  const type = reader.u8();
  demand(form !== ATTACHED || type === BYTES, `${reader.what}: an attachment that is not of bytes`);
  const length = form === SHOWN ? reader.length64() : Number(reader.u64());
  demand(length <= LARGEST_FILE, `${reader.what}: a value that is too long`);
  const opening = { form, salt, name, type, length, value: form === SHOWN ? reader.take(length) : null };
  if (form === SHOWN) valueOf(opening, reader.what);
  return opening;
}

/** `own` is the identifier of the case's stream: what is of it comes first. */
async function readRecords(bytes, own) {
  const reader = new Reader(bytes, "records.bin");
  demand(same(reader.take(17), ascii("sluis-records/v1\0")), "records.bin: it does not begin as one", "unreadable");
  const secrets = new Map();
  for (let left = reader.u16(); left > 0; left -= 1) {
    const stream = hex(reader.take(16));
    demand(!secrets.has(stream), "records.bin: two secrets of one stream");
    secrets.set(stream, reader.take(32));
  }
  const streams = [...secrets.keys()];
  streams.forEach((stream, at) => demand(at === 0 || orderOfStreams(own, streams[at - 1], stream) < 0, "records.bin: secrets out of order"));
  const count = reader.u32();
  demand(count <= MOST_RECORDS && count * 44 <= reader.left, "records.bin: more records than there can be");
  const records = [];
  for (let place = 0; place < count; place += 1) {
    const index = reader.u64();
    const slot = reader.take(32);
    const [kind, n] = [reader.u16(), reader.u16()];
    demand(n >= 1 && n <= MOST_OPENINGS, "records.bin: a record with a number of fields that none has");
    const openings = Array.from({ length: n }, () => readOpening(reader, false));
    demand(openings.filter((opening) => opening.form === ATTACHED).length <= 1, "records.bin: a record with two attachments");
    records.push({ place, index, slot, kind, openings });
    if (place % 256 === 255) await breathe();
  }
  reader.end();
  return { secrets, records };
}

function readPath(reader) {
  const length = reader.u8();
  demand(length <= LONGEST_PATH, `${reader.what}: a path that is too long`);
  return Array.from({ length }, () => reader.take(32));
}

/** The case's own stream is before all others. */
function orderOfStreams(own, one, other) {
  if (one === other) return 0;
  if (one === own || other === own) return one === own ? -1 : 1;
  return one < other ? -1 : 1;
}

async function readReports(bytes) {
  const reader = new Reader(bytes, "reports.bin");
  demand(same(reader.take(17), ascii("sluis-reports/v1\0")), "reports.bin: it does not begin as one", "unreadable");
  const count = reader.u32();
  demand(count > 0 && count <= MOST_RECORDS && count * 173 <= reader.left, "reports.bin: no reports, or more than there can be");
  const reports = [];
  while (reports.length < count) {
    const [batch, index] = [reader.take(32), reader.u64()];
    const openings = Array.from({ length: 4 }, () => readOpening(reader, true));
    reports.push({ batch, index, openings, path: readPath(reader) });
    if (reports.length % 512 === 0) await breathe();
  }
  reader.end();
  const place = (report) => concat(report.batch, u64(report.index));
  reports.forEach((report, at) => {
    demand(at === 0 || compare(place(reports[at - 1]), place(report)) < 0, "reports.bin: reports out of order");
  });
  return reports;
}

function readProofs(bytes) {
  const reader = new Reader(bytes, "proofs.bin");
  demand(same(reader.take(16), ascii("sluis-proofs/v1\0")), "proofs.bin: it does not begin as one", "unreadable");
  const rising = (list, key, what) => list.forEach((one, at) => demand(at === 0 || list[at - 1][key] < one[key], `proofs.bin: ${what} out of order`));
  const inclusionCount = reader.u32();
  demand(inclusionCount <= MOST_RECORDS && inclusionCount * 11 <= reader.left, "proofs.bin: more proofs than there can be");
  const inclusions = Array.from({ length: inclusionCount }, () => ({ index: reader.u64(), entry: reader.take(reader.u16()), path: readPath(reader) }));
  const consistencyCount = reader.u32();
  demand(consistencyCount <= MOST_FILES && consistencyCount * 9 <= reader.left, "proofs.bin: more proofs than there can be");
  const consistencies = Array.from({ length: consistencyCount }, () => ({ size: reader.u64(), path: readPath(reader) }));
  reader.end();
  rising(inclusions, "index", "indexes");
  rising(consistencies, "size", "sizes");
  return { inclusions, consistencies };
}

/** d_k of a shown value. */
async function fieldDigest(salt, name, type, value) {
  const spelled = utf8(name);
  return sha256(ascii("sluis/field/v1\0"), salt, u8(spelled.length), spelled, u8(type), u64(value.length), value);
}

async function openingDigest(opening) {
  if (opening.form === HIDDEN || opening.form === ERASED) return opening.digest;
  return fieldDigest(opening.salt, opening.name, opening.type, opening.value);
}

async function recordCommitment(kind, digests) {
  return sha256(ascii("sluis/record/v1\0"), u16(kind), u16(digests.length), ...digests);
}

async function reportCommitment(digests) {
  return sha256(ascii("sluis/report/v1\0"), ...digests);
}

function sealedEntry(slot, commitment) {
  return concat(Uint8Array.of(1, 1), slot, commitment);
}

/** Text that people may be shown: UTF-8, no control characters but LF, nothing that turns the direction of writing. */
function cleanText(bytes, what) {
  const text = textOf(bytes, what);
  demand(!/[\p{Cc}\p{Bidi_Control}]/u.test(text.replaceAll("\n", "")), `${what}: characters that no text here may have`);
  return text;
}

/** A shown value as what it means: text, BigInt, bytes or a list; `null` when it is absent. */
function valueOf(opening, what) {
  const { type, value } = opening;
  const long = (length) => demand(value.length === length, `${what}: a value of a wrong length`);
  switch (type) {
    case ABSENT:
      long(0);
      return null;
    case TEXT:
      return cleanText(value, what);
    case NUMBER:
      long(8);
      return number(value);
    case TIME:
      long(8);
      return signed64(value);
    case BYTES:
      return value;
    case DIGEST:
      long(32);
      return value;
    case LIST: {
      const reader = new Reader(value, what);
      const list = Array.from({ length: reader.u16() }, () => cleanText(reader.take(reader.u16()), what));
      reader.end();
      return list;
    }
    default:
      throw new Wrong(`${what}: a value of an unknown type`);
  }
}

/** Values that are shown, by field; refused when an opening is not as its kind's list says. */
function shownValues(fields, openings, what) {
  const values = new Map();
  openings.forEach((opening, ordinal) => {
    const field = fields[ordinal];
    if (field === undefined) {
      demand(opening.form === HIDDEN, `${what}: an opening beyond its fields`);
      return;
    }
    if (opening.form === HIDDEN || opening.form === ERASED) return;
    const [name, type] = field;
    demand(opening.name === name, `${what}: field ${ordinal} has the name of another`);
    demand(opening.type === type || opening.type === ABSENT, `${what}: field '${name}' is of another type`);
    values.set(name, valueOf(opening, `${what}, field '${name}'`));
  });
  return values;
}
