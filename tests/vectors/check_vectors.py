"""Recompute the test vectors, and take them apart with tests/interop/mesh_protocol, which was written from
docs/protocol.md alone: a second implementation of what they fix.

Needs python3-nacl and python3-msgpack; without them it is skipped (exit status 77).
"""

import base64
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
try:
    import msgpack
    import nacl.bindings as sodium
    from mesh_protocol import Malformed, authlog, blobs as blob_codec, datagrams as sealing, files
    from mesh_protocol import bodies, messages as wire, records as record_codec, sketch as sketch_codec
    from mesh_protocol.primitives import SigningKey, h, hk, number, u, verify
    from mesh_protocol.values import pack
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

checks = 0


def load(name):
    values = {}
    with open(os.path.join(HERE, name), encoding="ascii") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                key, value = line.rstrip("\n").split(" = ")
                assert key not in values, f"{name}: {key} stands twice"
                values[key] = bytes.fromhex(value)
    return values


def same(what, got, want):
    global checks
    checks += 1
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def sign(seed, message):
    return SigningKey(seed).sign(message)


def refused(what, decode, *bytes_):
    """`decode` must refuse these bytes."""
    global checks
    checks += 1
    try:
        decode(*bytes_)
    except Malformed:
        return
    sys.exit(f"{what}: {bytes_[-1].hex()} was not refused")


def changed(data, every=1):
    """`data` with each byte (or every nth) changed in turn."""
    for i in range(0, len(data), every):
        yield data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1:]


keys = load("keys.txt")
records = load("records.txt")
log = load("log.txt")
token = load("token.txt")
datagrams = load("datagrams.txt")
blobs = load("blobs.txt")
messages = load("messages.txt")
sketch = load("sketch.txt")
estate = keys["estate.id"]
set_key = keys["estate.set_key"]


def check_keys():
    for name in "authority", "issuer", "host_a", "host_b", "operator", "successor", "next":
        public = sodium.crypto_sign_seed_keypair(keys[name + ".seed"])[0]
        same(name + ".public", public, keys[name + ".public"])
        same(name + ".id", h("mesh.id", 16, public), keys[name + ".id"])
    secret = keys["estate.secret"]
    same("estate.id", h("mesh.estate", 16, log["entry0.bytes"]), estate)
    same("estate.mac_key", hk(secret, "mesh.mac", 32)[:16], keys["estate.mac_key"])
    same("estate.hello_key", hk(secret, "mesh.hello", 32), keys["estate.hello_key"])
    same("estate.set_key", hk(secret, "mesh.set", 32), set_key)
    same("site.id", h("mesh.site", 16, b"leeds"), keys["site.id"])


def check_key_file(name, purpose, seed, passphrase=None):
    file = keys[name]
    same(name, files.read_key_file(file, purpose, passphrase), seed)
    sealed = {} if passphrase is None else {"passphrase": passphrase, "salt": file[20:36], "nonce": file[36:60]}
    same(name + ", written", files.write_key_file(purpose, seed, **sealed), file)
    for other in changed(file):
        refused(name, files.read_key_file, other, purpose)
    for size in range(len(file)):
        refused(name + ", cut off", files.read_key_file, file[:size], purpose, passphrase)
    refused(name + ", longer", files.read_key_file, file + b"\0", purpose, passphrase)
    refused(name + ", purpose", lambda data: files.read_key_file(data, purpose % 5 + 1, passphrase), file)
    if passphrase is not None:
        refused(name + ", passphrase", lambda data: files.read_key_file(data, purpose, b"wrong"), file)


def check_key_files():
    check_key_file("key_file.host_a", files.HOST_KEY, keys["host_a.seed"])
    check_key_file("key_file.estate", files.ESTATE_SECRET, keys["estate.secret"])
    check_key_file("key_file.authority", files.AUTHORITY_KEY, keys["authority.seed"], keys["key_file.passphrase"])


A = bytes(range(0xA0, 0xA8))
B = bytes(range(0xB0, 0xB8))
NIGHT = 1721347200  # 2024-07-19 00:00 UTC
SLOT = 0x0102030405060708
BLOB = h("mesh.blob", 16, b"manifest of the vectors")
ROSTER = h("mesh.roster", 16, b"".join(sorted([keys["host_a.id"], keys["host_b.id"]])))[:8]

