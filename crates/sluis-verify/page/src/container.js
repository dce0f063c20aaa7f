// The container: a ZIP file of which there is one valid spelling (docs/seal.md, 6). What was read is written once more and compared.

const MOST_FILES = 256;
const LARGEST_FILE = 64 << 20;
const LARGEST_BUNDLE = 256 << 20;
const README_DIGEST = "bb3625445577ec12d3bba7beb6e606b4714dd72d463d058216cfd124b1fd6328";
const VERSIONS = { "sluis-evidence/v1": "evidence", "sluis-receipt/v1": "receipt" };

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let rest = start;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

async function crc32(bytes) {
  let rest = 0xffffffff;
  for (let start = 0; start < bytes.length; start += 1 << 22) {
    const end = Math.min(bytes.length, start + (1 << 22));
    for (let at = start; at < end; at += 1) rest = CRC_TABLE[(rest ^ bytes[at]) & 255] ^ (rest >>> 8);
    if (end < bytes.length) await breathe();
  }
  return (rest ^ 0xffffffff) >>> 0;
}

function unreadable(condition, message) {
  demand(condition, message, "unreadable");
}

/** Files of a container, as `[{name, bytes}]` in their order. Refused as unreadable when it is not spelled the one way. */
async function readContainer(bytes) {
  unreadable(bytes.length <= LARGEST_BUNDLE, "larger than 256 MiB");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = [];
  let at = 0;
  while (at + 30 <= bytes.length && view.getUint32(at, true) === 0x04034b50) {
    const [size, length] = [view.getUint32(at + 18, true), view.getUint16(at + 26, true)];
    const start = at + 30 + length;
    unreadable(files.length < MOST_FILES && size <= LARGEST_FILE && start + size <= bytes.length, "not a bundle: its files do not fit");
    const name = new TextDecoder("latin1").decode(bytes.subarray(at + 30, start));
    files.push({ name, bytes: bytes.subarray(start, start + size) });
    at = start + size;
  }
  unreadable(files.length > 0, "not a bundle of Sluis: it does not begin as one");
  let written = 0;
  for (const part of await containerOf(files)) {
    unreadable(same(part, bytes.subarray(written, written + part.length)), "the container is not written in the one way that is valid");
    written += part.length;
  }
  unreadable(written === bytes.length, "the container is not written in the one way that is valid");
  unreadable(new Set(files.map((file) => file.name)).size === files.length, "the container has two files of one name");
  return files;
}

/** Little-endian numbers: `[value, bytes]` each. */
function little32(...fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [, length]) => sum + length, 0));
  let at = 0;
  for (const [value, length] of fields) {
    for (let place = 0; place < length; place += 1) bytes[at + place] = Math.floor(value / 256 ** place) & 255;
    at += length;
  }
  return bytes;
}

/** The one spelling of a container with these files, in parts. */
async function containerOf(files) {
  const [bodies, entries] = [[], []];
  let offset = 0;
  for (const { name, bytes } of files) {
    const spelled = ascii(name);
    const common = [[20, 2], [0, 2], [0, 2], [0, 2], [0x21, 2], [await crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [spelled.length, 2], [0, 2]];
    bodies.push(little32([0x04034b50, 4], ...common), spelled, bytes);
    entries.push(little32([0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), spelled);
    offset += 30 + spelled.length + bytes.length;
  }
  const directory = concat(...entries);
  const end = little32([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [directory.length, 4], [offset, 4], [0, 2]);
  return [...bodies, directory, end];
}

/** The place of a file's name in the fixed order; `null` for a name that no bundle has. */
function placeOf(name) {
  const fixed = ["README.txt", "manifest.txt", "records.bin", "reports.bin", "checkpoint.txt", "proofs.bin"].indexOf(name);
  if (fixed >= 0) return [BigInt(fixed), 0n, 0n];
  const anchor = /^anchors\/([0-9]+)(?:\.([0-9]+))?\.(txt|tsr)$/.exec(name);
  if (anchor !== null) {
    const [, size, authority, ending] = anchor;
    if (authority !== undefined && (ending === "txt" || Number(decimal(authority, name)) < 2)) return null;
    return [10n, decimal(size, name), ending === "txt" ? 0n : decimal(authority ?? "1", name)];
  }
  const attachment = /^attachments\/([0-9]+)\.(bin|eml|txt)$/.exec(name);
  return attachment === null ? null : [20n, decimal(attachment[1], name), 0n];
}

function orderOfPlaces(one, other) {
  for (let at = 0; at < 3; at += 1) if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
  return 0;
}

/** The files of a bundle by name, with what its manifest says. Names are of the closed list and in order, digests are right. */
async function openBundle(bytes) {
  const files = await readContainer(bytes);
  let before = null;
  for (const file of files) {
    const place = placeOf(file.name);
    unreadable(place !== null, "the container has a file that no bundle has");
    unreadable(before === null || orderOfPlaces(before, place) < 0, "the container has its files in another order");
    before = place;
  }
  const byName = new Map(files.map((file) => [file.name, file.bytes]));
  for (const name of ["README.txt", "manifest.txt", "records.bin"]) unreadable(byName.has(name), `the container has no ${name}`);
  const manifest = await readManifest(byName.get("manifest.txt"), files.slice(2));
  unreadable(hex(await sha256(byName.get("README.txt"))) === README_DIGEST, "README.txt is not the one that belongs there");
  return { ...manifest, files: byName };
}

/** Whether a text is a time of the calendar, in UTC, to the second, from 1970 to 9999. */
function isSecond(text) {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : NaN;
  return time >= 0 && new Date(time).toISOString() === text.replace("Z", ".000Z");
}

async function readManifest(bytes, files) {
  const text = textOf(bytes, "manifest.txt", "unreadable");
  const lines = text.split("\n");
  unreadable(lines.pop() === "" && lines.length === files.length + 4, "manifest.txt does not list the files that are there");
  const kind = VERSIONS[lines[0]];
  unreadable(kind !== undefined, "manifest.txt is of a version that is not known here");
  const heading = (line, word) => {
    unreadable(line.startsWith(`${word} `), `manifest.txt has no line '${word}' in its place`);
    return line.slice(word.length + 1);
  };
  const origin = heading(lines[1], "origin");
  const stream = heading(lines[2], "stream");
  const made = heading(lines[3], "made");
  unreadable(/^[0-9a-f]{32}$/.test(stream), "manifest.txt: the stream is not 32 hexadecimal digits");
  unreadable(/^[!-*,-~]{1,255}$/.test(origin), "manifest.txt: a malformed origin");
  unreadable(isSecond(made), "manifest.txt: a malformed time");
  for (const [at, file] of files.entries()) {
    const expected = `${hex(await sha256(file.bytes))} ${file.bytes.length} ${file.name}`;
    demand(lines[at + 4] === expected, `manifest.txt: the digest of ${file.name} is another`);
  }
  return { kind, origin, stream, made };
}
