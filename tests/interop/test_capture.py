"""What somebody on the wire learns: test_capture.py MESH MESHD.

Real daemons of two sites, and a host written from docs/protocol.md alone, talk through a relay that keeps every
datagram. With the capture alone, and no key, an outsider reads the header of docs/protocol.md section 6:

    version           1
    type              what kind of message it is
    two counters      day of the two exchange keys, modulo 255; both 0 for a hello
    source            the host id of the sender: the same in each of its datagrams, and nothing it is the hash of is seen
    nonce             random, but for a counter of what the sender sealed since it made its exchange keys: it tells restarts
    mac               a hash under a key of the estate

and, of each datagram, its time, its size and the two addresses. So: how many hosts there are, who talks to whom and when,
who enrolled or restarted (hellos), when news spread and about how many bytes they were. Not: which estate or site it
is, names, keys, components, health, ids of anyone but the sender, or what is asked and answered.
"""

import collections
import os
import sys

try:
    from daemons import Estate, wait
    from mesh_protocol import Malformed, files, messages as m
    from mesh_protocol.datagrams import Header
    from mesh_protocol.peer import Peer
    from mesh_protocol.primitives import SigningKey, key_id, number, site_id, u
    from relay import Relay
    from test_peer import check, host_id, publish, settle, walk
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Chi-square of 255 and of 15 degrees of freedom: chance passes these once in more than 10^9 times.
UNIFORM_BYTES, UNIFORM_NIBBLES = 420, 80
DATAGRAMS = 500
RESTARTED = "till-two"
SHORTEST_SECRET = 6  # bytes: shorter ones turn up by chance
# Sizes of datagrams, from the table of section 7.
SIZES = {
    m.HELLO: (1200, 1200), m.HELLO_REPLY: (234, 873), m.HELLO_FINISH: (203, 842), m.COOKIE: (100, 100),
    m.PING: (96, 96), m.ACK: (96, 96), m.PING_REQ: (84, 84), m.PING_ACK: (92, 92), m.SUSPECT: (85, 1189),
    m.ROLLCALL_PULL: (85, 1190),
    m.PUSH: (73, 1200), m.ANNOUNCE: (77, 1197), m.PULL: (77, 1197), m.RECORDS: (77, 1200),
    m.SYNC_ROOTS: (101, 1189), m.SYNC_NODE: (214, 214), m.SYNC_LEAF: (103, 1199), m.LOG_PULL: (72, 1200),
    m.SKETCH_PULL: (94, 94), m.SKETCH: (1193, 1193), m.SKETCH_OFFER: (85, 1197),
    m.LOG_ENTRIES: (81, 1200), m.BLOB_PULL: (85, 1189), m.BLOBS: (77, 1200),
}


def chi_square(counts, cells):
    expected = sum(counts.values()) / cells
    return sum((counts.get(i, 0) - expected) ** 2 / expected for i in range(cells))


def uneven(pieces):
    """Why these bytes do not look random, or None: over all bytes, and at each of the first places of a piece."""
    total = chi_square(collections.Counter(b"".join(pieces)), 256)
    if total > UNIFORM_BYTES:
        return f"bytes: chi-square {total:.0f}"
    for place in range(16):
        for shift in 0, 4:
            nibbles = collections.Counter(piece[place] >> shift & 15 for piece in pieces)
            value = chi_square(nibbles, 16)
            if value > UNIFORM_NIBBLES:
                return f"byte {place}: chi-square {value:.0f}"
    return None


def found(secrets, data):
    return [what for what, secret in secrets.items() if secret in data]


