#!/usr/bin/env python3
"""What mesh says of a synthetic estate must be what its truth file says.

Usage: check_truth.py MESH DIR

Asks `mesh sql` of the replica in DIR and compares with DIR/truth.json: hosts and their states, silent sites, the
components behind hosts, and of an outage who has the bad version, what they last said and what evidence is left.
Prints how many statements it compared; exits 1 at the first that is wrong.
"""
import collections
import json
import pathlib
import subprocess
import sys


class Checker:
    def __init__(self, mesh, folder):
        self.mesh, self.folder, self.count = mesh, folder, 0
        self.truth = json.loads((folder / "truth.json").read_text())
        self.hosts = {h["host"]: h for h in self.truth["hosts"]}

    def rows(self, question, *parameters):
        command = [self.mesh, "sql", question, "--state", str(self.folder), "-o", "json", "--allow-partial"]
        for parameter in parameters:
            command += ["--param", parameter]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            sys.exit(f"{question}: {answer.stderr}")
        return json.loads(answer.stdout)["rows"]

    def same(self, what, said, true):
        self.count += 1
        if said == true:
            return
        if isinstance(said, set):
            said, true = sorted(said - true)[:5], sorted(true - said)[:5]
        sys.exit(f"{self.folder}: {what}: mesh says {said}, the truth is {true}"[:2000])

    def check_hosts(self):
        said = {r["host"]: r for r in self.rows("SELECT host, name, site, status, role, model FROM hosts")}
        self.same("hosts", sorted(said), sorted(self.hosts))
        for host, true in self.hosts.items():
            keys = ["site", "status"] if true["class"] == "never-heard" else ["name", "site", "status", "role", "model"]
            self.same(host, {k: said[host][k] for k in keys}, {k: true[k] for k in keys})
        counts = collections.Counter(h["status"] for h in said.values())
        self.same("hosts by status", {k: v for k, v in self.truth["counts"]["status"].items() if v > 0}, dict(counts))
        counts = collections.Counter(h["class"] for h in self.hosts.values())
        self.same("hosts by class", {k: v for k, v in self.truth["counts"]["class"].items() if v > 0}, dict(counts))

    def check_sites(self):
        gone = collections.Counter(h["site"] for h in self.hosts.values() if h["status"] in ("left", "replaced"))
        said = {r["site"]: (r["status"], r["hosts"] + gone[r["site"]])
                for r in self.rows("SELECT site, status, hosts FROM sites")}
        self.same("sites", said, {s["site"]: (s["status"], s["hosts"]) for s in self.truth["sites"]})

    def check_components(self):
        said = self.rows("SELECT count(*) AS n, count(DISTINCT host) AS hosts FROM host_components")[0]
        self.same("pairs of host and component", said["n"], self.truth["counts"]["host_components"])
        said = self.rows("SELECT count(*) AS n FROM hosts WHERE manifest IS NOT NULL")[0]["n"]
        self.same("hosts with a list", said, self.rows("SELECT count(DISTINCT host) AS n FROM host_components")[0]["n"])
        for status in ("denied", "unsupported", "failed"):
            said = {r["host"] for r in self.rows("SELECT host FROM hosts WHERE module_support = ?1", status)}
            self.same(f"lists {status}", said, {h["host"] for h in self.hosts.values() if h.get("modules") == status})

    def check_classes(self):
        """Which states a class may be shown as."""
        allowed = {"up": {"up"}, "crash": {"dark", "silent", "up"}, "loop": {"dark", "up", "silent"},
                   "power": {"dark", "silent", "up"}, "link": {"silent", "up"}, "fault": {"dark", "silent", "up"},
                   "asleep": {"asleep", "silent"}, "stopped": {"stopped", "silent"}, "left": {"left"},
                   "replaced": {"replaced"}, "never-heard": {"unknown"}}
        for h in self.hosts.values():
            if h["class"] == "up" and h["status"] == "silent":
                self.same(h["host"] + ": site of a silent host", self.site(h["site"])["status"], "silent")
                continue
            self.same(h["host"] + ": state of class " + h["class"], h["status"] in allowed[h["class"]], True)

    def site(self, name):
        return next(s for s in self.truth["sites"] if s["site"] == name)

    def check_cause(self):
        cause, counts = self.truth["cause"], self.truth["counts"]
        by_exposure = collections.Counter(h.get("exposure", "without") for h in self.hosts.values())
        self.same("hosts by exposure", {k: v for k, v in counts["exposure"].items() if v > 0}, dict(by_exposure))
        if cause is None:
            self.same("hit without a cause", counts["exposure"]["hit"], 0)
            return
        self.same("somebody was hit", counts["exposure"]["hit"] > 0, True)
        # Who said it has the bad version: whoever reported it and was not given the good one since.
        said = {r["host"] for r in self.rows("SELECT host FROM host_components WHERE entry = ?1", cause["entry"])}
        true = {h["host"] for h in self.hosts.values() if h.get("reported") and not h.get("repaired")}
        if self.truth["options"]["outage"] == "content":
            # Survivors took the good release since.
            self.same("hosts with the bad file are known to have taken it", said <= true, True)
            true = {h for h in true if self.hosts[h]["exposure"] != "survived"} | said
        self.same("hosts with the bad version", said, true)
        row = self.rows("SELECT name, version, source, kind FROM components WHERE entry = ?1", cause["entry"])
        if said:
            self.same("the bad version", row[0], {k: cause[k] for k in ("name", "version", "source", "kind")})
        # Each host that was hit has the component in some version.
        carriers = {r["host"] for r in self.rows("SELECT DISTINCT host FROM host_components WHERE component = ?1",
                                                 cause["name"])}
        incomplete = {r["host"] for r in self.rows("SELECT host FROM hosts WHERE manifest IS NULL")}
        for h in self.hosts.values():
            if h.get("exposure") == "hit" and "modules" not in h and h["host"] not in incomplete:
                self.same(h["host"] + ": hit, so it has the component", h["host"] in carriers, True)
            if h.get("repaired") and not h.get("relapsed"):
                self.same(h["host"] + ": repaired", h["status"], "up")
        self.same("reported hits", sum(1 for h in self.hosts.values() if h.get("exposure") == "hit" and h["reported"]),
                  counts["hit_reported"])
        self.check_times(cause)

    def check_times(self, cause):
        options = self.truth["options"]
        least, most = {"0s": (0, 1000), "5s": (3000, 8000), "minutes": (60000, 600000),
                       "hour": (1200000, 4200000)}[options["delay"]]
        for h in self.hosts.values():
            if h.get("exposure") != "hit":
                continue
            self.same(h["host"] + ": arrived in the window",
                      options["from_ms"] <= h["arrived_ms"] <= options["to_ms"], True)
            self.same(h["host"] + ": crashed in time", least <= h["died_ms"] - h["arrived_ms"] <= most, True)
        said = {r["host"]: r["t"] for r in self.rows(
            "SELECT host, max(time_ms) AS t FROM changes WHERE entry = ?1 AND op = 'added' GROUP BY host", cause["entry"])}
        for host, t in said.items():
            self.same(host + ": when the bad version came", t // 1000, self.hosts[host]["arrived_ms"] // 1000)
        dark = self.rows("SELECT host, status_since_ms AS t, seen_ms AS seen FROM hosts WHERE status = 'dark'")
        for r in dark:
            h = self.hosts[r["host"]]
            died = h.get("died_again_ms", h["died_ms"])
            self.same(r["host"] + ": dark since it died", 0 <= r["t"] - died <= 5000, True)
            self.same(r["host"] + ": seen before", r["seen"] <= died, True)

    def check_together(self):
        if self.truth.get("companion") is None:
            return
        ask = "SELECT host FROM host_components WHERE entry = ?1 ORDER BY host"
        self.same("hosts with the companion", self.rows(ask, self.truth["companion"]["entry"]),
                  self.rows(ask, self.truth["cause"]["entry"]))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    checker = Checker(sys.argv[1], pathlib.Path(sys.argv[2]))
    checker.check_hosts()
    checker.check_sites()
    checker.check_components()
    checker.check_classes()
    checker.check_cause()
    checker.check_together()
    print(f"{checker.folder.name}: {len(checker.hosts)} hosts, {checker.count} statements agree")


if __name__ == "__main__":
    main()
