"""The list a second time: records, parts and statuses made from the text of docs/matching.md alone, for `list.json`.

    python3 crates/matching/vectors/list.py > crates/matching/vectors/list.json

It uses nothing but the standard library, so that whoever reviews the format can read all of it. It shares no code with the product.
"""

import hashlib
import hmac
import json
import struct


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def extract(output):
    return mac(b"sluis/v1", output)


def expand(prk, info, length):
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block, info, bytes([number]))
        out, number = out + block, number + 1
    return out[:length]


def quarter(x, a, b, c, d):
    for one, two, three, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[one] = x[one] + x[two] & 0xFFFFFFFF
        y = x[three] ^ x[one]
        x[three] = (y << turn | y >> 32 - turn) & 0xFFFFFFFF


def chacha20(key, data):
    """RFC 8439 with a nonce of zero, from block 0."""
    out = bytearray()
    for counter in range((len(data) + 63) // 64):
        state = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + (counter, 0, 0, 0))
        x = state[:]
        for _ in range(10):
            for column in range(4):
                quarter(x, column, 4 + column, 8 + column, 12 + column)
            for a, b, c, d in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                quarter(x, a, b, c, d)
        block = struct.pack("<16I", *((p + q) & 0xFFFFFFFF for p, q in zip(x, state)))
        piece = data[64 * counter : 64 * counter + 64]
        out += bytes(p ^ q for p, q in zip(piece, block))
    return bytes(out)


def tag(output, listing, epoch, j):
    return expand(extract(output), b"sluis/v1/tag" + listing + struct.pack(">II", epoch, j), 16)


def record(output, listing, epoch, j, number, salt, key, slot, full, family, kind):
    pair = expand(extract(output), b"sluis/v1/rec" + listing + struct.pack(">IQ", epoch, number) + salt, 64)
    clear = key + struct.pack(">IHBB", slot, 1 if full else 0, family, kind) + bytes(8)
    head = tag(output, listing, epoch, j) + chacha20(pair[:32], clear)
    return head + mac(pair[32:], listing, struct.pack(">Q", number), head)


def compare_key(full):
    return expand(full, b"sluis/v1/cmp", 32)


def part(label, key, listing, slot, salt, clear, proof, size):
    where = listing + struct.pack(">I", slot)
    pair = expand(key, label + where + salt, 64)
    inside = struct.pack(">I", len(proof)) + proof + struct.pack(">I", len(clear)) + clear
    inside = chacha20(pair[:32], inside.ljust(size - 32, b"\0"))
    return inside + mac(pair[32:], where, inside)


def status(key, listing, seq, slot, salt, state, since):
    where = listing + struct.pack(">QI", seq, slot)
    pair = expand(key, b"sluis/v1/status" + where + salt, 64)
    inside = chacha20(pair[:32], struct.pack(">Bq", state, since).ljust(32, b"\0"))
    return inside + mac(pair[32:], where, inside)


# RFC 8439, 2.4.2's key with our nonce would prove little; A.1 vector 1 is the block of zeros.
assert chacha20(bytes(32), bytes(8)).hex() == "76b8e0ada0f13d90"
# RFC 5869, A.1, expansion.
assert expand(bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"), bytes(range(0xF0, 0xFA)), 42).hex() == (
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
)

listing, epoch, salt = bytes(range(16)), 7, bytes(range(100, 116))
output, full = bytes(range(64)), bytes(range(200, 232))
key = compare_key(full)
print(
    json.dumps(
        {
            "list": listing.hex(),
            "epoch": epoch,
            "salt": salt.hex(),
            "output": output.hex(),
            "key_full": full.hex(),
            "key_compare": key.hex(),
            "tags": [tag(output, listing, epoch, j).hex() for j in range(3)],
            "domain_record": record(output, listing, epoch, 0, 5, salt, full, 9, True, 3, 0x10).hex(),
            "name_record": record(output, listing, epoch, 1, 70_000, salt, key, 2, False, 4, 0x20).hex(),
            "capsule": part(b"sluis/v1/capsule", key, listing, 9, salt, b"names", b"path", 1024).hex(),
            "reason": part(b"sluis/v1/reason", full, listing, 9, salt, b"why", b"", 4096).hex(),
            "suspended": status(key, listing, 4, 9, salt, 2, 1_800_000_000_000).hex(),
        },
        indent=1,
    )
)
