// Hashes, by the browser's own WebCrypto.

async function digest(name, ...parts) {
  return new Uint8Array(await crypto.subtle.digest(name, concat(...parts)));
}

async function sha256(...parts) {
  return digest("SHA-256", ...parts);
}

async function hmacKey(secret) {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function hmacBy(key, message) {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}
