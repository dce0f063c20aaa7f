// The verdict: all checks in their order, and what they come to.

const CHECKS = [
  [1, checkContainer], [2, checkDigests], [3, checkSchema], [4, checkInclusion], [5, checkConsistency], [6, checkSignature],
  [7, checkQuorum], [8, checkStamps], [9, checkBracket], [10, checkStream], [11, checkDelivery], [12, checkErasures], [13, checkLimits],
];
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
