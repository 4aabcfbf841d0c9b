"""A host written from docs/protocol.md alone joins an estate of real daemons: test_peer.py MESH MESHD.

It enrols itself with a token, pulls the authority log under the hello key, says hello, probes and answers probes,
walks the trie to a set equal to the daemon's, verifies every record, pulls and rebuilds manifests, publishes records of
its own that another daemon than the one it knows shows, and says goodbye.
"""

import sys
import time

try:
    from daemons import PATIENCE, Estate, wait
    from mesh_protocol import files, messages as m
    from mesh_protocol.authlog import HOST, make_entry
    from mesh_protocol.blobs import COMPONENTS, make_chunks
    from mesh_protocol.bodies import REVOKE
    from mesh_protocol.peer import Peer
    from mesh_protocol.primitives import SigningKey, entry_id, number, site_id
    from mesh_protocol.values import pack
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

checks = 0


def check(what, condition):
    global checks
    checks += 1
    if not condition:
        raise AssertionError(what)


def host_id(daemon):
    with open(daemon.state + "/certificate", "rb") as file:
        return file.read()[23:39]


def settle(peer, what, condition, again=lambda: None):
    """Runs the peer until the condition holds, asking again each second."""
    end = time.monotonic() + PATIENCE
    while not peer.run(1, condition):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}\n"
                                 f"refused: {[why for _, why in peer.refused][-5:]}")
        again()


def all_understood(peer, *but):
    refused = {why for _, why in peer.refused} - {"no session", *but}
    check(f"all is understood, not: {refused}", not refused)


def entries_of(daemon):
    with open(daemon.state + "/authority.log", "rb") as file:
        return files.read_log_file(file.read())


def learn_log(peer, daemon):
    """The peer's token is older than the daemon's log: the rest comes under the hello key."""
    known = len(peer.log.entries)
    settle(peer, "the log", lambda: len(peer.log.entries) > known,
           lambda: peer.pull_log(daemon.address))
    check("the whole log", [entry.data for entry in peer.log.entries] == entries_of(daemon))
    check("it names the estate", peer.log.name == Estate.name)


def pinged(peer, host):
    """A PING and its ACK; either may be lost."""
    echoes = [peer.ping(host)]
    settle(peer, "an ACK", lambda: any(ack[0] == host and ack[1] in echoes for ack in peer.acks),
           lambda: echoes.append(peer.ping(host)))


def say_hello(peer, daemon, host):
    settle(peer, "a session", lambda: host in peer.sessions, lambda: peer.hello(daemon.address))
    check("certified for its site", peer.sessions[host].certificate[2] == "hamburg")
    pinged(peer, host)
    check("the same head of the log", peer.acks[-1][2] == peer.log.head)


def walk(peer, host):
    """Until the daemon's estate root is the peer's own."""
    def same():
        return any(source == host and root == peer.set.estate_root() for source, _, _, root in peer.acks[-1:])

    def again():
        peer.walk(host)
        peer.ping(host)

    settle(peer, "one estate root", same, again)


def by_sketch(peer, daemon, host):
    """A record that the daemon was not told of comes out of the difference of two sketches, and is offered and pulled."""
    def differ():
        peer.publish(3, {2: int(peer.clock()) - 100, 3: 0, 4: 2, 5: 0x20, 6: -4})
        peer.ask_sketch(host)

    peer.differences.clear()
    settle(peer, "a difference", lambda: peer.differences, differ)
    own = {number(each): record for each, record in peer.set.by_id.items()}
    check("what differs is ours", any(unit[1] in own for found in peer.differences for unit in found))
    wait("what was offered", lambda: daemon.sql(
        f"SELECT 1 AS x FROM hosts WHERE host = '{peer.id.hex()}' AND level = 'critical'"), peer.run)


