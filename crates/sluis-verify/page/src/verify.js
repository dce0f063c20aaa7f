// The verdict: all checks in their order, and what they come to.

const CHECKS = [
  [1, checkContainer], [2, checkDigests], [3, checkSchema], [4, checkInclusion], [5, checkConsistency], [6, checkSignature],
  [7, checkQuorum], [8, checkStamps], [9, checkBracket], [10, checkStream], [11, checkDelivery], [12, checkErasures], [13, checkLimits],
];
const MOST_LINES_TOLD = 64;
const WORDS = ["proven", "invalid", "incomplete", "unreadable", "usage"];
const EXITS = Object.fromEntries(WORDS.map((word, code) => [word, code]));

/**
 * Judges a bundle or receipt. `trust`: `{policy, policyKey, roots, at}` - bytes of the policy or nothing, the key (text) of an
 * archive, `[{name, bytes}]` of time-stamp authorities, and the date of verifying in milliseconds
 * (BigInt), or `null`: then nothing is too late, and certificates only have to hold at the time of their stamps.
 * Gives `{outcome, exit, checks, case}`; it never throws for what is in a file.
 */
async function verify(bytes, trust, progress = () => {}) {
  const c = { bytes, at: trust.at };
  try {
    c.policies = trust.policy ? await readPolicies(trust.policy, trust.policyKey) : null;
    c.authorities = authoritiesOf(trust.roots ?? []);
  } catch (error) {
    return { outcome: "usage", exit: EXITS.usage, checks: [], reason: reasonOf(error), case: null };
  }
  const checks = [];
  let stopped = false;
  for (const [number, run] of CHECKS) {
    progress(number);
    await breathe();
    const check = new Check(number);
    checks.push(check);
    // What rests on something wrong cannot be judged; the fixed text (13) is always said.
    if (stopped && number !== 13) {
      check.outcome = "skipped";
      continue;
    }
    try {
      await run(c, check);
    } catch (error) {
      check.add(number === 1 ? "unreadable" : "invalid", reasonOf(error), reasonOf(error));
      stopped = true;
    }
  }
  const worst = ["unreadable", "invalid", "incomplete"].find((outcome) => checks.some((check) => check.outcome === outcome));
  const outcome = worst ?? "proven";
  return { outcome, exit: EXITS[outcome], checks, case: outcome === "proven" || outcome === "incomplete" ? c : null };
}

/** A fault of our own is not hidden: it is told as one, and the bundle is not proven. */
function reasonOf(error) {
  return error instanceof Wrong ? error.message : `the page itself failed: ${error}`;
}

/** 11: how well a delivery is proven is graded by `sluis verify`. */
async function checkDelivery(c, check) {
  check.say("how well delivery is proven is not graded by this page; `sluis verify` does", "hoe goed de bezorging bewezen is, beoordeelt deze pagina niet; `sluis verify` doet dat");
}

/** The verdict for programs: as `sluis verify --json` writes it. A number that JavaScript cannot hold stands as text. */
function plainVerdict({ outcome, exit, reason, checks, case: c }) {
  const told = checks.map((check) => ({
    number: check.number,
    title: TITLES[check.number - 1][0],
    outcome: check.outcome,
    lines: check.lines.slice(0, MOST_LINES_TOLD).map((line) => ({ outcome: line.outcome, text: line.en })),
    left_out: Math.max(0, check.lines.length - MOST_LINES_TOLD),
  }));
  const verdict = { format: "sluis-verdict/v1", verdict: outcome, exit, checks: told };
  if (reason !== undefined) verdict.reason = reason;
  return c === null ? verdict : { ...verdict, ...plainCase(c) };
}

function plainCase(c) {
  const { bundle, checkpoint, policy, times } = c;
  return {
    form: bundle.kind,
    origin: bundle.origin,
    stream: bundle.stream,
    made: bundle.made,
    operator: policy?.operators.get(bundle.origin) ?? null,
    checkpoint: checkpoint && { size: plainNumber(checkpoint.size), root: hex(checkpoint.root) },
    policy: policy?.digest ?? null,
    witnesses: policy && checkpoint ? persons([...checkpoint.cosignatures.counted.keys()].map((name) => personOf(policy, name))) : [],
    authorities: times ? persons(times.counted.map((stamp) => stamp.person)) : [],
    records: c.records.map((record) => plainRecord(c, record)),
  };
}

function persons(names) {
  return [...new Set(names)].sort();
}

function plainRecord(c, record) {
  const { upper = null, lower = null, differs = 0n } = record;
  const fields = {};
  fieldsOf(record.kind).forEach(([name], ordinal) => {
    const opening = record.openings[ordinal];
    if (opening.form === ERASED) fields[name] = { erased_by: hex(opening.erasure) };
    else if (opening.form !== HIDDEN) fields[name] = plainValue(opening.type, record.values.get(name));
  });
  const outside = differs > TOLERANCE || differs < -TOLERANCE;
  return {
    index: record.index === NO_INDEX ? null : plainNumber(record.index),
    kind: KINDS[record.kind][0],
    commitment: record.name,
    own: record.stream === c.own,
    letter: LETTERS.has(record.event),
    not_before: lower === null ? null : plainMoment(lower),
    at_the_latest: upper === null ? null : plainMoment(upper),
    bracket: upper === null ? "unknown" : outside ? "outside" : differs === 0n ? "inside" : "differs",
    bracket_ms: plainNumber(differs),
    // The page grades no delivery: who does is `sluis verify`.
    delivery: null,
    fields,
  };
}

function plainNumber(value) {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function plainMoment(time) {
  const date = new Date(Number(time));
  return Number.isNaN(date.getTime()) ? `${time}` : `${date.toISOString().slice(0, 19)}Z`;
}

function plainValue(type, value) {
  if (value === null || typeof value === "string" || Array.isArray(value)) return value;
  if (type === TIME) return plainMoment(value);
  if (type === NUMBER) return plainNumber(value);
  return value.length > 64 ? { bytes: value.length } : hex(value);
}
