"""An estate of real daemons on loopback addresses, for the tests of this folder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


# Seconds that anything is awaited: far more than a slow, loaded machine needs. Only a test that fails waits so long.
PATIENCE = 120


class Daemon:
    def __init__(self, estate, name, site, number, advertise=None, seeds=()):
        self.estate, self.name, self.state = estate, name, os.path.join(estate.folder, name)
        self.address = (estate.net + str(number), estate.port)
        self.process = None
        token = estate.token(name, seeds)
        estate.mesh("enroll", "--token", token, "--state", self.state, "--site", site, "--shared-machine")
        advertised = f"advertise = {text(advertise)}\n" if advertise else ""
        self.config = os.path.join(estate.folder, name + ".conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"[node]\nlisten = {text(self.address)}\nstate = {self.state}\nhostname = {name}\n{advertised}"
                       f"role = {estate.role}\nlocation = {estate.location}\n")

    def start(self):
        with open(os.path.join(self.estate.folder, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen([self.estate.meshd, "--config", self.config], stdout=log, stderr=log)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process = None

    def ask(self, *verb):
        """The verb's answer as JSON; None while there is none."""
        code, out, _ = self.estate.run(*verb, "--state", self.state, "-o", "json", "--allow-partial")
        return json.loads(out) if code == 0 else None

    def sql(self, question):
        answer = self.ask("sql", question)
        return [] if answer is None else answer["rows"]

    def log_text(self):
        with open(os.path.join(self.estate.folder, self.name + ".log"), encoding="utf-8") as file:
            return file.read()


class Estate:
    """Removed with all that runs in it at the end of a `with`.

    `meanwhile()` is called while a program runs: a host of the test's own that answered nobody would soon count as dead.
    """

    name, role, location = "Interoperable Grocers", "checkout-lane", "Behind the bakery"

    def __init__(self, program, meshd, sites):
        self.program, self.meshd, self.sites = program, meshd, sites
        self.meanwhile = None
        # The path of a socket is at most 107 bytes long.
        self.folder = tempfile.mkdtemp(prefix="mesh-interop-", dir=None if len(tempfile.gettempdir()) <= 40 else "/tmp")
        self.net = f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}."
        self.port = free_port(self.net + "1")
        self.daemons = []
        self.mesh("authority", "init", "--dir", self.path("authority"), "--name", self.name, "--no-passphrase")
        self.grant("north")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for daemon in self.daemons:
            try:
                daemon.stop()
            except subprocess.TimeoutExpired:
                daemon.process.kill()
            if kind is not None:
                print(f"-- {daemon.name}\n{daemon.log_text()}")
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        """Exit code, standard output and error of `mesh`."""
        with subprocess.Popen([self.program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            while True:
                try:
                    out, err = process.communicate(timeout=0.02 if self.meanwhile else None)
                    return process.returncode, out.decode(), err.decode()
                except subprocess.TimeoutExpired:
                    self.meanwhile()

    def mesh(self, *arguments):
        code, out, err = self.run(*arguments)
        if code != 0:
            raise AssertionError(f"mesh {' '.join(arguments)}: {err}")
        return out

    def grant(self, issuer):
        self.mesh("authority", "issuer", issuer, "--dir", self.path("authority"),
                  *(word for site in self.sites for word in ("--site", site)))

    def token(self, name, seeds=()):
        path = self.path(name + ".token")
        self.mesh("token", "create", "--dir", self.path("authority"), "--issuer", "north", "--out", path,
                  *(word for seed in seeds for word in ("--seed", text(seed))))
        return path

    def enrol(self, name, site, number, advertise=None, seeds=()):
        daemon = Daemon(self, name, site, number, advertise, seeds)
        self.daemons.append(daemon)
        return daemon


def text(address):
    return f"{address[0]}:{address[1]}"


def free_port(ip):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


def wait(what, condition, meanwhile=time.sleep):
    """Until the condition holds; `meanwhile(0.2)` is called between two looks."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        meanwhile(0.2)
