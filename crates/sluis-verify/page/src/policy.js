// The policy of whoever verifies: C2SP tlog-policy, with the directives `#sluis …` of docs/seal.md, 8, which other tools take for remarks.

const MOST_LINES = 4096;

async function readPolicy(bytes) {
  demand(bytes.length <= 1 << 20, "policy: larger than 1 MiB");
  for (const byte of bytes) demand(byte === 9 || byte === 10 || (byte >= 32 && byte !== 127), "policy: a control character");
  const lines = textOf(bytes, "policy").split("\n");
  demand(lines.length <= MOST_LINES && lines.at(-1) === "", "policy: too many lines, or the last without its end");
  const policy = { logs: [], members: new Map(), quorum: undefined, grouped: new Map(), keys: new Set() };
  const facts = { operators: new Map(), holders: new Map(), periods: new Map(), tsas: 1n, authorities: new Map(), recovery: null, signs: [], said: new Set() };
  for (const [at, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    const what = `policy, line ${at + 1}`;
    if (words.length === 0) continue;
    if (words[0] === "#sluis") await readFact(policy, facts, words.slice(1), what);
    else if (!words[0].startsWith("#")) await readLine(policy, words, what);
  }
  demand(policy.quorum !== undefined, "policy: no quorum line");
  return settled({ ...policy, ...facts, digest: hex(await sha256(bytes)) });
}

/** What two lines of a policy say of one another. */
function settled(policy) {
  const { members, operators, holders, grouped, logs, periods } = policy;
  const witness = (name) => members.get(name)?.key !== undefined;
  for (const origin of operators.keys()) demand(logs.some((key) => key.name === origin), `policy: the operator of a log '${origin}' that is not there`);
  for (const name of holders.keys()) demand(witness(name), `policy: the holder of a witness '${name}' that is not there`);
  for (const name of periods.keys()) {
    const log = logs.some((key) => key.name === name || `${key.name}+${key.id}` === name);
    demand(log || witness(name), `policy: the period of a key '${name}' that is not there`);
  }
  const groups = new Map();
  for (const [name] of [...members].filter(([, member]) => member.key)) {
    const person = personOf(policy, name);
    const group = grouped.get(name) ?? name;
    demand(!groups.has(person) || groups.get(person) === group, `policy: keys of one person, '${person}', in two places of the quorum`);
    groups.set(person, group);
  }
  return policy;
}

/** The legal person whose key a witness's is. */
function personOf(policy, witness) {
  return policy.holders.get(witness) ?? witness;
}

/** No public key stands twice, whatever its name and role: a key that has two roles can be made to say one thing in place of the other. */
function claimKey(policy, key, what) {
  const name = hex(key.key);
  demand(!policy.keys.has(name), `${what}: a key that stands in this policy already`);
  policy.keys.add(name);
}

/** A moment in milliseconds (BigInt); `null` for `-`, no limit. */
function momentOf(text, what) {
  if (text === "-") return null;
  const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  demand(isSecond(whole), `${what}: not a moment such as 2026-01-31 or 2026-01-31T12:00:00Z`);
  return BigInt(Date.parse(whole));
}

function within(moment, [from, until]) {
  return (from === null || moment >= from) && (until === null || moment < until);
}

async function readFact(policy, facts, [word, ...rest], what) {
  const once = (map, name, value) => {
    demand(name !== undefined && !map.has(name), `${what}: said twice, or of nothing`);
    map.set(name, value);
  };
  const person = (from) => {
    const name = rest.slice(from).join(" ");
    demand(name !== "", `${what}: a person without a name`);
    return name;
  };
  switch (word) {
    case "operator":
      once(facts.operators, rest[0], person(1));
      break;
    case "holder":
      once(facts.holders, rest[0], person(1));
      break;
    case "valid": {
      demand(rest.length === 3, `${what}: #sluis valid NAME FROM UNTIL`);
      const period = [momentOf(rest[1], what), momentOf(rest[2], what)];
      demand(period.includes(null) || period[0] < period[1], `${what}: a period that ends before it begins`);
      once(facts.periods, rest[0], period);
      break;
    }
    case "tsas":
      demand(rest.length === 1 && !facts.said.has(word), `${what}: #sluis tsas K, once`);
      facts.said.add(word);
      facts.tsas = decimal(rest[0], what);
      demand(facts.tsas >= 1n && facts.tsas <= 16n, `${what}: from 1 to 16`);
      break;
    case "tsa":
      once(facts.authorities, rest[0], person(1));
      break;
    case "recovery":
      demand(rest.length === 1 && facts.recovery === null, `${what}: #sluis recovery KEY, once`);
      facts.recovery = await verifierKey(rest[0]);
      demand(facts.recovery.algorithm === SIGNS, `${what}: the key of recovery is one that signs`);
      claimKey(policy, facts.recovery, what);
      break;
    case "signs":
      demand(rest[0] === "all-of" || rest[0] === "any-of", `${what}: #sluis signs all-of|any-of FROM PERSON`);
      facts.signs.push({ all: rest[0] === "all-of", from: momentOf(rest[1] ?? "", what), person: person(2) });
      break;
    case "recipient":
      demand(rest.length >= 3 && /^[0-9a-f]{32}$/.test(rest[0]), `${what}: #sluis recipient PARTY MEANS KEY`);
      break;
    case "observer":
      person(1);
      claimKey(policy, await verifierKey(rest[0]), what);
      break;
    default:
      throw new Wrong(`${what}: it says something that is not known here`);
  }
}

/** Whether a person's signatures count only in two algorithms at this moment: none do then here, where ML-DSA-44 is not known. */
function needsBoth(policy, person, moment) {
  const lines = policy.signs.filter((line) => line.person === person && (line.from === null || line.from <= moment));
  const latest = lines.reduce((best, line) => (best === null || (line.from ?? 0n) >= (best.from ?? 0n) ? line : best), null);
  return latest !== null && latest.all;
}

async function readLine(policy, [word, ...rest], what) {
  const { logs, members, grouped } = policy;
  const fresh = (name) => demand(name !== undefined && name !== "none" && !members.has(name), `${what}: a name that is taken, or missing`);
  switch (word) {
    case "log": {
      demand(rest.length === 1 || rest.length === 2, `${what}: log KEY [URL]`);
      const key = await verifierKey(rest[0]);
      demand(key.algorithm !== COSIGNS, `${what}: the key of a log is one that signs`);
      claimKey(policy, key, what);
      logs.push(key);
      break;
    }
    case "witness": {
      demand(rest.length === 2 || rest.length === 3, `${what}: witness NAME KEY [URL]`);
      const [name] = rest;
      fresh(name);
      const key = await verifierKey(rest[1]);
      demand(key.algorithm !== SIGNS, `${what}: the key of a witness is one that cosigns`);
      claimKey(policy, key, what);
      members.set(name, { name, key });
      break;
    }
    case "group": {
      const [name, threshold, ...of] = rest;
      fresh(name);
      demand(of.length > 0, `${what}: a group of nobody`);
      for (const member of of) {
        demand(members.has(member) && !grouped.has(member), `${what}: a member that is not named above, or is in a group already`);
        grouped.set(member, name);
      }
      const least = threshold === "all" ? of.length : threshold === "any" ? 1 : Number(decimal(threshold, what));
      demand(least >= 1 && least <= of.length, `${what}: a threshold that cannot be`);
      members.set(name, { name, least, of });
      break;
    }
    case "quorum":
      demand(policy.quorum === undefined && rest.length === 1, `${what}: one quorum, of one name`);
      demand(rest[0] === "none" || members.has(rest[0]), `${what}: a quorum of a name that is not there`);
      [policy.quorum] = rest;
      break;
    default:
      throw new Wrong(`${what}: a line of an unknown kind`);
  }
}

/** Whether the quorum is reached by the witnesses that are counted. Persons count, once each, and not keys. */
function reaches(policy, name, counted) {
  if (name === "none") return true;
  const member = policy.members.get(name);
  if (member.key) return counted.has(name);
  const there = member.of.filter((one) => reaches(policy, one, counted));
  return new Set(there.map((one) => (policy.members.get(one).key ? `person ${personOf(policy, one)}` : `group ${one}`))).size >= member.least;
}

const ARCHIVE = "sluis-policy-archive/v1\n";

/** The versions of a policy: of a file with one, or of an archive that `key` (text) signed. Each is `{from, until, policy}`. */
async function readPolicies(bytes, key) {
  const archive = same(bytes.subarray(0, ARCHIVE.length), ascii(ARCHIVE));
  demand(archive || !key, "policy: the key is for an archive of policies; this is a policy by itself");
  if (!archive) return [{ period: [null, null], policy: await readPolicy(bytes) }];
  demand(key, "policy: an archive needs the key by which it is signed");
  const signer = await verifierKey(key);
  const note = readNote(bytes, "policy archive");
  demand(signer.algorithm === SIGNS && (await signedBy(note, signer)) !== null, "policy archive: not signed by that key");
  const lines = note.text.split("\n").slice(1, -1);
  const versions = [];
  while (lines.length > 0) {
    const words = lines.shift().split(" ");
    demand(words.length === 4 && words[0] === "version", "policy archive: version FROM UNTIL LINES");
    const period = [momentOf(words[1], "policy archive"), momentOf(words[2], "policy archive")];
    const count = Number(decimal(words[3], "policy archive"));
    demand(count <= lines.length, "policy archive: fewer lines than a version says");
    const before = versions.at(-1)?.period[1];
    demand(before === undefined || (before !== null && period[0] !== null && before <= period[0]), "policy archive: periods that overlap");
    demand(period.includes(null) || period[0] < period[1], "policy archive: a period that ends before it begins");
    versions.push({ period, policy: await readPolicy(utf8(`${lines.splice(0, count).join("\n")}\n`)) });
  }
  demand(versions.length > 0, "policy archive: no version");
  return versions;
}
