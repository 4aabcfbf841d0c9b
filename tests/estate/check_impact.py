#!/usr/bin/env python3
"""What `mesh impact` says of a synthetic outage against its truth file.

Usage: check_impact.py MESH ESTATE

Makes outages with ESTATE (mesh-estate), asks MESH of the component that did it, and compares class by class and
host by host. Prints how many hosts it compared; exits 1 at the first that is wrong.
"""
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

AT, WINDOW = "2024-07-19T09:40:00Z", ("2024-07-19T06:09:00Z", "2024-07-19T07:27:00Z")
LATER_MS = 2 * 3600 * 1000
SEEN_MS = 15000  # until a host is missed, or seen again
CLASSES = ["down", "loop", "down_unreported", "silent_site", "at_risk", "recovered", "not_hit", "without",
           "down_otherwise", "cannot_tell"]


def ms(clock):
    return int(datetime.datetime.fromisoformat(clock.replace("Z", "+00:00")).timestamp() * 1000)


def text_of(at):
    return datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


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

    def sql(self, question):
        command = [self.mesh, "sql", question, "--state", self.folder, "-o", "json", "--allow-partial"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["rows"]

    def by_class(self, target, *words, later=False):
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
        known = set().union(*sets.values())
        if later:  # before they came hosts are in no class
            everyone &= known
        if "--at" in words:  # who left or was replaced since is there, too
            everyone |= known
        if known != everyone or sum(counts.values()) != len(everyone):
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

    def lost(self, h, at):
        """Whether the outage's cause had the host down at that time; None: it had just crashed, or come up."""
        spans = [(h["died_ms"], h.get("back_ms", at + 2 * SEEN_MS))]
        if "died_again_ms" in h:
            spans.append((h["died_again_ms"], at + 2 * SEEN_MS))
        if any(abs(at - t) < SEEN_MS for span in spans for t in span):
            return None
        return any(died <= at < back for died, back in spans)

    def check_at(self, clock):
        """As of a time gone by: who was down then, who had not been hit yet; and what became of them."""
        cause, at = self.truth["cause"], ms(clock)
        sets = self.by_class(cause["name"], "--window", "..".join(WINDOW), "--at", clock)
        answer = self.ask(cause["name"], "--window", "..".join(WINDOW), "--at", clock)
        # Rounds of a loop are not all in the truth.
        hit = {i: self.lost(h, at) for i, h in self.hosts.items() if h.get("exposure") == "hit" and h["class"] != "loop"
               and "modules" not in h}
        judged = {i for i, lost in hit.items() if lost is not None} | {
            i for i, h in self.hosts.items() if h["class"] == "up" and h.get("exposure") in ("not-hit", "survived")}
        self.share(f"down at {clock}", (sets["down"] | sets["loop"]) & judged, {i for i, lost in hit.items() if lost}, 0.95)
        up = {i for i, h in self.hosts.items() if i in judged and not hit.get(i) and h.get("back_ms", at) >= at}
        self.share(f"not hit at {clock}", sets["not_hit"] & judged, up, 0.95)
        # Their lists are turned back: mended since, they had the bad version; not reached yet, they had another.
        exact = self.by_class(f"{cause['name']}@{cause['version']}", "--window", "..".join(WINDOW), "--at", clock)
        self.share(f"down with the bad version at {clock}", (exact["down"] | exact["loop"]) & judged,
                   {i for i, lost in hit.items() if lost and self.hosts[i]["reported"]}, 0.95)
        self.share(f"not hit with it at {clock}", exact["not_hit"] & judged,
                   {i for i in up if self.hosts[i].get("reported") and self.hosts[i].get("arrived_ms", at) < at
                    and not self.hosts[i].get("repaired")}, 0.8)
        fates, history = answer["fates"], answer["history"]
        if fates["hit"] != sum(n for fate, n in fates.items() if fate != "hit") or history["at_ms"] != at:
            self.wrong(f"fates {fates}, history {history}")
        today = {i: self.hosts[i]["status"] for i in sets["down"] | sets["loop"]}
        if fates["hit"] < len(today) or fates["back"] < sum(1 for s in today.values() if s == "up") * 0.9:
            self.wrong(f"fates {fates} of {len(today)} down at {clock}")

    def check_before_log(self):
        """Before the log begins hosts that changed since have no history, and are counted, not hidden."""
        cause = self.truth["cause"]
        begins = self.ask(cause["name"], "--window", "..".join(WINDOW))["history"]["log_begins_ms"]
        clock = text_of(begins - 3600 * 1000)
        sets = self.by_class(cause["name"], "--at", clock, later=True)
        history = self.ask(cause["name"], "--at", clock)["history"]
        changed = {i for i, h in self.hosts.items() if h.get("died_ms", 0) > begins}
        if history["watch"] != "before" or history["without_history"] < len(changed) or not changed <= sets["cannot_tell"]:
            self.wrong(f"before the log: {history}, {len(changed)} hosts crashed since")
        self.compared += len(changed)

    def check_fates(self):
        """Who was hit is back, or in whatever state its host is now."""
        cause = self.truth["cause"]
        fates = self.ask(cause["name"], "--window", "..".join(WINDOW))["fates"]
        from_ms, to_ms = (ms(t) for t in WINDOW)
        hit = [h for h in self.hosts.values() if h.get("exposure") == "hit" and "modules" not in h
               and from_ms <= h["died_ms"] <= to_ms + LATER_MS]
        true = {"back": sum(1 for h in hit if h["class"] == "up"), "dark": sum(1 for h in hit if h["status"] == "dark")}
        for fate, n in true.items():
            self.compared += n
            print(f"{self.name}: {fate} now: {fates[fate]} said, {n} true")
            if not 0.95 * n - 2 <= fates[fate] <= 1.05 * n + 12:
                self.wrong(f"{fate} now: {fates}, true {true}")

    def check_gone(self):
        """Over two months: who crashed, and is asleep, stopped or gone since, is not lost sight of."""
        name, window = self.truth["cause"]["name"], ("2024-05-20T00:00:00Z", AT)
        fates = self.ask(name, "--window", "..".join(window))["fates"]
        said = {r["status"]: r["n"] for r in self.sql(
            f"SELECT status, count(*) AS n FROM hosts WHERE host IN (SELECT host FROM host_components WHERE component = '{name}') "
            f"AND (host IN (SELECT host FROM crashes WHERE latest_ms >= {ms(window[0])} AND kind IN "
            "('unclean-boot', 'panic', 'blue-screen')) OR host IN (SELECT host FROM transitions WHERE to_status = 'dark' "
            f"AND since_ms >= {ms(window[0])})) GROUP BY status")}
        gone = {s: said.get(s, 0) for s in ("asleep", "stopped", "left", "replaced")}
        print(f"{self.name}: since then {gone}")
        if any(fates[s] != n for s, n in gone.items()) or gone["asleep"] == 0 or gone["left"] + gone["replaced"] == 0:
            self.wrong(f"gone since: {fates}, the tables say {gone}")
        self.compared += sum(gone.values())

    def check_dates(self):
        """A crash lies between the times it is given; told of by an unclean boot alone it may be dated ten minutes early."""
        cause = self.truth["cause"]
        rows = self.ask(cause["name"], "--window", "..".join(WINDOW), "--class", "recovered")["rows"]
        for r in rows:
            h, first, last = self.hosts[r["host"]], r["crash_earliest_ms"], r["crash_latest_ms"]
            if h.get("exposure") != "hit":
                continue
            # Witnesses miss it two seconds later; times are of whole seconds.
            if not first - 3000 <= h["died_ms"] <= last + 1000 or last - first > 600000:
                self.wrong(f"{r['host']} crashed at {h['died_ms']}, said to be between {first} and {last}")
            self.compared += 1
        if len(rows) < 20:
            self.wrong(f"only {len(rows)} recovered")
        # A window that begins between the note and the crash has the crash; one that begins when witnesses had missed
        # the host has not, though it was not up again yet.
        told = self.sql("SELECT host, time_ms AS first, latest_ms AS last FROM crashes WHERE kind = 'unclean-boot' "
                        f"AND time_ms >= {ms(WINDOW[0]) - 600000}")
        for r in told:
            h = self.hosts[r["host"]]
            # Told of by the unclean boot alone: else the panic dates it.
            if h.get("exposure") != "hit" or h["class"] != "up" or "modules" in h or r["last"] < h["died_ms"] + 4000:
                continue
            for early, late, there in ((-1000, 1000, True), (3000, 4000, False)):
                window = f"{text_of(h['died_ms'] + early)}..{text_of(h['died_ms'] + late)}"
                rows = self.ask(cause["name"], "--window", window, "--class", "recovered")["rows"]
                if (r["host"] in {x["host"] for x in rows}) != there:
                    self.wrong(f"{r['host']} crashed at {h['died_ms']}, and that in {window} is not {there}")
            return
        self.wrong("no crash was dated by an unclean boot alone")

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
    # With people at work: back, down again; and how it was before.
    with tempfile.TemporaryDirectory() as folder:
        outage = Outage(mesh, estate, folder, ["--outage", "driver", "--delay", "5s", "--repaired", "0.9", "--share", "0.9",
                                               "--seed", "4"])
        for clock in ("2024-07-19T06:40:00Z", "2024-07-19T07:20:00Z", "2024-07-19T09:00:00Z"):
            outage.check_at(clock)
        outage.check_before_log()
        outage.check_fates()
        outage.check_dates()
        outage.check_gone()
        compared += outage.compared
    print(f"{compared} hosts compared")


main()
