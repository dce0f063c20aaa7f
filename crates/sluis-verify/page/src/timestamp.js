// Time-stamp responses: RFC 3161 with the certificate's digest of RFC 5816, in CMS (RFC 5652).

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const LARGEST_RESPONSE = 1 << 20;

/**
 * What a response says of `data`, whoever signed it: `{time, accuracy, policy, authority, …}`, times in milliseconds (BigInt).
 * Refused with a reason when it is over something else, or not well made. `extra` are certificates that may stand
 * between, `asked` is what it has to say: its digest and, for tests, what a query asked. Whether its signer is trusted says `trustedUntil`.
 */
async function readResponse(response, data, extra = [], asked = {}) {
  demand(response.length <= LARGEST_RESPONSE, "time-stamp: too large");
  const outer = Der.read(response).parts();
  const status = outer.next().parts().next().integer();
  demand(status === 0n, "time-stamp: the authority did not grant what was asked");
  const token = outer.next().parts();
  outer.end();
  demand(token.next().oid() === SIGNED_DATA, "time-stamp: not signed data");
  const signedData = token.next();
  token.end();
  demand(signedData.tag === 0xa0 && signedData.children.length === 1, "time-stamp: malformed");
  const cms = signedDataOf(signedData.children[0]);
  const info = infoOf(cms.content);
  demand(asked.hash === undefined || asked.hash === info.hash, "time-stamp: by another digest than is asked for here");
  demand(same(await digest(info.hash, data), info.imprint), "time-stamp: it is over other bytes");
  if (asked.nonce !== undefined) demand(info.nonce === asked.nonce, "time-stamp: the nonce is another");
  if (asked.policy !== undefined) demand(info.policy === asked.policy, "time-stamp: the policy is another");
  const signer = await signerOf(cms, extra);
  mayStamp(signer);
  return { ...info, authority: signer.name, signer, others: [...cms.certificates, ...extra] };
}

/** Until when (milliseconds, BigInt) the certificates hold by which a response's signer leads to one of `roots` at its time; `null` when none do. */
async function trustedUntil({ signer, others, time }, roots) {
  const chain = await chainOf(signer, others, roots, time);
  return chain && chain.reduce((least, { until }) => (until < least ? until : least), chain[0].until);
}

/** For tests on time-stamps of others. */
async function timestampOf(response, data, roots, extra, asked) {
  const found = await readResponse(response, data, extra, asked);
  demand((await trustedUntil(found, roots)) !== null, "time-stamp: its signer does not lead to a root that was given, at that time");
  return found;
}

function signedDataOf(value) {
  const parts = value.parts();
  demand(parts.next().integer() === 3n, "time-stamp: CMS of another version");
  const digests = parts.next().parts(SET).rest().map(digestOf);
  const content = parts.next().parts();
  demand(content.next().oid() === TST_INFO, "time-stamp: what is signed is no time-stamp");
  const wrapped = content.next();
  content.end();
  demand(wrapped.tag === 0xa0 && wrapped.children.length === 1, "time-stamp: malformed content");
  const certificates = (parts.optional(0xa0)?.children ?? []).map(certificateOf);
  demand(certificates.length <= 32, "time-stamp: too many certificates");
  parts.optional(0xa1);
  const signers = parts.next().parts(SET).rest();
  parts.end();
  demand(signers.length === 1, "time-stamp: not one signer");
  return { content: wrapped.children[0].octets(), certificates, digests, signer: signers[0] };
}

function infoOf(bytes) {
  const parts = Der.read(bytes).parts();
  demand(parts.next().integer() === 1n, "time-stamp: of another version");
  const policy = parts.next().oid();
  const message = parts.next().parts();
  const hash = digestOf(message.next());
  const imprint = message.next().octets();
  message.end();
  const serial = parts.next().integer();
  const written = parts.next();
  demand(written.tag === 0x18, "time-stamp: its time is of another form");
  const time = timeOf(written);
  const accuracy = accuracyOf(parts.optional(SEQUENCE));
  const ordering = parts.optional(BOOLEAN);
  demand(ordering === null || ordering.boolean(), "time-stamp: a default value is written out");
  const nonce = parts.optional(INTEGER)?.integer();
  parts.optional(0xa0);
  const extensions = parts.optional(0xa1);
  parts.end();
  for (const extension of extensions?.children ?? []) {
    const critical = extension.children?.[1];
    demand(!(critical?.tag === BOOLEAN && critical.boolean()), "time-stamp: a critical extension that is not known here");
  }
  return { policy, hash, imprint, serial, time, accuracy, nonce };
}

