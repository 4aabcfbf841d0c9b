"""Section 7: messages, as dicts of their fields. decode(type, bytes) and encode(type, fields) are each other's inverse."""

import struct

from . import require
from .values import fields

(HELLO, HELLO_REPLY, HELLO_FINISH, COOKIE, BEACON) = range(1, 6)
(PING, ACK, PING_REQ, PING_ACK, SUSPECT, ROLLCALL_PULL) = range(16, 22)
(PUSH, ANNOUNCE, PULL, RECORDS) = range(32, 36)
(SYNC_ROOTS, SYNC_NODE, SYNC_LEAF, SKETCH_PULL, SKETCH, SKETCH_OFFER) = range(48, 54)
LOG_PULL, LOG_ENTRIES = 64, 65
BLOB_PULL, BLOBS = 80, 81

NAMES = {value: name for name, value in list(globals().items()) if name.isupper() and isinstance(value, int)}
MOST = 1132
MOST_CERTIFICATE, MOST_ITEM = 640, 1024

# Types whose fields all have one place.
FIXED = {
    COOKIE: ("16s16s", "ni cookie"),
    BEACON: ("8sI16sQ64s", "instance clean_stop manifest time signature"),
    PING: ("12s8sQ", "head root instance"),
    ACK: ("8s12s8s", "echo head root"),
    PING_REQ: ("16s", "target"),
    PING_ACK: ("8s16s", "echo target"),
    SKETCH_PULL: ("8s8s8sBB", "echo estate_root held first count"),
    SKETCH: ("8s8sB424s424s212s48s", "echo estate_root block ids keys weights samples"),
}
# Types that end in a list of ids: fields before the count, their names, bytes of an id, least and most of them.
LISTS = {
    SUSPECT: ("", "", 16, 1, 70),
    ROLLCALL_PULL: ("16s", "site", 17, 0, 65),
    ANNOUNCE: ("", "", 8, 1, 141),
    PULL: ("", "", 8, 1, 141),
    SYNC_ROOTS: ("8s8sQQ", "echo root first last", 16, 0, 68),
    SYNC_LEAF: ("8sQBBQQ", "echo partition leaf flags first last", 8, 0, 137),
    SKETCH_OFFER: ("8s", "echo", 8, 1, 140),
    BLOB_PULL: ("", "", 16, 1, 70),
}
# Types that end in items.
ITEMS = {
    PUSH: ("B", "hops", 1),
    RECORDS: ("8s", "echo", 0),
    LOG_ENTRIES: ("8sI", "echo first", 0),
    BLOBS: ("8s", "echo", 0),
}


def zeroes(data, what):
    require(not any(data), f"{what} is not zero")


def _certificate(data):
    (size,), data = fields("H", data)
    require(1 <= size <= MOST_CERTIFICATE and size <= len(data), f"a certificate of {size} bytes")
    return data[:size], data[size:]


def _address(data):
    """(bytes of the address, port)"""
    size = data[0]
    require(size in (6, 18), f"an address of {size} bytes")
    zeroes(data[1 + size:], "what follows an address")
    return data[1:size - 1], struct.unpack(">H", data[size - 1:size + 1])[0]


def encode_address(ip, port):
    return (bytes([len(ip) + 2]) + ip + struct.pack(">H", port)).ljust(19, b"\0")


def _hello(data):
    require(len(data) == MOST, f"a HELLO of {len(data)} bytes")
    (ni, responder, day, key, head, cookie, flags), rest = fields("16s16sI32s12s16sB", data)
    certificate, rest = _certificate(rest)
    zeroes(rest, "padding")
    return dict(ni=ni, responder=responder, day=day, key=key, head=head, cookie=cookie, flags=flags,
                certificate=certificate)


def _hello_reply(data):
    (ni, nr, day, key, head, observed), rest = fields("16s16sI32s12s19s", data)
    certificate, rest = _certificate(rest)
    require(len(rest) == 64, "not one signature at the end")
    return dict(ni=ni, nr=nr, day=day, key=key, head=head, observed=_address(observed), certificate=certificate,
                signature=rest)


def _hello_finish(data):
    (ni, nr, day, key), rest = fields("16s16sI32s", data)
    certificate, rest = _certificate(rest)
    require(len(rest) == 64, "not one signature at the end")
    return dict(ni=ni, nr=nr, day=day, key=key, certificate=certificate, signature=rest)


def _sync_node(data):
    (echo, partition, level, child, hashes), rest = fields("8sQBB128s", data)
    zeroes([rest != b""], "what follows")
    require(level <= 1 and child <= 15 and (level == 1 or child == 0), f"level {level}, child {child}")
    return dict(echo=echo, partition=partition, level=level, child=child,
                hashes=[hashes[i:i + 8] for i in range(0, 128, 8)])