def pull_manifest(peer, daemon, host):
    def whole():
        try:
            return bool(peer.manifest(host))
        except KeyError as lacked:
            peer.pull_blobs([lacked.args[0]], host)
            return False

    settle(peer, "a manifest", lambda: peer.of_host(host, 4) is not None, lambda: peer.walk(host))
    settle(peer, "the blobs of a manifest", whole)
    entries = peer.manifest(host)
    check("as many as stated", len(entries) == peer.of_host(host, 4).body[2])
    listed = {row["entry"]: row for row in daemon.sql("SELECT entry, component AS name FROM host_components")}
    for entry in entries:
        check(f"{entry[2]} is listed", listed[entry_id(pack(entry)).hex()]["name"] == entry[2])
    return entries


def publish(peer, to):
    entries = [{1: 1, 2: "interop_probe", 3: "4.2", 4: -2, 5: "Somebody else", 6: 4096, 7: 2}]
    chunks = make_chunks(COMPONENTS, entries)
    root = [peer.store_blob(chunk) for chunk in chunks][-1]
    profile = {1: "python-peer", 2: peer.site, 5: "second implementation", 6: -3, 7: "6.1.0-interop", 8: "pyth",
               14: "interop", 15: [peer.published_address()], 99: "from a later version"}
    peer.publish(2, profile)
    peer.publish(3, {2: int(peer.clock()) - 100, 3: 0, 4: 1, 5: 0x20, 6: -4})
    peer.publish(4, {1: root, 2: len(entries), 3: 1, 4: 0, 5: b"\x80", 9: 0})
    for kind in (1, 2, 3, 4):
        peer.push(peer.of_host(peer.id, kind), to)


def shown(peer, daemon):
    """What a daemon that the peer never spoke to first says of it."""
    me = peer.id.hex()

    def until(what, condition):
        return wait(what, condition, peer.run)

    rows = until("the profile", lambda: [r for r in daemon.sql("SELECT name, host FROM hosts") if r["name"] == "python-peer"])
    check("one host", len(rows) == 1 and rows[0]["host"] == me)
    row = until("it is up", lambda: daemon.sql(
        f"SELECT * FROM hosts WHERE host = '{me}' AND status = 'up' AND complete = 1"))[0]
    check("its kernel", row["kernel"] == "6.1.0-interop")
    check("denied is not absent", row["os"] is None and row["os_status"] == "denied")
    check("its home", row["site"] == "hamburg" and row["role"] == "second implementation")
    check("its health", row["level"] == "warning" and row["last_boot_clean"] == 0)
    until("mesh hosts shows it", lambda: any("python-peer" in line and " up " in line for line in daemon.estate.mesh(
        "hosts", "--state", daemon.state, "--allow-partial").splitlines()))
    until("its component", lambda: daemon.sql(
        f"SELECT 1 AS here FROM host_components WHERE host = '{me}' AND component = 'interop_probe' AND loaded = 1"))


def authority_of(estate):
    with open(estate.path("authority/authority.key"), "rb") as file:
        return SigningKey(files.read_key_file(file.read(), files.AUTHORITY_KEY))


def fork(peer, daemon, host, authority):
    """The authority's key is used twice: the daemon hears of it by a head it has not seen, and pulls the other branch."""
    lost = bytes(range(16))
    last = peer.log.entries[-1]
    entry = make_entry(peer.log, authority, REVOKE, {1: HOST, 2: lost, 4: "laptop lost"}, int(peer.clock()),
                       peer.log.by_hash[last.before])
    peer.log.append(entry)
    check("two branches", len(peer.log.tips()) == 2 and (HOST, lost) in peer.log.revoked)

    def one_head():
        return any(source == host and head == peer.log.head for source, _, head, _ in peer.acks)

    settle(peer, "one head of a forked log", one_head, lambda: peer.ping(host))
    wait("both branches on the disk, in order", lambda: entries_of(daemon) == [e.data for e in peer.log.entries], peer.run)
    wait("the fork among the issues", lambda: daemon.sql("SELECT 1 AS x FROM issues WHERE kind = 'log-forked'"), peer.run)