def collect_secrets(estate, daemons, peer):
    """What must not be seen: by what it is."""
    log = peer.log
    secrets = {"estate id": log.estate, "estate name": estate.name.encode(), "estate secret": peer.keys.secret,
               "mac key": peer.keys.mac, "hello key": peer.keys.hello, "set key": peer.keys.set,
               "authority's key": log.authority, "role": estate.role.encode(), "location": estate.location.encode()}
    for site in estate.sites:
        secrets[f"site {site}"] = site.encode()
        secrets[f"short id of site {site}"] = site_id(site)[:8]
    for issuer, grant in log.grants.items():
        secrets[f"id of issuer {grant[5]}"], secrets[f"key of issuer {grant[5]}"] = issuer, grant[1]
    for daemon in daemons:
        with open(os.path.join(daemon.state, "identity.key"), "rb") as file:
            key = SigningKey(files.read_key_file(file.read(), files.HOST_KEY))
        secrets[f"name of {daemon.name}"] = daemon.name.encode()
        secrets[f"seed of {daemon.name}"], secrets[f"key of {daemon.name}"] = key.seed, key.public
        for row in daemon.sql("SELECT os, kernel, model, address FROM hosts"):
            secrets.update({f"value {value}": value.encode() for value in row.values() if value})
        for row in daemon.sql("SELECT name, version, source, entry FROM components"):
            for value in row.values():
                if value:
                    secrets[f"component's {value}"] = value.encode()
            secrets[f"entry id {row['entry']}"] = bytes.fromhex(row["entry"])
    for record in peer.set.records.values():
        secrets[f"signature of a {record.name}"] = record.signature
        secrets[f"body of a {record.name}"] = record.body_bytes
        secrets[f"instance of a {record.name}"] = u(8, record.instance)
    return {what: secret for what, secret in secrets.items() if len(secret) >= SHORTEST_SECRET}


def check_header(data):
    header = Header(data)
    check(f"type {header.type} is one of the document", header.type in SIZES)
    least, most = SIZES[header.type]
    check(f"a {m.NAMES[header.type]} of {len(data)} bytes", least <= len(data) <= most)
    hello = header.type <= m.BEACON
    check(f"counters of a {m.NAMES[header.type]}", hello <= header.hello and (
        not header.hello or hello or header.type in (m.LOG_PULL, m.LOG_ENTRIES)))
    if header.type == m.LOG_PULL:
        check("a LOG_PULL's padding", len(data) == (1200 if header.hello else 72))
    return header


def check_headers(capture, ids):
    """Every header is as the document says; a nonce names one datagram, and a sender counts its datagrams."""
    headers, nonces, counts = [], {}, {}
    for sender, receiver, data in capture:
        header = check_header(data)
        check("the source is the sender's id", header.source == ids[sender])
        check("a nonce twice", nonces.setdefault(header.nonce, data) == data)
        counts.setdefault((sender, receiver, header.hello), {})[header.nonce] = number(header.nonce[8:16])
        headers.append(header)
    for (sender, receiver, _), counted in counts.items():
        twice = max(collections.Counter(counted.values()).values())
        check(f"a counter of {sender} to {receiver} comes once a run, not {twice} times",
              twice <= (2 if sender == RESTARTED else 1) and min(counted.values()) > 0)
    return headers


def check_unreadable(capture, headers, secrets, ids):
    for data, header in zip((data for _, _, data in capture), headers):
        rest = data[:4] + data[20:]  # all but the source
        seen = found(secrets, rest) + found({f"id of {name}": each for name, each in ids.items()}, rest)
        check(f"readable in a {m.NAMES[header.type]}: {seen}", not seen)
    once = list({header.nonce: header for header in headers}.values())
    for what, pieces in (("sealed", [each.sealed for each in once]), ("nonces", [each.nonce[:8] + each.nonce[16:] for each in once])):
        why = uneven(pieces)
        check(f"{what} do not look random: {why}", why is None)


def check_can_fail(peer, secrets):
    """The same search and the same statistics do find what is in the opened messages."""
    plain = [m.encode(kind, message) for _, _, kind, message in peer.heard]
    seen = {what for message in plain for what in found(secrets, message)}
    for what in "site hamburg", "site sheffield", "name of till-one", "role", "estate name", "authority's key":
        check(f"the search finds the {what} in what is opened", what in seen)
    check("and ids of others", any(each in message for message in plain for each in peer.home))
    check("what is opened does not look random", uneven([each.ljust(16, b"\0") for each in plain]) is not None)


