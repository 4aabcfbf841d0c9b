"""Section 6: datagrams, and the daily keys that seal them."""

import os

import nacl.bindings as sodium
import nacl.exceptions

from . import Malformed, require
from .primitives import hk, u

HEADER, TAG, MOST = 52, 16, 1200
HELLO_TYPES = (1, 2, 3, 4, 5)
EITHER = (64, 65)  # log pull and its answer go under both


def counter(day):
    return day % 255 + 1


class ExchangeKey:
    def __init__(self, day, secret=None):
        self.day = day
        self.secret = os.urandom(32) if secret is None else secret
        self.public = sodium.crypto_scalarmult_base(self.secret)


def pair_key(ours, their_public, sender, receiver, sender_day, receiver_day):
    """The key from `sender` to `receiver`, of which one is us."""
    try:
        shared = sodium.crypto_scalarmult(ours.secret, their_public)
    except (nacl.exceptions.CryptoError, RuntimeError) as error:
        raise Malformed("a public key of small order") from error
    require(any(shared), "a public key of small order")
    return hk(shared, "mesh.pair", 32, sender + receiver + u(4, sender_day) + u(4, receiver_day))


class Header:
    """What anybody sees of a datagram, and all of it."""

    def __init__(self, data):
        require(HEADER + TAG <= len(data) <= MOST, f"a datagram of {len(data)} bytes")
        require(data[0] == 1, f"version {data[0]}")
        self.type, self.sender_counter, self.receiver_counter = data[1], data[2], data[3]
        self.source, self.nonce, self.mac, self.sealed = data[4:20], data[20:44], data[44:52], data[52:]
        self.associated = data[:44]
        self.hello = self.sender_counter == 0
        require(self.hello == (self.receiver_counter == 0), "one counter is zero, the other not")

    def mac_holds(self, mac_key):
        return sodium.crypto_shorthash_siphash24(self.associated + self.sealed, mac_key) == self.mac

    def open(self, key):
        try:
            return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(self.sealed, self.associated, self.nonce, key)
        except nacl.exceptions.CryptoError as error:
            raise Malformed("does not open") from error


def make_nonce(count):
    """`count`: how many datagrams were sealed since the exchange keys were made, this one included."""
    return os.urandom(8) + u(8, count) + os.urandom(8)


def seal(kind, message, source, counters, key, mac_key, nonce):
    head = bytes([1, kind, *counters]) + source + nonce
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(message, head, nonce, key)
    return head + sodium.crypto_shorthash_siphash24(head + sealed, mac_key) + sealed
