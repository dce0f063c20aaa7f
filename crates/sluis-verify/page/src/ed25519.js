// Ed25519 (RFC 8032), verification only and strict: one signature has one spelling, and keys that anybody can sign
// for are refused. Nothing here is secret, so nothing has to take constant time.

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

function modulo(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const D = modulo(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

// Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z: RFC 8032, 5.1.4.
const NEUTRAL = [0n, 1n, 1n, 0n];

function plus([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = modulo((y1 - x1) * (y2 - x2));
  const b = modulo((y1 + x1) * (y2 + x2));
  const c = modulo(2n * D * t1 * t2);
  const d = modulo(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function twice([x, y, z]) {
  const a = modulo(x * x);
  const b = modulo(y * y);
  const c = modulo(2n * z * z);
  const h = a + b;
  const e = h - modulo((x + y) * (x + y));
  const g = a - b;
  const f = c + g;
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function times(scalar, point) {
  let sum = NEUTRAL;
  for (const bit of scalar.toString(2)) {
    sum = twice(sum);
    if (bit === "1") sum = plus(sum, point);
  }
  return sum;
}

function equalPoints([x1, y1, z1], [x2, y2, z2]) {
  return modulo(x1 * z2 - x2 * z1) === 0n && modulo(y1 * z2 - y2 * z1) === 0n;
}

function little(bytes) {
  return number(Uint8Array.from(bytes).reverse());
}

/** The point of 32 bytes; `null` when there is none, when they are not its one encoding, and when its order is low. */
function pointOf(bytes) {
  const word = little(bytes);
  const sign = word >> 255n;
  const y = word & ((1n << 255n) - 1n);
  if (y >= P) return null;
  const u = modulo(y * y - 1n);
  const v = modulo(D * y * y + 1n);
  let x = modulo(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  if (modulo(v * x * x) !== u) {
    x = modulo(x * ROOT_OF_MINUS_ONE);
    if (modulo(v * x * x) !== u) return null;
  }
  if (x === 0n && sign === 1n) return null;
  if ((x & 1n) !== sign) x = P - x;
  const point = [x, y, 1n, modulo(x * y)];
  return equalPoints(twice(twice(twice(point))), NEUTRAL) ? null : point;
}

const BASE = pointOf(fromHex("58" + "66".repeat(31)));

/** Whether `signature` over `message` is by `key`: RFC 8032, 5.1.7, without the cofactor. */
async function ed25519(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const [a, r] = [pointOf(key), pointOf(signature.subarray(0, 32))];
  const s = little(signature.subarray(32));
  if (a === null || r === null || s >= ORDER) return false;
  const k = little(await digest("SHA-512", signature.subarray(0, 32), key, message)) % ORDER;
  return equalPoints(times(s, BASE), plus(r, times(k, a)));
}