# What the bodies say, from the tables of docs/protocol.md section 3.
BODIES = {
    "certificate": {1: keys["host_a.public"], 2: "leeds", 3: ["tills", "north"], 4: 19923,
                    5: keys["host_a.id"][:8],
                    6: SigningKey(keys["host_a.seed"]).sign(
                        b"mesh enrol 1" + estate + keys["issuer.id"] + h("mesh.site", 16, b"leeds") + u(4, 19923) +
                        u(8, 1) + keys["host_a.id"][:8])},
    "profile": {
        1: "till-0217", 2: "leeds", 3: "Briggate 12", 4: ["till", "wave-1"], 5: "till",
        6: "Debian GNU/Linux 12 (bookworm)", 7: "6.1.0-22-amd64", 8: "x86_64", 9: -3, 10: "uefi", 11: 1, 12: A,
        13: ["RP5-00217"], 14: "0.1.0",
        15: [bytes([10, 7, 0, 17]) + u(2, 7946), bytes.fromhex("20010db8" + "00" * 11 + "11") + u(2, 7946)],
        16: -2, 17: 1,
    },
    "health": {
        1: B, 2: NIGHT, 3: 0, 4: 1, 5: 0x28, 6: 12, 7: 0, 8: -4, 9: 55, 10: 91, 11: 0, 12: 2, 13: 70000,
        14: 0x3001, 15: [[A, 300]], 16: 1,
    },
    "components": {
        1: BLOB, 2: 16, 3: 1, 4: 0x1000, 5: bytes([0b10100000, 0b00000001]), 6: [A],
        7: [[B, NIGHT + 14940, 1], [A, NIGHT, 4]], 8: -3, 9: 1000,
    },
    "crashes": {
        1: {1: 3, 6: 260}, 2: 19921, 3: [0, 1, 2], 4: [[NIGHT + 14940, 1, "csagent"]], 5: {1: 1, 4: -3},
    },
    "goodbye": {1: 2, 2: NIGHT + 86400},
    "rollcall": {
        1: 1, 2: ROSTER, 3: u(2, 0b001_010_011_100_101_0), 4: bytes(8) + A + bytes(112),
        5: [[1, NIGHT + 15000]], 6: [[4, 12, NIGHT + 16000]], 7: 5, 8: 3, 9: [B], 10: 5,
    },
    "reach": {1: [[h("mesh.site", 16, b"york")[:8], 1, NIGHT]], 2: 65536},
    "incident": {
        1: 1, 2: 0, 3: "Tills down since 06:09", 4: [[2, 1, "csagent"], [3, 6, "7.11.18110"]],
        5: [[2, 1, "csagent"], [3, 3, "7.11.18110"]],
    },
    "claim": {1: SLOT, 2: 1, 3: 2, 4: "Ada drives there"},
    "note": {1: SLOT, 2: "Keys are with the café next door"},
    "policy": {1: BLOB, 2: 4096, 3: "approved drivers"},
    "inventory": {1: BLOB, 2: 4096, 3: "tills, July", 4: [SLOT - 1, 12]},
    "decommission": {1: "replaced by till-0218"},
}
KINDS = {
    "certificate": 1, "profile": 2, "health": 3, "components": 4, "crashes": 5, "goodbye": 6, "rollcall": 16,
    "reach": 17, "incident": 32, "claim": 33, "note": 34, "policy": 35, "inventory": 36, "decommission": 37,
}


def check_records():
    for name, kind in KINDS.items():
        r = {key.split(".")[1]: value for key, value in records.items() if key.startswith(name + ".")}
        signer = "issuer" if kind == 1 else "operator" if kind >= 32 else "host_a"
        subject = {
            16: keys["site.id"], 17: keys["site.id"], 33: keys["site.id"], 34: keys["site.id"], 32: estate,
            35: estate, 36: estate, 37: keys["host_b.id"],
        }.get(kind, keys["host_a.id"])
        same(name + ".kind", r["kind"], bytes([kind]))
        same(name + ".writer", r["writer"], keys[signer + ".id"])
        same(name + ".subject", r["subject"], subject)
        same(name + ".body", pack(BODIES[name]), r["body"])
        head = b"\x9a\x01" + bytes([kind]) + b"\xc4\x10" + r["writer"] + b"\xc4\x10" + r["subject"]
        for field in "slot", "seq", "instance", "time":
            head += b"\xcf" + r[field]
        covered = b"mesh record 1" + estate + head + r["body"]
        signature = sign(keys[signer + ".seed"], covered)
        verify(keys[signer + ".public"], covered, signature, name)
        same(name + ".signature", signature, r["signature"])
        same(name + ".record", head + r["body"] + b"\xc4\x40" + signature, r["record"])
        same(name + ".record_id", hk(set_key, "mesh.record", 16, r["record"])[:8], r["record_id"])
        key = r["kind"] + r["writer"] + r["subject"] + r["slot"]
        same(name + ".key_hash", hk(set_key, "mesh.key", 16, key)[:8], r["key_hash"])
        unpacked = msgpack.unpackb(r["record"], strict_map_key=False)
        same(name + ", unpacked", (len(unpacked), unpacked[8]), (10, BODIES[name]))
        check_record(name, r)


