"""Section 2: records."""

import struct

from . import require
from .bodies import BODIES, KINDS
from .primitives import hk, site_id, u, verify
from .values import pack, unpack

LAYOUT = ">3s2s16s2s16scQcQcQcQ"
HEAD = struct.calcsize(LAYOUT)
assert HEAD == 75
MOST = 1024
MOST_CERTIFICATE = 640


class Record:
    """A record whose envelope is well formed. Who may sign it says Log.verify_record()."""

    def __init__(self, data):
        require(141 < len(data) <= MOST, f"a record of {len(data)} bytes")
        (start, w, self.writer, s, self.subject, c1, self.slot, c2, self.seq, c3, self.instance, c4,
         self.time) = struct.unpack(LAYOUT, data[:HEAD])
        require(start[:2] == b"\x9a\x01", "not a record of version 1")
        require(w == s == b"\xc4\x10" and c1 == c2 == c3 == c4 == b"\xcf", "a field is not of its width")
        require(data[-66:-64] == b"\xc4\x40", "no signature")
        self.kind = start[2]
        require(self.kind < 128, "kind above 7f")
        require(1 <= self.seq < 1 << 63, f"seq {self.seq}")
        require(self.kind in (*range(1, 16), *range(16, 32), *range(32, 48)), f"kind {self.kind} is of no range")
        if self.kind == 16:
            require(self.slot < 10, f"slot {self.slot}")
        elif self.kind < 32:
            require(self.slot == 0, f"slot {self.slot}")
        if 2 <= self.kind < 16:
            require(self.writer == self.subject, "a host speaks of another")
        require(self.kind != 1 or len(data) <= MOST_CERTIFICATE, "a certificate of more than 640 bytes")
        self.data, self.body_bytes, self.signature = data, data[HEAD:-66], data[-64:]
        self.body = unpack(self.body_bytes)
        require(type(self.body) is dict, "the body is no map")
        if self.kind == 1:
            self.read()

    def read(self):
        """The body; Malformed when it breaks the table of its kind. A relay does not ask."""
        return BODIES[self.kind].check(self.body) if self.kind in BODIES else self.body

    @property
    def name(self):
        return KINDS.get(self.kind, f"kind {self.kind}")

    @property
    def key(self):
        return u(1, self.kind) + self.writer + self.subject + u(8, self.slot)

    def covered(self, estate):
        return b"mesh record 1" + estate + self.data[:-66]

    def verify(self, estate, public):
        verify(public, self.covered(estate), self.signature, self.name)


def make_record(estate, signer, kind, subject, seq, body, instance, time_ms, slot=0):
    head = struct.pack(LAYOUT, b"\x9a\x01" + u(1, kind), b"\xc4\x10", signer.id, b"\xc4\x10", subject, b"\xcf", slot,
                       b"\xcf", seq, b"\xcf", instance, b"\xcf", time_ms) + pack(body)
    return Record(head + b"\xc4\x40" + signer.sign(b"mesh record 1" + estate + head))


def consent(estate, issuer, seq, body):
    """What the host signs of its certificate (section 3)."""
    return (b"mesh enrol 1" + estate + issuer + site_id(body[2]) + u(4, body[4]) + u(8, seq) +
            body.get(5, bytes(8)))


def record_id(set_key, data):
    return hk(set_key, "mesh.record", 16, data)[:8]


def key_hash(set_key, key):
    return hk(set_key, "mesh.key", 16, key)[:8]
