// The page.

globalThis.sluis = Object.freeze({ Wrong, included, consistent, openNote, verifierKey, ed25519, fromHex, timestampOf, readCertificates });
