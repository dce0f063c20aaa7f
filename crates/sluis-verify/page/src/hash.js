// Hashes, by the browser's own WebCrypto.

async function digest(name, ...parts) {
  return new Uint8Array(await crypto.subtle.digest(name, concat(...parts)));
}

async function sha256(...parts) {
  return digest("SHA-256", ...parts);
}

async function hmac(secret, message) {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}
