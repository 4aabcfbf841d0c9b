#!/usr/bin/env python3
"""mesh alerts: how many hosts are lost before it names the version that takes them down, and does it warn of nothing?

Usage: tests/bench/bench_alerts.py MESH MESH_ESTATE [--hosts N] [--seeds N] [--rates LIST] [--large N] [--rows]

An outage hits so many hundredths of the estate an hour (hosts it takes down: the window is made as long as that takes).
The same outage is seen at successive moments, each a replica of its own, closer and closer together where the first
warning lies; what the replica could not know then is not in it. Quiet estates, power cuts and patch days are asked
at several moments: each row of an answer is a false alarm, as is one in an outage that names something else.
Prints one JSON object a line; --rows adds one for each outage.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import asking

FROM = 1795165200000  # 2026-11-20 09:00 UTC
SHARE = 0.5
HOUR = 3600000
STEPS = 12
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def utc(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def truth_of(estate, hosts):
    with open(os.path.join(estate, "truth.json"), encoding="utf-8") as f:
        text = f.read()
    if hosts:
        return json.loads(text)
    return json.loads(text[:text.index('"sites": [')].rstrip().rstrip(",") + "}")


def ask(mesh, estate, at):
    """The answer, and the processor time of the whole process in ms."""
    command = [mesh, "alerts", "--state", estate, "-o", "json", "--allow-partial", "--until", utc(at)]
    return asking.answer_of(command)


class Outage:
    def __init__(self, options, kind, rate, delay, confounder, seed):
        self.options, self.kind, self.rate, self.delay, self.seed = options, kind, rate, delay, seed
        self.confounder = confounder
        self.wrong = self.asked = 0
        self.cpu = 0.0
        self.length = HOUR
        # How many it takes down in all says how long it lasts at that rate.
        whole = self.made(FROM + HOUR + HOUR, lambda estate: truth_of(estate, True))
        hit = sum(1 for h in whole["hosts"] if h.get("exposure") == "hit")
        self.length = max(int(hit / (rate * options.hosts) * HOUR), 60000)

    def made(self, at, ask_it):
        at -= at % 1000
        estate = tempfile.mkdtemp(prefix="alerts-", dir=SCRATCH)
        command = [self.options.mesh_estate, "--hosts", str(self.options.hosts), "--sites",
                   str(max(self.options.hosts // 50, 1)), "--seed", str(self.seed), "--at", utc(at), "--out", estate]
        if self.kind != "none":
            command += ["--outage", self.kind, "--repaired", "0", "--window", f"{utc(FROM)}..{utc(FROM + self.length)}"]
        if self.kind in ("driver", "content"):
            command += ["--share", str(SHARE), "--delay", self.delay]
            if self.confounder:
                command += ["--confounder", self.confounder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        try:
            return ask_it(estate)
        finally:
            shutil.rmtree(estate)

    def look(self, at):
        """Hosts down by the cause, those that the replica knows to be dark, and what the alerts name."""
        def ask_it(estate):
            truth = truth_of(estate, True)
            answer, cpu = ask(self.options.mesh, estate, at - at % 1000)
            died = [h["died_ms"] for h in truth["hosts"] if h.get("exposure") == "hit"]
            dark = [h["died_ms"] for h in truth["hosts"] if h.get("exposure") == "hit" and h["status"] == "dark"]
            return truth, answer, cpu, died, dark
        truth, answer, cpu, died, dark = self.made(at, ask_it)
        self.asked += 1
        self.cpu = max(self.cpu, cpu)
        cause = truth["cause"]
        rows = answer["rows"]
        of_it = [r for r in rows if cause and r["component_kind"] == cause["kind"] and r["name"] == cause["name"]]
        self.wrong += len(rows) - len(of_it)
        return {"lost": len(died), "dark": len(dark), "first": min(died) if died else None,
                "component": bool(of_it), "version": any(r["version"] == cause["version"] for r in of_it) if cause else False}

    def first(self, what):
        """The first moment that names it, by halves; what was lost by then."""
        low, high = 0, self.length + 600000
        found = self.look(FROM + high)
        if not found[what]:
            return None
        best = (high, found)
        for _ in range(STEPS):
            if high - low <= 15000:
                break
            middle = (low + high) // 2
            seen = self.look(FROM + middle)
            if seen[what]:
                high, best = middle, (middle, seen)
            else:
                low = middle
        return best


def row(metric, value, unit):
    print(json.dumps({"bench": "alerts", "metric": metric, "value": value, "unit": unit}), flush=True)


def outages(options):
    wrong = asked = 0
    cpu = 0.0
    for rate in (float(r) for r in options.rates.split(",")):
        lost, waited, shares, never = [], [], [], 0
        for seed in range(1, options.seeds + 1):
            kind = ("driver", "content")[seed % 2]
            delay = ("5s", "minutes")[seed // 2 % 2]
            confounder = (None, "model", "power", "patchday")[seed % 4]
            o = Outage(options, kind, rate / 100, delay, confounder, seed)
            best = o.first("version")
            wrong, asked, cpu = wrong + o.wrong, asked + o.asked, max(cpu, o.cpu)
            if best is None:
                never += 1
            else:
                at, seen = best
                lost.append(seen["lost"])
                shares.append(seen["lost"] / options.hosts)
                waited.append((FROM + at - seen["first"]) / 1000)
            if options.rows:
                print(json.dumps({"kind": kind, "delay": delay, "confounder": confounder, "seed": seed, "rate": rate,
                                  "wrong": o.wrong, "best": best}), flush=True)
        name = f"{rate:g}_percent_an_hour"
        row(f"alerts.outages.{name}", options.seeds, "estates")
        row(f"alerts.never_named.{name}", never, "estates")
        if lost:
            row(f"alerts.lost_before_warning.{name}", statistics.median(lost), "hosts")
            row(f"alerts.lost_before_warning_worst.{name}", max(lost), "hosts")
            row(f"alerts.lost_share.{name}", round(statistics.median(shares), 5), "share")
            row(f"alerts.seconds_to_warning.{name}", round(statistics.median(waited), 1), "s")
    row("alerts.outage_answers", asked, "answers")
    row("alerts.wrong_in_outages", wrong, "rows")
    return cpu


def quiet(options):
    alarms = asked = 0
    for seed in range(1, options.quiet + 1):
        for kind in ("none", "power", "patchday"):
            o = Outage.__new__(Outage)
            o.options, o.kind, o.seed, o.wrong, o.asked, o.cpu, o.length = options, kind, seed, 0, 0, 0.0, 78 * 60000
            for minutes in (20, 78, 240, 900):
                o.look(FROM + minutes * 60000)
            alarms += o.wrong
            asked += o.asked
            if options.rows and o.wrong:
                print(json.dumps({"kind": kind, "seed": seed, "alarms": o.wrong}), flush=True)
    row("alerts.quiet_answers", asked, "answers")
    row("alerts.false_alarms", alarms, "rows")


def large(options):
    """Processor time of the whole process over one large estate, best of seven, in ms."""
    estate = tempfile.mkdtemp(prefix="alerts-", dir=SCRATCH)
    at = FROM + 3 * HOUR
    subprocess.run([options.mesh_estate, "--hosts", str(options.large), "--sites", str(options.large // 100), "--seed", "3",
                    "--at", utc(at), "--out", estate, "--outage", "driver", "--delay", "5s", "--confounder",
                    "model,power,patchday"], check=True, stdout=subprocess.DEVNULL)
    best = min(ask(options.mesh, estate, at)[1] for _ in range(7))
    shutil.rmtree(estate)
    row(f"alerts.cpu_ms.{options.large}", round(best, 1), "ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mesh")
    parser.add_argument("mesh_estate")
    parser.add_argument("--hosts", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--quiet", type=int, default=5)
    parser.add_argument("--rates", default="1,5,20")
    parser.add_argument("--large", type=int)
    parser.add_argument("--rows", action="store_true")
    options = parser.parse_args()
    if options.seeds:
        row("alerts.cpu_ms", round(outages(options), 1), "ms")
    if options.quiet:
        quiet(options)
    if options.large:
        large(options)


main()
