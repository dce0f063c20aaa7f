// Signed notes, keys of verifiers, checkpoints and cosignatures: C2SP signed-note, tlog-checkpoint, tlog-cosignature.

const MOST_SIGNATURES = 100;
const LONGEST_NOTE = 1 << 20;
const SIGNS = 1;
const COSIGNS = 4;
const ML_DSA = 6;
const KEY_LENGTHS = { [SIGNS]: 32, [COSIGNS]: 32, [ML_DSA]: 1312 };

function goodName(name) {
  return name.length > 0 && !/[\p{White_Space}+]/u.test(name);
}

/** A key of a verifier: `name+id+base64(algorithm, key)`: Ed25519 as a signer's (1) or a cosigner's (4), or ML-DSA-44 (6), which can be named and not judged. */
async function verifierKey(text) {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(text);
  demand(parts !== null && goodName(parts[1]), "not a verifier's key");
  const [, name, id, spelled] = parts;
  const bytes = fromBase64(spelled, "verifier's key");
  demand(KEY_LENGTHS[bytes[0]] !== undefined, "a verifier's key of an algorithm that is not known here");
  demand(bytes.length === 1 + KEY_LENGTHS[bytes[0]], "a verifier's key of a wrong length");
  const expected = (await sha256(utf8(name), u8(10), bytes)).subarray(0, 4);
  demand(hex(expected) === id, "a verifier's key whose digits do not fit");
  return { text, name, id, algorithm: bytes[0], key: bytes.subarray(1) };
}

/** A note taken apart: its text with the last newline, and its signatures, none of them looked at yet. */
function readNote(bytes, what) {
  demand(bytes.length <= LONGEST_NOTE, `${what}: too long for a signed note`);
  const whole = textOf(bytes, what);
  demand(!/[\u0000-\u0009\u000b-\u001f]/.test(whole), `${what}: a control character in a signed note`);
  const split = whole.lastIndexOf("\n\n");
  demand(split >= 0 && whole.endsWith("\n"), `${what}: not a signed note`);
  const lines = whole.slice(split + 2).split("\n").slice(0, -1);
  demand(lines.length > 0 && lines.length <= MOST_SIGNATURES, `${what}: no signatures, or too many`);
  const signatures = lines.map((line) => {
    const parts = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line);
    demand(parts !== null && goodName(parts[1]), `${what}: a malformed signature line`);
    const data = fromBase64(parts[2], `${what}: a signature`);
    demand(data.length >= 5, `${what}: a signature that is too short`);
    return { name: parts[1], id: hex(data.subarray(0, 4)), data: data.subarray(4) };
  });
  const text = whole.slice(0, split + 1);
  return { what, text, bytes: utf8(text), signatures };
}

/** What a key says of a note: `null` when it says nothing, a time (seconds, BigInt; 0 for a signer) when its line is right. A line of a known key that is wrong makes the note invalid: so no algorithm can be stripped by spoiling it. */
async function signedBy(note, key) {
  if (key.algorithm === ML_DSA) return null;
  const lines = note.signatures.filter((line) => line.name === key.name && line.id === key.id);
  let time = null;
  for (const line of lines) {
    const said = await lineOf(note, key, line.data);
    demand(said !== null, `${note.what}: the signature of ${key.name} is wrong`);
    if (time === null || said > time) time = said;
  }
  return time;
}

async function lineOf(note, key, data) {
  if (key.algorithm === SIGNS) return (await ed25519(key.key, note.bytes, data)) ? 0n : null;
  if (data.length !== 72) return null;
  const time = number(data.subarray(0, 8));
  if (time >= 1n << 63n) return null;
  const message = concat(utf8(`cosignature/v1\ntime ${time}\n`), note.bytes);
  return (await ed25519(key.key, message, data.subarray(8))) ? time : null;
}

/** A checkpoint: origin, size, root. Extension lines are refused, since no auditor could judge them. */
function readCheckpoint(note) {
  const lines = note.text.split("\n");
  demand(lines.length === 4 && lines[0].length > 0, `${note.what}: not a checkpoint of three lines`);
  const root = fromBase64(lines[2], `${note.what}: root`);
  demand(root.length === 32, `${note.what}: a root of a wrong length`);
  return { note, origin: lines[0], size: decimal(lines[1], `${note.what}: size`), root };
}

/** For tests on notes of others: the names of the keys that signed; refused when none did or two keys cannot be told apart. */
async function openNote(bytes, keyTexts) {
  const note = readNote(bytes, "note");
  const keys = await Promise.all(keyTexts.map(verifierKey));
  const names = [];
  for (const key of keys) {
    const twins = keys.filter((other) => other.name === key.name && other.id === key.id);
    if ((await signedBy(note, key)) === null) continue;
    demand(twins.length === 1, "two keys that cannot be told apart");
    names.push(key.name);
  }
  demand(names.length > 0, "no signature by a known key");
  return names;
}
