"""Section 1: hashes, ids and the keys that an estate's secret yields; signatures."""

import hashlib
import os

import nacl.bindings as sodium
import nacl.exceptions

from . import Malformed


def h(domain, size, data, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key, person=domain.encode().ljust(16, b"\0")).digest()


def hk(key, domain, size, data=b""):
    return h(domain, size, data, key)


def u(size, value):
    return value.to_bytes(size, "big")


def number(data):
    return int.from_bytes(data, "big")


def key_id(public):
    return h("mesh.id", 16, public)


def site_id(name):
    return h("mesh.site", 16, name.encode())


def blob_id(blob):
    return h("mesh.blob", 16, blob)


def entry_id(entry):
    return h("mesh.entry", 16, entry)[:8]


class EstateKeys:
    def __init__(self, secret):
        self.secret = secret
        self.mac = hk(secret, "mesh.mac", 32)[:16]
        self.hello = hk(secret, "mesh.hello", 32)
        self.set = hk(secret, "mesh.set", 32)


class SigningKey:
    def __init__(self, seed=None):
        self.seed = os.urandom(32) if seed is None else seed
        self.public, self.secret = sodium.crypto_sign_seed_keypair(self.seed)
        self.id = key_id(self.public)

    def sign(self, message):
        return sodium.crypto_sign(message, self.secret)[:64]


def verify(public, message, signature, what):
    try:
        sodium.crypto_sign_open(signature + message, public)
    except (nacl.exceptions.CryptoError, nacl.exceptions.ValueError) as error:
        raise Malformed(f"{what}: the signature does not verify") from error