def _log_pull(data):
    require(len(data) in (4, MOST), f"a LOG_PULL of {len(data)} bytes")
    zeroes(data[4:], "padding")
    return dict(first=struct.unpack(">I", data[:4])[0], padded=len(data) == MOST)


def _list(kind, data):
    layout, names, size, least, most = LISTS[kind]
    values, rest = fields(layout + "B", data)
    count = values[-1]
    require(least <= count <= most and len(rest) == count * size, f"{count} ids in {len(rest)} bytes")
    message = dict(zip(names.split(), values), ids=[rest[i:i + size] for i in range(0, len(rest), size)])
    if kind in (SYNC_ROOTS, SYNC_LEAF, SKETCH_OFFER):
        ordered = [each[:8] for each in message["ids"]]
        require(ordered == sorted(set(ordered)), "not ascending")
    if kind in (SYNC_ROOTS, SYNC_LEAF):
        first, last = message["first"], message["last"]
        require(first <= last, "the range ends before it begins")
        require(all(first <= int.from_bytes(each, "big") <= last for each in ordered), "outside its range")
    if kind == ROLLCALL_PULL:
        require(all(each[8] < 10 for each in message["ids"]), "a part beyond the last")
    if kind == SYNC_ROOTS:
        require(all(any(each[8:]) for each in message["ids"]), "a root of zero")
    return message


def _items(kind, data):
    layout, names, least = ITEMS[kind]
    values, rest = fields(layout + "B", data)
    items = []
    for _ in range(values[-1]):
        (size,), rest = fields("H", rest)
        require(1 <= size <= MOST_ITEM and size <= len(rest), f"an item of {size} bytes")
        items.append(rest[:size])
        rest = rest[size:]
    require(not rest and len(items) >= least, "more bytes after the last item, or none")
    message = dict(zip(names.split(), values), items=items)
    require(kind != PUSH or message["hops"] <= 4, "more than 4 hops")
    return message


SPECIAL = {HELLO: _hello, HELLO_REPLY: _hello_reply, HELLO_FINISH: _hello_finish, SYNC_NODE: _sync_node,
           LOG_PULL: _log_pull}


def decode(kind, data):
    require(len(data) <= MOST, f"a message of {len(data)} bytes")
    if kind in FIXED:
        layout, names = FIXED[kind]
        values, rest = fields(layout, data)
        require(not rest, "more bytes than fields")
        message = dict(zip(names.split(), values))
        if kind == SKETCH_PULL:
            require(message["first"] < 40 and 1 <= message["count"] <= 40 - message["first"], "blocks that are none")
        require(kind != SKETCH or message["block"] < 40, "a block that is none")
        return message
    if kind in LISTS:
        return _list(kind, data)
    if kind in ITEMS:
        return _items(kind, data)
    require(kind in SPECIAL, f"message type {kind} is not known")
    return SPECIAL[kind](data)


def _sized(data):
    return struct.pack(">H", len(data)) + data


def encode(kind, m):
    def put(layout, names):
        return struct.pack(">" + layout, *(m[name] for name in names.split()))

    if kind in FIXED:
        return put(*FIXED[kind])
    if kind in LISTS:
        layout, names = LISTS[kind][:2]
        return put(layout, names) + bytes([len(m["ids"])]) + b"".join(m["ids"])
    if kind in ITEMS:
        layout, names = ITEMS[kind][:2]
        return put(layout, names) + bytes([len(m["items"])]) + b"".join(_sized(item) for item in m["items"])
    if kind == HELLO:
        data = put("16s16sI32s12s16sB", "ni responder day key head cookie flags") + _sized(m["certificate"])
        return data.ljust(MOST, b"\0")
    if kind == HELLO_REPLY:
        return (put("16s16sI32s12s", "ni nr day key head") + encode_address(*m["observed"]) +
                _sized(m["certificate"]) + m["signature"])
    if kind == HELLO_FINISH:
        return put("16s16sI32s", "ni nr day key") + _sized(m["certificate"]) + m["signature"]
    if kind == SYNC_NODE:
        return put("8sQBB", "echo partition level child") + b"".join(m["hashes"])
    return put("I", "first").ljust(MOST if m["padded"] else 4, b"\0")  # LOG_PULL


def hello_covered(which, estate, initiator, responder, ni, nr, day_i, key_i, day_r, key_r, said=b""):
    """What the signatures of REPLY and FINISH cover; `which`: b"reply" or b"finish". `said`, of REPLY alone: flags and heads."""
    return (b"mesh hello " + which + b" 1" + estate + initiator + responder + ni + nr + struct.pack(">I", day_i) +
            key_i + struct.pack(">I", day_r) + key_r + said)