def revoke(peer, daemon, host, authority, gone):
    """What a revoked host signed is in no partition any more, at the daemon and here: so the roots still agree."""
    before = peer.set.estate_root()
    tip = max(peer.log.tips(), key=lambda entry: entry.index)
    peer.log.append(make_entry(peer.log, authority, REVOKE, {1: HOST, 2: gone}, int(peer.clock()), tip))
    check("another root", peer.set.estate_root() != before and peer.of_host(gone, 2) is not None)
    settle(peer, "the head of the log", lambda: peer.acks[-1][2] == peer.log.head, lambda: peer.ping(host))
    walk(peer, host)
    wait("it is hidden", lambda: not daemon.sql(f"SELECT 1 AS x FROM hosts WHERE host = '{gone.hex()}'"), peer.run)


def refuses(peer, daemon, host):
    """What the daemon must not take: a walk still ends in a set without it."""
    before = len(daemon.sql("SELECT host FROM hosts"))
    genuine = peer.of_host(peer.id, 2)
    forged = genuine.data[:-1] + bytes([genuine.data[-1] ^ 1])
    peer.send(m.PUSH, dict(hops=1, items=[forged]), host)
    pinged(peer, host)
    walk(peer, host)
    check("the genuine one stands", peer.of_host(peer.id, 2).data == genuine.data)
    check("no other host", len(daemon.sql("SELECT host FROM hosts")) == before)


def main():
    with Estate(sys.argv[1], sys.argv[2], ["hamburg", "leeds"]) as estate:
        seed = (estate.net + "1", estate.port)
        with open(estate.token("peer", [seed]), "rb") as file:
            token = files.Token(file.read())
        check("the seed", token.seeds == [f"{seed[0]}:{seed[1]}"])
        estate.grant("south")  # the token has not heard of it
        one, two, far = (estate.enrol(*each, seeds=[seed]) for each in (
            ("till-one", "hamburg", 1), ("till-two", "hamburg", 2), ("till-far", "leeds", 3)))
        for daemon in one, two, far:
            daemon.start()
        peer = Peer(token, "hamburg", (estate.net + "9", estate.port))
        estate.meanwhile = lambda: peer.run(0.02)
        try:
            converse(peer, one, two, far)
            fork(peer, one, host_id(one), authority_of(estate))
            all_understood(peer)
            revoke(peer, one, host_id(one), authority_of(estate), host_id(two))
            say_goodbye(peer, host_id(one), far)
        finally:
            peer.close()
    print(f"{checks} checks; {len(peer.heard)} messages of {len({each[2] for each in peer.heard})} types understood")


def converse(peer, one, two, far):
    host = host_id(one)
    wait("the first daemon", lambda: one.ask("hosts"))
    learn_log(peer, one)
    say_hello(peer, one, host)
    wait("the replica of the first", lambda: len(one.sql("SELECT 1 AS x FROM hosts WHERE complete = 1")) == 3, peer.run)
    walk(peer, host)
    for daemon in one, two, far:
        profile = peer.of_host(host_id(daemon), 2).read()
        check(f"{daemon.name} by the document", profile[1] == daemon.name and profile[14])
    for record in peer.set.records.values():
        record.read()
    check("kinds of a host and its site", {1, 2, 3, 4, 5, 16} <= {r.kind for r in peer.set.records.values()})
    pull_manifest(peer, one, host)
    publish(peer, host)
    for daemon in one, two, far:
        shown(peer, daemon)
    settle(peer, "the others find the peer by themselves", lambda: host_id(two) in peer.sessions)
    settle(peer, "a roll-call that counts the peer", lambda: any(
        record.kind == 16 and record.subject == site_id("hamburg") and record.body[10] == 3
        for record in peer.set.records.values()), lambda: peer.walk(host, 1, 1))
    by_sketch(peer, one, host)
    refuses(peer, one, host)


def say_goodbye(peer, host, far):
    peer.push(peer.publish(6, {1: 1}), host)
    wait("the goodbye", lambda: far.sql(
        f"SELECT 1 AS x FROM hosts WHERE host = '{peer.id.hex()}' AND status = 'stopped'"), peer.run)
    # One that is revoked says so to nobody, and goes on.
    all_understood(peer, "the writer is revoked", "the host is revoked")


if __name__ == "__main__":
    main()