def whole_log():
    count = sum(1 for name in log if name.startswith("entry") and name.endswith(".bytes"))
    return authlog.read_log([log[f"entry{i}.bytes"] for i in range(count)])


def check_record(name, r):
    """The second implementation's decoder: it takes the record, its writer may sign it, and no changed byte passes."""
    trusted = whole_log()
    certificates = {keys["host_a.id"]: record_codec.Record(records["certificate.record"])}

    def read(data):
        trusted.verify_record(record_codec.Record(data), certificates)

    record = record_codec.Record(r["record"])
    same(name + ", decoded", (record.name, record.writer, record.subject, record.read()),
         (name, r["writer"], r["subject"], BODIES[name]))
    same(name + ", numbers", [u(8, each) for each in (record.slot, record.seq, record.instance, record.time)],
         [r[each] for each in ("slot", "seq", "instance", "time")])
    same(name + ", id", record_codec.record_id(set_key, record.data), r["record_id"])
    same(name + ", key hash", record_codec.key_hash(set_key, record.key), r["key_hash"])
    signer = SigningKey(keys[{1: "issuer"}.get(record.kind, "operator" if record.kind >= 32 else "host_a") + ".seed"])
    made = record_codec.make_record(estate, signer, record.kind, record.subject, record.seq, record.body,
                                    record.instance, record.time, record.slot)
    same(name + ", made", made.data, record.data)
    read(record.data)
    for data in changed(record.data):
        refused(name, read, data)
    for size in range(0, len(record.data), 7):
        refused(name + ", cut off", read, record.data[:size])
    refused(name + ", longer", read, record.data + b"\0")


def check_log():
    now = 1721368800
    public = {name: keys[name + ".public"] for name in ("authority", "issuer", "host_b", "operator", "successor", "next")}
    bodies = [
        (0, {1: public["authority"], 2: "Acme", 3: public["successor"]}),
        (1, {1: public["issuer"], 2: [], 3: 100, 4: 19953, 5: "north", 6: 7}),
        (1, {1: public["host_b"], 2: ["leeds", "york"], 3: 70000, 4: 20013, 5: "two sites", 6: 0}),
        (2, {1: keys["issuer.id"], 2: 20323}),
        (3, {1: public["operator"], 2: "Ada", 3: 15, 4: 20323}),
        (4, {1: 1, 2: b"\xde\xad" + bytes(14), 4: "laptop lost"}),
        (5, {1: public["successor"], 2: public["next"]}),
    ]
    before = bytes(32)
    for index, (kind, body) in enumerate(bodies):
        time = now + max(0, index - 1)
        covered = b"\x97\x01" + bytes([kind]) + b"\xce" + u(4, index) + b"\xc4\x20" + before + b"\xcf" + u(8, time)
        covered += pack(body)
        prefix = b"mesh log 1" + (estate if index > 0 else bytes(16))
        signer = "successor.seed" if kind == 5 else "authority.seed"
        entry = covered + b"\xc4\x40" + sign(keys[signer], prefix + covered)
        same(f"entry{index}.bytes", entry, log[f"entry{index}.bytes"])
        same(f"entry{index}.type", bytes([kind]), log[f"entry{index}.type"])
        same(f"entry{index}.time", u(8, time), log[f"entry{index}.time"])
        same(f"entry{index}.body", pack(body), log[f"entry{index}.body"])
        before = h("mesh.log", 32, entry)
        same(f"entry{index}.hash", before, log[f"entry{index}.hash"])
    same("head", (u(4, len(bodies) - 1), before[:8]), (log["head.index"], log["head.hash"]))
    read_log_again(bodies)


def read_log_again(bodies):
    """The second implementation reads the log entry by entry; of each, no changed byte passes."""
    trusted = authlog.Log()
    for index, (kind, body) in enumerate(bodies):
        data = log[f"entry{index}.bytes"]
        if index > 0:
            for other in changed(data):
                refused(f"entry{index}", trusted.append, other)
            refused(f"entry{index}, longer", trusted.append, data + b"\0")
        trusted.append(data)
        refused(f"entry{index}, twice", trusted.append, data)
        same(f"entry{index}, decoded", (trusted.entries[-1].type, trusted.entries[-1].body), (kind, body))
    same("log, head", trusted.head, log["head.index"] + log["head.hash"])
    same("log, estate", (trusted.estate, trusted.name), (estate, "Acme"))
    same("log, authority", trusted.authority, keys["successor.public"])
    check_standing(trusted)


