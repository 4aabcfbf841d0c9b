"""Section 8: the sketch of a set of records, and what comes out of the difference of two."""

import nacl.bindings as sodium

from .primitives import hk, number, u

CELLS, BLOCK_CELLS, BLOCKS = 2120, 53, 40
SAMPLES = [(120 + 10 * (i % 12)) << i // 12 for i in range(48)]
SIZES = 8, 8, 4
TAG, MOST = (1 << 40) - 1, (1 << 64) - 1


def sketch_key(set_key):
    return hk(set_key, "mesh.sketch", 16)


def tag_hash(key, tag):
    return number(sodium.crypto_shorthash_siphash24(u(8, tag), key))


def cells(hash_):
    """The cells that a key of this hash is in, ascending."""
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


def weight(record_id, seq):
    return seq % (1 << 23) * 256 + record_id % 128 * 2 + 1


class Sketch:
    def __init__(self, set_key, records):
        """`records`: (key hash, record id, seq), as numbers"""
        self.key = sketch_key(set_key)
        self.cells = [(0, 0, 0)] * CELLS
        self.held = {}
        for key_hash, record_id, seq in records:
            tag = key_hash & TAG
            self.held[tag] = (record_id, seq)
            hash_, w = tag_hash(self.key, tag), weight(record_id, seq)
            self._add(self.cells, hash_, (record_id, (hash_ & ~TAG | tag) * w, w))

    @staticmethod
    def _add(into, hash_, what, sign=1):
        for cell in cells(hash_):
            into[cell] = tuple((a + sign * b) % (1 << 8 * size) for a, b, size in zip(into[cell], what, SIZES))

    def block(self, block):
        """(ids, keys, weights, samples) as SKETCH has them"""
        of = self.cells[block * BLOCK_CELLS:(block + 1) * BLOCK_CELLS]
        return tuple(b"".join(u(size, cell[i]) for cell in of) for i, size in enumerate(SIZES)) + (
            bytes(self.cells[cell][0] >> 8 & 0xFF for cell in SAMPLES),)

    def _lone(self, cell, at):
        """(tag, hash, our record id, theirs, versions theirs is ahead) when one key alone is in the cell."""
        ids, keys, by = cell
        by -= (by >> 31) << 32
        if by == 0:
            return None
        lost = (by & -by).bit_length() - 1
        if lost > 24:
            return None
        factor = keys * pow(by >> lost, -1, 1 << 64) & MOST
        if factor & ((1 << lost) - 1):
            return None
        factor >>= lost
        tag = factor & TAG
        hash_ = tag_hash(self.key, tag)
        if ((hash_ & ~TAG | tag) ^ factor) << lost & MOST or at not in cells(hash_):
            return None
        ours, seq = self.held.get(tag, (0, None))
        theirs = (ids + ours) & MOST
        w = (by + (weight(ours, seq) if ours else 0)) & 0xFFFFFFFF
        if ours and theirs == 0 and w == 0:
            return tag, hash_, ours, 0, 0
        if w % 2 == 0 or w >> 31 or w % 256 // 2 != theirs % 128:
            return None
        ahead = ((w >> 8) - seq + (1 << 22)) % (1 << 23) - (1 << 22) if ours else 0
        return tag, hash_, ours, theirs, ahead

    def peel(self, theirs):
        """[(tag, our record id or 0, theirs or 0, versions theirs is ahead)] of the keys that differ, ascending, by some
        blocks of theirs, the first among them: {block: (ids, keys, weights, …)}. None: more blocks are needed."""
        left = {}
        for block, said in theirs.items():
            for i in range(BLOCK_CELLS):
                their = (number(part[i * size:(i + 1) * size]) for part, size in zip(said, SIZES))
                ours = self.cells[block * BLOCK_CELLS + i]
                left[block * BLOCK_CELLS + i] = tuple(
                    (a - b) % (1 << 8 * size) for a, b, size in zip(their, ours, SIZES))
        found, before = {}, -1
        while len(found) > before:
            before = len(found)
            for at in left:
                lone = self._lone(left[at], at)
                if lone and lone[0] not in found:
                    tag, hash_, *found[tag] = lone
                    what = left[at]
                    for cell in cells(hash_):
                        if cell in left:
                            left[cell] = tuple((a - b) % (1 << 8 * size) for a, b, size in zip(left[cell], what, SIZES))
        if 0 not in theirs or any(any(cell) for cell in left.values()):
            return None
        return [(tag, *found[tag]) for tag in sorted(found)]
