// The checks of docs/seal.md, 7, that need nothing but the bundle: container, digests, schema, proofs, stream, erasures.
// Each takes the case `c` (what is known so far) and its line `check`, says what it found, and throws `Wrong` when something is.

/** One check of the verdict, with the lines that it says. Every sentence stands in English and in Dutch. */
class Check {
  constructor(number) {
    this.number = number;
    this.outcome = "said";
    this.lines = [];
  }
  add(outcome, en, nl) {
    this.lines.push({ outcome, en, nl });
    if (RANKS.indexOf(outcome) > RANKS.indexOf(this.outcome)) this.outcome = outcome;
  }
  hold(en, nl) {
    this.add("ok", en, nl);
  }
  say(en, nl) {
    this.add("said", en, nl);
  }
  /** Something that is missing: nothing is proven wrong, and nothing is proven either. */
  lack(en, nl) {
    this.add("incomplete", en, nl);
  }
}

/** From the best to the worst. */
const RANKS = ["said", "ok", "skipped", "incomplete", "invalid", "unreadable"];

/** 1: the container, its digests, and its files taken apart. */
async function checkContainer(c, check) {
  c.bundle = await openBundle(c.bytes);
  const { files, kind, stream } = c.bundle;
  c.own = stream;
  Object.assign(c, await readRecords(files.get("records.bin"), stream));
  c.records.forEach((record) => nameRecord(record));
  c.records.slice(1).forEach((record, at) => demand(inOrder(stream, c.records[at], record), "records.bin: records out of order"));
  c.reports = files.has("reports.bin") ? await readReports(files.get("reports.bin")) : [];
  demand(files.has("checkpoint.txt") === files.has("proofs.bin"), "a checkpoint without proofs, or proofs without one", "unreadable");
  demand(files.has("checkpoint.txt") || kind === "receipt", "only a receipt may come before its checkpoint", "unreadable");
  c.proofs = files.has("proofs.bin") ? readProofs(files.get("proofs.bin")) : { inclusions: [], consistencies: [] };
  c.anchorFiles = anchorFilesOf(files);
  demand(files.has("checkpoint.txt") || c.anchorFiles.length === 0, "time-stamps without a checkpoint", "unreadable");
  const sizes = c.anchorFiles.map((anchor) => anchor.size);
  demand(sizes.length === c.proofs.consistencies.length && sizes.every((size, at) => size === c.proofs.consistencies[at].size), "proofs of consistency that are not those of the anchors");
  const placed = (record) => record.index !== NO_INDEX;
  demand(c.records.every(files.has("checkpoint.txt") ? placed : (record) => !placed(record)), "a place in a tree that is not there, or none in one that is");
  bindAttachments(c, files);
  check.hold(`${files.size} files, written in the one way that is valid; their digests are right`, `${files.size} bestanden, geschreven op de enige geldige manier; hun controlegetallen kloppen`);
}

/** Of which stream a record is, and which number it has there: always shown. */
function nameRecord(record) {
  const [stream, seq] = [record.openings[1], record.openings[2]];
  const right = stream?.form === SHOWN && stream.type === BYTES && stream.value.length === 16 && seq?.form === SHOWN && seq.type === NUMBER;
  demand(right, `record ${record.place}: of no stream, or without a number`);
  Object.assign(record, { stream: hex(stream.value), seq: number(seq.value) });
}

/** Checkpoints and the time-stamp responses over them, as files. */
function anchorFilesOf(files) {
  const anchors = new Map();
  for (const [name, bytes] of files) {
    const parts = /^anchors\/([0-9]+)(?:\.[0-9]+)?\.(txt|tsr)$/.exec(name);
    if (parts === null) continue;
    const [, size, ending] = parts;
    if (ending === "txt") {
      anchors.set(size, { name, size: BigInt(size), bytes, responses: [] });
    } else {
      const responses = anchors.get(size)?.responses;
      demand(responses !== undefined, `${name}: a time-stamp without its checkpoint`);
      responses.push({ name, bytes });
      demand(name === (responses.length === 1 ? `anchors/${size}.tsr` : `anchors/${size}.${responses.length}.tsr`), `${name}: the one before it is missing`);
    }
  }
  const found = [...anchors.values()];
  demand(found.every((anchor) => anchor.responses.length > 0), "a checkpoint of an anchor without its time-stamp");
  return found;
}

