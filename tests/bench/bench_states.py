#!/usr/bin/env python3
"""Fates of hosts, as `mesh sql` says them, against the truth of synthetic estates: precision and recall of each.

Usage: tests/bench/bench_states.py MESH MESH_ESTATE [--hosts N] [--seeds N] [--large N] [--rows] [--least X]

Quiet estates, power cuts, patch days, and outages by a driver and by a content file with each delay, at several shares
and with each confounder. Prints one JSON object a line; --large adds processor times over one estate of that size,
--least exits with 1 when a precision or recall is below X.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

AT = "2026-11-20T12:00Z"
CONFOUNDERS = [None, "model", "power", "patchday", "together", "model,power,patchday"]
SHARES = ["0.5", "0.2", "0.05", "0.01"]
# Class of the truth file, and what the fate should be. Who fails by itself leaves nothing to tell it by.
FATES = {"up": "up", "crash": "crash", "loop": "crash", "power": "power-or-link", "link": "power-or-link", "fault": "unknown",
         "never-heard": "unknown", "asleep": "asleep", "stopped": "stopped", "left": "left", "replaced": "replaced"}


def cases(seeds):
    for seed in range(1, seeds + 1):
        for quiet in ("none", "power", "patchday"):
            yield [quiet], seed
        for outage in ("driver", "content"):
            for delay in ("0s", "5s", "minutes", "hour"):
                words = [outage, "--delay", delay, "--share", SHARES[seed % len(SHARES)]]
                confounder = CONFOUNDERS[seed % len(CONFOUNDERS)]
                yield words + (["--confounder", confounder] if confounder else []), seed


def make(options, hosts, words, seed):
    estate = tempfile.mkdtemp(prefix="states-")
    subprocess.run([options.mesh_estate, "--hosts", str(hosts), "--sites", str(max(hosts // 50, 1)), "--seed", str(seed),
                    "--at", AT, "--out", estate, "--outage"] + words, check=True, stdout=subprocess.DEVNULL)
    return estate


def fates(options, estate):
    """By host; what is asked for is part of the answer of every verb."""
    answer = subprocess.run([options.mesh, "sql", "--state", estate, "-o", "json", "--allow-partial",
                             "SELECT host, status, fate FROM hosts"], check=True, capture_output=True, text=True).stdout
    return {r["host"]: r for r in json.loads(answer)["rows"]}


def count(options, words, seed, totals):
    estate = make(options, options.hosts, words, seed)
    with open(os.path.join(estate, "truth.json"), encoding="utf-8") as f:
        truth = json.load(f)["hosts"]
    said = fates(options, estate)
    one = collections.Counter()
    for host in truth:
        row = said[host["host"]]
        fate, true = row["fate"], FATES[host["class"]]
        # A crash that no witness has noticed yet, and one between two rounds of a loop: up, as far as anybody knows.
        if row["status"] == "up" and true == "crash":
            true = "up"
        one[(true, fate)] += 1
    totals.update(one)
    if options.rows:
        wrong = {f"{t} said {f}": n for (t, f), n in sorted(one.items()) if t != f}
        print(json.dumps({"outage": words, "seed": seed, "wrong": wrong}), flush=True)
    shutil.rmtree(estate)


def row(metric, value, unit):
    print(json.dumps({"bench": "states", "metric": metric, "value": value, "unit": unit}), flush=True)


def cpu_ms(command):
    """Processor time of the whole process, best of nine."""
    best = None
    for _ in range(9):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {child.returncode}")
        used = (usage.ru_utime + usage.ru_stime) * 1000
        best = used if best is None or used < best else best
    return round(best, 1)


def large(options):
    # The first site of any estate is called berlin.
    estate = make(options, options.large, ["content", "--share", "0.6", "--confounder", "power,patchday"], 3)
    for words in VERBS:
        name = words[0]
        row(f"states.{name}_cpu_ms.{options.large}",
            cpu_ms([options.mesh, *words, "--state", estate, "--allow-partial"]), "ms")
    shutil.rmtree(estate)


VERBS = [["states"], ["triage"], ["visit", "berlin"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mesh")
    parser.add_argument("mesh_estate")
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--large", type=int)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--least", type=float, default=0)
    options = parser.parse_args()
    totals, estates, good = collections.Counter(), 0, True
    for words, seed in cases(options.seeds):
        count(options, words, seed, totals)
        estates += 1
    if estates:
        row("states.estates", estates, "estates")
        row("states.hosts", sum(totals.values()), "hosts")
    for fate in dict.fromkeys(FATES.values()):
        hit = totals[(fate, fate)]
        said = sum(n for (_, f), n in totals.items() if f == fate)
        true = sum(n for (t, _), n in totals.items() if t == fate)
        if not true and not said:
            continue
        precision, recall = hit / max(said, 1), hit / max(true, 1)
        row(f"states.{fate}.hosts", true, "hosts")
        row(f"states.{fate}.precision", round(precision, 4), "share")
        row(f"states.{fate}.recall", round(recall, 4), "share")
        good = good and min(precision, recall) >= options.least
    if options.large:
        large(options)
    sys.exit(0 if good else 1)


main()
