"""Mesh's protocol a second time, from docs/protocol.md alone. Needs PyNaCl and msgpack.

Nothing here was taken from the C sources: where the two disagree, one of them or the document is wrong. What a byte
sequence means is decided here, what to do about it in peer.py.
"""


class Malformed(ValueError):
    """Bytes that docs/protocol.md does not allow."""


def require(condition, what):
    if not condition:
        raise Malformed(what)
