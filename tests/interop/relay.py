"""A relay that all datagrams between the hosts of a test pass, and that keeps a copy of each: what somebody on the
wire sees. Works as any user.

Each host has a front: a socket of the relay at the address that others know it by. What A sends to B's front the relay
sends on to B from A's front, so that B sees the address that it knows of A.
"""

import selectors
import socket
import threading


class Relay:
    """`captured`: (name of the sender, name of the receiver, bytes), in order. Use in a `with`."""

    def __init__(self):
        self.captured = []
        self.fronts, self.names = {}, {}  # by name; name by the host's own address
        self.hosts = {}
        self.selector = selectors.DefaultSelector()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def add(self, name, front, host):
        """A host that listens at `host` and is known to others at `front`; before the relay runs."""
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(front)
        s.setblocking(False)
        self.fronts[name], self.hosts[name], self.names[host] = s, host, name
        self.selector.register(s, selectors.EVENT_READ, name)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for front in self.fronts.values():
            front.close()

    def _run(self):
        while not self.ended.is_set():
            for key, _ in self.selector.select(0.1):
                self._forward(key.data, key.fileobj)

    def _forward(self, receiver, front):
        try:
            data, sender = front.recvfrom(65536)
        except (BlockingIOError, ConnectionError):
            return  # a host that is not listening yet
        if sender not in self.names:
            raise AssertionError(f"a datagram of {sender}, which is no host of this test")
        name = self.names[sender]
        self.captured.append((name, receiver, data))
        try:
            self.fronts[name].sendto(data, self.hosts[receiver])
        except OSError:
            pass  # as on any network, it is lost
