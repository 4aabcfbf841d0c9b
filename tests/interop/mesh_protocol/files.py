"""Section 5: token, key files, and the files of a state folder that others write or read."""

import base64

import nacl.bindings as sodium
import nacl.exceptions
import nacl.pwhash

from . import Malformed, require
from .authlog import read_log
from .primitives import EstateKeys, SigningKey, h, number, u
from .values import U32, array, binary, pack, row, text, unpack

LINE = 76


class Token:
    """`elements`: the first eight of the array."""

    def __init__(self, data):
        if data.rstrip(b"\r\n") == b"mesh-token-used":
            raise Malformed("the token has been used")
        lines = data.decode("ascii", "replace").split("\n")
        lines = [line[:-1] if line.endswith("\r") else line for line in lines]
        if lines[-1] == "":
            lines.pop()
        require(len(lines) > 1 and lines[0] == "mesh-token-1", "not a token")
        require(all(len(line) == LINE for line in lines[1:-1]) and 0 < len(lines[-1]) <= LINE, "lines of another size")
        try:
            coded = "".join(lines[1:])
            binary_form = base64.b64decode(coded, validate=True)
            require(base64.b64encode(binary_form).decode() == coded, "not the one form of base64")
        except ValueError as error:
            raise Malformed(f"not base64: {error}") from error
        value = unpack(binary_form)
        require(type(value) is list and len(value) == 9 and value[0] == 1, "not a token of version 1")
        binary(8)(value[8])
        require(h("mesh.token", 16, binary_form[:-10])[:8] == value[8], "the checksum is wrong")
        binary(32)(value[1])
        binary(32)(value[2])
        text(32)(value[3])
        array(256, row(binary(5, 17), text(32)))(value[4])
        array(8, text(63, 1))(value[5])
        require(all(type(entry) is bytes for entry in value[6]), "log entries are bytes")
        U32(value[7])
        self.elements = value[:8]
        self.keys, self.issuer = EstateKeys(value[1]), SigningKey(value[2])
        self.site, self.subnets, self.seeds, self.last_day = value[3], value[4], value[5], value[7]
        self.log = read_log(value[6])


def encode_token(elements):
    data = b"\x99" + b"".join(pack(element) for element in elements)
    data += pack(h("mesh.token", 16, data)[:8])
    coded = base64.b64encode(data).decode()
    lines = ["mesh-token-1"] + [coded[i:i + LINE] for i in range(0, len(coded), LINE)]
    return "".join(line + "\n" for line in lines).encode()


HOST_KEY, ISSUER_KEY, OPERATOR_KEY, AUTHORITY_KEY, ESTATE_SECRET = range(1, 6)


def _public(purpose, seed):
    return h("mesh.secret", 32, seed) if purpose == ESTATE_SECRET else SigningKey(seed).public


def read_key_file(data, purpose, passphrase=None):
    """The 32-byte seed."""
    require(len(data) == 148 and data[:8] == b"meshkey1", "not a key file")
    require(h("mesh.keyfile", 16, data[:140])[:8] == data[140:], "the checksum is wrong")
    require(data[8] == purpose, f"a key of purpose {data[8]}")
    require(data[10:12] == bytes(2), "bytes 10 and 11 are not zero")
    if data[9] == 0:
        require(data[12:60] == bytes(48) and data[92:108] == bytes(16), "a plain file with more than a seed")
        seed = data[60:92]
    else:
        require(data[9] == 1, f"protection {data[9]}")
        require(passphrase is not None, "a passphrase is needed")
        key = nacl.pwhash.argon2id.kdf(32, passphrase, data[20:36], opslimit=number(data[12:16]),
                                       memlimit=number(data[16:20]) * 1024)
        try:
            seed = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(data[60:108], data[:60], data[36:60], key)
        except nacl.exceptions.CryptoError as error:
            raise Malformed("another passphrase") from error
    require(_public(purpose, seed) == data[108:140], "the public key is another seed's")
    return seed


def write_key_file(purpose, seed, passphrase=None, passes=3, memory_kib=65536, salt=bytes(16), nonce=bytes(24)):
    if passphrase is None:
        head, sealed = b"meshkey1" + bytes([purpose, 0]) + bytes(50), seed + bytes(16)
    else:
        head = b"meshkey1" + bytes([purpose, 1]) + bytes(2) + u(4, passes) + u(4, memory_kib) + salt + nonce
        key = nacl.pwhash.argon2id.kdf(32, passphrase, salt, opslimit=passes, memlimit=memory_kib * 1024)
        sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(seed, head, nonce, key)
    whole = head + sealed + _public(purpose, seed)
    return whole + h("mesh.keyfile", 16, whole)[:8]


def read_log_file(data):
    """`authority.log` of a state folder: its entries."""
    entries = []
    while data:
        require(len(data) >= 2 and len(data) >= 2 + number(data[:2]), "the last entry is cut off")
        size = number(data[:2])
        entries.append(data[2:2 + size])
        data = data[2 + size:]
    return entries