/** Gives each shown attachment its bytes; a file that belongs to no field is refused. */
function bindAttachments(c, files) {
  let left = [...files.keys()].filter((name) => name.startsWith("attachments/")).length;
  for (const record of c.records) {
    for (const opening of record.openings.filter((one) => one.form === ATTACHED)) {
      const media = record.kind === 4 ? record.openings[CONTENT - 1] : undefined;
      const word = media?.form === SHOWN ? new TextDecoder("latin1").decode(media.value) : "";
      const ending = word === "eml" || word === "txt" ? word : "bin";
      const bytes = files.get(`attachments/${record.place}.${ending}`);
      demand(bytes !== undefined && bytes.length === opening.length, `the attachment of record ${record.place} is missing, or of another length`, "unreadable");
      opening.value = bytes;
      left -= 1;
    }
  }
  demand(left === 0, "an attachment that belongs to no record", "unreadable");
}

/** 2: every shown field gives its digest, these the commitment, this and the slot the entry. */
async function checkDigests(c, check) {
  const entries = new Map(c.proofs.inclusions.map((proof) => [proof.index, proof.entry]));
  for (const record of c.records) {
    record.commitment = await recordCommitment(record.kind, await Promise.all(record.openings.map(openingDigest)));
    record.name = hex(record.commitment);
    record.entry = sealedEntry(record.slot, record.commitment);
    const entry = entries.get(record.index);
    if (entry !== undefined) demand(same(entry, record.entry), `record ${record.place}: what is shown is not what was sealed`);
  }
  for (const [at, report] of c.reports.entries()) {
    report.commitment = await reportCommitment(await Promise.all(report.openings.map(openingDigest)));
    if (at % 256 === 255) await breathe();
  }
  await checkReports(c, check);
  const shown = c.records.flatMap((record) => record.openings).filter((one) => one.form === SHOWN || one.form === ATTACHED).length;
  check.hold(`${c.records.length} records with ${shown} fields that are shown: each is what was sealed`, `${c.records.length} regels met ${shown} getoonde velden: elk is wat er verzegeld is`);
}

/** Reports of a batch: the batch's record is in this bundle, and the report in its tree. What a case says of its batch must be there. */
async function checkReports(c, check) {
  const batches = new Map(c.records.filter((record) => record.kind === 3).map((record) => [record.name, record]));
  for (const [place, report] of c.reports.entries()) {
    const batch = batches.get(hex(report.batch));
    demand(batch !== undefined, `report ${place}: its batch is not in the bundle`);
    const [root, count] = [shownNow(batch, "root"), shownNow(batch, "count")];
    demand(root && count !== null, `report ${place}: its batch does not show its root and number`);
    const leaf = await leafHash(report.commitment);
    demand(await included(report.index, count, leaf, report.path, root), `report ${place}: it is not in its batch`);
    if (place % 256 === 255) await breathe();
  }
  const shown = new Set(c.reports.map((report) => `${hex(report.batch)} ${report.index}`));
  for (const record of c.records.filter((one) => one.kind === 2)) {
    const [name, index] = [shownNow(record, "batch"), shownNow(record, "batch_index")];
    if (name === null) continue;
    const batch = batches.get(hex(name));
    if (batch === undefined || index === null || !shown.has(`${hex(name)} ${index}`)) {
      check.lack("the case comes from a batch of reports, of which the report or the record is not shown", "het dossier komt uit een reeks meldingen, waarvan de melding of de regel niet wordt getoond");
      continue;
    }
    const [one, other] = [shownNow(record, "submission"), shownNow(batch, "submission")];
    demand(one === null || other === null || same(one, other), `record ${record.place}: its batch came with another submission`);
  }
}

/** A value of a record whose list of fields was not looked at yet; `null` when it is not shown, or not as it should be. */
function shownNow(record, name) {
  const fields = KINDS[record.kind] ? fieldsOf(record.kind) : [];
  const ordinal = fields.findIndex((field) => field[0] === name);
  const opening = record.openings[ordinal];
  if (opening?.form !== SHOWN || opening.name !== name || opening.type !== fields[ordinal][1]) return null;
  return valueOf(opening, `record ${record.place}, field '${name}'`);
}

