"""Section 5: the authority log. Every entry is checked when it is appended."""

import struct

from . import Malformed, require
from .bodies import EXTEND, GENESIS, GRANT, LOG_BODIES, OPERATOR, REVOKE, ROTATE
from .primitives import h, key_id, u, verify
from .records import consent
from .values import pack

LAYOUT = ">3scI2s32scQ"
HEAD = struct.calcsize(LAYOUT)
assert HEAD == 51
HOST, ISSUER, PERSON = 1, 2, 3
MOST_ENTRIES, MOST_BRANCHES = 4096, 4


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
    """Entries of all branches, in the order (index, hash), and what follows from them: `grants` by issuer id, `operators`
    by id, `revoked` as (what, id)."""

    def __init__(self):
        self.entries, self.by_hash = [], {}
        self.refused = {}  # well signed, and nothing to the log unless a rotation stands on it
        self.estate, self.name = None, None
        self._judge()

    @property
    def head(self):
        tips = self.tips()
        if len(tips) == 1:
            return u(4, tips[0].index) + tips[0].hash[:8]
        return u(4, max(tip.index for tip in tips)) + h("mesh.fork", 16, b"".join(sorted(t.hash for t in tips)))[:8]

    def tips(self):
        """The last entries of all branches."""
        followed = {entry.before for entry in self.entries}
        return [entry for entry in self.entries if entry.hash not in followed]

    def _get(self, name):
        return self.by_hash.get(name) or self.refused.get(name)

    def reign(self, entry):
        """The genesis or rotation that put the key in force behind an entry, along its own branch."""
        while entry.type not in (GENESIS, ROTATE):
            entry = self._get(entry.before)
        return entry

    def key_after(self, entry):
        return self.reign(entry).body[1]

    def successor_after(self, entry):
        body = self.reign(entry).body
        return body[3] if 3 in body else body[2]

    def _ended(self, reign):
        """Is there a rotation that ends it?"""
        return any(each.type == ROTATE and self.reign(self._get(each.before)) is reign for each in self.entries)

    def append(self, data):
        entry = Entry(data)
        require(entry.hash not in self.by_hash, "known already")
        if entry.type == GENESIS or not self.entries:
            require(entry.type == GENESIS and not self.entries, "genesis is the first entry and no other")
            require(entry.index == 0 and entry.before == bytes(32), "a genesis that follows something")
            signer, estate, successor = entry.body[1], bytes(16), entry.body[3]
        else:
            before = self._get(entry.before)
            require(before is not None, "the entry before is not here")
            require(entry.index == before.index + 1, f"entry {entry.index} after {before.index}")
            rotates, estate = entry.type == ROTATE, self.estate
            signer = self.successor_after(before) if rotates else self.key_after(before)
            require(not rotates or entry.body[1] == signer, "a rotation to another key than its signer's")
            successor = entry.body[2] if rotates else None
        require(successor != signer, "a key that is its own successor")
        verify(signer, b"mesh log 1" + estate + data[:-66], entry.signature, f"log entry {entry.index}")
        if entry.type == GENESIS:
            self.estate, self.name = h("mesh.estate", 16, data), entry.body[2]
            self._hold([entry])
        elif entry.type == ROTATE:
            self._rotate(entry)
        else:
            self.refused[entry.hash] = entry
            require(before.hash in self.by_hash, "the entry before is refused")
            require(not self._ended(self.reign(before)), "by a key that a rotation has retired")
            self._hold([*self.entries, entry])
            del self.refused[entry.hash]

    def _rotate(self, rotation):
        """With what it stands on; without what it ends and does not stand on."""
        stands_on, entry = [], self._get(rotation.before)
        ended = self.reign(entry)
        while entry is not ended:
            stands_on.append(entry)
            entry = self._get(entry.before)
        led = {entry.hash for entry in stands_on} | {ended.hash}
        if self._ended(ended):
            kept, dropped = self.entries, []
        else:
            of_reign = [each for each in self.entries if self.reign(each) is ended and each.hash not in led]
            kept, dropped = [each for each in self.entries if each not in of_reign], of_reign
        self._hold([*kept, *(each for each in stands_on if each not in kept), rotation])
        for each in stands_on:
            self.refused.pop(each.hash, None)
        self.refused.update((each.hash, each) for each in dropped)

    def _hold(self, entries):
        require(len(entries) <= MOST_ENTRIES, "a full log")
        followed = {entry.before for entry in entries}
        require(sum(entry.hash not in followed for entry in entries) <= MOST_BRANCHES, "a branch too many")
        self.entries = sorted(entries, key=lambda each: (each.index, each.hash))
        self.by_hash = {entry.hash: entry for entry in entries}
        self._judge()

    def first_fork(self):
        """The entry of lowest index that has several successors; None: no fork."""
        followers = [entry.before for entry in self.entries]
        return next((entry for entry in self.entries if followers.count(entry.hash) > 1), None)

    def _judge(self):
        self.grants, self.operators, self.revoked, self.kept = {}, {}, set(), {}
        fork = self.first_fork()
        for entry in self.entries:
            if entry.type == REVOKE:
                self._revoke(entry)
            elif fork is None or entry.index <= fork.index:
                self._count(entry)

    @property
    def authority(self):
        """The key in force; of a forked log up to the fork."""
        fork = self.first_fork()
        return self.key_after(fork or self.entries[-1])

    def _count(self, entry):
        body = entry.body
        if entry.type == GRANT:
            self.grants[key_id(body[1])] = dict(body)
        elif entry.type == OPERATOR:
            self.operators[key_id(body[1])] = dict(body)
        elif entry.type == EXTEND:
            for issuer, grant in self.grants.items():
                if body.get(1) in (None, issuer):
                    grant[4] = body.get(2, grant[4])
                    grant[3] = body.get(3, grant[3])

    def _revoke(self, entry):
        """Of an issuer that is revoked several times those stay that all lists name: `kept` has the lists' blob ids."""
        self.revoked.add((entry.body[1], entry.body[2]))
        if entry.body[1] == ISSUER:
            self.kept.setdefault(entry.body[2], []).append(entry.body.get(3))

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
        verify(body[1], consent(self.estate, record.writer, record.seq, body), body[6], "the host's consent")
        require(not grant.get(2) or body[2] in grant[2], f"the issuer may not enrol for {body[2]}")
        return body

    def lets(self, record, certificates):
        """Whether a record that verified once still is in a partition: by the log, whatever the day."""
        if record.kind >= 32:
            return record.writer in self.operators and (PERSON, record.writer) not in self.revoked
        certificate = record if record.kind == 1 else certificates[record.writer]
        grant = self.grants.get(certificate.writer)
        return (grant is not None and (ISSUER, certificate.writer) not in self.revoked and
                (HOST, certificate.subject) not in self.revoked and
                (not grant.get(2) or certificate.body[2] in grant[2]))

    def verify_record(self, record, certificates):
        """`certificates`: those that hold, by host id."""
        if record.kind == 1:
            self.certify(record)
        elif record.kind < 32:
            require(record.writer in certificates, "a writer without a certificate")
            body = certificates[record.writer].body
            require((HOST, record.writer) not in self.revoked, "the writer is revoked")
            if record.kind >= 16:
                require(record.subject == h("mesh.site", 16, body[2].encode()), "a host of another site")
            record.verify(self.estate, body[1])
        else:
            operator = self.operators.get(record.writer)
            require(operator is not None, "no operator")
            require((PERSON, record.writer) not in self.revoked, "the operator is revoked")
            record.verify(self.estate, operator[1])


def make_entry(log, authority, kind, body, time, before=None):
    """An entry behind `before`, or at the end of `log`; for tests."""
    before = before or (log.tips()[0] if log.entries else None)
    index, hash_before = (before.index + 1, before.hash) if before else (0, bytes(32))
    head = struct.pack(LAYOUT, b"\x97\x01" + u(1, kind), b"\xce", index, b"\xc4\x20", hash_before, b"\xcf", time)
    head += pack(body)
    return head + b"\xc4\x40" + authority.sign(b"mesh log 1" + (log.estate or bytes(16)) + head)


def read_log(entries):
    """What cannot be held for now is passed over: a rotation further on may stand on it."""
    log = Log()
    for entry in entries:
        try:
            log.append(entry)
        except Malformed:
            if h("mesh.log", 32, entry) not in log.refused:
                raise
    return log