def check_fork():
    """Both branches of the fork, in three orders: one log, revocations of both branches and grants of neither."""
    now = 1721368800
    bodies = [(4, {1: 2, 2: keys["issuer.id"], 3: b"\xa1" + bytes(15), 4: "stolen"}),
              (1, {1: keys["operator.public"], 2: [], 3: 100, 4: 19953, 5: "north", 6: 7})]
    before = log["entry1.hash"]
    for index, (kind, body) in enumerate(bodies):
        covered = b"\x97\x01" + bytes([kind]) + b"\xce" + u(4, 2 + index) + b"\xc4\x20" + before
        covered += b"\xcf" + u(8, now + 6 + index) + pack(body)
        entry = covered + b"\xc4\x40" + sign(keys["authority.seed"], b"mesh log 1" + estate + covered)
        same(f"fork{index}.bytes", entry, log[f"fork{index}.bytes"])
        before = h("mesh.log", 32, entry)
        same(f"fork{index}.hash", before, log[f"fork{index}.hash"])
    head = h("mesh.fork", 16, b"".join(sorted([before, log["entry5.hash"]])))[:8]
    same("fork_head", (u(4, 5), head), (log["fork_head.index"], log["fork_head.hash"]))
    trunk, tail = [log[f"entry{i}.bytes"] for i in (0, 1)], [log[f"entry{i}.bytes"] for i in range(2, 6)]
    fork = [log[f"fork{i}.bytes"] for i in (0, 1)]
    for entries in (trunk + tail + fork, trunk + fork + tail, trunk + fork[:1] + tail + fork[1:]):
        read = authlog.read_log(entries)
        same("fork, head", read.head, log["fork_head.index"] + log["fork_head.hash"])
        same("fork, grants", (set(read.grants), set(read.operators)), ({keys["issuer.id"]}, set()))
        same("fork, revoked", read.revoked, {(1, b"\xde\xad" + bytes(14)), (2, keys["issuer.id"])})


def check_rotation():
    """The rotation drops the fork whatever the order; a second one by the same successor brings it back."""
    fork, tail = [log[f"fork{i}.bytes"] for i in (0, 1)], [log[f"entry{i}.bytes"] for i in range(2, 6)]
    trunk, rotation, rival = [log[f"entry{i}.bytes"] for i in (0, 1)], log["entry6.bytes"], log["rival0.bytes"]
    covered = b"\x97\x01\x05\xce" + u(4, 4) + b"\xc4\x20" + log["fork1.hash"] + b"\xcf" + u(8, 1721368808)
    covered += pack({1: keys["successor.public"], 2: keys["operator.public"]})
    same("rival0.bytes", covered + b"\xc4\x40" + sign(keys["successor.seed"], b"mesh log 1" + estate + covered), rival)
    for entries in (trunk + tail + [rotation] + fork, trunk + fork + tail + [rotation], trunk + tail + fork + [rotation]):
        read = authlog.read_log(entries)
        same("rotation, head", read.head, log["head.index"] + log["head.hash"])
        same("rotation, revoked", read.revoked, {(1, b"\xde\xad" + bytes(14))})
        read.append(rival)
        same("rival, head", read.head, log["rival_head.index"] + log["rival_head.hash"])
        same("rival, revoked", read.revoked, {(1, b"\xde\xad" + bytes(14)), (2, keys["issuer.id"])})
    read = authlog.read_log(trunk + fork + [rival] + tail + [rotation])
    same("rival first, head", read.head, log["rival_head.index"] + log["rival_head.hash"])
    refused("the retired key's word", whole_log().append, fork[0])


def check_standing(trusted):
    """A log goes on under the new authority's key alone; who is revoked or was never granted has no say."""
    old, new = SigningKey(keys["authority.seed"]), SigningKey(keys["successor.seed"])
    revoke = {1: authlog.ISSUER, 2: keys["issuer.id"], 4: "stolen"}
    certificate = record_codec.Record(records["certificate.record"])
    trusted.certify(certificate)
    refused("the old authority", trusted.append, authlog.make_entry(trusted, old, bodies.REVOKE, revoke, NIGHT))
    trusted.append(authlog.make_entry(trusted, new, bodies.REVOKE, revoke, NIGHT))
    refused("a revoked issuer", lambda data: trusted.certify(record_codec.Record(data)), certificate.data)
    note = record_codec.Record(records["note.record"])
    trusted.verify_record(note, {})
    revoke = {1: authlog.PERSON, 2: keys["operator.id"]}
    trusted.append(authlog.make_entry(trusted, new, bodies.REVOKE, revoke, NIGHT))
    refused("a revoked operator", lambda data: trusted.verify_record(record_codec.Record(data), {}), note.data)


