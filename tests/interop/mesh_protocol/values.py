"""Section 1: canonical msgpack, and the tables of fields that stand on it."""

import struct

import msgpack

from . import Malformed, require

STATUS = {-2: "absent", -3: "denied", -4: "unsupported", -5: "failed"}
DEPTH = 8


def pack(value):
    return msgpack.packb(value, use_bin_type=True, unicode_errors="surrogateescape")


def _check(value, depth):
    require(depth <= DEPTH, f"deeper than {DEPTH}")
    if isinstance(value, dict):
        keys = list(value)
        require(all(type(key) is int and key >= 0 for key in keys), "a map key is no non-negative integer")
        require(keys == sorted(keys), "map keys are not ascending")
        for item in value.values():
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    else:
        require(value is None or type(value) in (bool, int, str, bytes), f"a {type(value).__name__}")


def unpack(data):
    """One value in the canonical form: what encodes to other bytes than it came from was not in it."""
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=False, unicode_errors="surrogateescape")
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise Malformed(f"not msgpack: {error}") from error
    _check(value, 1)
    require(pack(value) == data, "not the smallest form, a double key, or more bytes after the end")
    return value


# A type is a function that raises Malformed when a value is not of it.


def integer(most, least=0):
    def check(value):
        require(type(value) is int and least <= value <= most, f"{value!r} is not an integer of {least} to {most}")

    return check


U8, U16, U32, U64 = (integer((1 << bits) - 1) for bits in (8, 16, 32, 64))
BIT, PERCENT = integer(1), integer(100)


def binary(*sizes):
    def check(value):
        require(type(value) is bytes and len(value) in sizes, f"{value!r} is not {sizes} bytes")

    return check


PRIME = (1 << 255) - 19
SMALL_ORDER = {0, 1, PRIME - 1} | {int.from_bytes(bytes.fromhex(y), "little") for y in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}


def public_key(value):
    """An Ed25519 key that may come in: canonical, and not of small order."""
    binary(32)(value)
    y = int.from_bytes(value, "little") & (1 << 255) - 1
    require(y < PRIME and y not in SMALL_ORDER, f"{value.hex()} is no key to trust")


def binary_to(most):
    def check(value):
        require(type(value) is bytes and len(value) <= most, f"more than {most} bytes, or none at all")

    return check


def text(most, least=0):
    def check(value):
        require(type(value) is str and least <= len(value.encode(errors="surrogateescape")) <= most, f"{value!r} is not text of {most} bytes")
        require("\0" not in value, "text with a zero byte")

    return check


def array(most, item):
    def check(value):
        require(type(value) is list and len(value) <= most, f"not an array of at most {most}")
        for one in value:
            item(one)

    return check


def row(*items):
    def check(value):
        require(type(value) is list and len(value) == len(items), f"not an array of {len(items)}")
        for one, item in zip(value, items):
            item(one)

    return check


def mapping(most, key, item):
    def check(value):
        require(type(value) is dict and len(value) <= most, f"not a map of at most {most}")
        for one, other in value.items():
            key(one)
            item(other)

    return check


class Table:
    """The fields of one map: key -> (name, type). Keys that it does not know are kept and not looked at."""

    def __init__(self, name, fields, always=(), status=True):
        self.name, self.fields, self.always, self.status = name, fields, always, status

    def check(self, value):
        require(type(value) is dict, f"{self.name} is no map")
        for key in self.always:
            require(key in value, f"{self.name}: {self.fields[key][0]} is missing")
        for key, item in value.items():
            if key not in self.fields:
                continue
            may = self.status is True or (self.status and key in self.status)
            if may and type(item) is int and item in STATUS:
                continue
            try:
                self.fields[key][1](item)
            except Malformed as error:
                raise Malformed(f"{self.name}, {self.fields[key][0]}: {error}") from error
        return value

    def decode(self, data):
        return self.check(unpack(data))


def fields(layout, data):
    """Big-endian fields of fixed size at the start of `data`: their values, and what follows."""
    size = struct.calcsize(">" + layout)
    require(len(data) >= size, f"{len(data)} bytes, at least {size}")
    return struct.unpack(">" + layout, data[:size]), data[size:]
