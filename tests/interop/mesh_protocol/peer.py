"""A host of the estate: enrols itself with a token, talks to others over UDP, holds a replica, publishes its own.

It does what docs/protocol.md says a node does when it is asked (sections 6 to 8), and of what a node does by itself
only what its user calls for. Single-threaded: everything happens in run().
"""

import os
import select
import socket
import struct
import time

from . import Malformed, blobs as blob_codec, messages as m, records, require
from .datagrams import EITHER, HELLO_TYPES, ExchangeKey, Header, counter, make_nonce, pair_key, seal
from .primitives import SigningKey, blob_id, h, number, site_id, u, verify
from .trie import RecordSet

MOST_ANSWERS = 8
EVERY_PARTITION = (0, (1 << 64) - 1)


class Session:
    """What is known of a peer since it proved itself."""

    def __init__(self, address, day, key, certificate):
        self.address, self.day, self.key, self.certificate = address, day, key, certificate


class Peer:
    """`heard`: (address, type, decoded message) of all that was opened. `refused`: what was not, and why."""

    def __init__(self, token, site, address, clock=time.time, advertise=None):
        self.token, self.keys, self.log, self.clock = token, token.keys, token.log, clock
        self.address, self.advertise = address, advertise or address
        self.identity = SigningKey()
        self.id, self.site = self.identity.id, site
        self.instance, self.seq, self.sealed = number(os.urandom(8)), 1, 0
        self.exchange = ExchangeKey(int(clock()) // 86400)
        self.certificates, self.blobs, self.waiting = {}, {}, []
        home = {}
        self.set = RecordSet(self.keys.set, home, lambda record: self.log.lets(record, self.certificates))
        self.home = home
        self.sessions, self.hellos, self.answered = {}, {}, {}
        self.heard, self.refused, self.acks = [], [], []
        self.differences = []  # what came out of sketches
        self.pair_keys = {}  # of the capture's reader: (sender, receiver) -> keys used
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        body = {1: self.identity.public, 2: site, 4: self.exchange.day}
        body[6] = self.identity.sign(records.consent(self.log.estate, token.issuer.id, 1, body))
        self.certificate = records.make_record(self.log.estate, token.issuer, 1, self.id, 1, body, self.instance,
                                               self.now_ms())
        self.take(self.certificate.data)

    def close(self):
        self.socket.close()

    def now_ms(self):
        return int(self.clock() * 1000)

    # The replica

    def take(self, data):
        """A record from anybody: kept when its writer may sign it. True when it is new."""
        record = records.Record(data)
        if 2 <= record.kind < 32 and record.writer not in self.certificates:
            self.waiting.append(data)
            return False
        self.log.verify_record(record, self.certificates)
        if record.kind == 1:
            self.certificates[record.subject] = record
            self.home[record.subject] = site_id(record.body[2])
        new = self.set.put(record)
        if record.kind == 1:
            waiting, self.waiting = self.waiting, []
            for each in waiting:
                self.take(each)
        return new

    def publish(self, kind, body, subject=None):
        self.seq += 1
        record = records.make_record(self.log.estate, self.identity, kind, subject or self.id, self.seq, body,
                                     self.instance, self.now_ms())
        self.take(record.data)
        return record

    def store_blob(self, blob):
        self.blobs[blob_id(blob)] = blob
        return blob_id(blob)

    def of_host(self, host, kind):
        return next((r for r in self.set.records.values() if r.subject == host and r.kind == kind), None)

    # Sending

    def _send(self, kind, fields, address, counters, key):
        self.sealed += 1
        data = seal(kind, m.encode(kind, fields), self.id, counters, key, self.keys.mac, make_nonce(self.sealed))
        self.socket.sendto(data, address)
        return data[20:28]  # what an answer echoes

    def send_hello_key(self, kind, fields, address):
        return self._send(kind, fields, address, (0, 0), self.keys.hello)

    def send(self, kind, fields, host):
        """Under the pair key of a session. Returns the echo that its answer will carry."""
        s = self.sessions[host]
        key = pair_key(self.exchange, s.key, self.id, host, self.exchange.day, s.day)
        self.pair_keys.setdefault((self.id, host), set()).add(key)
        return self._send(kind, fields, s.address, (counter(self.exchange.day), counter(s.day)), key)

    def hello(self, address, responder=bytes(16), cookie=bytes(16), ni=None):
        ni = os.urandom(16) if ni is None else ni
        self.hellos[ni] = (address, responder, self.log.head)
        self.send_hello_key(m.HELLO, dict(
            ni=ni, responder=responder, day=self.exchange.day, key=self.exchange.public, head=self.log.head,
            cookie=cookie, flags=0, certificate=self.certificate.data), address)

    def pull_log(self, address, first=None):
        """Under the hello key: from somebody who is not known yet. Without `first` what is not known."""
        first = len(self.log.entries) if first is None else first
        self.send_hello_key(m.LOG_PULL, dict(first=first, padded=True), address)

    def ping(self, host):
        return self.send(m.PING, dict(head=self.log.head, root=self.set.estate_root(), instance=self.instance), host)

    def push(self, record, host):
        self.send(m.PUSH, dict(hops=1, items=[record.data]), host)

    def walk(self, host, first=EVERY_PARTITION[0], last=EVERY_PARTITION[1]):
        roots = [u(8, each) + root for each, root in self.set.partitions()]
        self.send(m.SYNC_ROOTS, dict(echo=bytes(8), root=self.set.estate_root(), first=first, last=last, ids=roots),
                  host)

    def ask_sketch(self, host):
        self.send(m.SKETCH_PULL, dict(echo=bytes(8), estate_root=self.set.estate_root(), held=bytes(8), first=0, count=1),
                  host)

    def pull_blobs(self, ids, host):
        self.send(m.BLOB_PULL, dict(ids=ids), host)

    def _send_items(self, kind, head, items, host, address=None):
        """As many datagrams as the items need; one without items when there are none."""
        room, batch, batches = m.MOST - 13, [], []
        for item in items:
            if batch and sum(len(each) + 2 for each in batch) + len(item) + 2 > room:
                batches.append(batch)
                batch = []
            batch.append(item)
        for each in (batches + [batch])[:MOST_ANSWERS]:
            if address is None:
                self.send(kind, dict(head, items=each), host)
            else:
                self.send_hello_key(kind, dict(head, items=each), address)
                return  # one datagram: no more than the question's size

    # Receiving

    def run(self, seconds, until=lambda: False):
        """Handles what comes in for a while, or until the condition holds; returns whether it does."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return until()
            data, address = self.socket.recvfrom(2048)
            try:
                self._datagram(data, address)
            except Malformed as error:
                self.refused.append((data, str(error)))
        return True

    def _datagram(self, data, address):
        header = Header(data)
        require(header.mac_holds(self.keys.mac), "mac")
        require(header.source != self.id, "our own id")
        if header.hello:
            require(header.type in HELLO_TYPES + EITHER, "a type of the pair key")
            key = self.keys.hello
        else:
            require(header.type not in HELLO_TYPES, "a type of the hello key")
            s = self.sessions.get(header.source)
            require(s is not None, "no session")
            require(header.sender_counter == counter(s.day), "a key of the sender that is not known")
            require(header.receiver_counter == counter(self.exchange.day), "a key of ours that is not known")
            key = pair_key(self.exchange, s.key, header.source, self.id, s.day, self.exchange.day)
            self.pair_keys.setdefault((header.source, self.id), set()).add(key)
        message = m.decode(header.type, header.open(key))
        if header.type in EITHER:
            require(header.type != m.LOG_PULL or message["padded"] == header.hello, "padding under the wrong key")
        self.heard.append((address, header.source, header.type, message))
        handler = getattr(self, "_on_" + m.NAMES[header.type].lower(), None)
        if handler is not None:
            handler(message, header, address)

    def _certified(self, data, host):
        record = records.Record(data)
        require(record.subject == host, "the certificate of another")
        body = self.log.certify(record)
        self.take(data)
        return body

    def _on_hello(self, said, header, address):
        require(said["responder"] in (bytes(16), self.id), "a hello for another")
        self._certified(said["certificate"], header.source)
        nr = os.urandom(16)
        covered = self._covered(b"reply", header.source, self.id, said["ni"], nr, said, self.exchange,
                                said=u(1, said["flags"]) + said["head"] + self.log.head)
        self.answered[said["ni"], nr] = header.source
        ip = socket.inet_aton(address[0])
        self.send_hello_key(m.HELLO_REPLY, dict(
            ni=said["ni"], nr=nr, day=self.exchange.day, key=self.exchange.public, head=self.log.head,
            observed=(ip, address[1]), certificate=self.certificate.data, signature=self.identity.sign(covered)), address)

    def _covered(self, which, initiator, responder, ni, nr, theirs, ours, said=b""):
        """`theirs` is the initiator's message or the responder's, `ours` the exchange key of the other side."""
        sides = [(theirs["day"], theirs["key"]), (ours.day, ours.public)]
        if initiator == self.id:
            sides.reverse()
        (day_i, key_i), (day_r, key_r) = sides
        return m.hello_covered(which, self.log.estate, initiator, responder, ni, nr, day_i, key_i, day_r, key_r, said)

    def _on_hello_finish(self, said, header, address):
        require(self.answered.get((said["ni"], said["nr"])) == header.source, "no reply that it finishes")
        body = self._certified(said["certificate"], header.source)
        covered = self._covered(b"finish", header.source, self.id, said["ni"], said["nr"], said, self.exchange)
        verify(body[1], covered, said["signature"], "hello")
        self.sessions[header.source] = Session(address, said["day"], said["key"], body)

    def _on_hello_reply(self, said, header, address):
        asked = self.hellos.get(said["ni"])
        require(asked is not None and asked[1] in (bytes(16), header.source), "a reply to nothing")
        body = self._certified(said["certificate"], header.source)
        require(said["nr"] != said["ni"], "a nonce given back")
        covered = self._covered(b"reply", self.id, header.source, said["ni"], said["nr"], said, self.exchange,
                                said=u(1, 0) + asked[2] + said["head"])
        verify(body[1], covered, said["signature"], "hello")
        del self.hellos[said["ni"]]
        self.sessions[header.source] = Session(asked[0], said["day"], said["key"], body)
        covered = self._covered(b"finish", self.id, header.source, said["ni"], said["nr"], said, self.exchange)
        self.send_hello_key(m.HELLO_FINISH, dict(
            ni=said["ni"], nr=said["nr"], day=self.exchange.day, key=self.exchange.public,
            certificate=self.certificate.data, signature=self.identity.sign(covered)), asked[0])
        self.ping(header.source)

    def _on_cookie(self, said, header, address):
        require(said["ni"] in self.hellos, "a cookie for nothing")
        asked, responder, _ = self.hellos[said["ni"]]
        self.hello(asked, responder, said["cookie"], said["ni"])

    def _on_ping(self, said, header, address):
        self.send(m.ACK, dict(echo=header.nonce[:8], head=self.log.head, root=self.set.estate_root()), header.source)

    def _on_ack(self, said, header, address):
        self.acks.append((header.source, said["echo"], said["head"], said["root"]))

    def _on_push(self, said, header, address):
        for item in said["items"]:
            self.take(item)

    _on_records = _on_push

    def _on_sketch_offer(self, said, header, address):
        self._on_announce(said, header, address)

    def _on_announce(self, said, header, address):
        lacked = [each for each in said["ids"] if each not in self.set.by_id]
        if lacked:
            self.send(m.PULL, dict(ids=lacked), header.source)

    def _on_pull(self, said, header, address):
        held = [self.set.by_id[each].data for each in said["ids"] if each in self.set.by_id]
        self._send_items(m.RECORDS, dict(echo=header.nonce[:8]), held, header.source)

    def _on_sync_roots(self, said, header, address):
        echo = header.nonce[:8]
        theirs = {number(each[:8]): each[8:] for each in said["ids"]}
        ours = {each: root for each, root in self.set.partitions() if said["first"] <= each <= said["last"]}
        differing = [each for each in sorted(set(theirs) | set(ours)) if theirs.get(each) != ours.get(each)]
        if said["root"] == self.set.estate_root() and said["echo"] == bytes(8) and said["last"] == EVERY_PARTITION[1]:
            self.send(m.SYNC_ROOTS, dict(echo=echo, root=said["root"], first=0, last=0, ids=[]), header.source)
        for each in differing[:MOST_ANSWERS]:
            self.send(m.SYNC_NODE, dict(echo=echo, partition=each, level=0, child=0,
                                        hashes=self.set.child_hashes(each)), header.source)

    def _on_sketch_pull(self, said, header, address):
        echo, root = header.nonce[:8], self.set.estate_root()
        if said["estate_root"] == root:
            self.send(m.SYNC_ROOTS, dict(echo=echo, root=root, first=0, last=0, ids=[]), header.source)
            return
        sketch, end = self.set.sketch(), said["first"] + said["count"]
        for block in range(said["first"] if said["held"] == root else 0, end):
            ids, keys, weights, samples = sketch.block(block)
            self.send(m.SKETCH, dict(echo=echo, estate_root=root, block=block, ids=ids, keys=keys, weights=weights,
                                     samples=samples), header.source)

    def _on_sketch(self, said, header, address):
        """Of a first block what comes out: pulled, offered. This peer asks for no more of them."""
        ours = self.set.sketch()
        found = ours.peel({said["block"]: (said["ids"], said["keys"], said["weights"])})
        if not found:
            return
        self.differences.append(found)
        lacked = [u(8, theirs) for _, own, theirs, ahead in found if theirs and ahead >= 0]
        offered = sorted(u(8, own) for _, own, theirs, ahead in found if own and ahead <= 0)
        if lacked:
            self.send(m.PULL, dict(ids=lacked), header.source)
        if offered:
            self.send(m.SKETCH_OFFER, dict(echo=header.nonce[:8], ids=offered), header.source)

    def _on_sync_node(self, said, header, address):
        partition, echo = said["partition"], header.nonce[:8]
        if said["level"] == 0:
            ours = self.set.child_hashes(partition)
            differing = [i for i in range(16) if ours[i] != said["hashes"][i]]
            for child in differing[:MOST_ANSWERS]:
                self.send(m.SYNC_NODE, dict(echo=echo, partition=partition, level=1, child=child,
                                            hashes=self.set.leaf_hashes(partition, child)), header.source)
            return
        ours, leaves = self.set.leaf_hashes(partition, said["child"]), self.set.leaves(partition)
        differing = [i for i in range(16) if ours[i] != said["hashes"][i]]
        for leaf in differing[:MOST_ANSWERS]:
            place = said["child"] * 16 + leaf
            require(len(leaves[place]) <= 137, "this peer is too small for a leaf of more than one list")
            self.send(m.SYNC_LEAF, dict(echo=echo, partition=partition, leaf=place, flags=0, first=EVERY_PARTITION[0],
                                        last=EVERY_PARTITION[1], ids=leaves[place]), header.source)

    def _on_sync_leaf(self, said, header, address):
        ours = [each for each in self.set.leaves(said["partition"])[said["leaf"]]
                if said["first"] <= number(each) <= said["last"]]
        lacked = [each for each in said["ids"] if each not in self.set.by_id]
        if lacked:
            self.send(m.PULL, dict(ids=lacked), header.source)
        if not said["flags"] & 2:
            extra = [each for each in ours if each not in said["ids"]]
            if extra:
                self.send(m.SYNC_LEAF, dict(said, echo=header.nonce[:8], flags=2, ids=extra[:137]), header.source)

    def _on_log_pull(self, said, header, address):
        asked = [entry for entry in self.log.entries if entry.index >= said["first"]]
        first = asked[0].index if asked else said["first"]
        self._send_items(m.LOG_ENTRIES, dict(echo=header.nonce[:8], first=first), [entry.data for entry in asked],
                         header.source, address if header.hello else None)

    def _on_log_entries(self, said, header, address):
        """Entries prove themselves; those that are known come again where branches are told whole."""
        for item in said["items"]:
            if h("mesh.log", 32, item) not in self.log.by_hash:
                self.log.append(item)

    def _on_blob_pull(self, said, header, address):
        held = [self.blobs[each] for each in said["ids"] if each in self.blobs]
        self._send_items(m.BLOBS, dict(echo=header.nonce[:8]), held, header.source)

    def _on_blobs(self, said, header, address):
        for item in said["items"]:
            blob_codec.decode(item)
            self.store_blob(item)

    def manifest(self, host):
        """The component entries of a host's manifest; KeyError names the blob that is not here yet."""
        rows = blob_codec.leaves(self.of_host(host, 4).body[1], self.blobs.__getitem__)
        return [entry for kind, content in rows if kind == blob_codec.COMPONENTS for entry in content]

    def published_address(self):
        """As key 15 of a profile names it."""
        return socket.inet_aton(self.advertise[0]) + struct.pack(">H", self.advertise[1])