/** 3: the lists of fields, and what is always shown. */
async function checkSchema(c, check) {
  for (const record of c.records) {
    const what = `record ${record.place}`;
    demand(KINDS[record.kind] !== undefined, `${what}: of a kind that is not known here`);
    const fields = fieldsOf(record.kind);
    demand(record.openings.length === slotsFor(fields), `${what}: of another number of fields than its kind has`);
    for (let ordinal = 0; ordinal < ALWAYS_SHOWN; ordinal += 1) {
      demand(record.openings[ordinal].form === SHOWN, `${what}: '${fields[ordinal][0]}' is not shown`);
    }
    record.values = shownValues(fields, record.openings, what);
    const { event, stream, seq, prev, recorded_at: recorded } = Object.fromEntries(record.values);
    demand(event !== null && stream !== null && stream.length === 16 && seq !== null && recorded !== null, `${what}: a field that is always there is absent`);
    demand((prev === null) === (seq === 0n), `${what}: 'prev' is there when it should not be, or missing`);
    Object.assign(record, { event, prev, recorded });
  }
  for (const [place, report] of c.reports.entries()) {
    demand(report.openings.length === REPORT_FIELDS.length, `report ${place}: of another number of fields`);
    report.values = shownValues(REPORT_FIELDS, report.openings, `report ${place}`);
  }
  check.hold("every field has the place, name and type of its kind; what is always shown is", "elk veld heeft de plaats, de naam en het type van zijn soort; wat altijd getoond wordt, is er");
}

function inOrder(own, one, other) {
  const streams = orderOfStreams(own, one.stream, other.stream);
  if (streams !== 0) return streams < 0;
  return one.seq !== other.seq ? one.seq < other.seq : one.index <= other.index;
}

/** 4: every record is in the tree of the checkpoint. */
async function checkInclusion(c, check) {
  const { files } = c.bundle;
  c.checkpoint = null;
  c.publicEntries = [];
  if (!files.has("checkpoint.txt")) {
    return check.lack("this receipt came before a checkpoint: nothing says yet that it is in the log", "deze ontvangstbevestiging is van vóór een ijkpunt: nog niets zegt dat het in het logboek staat");
  }
  const checkpoint = readCheckpoint(readNote(files.get("checkpoint.txt"), "checkpoint.txt"));
  c.checkpoint = checkpoint;
  const indexes = new Set(c.records.map((record) => record.index));
  demand(indexes.size === c.records.length, "two records at one place of the log");
  demand(new Set(c.records.map((record) => hex(record.slot))).size === c.records.length, "two records in one slot");
  const proven = new Set();
  for (const [at, { index, entry, path }] of c.proofs.inclusions.entries()) {
    demand(await included(index, checkpoint.size, await leafHash(entry), path, checkpoint.root), `the entry at ${index} is not in the log`);
    proven.add(index);
    if (!indexes.has(index)) c.publicEntries.push(readPublicEntry(index, entry));
    if (at % 256 === 255) await breathe();
  }
  demand([...indexes].every((index) => proven.has(index)), "a record without a proof that it is in the log");
  check.hold(`all of it is in the log ${checkpoint.origin} of ${checkpoint.size} entries`, `alles staat in het logboek ${checkpoint.origin} van ${checkpoint.size} regels`);
}

/** An entry that stands in the log for everybody to read (docs/seal.md, 4): anchors and key events, which bear on time and keys. */
function readPublicEntry(index, entry) {
  const reader = new Reader(entry, "public entry");
  demand(reader.u8() === 1, "an entry of an unknown form");
  // A record that is not shown: it is in the log, and tells nothing.
  if (reader.u8() !== 2) return { kind: "other", index };
  const body = new Reader(reader.take(reader.u16()), "public entry");
  reader.end();
  const kind = body.u8();
  if (kind === 1) {
    const found = { kind: "anchor", index, response: body.take(32), time: signed64(body.take(8)), size: body.u64() };
    body.end();
    return found;
  }
  if (kind === 2) {
    const found = { kind: "key", index, word: body.u8(), size: body.u64(), key: body.take(body.u16()) };
    return { ...found, note: body.take(body.left) };
  }
  return { kind: "other", index };
}