def check_token():
    subnets = [
        [token[f"token.subnet{i}.address"] + token[f"token.subnet{i}.prefix"], token[f"token.subnet{i}.site"].decode()]
        for i in range(2)
    ]
    elements = [
        1, keys["estate.secret"], keys["issuer.seed"], "leeds", subnets,
        [token["token.seed0"].decode(), token["token.seed1"].decode()],
        [log["entry0.bytes"], log["entry1.bytes"]], number(token["token.last_day"]),
    ]
    binary = b"\x99" + b"".join(pack(element) for element in elements)
    binary += pack(h("mesh.token", 16, binary)[:8])
    coded = base64.b64encode(binary).decode()
    lines = ["mesh-token-1"] + [coded[i:i + 76] for i in range(0, len(coded), 76)]
    same("token.text", "".join(line + "\n" for line in lines).encode(), token["token.text"])
    same("token.last_day", number(token["token.last_day"]), 19953)
    read = files.Token(token["token.text"])
    same("token, decoded", read.elements, elements)
    same("token, written", files.encode_token(elements), token["token.text"])
    same("token, log", (read.log.estate, read.issuer.id in read.log.grants), (estate, True))
    same("token, other line ends", files.Token(token["token.text"].replace(b"\n", b"\r\n").rstrip()).elements, elements)
    for other in changed(token["token.text"][:-1]):
        refused("token", files.Token, other)
    refused("used token", files.Token, b"mesh-token-used\n")


def seal(name, source, key, counters):
    d = {field: datagrams[f"{name}.{field}"] for field in ("type", "nonce", "message", "datagram")}
    head = b"\x01" + d["type"] + bytes(counters) + keys[source + ".id"] + d["nonce"]
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(d["message"], head, d["nonce"], key)
    mac = sodium.crypto_shorthash_siphash24(head + sealed, keys["estate.mac_key"])
    same(name + ".datagram", head + mac + sealed, d["datagram"])
    mac_key = keys["estate.mac_key"]
    again = sealing.seal(d["type"][0], d["message"], keys[source + ".id"], counters, key, mac_key, d["nonce"])
    same(name + ", sealed again", again, d["datagram"])

    def open_one(data):
        header = sealing.Header(data)
        if not header.mac_holds(mac_key):
            raise Malformed("mac")
        return header.open(key)

    same(name + ", opened", open_one(d["datagram"]), d["message"])
    for other in changed(d["datagram"]):
        refused(name, open_one, other)


def check_datagrams():
    d = datagrams
    for side in "a", "b":
        same(side + ".public", sodium.crypto_scalarmult_base(d[side + ".secret"]), d[side + ".public"])
    shared = sodium.crypto_scalarmult(d["a.secret"], d["b.public"])
    same("shared", shared, sodium.crypto_scalarmult(d["b.secret"], d["a.public"]))
    a, b = keys["host_a.id"], keys["host_b.id"]
    forth = hk(shared, "mesh.pair", 32, a + b + d["a.day"] + d["b.day"])
    back = hk(shared, "mesh.pair", 32, b + a + d["b.day"] + d["a.day"])
    count_a, count_b = number(d["a.day"]) % 255 + 1, number(d["b.day"]) % 255 + 1
    ours, theirs = (sealing.ExchangeKey(number(d[side + ".day"]), d[side + ".secret"]) for side in "ab")
    same("forth", sealing.pair_key(ours, theirs.public, a, b, ours.day, theirs.day), forth)
    same("back", sealing.pair_key(ours, theirs.public, b, a, theirs.day, ours.day), back)
    small = bytes(32)
    refused("small order", lambda key: sealing.pair_key(ours, key, a, b, ours.day, theirs.day), small)
    same("counters", (sealing.counter(ours.day), sealing.counter(theirs.day)), (count_a, count_b))
    seal("hello", "host_a", keys["estate.hello_key"], (0, 0))
    seal("ping", "host_a", forth, (count_a, count_b))
    seal("ack", "host_b", back, (count_b, count_a))
    same("hello, length", len(d["hello.datagram"]), 1200)
    same("ack, echo", d["ack.message"][:8], d["ping.nonce"][:8])
    covered = estate + a + b + d["hello.ni"] + d["hello.nr"] + d["a.day"] + d["a.public"] + d["b.day"] + d["b.public"]
    head = log["head.index"] + log["head.hash"]
    said = b"\0" + head + head
    same("reply", sign(keys["host_b.seed"], b"mesh hello reply 1" + covered + said), d["hello.reply_signature"])
    same("finish", sign(keys["host_a.seed"], b"mesh hello finish 1" + covered), d["hello.finish_signature"])
    certificate = records["certificate.record"]
    hello = d["hello.ni"] + bytes(16) + d["a.day"] + d["a.public"] + log["head.index"] + log["head.hash"]
    hello += bytes(16) + b"\0" + u(2, len(certificate)) + certificate
    same("hello.message", hello.ljust(1132, b"\0"), d["hello.message"])


