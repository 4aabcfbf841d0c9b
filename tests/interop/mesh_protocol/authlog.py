"""Section 5: the authority log. Every entry is checked when it is appended."""

import struct

from . import require
from .bodies import GENESIS, LOG_BODIES
from .primitives import h, key_id, u, verify
from .values import pack

LAYOUT = ">3scI2s32scQ"
HEAD = struct.calcsize(LAYOUT)
assert HEAD == 51
HOST, ISSUER, PERSON = 1, 2, 3


class Entry:
    def __init__(self, data):
        require(117 < len(data) <= 1024, f"a log entry of {len(data)} bytes")
        start, c1, self.index, c2, self.before, c3, self.time = struct.unpack(LAYOUT, data[:HEAD])
        require(start[:2] == b"\x97\x01", "not a log entry of version 1")
        require((c1, c2, c3) == (b"\xce", b"\xc4\x20", b"\xcf"), "a field is not of its width")
        require(data[-66:-64] == b"\xc4\x40", "no signature")
        self.type = start[2]
        require(self.time // 86400 < 1 << 32, "a day of more than 32 bits")
        require(self.type in LOG_BODIES, f"log entry of type {self.type}")
        self.data, self.signature = data, data[-64:]
        self.body_bytes = data[HEAD:-66]
        self.body = LOG_BODIES[self.type].decode(self.body_bytes)
        self.hash = h("mesh.log", 32, data)


class Log:
    """Entries in order. `grants` by issuer id, `operators` by id, `revoked` as (what, id)."""

    def __init__(self):
        self.entries, self.grants, self.operators, self.revoked, self.kept = [], {}, {}, set(), {}
        self.estate, self.name, self.authority = None, None, None

    @property
    def head(self):
        return u(4, len(self.entries) - 1) + self.entries[-1].hash[:8]

    def append(self, data):
        entry = Entry(data)
        first = not self.entries
        require(entry.index == len(self.entries), f"entry {entry.index} after {len(self.entries)}")
        require((entry.type == GENESIS) == first, "genesis is the first entry and no other")
        require(entry.before == (bytes(32) if first else self.entries[-1].hash), "the entry follows another log")
        authority = entry.body[1] if first else self.authority
        verify(authority, b"mesh log 1" + (bytes(16) if first else self.estate) + data[:-66], entry.signature,
               f"log entry {entry.index}")
        getattr(self, "_" + ("genesis", "grant", "extend", "operator", "revoke", "rotate")[entry.type])(entry)
        self.entries.append(entry)

    def _genesis(self, entry):
        self.estate = h("mesh.estate", 16, entry.data)
        self.authority, self.name = entry.body[1], entry.body[2]

    def _grant(self, entry):
        self.grants[key_id(entry.body[1])] = dict(entry.body)

    def _extend(self, entry):
        named = entry.body.get(1)
        for issuer, grant in self.grants.items():
            if named in (None, issuer):
                grant[4] = entry.body.get(2, grant[4])
                grant[3] = entry.body.get(3, grant[3])

    def _operator(self, entry):
        self.operators[key_id(entry.body[1])] = dict(entry.body)

    def _revoke(self, entry):
        self.revoked.add((entry.body[1], entry.body[2]))
        if 3 in entry.body:
            self.kept[entry.body[2]] = entry.body[3]

    def _rotate(self, entry):
        verify(entry.body[1], b"mesh rotate 1" + self.estate + self.authority, entry.body[2], "rotation")
        self.authority = entry.body[1]

    # Who may sign what (section 2).

    def certify(self, record):
        """The fields of a certificate that holds; Malformed says why it does not."""
        require(record.kind == 1, "not a certificate")
        grant = self.grants.get(record.writer)
        require(grant is not None, "an issuer that has no grant")
        record.verify(self.estate, grant[1])
        require((ISSUER, record.writer) not in self.revoked, "the issuer is revoked")
        require((HOST, record.subject) not in self.revoked, "the host is revoked")
        body = record.body
        require(key_id(body[1]) == record.subject, "the key is not the subject's")
        require(not grant.get(2) or body[2] in grant[2], f"the issuer may not enrol for {body[2]}")
        return body

    def verify_record(self, record, certificates):
        """`certificates`: bodies of certificates that hold, by host id."""
        if record.kind == 1:
            self.certify(record)
        elif record.kind < 32:
            body = certificates.get(record.writer)
            require(body is not None, "a writer without a certificate")
            require((HOST, record.writer) not in self.revoked, "the writer is revoked")
            if record.kind >= 16:
                require(record.subject == h("mesh.site", 16, body[2].encode()), "a host of another site")
            record.verify(self.estate, body[1])
        else:
            operator = self.operators.get(record.writer)
            require(operator is not None, "no operator")
            require((PERSON, record.writer) not in self.revoked, "the operator is revoked")
            record.verify(self.estate, operator[1])


def make_entry(log, authority, kind, body, time):
    """An entry that fits the end of `log`; for tests."""
    index = len(log.entries)
    before = log.entries[-1].hash if index else bytes(32)
    head = struct.pack(LAYOUT, b"\x97\x01" + u(1, kind), b"\xce", index, b"\xc4\x20", before, b"\xcf", time)
    head += pack(body)
    return head + b"\xc4\x40" + authority.sign(b"mesh log 1" + (log.estate or bytes(16)) + head)


def make_rotation(log, successor):
    return {1: successor.public, 2: successor.sign(b"mesh rotate 1" + log.estate + log.authority)}


def read_log(entries):
    log = Log()
    for entry in entries:
        log.append(entry)
    return log