/** 5: all checkpoints are of one tree, that of the log which the manifest names. */
async function checkConsistency(c, check) {
  const { checkpoint, proofs, bundle } = c;
  c.anchors = [];
  if (checkpoint === null) return check.lack("there is no checkpoint", "er is geen ijkpunt");
  demand(checkpoint.origin === bundle.origin, "the checkpoint is of another log than the manifest names");
  for (const [at, { name, size, bytes, responses }] of c.anchorFiles.entries()) {
    const anchor = { ...readCheckpoint(readNote(bytes, name)), responses };
    demand(anchor.size === size, `${name}: the checkpoint is of another size`);
    demand(anchor.origin === bundle.origin, `${name}: the checkpoint is of another log`);
    const right = await consistent(size, checkpoint.size, proofs.consistencies[at].path, anchor.root, checkpoint.root);
    demand(right, `the log of ${size} entries is not the beginning of that of ${checkpoint.size}`);
    c.anchors.push(anchor);
  }
  const count = c.anchors.length + 1;
  check.hold(`${count} checkpoints, all of one log that only grew`, `${count} ijkpunten, alle van één logboek dat alleen groeide`);
}

/** Kinds that a receipt has: a case's beginning, a batch, an erasure. */
const IN_RECEIPTS = new Set([2, 3, 5]);

/** 10: the streams. The case's own has no gap from 0; slots are those of its secret; each record names the one before. */
async function checkStream(c, check) {
  for (const stream of new Set(c.records.map((record) => record.stream))) {
    const records = c.records.filter((record) => record.stream === stream);
    checkLinks(records, check);
    await checkSlots(records, stream, c);
  }
  const own = c.records.filter((record) => record.stream === c.own);
  const receipt = c.bundle.kind === "receipt";
  if (receipt && c.records.some((record) => !IN_RECEIPTS.has(record.kind))) {
    check.lack("a receipt shows a report; what happened in a case is proven by showing the case whole", "een ontvangstbevestiging toont een melding; wat er in een dossier gebeurde, blijkt uit het hele dossier");
  }
  if (own.length === 0) {
    check.lack("no record of the case is shown", "geen regel van het dossier wordt getoond");
    return sayLetters(c.records, check);
  }
  if (!c.secrets.has(c.own)) {
    const [en, nl] = ["the secret of the case is not shown: its slots cannot be computed", "het geheim van het dossier wordt niet getoond: de plaatsen zijn niet na te rekenen"];
    if (receipt) check.say(en, nl);
    else check.lack(en, nl);
  } else if (own[0].seq === 0n && !own[0].values.get("secret_commitment") && !receipt) {
    check.lack("what binds the secret of the case is not shown", "wat het geheim van het dossier vastlegt, wordt niet getoond");
  }
  sayGaps(own, c, check, receipt);
  return sayLetters(c.records, check);
}

function sayGaps(own, c, check, receipt) {
  const last = own.at(-1).seq;
  const gaps = [];
  let next = 0n;
  for (const { seq } of own) {
    if (next < seq) gaps.push(next === seq - 1n ? `${next}` : `${next}-${seq - 1n}`);
    next = seq + 1n;
  }
  if (receipt) {
    check.say("a receipt shows the records of one report; what else the case has is not covered", "een ontvangstbevestiging toont de regels van één melding; wat het dossier nog meer heeft, valt hier buiten");
  } else if (gaps.length > 0) {
    check.lack(`these numbers of the case are not shown: ${gaps.join(", ")}`, `deze nummers van het dossier worden niet getoond: ${gaps.join(", ")}`);
  } else {
    const until = c.checkpoint.size;
    check.hold(
      `no gap from 0 to ${last}; later records may exist, also before checkpoint ${until}; other cases about this party are not covered`,
      `geen gat van 0 tot en met ${last}; latere regels kunnen bestaan, ook vóór ijkpunt ${until}; andere dossiers over deze partij vallen hier buiten`,
    );
  }
}

/** Records of one stream, by rising number. */
function checkLinks(records, check) {
  records.slice(1).forEach((record, at) => {
    const before = records[at];
    demand(before.seq !== record.seq, `two records with number ${record.seq} in one stream`);
    if (before.recorded > record.recorded) check.lack(`record ${record.place}: recorded before the one that it follows`, `regel ${record.place}: vastgelegd vóór de regel waar zij op volgt`);
    demand(record.index === NO_INDEX || before.index < record.index, `record ${record.place}: in the log before the one that it follows`);
    if (before.seq + 1n === record.seq) demand(same(record.prev, before.commitment), `record ${record.place}: the one before it is another`);
  });
}

