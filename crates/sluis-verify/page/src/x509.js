// Certificates (RFC 5280) as far as time-stamp authorities need them, and signatures by their keys.

const DIGESTS = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const RSA = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC = "1.2.840.10045.2.1";
const RSA_WITH = {
  "1.2.840.113549.1.1.11": "SHA-256",
  "1.2.840.113549.1.1.12": "SHA-384",
  "1.2.840.113549.1.1.13": "SHA-512",
};
const ECDSA_WITH = {
  "1.2.840.10045.4.3.2": "SHA-256",
  "1.2.840.10045.4.3.3": "SHA-384",
  "1.2.840.10045.4.3.4": "SHA-512",
};
const CURVES = { "1.2.840.10045.3.1.7": ["P-256", 32], "1.3.132.0.34": ["P-384", 48] };
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const LONGEST_CHAIN = 6;
const LARGEST_CERTIFICATE = 65536;

function readCertificate(bytes) {
  demand(bytes.length <= LARGEST_CERTIFICATE, "a certificate that is too large");
  return certificateOf(Der.read(bytes));
}

function certificateOf(value) {
  const outer = value.parts();
  const signed = outer.next();
  const algorithm = outer.next();
  const signature = outer.next().bits();
  outer.end();
  const parts = signed.parts();
  const version = parts.optional(0xa0);
  demand(version !== null && version.children.length === 1 && version.children[0].integer() === 2n, "a certificate that is not of version 3");
  const serial = parts.next().integer();
  demand(same(parts.next().raw, algorithm.raw), "a certificate with two algorithms");
  const issuer = parts.next().is(SEQUENCE).raw;
  const validity = parts.next().parts();
  const [from, until] = [timeOf(validity.next()), timeOf(validity.next())];
  validity.end();
  const subject = parts.next().is(SEQUENCE);
  const key = parts.next().is(SEQUENCE);
  parts.optional(0x81);
  parts.optional(0x82);
  const extensions = extensionsOf(parts.optional(0xa3));
  parts.end();
  return { raw: value.raw, signed: signed.raw, algorithm, signature, serial, issuer, from, until, subject: subject.raw, name: nameOf(subject), key, ...extensions };
}

/** What stands in a name, for people: its common name or organisation. */
function nameOf(subject) {
  const found = {};
  for (const set of subject.children) {
    for (const pair of set.children ?? []) {
      const [type, value] = pair.children ?? [];
      if (type?.tag === OID && value) found[type.oid()] = new TextDecoder("utf-8").decode(value.content);
    }
  }
  return found["2.5.4.3"] ?? found["2.5.4.10"] ?? "?";
}

/** The extensions that bear on time-stamps. A critical one that is not understood makes the certificate useless, as RFC 5280 wants. */
function extensionsOf(holder) {
  const found = { authority: false, pathLength: null, usage: null, purposes: null, purposesCritical: false, keyIdentifier: null };
  if (holder === null) return found;
  demand(holder.children.length === 1, "a certificate with malformed extensions");
  const seen = new Set();
  for (const extension of holder.children[0].parts().rest()) {
    const parts = extension.parts();
    const name = parts.next().oid();
    const critical = parts.optional(BOOLEAN)?.boolean() ?? false;
    const value = parts.next().octets();
    parts.end();
    demand(!seen.has(name), "a certificate with an extension twice");
    seen.add(name);
    if (name === "2.5.29.19") {
      const basic = Der.read(value).parts();
      found.authority = basic.optional(BOOLEAN)?.boolean() ?? false;
      found.pathLength = basic.optional(INTEGER)?.integer() ?? null;
      basic.end();
    } else if (name === "2.5.29.15") {
      found.usage = Der.read(value);
    } else if (name === "2.5.29.37") {
      found.purposes = Der.read(value).parts().rest().map((purpose) => purpose.oid());
      found.purposesCritical = critical;
    } else if (name === "2.5.29.14") {
      found.keyIdentifier = Der.read(value).octets();
    } else {
      demand(!critical, `a certificate with the critical extension ${name}, which is not known here`);
    }
  }
  return found;
}

/** Digest and scheme of an algorithm identifier; `digestName` is what stands beside a bare `rsaEncryption` in CMS. */
function schemeOf(algorithm, digestName) {
  const parts = algorithm.parts();
  const name = parts.next().oid();
  const parameters = parts.rest();
  demand(parameters.length <= 1, "an algorithm with too many parameters");
  const none = parameters.length === 0 || (parameters[0].tag === 5 && parameters[0].content.length === 0);
  if (name === RSA_PSS) return pssOf(parameters[0]);
  demand(none, "an algorithm with parameters that do not belong there");
  if (name === RSA && digestName) return { name: "RSASSA-PKCS1-v1_5", hash: digestName };
  if (RSA_WITH[name]) return { name: "RSASSA-PKCS1-v1_5", hash: RSA_WITH[name] };
  if (ECDSA_WITH[name]) return { name: "ECDSA", hash: ECDSA_WITH[name] };
  throw new NotAccepted(`signatures of algorithm ${name} are not accepted`);
}

