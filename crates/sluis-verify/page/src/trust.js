// The checks of docs/seal.md, 7, that rest on the files of whoever verifies: signature, witnesses, time-stamps, bracket.

const TOLERANCE = 120000n;

/** Whether a moment is after the date of verifying, when there is one. */
function isLater(c, moment) {
  return c.at !== null && moment > c.at + TOLERANCE;
}

/** Trust files become authorities: what is before the last dot of a name is that of the authority. */
function authoritiesOf(files) {
  const authorities = new Map();
  for (const { name, bytes } of files) {
    const stem = name.replace(/\.[^.]*$/, "");
    authorities.set(stem, [...(authorities.get(stem) ?? []), ...readCertificates(bytes)]);
  }
  return authorities;
}

/** Every response over its checkpoint's text, and by which authority it is; the first that is wrong is remembered for check 8. */
async function readStamps(c) {
  c.stamps = [];
  c.stampWrong = null;
  c.unaccepted = [];
  for (const anchor of c.anchors) {
    for (const { name, bytes } of anchor.responses) {
      try {
        const found = await readResponse(bytes, anchor.note.bytes, [], { hash: "SHA-256" });
        const stamp = { name, size: anchor.size, time: found.time, low: found.time - found.accuracy, high: found.time + found.accuracy, digest: await sha256(bytes), trusted: [] };
        for (const [authority, roots] of c.authorities) {
          const until = await trustedUntil(found, roots);
          if (until !== null) stamp.trusted.push({ authority, until });
        }
        c.stamps.push(stamp);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        if (error instanceof NotAccepted) c.unaccepted.push(`${name}: ${error.message}`);
        else c.stampWrong ??= new Wrong(`${name}: ${error.message}`);
      }
    }
  }
}

/** The moments that a policy's authorities fixed: `upper(index)` and `lower(index)` in milliseconds, or `null`. */
function timesBy(c, policy) {
  const operator = policy.operators.get(c.bundle.origin);
  const named = policy.authorities;
  const candidates = [];
  for (const stamp of c.stamps) {
    const holder = stamp.trusted
      .map(({ authority, until }) => ({ until, authority, person: named.size === 0 ? authority : named.get(authority) }))
      .find(({ person }) => person !== undefined && person !== operator);
    if (holder !== undefined && !isLater(c, stamp.time)) candidates.push({ ...stamp, ...holder });
  }
  const counted = renewed(candidates, c);
  const entryOf = (stamp) => entriesOf(c, stamp).map((entry) => entry.index).reduce((least, index) => (least === null || index < least ? index : least), null);
  return {
    counted,
    ended: candidates.filter((stamp) => !counted.includes(stamp)),
    upper(index) {
      const persons = new Map();
      for (const { size, high, person } of counted) {
        if (size > index && (!persons.has(person) || high < persons.get(person))) persons.set(person, high);
      }
      const moments = [...persons.values()].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
      return moments[Number(policy.tsas) - 1] ?? null;
    },
    lower(index) {
      const moments = counted.filter((stamp) => entryOf(stamp) !== null && entryOf(stamp) < index).map((stamp) => stamp.low);
      return moments.reduce((latest, moment) => (latest === null || moment > latest ? moment : latest), null);
    },
  };
}

/** The anchor entries of the log that name a response. */
function entriesOf(c, stamp) {
  return c.publicEntries.filter((entry) => entry.kind === "anchor" && same(entry.response, stamp.digest) && entry.time === stamp.time);
}

/** Those whose certificates hold at the date of verifying, and those that another one fixed while they still held. */
function renewed(candidates, c) {
  const counted = new Set(candidates.filter((stamp) => c.at === null || stamp.until >= c.at));
  for (let before = -1; before < counted.size; ) {
    before = counted.size;
    for (const stamp of candidates) {
      const fixed = entriesOf(c, stamp).some((entry) => [...counted].some((other) => other.size > entry.index && other.high < stamp.until));
      if (fixed) counted.add(stamp);
    }
  }
  return candidates.filter((stamp) => counted.has(stamp));
}

/** Chooses the version of the policy: docs/seal.md, 8.1. */
function choosePolicy(c) {
  const last = c.records.reduce((latest, record) => (record.index > latest ? record.index : latest), 0n);
  let bounded = false;
  for (const { period, policy } of c.policies) {
    const upper = timesBy(c, policy).upper(last);
    bounded ||= upper !== null;
    if (upper !== null && within(upper, period)) return policy;
  }
  if (bounded) return null;
  const today = c.policies.find(({ period }) => (c.at === null ? period.every((end) => end === null) : within(c.at, period)));
  return today === undefined ? null : today.policy;
}