/** Slots are those of the stream's secret, when it is shown; no other stream's record takes one of the case's. */
async function checkSlots(records, stream, c) {
  for (const name of new Set([stream, c.own])) {
    const secret = c.secrets.get(name);
    if (secret === undefined) continue;
    const key = await hmacKey(secret);
    for (const record of records) {
      const slot = await hmacBy(key, concat(ascii("sluis/slot/v1"), u64(record.seq)));
      demand(same(slot, record.slot) === (name === stream), `record ${record.place}: its slot is not the one of its number in its stream`);
    }
  }
  const secret = c.secrets.get(stream);
  const commitment = records[0].seq === 0n ? records[0].values.get("secret_commitment") : null;
  if (commitment && secret) demand(same(commitment, await sha256(ascii("sluis/secret/v1\0"), secret)), "the secret is not the one that was sealed");
}

/** What tells a party something: these carry numbers of their own. */
const LETTERS = new Set(["told", "reminded", "warned", "restriction proposed"]);

/** Letters to a party carry numbers of their own: "n to m, none left out", when all between are shown. */
function sayLetters(records, check) {
  const parties = new Map();
  for (const record of records) {
    const [party, number] = [record.values.get("party"), record.values.get("party_seq")];
    if (!party || number === undefined || number === null) continue;
    const letters = parties.get(hex(party)) ?? [];
    letters.push({ number, record, prev: record.values.get("party_prev") });
    parties.set(hex(party), letters);
  }
  for (const letters of parties.values()) {
    letters.sort((one, other) => (one.number < other.number ? -1 : 1));
    let whole = true;
    letters.slice(1).forEach((letter, at) => {
      const before = letters[at];
      demand(before.number !== letter.number, `two letters of number ${letter.number} to one party`);
      const next = before.number + 1n === letter.number;
      if (next && letter.prev !== undefined) demand(letter.prev !== null && same(letter.prev, before.record.commitment), `record ${letter.record.place}: the letter before it is another`);
      whole &&= next && letter.prev !== undefined;
    });
    const [first, last] = [letters[0].number, letters.at(-1).number];
    if (whole) check.hold(`letters ${first} to ${last} of this party, none left out`, `brieven ${first} tot en met ${last} aan deze partij, geen weggelaten`);
    else check.say("letters to this party that are not shown lie between those that are", "tussen de getoonde brieven aan deze partij liggen er die niet worden getoond");
  }
}

/** 12: what was erased, each with the record that says so. */
async function checkErasures(c, check) {
  const records = new Map(c.records.map((record) => [record.name, record]));
  const erased = [
    ...c.records.flatMap((record) => record.openings.map((opening, ordinal) => ({ opening, ordinal, name: record.name, what: `record ${record.place}` }))),
    ...c.reports.flatMap((report, place) => report.openings.map((opening, ordinal) => ({ opening, ordinal, name: hex(report.commitment), what: `report ${place}` }))),
  ].filter(({ opening }) => opening.form === ERASED);
  const until = [];
  for (const { opening, ordinal, name, what } of erased) {
    const erasure = records.get(hex(opening.erasure));
    const named = erasure === undefined ? undefined : erasure.kind === 5 ? erasure.values.get("records") : null;
    if (named === undefined) {
      check.lack(`${what}, field ${ordinal}: the record that says that it was erased is not shown`, `${what}, veld ${ordinal}: de regel die zegt dat het gewist is, wordt niet getoond`);
      continue;
    }
    demand(named !== null && erasedIn(named, name, ordinal), `${what}, field ${ordinal}: the record of its erasure does not name it`);
    const keys = erasure.values.get("keys_until");
    if (keys) until.push(keys);
  }
  if (erased.length === 0) return check.hold("nothing that is in here was erased", "niets van wat hierin staat is gewist");
  const latest = until.length > 0 ? until.reduce((one, other) => (one > other ? one : other)) : null;
  check.say(
    `${erased.length} fields were erased, each with the record that says so${latest === null ? "" : `; backups of keys end on ${day(latest)}`}`,
    `${erased.length} velden zijn gewist, elk met de regel die dat zegt${latest === null ? "" : `; reservekopieën van sleutels eindigen op ${day(latest)}`}`,
  );
}

/** Whether a list of erased fields names this one: C and a bit for each ordinal. */
function erasedIn(list, name, ordinal) {
  demand(list.length % 36 === 0, "a malformed list of what was erased");
  for (let at = 0; at < list.length; at += 36) {
    const bits = number(list.subarray(at + 32, at + 36));
    if (hex(list.subarray(at, at + 32)) === name && (bits >> BigInt(ordinal)) & 1n) return true;
  }
  return false;
}

/** 13: the fixed text. */
async function checkLimits(c, check) {
  for (const [en, nl] of NOT_PROVEN) check.say(en, nl);
}
