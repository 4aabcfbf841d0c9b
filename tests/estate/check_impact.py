#!/usr/bin/env python3
"""What `mesh impact` says of a synthetic outage against its truth file.

Usage: check_impact.py MESH ESTATE

Makes outages with ESTATE (mesh-estate), asks MESH of the component that did it, and compares class by class and
host by host. Prints how many hosts it compared; exits 1 at the first that is wrong.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

AT, WINDOW = "2024-07-19T09:40:00Z", ("2024-07-19T06:09:00Z", "2024-07-19T07:27:00Z")
CLASSES = ["down", "loop", "down_unreported", "silent_site", "at_risk", "recovered", "not_hit", "without",
           "down_otherwise", "cannot_tell"]


class Outage:
    def __init__(self, mesh, estate, folder, options):
        self.mesh, self.folder, self.name = mesh, folder, " ".join(options)
        subprocess.run([estate, "--hosts", "1500", "--sites", "30", "--at", AT, "--window", "..".join(WINDOW), "--out", folder]
                       + options, check=True, stdout=subprocess.DEVNULL)
        self.truth = json.loads((pathlib.Path(folder) / "truth.json").read_text())
        self.hosts = {h["host"]: h for h in self.truth["hosts"]}
        self.compared = 0

    def ask(self, *words):
        command = [self.mesh, "impact", *words, "--state", self.folder, "-o", "json", "--allow-partial"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            sys.exit(f"{self.name}: {' '.join(command)}: {answer.stderr}")
        return json.loads(answer.stdout)

    def wrong(self, text):
        sys.exit(f"{self.name}: {text}"[:1000])

    def by_class(self, target, *words):
        """Each class as a set of hosts; the summary and every --by must count the same."""
        sets = {c: {r["host"] for r in self.ask(target, *words, "--class", c)["rows"]} for c in CLASSES}
        answer = self.ask(target, *words)
        counts = {r["class"]: r["hosts"] for r in answer["rows"]}
        if counts != {c: len(s) for c, s in sets.items()}:
            self.wrong(f"summary {counts}, lists { {c: len(s) for c, s in sets.items()} }")
        for by in ("site", "role", "model"):
            rows = self.ask(target, *words, "--by", by)["rows"]
            if {c: sum(r[c] for r in rows) for c in CLASSES} != counts:
                self.wrong(f"--by {by} adds up to something else than {counts}")
        everyone = {h for h, t in self.hosts.items() if t["class"] not in ("left", "replaced")}
        if set().union(*sets.values()) != everyone or sum(counts.values()) != len(everyone):
            self.wrong("not every host is in one class")
        magnitude = answer["magnitude"]
        if magnitude["confirmed"] != counts["down"] + counts["loop"] or \
           magnitude["likely"] != magnitude["confirmed"] + counts["down_unreported"] + counts["silent_site"]:
            self.wrong(f"magnitude {magnitude} of {counts}")
        return sets

    def share(self, what, said, true, least):
        """Recall and precision, both at least so much."""
        self.compared += len(true | said)
        recall, precision = len(said & true) / max(1, len(true)), len(said & true) / max(1, len(said))
        print(f"{self.name}: {what}: {len(said)} said, {len(true)} true, recall {recall:.3f}, precision {precision:.3f}")
        if min(recall, precision) < least or not true:
            self.wrong(f"{what}: missing {sorted(true - said)[:3]}, wrong {sorted(said - true)[:3]}")

    def of_class(self, *classes):
        return {h for h, t in self.hosts.items() if t["class"] in classes and "exposure" in t
                and t["exposure"] != "without" and "modules" not in t}

    def check(self):
        cause, window = self.truth["cause"], ["--window", "..".join(WINDOW)]
        sets = self.by_class(cause["name"], *window)
        down = sets["down"] | sets["loop"]
        # Where a battery kept some of a site alive, those without power are dark like crashed ones.
        dark = {h for h in self.of_class("power") if self.hosts[h]["status"] == "dark"}
        self.share("down", down - dark, self.of_class("crash", "loop"), 0.95)
        self.share("at risk", sets["at_risk"], {h for h, t in self.hosts.items() if t.get("exposure") == "at-risk"}, 0.95)
        still_up = {h for h, t in self.hosts.items() if t.get("exposure") in ("not-hit", "survived") and t["class"] == "up"}
        self.share("not hit", sets["not_hit"], still_up, 0.95)
        exact = self.by_class(f"{cause['name']}@{cause['version']}", *window)
        reported = {h for h in self.of_class("crash", "loop") if self.hosts[h].get("reported")}
        if reported:
            self.share("down with the bad version", exact["down"] | exact["loop"], reported, 0.95)
        self.share("down, reported or not", (exact["down"] | exact["loop"] | exact["down_unreported"]) - dark,
                   self.of_class("crash", "loop"), 0.9)
        below = self.by_class(f"{cause['name']}@<{cause['version']}", *window)
        if (below["down"] | below["loop"]) & (exact["down"] | exact["loop"]):
            self.wrong("a host has the bad version and one below it")
        return self.compared


def main():
    mesh, estate = sys.argv[1:3]
    compared = 0
    outages = [["--outage", "content", "--delay", "5s", "--repaired", "0", "--seed", "1"],
               ["--outage", "content", "--delay", "0s", "--repaired", "0", "--seed", "2", "--confounder", "model,power"],
               ["--outage", "driver", "--delay", "minutes", "--repaired", "0", "--seed", "3", "--confounder", "patchday"]]
    for options in outages:
        with tempfile.TemporaryDirectory() as folder:
            compared += Outage(mesh, estate, folder, options).check()
    print(f"{compared} hosts compared")


main()
