"""Section 4: blobs."""

from . import Malformed, require
from .bodies import CATALOGUE, COMPONENT, INVENTORY_ROW, POLICY_ROW
from .primitives import blob_id, entry_id
from .values import pack, unpack

LIST, COMPONENTS, POLICY, INVENTORY, CATALOGUE_TYPE, ALLOW_LIST = range(1, 7)
ROWS = {COMPONENTS: COMPONENT, POLICY: POLICY_ROW, INVENTORY: INVENTORY_ROW}
MOST, PER_LIST = 1024, 63


def _ids(content):
    require(len(content) % 16 == 0 and len(content) <= PER_LIST * 16, f"{len(content)} bytes of ids")
    return [content[i:i + 16] for i in range(0, len(content), 16)]


def decode(data):
    """(type, content): ids, rows, a catalogue's map, or the bytes of a type that is not known."""
    require(2 <= len(data) <= MOST and data[0] == 1, f"a blob of {len(data)} bytes, version {data[:1].hex()}")
    kind, content = data[1], data[2:]
    if kind == LIST:
        return kind, _ids(content)
    if kind == ALLOW_LIST:
        ids = _ids(content)
        require(ids == sorted(set(ids)), "host ids are not ascending")
        return kind, ids
    if kind in ROWS:
        rows = unpack(content)
        require(type(rows) is list, "no array of rows")
        coded = [pack(row) for row in rows]
        require(coded == sorted(set(coded)), "rows are not ascending")
        for row in rows:
            ROWS[kind].check(row)
        return kind, rows
    if kind == CATALOGUE_TYPE:
        return kind, CATALOGUE.decode(content)
    return kind, content


def make_chunks(kind, rows):
    """Blobs of `rows` as section 4 cuts them; the last is the root."""
    coded = sorted(pack(row) for row in rows)
    require(len(set(coded)) == len(coded), "two equal rows")
    chunks, chunk = [], []

    def close():
        if chunk:
            count = bytes([0x90 | len(chunk)]) if len(chunk) < 16 else b"\xdc" + len(chunk).to_bytes(2, "big")
            chunks.append(bytes([1, kind]) + count + b"".join(chunk))
            chunk.clear()

    for row in coded:
        header = 1 if len(chunk) + 1 < 16 else 3
        if 2 + header + sum(map(len, chunk)) + len(row) > MOST:
            close()
        chunk.append(row)
        if entry_id(row)[0] & 7 == 0:
            close()
    close()
    if len(chunks) <= PER_LIST:
        return chunks + [bytes([1, LIST]) + b"".join(map(blob_id, chunks))]
    lists = [bytes([1, LIST]) + b"".join(map(blob_id, chunks[i:i + PER_LIST]))
             for i in range(0, len(chunks), PER_LIST)]
    return chunks + lists + [bytes([1, LIST]) + b"".join(map(blob_id, lists))]


def leaves(root, fetch, depth=2):
    """Chunks below a list, in order. `fetch`: id -> blob, KeyError when it is not there."""
    kind, content = decode(fetch(root))
    if kind != LIST:
        return [(kind, content)]
    if depth == 0:
        raise Malformed("lists deeper than 2")
    return [leaf for each in content for leaf in leaves(each, fetch, depth - 1)]
