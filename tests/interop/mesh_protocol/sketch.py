"""Section 8: the sketch of a set of record ids, and what comes out of the difference of two."""

import nacl.bindings as sodium

from .primitives import hk, number, u

CELLS, BLOCK_CELLS, BLOCKS = 3520, 88, 40
SAMPLES = [(204 + 17 * (i % 12)) << i // 12 for i in range(48)]
MOST = (1 << 64) - 1


def sketch_key(set_key):
    return hk(set_key, "mesh.sketch", 16)


def id_hash(key, record_id):
    return number(sodium.crypto_shorthash_siphash24(record_id, key))


def cells(hash_):
    """The cells that an id of this hash is in, ascending."""
    state, at = hash_, 0
    while at < CELLS:
        yield at
        state = (state + 0x9E3779B97F4A7C15) & MOST
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MOST
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MOST
        drawn = ((z ^ z >> 31) >> 32) + 1
        least, at = (at + 1) * (at + 2) << 32, at + 1
        while at < CELLS and (at + 1) * (at + 2) * drawn < least:
            at += 1


class Sketch:
    def __init__(self, set_key, ids):
        self.key = sketch_key(set_key)
        self.sums, self.checks = [0] * CELLS, [0] * CELLS
        for each in ids:
            self._toggle(number(each), self.sums, self.checks)

    def _toggle(self, record_id, sums, checks):
        hash_ = id_hash(self.key, u(8, record_id))
        for cell in cells(hash_):
            sums[cell] ^= record_id
            checks[cell] ^= hash_ & 0xFFFFFFFF

    def block(self, block):
        """(sums, checks, samples) as SKETCH has them"""
        first, end = block * BLOCK_CELLS, (block + 1) * BLOCK_CELLS
        return (b"".join(u(8, each) for each in self.sums[first:end]),
                b"".join(u(4, each) for each in self.checks[first:end]),
                bytes(self.checks[cell] & 0xFF for cell in SAMPLES))

    def peel(self, theirs):
        """What only one of the two holds, ascending, by some blocks of theirs: {block: (sums, checks, …)}. None: more
        blocks are needed."""
        sums, checks, there = list(self.sums), list(self.checks), []
        for block, (their_sums, their_checks, *_) in theirs.items():
            for i in range(BLOCK_CELLS):
                cell = block * BLOCK_CELLS + i
                sums[cell] ^= number(their_sums[i * 8:i * 8 + 8])
                checks[cell] ^= number(their_checks[i * 4:i * 4 + 4])
                there.append(cell)
        found, before = set(), -1
        while len(found) > before:
            before = len(found)
            for cell in there:
                alone = sums[cell] and id_hash(self.key, u(8, sums[cell])) & 0xFFFFFFFF == checks[cell]
                if alone and sums[cell] not in found:
                    found.add(sums[cell])
                    self._toggle(sums[cell], sums, checks)
        if any(sums[cell] or checks[cell] for cell in there):
            return None
        return [u(8, each) for each in sorted(found)]