/** When which witnesses that count cosigned a checkpoint: name to milliseconds. */
async function cosignaturesOf(c, checkpoint) {
  const { policy, bundle } = c;
  const operator = policy.operators.get(bundle.origin);
  const stamped = c.times.upper(checkpoint.size - 1n);
  const counted = new Map();
  const others = [];
  for (const { name, key } of [...policy.members.values()].filter((member) => member.key)) {
    const seconds = await signedBy(checkpoint.note, key);
    if (seconds === null) continue;
    const moment = seconds * 1000n;
    const period = policy.periods.get(name) ?? [null, null];
    const person = personOf(policy, name);
    // A stolen key can be made to sign for any moment, but nobody can have had a time-stamp made earlier.
    const timely = within(moment, period) && (stamped === null || period[1] === null || stamped < period[1]);
    const counts = !isLater(c, moment) && timely && person !== operator && !needsBoth(policy, person, stamped ?? moment);
    if (counts) counted.set(name, moment);
    else others.push(name);
  }
  return { counted, others };
}

/** The moment from which on the quorum was there; `null` when it is not, or none is asked for. */
function quorumMoment(policy, counted) {
  if (policy.quorum === "none") return null;
  const byMoment = [...counted].sort(([, one], [, other]) => (one < other ? -1 : 1));
  const there = new Map();
  for (const [name, moment] of byMoment) {
    there.set(name, moment);
    if (reaches(policy, policy.quorum, there)) return moment;
  }
  return null;
}

/** 6: every checkpoint is signed by a key of the log that the policy names and that was valid then. */
async function checkSignature(c, check) {
  await readStamps(c);
  c.policy = c.policies === null ? null : choosePolicy(c);
  if (c.checkpoint === null) return check.lack("there is no checkpoint", "er is geen ijkpunt");
  if (c.policy === null) {
    if (c.policies === null) return check.lack("no policy was given: nobody is trusted", "er is geen beleidsbestand gegeven: niemand wordt vertrouwd");
    return check.lack("no version of the policy is of that time", "geen versie van het beleidsbestand is van die tijd");
  }
  c.times = timesBy(c, c.policy);
  c.events = await keyEventsOf(c);
  const checkpoints = [c.checkpoint, ...c.anchors];
  for (const checkpoint of checkpoints) {
    for (const key of c.policy.logs) await signedBy(checkpoint.note, key);
    checkpoint.cosignatures = await cosignaturesOf(c, checkpoint);
    checkpoint.quorum = quorumMoment(c.policy, checkpoint.cosignatures.counted);
  }
  const names = new Set();
  for (const checkpoint of checkpoints) {
    const name = await judgeSignature(c, checkpoint, check);
    if (name !== null) names.add(name);
  }
  if (check.outcome !== "incomplete") check.hold(`signed by the log: ${[...names].join(", ")}`, `ondertekend door het logboek: ${[...names].join(", ")}`);
}

/** The name of a key by which a checkpoint is rightly signed; `null`, with a line that says what is missing. */
async function judgeSignature(c, checkpoint, check) {
  const { policy, times } = c;
  const moment = times.upper(checkpoint.size - 1n) ?? checkpoint.quorum;
  // The newest checkpoint may come after all stamped ones; when these hold all records, nothing rests on its moment.
  const needsMoment = checkpoint !== c.checkpoint || c.records.some((record) => times.upper(record.index) === null);
  const operator = policy.operators.get(c.bundle.origin);
  let reason = "it is not signed by a key of the policy for this log";
  let missing = null;
  for (const key of policy.logs.filter((one) => one.name === checkpoint.origin)) {
    if ((await signedBy(checkpoint.note, key)) === null) continue;
    const period = policy.periods.get(`${key.name}+${key.id}`) ?? policy.periods.get(key.name) ?? [null, null];
    if (voided(c, key, checkpoint, moment, check)) reason = "its key was retired or revoked before";
    else if (moment === null && needsMoment) missing = ["nothing says when it was signed", "niets zegt wanneer het ondertekend is"];
    else if (moment !== null && !within(moment, period)) reason = "its key was not valid at that time";
    else if (operator !== undefined && needsBoth(policy, operator, moment ?? c.at ?? 0n)) missing = ["its signature by ML-DSA-44, which the policy asks for, cannot be judged here", "de handtekening met ML-DSA-44, waar het beleidsbestand om vraagt, is hier niet te beoordelen"];
    else return `${key.name}+${key.id}`;
  }
  demand(missing !== null, `checkpoint ${checkpoint.size}: ${reason}`);
  check.lack(`checkpoint ${checkpoint.size}: ${missing[0]}`, `ijkpunt ${checkpoint.size}: ${missing[1]}`);
  return null;
}

/** Key events (docs/seal.md, 8.2) that count: signed by the key of recovery, and saying in both places the same. */
async function keyEventsOf(c) {
  const events = [];
  const { recovery } = c.policy;
  if (recovery === null) return events;
  for (const entry of c.publicEntries.filter((one) => one.kind === "key")) {
    try {
      const note = readNote(entry.note, "key event");
      const word = { 1: "added", 2: "retired", 3: "revoked" }[entry.word];
      const text = `sluis-key-event/v1\n${c.bundle.origin}\n${word}\n${entry.size}\n${textOf(entry.key, "key event")}\n`;
      if (note.text === text && (await signedBy(note, recovery)) !== null) events.push({ ...entry, word, text: textOf(entry.key, "key event") });
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
    }
  }
  return events;
}