def check_blobs():
    entries = [
        {1: 1, 2: "csagent", 3: "7.11.18110", 6: 3000000, 7: 0x12},
        {1: 7, 2: "/opt/cs/C-00000291.sys", 3: "33", 6: -3, 7: 0x12},
    ]
    for i, entry in enumerate(entries):
        same(f"entry{i}.bytes", pack(entry), blobs[f"entry{i}.bytes"])
        same(f"entry{i}.id", h("mesh.entry", 16, pack(entry))[:8], blobs[f"entry{i}.id"])
    same("chunk.bytes", b"\x01\x02" + pack(entries), blobs["chunk.bytes"])
    same("chunk.id", h("mesh.blob", 16, blobs["chunk.bytes"]), blobs["chunk.id"])
    same("list.bytes", b"\x01\x01" + blobs["chunk.id"], blobs["list.bytes"])
    same("list.id", h("mesh.blob", 16, blobs["list.bytes"]), blobs["list.id"])
    policy = [
        {1: 1, 2: "csagent", 4: 3, 5: "7.11", 8: 1},
        {1: 7, 2: "/opt/cs/C-00000291", 3: 7, 4: 6, 5: "33", 6: "00ff", 7: "CrowdStrike, Inc.", 8: 2,
         9: "until the review"},
    ]
    inventory = [
        {1: "till-0217", 2: ["RP5-00217"], 3: "leeds", 4: "till", 5: 3},
        {3: "leeds", 4: "till", 5: 4, 6: "Briggate 12, Leeds LS1 6HD", 7: "Mo-Sa 08:00-20:00",
         8: "store manager, +44 113 496 0000", 9: "safe 2, envelope 0217", 10: 2, 11: "park behind the store"},
    ]
    others = {
        "policy": (3, pack(policy)),
        "inventory": (4, pack(inventory)),
        "catalogue": (5, pack({1: "6.1.0-22-amd64", 2: "x86_64", 3: 2, 4: blobs["list.id"]})),
        "allow_list": (6, b"".join(sorted([keys["host_a.id"], keys["host_b.id"]]))),
    }
    for name, (kind, content) in others.items():
        same(name + ".bytes", bytes([1, kind]) + content, blobs[name + ".bytes"])
        same(name + ".id", h("mesh.blob", 16, blobs[name + ".bytes"]), blobs[name + ".id"])
    made = blob_codec.make_chunks(blob_codec.COMPONENTS, entries)
    same("chunk and list", made, [blobs["chunk.bytes"], blobs["list.bytes"]])
    stored = {h("mesh.blob", 16, blob): blob for blob in made}
    same("manifest", blob_codec.leaves(blobs["list.id"], stored.__getitem__), [(blob_codec.COMPONENTS, entries)])
    for name, kind, rows in (("policy", blob_codec.POLICY, policy), ("inventory", blob_codec.INVENTORY, inventory)):
        chunks = blob_codec.make_chunks(kind, rows)
        same(name + ", chunk and list", chunks, [blobs[name + ".bytes"], blobs[name + "_list.bytes"]])
        same(name + "_list.id", h("mesh.blob", 16, blobs[name + "_list.bytes"]), blobs[name + "_list.id"])
        stored = {h("mesh.blob", 16, blob): blob for blob in chunks}
        same(name + ", rows", blob_codec.leaves(blobs[name + "_list.id"], stored.__getitem__), [(kind, rows)])
    for name, (kind, _) in others.items():
        same(name + ", type", blob_codec.decode(blobs[name + ".bytes"])[0], kind)
        refused(name + ", version", blob_codec.decode, b"\2" + blobs[name + ".bytes"][1:])


