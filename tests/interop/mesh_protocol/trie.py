"""Section 8: the set, and what finds where two of them differ: sketch and walk."""

from .primitives import hk, number, u
from .records import key_hash, record_id
from .sketch import Sketch

ZERO = bytes(8)
ROLLCALLS, OPERATORS = 1, 2


class RecordSet:
    """The records that a node holds. `home`: host id -> site id of its home site. `counts`: whether a record is in any
    partition, or only kept."""

    def __init__(self, set_key, home, counts=lambda record: True):
        self.set_key, self.home, self.counts = set_key, home, counts
        self.records = {}  # by key: Record
        self.by_id = {}

    def partition(self, record):
        if record.kind >= 32:
            return OPERATORS
        if record.kind >= 16:
            return ROLLCALLS
        return number(self.home[record.subject][:8])

    def put(self, record):
        """Whether it is new: of one key the highest seq stands, of one seq the lower record id."""
        new = record_id(self.set_key, record.data)
        old = self.records.get(record.key)
        if old is not None:
            before = record_id(self.set_key, old.data)
            if (old.seq, number(before)) == (record.seq, number(new)) or record.seq < old.seq or \
                    (record.seq == old.seq and new > before):
                return False
            del self.by_id[before]
        self.records[record.key] = record
        self.by_id[new] = record
        return True

    def leaves(self, partition):
        """Ids of each of the 256 leaves of a partition, ascending."""
        leaves = [[] for _ in range(256)]
        for key, record in self.records.items():
            if self.partition(record) == partition and self.counts(record):
                leaves[key_hash(self.set_key, key)[0]].append(record_id(self.set_key, record.data))
        return [sorted(leaf) for leaf in leaves]

    def leaf_hashes(self, partition, child):
        leaves = self.leaves(partition)[child * 16:child * 16 + 16]
        return [self._hash("mesh.leaf", leaf) if leaf else ZERO for leaf in leaves]

    def child_hashes(self, partition):
        return [self._node(self.leaf_hashes(partition, child)) for child in range(16)]

    def root(self, partition):
        return self._node(self.child_hashes(partition))

    def partitions(self):
        """(partition, root) in ascending order, empty ones left out."""
        numbers = sorted({self.partition(record) for record in self.records.values() if self.counts(record)})
        return [(each, self.root(each)) for each in numbers]

    def estate_root(self):
        pairs = [u(8, each) + root for each, root in self.partitions() if each != ROLLCALLS]
        return self._hash("mesh.root", pairs) if pairs else ZERO

    def sketch(self):
        """Of the records that the estate root tells of."""
        return Sketch(self.set_key, [
            (number(key_hash(self.set_key, key)), number(record_id(self.set_key, record.data)), record.seq)
            for key, record in self.records.items() if self.partition(record) != ROLLCALLS and self.counts(record)])

    def _node(self, hashes):
        return self._hash("mesh.node", hashes) if any(map(any, hashes)) else ZERO

    def _hash(self, domain, parts):
        return hk(self.set_key, domain, 16, b"".join(parts))[:8]
