// The policy of whoever verifies: C2SP tlog-policy, with the directives `#sluis …` of docs/seal.md, 8, which other tools take for remarks.

const MOST_LINES = 4096;

async function readPolicy(bytes) {
  demand(bytes.length <= 1 << 20, "policy: larger than 1 MiB");
  for (const byte of bytes) demand(byte === 9 || byte === 10 || (byte >= 32 && byte !== 127), "policy: a control character");
  const text = textOf(bytes, "policy");
  const lines = text.split("\n");
  demand(lines.length <= MOST_LINES, "policy: too many lines");
  const policy = { logs: [], members: new Map(), quorum: undefined, grouped: new Set(), directives: [] };
  for (const [at, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length === 0) continue;
    const what = `policy, line ${at + 1}`;
    if (words[0] === "#sluis") policy.directives.push({ what, words: words.slice(1) });
    else if (words[0].startsWith("#")) continue;
    else await readLine(policy, words, what);
  }
  demand(policy.quorum !== undefined, "policy: no quorum line");
  return policy;
}

async function readLine(policy, [word, ...rest], what) {
  const { logs, members, grouped } = policy;
  const fresh = (name) => demand(name !== undefined && name !== "none" && !members.has(name), `${what}: a name that is taken, or missing`);
  switch (word) {
    case "log": {
      demand(rest.length === 1 || rest.length === 2, `${what}: log KEY [URL]`);
      const key = await verifierKey(rest[0]);
      demand(key.algorithm === SIGNS, `${what}: the key of a log is one that signs`);
      demand(!logs.some((log) => same(log.key, key.key)), `${what}: a log twice`);
      logs.push(key);
      break;
    }
    case "witness": {
      demand(rest.length === 2 || rest.length === 3, `${what}: witness NAME KEY [URL]`);
      const [name] = rest;
      fresh(name);
      const key = await verifierKey(rest[1]);
      demand(key.algorithm === COSIGNS, `${what}: the key of a witness is one that cosigns`);
      demand(![...members.values()].some((member) => member.key && same(member.key.key, key.key)), `${what}: a witness twice`);
      members.set(name, { name, key });
      break;
    }
    case "group": {
      const [name, threshold, ...of] = rest;
      fresh(name);
      demand(of.length > 0, `${what}: a group of nobody`);
      for (const member of of) {
        demand(members.has(member) && !grouped.has(member), `${what}: a member that is not named above, or is in a group already`);
        grouped.add(member);
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

/** Whether the quorum is reached by the witnesses that are counted. */
function reaches(policy, name, counted) {
  if (name === "none") return true;
  const member = policy.members.get(name);
  if (member.key) return counted.has(name);
  return member.of.filter((one) => reaches(policy, one, counted)).length >= member.least;
}