/** Accuracy in milliseconds, rounded up; none said is 0. */
function accuracyOf(value) {
  if (value === null) return 0n;
  const parts = value.parts();
  const seconds = parts.optional(INTEGER)?.integer() ?? 0n;
  const thousandths = parts.optional(0x80)?.integer(0x80) ?? 0n;
  const millionths = parts.optional(0x81)?.integer(0x81) ?? 0n;
  parts.end();
  const sane = seconds >= 0n && seconds <= 86400n && thousandths >= 0n && thousandths < 1000n && millionths >= 0n && millionths < 1000n;
  demand(sane, "time-stamp: a senseless accuracy");
  return seconds * 1000n + thousandths + (millionths > 0n ? 1n : 0n);
}

/** The certificate by which the content is signed, after its signature was found right. */
async function signerOf(cms, extra) {
  const parts = cms.signer.parts();
  const version = parts.next().integer();
  const named = parts.next();
  const digestName = digestOf(parts.next());
  demand(cms.digests.includes(digestName), "time-stamp: a digest that it does not name");
  const attributes = parts.optional(0xa0);
  demand(attributes !== null, "time-stamp: no signed attributes");
  const scheme = schemeOf(parts.next(), digestName);
  demand(scheme.hash === digestName, "time-stamp: two digests");
  const signature = parts.next().octets();
  parts.optional(0xa1);
  parts.end();
  const values = attributesOf(attributes);
  demand(values.get(CONTENT_TYPE)?.oid() === TST_INFO, "time-stamp: the signed attributes are of something else");
  const expected = await digest(digestName, cms.content);
  demand(values.has(MESSAGE_DIGEST) && same(values.get(MESSAGE_DIGEST).octets(), expected), "time-stamp: the signed digest is another");
  demand(values.has(SIGNING_CERTIFICATE_V2), "time-stamp: it does not name its certificate as RFC 5816 says");
  const essential = values.get(SIGNING_CERTIFICATE_V2).parts().next().parts();
  const first = essential.next().parts();
  const hash = first.values[0]?.tag === SEQUENCE ? digestOf(first.next()) : "SHA-256";
  const wanted = first.next().octets();
  const issuerSerial = first.optional(SEQUENCE);
  first.end();
  // The attributes are signed as a set, and stand in the message under a tag of their own: RFC 5652, 5.4.
  const message = concat(u8(SET), attributes.raw.subarray(1));
  for (const certificate of [...cms.certificates, ...extra]) {
    if (!same(await digest(hash, certificate.raw), wanted)) continue;
    demand(isNamed(named, version, certificate), "time-stamp: it names two certificates");
    if (issuerSerial !== null) demand(issuerSerial.parts().rest().at(-1)?.integer() === certificate.serial, "time-stamp: it names two certificates");
    demand(await signedByKey(certificate.key, scheme, message, signature), "time-stamp: the signature is wrong");
    return certificate;
  }
  throw new Wrong("time-stamp: the certificate of its signer is not there");
}

/** Signed attributes by their names: each once, with one value, in the order of DER. */
function attributesOf(holder) {
  const values = new Map();
  let before = null;
  for (const attribute of holder.children) {
    demand(before === null || compare(before, attribute.raw) < 0, "time-stamp: signed attributes out of order");
    before = attribute.raw;
    const parts = attribute.parts();
    const name = parts.next().oid();
    const set = parts.next().parts(SET).rest();
    parts.end();
    demand(!values.has(name) && set.length === 1, "time-stamp: a signed attribute that is not single");
    values.set(name, set[0]);
  }
  return values;
}

function isNamed(named, version, certificate) {
  if (named.tag === 0x80) return version === 3n && certificate.keyIdentifier !== null && same(named.content, certificate.keyIdentifier);
  const [issuer, serial] = named.is(SEQUENCE).children;
  return version === 1n && same(issuer.raw, certificate.issuer) && serial.integer() === certificate.serial;
}

/** RFC 3161, 2.3: the purpose is time-stamping, alone and critical. */
function mayStamp({ purposes, purposesCritical, usage }) {
  demand(purposes?.length === 1 && purposes[0] === TIME_STAMPING && purposesCritical, "time-stamp: its certificate is not for time-stamps");
  demand(usage === null || usage.bit(0) || usage.bit(1), "time-stamp: its certificate is not for signatures");
}
