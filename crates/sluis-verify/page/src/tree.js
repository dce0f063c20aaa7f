// The tree of the log: inclusion and consistency, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say. Indexes and sizes are BigInt.

async function leafHash(entry) {
  return sha256(u8(0), entry);
}

async function nodeHash(left, right) {
  return sha256(u8(1), left, right);
}

/** The root that a path leads to from a leaf's hash; `null` when the path does not have the length of its place. */
async function rootByPath(index, size, leaf, path) {
  if (index >= size) return null;
  let [place, last, hash] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if (place & 1n || place === last) {
      hash = await nodeHash(sibling, hash);
      while (!(place & 1n) && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await nodeHash(hash, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? hash : null;
}

async function included(index, size, leaf, path, root) {
  const found = await rootByPath(index, size, leaf, path);
  return found !== null && same(found, root);
}

/** Whether the tree of `second` begins with that of `first`. A tree of nothing proves nothing, so size 0 is refused. */
async function consistent(first, second, path, firstRoot, secondRoot) {
  if (first === 0n || first > second) return false;
  if (first === second) return path.length === 0 && same(firstRoot, secondRoot);
  if (path.length === 0) return false;
  const nodes = (first & (first - 1n)) === 0n ? [firstRoot, ...path] : path;
  let [place, last] = [first - 1n, second - 1n];
  while (place & 1n) {
    place >>= 1n;
    last >>= 1n;
  }
  let [older, newer] = [nodes[0], nodes[0]];
  for (const node of nodes.slice(1)) {
    if (last === 0n) return false;
    if (place & 1n || place === last) {
      older = await nodeHash(node, older);
      newer = await nodeHash(node, newer);
      while (!(place & 1n) && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      newer = await nodeHash(newer, node);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && same(older, firstRoot) && same(newer, secondRoot);
}