/** RSA-PSS (RFC 4055): one digest for message and mask. */
function pssOf(value) {
  demand(value, "RSA-PSS without its parameters");
  const parts = value.parts();
  const [digestPart, maskPart, saltPart, trailer] = [0xa0, 0xa1, 0xa2, 0xa3].map((tag) => parts.optional(tag));
  parts.end();
  accept(digestPart && maskPart && saltPart && !trailer, "RSA-PSS with parameters that are not accepted");
  const hash = digestOf(digestPart.children[0]);
  const mask = maskPart.children[0].parts();
  accept(mask.next().oid() === MGF1 && digestOf(mask.next()) === hash, "RSA-PSS with another mask");
  const salt = saltPart.children[0].integer();
  accept(salt >= 16n && salt <= 64n, "RSA-PSS with a salt of an odd length");
  return { name: "RSA-PSS", hash, saltLength: Number(salt) };
}

/** The name of a digest of 256 bits and more. */
function digestOf(algorithm) {
  const parts = algorithm.parts();
  const name = DIGESTS[parts.next().oid()];
  const parameters = parts.rest();
  accept(name, "a digest that is not accepted: SHA-256 and longer are");
  demand(parameters.every((one) => one.tag === 5 && one.content.length === 0) && parameters.length <= 1, "a digest with parameters");
  return name;
}

/** Whether `signature` over `message` is by the public key `key` (SubjectPublicKeyInfo). */
async function signedByKey(key, scheme, message, signature) {
  const parts = key.parts();
  const kind = parts.next().parts();
  const algorithm = kind.next().oid();
  const bits = parts.next().bits();
  parts.end();
  let parameters = { name: scheme.name, hash: scheme.hash };
  let spelled = signature;
  if (scheme.name === "ECDSA") {
    demand(algorithm === EC, "a signature that is not of its key's kind");
    const curve = CURVES[kind.next().oid()];
    accept(curve, "an elliptic curve that is not accepted");
    parameters = { name: "ECDSA", namedCurve: curve[0] };
    spelled = pairOf(signature, curve[1]);
  } else {
    demand(algorithm === RSA, "a signature that is not of its key's kind");
    const modulus = Der.read(bits).parts().next().integer();
    const length = modulus.toString(2).length;
    accept(modulus > 0n && length >= 2048 && length <= 8192, "an RSA key of fewer than 2048 bits, or of more than 8192");
  }
  try {
    const imported = await crypto.subtle.importKey("spki", key.raw, parameters, false, ["verify"]);
    return await crypto.subtle.verify({ name: scheme.name, hash: scheme.hash, saltLength: scheme.saltLength }, imported, spelled, message);
  } catch {
    return false;
  }
}

/** An ECDSA signature as WebCrypto wants it: both numbers at full length. */
function pairOf(signature, length) {
  const parts = Der.read(signature).parts();
  const [r, s] = [parts.next().integer(), parts.next().integer()];
  parts.end();
  demand(r > 0n && s > 0n, "a malformed ECDSA signature");
  return concat(big(r, length), big(s, length));
}

/** The chain from a signer's certificate to one of `roots`, all of them valid at `time`; `null` when there is none. */
async function chainOf(leaf, others, roots, time) {
  const tried = new Set();
  const climb = async (certificate, depth) => {
    if (time < certificate.from || time > certificate.until) return null;
    if (roots.some((root) => same(root.raw, certificate.raw))) return [certificate];
    if (depth >= LONGEST_CHAIN) return null;
    for (const issuer of [...roots, ...others]) {
      const step = `${depth} ${hex(await sha256(issuer.raw))}`;
      if (!same(issuer.subject, certificate.issuer) || tried.has(step)) continue;
      tried.add(step);
      if (!mayIssue(issuer, depth)) continue;
      if (!(await signedByKey(issuer.key, schemeOf(certificate.algorithm), certificate.signed, certificate.signature))) continue;
      const found = await climb(issuer, depth + 1);
      if (found) return [certificate, ...found];
    }
    return null;
  };
  return climb(leaf, 0);
}

/** `below`: how many certificates of authorities stand between this one and the signer's. */
function mayIssue(certificate, below) {
  const { authority, pathLength, usage } = certificate;
  return authority && (pathLength === null || pathLength >= BigInt(below)) && (usage === null || usage.bit(5));
}

/** Certificates of a file of somebody's trust: PEM with one or many, or the bytes of one. */
function readCertificates(bytes) {
  const text = new TextDecoder("latin1").decode(bytes);
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) return [readCertificate(bytes)];
  demand(blocks.length <= 256, "more than 256 certificates in one file");
  return blocks.map((block) => readCertificate(fromBase64(block[1].replace(/\s+/g, ""), "certificate")));
}
