"""A second implementation of the pseudorandom function and its proof, which checks the golden vectors beside this file.

Written after RFC 9496 (ristretto255), RFC 9380 (expand_message_xmd), RFC 9497 and docs/matching.md, with integers of Python and nothing else:

    python3 crates/matching/vectors/voprf.py crates/matching/vectors/voprf.json

It is slow and not in constant time: for vectors only. Names are those of the RFCs.
"""

import hashlib
import json
import sys

p = 2**255 - 19
l = 2**252 + 27742317777372353535851937790883648493
d = (-121665 * pow(121666, p - 2, p)) % p
I = pow(2, (p - 1) // 4, p)
neg = lambda x: x % p & 1


def absol(x):
    x %= p
    return p - x if x & 1 else x


def sqrt_ratio(u, v):
    r = (u * v**3 * pow(u * v**7, (p - 5) // 8, p)) % p
    check = v * r * r % p
    correct, flipped, flipped_i = check == u % p, check == -u % p, check == -u * I % p
    if flipped or flipped_i:
        r = r * I % p
    return correct or flipped, absol(r)


_, INVSQRT_A_MINUS_D = sqrt_ratio(1, (-1 - d) % p)
ONE_MINUS_D_SQ = (1 - d * d) % p
D_MINUS_ONE_SQ = (d - 1) ** 2 % p
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235


def add(P, Q):
    (X1, Y1, Z1, T1), (X2, Y2, Z2, T2) = P, Q
    A, B = (Y1 - X1) * (Y2 - X2) % p, (Y1 + X1) * (Y2 + X2) % p
    C, D = 2 * T1 * d * T2 % p, 2 * Z1 * Z2 % p
    E, F, G, H = B - A, D - C, D + C, B + A
    return (E * F % p, G * H % p, F * G % p, E * H % p)


O = (0, 1, 1, 0)


def mul(P, s):
    R = O
    for bit in bin(s % l)[2:]:
        R = add(R, R)
        if bit == '1':
            R = add(R, P)
    return R


def decode(b):
    s = int.from_bytes(b, 'little')
    assert s < p and not s & 1
    ss = s * s % p
    u1 = (1 - ss) % p
    u2 = (1 + ss) % p
    u2s = u2 * u2 % p
    v = (-(d * u1 * u1) - u2s) % p
    ok, inv = sqrt_ratio(1, v * u2s % p)
    dx = inv * u2 % p
    dy = inv * dx * v % p
    x = absol(2 * s * dx)
    y = u1 * dy % p
    t = x * y % p
    assert ok and not neg(t) and y != 0
    return (x, y, 1, t)


def encode(P):
    x0, y0, z0, t0 = P
    u1 = (z0 + y0) * (z0 - y0) % p
    u2 = x0 * y0 % p
    _, inv = sqrt_ratio(1, u1 * u2 * u2 % p)
    d1 = inv * u1 % p
    d2 = inv * u2 % p
    zi = d1 * d2 * t0 % p
    ix, iy = x0 * I % p, y0 * I % p
    ed = d1 * INVSQRT_A_MINUS_D % p
    if neg(t0 * zi):
        x, y, di = iy, ix, ed
    else:
        x, y, di = x0, y0, d2
    if neg(x * zi):
        y = -y % p
    return absol(di * (z0 - y)).to_bytes(32, 'little')


def MAP(b):
    t = (int.from_bytes(b, 'little') & (2**255 - 1)) % p
    r = I * t * t % p
    u = (r + 1) * ONE_MINUS_D_SQ % p
    v = (-1 - r * d) * (r + d) % p
    sq, s = sqrt_ratio(u, v)
    sp = -absol(s * t) % p
    if not sq:
        s = sp
    c = -1 if sq else r
    N = (c * (r - 1) * D_MINUS_ONE_SQ - v) % p
    w0 = 2 * s * v % p
    w1 = N * SQRT_AD_MINUS_ONE % p
    w2 = (1 - s * s) % p
    w3 = (1 + s * s) % p
    return (w0 * w3 % p, w2 * w1 % p, w1 * w3 % p, w0 * w2 % p)


H = lambda x: hashlib.sha512(x).digest()


def expand(msg, dst):
    dp = dst + bytes([len(dst)])
    b0 = H(bytes(128) + msg + bytes([0, 64, 0]) + dp)
    return H(b0 + b'\1' + dp)


scalar = lambda msg, dst: int.from_bytes(expand(msg, dst), 'little') % l
CTX = b'OPRFV1-\x01-ristretto255-SHA512'
OWN = b'Sluis-v1-' + CTX


def h2g(x):
    u = expand(x, b'HashToGroup-' + CTX)
    return add(MAP(u[:32]), MAP(u[32:]))


G = decode(bytes.fromhex('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76'))
u = bytes.fromhex
le = lambda b: int.from_bytes(b, 'little')
for case in json.load(open(sys.argv[1])):
    k = scalar(u(case['key_seed']) + len(u(case['info'])).to_bytes(2, 'big') + u(case['info']) + b'\0', b'DeriveKeyPair' + CTX)
    assert k.to_bytes(32, 'little').hex() == case['secret_key']
    PK = mul(G, k)
    pk = encode(PK)
    assert pk.hex() == case['public_key']
    seed = u(case['batch_seed'])
    inputs = [u(x) for x in case['inputs']]
    framed = b''.join(len(x).to_bytes(2, 'big') + x for x in inputs)
    key = H(b'Sluis-v1-Batch' + seed + case['size'].to_bytes(2, 'big') + len(inputs).to_bytes(2, 'big') + framed)[:32]
    assert key.hex() == case['batch_key']
    C, D = [u(x) for x in case['blinded']], [u(x) for x in case['evaluated']]
    assert len(C) == len(D) == case['size']
    for i in range(case['size']):
        at = i.to_bytes(2, 'big')
        if i < len(inputs):
            r = scalar(key + at + inputs[i], b'Sluis-v1-Blind')
            assert r.to_bytes(32, 'little').hex() == case['blinds'][i]
            assert encode(add(h2g(inputs[i]), mul(G, r))) == C[i]
            N = add(decode(D[i]), mul(PK, l - r))
            out = H(len(inputs[i]).to_bytes(2, 'big') + inputs[i] + b'\0\x20' + encode(N) + b'Finalize')
            assert out.hex() == case['outputs'][i] and encode(N) == encode(mul(h2g(inputs[i]), k))
        else:
            assert encode(mul(G, scalar(key + at, b'Sluis-v1-Padding'))) == C[i]
        assert encode(mul(decode(C[i]), k)) == D[i]
    c = case['context']
    dst = b'Seed-' + OWN
    t = H(
        b'\0\x20'
        + pk
        + len(dst).to_bytes(2, 'big')
        + dst
        + H(b''.join(C))
        + H(b''.join(D))
        + len(C).to_bytes(2, 'big')
        + u(c['list'])
        + c['epoch'].to_bytes(4, 'big')
        + bytes([c['group'], c['share']])
        + u(c['provider'])
        + c['batch_seq'].to_bytes(8, 'big')
    )
    assert t.hex() == case['transcript_seed']
    w = [le(H(b'Sluis-v1-Weight' + t + i.to_bytes(2, 'big'))[:16]) for i in range(len(C))]
    assert w[0].to_bytes(32, 'little').hex() == case['first_weight']
    M = Z = O
    for x, y, wt in zip(C, D, w):
        M, Z = add(M, mul(decode(x), wt)), add(Z, mul(decode(y), wt))
    proof = u(case['proof'])
    ch, s = le(proof[:32]), le(proof[32:])
    assert ch < l and s < l
    r = scalar(k.to_bytes(32, 'little') + u(case['nonce']) + t, b'Sluis-v1-Nonce')
    assert (s + ch * k - r) % l == 0
    t2, t3 = add(mul(G, s), mul(PK, ch)), add(mul(M, s), mul(Z, ch))
    assert scalar(t + pk + b''.join(map(encode, (M, Z, t2, t3))) + b'Challenge', b'HashToScalar-' + OWN) == ch
    print(case['name'], 'agrees')