# The messages whose fields all have one place, as struct lays them out: big-endian, no padding of its own.
HEAD = (("head_index", "4s"), ("head_hash", "8s"))
PLAIN = {
    "cookie": (4, (("ni", "16s"), ("cookie", "16s"))),
    "beacon": (5, (("instance", "8s"), ("clean_stop", "4s"), ("manifest", "16s"), ("time", "8s"),
                   ("signature", "64s"))),
    "ping": (16, HEAD + (("root", "8s"), ("instance", "8s"))),
    "ack": (17, (("echo", "8s"),) + HEAD + (("root", "8s"),)),
    "ping_req": (18, (("target", "16s"),)),
    "ping_ack": (19, (("echo", "8s"), ("target", "16s"))),
    "suspect": (20, ((2, "B"), ("host0", "16s"), ("host1", "16s"))),
    "rollcall_pull": (21, (("site", "16s"), (2, "B"), ("signer0", "8s"), ("part0", "s"), ("seq0", "8s"),
                           ("signer1", "8s"), ("part1", "s"), ("seq1", "8s"))),
    "announce": (33, ((2, "B"), ("id0", "8s"), ("id1", "8s"))),
    "pull": (34, ((3, "B"), ("id0", "8s"), ("id1", "8s"), ("id2", "8s"))),
    "sync_roots": (48, (("echo", "8s"), ("estate_root", "8s"), ("first", "8s"), ("last", "8s"), (2, "B"),
                        ("partition0", "8s"), ("root0", "8s"), ("partition1", "8s"), ("root1", "8s"))),
    "sync_node_root": (49, (("echo", "8s"), ("partition", "8s"), ("level", "s"), ("child", "s"), ("hashes", "128s"))),
    "sync_node_child": (49, (("echo", "8s"), ("partition", "8s"), ("level", "s"), ("child", "s"), ("hashes", "128s"))),
    "sync_leaf": (50, (("echo", "8s"), ("partition", "8s"), ("leaf", "s"), ("flags", "s"), ("first", "8s"),
                       ("last", "8s"), (3, "B"), ("id0", "8s"), ("id1", "8s"), ("id2", "8s"))),
    "sketch_pull": (51, (("echo", "8s"), ("estate_root", "8s"), ("held", "8s"), ("first", "s"), ("count", "s"))),
    "sketch": (52, (("echo", "8s"), ("estate_root", "8s"), ("block", "s"), ("ids", "424s"), ("keys", "424s"),
                    ("weights", "212s"), ("samples", "48s"))),
    "sketch_offer": (53, (("echo", "8s"), (3, "B"), ("id0", "8s"), ("id1", "8s"), ("id2", "8s"))),
    "log_pull": (64, (("first", "4s"),)),
    "log_pull_hello": (64, (("first", "4s"), (bytes(1128), "1128s"))),
    "blob_pull": (80, ((2, "B"), ("blob0", "16s"), ("blob1", "16s"))),
}


def check_plain(name):
    kind, fields = PLAIN[name]
    same(name + ".type", messages[name + ".type"], bytes([kind]))
    values = struct.unpack(">" + "".join(size for _, size in fields), messages[name + ".message"])
    for (field, _), value in zip(fields, values):
        want = messages[f"{name}.{field}"] if isinstance(field, str) else field
        same(f"{name}.{field}", value, want)


def check_items(name, kind, head, items):
    """`head`: the format up to the count, with what it says."""
    message = messages[name + ".message"]
    same(name + ".type", messages[name + ".type"], bytes([kind]))
    at = struct.calcsize(">" + head[0])
    same(name + ", head", struct.unpack(">" + head[0], message[:at]), tuple(head[1:]))
    same(name + ", count", message[at], len(items))
    at += 1
    for i, item in enumerate(items):
        (size,) = struct.unpack_from(">H", message, at)
        same(f"{name}.item{i}", message[at + 2:at + 2 + size], item)
        same(f"{name}.item{i}, stated", messages[f"{name}.item{i}"], item)
        at += 2 + size
    same(name + ", length", len(message), at)


def check_hellos():
    d, log_head = datagrams, log["head.index"] + log["head.hash"]
    ours = records["certificate.record"]
    theirs = messages["hello_reply.certificate"]
    hello = struct.unpack(">16s16s4s32s12s16sBH", messages["hello.message"][:99])
    want = (d["hello.ni"], keys["host_b.id"], d["a.day"], d["a.public"], log_head,
            bytes(range(0xC0, 0xD0)), 1, len(ours))
    same("hello", hello, want)
    same("hello, certificate", messages["hello.message"][99:], ours.ljust(1132 - 99, b"\0"))
    for name, address in ("hello_reply", 4), ("hello_reply_v6", 16):
        layout = f">16s16s4s32s12sB{address}sH{16 - address}sH{len(theirs)}s64s"
        reply = struct.unpack(layout, messages[name + ".message"])
        want = (d["hello.ni"], d["hello.nr"], d["b.day"], d["b.public"], log_head, address + 2,
                messages[name + ".observed_ip"], 7946, bytes(16 - address), len(theirs), theirs,
                d["hello.reply_signature"])
        same(name, reply, want)
    finish = struct.unpack(f">16s16s4s32sH{len(ours)}s64s", messages["hello_finish.message"])
    want = (d["hello.ni"], d["hello.nr"], d["a.day"], d["a.public"], len(ours), ours, d["hello.finish_signature"])
    same("hello_finish", finish, want)
    same("certificate of host_b", theirs[23:39], keys["host_b.id"])
    verify(keys["issuer.public"], b"mesh record 1" + estate + theirs[:-66], theirs[-64:], "certificate of host_b")