/** Whether a key's signature is void; one that others had fixed before stands, and is said to be disputed. */
function voided(c, key, checkpoint, moment, check) {
  for (const event of c.events.filter((one) => one.word !== "added" && one.text === key.text && checkpoint.size > one.size)) {
    if (checkpoint.size > event.index || moment === null) return true;
    check.say(`checkpoint ${checkpoint.size}: disputed since entry ${event.index}, where its key was ${event.word}`, `ijkpunt ${checkpoint.size}: betwist sinds regel ${event.index}, waar de sleutel werd ingetrokken`);
  }
  return false;
}

/** 7: the quorum of witnesses. */
async function checkQuorum(c, check) {
  if (c.checkpoint === null) return check.lack("there is no checkpoint", "er is geen ijkpunt");
  if (!c.policy) return check.lack("without a policy no witness is known", "zonder beleidsbestand is geen getuige bekend");
  const { policy, checkpoint } = c;
  const { counted, others } = checkpoint.cosignatures;
  const known = [...policy.members.values()].filter((member) => member.key).length;
  const names = [...counted.keys()].join(", ") || "-";
  if (policy.quorum === "none") return check.hold("the policy asks for no witness", "het beleidsbestand vraagt geen getuige");
  const [en, nl] = [`witnessed by ${counted.size} of ${known}: ${names}`, `bevestigd door ${counted.size} van ${known} getuigen: ${names}`];
  if (reaches(policy, policy.quorum, counted)) check.hold(`${en}; the last at ${moment(latest(counted))}`, `${nl}; de laatste op ${moment(latest(counted))}`);
  else check.lack(`no quorum: ${en}; '${policy.quorum}' is asked for`, `te weinig getuigen: ${nl}; gevraagd is '${policy.quorum}'`);
  if (others.length > 0) check.say(`not counted: ${others.join(", ")}`, `niet meegeteld: ${others.join(", ")}`);
}

function latest(counted) {
  return [...counted.values()].reduce((one, other) => (one > other ? one : other), 0n);
}

/** 8: time-stamps, and what they fix for every record. */
async function checkStamps(c, check) {
  if (c.checkpoint === null) return check.lack("there is no checkpoint", "er is geen ijkpunt");
  if (c.stampWrong) throw c.stampWrong;
  if (!c.policy) return check.lack("without a policy no authority is known", "zonder beleidsbestand is geen tijdstempeldienst bekend");
  const { times, policy } = c;
  for (const record of c.records) {
    record.upper = times.upper(record.index);
    record.lower = times.lower(record.index);
  }
  const without = c.records.filter((record) => record.upper === null).length;
  const names = [...new Set(times.counted.map((stamp) => stamp.person))].join(", ") || "-";
  if (without > 0) {
    check.lack(`${without} records have no time-stamps of ${policy.tsas} authorities: ${names}`, `${without} regels hebben geen tijdstempels van ${policy.tsas} dienst(en): ${names}`);
  } else {
    check.hold(`time-stamped by ${names}, where ${policy.tsas} is asked for`, `van een tijdstempel voorzien door ${names}; gevraagd: ${policy.tsas}`);
  }
  for (const reason of c.unaccepted) check.say(`not counted: ${reason}`, `niet meegeteld: ${reason}`);
  if (times.ended.length > 0) check.say("certificates of some time-stamps have ended, and they were not renewed in time", "certificaten van sommige tijdstempels zijn verlopen, en niet op tijd vernieuwd");
}

/** 9: the node's clock against what the authorities fixed. */
async function checkBracket(c, check) {
  if (c.checkpoint === null || !c.policy) return check.lack("no time is fixed", "geen tijd ligt vast");
  let [outside, differs] = [0, 0];
  for (const record of c.records) {
    const { recorded, lower, upper } = record;
    if (lower === null || upper === null) {
      const [en, nl] = lower === null ? ["from when on", "vanaf wanneer"] : ["until when", "tot wanneer"];
      check.lack(`record ${record.place}: nothing says ${en} it can be`, `regel ${record.place}: niets zegt ${nl} zij kan zijn`);
    }
    const by = lower !== null && recorded < lower ? recorded - lower : upper !== null && recorded > upper ? recorded - upper : 0n;
    record.differs = by;
    if (by > TOLERANCE || by < -TOLERANCE) {
      outside += 1;
      check.lack(`record ${record.place}: outside by ${duration(by, "en")}`, `regel ${record.place}: erbuiten met ${duration(by, "nl")}`);
    } else if (by !== 0n) {
      differs += 1;
      check.say(`record ${record.place}: the clock differs by ${duration(by, "en")}`, `regel ${record.place}: de klok wijkt ${duration(by, "nl")} af`);
    }
  }
  const inside = c.records.filter((record) => record.upper !== null && record.lower !== null).length - outside - differs;
  if (inside > 0) check.hold(`${inside} of ${c.records.length} records are inside the bracket`, `${inside} van ${c.records.length} regels liggen binnen de grenzen`);
}