def open_with(header, keys):
    """A daemon that was restarted has new keys, of the same day."""
    for key in keys:
        try:
            return header.open(key)
        except Malformed:
            pass
    raise AssertionError(f"a {m.NAMES[header.type]} that none of {len(keys)} keys opens")


def check_own_part(peer, capture, ids):
    """All that the second implementation took part in opens and decodes by the document, both ways."""
    types, name = set(), {each: name for name, each in ids.items()}[peer.id]
    for sender, receiver, data in capture:
        if name not in (sender, receiver):
            continue
        header = Header(data)
        check("mac", header.mac_holds(peer.keys.mac))
        keys = [peer.keys.hello] if header.hello else peer.pair_keys[header.source, ids[receiver]]
        message = open_with(header, keys)
        check("written again the same", m.encode(header.type, m.decode(header.type, message)) == message)
        types.add(header.type)
    check(f"enough types: {sorted(types)}", len(types) >= 12)
    return types


def ask_all(peer):
    for host in peer.sessions:
        peer.ping(host)
        peer.walk(host)
    peer.run(0.2)


def converse(relay, peer, daemons):
    """Until everybody knows everything and enough was said."""
    one = daemons[0]
    for daemon in daemons:
        daemon.start()
    front = relay.fronts["till-one"].getsockname()
    known = len(peer.log.entries)
    settle(peer, "the log", lambda: len(peer.log.entries) > known, lambda: peer.pull_log(front, 0))
    host = host_id(one)
    settle(peer, "a session", lambda: host in peer.sessions, lambda: peer.hello(front))
    publish(peer, host)
    for daemon in daemons:
        wait(f"the whole estate at {daemon.name}", lambda daemon=daemon: len(daemon.sql(
            "SELECT host FROM hosts WHERE complete = 1 AND status = 'up'")) == 4, peer.run)
    walk(peer, host)
    again = next(daemon for daemon in daemons if daemon.name == RESTARTED)
    again.stop()
    again.start()
    wait("a full capture", lambda: len(relay.captured) >= DATAGRAMS, lambda _: ask_all(peer))


def main():
    relay = Relay()
    with Estate(sys.argv[1], sys.argv[2], ["hamburg", "sheffield"]) as estate:
        fronts = {name: (estate.net + str(100 + i), estate.port) for i, name in enumerate(
            ("till-one", "till-two", "till-far", "peer"), 1)}
        with open(estate.token("peer", [fronts["till-one"]]), "rb") as file:
            token = files.Token(file.read())
        estate.grant("south")
        daemons = [estate.enrol(name, site, i, advertise=fronts[name], seeds=[fronts["till-one"]])
                   for i, (name, site) in enumerate((("till-one", "hamburg"), ("till-two", "hamburg"),
                                                     ("till-far", "sheffield")), 1)]
        peer = Peer(token, "hamburg", (estate.net + "9", estate.port), advertise=fronts["peer"])
        for daemon in daemons:
            relay.add(daemon.name, fronts[daemon.name], daemon.address)
        relay.add("peer", fronts["peer"], peer.address)
        estate.meanwhile = lambda: peer.run(0.02)
        try:
            with relay:
                converse(relay, peer, daemons)
            secrets = collect_secrets(estate, daemons, peer)
        finally:
            peer.close()
        ids = {daemon.name: host_id(daemon) for daemon in daemons} | {"peer": peer.id}
        capture = list(relay.captured)
    headers = check_headers(capture, ids)
    check_unreadable(capture, headers, secrets, ids)
    check_can_fail(peer, secrets)
    types = check_own_part(peer, capture, ids)
    check("ids are hashes of keys that are not seen", all(
        key_id(certificate.body[1]) == host for host, certificate in peer.certificates.items()))
    size = sum(len(data) for _, _, data in capture)
    print(f"{len(capture)} datagrams of {len({h.type for h in headers})} types, {size} bytes: none of {len(secrets)} "
          f"secrets in them; {len(types)} types opened by the document")


if __name__ == "__main__":
    main()