def check_messages():
    for name in PLAIN:
        check_plain(name)
    check_hellos()
    beacon = messages["beacon.message"]
    covered = b"mesh beacon 1" + estate + keys["host_a.id"] + beacon[:36]
    same("beacon.signature", sign(keys["host_a.seed"], covered), beacon[36:])
    ours, theirs = records["certificate.record"], messages["hello_reply.certificate"]
    echo = bytes(range(0xE0, 0xE8))
    check_items("push", 32, ("B", 2), [ours, theirs])
    check_items("records", 35, ("8s", echo), [theirs])
    check_items("log_entries", 65, ("8sI", echo, 2), [log["entry2.bytes"], log["entry3.bytes"]])
    empty = b"\x01\x01"
    check_items("blobs", 81, ("8s", echo), [empty, empty + h("mesh.blob", 16, empty)])
    same("blob_pull, blobs", messages["blob_pull.blob1"], h("mesh.blob", 16, messages["blobs.item1"]))


def check_decoded():
    """The second implementation's decoder of each message: it decodes, encodes to the same, and no other length does."""
    for name in sorted({key.split(".")[0] for key in messages}):
        kind, message = messages[name + ".type"][0], messages[name + ".message"]
        said = wire.decode(kind, message)
        same(name + ", encoded again", wire.encode(kind, said), message)
        for size in range(len(message)):
            if (kind, size) != (wire.LOG_PULL, 4):
                refused(name + ", cut off", wire.decode, kind, message[:size])
        refused(name + ", longer", wire.decode, kind, message + b"\0")
        for field, value in said.items():
            stated = messages.get(f"{name}.{field}")
            if stated is not None:
                value = b"".join(value) if isinstance(value, list) else value
                same(f"{name}.{field}, decoded", value if isinstance(value, bytes) else u(len(stated), value), stated)
    padded = messages["hello.message"]
    refused("hello, padding", wire.decode, wire.HELLO, padded[:-1] + b"\1")
    refused("log_pull, padding", wire.decode, wire.LOG_PULL, messages["log_pull_hello.message"][:-1] + b"\1")
    refused("a type that is not known", wire.decode, 54, messages["ping.message"])
    for kind, name, at, value in ((wire.SKETCH_PULL, "sketch_pull", 24, 40), (wire.SKETCH_PULL, "sketch_pull", 24, 2),
                                  (wire.SKETCH_PULL, "sketch_pull", 25, 0), (wire.SKETCH, "sketch", 16, 40)):
        message = messages[name + ".message"]
        refused(name, wire.decode, kind, message[:at] + u(1, value) + message[at + 1:])


def check_sketch():
    """The second implementation's sketch: cells of a key, blocks of two sets, and what comes out of their difference."""
    def numbers(data, each):
        values = [int.from_bytes(data[i:i + 8], "big") for i in range(0, len(data), 8)]
        return [tuple(values[i:i + each]) for i in range(0, len(values), each)]

    key = sketch_codec.sketch_key(set_key)
    same("sketch.key", key, sketch["key"])
    hash_ = sketch_codec.tag_hash(key, int.from_bytes(sketch["tag"], "big"))
    same("sketch.hash", u(8, hash_), sketch["hash"])
    cells = sketch_codec.cells(hash_)
    for i in range(6):
        same(f"sketch.cell{i}", u(2, next(cells, sketch_codec.CELLS)), sketch[f"cell{i}"])
    made = {}
    for side in "ours", "theirs":
        made[side] = sketch_codec.Sketch(set_key, numbers(sketch[side + ".records"], 3))
        for block in 0, 39:
            for part, got in zip(("ids", "keys", "weights"), made[side].block(block)):
                same(f"{side}, block {block}, {part}", got, sketch[f"{side}.block{block}.{part}"])
            same(f"{side}, samples", made[side].block(block)[3], sketch[side + ".samples"])
    difference = numbers(sketch["difference"], 3)
    seqs = [{number & (1 << 40) - 1: seq for number, _, seq in numbers(sketch[side + ".records"], 3)}
            for side in ("ours", "theirs")]
    ahead = {tag: seqs[1][tag] - seqs[0][tag] if ours and theirs else 0 for tag, ours, theirs in difference}
    same("difference", made["ours"].peel({0: made["theirs"].block(0)}), [(*each, ahead[each[0]]) for each in difference])
    same("difference, seen from there", made["theirs"].peel({i: made["ours"].block(i) for i in range(40)}),
         [(tag, theirs, ours, -ahead[tag]) for tag, ours, theirs in difference])
    none = sketch_codec.Sketch(set_key, [])
    same("nothing is known without the first block", made["ours"].peel({1: none.block(1)}), None)
    many = sketch_codec.Sketch(set_key, [(i * 0x9e3779b97f4a7c15 % (1 << 64), i, i) for i in range(1, 200)])
    same("too much for one block", many.peel({0: none.block(0)}), None)
    same("no difference", many.peel({0: many.block(0)}), [])


check_keys()
check_key_files()
check_records()
check_log()
check_fork()
check_rotation()
check_token()
check_datagrams()
check_blobs()
check_messages()
check_decoded()
check_sketch()
print(f"{checks} values agree")
